//! The lab: a cluster on one machine, real in every part but the cloud's hardware.
