//! `ec2 = { … }`: a cloud.

use super::host::{cpus, memory};
use crate::reading::{Placed, Sink, optional};
use crate::spec::document::CloudTable;
use crate::spec::{Cloud, Code};

/// More workers than one vLAN segment should carry.
const MOST_CLOUD_WORKERS: i64 = 10_000;

pub(super) fn cloud(table: &CloudTable, sink: &Sink<'_>) -> Option<Cloud> {
    let region = table.region.as_ref().and_then(|text| region(text, sink));
    let instance_type = table.instance_type.as_ref().and_then(|text| instance_type(text, sink));
    let workers = table.workers.as_ref().and_then(|number| cloud_workers(number, sink));
    let cpus = optional(table.cpus.as_ref(), |number| cpus(number, sink));
    let memory_mib = optional(table.memory.as_ref(), |text| memory(text, sink));
    let endpoint = optional(table.endpoint.as_ref(), |text| endpoint(text, sink));
    let subnet = optional(table.subnet.as_ref(), |text| subnet(text, sink));
    Some(Cloud {
        region: region?,
        instance_type: instance_type?,
        workers: workers?,
        endpoint: endpoint.ok()?,
        cpus: cpus.ok()?,
        memory_mib: memory_mib.ok()?,
        subnet: subnet.ok()?,
        spot: table.spot.as_ref().is_some_and(|spot| spot.value),
    })
}

fn cloud_workers(number: &Placed<i64>, sink: &Sink<'_>) -> Option<u32> {
    if (1..=MOST_CLOUD_WORKERS).contains(&number.value) {
        return u32::try_from(number.value).ok();
    }
    let message = format!("a cloud of {} workers is out of range: 1 to {MOST_CLOUD_WORKERS}", number.value);
    sink.error(
        Code::CloudWorkersOutOfRange,
        &number.span,
        message,
        "it is the size of the host: at most so many run at once",
    );
    None
}

/// Regions are words with hyphens; EC2-compatible clouds call theirs as they like.
fn region(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(1..=32).contains(&text.value.len()) || !text.value.chars().all(plain) {
        let message = format!("{:?} is no region", text.value);
        sink.error(Code::RegionIllFormed, &text.span, message, "write it as EC2 does, for example \"us-east-1\"");
        return None;
    }
    let region = text.value.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if text.value.len() == region.len() + 1 && region.ends_with(|c: char| c.is_ascii_digit()) && region.contains('-') {
        let message = format!("{:?} is an availability zone, not a region", text.value);
        sink.error(Code::RegionIsZone, &text.span, message, format!("the region is {region:?}"));
        return None;
    }
    Some(text.value.clone())
}

fn instance_type(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if text.value.split_once('.').is_some_and(|(family, size)| word(family) && word(size)) {
        return Some(text.value.clone());
    }
    let message = format!("{:?} is no instance type", text.value);
    sink.error(
        Code::InstanceTypeIllFormed,
        &text.span,
        message,
        "write FAMILY.SIZE, for example \"m1.small\" or \"c7i.2xlarge\"",
    );
    None
}

/// `http[s]://HOST[:PORT][/PATH]`, without a user: credentials come by the usual chain, never from the file.
fn endpoint(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let rest = text.value.strip_prefix("https://").or_else(|| text.value.strip_prefix("http://"));
    let good = rest.is_some_and(|rest| {
        let authority = rest.split('/').next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '?' | '#' | '"' | '\\');
        !authority.is_empty() && !authority.starts_with(':') && rest.chars().all(plain)
    });
    if good {
        return Some(text.value.clone());
    }
    let message = format!("{:?} is no URL of an API", text.value);
    sink.error(Code::EndpointIllFormed, &text.span, message, "write it like \"https://ec2.example.org:8773\"");
    None
}

fn subnet(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let hex = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if text.value.strip_prefix("subnet-").is_some_and(hex) {
        return Some(text.value.clone());
    }
    let message = format!("{:?} is no id of a cloud's subnet", text.value);
    let hint =
        "write it as EC2 shows it, for example \"subnet-0123456789abcdef0\"; the vLAN's addresses are in `[vlan]`";
    sink.error(Code::SubnetIdIllFormed, &text.span, message, hint);
    None
}
