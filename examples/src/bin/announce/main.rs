//! Asks a tracker, and says what it answers or why it does not:
//!
//!     cargo run --release -p examples --bin announce -- http://127.0.0.1:6969/announce INFO-HASH
//!
//! It is to be used against any tracker, and is a tour of what a client needs: the URL taken apart, the query built of
//! bytes, the answer decoded, and everything that can go wrong told apart.
#![forbid(unsafe_code)]

mod json;
mod options;
mod query;
mod show;
mod torrent;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use examples::answer::{Announced, Scraped};
use examples::terminal::print;
use tracker_client::ask::ask;
use tracker_client::tls::Tls;

use crate::options::{Options, What};
use crate::show::About;

/// The exit code where the tracker has answered that it will not.
const REFUSED: u8 = 3;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(REFUSED),
        Err(error) => {
            if options.json {
                // the sentence below says it all the same
                let _ = print(&json::error(&error.to_string()));
            }
            let _ = writeln!(io::stderr(), "announce: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether the tracker has answered what it was asked.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let What { tracker, torrents } = options.what()?;
    let request = query::request(options, &tracker, &torrents)?;
    let tls = if tracker.is_secure() { Some(Tls::new(options.ca.as_deref())?) } else { None };
    let asked = ask(&tracker, &request, options.family(), tls.as_ref(), options.timeout());
    if options.verbose {
        let head = asked.as_ref().map_or(&[][..], |exchange| &exchange.response.head);
        let _ = io::stderr().write_all(show::heads(&request, head).as_bytes());
    }
    let exchange = asked?;
    let about = About { tracker: &tracker, torrents: &torrents, exchange: &exchange };
    let (text, failure) = if options.scrape {
        let scraped = Scraped::read(&exchange.response.body).map_err(|error| exchange.explain(error))?;
        let text =
            if options.json { json::scraped(&about, &scraped) } else { show::scraped(&about, &scraped) };
        (text, scraped.failure)
    } else {
        let announced = Announced::read(&exchange.response.body).map_err(|error| exchange.explain(error))?;
        let text = if options.json {
            json::announced(&about, &announced)
        } else {
            show::announced(&about, &announced)
        };
        (text, announced.failure)
    };
    if failure.is_none() && exchange.response.status != 200 {
        return Err(exchange.wrong_status().into());
    }
    print(&text)?;
    Ok(failure.is_none())
}
