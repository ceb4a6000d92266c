//! `other`: OpenNebula's attributes that nobody here honours, under their own names.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use crate::reading::{Code, Placed, Section, Sink};
use crate::template::{Attribute, Places, Words, opennebula};

/// Of the whole template: a text, a table of texts, or a list of these.
pub(super) fn attributes(table: Section<'_>, places: &mut Places, sink: &Sink<'_>) -> BTreeMap<String, Vec<Attribute>> {
    let mut found = BTreeMap::new();
    for (key, value) in table.free() {
        let Some(name) = name(&key, None, sink) else { continue };
        let values: Vec<_> = match value.get_ref() {
            DeValue::Array(list) => list.iter().filter_map(|value| attribute(value, sink)).collect(),
            _ => attribute(value, sink).into_iter().collect(),
        };
        places.insert(name.clone(), key.span);
        found.insert(name, values);
    }
    found
}

/// Of a part of it: texts.
pub(super) fn words(table: Section<'_>, about: &str, vector: &str, places: &mut Places, sink: &Sink<'_>) -> Words {
    let mut found = Words::new();
    for (key, value) in table.free() {
        let Some(name) = name(&key, Some(vector), sink) else { continue };
        places.insert(format!("{about}.{name}"), key.span);
        found.extend(text(value, sink).map(|text| (name, text)));
    }
    found
}

fn attribute(value: &Spanned<DeValue<'_>>, sink: &Sink<'_>) -> Option<Attribute> {
    let DeValue::Table(table) = value.get_ref() else { return text(value, sink).map(Attribute::Single) };
    let words = table.iter().filter_map(|(key, value)| {
        let key = Placed { value: key.get_ref().clone().into_owned(), span: key.span() };
        Some((well_formed(&key, sink)?, text(value, sink)?))
    });
    Some(Attribute::Vector(words.collect()))
}

fn text(value: &Spanned<DeValue<'_>>, sink: &Sink<'_>) -> Option<String> {
    if let Some(text) = value.get_ref().as_str() {
        return Some(text.to_owned());
    }
    let message = "what is kept for OpenNebula has to be texts";
    sink.error(Code::WrongType, &value.span(), message, "put it in quotes, as OpenNebula keeps every value");
    None
}

/// A key in OpenNebula's upper case, unless it has a place of its own.
fn name(key: &Placed<String>, vector: Option<&str>, sink: &Sink<'_>) -> Option<String> {
    let name = well_formed(key, sink)?;
    if opennebula::is_read(vector, &name) {
        let message = format!("`{}` has a key of its own", key.value);
        sink.error(Code::KeyKnown, &key.span, message, "`other` keeps only what nothing here reads");
        return None;
    }
    Some(name)
}

fn well_formed(key: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    if !key.value.is_empty() && key.value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Some(key.value.to_ascii_uppercase());
    }
    let message = format!("{:?} is no name of an OpenNebula attribute", key.value);
    sink.error(Code::KeyIllFormed, &key.span, message, "use letters, digits and `_`");
    None
}
