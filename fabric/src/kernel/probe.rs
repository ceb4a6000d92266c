//! Whether the kernel can make a kind of link, found out without making one.

use std::fs::OpenOptions;

use nix::errno::Errno;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};

use super::talk::{Request, Talk};
use super::tap;
use crate::Refusal;
use crate::feature::Feature;

/// No interface has this hardware address: it is a group's.
const NO_ADDRESS: [u8; 6] = [0x01, 0, 0, 0, 0, 0];

/// Asks for a link that can't be: the kernel first looks for the kind (loading its module, if it has one), and says
/// `EOPNOTSUPP` when there is none; only then it looks at the rest, and refuses it.
pub(super) async fn supports(talk: &Talk, feature: Feature) -> Result<bool, Refusal> {
    let kind = match feature {
        Feature::Bridge => InfoKind::Bridge,
        Feature::Vxlan => InfoKind::Vxlan,
        Feature::Vlan => InfoKind::Vlan,
        Feature::Tun => return Ok(OpenOptions::new().read(true).write(true).open(tap::DEVICE).is_ok()),
    };
    match talk.send(vec![impossible(kind)]).await {
        Err(refusal) if refusal.is(Errno::EOPNOTSUPP) => Ok(false),
        Err(refusal) if refusal.is(Errno::EINVAL) || refusal.is(Errno::EADDRNOTAVAIL) => Ok(true),
        Err(refusal) => Err(refusal),
        Ok(_) => unreachable!("the kernel made an interface with a group's hardware address"),
    }
}

fn impossible(kind: InfoKind) -> Request {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::Address(NO_ADDRESS.to_vec()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]));
    Request { message: RouteNetlinkMessage::NewLink(message), flags: NLM_F_CREATE | NLM_F_EXCL }
}
