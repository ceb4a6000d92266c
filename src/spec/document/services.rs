//! `[services]` as it is written.

use schemars::JsonSchema;

use crate::reading::{Need, Placed, Section};

/// What the front-end serves.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "services", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct ServicesSection {
    /// NFS exports, when wanted.
    pub(in crate::spec) nfs: Option<NfsTable>,
    /// The NIS domain, when wanted.
    pub(in crate::spec) nis: Option<NisTable>,
    /// The queue: "sge", "slurm" or "none".
    #[schemars(required, extend("enum" = ["sge", "slurm", "none"]))]
    pub(in crate::spec) scheduler: Option<Placed<String>>,
}

impl ServicesSection {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            nfs: section.table("nfs", Need::Optional("{ exports = [\"/home\"] }")).map(NfsTable::read),
            nis: section.table("nis", Need::Optional("{ domain = \"ursa.vlan\" }")).map(NisTable::read),
            scheduler: section.text("scheduler", Need::Required("\"sge\"")),
        };
        section.finish();
        read
    }
}

/// NFS exports.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "nfs", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct NfsTable {
    /// Absolute paths, none inside another.
    #[schemars(required, length(min = 1), inner(regex(pattern = "^/.")))]
    pub(in crate::spec) exports: Option<Placed<Vec<Placed<String>>>>,
}

impl NfsTable {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self { exports: section.texts("exports", Need::Required("[\"/home\"]")) };
        section.finish();
        read
    }
}

/// The NIS domain.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "nis", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct NisTable {
    /// Its name, for example ursa.vlan.
    #[schemars(required, length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$"))]
    pub(in crate::spec) domain: Option<Placed<String>>,
}

impl NisTable {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self { domain: section.text("domain", Need::Required("\"ursa.vlan\"")) };
        section.finish();
        read
    }
}
