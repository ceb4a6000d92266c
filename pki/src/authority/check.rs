//! What will have broken by a given day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Register, StorageError};
use crate::{CertificateFacts, NodeName, Role};

/// Something that stops working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakage {
    /// When it begins.
    pub when: Timestamp,
    /// What stops.
    pub what: Broken,
    /// The machine's name, or the cluster's.
    pub name: String,
    /// Why, and what it means.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
}

/// What stops working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Broken {
    /// The authority, and with it everything.
    Authority,
    /// The authority before the one that issues, and with it whoever has not renewed since the rotation.
    OldAuthority,
    /// The front-end.
    FrontEnd,
    /// A physical host.
    Host,
    /// A worker.
    Worker,
}

impl Register {
    /// What will have broken by `at` if nobody does anything, in the order in which it happens; what has broken already comes
    /// first. A machine whose certificates are all revoked is gone on purpose and not among it.
    pub fn check(&self, at: Timestamp) -> Result<Vec<Breakage>, StorageError> {
        let revoked = self.revoked_serials()?;
        let last = last_of_each(self.issued.all().filter(|facts| !revoked.contains(&facts.serial)));
        let mut all = self.authorities_end();
        all.extend(last.into_values().map(node_ends));
        all.retain(|breakage| breakage.when <= at);
        all.sort_by(|a, b| (a.when, a.what, &a.name).cmp(&(b.when, b.what, &b.name)));
        Ok(all)
    }

    fn authorities_end(&self) -> Vec<Breakage> {
        let current = Breakage {
            when: self.current.not_after,
            what: Broken::Authority,
            name: self.cluster().to_owned(),
            why: format!("the authority {} ends: nobody can connect or join any more", self.current.id),
            remedy: "`landbridge pki rotate`, early enough for every node to renew before".to_owned(),
        };
        let old = self.old.iter().map(|old| Breakage {
            when: old.not_after,
            what: Broken::OldAuthority,
            name: self.cluster().to_owned(),
            why: format!(
                "the old authority {} ends: nodes that have not renewed since the rotation are locked out",
                old.id
            ),
            remedy: "start these nodes, so that they renew; `landbridge pki show` names them".to_owned(),
        });
        old.chain([current]).collect()
    }
}

/// The certificate of each machine that ends last: until then it can connect.
fn last_of_each<'a>(
    certificates: impl Iterator<Item = &'a CertificateFacts>,
) -> BTreeMap<&'a NodeName, &'a CertificateFacts> {
    let mut last: BTreeMap<&NodeName, &CertificateFacts> = BTreeMap::new();
    for facts in certificates {
        let best = last.entry(&facts.name).or_insert(facts);
        if facts.not_after > best.not_after {
            *best = facts;
        }
    }
    last
}

fn node_ends(facts: &CertificateFacts) -> Breakage {
    let CertificateFacts { name, role, serial, not_after, .. } = facts;
    let renews = facts.renewal_from();
    let (what, meaning, remedy) = match role {
        Role::FrontEnd => (
            Broken::FrontEnd,
            "no tunnel and no join gets through",
            format!("keep the daemon running: it renews by itself from {renews} on"),
        ),
        Role::Host => (Broken::Host, "its fabric is no longer kept right", node_remedy(name, renews)),
        Role::Worker => (Broken::Worker, "it can't connect again", node_remedy(name, renews)),
    };
    let why = format!("the certificate {serial} of the {role} {name} ends: {meaning}");
    Breakage { when: *not_after, what, name: name.to_string(), why, remedy }
}

fn node_remedy(name: &NodeName, renews: Timestamp) -> String {
    format!(
        "keep it running and connected: it renews by itself from {renews} on; once it has ended, `landbridge token create`; \
         if it is gone for good, `landbridge pki revoke {name}`"
    )
}
