//! A vector attribute being read: key by key, the first of a kind counts, the rest is kept.

use super::known::Keys;
use super::syntax::Pair;
use crate::reading::{Code, Placed, Sink, Span, closest};
use crate::template::{Places, Words, values};

/// A vector of a known kind.
pub(super) struct Vector<'a> {
    keys: &'static Keys,
    pairs: Vec<&'a Pair>,
    /// From bracket to bracket.
    pub(super) span: Span,
    sink: &'a Sink<'a>,
}

impl<'a> Vector<'a> {
    pub(super) fn new(keys: &'static Keys, pairs: &'a Placed<Vec<Pair>>, sink: &'a Sink<'a>) -> Self {
        let mut first: Vec<&Pair> = Vec::new();
        for pair in &pairs.value {
            if first.iter().any(|known| known.key.value == pair.key.value) {
                let message = format!("`{}` is there a second time in `{}`", pair.key.value, keys.vector);
                sink.warning(Code::KeyTwice, &pair.key.span, message, "the first one counts");
            } else {
                first.push(pair);
            }
        }
        if first.is_empty() {
            let message = format!("the vector of `{}` is empty", keys.vector);
            sink.warning(Code::VectorEmpty, &pairs.span, message, "leave it out, or say something in it");
        }
        Self { keys, pairs: first, span: pairs.span.clone(), sink }
    }

    /// The text of a key, taken out.
    pub(super) fn take(&mut self, key: &str) -> Option<Placed<String>> {
        let at = self.pairs.iter().position(|pair| pair.key.value == key)?;
        Some(self.pairs.remove(at).text.clone())
    }

    /// The text of a key that says something, taken out.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(|text| text.value).filter(|text| !text.is_empty())
    }

    /// Taken out only when `read` makes something of it.
    pub(super) fn take_if<T>(&mut self, key: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let at = self.pairs.iter().position(|pair| pair.key.value == key)?;
        let found = read(&self.pairs[at].text.value)?;
        self.pairs.remove(at);
        Some(found)
    }

    /// `yes` or `no`; no when it isn't there.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.take(key).map_or(Some(false), |text| values::boolean(&text, self.sink))
    }

    /// What is left, kept under `about`, with a warning for whatever nobody knows.
    pub(super) fn rest(self, about: &str, places: &mut Places) -> Words {
        for pair in &self.pairs {
            let key = pair.key.value.as_str();
            places.insert(format!("{about}.{key}"), pair.key.span.start..pair.text.span.end);
            if self.keys.read.contains(&key) || self.keys.others.contains(&key) {
                continue;
            }
            let message = format!("`{}` has no key `{key}`", self.keys.vector);
            let known: Vec<&str> = self.keys.read.iter().chain(self.keys.others).copied().collect();
            let hint = closest(key, &known).map_or_else(
                || format!("read here: {}", self.keys.read.join(", ")),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.sink.warning(Code::UnknownKey, &pair.key.span, message, hint);
        }
        self.pairs.into_iter().map(|pair| (pair.key.value.clone(), pair.text.value.clone())).collect()
    }
}
