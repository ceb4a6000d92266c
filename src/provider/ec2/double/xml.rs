//! Answers as text.

use std::collections::BTreeMap;

/// An element around what is XML already.
pub(super) fn element(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

/// An element around a text.
pub(super) fn text(name: &str, text: &str) -> String {
    element(name, &text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// A list, as EC2 writes them.
pub(super) fn list(name: &str, items: impl IntoIterator<Item = String>) -> String {
    element(name, &items.into_iter().map(|item| element("item", &item)).collect::<String>())
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> String {
    list("tagSet", tags.iter().map(|(key, value)| text("key", key) + &text("value", value)))
}

/// A whole answer.
pub(super) fn answer(action: &str, inside: &str) -> String {
    let request = text("requestId", "00000000-0000-0000-0000-000000000000");
    format!("<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">{request}{inside}</{action}Response>")
}

/// A refusal.
pub(super) fn fault(code: &str) -> String {
    let error = text("Code", code) + &text("Message", &format!("the double says {code}"));
    element("Response", &element("Errors", &element("Error", &error)))
}
