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
        let wanted: Vec<IpPermission> = self.0.iter().map(|range| rule(*range)).collect();
        let missing = wanted.iter().filter(|rule| !rules.iter().any(|it| same(it, rule))).cloned().collect();
        let surplus = rules.iter().filter(|rule| !wanted.iter().any(|it| same(it, rule))).cloned().collect();
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

/// A range of TCP ports, for everybody.
fn rule((from, to): (u16, u16)) -> IpPermission {
    IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(from.into())
        .to_port(to.into())
        .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
        .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
        .build()
}

/// Whether a rule of EC2's opens what ours does, and to whom it does, and nothing more. Descriptions and owners aside.
fn same(one: &IpPermission, other: &IpPermission) -> bool {
    let key = |rule: &IpPermission| {
        let v4: BTreeSet<String> = rule.ip_ranges().iter().filter_map(|it| it.cidr_ip().map(str::to_owned)).collect();
        let v6: BTreeSet<String> =
            rule.ipv6_ranges().iter().filter_map(|it| it.cidr_ipv6().map(str::to_owned)).collect();
        let others = rule.user_id_group_pairs().len() + rule.prefix_list_ids().len();
        (rule.ip_protocol().map(str::to_owned), rule.from_port(), rule.to_port(), v4, v6, others)
    };
    key(one) == key(other)
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
        let (missing, surplus) = wanted.changes(&[rule((22, 22)), rule((23, 23))]);
        assert_eq!((missing, surplus), (vec![rule((80, 80))], vec![rule((23, 23))]));
        assert_eq!(wanted.changes(&[rule((80, 80)), rule((22, 22))]), (vec![], vec![]));
    }
}
