//! `[vlan]` as it is written.

use schemars::JsonSchema;

use crate::reading::{Need, Placed, Section, Span};

/// The private LAN.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "vlan", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct VlanSection {
    /// All its addresses, for example 10.77.0.0/16. The front-end takes the first.
    #[schemars(required)]
    pub(in crate::spec) subnet: Option<Placed<String>>,
    /// Leased to workers, for example 10.77.1.0/24. Inside the subnet.
    #[schemars(required)]
    pub(in crate::spec) workers: Option<Placed<String>>,
    /// The MTU of every port.
    #[schemars(default = "default_mtu", range(min = 576, max = 65535))]
    pub(in crate::spec) mtu: Option<Placed<i64>>,
    /// How the bridges are joined: exactly one of these.
    #[schemars(required)]
    pub(in crate::spec) uplink: Option<UplinkTable>,
}

fn default_mtu() -> u32 {
    landbridge_fabric::Mtu::ETHERNET.bytes()
}

impl VlanSection {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            subnet: section.text("subnet", Need::Required("\"10.77.0.0/16\"")),
            workers: section.text("workers", Need::Required("\"10.77.1.0/24\"")),
            mtu: section.integer("mtu", Need::Optional("1500")),
            uplink: section.table("uplink", Need::Required("{ vxlan = { vni = 77 } }")).map(UplinkTable::read),
        };
        section.finish();
        read
    }
}

/// How the bridges are joined: exactly one of vxlan, vlan and port.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "uplink", rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::spec) struct UplinkTable {
    #[schemars(skip)]
    pub(in crate::spec) span: Span,
    /// VXLAN over the underlay, UDP port 4789.
    pub(in crate::spec) vxlan: Option<VxlanTable>,
    /// An IEEE 802.1Q sub-interface of a NIC that every member has.
    pub(in crate::spec) vlan: Option<TaggedTable>,
    /// A whole NIC of every member.
    pub(in crate::spec) port: Option<Placed<String>>,
}

impl UplinkTable {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            span: section.span.clone(),
            vxlan: section.table("vxlan", Need::Optional("{ vni = 77 }")).map(VxlanTable::read),
            vlan: section.table("vlan", Need::Optional("{ id = 77, parent = \"eth1\" }")).map(TaggedTable::read),
            port: section.text("port", Need::Optional("\"eth1\"")),
        };
        section.finish();
        read
    }
}

/// VXLAN over the underlay.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "vxlan", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct VxlanTable {
    /// The network's identifier.
    #[schemars(required, range(min = 0, max = 16_777_215))]
    pub(in crate::spec) vni: Option<Placed<i64>>,
    /// The underlay's MTU; the vLAN's has to be 50 bytes less.
    #[schemars(range(min = 576, max = 65535))]
    pub(in crate::spec) underlay_mtu: Option<Placed<i64>>,
}

impl VxlanTable {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            vni: section.integer("vni", Need::Required("77")),
            underlay_mtu: section.integer("underlay-mtu", Need::Optional("1550")),
        };
        section.finish();
        read
    }
}

/// An IEEE 802.1Q sub-interface.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "tagged", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct TaggedTable {
    /// The VLAN's identifier.
    #[schemars(required, range(min = 1, max = 4094))]
    pub(in crate::spec) id: Option<Placed<i64>>,
    /// The NIC that carries the tagged frames.
    #[schemars(required, length(min = 1, max = 15))]
    pub(in crate::spec) parent: Option<Placed<String>>,
}

impl TaggedTable {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            id: section.integer("id", Need::Required("77")),
            parent: section.text("parent", Need::Required("\"eth1\"")),
        };
        section.finish();
        read
    }
}
