//! Doing what was asked for.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::{self, Options};
use crate::error::Error;
use crate::logging;
use crate::serve::serve;
use crate::settings::Settings;
use crate::{access, certificates, config};

/// The whole program: the command line in, what it ends with or an error out.
///
/// # Errors
/// What kept it from doing what was asked for, as a sentence for the user.
pub fn main(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<ExitCode, Error> {
    let Some(options) = Options::parse_from_args(args)? else { return Ok(ExitCode::SUCCESS) };
    if let Some(command) = &options.command {
        return command.run();
    }
    let (print, check) = (options.print_config, options.check_config);
    let settings = Settings::load(options)?;
    if check {
        access::load(&settings.config)?;
        let loaded = certificates::load(settings.config.http.tls.as_ref())?;
        for warning in loaded.iter().flat_map(|loaded| &loaded.warnings) {
            logging::say(&format!("warning: {warning}"));
        }
    }
    if print {
        cli::print(&config::print(&settings.config))?;
    }
    if !print && !check {
        serve(settings)?;
    }
    Ok(ExitCode::SUCCESS)
}
