//! The parts of the `tracker` program.
//!
//! [`cli`] reads what was typed, [`settings`] merges it over the [`config`] file into settings that are checked and
//! ready to use, and [`run`] does what was asked for. [`logging`], [`signals`], [`open_files`], [`access`],
//! [`certificates`], [`huge_pages`] and [`reload`] are what a running tracker needs of its operating system.
//!
//! [`statistics`] knows what there is now and was before, [`dashboard`] shows it, [`housekeeping`] does what is to be done
//! now and then, and [`keeper`] is the one who waits for the disk. [`supervisor`] tells the service manager how it goes.
//!
//! [`check`] is the other way round: it asks a running tracker, and prints what is wrong with it.
//!
//! Nothing here knows about swarms or HTTP but the wiring in [`serve`] and the [`pages`] beside it.
#![forbid(unsafe_code)]

pub mod access;
pub mod certificates;
pub mod check;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod error;
pub mod housekeeping;
pub mod huge_pages;
pub mod keeper;
pub mod logging;
pub mod open_files;
pub mod pages;
pub mod reload;
pub mod run;
pub mod serve;
pub mod settings;
pub mod signals;
pub mod statistics;
pub mod supervisor;
pub mod visibility;
