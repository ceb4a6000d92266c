//! `[tunnel]` as it is written.

use schemars::JsonSchema;

use crate::reading::{Need, Placed, Section};

/// How workers outside reach the vLAN.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "tunnel", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct TunnelSection {
    /// "auto": TCP, and UDP for workers that TCP doesn't let through; or "udp" or "tcp" alone.
    #[schemars(default = "default_transport", extend("enum" = ["auto", "udp", "tcp"]))]
    pub(in crate::spec) transport: Option<Placed<String>>,
    /// How many server processes carry workers; without it as many as the front-end has processors.
    #[schemars(range(min = 1, max = 9))]
    pub(in crate::spec) servers: Option<Placed<i64>>,
    /// The largest packet between a worker and the front-end; the vLAN's own `mtu` for no larger ones. Without it 60000 over TCP.
    #[schemars(range(min = 576, max = 60000))]
    pub(in crate::spec) mtu: Option<Placed<i64>>,
}

fn default_transport() -> &'static str {
    "auto"
}

impl TunnelSection {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            transport: section.text("transport", Need::Optional("\"auto\"")),
            servers: section.integer("servers", Need::Optional("4")),
            mtu: section.integer("mtu", Need::Optional("60000")),
        };
        section.finish();
        read
    }
}
