//! The links that the lab makes: bridges, veth pairs between namespaces, taps as bridge ports.

use std::fs::File;
use std::io;

use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth};

use super::netlink::{converse, index_of, refused};
use super::netns::Netns;
use super::tap;

/// Length of a transmit queue: the kernel's 500 frames for a tap are too few for bursts of a fast sender.
const TAP_QUEUE_FRAMES: u32 = 4000;

/// Makes a bridge that forwards at once, learns, and says nothing by itself.
pub(crate) fn create_bridge(netns: &Netns, name: &str, mtu: u32) -> io::Result<()> {
    netns.enter(|| {
        converse(async |handle| {
            let bridge = LinkBridge::new(name).forward_delay(0).mcast_snooping(false).mtu(mtu).up().build();
            handle.link().add(bridge).execute().await.map_err(refused(&format!("creating bridge {name}")))
        })
    })
}

/// Makes a veth pair: `port` as a port of the bridge here, `nic` in the other namespace, down and without an address.
pub(crate) fn connect_veth(netns: &Netns, bridge: &str, port: &str, mtu: u32, nic: &str, to: &Netns) -> io::Result<()> {
    netns.enter(|| {
        converse(async |handle| {
            let peer =
                LinkMessageBuilder::<LinkUnspec>::new().name(nic.to_owned()).mtu(mtu).setns_by_fd(to.raw_fd()).build();
            let pair = LinkMessageBuilder::<LinkVeth>::new(port, nic)
                .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
                .mtu(mtu)
                .controller(index_of(&handle, bridge).await?)
                .up()
                .build();
            handle.link().add(pair).execute().await.map_err(refused(&format!("creating veth {nic}")))
        })
    })
}

/// Makes a tap that the caller reads and writes, as a port of the bridge.
pub(crate) fn open_tap_port(netns: &Netns, bridge: &str, name: &str, mtu: u32) -> io::Result<File> {
    let tap = netns.enter(|| tap::open(name))?;
    attach(netns, name, Some(bridge), mtu)?;
    Ok(tap)
}

/// Makes a tap for a worker's network card; it goes with its namespace.
pub(crate) fn create_tap(netns: &Netns, name: &str, mtu: u32) -> io::Result<()> {
    netns.enter(|| tap::create_persistent(name))?;
    attach(netns, name, None, mtu)
}

/// Sets a link up and makes it a port of the bridge, or of none.
pub(crate) fn attach(netns: &Netns, name: &str, bridge: Option<&str>, mtu: u32) -> io::Result<()> {
    netns.enter(|| {
        converse(async |handle| {
            let mut link =
                LinkUnspec::new_with_index(index_of(&handle, name).await?).mtu(mtu).txqueuelen(TAP_QUEUE_FRAMES).up();
            link = match bridge {
                Some(bridge) => link.controller(index_of(&handle, bridge).await?),
                None => link.nocontroller(),
            };
            handle.link().set(link.build()).execute().await.map_err(refused(&format!("attaching {name}")))
        })
    })
}

/// Removes a link.
pub(crate) fn remove(netns: &Netns, name: &str) -> io::Result<()> {
    netns.enter(|| {
        converse(async |handle| {
            let index = index_of(&handle, name).await?;
            handle.link().del(index).execute().await.map_err(refused(&format!("removing {name}")))
        })
    })
}

/// Sets a link's MTU.
pub(crate) fn set_mtu(netns: &Netns, name: &str, mtu: u32) -> io::Result<()> {
    netns.enter(|| {
        converse(async |handle| {
            let link = LinkUnspec::new_with_index(index_of(&handle, name).await?).mtu(mtu).build();
            handle.link().set(link).execute().await.map_err(refused(&format!("setting the MTU of {name}")))
        })
    })
}
