//! Who makes machines on which host of the cluster's file.

use std::sync::Arc;

use crate::provider::driver::DriverProvider;
use crate::provider::ec2::{Ec2, Patience};
use crate::provider::{LibvirtProvider, Provider, Providers};
use crate::spec::{Cluster, HostKind, Hypervisor};

/// One for each host that can make machines. Nobody is asked for anything yet.
pub(super) async fn providers(cluster: &Cluster) -> Providers {
    let mut providers = Providers::new();
    for host in &cluster.hosts {
        match &host.kind {
            HostKind::Cloud(cloud) => {
                let (cluster, name) = (cluster.name.clone(), host.name.clone());
                let ec2 = Ec2::connect(cluster, name, cloud.clone(), Patience::default()).await;
                providers.insert(host.name.clone(), Arc::new(ec2));
            }
            HostKind::Physical(physical) => {
                let provider: Arc<dyn Provider> = match &physical.hypervisor {
                    Some(Hypervisor::Libvirt(uri)) => Arc::new(LibvirtProvider::new(&cluster.name, uri)),
                    Some(Hypervisor::Driver(program)) => {
                        Arc::new(DriverProvider::new(program.clone(), cluster.name.clone(), host.name.clone()))
                    }
                    None => continue,
                };
                providers.insert(host.name.clone(), provider);
            }
        }
    }
    providers
}
