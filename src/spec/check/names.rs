//! Names: well-formed, unique, and not taken by the queue.

use landbridge_pki::NodeName;

use crate::reading::{Placed, Sink};
use crate::spec::Code;
use crate::spec::document::Document;
use crate::spec::{FRONT_END_NAME, RESERVED_NAMES};

/// RFC 1123, section 2.1, in lower case.
pub(super) const LABEL_HINT: &str = "use lower-case letters, digits and inner hyphens, as in host names";

/// One label of a host name, of any length.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// A machine's name by itself.
pub(super) fn node_name(name: &Placed<String>, sink: &Sink<'_>) -> Option<NodeName> {
    if RESERVED_NAMES.contains(&name.value.as_str()) {
        let message = format!("{:?} can't be a machine's name", name.value);
        let hint = format!("resolvers or the queue give it a meaning of their own, like {}", RESERVED_NAMES.join(", "));
        sink.error(Code::NameReserved, &name.span, message, hint);
        return None;
    }
    match NodeName::new(name.value.as_str()) {
        Ok(good) => Some(good),
        Err(_) if is_label(&name.value) => {
            let message = format!("a name of {} bytes is too long: at most 63", name.value.len());
            sink.error(Code::NameIllFormed, &name.span, message, "a label of a host name has at most 63 (RFC 1123)");
            None
        }
        Err(_) => {
            let message = format!("{:?} is no machine name", name.value);
            let lower = name.value.to_lowercase().replace(['_', '.', ' '], "-");
            let hint = if is_label(&lower) { format!("{LABEL_HINT}: {lower:?}") } else { LABEL_HINT.to_owned() };
            sink.error(Code::NameIllFormed, &name.span, message, hint);
            None
        }
    }
}

/// Names against each other.
pub(super) fn check(document: &Document, sink: &Sink<'_>) {
    let front_end = document.front_end.as_ref().and_then(|f| f.name.as_ref());
    let names: Vec<_> = document.host.iter().filter_map(|host| host.name.as_ref()).collect();
    for (n, name) in names.iter().enumerate() {
        if let Some(first) = names[..n].iter().find(|first| first.value == name.value) {
            let message = format!("two hosts are called {:?}", name.value);
            sink.clash(
                Code::NameTwice,
                &name.span,
                (&first.span, "the first one"),
                message,
                "give each a name of its own",
            );
        }
        let hint = "the front-end stands in the same host lists: give one of them another name";
        match front_end {
            Some(own) if own.value == name.value => {
                let message = format!("a host and the front-end are both called {:?}", name.value);
                sink.clash(Code::NameOfFrontEnd, &name.span, (&own.span, "the front-end"), message, hint);
            }
            None if name.value == FRONT_END_NAME => {
                let message = format!("{FRONT_END_NAME:?} is the front-end's name unless `front-end.name` is set");
                sink.error(Code::NameOfFrontEnd, &name.span, message, hint);
            }
            _ => {}
        }
    }
}
