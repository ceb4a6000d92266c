//! Views as a person reads them. Each function gives text and prints nothing.

mod format;
mod host;
mod status;
mod table;
mod timeline;
mod tone;
mod worker;

pub use format::{ago, clock, memory, took};
pub use host::{host_list, host_show};
pub use status::{is_healthy, status};
pub use table::{Output, json};
pub use timeline::timeline;
pub use tone::Tone;
pub use worker::{worker_list, worker_show};
