//! Reads a TOML table key by key, and tells what is missing, unknown, or of the wrong type.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Code;
use super::findings::Sink;
use super::suggest::closest;

/// A span of bytes in the file.
pub(crate) type Span = Range<usize>;

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// The schema knows the value only.
impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A mistake that stands in the findings already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told;

/// The value of a key that may be left out.
pub(crate) fn optional<V, T>(
    value: Option<&Placed<V>>,
    check: impl FnOnce(&Placed<V>) -> Option<T>,
) -> Result<Option<T>, Told> {
    value.map(|value| check(value).ok_or(Told)).transpose()
}

/// Whether a key has to be there; and an example of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Optional(&'static str),
    Required(&'static str),
}

impl Need {
    fn example(self) -> &'static str {
        match self {
            Self::Optional(example) | Self::Required(example) => example,
        }
    }
}

/// A table being read. Every key that was asked for is known; [`Section::finish`] tells of all others.
pub(crate) struct Section<'a> {
    table: &'a DeTable<'a>,
    /// Where the table's header or braces stand.
    pub(crate) span: Span,
    path: String,
    asked: Vec<&'static str>,
    missing: Vec<(&'static str, String)>,
    /// Whether its keys are the file's sections.
    holds_sections: bool,
    sink: &'a Sink<'a>,
}

impl<'a> Section<'a> {
    /// A file that is made of sections.
    pub(crate) fn root(table: &'a Spanned<DeTable<'a>>, sink: &'a Sink<'a>) -> Self {
        Self { holds_sections: true, ..Self::new(table.get_ref(), 0..0, String::new(), sink) }
    }

    /// A file that is one table with keys of its own.
    pub(crate) fn whole(table: &'a Spanned<DeTable<'a>>, sink: &'a Sink<'a>) -> Self {
        Self::new(table.get_ref(), 0..0, String::new(), sink)
    }

    fn new(table: &'a DeTable<'a>, span: Span, path: String, sink: &'a Sink<'a>) -> Self {
        Self { table, span, path, asked: Vec::new(), missing: Vec::new(), holds_sections: false, sink }
    }

    /// Whether the key is there, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn value(&mut self, key: &'static str, need: Need) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        let found = self.table.get(key);
        if let (None, Need::Required(example)) = (found, need) {
            self.missing.push((key, format!("add a line like `{key} = {example}`")));
        }
        found
    }

    /// How a person names this table.
    fn title(&self) -> String {
        match self.table.get("name").and_then(|name| name.get_ref().as_str()) {
            _ if self.path.is_empty() => "the file".into(),
            Some(name) if self.path == "host" => format!("the host {name:?}"),
            _ => format!("`{}`", self.path),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str, need: Need) {
        let message = format!("`{}` is {}, but has to be {expected}", self.path_of(key), kind(value.get_ref()));
        let hint = format!("write it like `{key} = {}`", need.example());
        self.sink.error(Code::WrongType, &value.span(), message, hint);
    }

    pub(crate) fn text(&mut self, key: &'static str, need: Need) -> Option<Placed<String>> {
        let value = self.value(key, need)?;
        if let Some(text) = value.get_ref().as_str() {
            return Some(Placed { value: text.to_owned(), span: value.span() });
        }
        self.wrong_type(key, value, "a text", need);
        None
    }

    pub(crate) fn integer(&mut self, key: &'static str, need: Need) -> Option<Placed<i64>> {
        let value = self.value(key, need)?;
        let number = value.get_ref().as_integer().map(|i| i64::from_str_radix(i.as_str(), i.radix()));
        match number {
            Some(Ok(number)) => return Some(Placed { value: number, span: value.span() }),
            Some(Err(_)) => {
                let message = format!("`{}` is a number beyond every limit", self.path_of(key));
                let hint = format!("write it like `{key} = {}`", need.example());
                self.sink.error(Code::NumberTooLarge, &value.span(), message, hint);
            }
            None => self.wrong_type(key, value, "a whole number", need),
        }
        None
    }

    /// A whole number or a fraction, as it is written.
    pub(crate) fn decimal(&mut self, key: &'static str, need: Need) -> Option<Placed<String>> {
        let value = self.value(key, need)?;
        match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => {
                return Some(Placed { value: number.as_str().to_owned(), span: value.span() });
            }
            DeValue::Float(number) => return Some(Placed { value: number.as_str().to_owned(), span: value.span() }),
            _ => self.wrong_type(key, value, "a number", need),
        }
        None
    }

    /// All keys of a table that may have any, with their values. Nothing in it is unknown then.
    pub(crate) fn free(self) -> impl Iterator<Item = (Placed<String>, &'a Spanned<DeValue<'a>>)> {
        self.table.iter().map(|(key, value)| {
            let key = Placed { value: key.get_ref().clone().into_owned(), span: key.span() };
            (key, value)
        })
    }

    pub(crate) fn boolean(&mut self, key: &'static str, need: Need) -> Option<Placed<bool>> {
        let value = self.value(key, need)?;
        if let Some(boolean) = value.get_ref().as_bool() {
            return Some(Placed { value: boolean, span: value.span() });
        }
        self.wrong_type(key, value, "true or false", need);
        None
    }

    pub(crate) fn texts(&mut self, key: &'static str, need: Need) -> Option<Placed<Vec<Placed<String>>>> {
        let value = self.value(key, need)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts", need);
            return None;
        };
        let mut texts = Vec::new();
        for item in array {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Placed { value: text.to_owned(), span: item.span() }),
                None => self.wrong_type(key, item, "a list of texts", need),
            }
        }
        Some(Placed { value: texts, span: value.span() })
    }

    /// A table inside this one, in whatever form: `[a.b]`, `b = { … }` or `b.c = …`.
    pub(crate) fn table(&mut self, key: &'static str, need: Need) -> Option<Section<'a>> {
        let value = self.value(key, need)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(self.inner(table, value.span(), self.path_of(key)));
        }
        self.wrong_type(key, value, "a table", need);
        None
    }

    /// A section that every file has to have.
    pub(crate) fn section(&mut self, key: &'static str, purpose: &str) -> Option<Section<'a>> {
        if self.has(key) {
            return self.table(key, Need::Optional("{ … }"));
        }
        self.asked.push(key);
        self.missing.push((key, format!("{purpose}; `landbridge init` writes a whole file to start from")));
        None
    }

    /// The tables of `[[key]]`; none when there are none.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key, Need::Optional("")) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let message = format!("`{key}` is {}, but has to be a list of tables", kind(value.get_ref()));
            self.sink.error(Code::WrongType, &value.span(), message, format!("write it as `[[{key}]]`"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array {
            match item.get_ref() {
                DeValue::Table(table) => sections.push(self.inner(table, item.span(), key.to_owned())),
                other => {
                    let message = format!("an entry of `{key}` is {}, but has to be a table", kind(other));
                    self.sink.error(Code::WrongType, &item.span(), message, format!("write it as `[[{key}]]`"));
                }
            }
        }
        sections
    }

    fn inner(&self, table: &'a DeTable<'a>, span: Span, path: String) -> Section<'a> {
        Section::new(table, span, path, self.sink)
    }

    /// Tells of every key that nobody asked for, and of every one that isn't there. A key that was only misspelt is told
    /// once.
    pub(crate) fn finish(mut self) {
        let unknown = self.table.keys().filter(|key| !self.asked.contains(&key.get_ref().as_ref()));
        for key in unknown {
            let hint = match closest(key.get_ref(), &self.asked) {
                Some(meant) => {
                    self.missing.retain(|(missing, _)| *missing != meant);
                    format!("did you mean `{meant}`?")
                }
                None => format!("known here: {}", self.asked.join(", ")),
            };
            let what = if self.holds_sections { "section" } else { "key" };
            let message = format!("{} has no {what} `{}`", self.title(), key.get_ref());
            self.sink.error(Code::UnknownKey, &key.span(), message, hint);
        }
        for (key, hint) in &self.missing {
            let (code, message) = if self.holds_sections {
                (Code::MissingSection, format!("there is no section `[{key}]`"))
            } else {
                (Code::MissingKey, format!("{} has no `{key}`", self.title()))
            };
            self.sink.error(code, &self.span, message, hint);
        }
    }
}

/// A value's type in a sentence.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
