//! What an operator looks at: the page at `/stats`, its data, and metrics.

mod json;
mod metrics;
mod page;
mod query;
mod rendered;

pub use json::Json;
pub use metrics::metrics;
pub use page::Page;
pub(crate) use query::wish;
pub use rendered::Rendered;
