//! The configuration as values: its keys, their documentation, defaults and types.
//!
//! `sections` declares them once; reading, printing and the defaults follow from that. `source` takes the text of a
//! file apart so that each complaint has its line, `value` knows the types, `rules` checks what one key alone cannot
//! tell. Where the values come from is for [`settings`](crate::settings).

mod macros;
mod print;
pub(crate) mod rules;
mod sections;
pub(crate) mod source;
mod suggest;
mod value;

pub use print::print;
pub use sections::{
    Access, ClientIp, Config, Format, ForwardedHeader, Http, Level, Limits, Log, Mode, Selection, Stats,
    Store, Swarm, Tls,
};

pub(crate) use sections::unknown;
pub(crate) use source::{Fault, quote};
pub(crate) use value::{inner, parts, string};
