//! Views as a person reads them. Each function gives text and prints nothing.

mod deploy;
mod host;
mod pki;
mod status;
mod table;
mod timeline;
mod tone;
mod topology;
mod worker;

pub use deploy::deploys;
pub use host::{host_list, host_show};
pub use pki::{authority, breakages, certificates};
pub use status::{is_healthy, status};
pub use table::{Output, json};
pub use timeline::timeline;
pub use topology::topology;
pub use worker::{worker_list, worker_show};
