//! The kinds of resources. Each knows how to plan itself (pure), what its inverse is, and how to do and undo it.

pub(super) mod block;
pub(super) mod directory;
pub(super) mod file;
pub(super) mod mount;
pub(super) mod network;
pub(super) mod process;
pub(super) mod residue;
pub(super) mod run;
pub(super) mod sysctl;
