//! `[front-end]`: name, addresses, ports.

use landbridge_node::wire::API_PORT;
use landbridge_pki::NodeName;

use super::addresses::address;
use super::names::node_name;
use crate::reading::{Placed, Sink};
use crate::spec::document::{Document, FrontEndSection};
use crate::spec::{Code, FRONT_END_NAME, FrontEnd, TUNNEL_PORT};

/// TCP ports of what the front-end runs: ssh, rpcbind, NFS (RFC 7530), Grid Engine's two (IANA).
pub(super) const TCP_TAKEN: [(u16, &str); 5] =
    [(22, "ssh"), (111, "rpcbind"), (2049, "NFS"), (6444, "Grid Engine's master"), (6445, "Grid Engine's executor")];

/// The section by itself.
pub(super) fn check(section: &FrontEndSection, sink: &Sink<'_>) -> Option<FrontEnd> {
    let name = match &section.name {
        Some(name) => node_name(name, sink),
        None => Some(NodeName::new(FRONT_END_NAME).expect("the default is a label")),
    };
    let public = section.public.as_ref().and_then(|text| address(text, sink));
    let underlay = section.underlay.as_ref().and_then(|text| address(text, sink));
    let api_port = port(section.api_port.as_ref(), API_PORT, sink);
    let tunnel_port = port(section.tunnel_port.as_ref(), TUNNEL_PORT, sink);
    Some(FrontEnd { name: name?, public: public?, underlay: underlay?, api_port: api_port?, tunnel_port: tunnel_port? })
}

fn port(number: Option<&Placed<i64>>, default: u16, sink: &Sink<'_>) -> Option<u16> {
    let Some(number) = number else { return Some(default) };
    let port = u16::try_from(number.value).ok().filter(|port| *port != 0);
    if port.is_none() {
        let message = format!("port {} is out of range: 1 to 65535", number.value);
        sink.error(Code::PortOutOfRange, &number.span, message, format!("the default is {default}"));
    }
    port
}

/// Ports against each other and against the other services.
pub(super) fn check_ports(document: &Document, sink: &Sink<'_>) {
    let Some(section) = &document.front_end else { return };
    if let Some(api) = &section.api_port
        && let Some((_, service)) = TCP_TAKEN.iter().find(|(port, _)| i64::from(*port) == api.value)
    {
        let message = format!("TCP port {} belongs to {service} on the front-end", api.value);
        sink.error(Code::PortTaken, &api.span, message, format!("the API's default is {API_PORT}"));
    }
    let api = section.api_port.as_ref().map_or(i64::from(API_PORT), |p| p.value);
    super::tunnel::check_ports(document, api, sink);
}
