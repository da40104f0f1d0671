//! What was written, as a tree whose every key and value knows its place in a file or an argument.
//!
//! Limits, checked before and while the tree is built: [`MAX_BYTES`] per file, [`MAX_DEPTH`] levels, [`MAX_NODES`]
//! values. `toml` itself refuses to nest values or dotted keys more than 80 deep, so recursion is bounded.

use crate::diag::{Diagnostic, Diagnostics, Origin, SourceId, Sources};
use indexmap::IndexMap;
use std::collections::HashMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of tables and lists.
pub const MAX_DEPTH: usize = 64;
/// The most values in one file.
pub const MAX_NODES: usize = 200_000;

/// A value and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its place; of a table with a header, the header.
    pub origin: Origin,
}

/// A key's place and its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Where the key was written.
    pub key: Origin,
    /// The value.
    pub node: Node,
}

/// The keys of a table, in the order written.
pub type Table = IndexMap<String, Entry>;

/// What TOML can say. Floats are finite.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Keys and values.
    Table(Table),
    /// A list.
    Array(Vec<Node>),
    /// Text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A date, a time or both, as written.
    Datetime(String),
}

impl Value {
    /// What kind of value it is, in a scenario's terms.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::Array(_) => "a list",
            Self::String(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date",
        }
    }
}

impl Node {
    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[Node]> {
        if let Value::Array(list) = &self.value { Some(list) } else { None }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text) } else { None }
    }

    /// The `name` of a table that has one.
    pub fn name(&self) -> Option<&str> {
        self.table()?.get("name")?.node.text()
    }

    /// Whether it is a list of tables that all have a name, at least one.
    pub fn is_named_list(&self) -> bool {
        self.list().is_some_and(|list| !list.is_empty() && list.iter().all(|element| element.name().is_some()))
    }

    /// Where in a list each name is; the first of a name counts.
    pub(super) fn places(&self) -> HashMap<String, usize> {
        let named = self.list().unwrap_or_default().iter().map(Self::name).enumerate();
        let mut places = HashMap::new();
        for (at, name) in named.filter_map(|(at, name)| Some((at, name?))) {
            places.entry(name.to_owned()).or_insert(at);
        }
        places
    }

    /// The names of a list's elements, or the keys of a table.
    pub fn names(&self) -> Vec<&str> {
        match &self.value {
            Value::Table(table) => table.keys().map(String::as_str).collect(),
            Value::Array(list) => list.iter().filter_map(Self::name).collect(),
            _ => vec![],
        }
    }
}

/// Reads a file's bytes under the name it is shown by. All syntax errors go to `found`; then there is no tree.
pub fn parse(sources: &mut Sources, name: &str, bytes: &[u8], found: &mut Diagnostics) -> Option<Node> {
    let refuse = |sources: &mut Sources, message: String| {
        let source = sources.file(name, "");
        Some(Diagnostic::error(message).label(sources.whole(source), ""))
    };
    let refused = if bytes.len() > MAX_BYTES {
        refuse(sources, format!("the file is larger than the limit of {} KiB", MAX_BYTES >> 10))
            .map(|refused| refused.help("a scenario is text of a few KiB; is this the right file?"))
    } else if bytes.contains(&0) {
        refuse(sources, "the file is binary, not TOML".to_owned())
    } else {
        None
    };
    if let Some(refused) = refused {
        found.push(refused);
        return None;
    }
    // Some editors begin a file with a mark that is no part of the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let source = sources.file(name, String::from_utf8_lossy(bytes));
            // The lossy text is the same up to the first wrong byte.
            let at = Origin::new(source, error.valid_up_to()..error.valid_up_to() + 3);
            found.push(Diagnostic::error("the file is not UTF-8 text").label(at, "this is not UTF-8"));
            return None;
        }
    };
    let source = sources.file(name, text);
    if text.trim().is_empty() {
        found.push(Diagnostic::error("the file is empty").label(sources.whole(source), ""));
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let before = found.errors();
    syntax_errors(source, text.len(), &errors, found);
    let mut builder = Builder { source, offset: 0, found, nodes: 0, too_many: false };
    let root = builder.table(table.into_inner(), 0..0, 0);
    (found.errors() == before).then_some(root)
}

/// Reads one value, as after `--set x=`: what doesn't parse as TOML is a string. `at` is the text's place.
pub fn parse_value(text: &str, at: Origin, found: &mut Diagnostics) -> Node {
    let string = || Node { value: Value::String(text.trim().to_owned()), origin: at };
    let (value, errors) = DeValue::parse_recoverable(text);
    if text.len() > MAX_BYTES || !errors.is_empty() {
        return string();
    }
    let mut builder = Builder { source: at.source, offset: at.start as usize, found, nodes: 0, too_many: false };
    builder.spanned(value, 0)
}

fn syntax_errors(source: SourceId, length: usize, errors: &[toml::de::Error], found: &mut Diagnostics) {
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(length)..span.end.min(length);
        let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        let label = if expected.is_empty() { String::new() } else { format!("expected {expected}") };
        found.push(Diagnostic::error(format!("not TOML: {what}")).label(Origin::new(source, span), label));
    }
}

struct Builder<'a> {
    source: SourceId,
    /// Where the text begins within the source.
    offset: usize,
    found: &'a mut Diagnostics,
    nodes: usize,
    too_many: bool,
}

impl Builder<'_> {
    fn place(&self, span: std::ops::Range<usize>) -> Origin {
        Origin::new(self.source, span.start + self.offset..span.end + self.offset)
    }

    fn node(&self, value: Value, span: std::ops::Range<usize>) -> Node {
        Node { value, origin: self.place(span) }
    }

    fn wrong(&mut self, span: std::ops::Range<usize>, message: &str, label: &str) {
        let diagnostic = Diagnostic::error(message).label(self.place(span), label);
        self.found.push(diagnostic);
    }

    /// Whether there is room for one more value and one more level.
    fn has_room(&mut self, span: &std::ops::Range<usize>, depth: usize) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            if !std::mem::replace(&mut self.too_many, true) {
                self.wrong(span.clone(), &format!("more than {MAX_NODES} values in one file"), "");
            }
            return false;
        }
        if depth > MAX_DEPTH {
            self.wrong(span.clone(), &format!("nested more than {MAX_DEPTH} deep"), "");
            return false;
        }
        true
    }

    fn table(&mut self, table: DeTable<'_>, span: std::ops::Range<usize>, depth: usize) -> Node {
        let entries = table
            .into_iter()
            .map(|(key, value)| {
                let origin = self.place(key.span());
                let node = self.spanned(value, depth + 1);
                (key.into_inner().into_owned(), Entry { key: origin, node })
            })
            .collect();
        self.node(Value::Table(entries), span)
    }

    fn spanned(&mut self, value: Spanned<DeValue<'_>>, depth: usize) -> Node {
        let span = value.span();
        self.value(value.into_inner(), span, depth)
    }

    fn value(&mut self, value: DeValue<'_>, span: std::ops::Range<usize>, depth: usize) -> Node {
        if !self.has_room(&span, depth) {
            return self.node(Value::Boolean(false), span);
        }
        let value = match value {
            DeValue::Table(table) => return self.table(table, span, depth),
            DeValue::Array(list) => Value::Array(list.into_iter().map(|item| self.spanned(item, depth + 1)).collect()),
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Boolean(value) => Value::Boolean(value),
            DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
            DeValue::Integer(number) => {
                if let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) {
                    Value::Integer(number)
                } else {
                    self.wrong(span.clone(), "the number is out of range", "more than 64 bits");
                    Value::Integer(0)
                }
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                Ok(_) | Err(_) => {
                    self.wrong(span.clone(), "the number is not finite", "expected a finite number");
                    Value::Float(0.0)
                }
            },
        };
        self.node(value, span)
    }
}
