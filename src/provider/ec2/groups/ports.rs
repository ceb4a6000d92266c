//! The ports of a security group. Pure.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range};

use crate::template::Authorized;

/// Open ports, as ranges that neither touch nor overlap, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Ports(BTreeSet<(u16, u16)>);

impl Ports {
    /// The same ports whatever the order and the overlaps in which they are named.
    pub(in super::super) fn of(named: &[Authorized]) -> Self {
        let mut sorted: Vec<(u16, u16)> = named.iter().map(|range| (range.from, range.to)).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::new();
        for (from, to) in sorted {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged.into_iter().collect())
    }

    /// What has to be opened, and what has to be closed, for a group that has these rules.
    pub(super) fn changes(&self, rules: &[IpPermission]) -> (Vec<IpPermission>, Vec<IpPermission>) {
        let wanted: Vec<IpPermission> = self.0.iter().flat_map(|range| rule(*range)).collect();
        // EC2 shows whoever may come to a port together, however they were let in: each is looked at by himself.
        let rules: Vec<IpPermission> = rules.iter().flat_map(one_by_one).collect();
        let missing = wanted.iter().filter(|rule| !rules.contains(rule)).cloned().collect();
        let surplus = rules.into_iter().filter(|rule| !wanted.contains(rule)).collect();
        (missing, surplus)
    }
}

/// `none`, or `22,8000-8010`.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (from, to) in &self.0 {
            text.push_str(if text.is_empty() { "" } else { "," });
            write!(text, "{from}")?;
            if to > from {
                write!(text, "-{to}")?;
            }
        }
        f.write_str(if text.is_empty() { "none" } else { &text })
    }
}

/// A range of TCP ports, for everybody: those of IPv4, and those of IPv6.
fn rule((from, to): (u16, u16)) -> [IpPermission; 2] {
    let ports = IpPermission::builder().ip_protocol("tcp").from_port(from.into()).to_port(to.into());
    let v4 = ports.clone().ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build());
    let v6 = ports.ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build());
    [v4.build(), v6.build()]
}

/// A rule for each of those whom it lets in, without descriptions.
fn one_by_one(rule: &IpPermission) -> Vec<IpPermission> {
    let ports = || {
        IpPermission::builder()
            .set_ip_protocol(rule.ip_protocol().map(str::to_owned))
            .set_from_port(rule.from_port())
            .set_to_port(rule.to_port())
    };
    let v4 = rule
        .ip_ranges()
        .iter()
        .map(|it| ports().ip_ranges(IpRange::builder().set_cidr_ip(it.cidr_ip().map(str::to_owned)).build()).build());
    let v6 = rule.ipv6_ranges().iter().map(|it| {
        ports().ipv6_ranges(Ipv6Range::builder().set_cidr_ipv6(it.cidr_ipv6().map(str::to_owned)).build()).build()
    });
    let groups = rule.user_id_group_pairs().iter().map(|it| ports().user_id_group_pairs(it.clone()).build());
    let lists = rule.prefix_list_ids().iter().map(|it| ports().prefix_list_ids(it.clone()).build());
    v4.chain(v6).chain(groups).chain(lists).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(ranges: &[(u16, u16)]) -> Ports {
        Ports::of(&ranges.iter().map(|&(from, to)| Authorized { from, to }).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_ports_have_one_name_however_they_are_written() {
        assert_eq!(ports(&[]).to_string(), "none");
        assert_eq!(ports(&[(80, 80), (22, 22), (22, 22)]).to_string(), "22,80");
        assert_eq!(ports(&[(1, 5), (6, 9), (4, 7), (65_535, 65_535)]).to_string(), "1-9,65535");
    }

    #[test]
    fn only_what_differs_is_opened_or_closed() {
        let wanted = ports(&[(22, 22), (80, 80)]);
        let rules = |ranges: &[(u16, u16)]| ranges.iter().flat_map(|range| rule(*range)).collect::<Vec<_>>();
        let (missing, surplus) = wanted.changes(&rules(&[(22, 22), (23, 23)]));
        assert_eq!((missing, surplus), (rules(&[(80, 80)]), rules(&[(23, 23)])));
        assert_eq!(wanted.changes(&rules(&[(80, 80), (22, 22)])), (vec![], vec![]));
    }

    #[test]
    fn who_else_was_let_in_to_a_port_is_told_from_everybody() {
        let [_, v6] = rule((22, 22));
        let laboratory = IpRange::builder().cidr_ip("10.0.0.0/8").build();
        let shown = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(22)
            .to_port(22)
            .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").description("everybody").build())
            .ip_ranges(laboratory.clone())
            .build();
        let (missing, surplus) = ports(&[(22, 22)]).changes(&[shown]);
        let other = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(laboratory).build();
        assert_eq!((missing, surplus), (vec![v6], vec![other]));
    }
}
