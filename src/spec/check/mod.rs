//! The rules: a document in, a consistent cluster and findings out.
//!
//! Each section's check gives its values with their places, or `None` after telling why; the checks across sections work on
//! whatever is there, so that one mistake hides no other.

mod addresses;
mod cloud;
mod front_end;
mod host;
mod names;
mod nic;
mod services;
mod tunnel;
mod vlan;

use toml::de::DeTable;

use super::document::{ClusterSection, Document};
use super::{Cluster, ClusterName, Code, Findings, Parsed};
use crate::reading::{Section, Sink};

/// Reads the text of a `cluster.toml`. Gives the cluster and warnings, or every finding (warnings too) when at least one
/// is an error.
pub fn parse(text: &str) -> Result<Parsed, Findings> {
    let sink = Sink::new(text);
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    tell_syntax(text, &errors, &sink);
    // What a parser makes of a broken file is a guess: findings about the guess would mislead.
    let cluster = if errors.is_empty() { check(&Document::read(Section::root(&table, &sink)), &sink) } else { None };
    let findings = sink.into_findings();
    match cluster {
        Some(cluster) if findings.errors() == 0 => Ok(Parsed { cluster, warnings: findings }),
        _ => Err(findings),
    }
}

/// Tells the parser's errors up to the first that leaves it inside a bracket: from there on it is out of step, and every
/// line would be an error.
fn tell_syntax(text: &str, errors: &[toml::de::Error], sink: &Sink<'_>) {
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().trim().replace('\n', "; ");
        if message == "duplicate key" {
            let message = format!("`{}` is there a second time", text.get(span.clone()).unwrap_or_default());
            let hint = "a key or section may stand there once; several hosts are written as `[[host]]`";
            sink.error(Code::Syntax, &span, message, hint);
            continue;
        }
        let hint = "texts need quotes, lists `[…]`, tables `[name]` or `{ key = value }`; see https://toml.io";
        sink.error(Code::Syntax, &span, message.as_str(), hint);
        if message.contains("missing comma") || message.contains("unclosed") || message.contains("inline table") {
            break;
        }
    }
}

fn check(document: &Document, sink: &Sink<'_>) -> Option<Cluster> {
    let name = document.cluster.as_ref().and_then(|section| cluster_name(section, sink));
    let front_end = document.front_end.as_ref().and_then(|section| front_end::check(section, sink));
    let vlan = document.vlan.as_ref().and_then(|section| vlan::check(section, sink));
    let tunnel = tunnel::check(document.tunnel.as_ref(), sink);
    let services = document.services.as_ref().and_then(|section| services::check(section, sink));
    let hosts: Vec<_> = document.host.iter().map(|section| host::check(section, sink)).collect();
    names::check(document, sink);
    addresses::check(document, sink);
    front_end::check_ports(document, sink);
    vlan::check_room(document, sink);
    Some(Cluster {
        name: name?,
        vlan: vlan?,
        front_end: front_end?,
        tunnel: tunnel?,
        services: services?,
        hosts: hosts.into_iter().collect::<Option<_>>()?,
    })
}

fn cluster_name(section: &ClusterSection, sink: &Sink<'_>) -> Option<ClusterName> {
    let name = section.name.as_ref()?;
    let most = ClusterName::MAX_LEN;
    let len = name.value.len();
    if let Ok(good) = ClusterName::new(name.value.as_str()) {
        return Some(good);
    }
    if name.value.is_empty() {
        sink.error(Code::ClusterNameEmpty, &name.span, "the cluster's name is empty", "call it for example \"ursa\"");
    } else if !names::is_label(&name.value) {
        let message = format!("{:?} is no cluster name", name.value);
        sink.error(Code::ClusterNameIllFormed, &name.span, message, names::LABEL_HINT);
    } else {
        let message = format!("the cluster's name {:?} has {len} bytes; at most {most} fit", name.value);
        let hint = format!(
            "it is part of every interface name (`lbbr-NAME`), and the kernel takes at most {} bytes there",
            landbridge_fabric::InterfaceName::MAX_LEN
        );
        sink.error(Code::ClusterNameTooLong, &name.span, message, hint);
    }
    None
}
