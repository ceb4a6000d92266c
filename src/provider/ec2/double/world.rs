//! What is in the cloud.

use std::collections::{BTreeMap, BTreeSet};

use super::form::Form;

/// Tags of anything.
pub(super) type Tags = BTreeMap<String, String>;

/// The cloud.
pub(in super::super) struct World {
    pub(in super::super) instances: Vec<Instance>,
    pub(in super::super) volumes: Vec<Volume>,
    pub(in super::super) groups: Vec<Group>,
    /// Tokens of requests that were done, with their parameters and the instances that they made.
    pub(super) tokens: BTreeMap<String, (BTreeMap<String, String>, Vec<String>)>,
    /// Room for so many instances that aren't terminated.
    pub(in super::super) room: usize,
    /// How many looks a new thing is missing in.
    pub(in super::super) late: u32,
    /// The most instances in one page.
    pub(in super::super) page: usize,
    made: usize,
}

/// An instance.
#[derive(Clone, Debug)]
pub(in super::super) struct Instance {
    pub(in super::super) id: String,
    pub(in super::super) state: &'static str,
    /// Why it is in that state, where EC2 says so.
    pub(in super::super) reason: Option<&'static str>,
    pub(super) hidden: u32,
    pub(super) tags: Tags,
    pub(super) groups: Vec<String>,
    pub(super) token: String,
    /// Its spot request's status, for an instance of the spot market.
    pub(in super::super) spot: Option<&'static str>,
    pub(in super::super) console: String,
}

/// A volume.
#[derive(Clone, Debug)]
pub(in super::super) struct Volume {
    pub(in super::super) id: String,
    pub(super) tags: Tags,
    pub(in super::super) instance: Option<String>,
}

/// A security group.
#[derive(Clone, Debug)]
pub(in super::super) struct Group {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    pub(in super::super) tags: Tags,
    pub(super) hidden: u32,
    pub(in super::super) rules: BTreeSet<Rule>,
}

/// First and last port, and who may come.
pub(in super::super) type Rule = (u16, u16, String);

impl Group {
    /// The ranges of ports that are open for anybody.
    pub(in super::super) fn ports(&self) -> Vec<(u16, u16)> {
        let ranges: BTreeSet<_> = self.rules.iter().map(|(from, to, _)| (*from, *to)).collect();
        ranges.into_iter().collect()
    }
}

impl Default for World {
    fn default() -> Self {
        let (instances, volumes, groups) = (Vec::new(), Vec::new(), Vec::new());
        Self { instances, volumes, groups, tokens: BTreeMap::new(), room: 100, late: 0, page: 1000, made: 0 }
    }
}

impl World {
    /// An id that nothing else has.
    pub(super) fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{:017x}", self.made)
    }

    /// Instances that take room.
    pub(in super::super) fn living(&self) -> usize {
        self.instances.iter().filter(|it| it.state != "terminated").count()
    }

    /// Starts instances and their volumes.
    pub(super) fn start(&mut self, form: &Form, count: usize) -> Vec<String> {
        let late = self.late;
        let start = |_| {
            let id = self.id("i");
            let volume = self.id("vol");
            self.volumes.push(Volume { id: volume, tags: form.tags("volume"), instance: Some(id.clone()) });
            self.instances.push(Instance {
                id: id.clone(),
                state: "pending",
                reason: None,
                hidden: late,
                tags: form.tags("instance"),
                groups: form.list("SecurityGroupId"),
                token: form.value("ClientToken").to_owned(),
                spot: (form.value("InstanceMarketOptions.MarketType") == "spot").then_some("fulfilled"),
                console: String::new(),
            });
            id
        };
        (0..count).map(start).collect()
    }

    /// One look's worth of time: what is on its way arrives.
    pub(super) fn advance(&mut self) {
        for instance in &mut self.instances {
            instance.hidden = instance.hidden.saturating_sub(1);
            instance.state = match instance.state {
                "pending" => "running",
                "shutting-down" => "terminated",
                other => other,
            };
        }
        let gone: Vec<String> =
            self.instances.iter().filter(|it| it.state == "terminated").map(|it| it.id.clone()).collect();
        self.volumes.retain(|volume| !volume.instance.as_ref().is_some_and(|id| gone.contains(id)));
    }

    /// A volume of somebody else.
    pub(in super::super) fn add_volume(&mut self, id: &str) {
        self.volumes.push(Volume { id: id.to_owned(), tags: Tags::new(), instance: None });
    }

    /// What somebody in the cloud's own console does to an instance.
    pub(in super::super) fn instance(&mut self, id: &str) -> &mut Instance {
        self.instances.iter_mut().find(|it| it.id == id).unwrap_or_else(|| panic!("there is no instance {id}"))
    }
}

/// Whether a thing with these tags and properties passes all filters.
pub(super) fn passes(filters: &[(String, Vec<String>)], tags: &Tags, properties: &[(&str, &str)]) -> bool {
    filters.iter().all(|(name, values)| {
        let has = match name.strip_prefix("tag:") {
            Some(key) => tags.get(key).map(String::as_str),
            None => properties.iter().find(|(property, _)| property == name).map(|(_, value)| *value),
        };
        has.is_some_and(|has| values.iter().any(|value| value == has))
    })
}
