//! OpenNebula's template syntax: text -> attributes with their places. One mistake hides no other.
//!
//! As OpenNebula's own grammar has it (`src/parsers/template_syntax.y` there): `NAME = VALUE`, `NAME = "VALUE"` over several
//! lines, `NAME = [ KEY = VALUE, … ]`, several of them on a line, `#` comments wherever no value is. What it refuses and
//! everybody can understand (a comma too many or too few, a bracket on the next line) is read, with a warning.

use std::ops::Range;

use winnow::stream::Stream as _;

use super::known;
use super::lexis::{Input, accept, bare, blanks, gap, here, name, peek, quoted, skip_until};
use crate::reading::{Code, Placed, Sink};

/// An attribute as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its name in upper case.
    pub(super) name: Placed<String>,
    /// Its value.
    pub(super) value: Written,
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A text.
    Text(Placed<String>),
    /// Keys and their texts, in order, and the span from bracket to bracket.
    Vector(Placed<Vec<Pair>>),
}

/// A key of a vector, in upper case, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: Placed<String>,
    pub(super) text: Placed<String>,
}

/// Every attribute that can be made out; `None` when the text is something else.
pub(super) fn items(text: &str, sink: &Sink<'_>) -> Option<Vec<Item>> {
    let mut input = Input::new(text);
    let mut items = Vec::new();
    gap(&mut input);
    if peek(&input) == Some('<') {
        let hint = "OpenNebula's XML form isn't read here: write the template's NAME = VALUE form, or TOML";
        sink.error(Code::XmlForm, &(here(&input)..here(&input) + 1), "this is XML", hint);
        return None;
    }
    while peek(&input).is_some() {
        items.extend(item(&mut input, sink));
        gap(&mut input);
    }
    Some(items)
}

fn item(input: &mut Input<'_>, sink: &Sink<'_>) -> Option<Item> {
    let Some(name) = name(input) else {
        let span = rest_of_line(input);
        let hint = "an attribute is NAME = VALUE or NAME = [ KEY = VALUE, … ]; `#` starts a comment";
        sink.error(Code::Syntax, &span, "this is no attribute", hint);
        return None;
    };
    blanks(input);
    if !accept(input, '=') {
        let span = name.span.start..rest_of_line(input).end;
        let message = format!("`{}` is followed by no `=`", name.value);
        sink.error(Code::Syntax, &span, message, "write NAME = VALUE; a value of several words needs quotes");
        return None;
    }
    let value = value(input, &name, sink)?;
    if let Written::Text(text) = &value {
        only_value_of_the_line(input, text, sink);
    }
    Some(Item { name, value })
}

fn value(input: &mut Input<'_>, name: &Placed<String>, sink: &Sink<'_>) -> Option<Written> {
    blanks(input);
    let after = here(input);
    match peek(input) {
        Some('[') => Some(Written::Vector(vector(input, name, sink))),
        Some('"') => Some(Written::Text(closed(input, false, sink))),
        None | Some('\n' | '#') => {
            gap(input);
            if peek(input) == Some('[') {
                let hint = "put the `[` on the line of its `=`: OpenNebula reads an empty value otherwise";
                sink.warning(
                    Code::NotOpennebula,
                    &(here(input)..here(input) + 1),
                    "a vector starts on its own line",
                    hint,
                );
                return Some(Written::Vector(vector(input, name, sink)));
            }
            let message = format!("`{}` has no value", name.value);
            sink.warning(Code::ValueMissing, &name.span, message, "leave it out, or say \"\" to mean an empty text");
            Some(Written::Text(Placed { value: String::new(), span: after..after }))
        }
        Some(_) => {
            let found = bare(input).map(Written::Text);
            if found.is_none() {
                let span = rest_of_line(input);
                let message = format!("`{}` has no value", name.value);
                sink.error(Code::Syntax, &span, message, "a value with any of `= # , [ ]` in it needs quotes");
            }
            found
        }
    }
}

/// A quoted text. When it isn't closed, the line is taken for it, but for the bracket at its end inside a vector.
fn closed(input: &mut Input<'_>, in_vector: bool, sink: &Sink<'_>) -> Placed<String> {
    if let Some(text) = quoted(input) {
        return text;
    }
    let start = here(input);
    let line = input.lines().next().unwrap_or_default().trim_end();
    let taken = line.len() - usize::from(in_vector && line.ends_with(']'));
    input.next_slice(taken);
    let span = start..here(input);
    let hint = "close it with another `\"`; a quote inside is written `\\\"`, so no text can end in a backslash";
    sink.error(Code::QuoteUnclosed, &(start..start + 1), "this quote isn't closed", hint);
    Placed { value: String::new(), span }
}

/// After a value, only a comment or another attribute may stand on the line.
fn only_value_of_the_line(input: &mut Input<'_>, text: &Placed<String>, sink: &Sink<'_>) {
    blanks(input);
    let start = here(input);
    if matches!(peek(input), None | Some('\n' | '#')) || attribute_is_next(input) {
        return;
    }
    let rest = rest_of_line(input);
    let hint = "a value of several words, or with any of `= # , [ ]` in it, needs quotes: NAME = \"…\"";
    let span = text.span.start..rest.end.max(start);
    sink.error(Code::BareWords, &span, "more than one word stands where a value belongs", hint);
}

/// Whether `NAME =` comes next.
fn attribute_is_next(input: &Input<'_>) -> bool {
    let mut ahead = *input;
    name(&mut ahead).is_some() && {
        blanks(&mut ahead);
        peek(&ahead) == Some('=')
    }
}

/// Skips to the line's end, and gives what isn't white space of it.
fn rest_of_line(input: &mut Input<'_>) -> Range<usize> {
    let text: &str = input;
    let line = text.lines().next().unwrap_or_default().trim_end().len();
    let span = skip_until(input, &['\n']);
    span.start..span.start + line
}

fn vector(input: &mut Input<'_>, name: &Placed<String>, sink: &Sink<'_>) -> Placed<Vec<Pair>> {
    let start = here(input);
    accept(input, '[');
    let mut pairs = Vec::new();
    let mut comma = Comma::NotYet;
    loop {
        gap(input);
        let at = here(input);
        match peek(input) {
            Some(']') => {
                accept(input, ']');
                if let Comma::At(span) = comma {
                    sink.warning(
                        Code::NotOpennebula,
                        &span,
                        "a comma without a key behind it",
                        "OpenNebula refuses it",
                    );
                }
                break;
            }
            Some(',') => {
                accept(input, ',');
                if !matches!(comma, Comma::Needed) {
                    sink.warning(Code::NotOpennebula, &(at..at + 1), "a comma too many", "OpenNebula refuses it");
                }
                comma = Comma::At(at..at + 1);
            }
            None => {
                unclosed(name, start, sink);
                break;
            }
            Some(_) if next_attribute(input, &comma) => {
                unclosed(name, start, sink);
                break;
            }
            Some(_) => {
                if matches!(comma, Comma::Needed) && attribute_is_next(input) {
                    let hint = "put a comma between keys: OpenNebula refuses it without";
                    sink.warning(Code::NotOpennebula, &(at..at + 1), "a comma is missing here", hint);
                }
                pairs.extend(pair(input, name, sink));
                comma = Comma::Needed;
            }
        }
    }
    let span = start..here(input);
    Placed { value: pairs, span }
}

/// What is known about a comma in a vector.
enum Comma {
    /// No key has come yet.
    NotYet,
    /// A key has come: a comma or the end belongs here.
    Needed,
    /// It stands there.
    At(Range<usize>),
}

fn unclosed(name: &Placed<String>, start: usize, sink: &Sink<'_>) {
    let message = format!("the vector of `{}` isn't closed", name.value);
    sink.error(Code::VectorUnclosed, &(start..start + 1), message, "close it with `]`");
}

/// Whether, inside a vector, what comes next can only be the next attribute: one that is a vector, or one without a comma
/// before it whose name no vector has.
fn next_attribute(input: &Input<'_>, comma: &Comma) -> bool {
    let mut ahead = *input;
    let Some(name) = name(&mut ahead) else { return false };
    blanks(&mut ahead);
    if !accept(&mut ahead, '=') {
        return false;
    }
    blanks(&mut ahead);
    match peek(&ahead) {
        Some('[') => known::is_known(&name.value),
        _ => matches!(comma, Comma::Needed) && known::is_only_top_level(&name.value),
    }
}

fn pair(input: &mut Input<'_>, vector: &Placed<String>, sink: &Sink<'_>) -> Option<Pair> {
    let Some(key) = name(input) else {
        let span = skip_until(input, &[',', ']', '\n']);
        let hint = "a vector holds KEY = VALUE, KEY = VALUE; a value of several words needs quotes";
        sink.error(Code::Syntax, &(span.start..span.end.max(span.start + 1)), "this is no key of a vector", hint);
        // What stopped the skipping may be what stood here: never stay in one place.
        if span.is_empty() {
            input.next_token();
        }
        return None;
    };
    blanks(input);
    if !accept(input, '=') {
        let end = skip_until(input, &[',', ']', '\n']).end;
        let message = format!("`{}` in `{}` is followed by no `=`", key.value, vector.value);
        sink.error(Code::Syntax, &(key.span.start..end), message, "write KEY = VALUE");
        return None;
    }
    blanks(input);
    if peek(input) == Some('[') {
        let mut span = skip_until(input, &[']', '\n']);
        span.end += usize::from(accept(input, ']'));
        sink.error(Code::Syntax, &span, "a vector holds no other vector", "put the value in quotes");
        return None;
    }
    let text = if peek(input) == Some('"') { Some(closed(input, true, sink)) } else { bare(input) };
    let Some(text) = text else {
        let message = format!("`{}` in `{}` has no value", key.value, vector.value);
        sink.error(Code::ValueMissing, &key.span, message, "leave it out, or say \"\" to mean an empty text");
        if peek(input).is_some_and(|next| !matches!(next, ',' | ']' | '\n' | '#')) {
            skip_until(input, &[',', ']', '\n']);
        }
        return None;
    };
    several_words(input, &text, sink);
    Some(Pair { key, text })
}

/// After a value inside a vector: a comma, the end, a comment, or (a comma is missing) another key.
fn several_words(input: &mut Input<'_>, text: &Placed<String>, sink: &Sink<'_>) {
    let before = input.checkpoint();
    gap(input);
    if matches!(peek(input), None | Some(',' | ']')) || attribute_is_next(input) {
        input.reset(&before);
        return;
    }
    let rest = skip_until(input, &[',', ']', '\n']);
    let hint = "a value of several words, or with any of `= # , [ ]` in it, needs quotes: KEY = \"…\"";
    sink.error(Code::BareWords, &(text.span.start..rest.end), "more than one word stands where a value belongs", hint);
}
