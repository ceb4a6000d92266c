//! `cluster.toml`: document -> findings -> validated [`Cluster`]. Pure.

mod cluster;

pub use cluster::{
    Cloud, Cluster, ClusterName, ClusterNameError, FrontEnd, Host, HostKind, Nfs, Nis, PhysicalHost, SchedulerKind,
    Services, Uplink, Vlan,
};
