//! A network of the lab: one layer-2 segment.

use std::sync::{Arc, Mutex, PoisonError};

use super::link;
use super::netns::Netns;
use crate::error::{LabError, LabResult, io_error};

/// A layer-2 segment: a bridge in the lab's hidden namespace, whose ports lead into machines. Clones are the same segment.
#[derive(Clone, Debug)]
pub struct Network {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    bridge: String,
    netns: Netns,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mtu: u32,
    ports: Vec<String>,
}

impl Network {
    /// Makes the segment. `number` is unique in the namespace and gives the links in it their names.
    pub(crate) fn create(netns: &Netns, number: usize, name: &str, mtu: u32) -> LabResult<Self> {
        let bridge = format!("net{number}");
        link::create_bridge(netns, &bridge, mtu).map_err(io_error("making network", name))?;
        let state = Mutex::new(State { mtu, ports: Vec::new() });
        Ok(Self { inner: Arc::new(Inner { name: name.to_owned(), bridge, netns: netns.clone(), state }) })
    }

    /// Its name in the drawing.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The largest packet it carries.
    pub fn mtu(&self) -> u32 {
        self.lock().mtu
    }

    /// Changes the largest packet that the segment carries from now on. The machines' interfaces keep the MTU that they
    /// have: what they send too large is dropped without a word, as a misconfigured switch does.
    pub fn set_mtu(&self, mtu: u32) -> LabResult<()> {
        let mut state = self.lock();
        for name in state.ports.iter().chain([&self.inner.bridge]) {
            link::set_mtu(&self.inner.netns, name, mtu).map_err(io_error("setting the MTU of network", self.name()))?;
        }
        state.mtu = mtu;
        Ok(())
    }

    /// Leads a cable into a machine's namespace, where its end is called `nic`. Gives the port's name.
    pub(crate) fn connect(&self, nic: &str, to: &Netns) -> LabResult<String> {
        self.add_port(|port, mtu| link::connect_veth(&self.inner.netns, &self.inner.bridge, port, mtu, nic, to))
    }

    /// Makes a tap on the segment for a program that opens it by its name.
    pub(crate) fn create_tap(&self) -> LabResult<String> {
        self.add_port(|port, mtu| {
            link::create_tap(&self.inner.netns, port, mtu)?;
            link::attach(&self.inner.netns, port, Some(&self.inner.bridge), mtu)
        })
    }

    /// Makes a tap on the segment for ourselves.
    pub(crate) fn open_tap(&self) -> LabResult<std::fs::File> {
        let mut tap = None;
        self.add_port(|port, mtu| {
            tap = Some(link::open_tap_port(&self.inner.netns, &self.inner.bridge, port, mtu)?);
            Ok(())
        })?;
        tap.ok_or_else(|| LabError::Plan { message: "a tap was not made".to_owned() })
    }

    fn add_port(&self, make: impl FnOnce(&str, u32) -> std::io::Result<()>) -> LabResult<String> {
        let mut state = self.lock();
        let port = format!("{}p{}", self.inner.bridge, state.ports.len());
        make(&port, state.mtu).map_err(io_error("adding a port to network", self.name()))?;
        state.ports.push(port.clone());
        Ok(port)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
