//! `other`: OpenNebula's attributes that nobody here honours, under their own names.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use crate::reading::{Code, Placed, Section, Sink, Told};
use crate::template::{Attribute, Disk, DiskSource, Places, Words, opennebula, values};

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

/// What is kept of a disk may say more than its own keys, but not the same again: OpenNebula reads the first only.
pub(super) fn no_second_word(disk: &Disk, about: &str, places: &Places, sink: &Sink<'_>) -> Result<(), Told> {
    let format = |key: &str| disk.other.get(key).is_some_and(|name| values::format(name).is_some());
    let kind = disk.other.get("TYPE").map(|kind| kind.to_ascii_lowercase());
    let plain = matches!(kind.as_deref(), Some("" | "disk"));
    let size = disk.other.contains_key("SIZE");
    let (kind_again, size_again) = match disk.source {
        DiskSource::Image(_) => (plain, false),
        DiskSource::Swap(_) => (kind.is_some(), size),
        DiskSource::Empty(_) => (plain || matches!(kind.as_deref(), Some("fs" | "swap")), size),
    };
    let format_again = disk.format.is_none() && format("FORMAT");
    let again = [("TYPE", kind_again), ("SIZE", size_again), ("DRIVER", format("DRIVER")), ("FORMAT", format_again)];
    again.into_iter().filter(|(_, again)| *again).try_for_each(|(key, _)| {
        let span = places.get(&format!("{about}.{key}")).cloned().unwrap_or_default();
        let hint = "say it by `image`, `swap`, `empty` and `format`";
        sink.error(Code::KeyKnown, &span, format!("`{key}` has a key of its own"), hint);
        Err(Told)
    })
}

/// A second EC2 part may be kept, but not the only one.
pub(super) fn no_ec2(other: &BTreeMap<String, Vec<Attribute>>, places: &Places, sink: &Sink<'_>) -> Result<(), Told> {
    let ec2 = |value: &Attribute| matches!(value, Attribute::Vector(words) if words.get("TYPE").is_some_and(|t| t.eq_ignore_ascii_case("ec2")));
    let is_ec2 = |(name, values): &(&String, &Vec<Attribute>)| {
        *name == "EC2" || (*name == "PUBLIC_CLOUD" && values.iter().any(ec2))
    };
    let Some((name, _)) = other.iter().find(is_ec2) else { return Ok(()) };
    let span = places.get(name).cloned().unwrap_or_default();
    sink.error(Code::KeyKnown, &span, format!("`{name}` has a table of its own"), "write it as `[ec2]`");
    Err(Told)
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
