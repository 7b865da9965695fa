//! Doing what was asked for.

use std::ffi::OsString;

use crate::cli::{self, Options};
use crate::error::Error;
use crate::serve::serve;
use crate::settings::Settings;
use crate::{access, config};

/// The whole program: the command line in, its end or an error out.
///
/// # Errors
/// What kept it from doing what was asked for, as a sentence for the user.
pub fn main(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<(), Error> {
    let Some(options) = Options::parse_from_args(args)? else { return Ok(()) };
    let (print, check) = (options.print_config, options.check_config);
    let settings = Settings::load(options)?;
    if check {
        access::load(&settings.config)?;
    }
    if print {
        cli::print(&config::print(&settings.config))?;
    }
    if print || check { Ok(()) } else { serve(settings) }
}
