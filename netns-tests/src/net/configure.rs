//! Applies a machine's network configuration, inside the machine.

use std::io;

use ipnetwork::IpNetwork;
use rtnetlink::packet_route::route::RouteScope;
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};

use super::config::{Hop, NetworkConfig, NicConfig, RouteConfig};
use super::netlink::{converse, index_of, refused};

impl NetworkConfig {
    /// Brings the loopback and the interfaces up and gives them their addresses, then adds the routes. Nothing to tell
    /// when done.
    pub(crate) fn apply(&self) -> Result<Vec<u8>, String> {
        converse(async |handle| {
            set_up(&handle, "lo").await?;
            for nic in &self.nics {
                apply_nic(&handle, nic).await?;
            }
            for route in &self.routes {
                add_route(&handle, route).await?;
            }
            Ok(Vec::new())
        })
        .map_err(|err| err.to_string())
    }
}

async fn set_up(handle: &Handle, name: &str) -> io::Result<()> {
    let link = LinkUnspec::new_with_index(index_of(handle, name).await?).up().build();
    handle.link().set(link).execute().await.map_err(refused(&format!("setting {name} up")))
}

async fn apply_nic(handle: &Handle, nic: &NicConfig) -> io::Result<()> {
    let index = index_of(handle, nic.device.as_deref().unwrap_or(&nic.name)).await?;
    // Renamed first and set up after: the kernel refuses to rename a link that is up.
    let link = LinkUnspec::new_with_index(index).name(nic.name.clone()).mtu(nic.mtu).build();
    handle.link().set(link).execute().await.map_err(refused(&format!("naming {}", nic.name)))?;
    set_up(handle, &nic.name).await?;
    for address in &nic.addresses {
        let request = handle.address().add(index, address.ip(), address.prefix());
        request.execute().await.map_err(refused(&format!("adding {address} to {}", nic.name)))?;
    }
    Ok(())
}

async fn add_route(handle: &Handle, route: &RouteConfig) -> io::Result<()> {
    let to = route.destination;
    let operation = format!("adding the route to {to}");
    let mut message = RouteMessageBuilder::<std::net::IpAddr>::new()
        .destination_prefix(to.network(), to.prefix())
        .map_err(|err| io::Error::other(format!("{operation}: {err}")))?;
    message = match &route.hop {
        Hop::Gateway(gateway) => {
            message.gateway(*gateway).map_err(|err| io::Error::other(format!("{operation}: {err}")))?
        }
        Hop::Link(name) => message.output_interface(index_of(handle, name).await?).scope(link_scope(to)),
    };
    handle.route().add(message.build()).execute().await.map_err(refused(&operation))
}

/// IPv4 routes without a gateway have the scope of the link; IPv6 knows only one scope.
fn link_scope(destination: IpNetwork) -> RouteScope {
    if destination.is_ipv4() { RouteScope::Link } else { RouteScope::Universe }
}
