//! A request of the query protocol: `Filter.1.Name=…&Filter.1.Value.1=…`.

use std::collections::BTreeMap;

use axum::extract::Query;

/// The most tags of one thing, and lists of them, that EC2 takes.
const MOST_TAGS: usize = 50;

/// A request's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        let uri = format!("/?{}", String::from_utf8_lossy(body)).parse().expect("a form is a query");
        Self(Query::try_from_uri(&uri).expect("pairs of texts").0)
    }

    pub(super) fn action(&self) -> &str {
        self.value("Action")
    }

    /// A parameter's value; empty when it isn't there.
    pub(in super::super) fn value(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.value(name).parse().ok()
    }

    /// `NAME.1`, `NAME.2` …
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = (1..).map(|n| self.value(&format!("{name}.{n}")).to_owned());
        values.take_while(|value| !value.is_empty()).collect()
    }

    /// Name and values of each filter.
    pub(super) fn filters(&self) -> Vec<(String, Vec<String>)> {
        let filters = (1..).map(|n| (n, self.value(&format!("Filter.{n}.Name")).to_owned()));
        let filters = filters.take_while(|(_, name)| !name.is_empty());
        filters.map(|(n, name)| (name, self.list(&format!("Filter.{n}.Value")))).collect()
    }

    /// The tags for a kind of resource.
    pub(super) fn tags(&self, kind: &str) -> BTreeMap<String, String> {
        let of = |n: usize| self.value(&format!("TagSpecification.{n}.ResourceType")).to_owned();
        let Some(n) = (1..=MOST_TAGS).find(|n| of(*n) == kind) else { return BTreeMap::new() };
        let key = |m: usize| self.value(&format!("TagSpecification.{n}.Tag.{m}.Key")).to_owned();
        let value = |m: usize| self.value(&format!("TagSpecification.{n}.Tag.{m}.Value")).to_owned();
        (1..=MOST_TAGS).take_while(|m| !key(*m).is_empty()).map(|m| (key(m), value(m))).collect()
    }

    /// All but what differs between two signatures of the same request.
    pub(super) fn parameters(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// What a person reads of it: one parameter a line, without `skip`.
    pub(in super::super) fn lines_without(&self, skip: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, _)| !skip.contains(&name.as_str()));
        kept.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join("\n")
    }
}
