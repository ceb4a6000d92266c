//! The file as it is written: right types under known keys, values not yet looked at.
//!
//! The doc comments of these types are the descriptions in the JSON schema.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};

use crate::reading::{Need, Placed, Section};

mod host;
mod services;
mod tunnel;
mod vlan;

pub(super) use host::{CloudTable, HostSection};
pub(super) use services::{NfsTable, NisTable, ServicesSection};
pub(super) use tunnel::TunnelSection;
pub(super) use vlan::{TaggedTable, UplinkTable, VlanSection, VxlanTable};

/// The JSON schema of `cluster.toml`, for editors: shapes and simple limits. [`super::parse`] knows more.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null)).into_generator();
    generator.into_root_schema_for::<Document>().to_value()
}

/// A TOML key that may be left out can't be null.
fn without_null(schema: &mut Schema) {
    let null = serde_json::json!("null");
    if let Some(types) = schema.get_mut("type").and_then(|t| t.as_array_mut()) {
        types.retain(|t| *t != null);
    }
    let one_type = schema.get("type").and_then(|t| t.as_array()).filter(|t| t.len() == 1).map(|t| t[0].clone());
    if let Some(one_type) = one_type {
        schema.insert("type".into(), one_type);
    }
    let Some(options) = schema.get("anyOf").and_then(|a| a.as_array()) else { return };
    let real: Vec<_> = options.iter().filter(|option| option.get("type") != Some(&null)).cloned().collect();
    if let [serde_json::Value::Object(only)] = real.as_slice() {
        schema.remove("anyOf");
        for (key, value) in only {
            schema.insert(key.clone(), value.clone());
        }
    }
}

/// A Landbridge cluster: cluster.toml.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "cluster", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Document {
    /// What the cluster is called.
    #[schemars(required)]
    pub(super) cluster: Option<ClusterSection>,
    /// The private LAN.
    #[schemars(required)]
    pub(super) vlan: Option<VlanSection>,
    /// The front-end.
    #[schemars(required)]
    pub(super) front_end: Option<FrontEndSection>,
    /// How workers outside reach the vLAN.
    pub(super) tunnel: Option<TunnelSection>,
    /// What the front-end serves.
    #[schemars(required)]
    pub(super) services: Option<ServicesSection>,
    /// Physical hosts and clouds.
    #[schemars(default)]
    pub(super) host: Vec<HostSection>,
}

impl Document {
    pub(super) fn read(mut root: Section<'_>) -> Self {
        let document = Self {
            cluster: root.section("cluster", "it says what the cluster is called").map(ClusterSection::read),
            vlan: root.section("vlan", "it describes the private LAN").map(VlanSection::read),
            front_end: root.section("front-end", "it says where the front-end is").map(FrontEndSection::read),
            tunnel: root.table("tunnel", Need::Optional("{ transport = \"auto\" }")).map(TunnelSection::read),
            services: root.section("services", "it says what the front-end serves").map(ServicesSection::read),
            host: root.tables("host").into_iter().map(HostSection::read).collect(),
        };
        root.finish();
        document
    }
}

/// What the cluster is called.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "cluster-section", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ClusterSection {
    /// 1 to 10 lower-case letters, digits and inner hyphens; part of every interface name.
    #[schemars(required, length(min = 1, max = 10), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub(super) name: Option<Placed<String>>,
}

impl ClusterSection {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self { name: section.text("name", Need::Required("\"ursa\"")) };
        section.finish();
        read
    }
}

/// The front-end.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "front-end", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct FrontEndSection {
    /// Its name on the vLAN.
    #[schemars(default = "default_name")]
    pub(super) name: Option<Placed<String>>,
    /// The IPv4 address where tunnels and joins arrive.
    #[schemars(required, extend("format" = "ipv4"))]
    pub(super) public: Option<Placed<String>>,
    /// Its IPv4 address towards the physical hosts.
    #[schemars(required, extend("format" = "ipv4"))]
    pub(super) underlay: Option<Placed<String>>,
    /// The join API's TCP port.
    #[schemars(default = "default_api_port", range(min = 1, max = 65535))]
    pub(super) api_port: Option<Placed<i64>>,
    /// OpenVPN's first port, TCP and UDP; each further server process has the next.
    #[schemars(default = "default_tunnel_port", range(min = 1, max = 65535))]
    pub(super) tunnel_port: Option<Placed<i64>>,
}

fn default_name() -> &'static str {
    super::FRONT_END_NAME
}

fn default_api_port() -> u16 {
    landbridge_node::wire::API_PORT
}

fn default_tunnel_port() -> u16 {
    super::TUNNEL_PORT
}

impl FrontEndSection {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            name: section.text("name", Need::Optional("\"frontend\"")),
            public: section.text("public", Need::Required("\"198.51.100.1\"")),
            underlay: section.text("underlay", Need::Required("\"192.0.2.10\"")),
            api_port: section.integer("api-port", Need::Optional("7443")),
            tunnel_port: section.integer("tunnel-port", Need::Optional("1194")),
        };
        section.finish();
        read
    }
}
