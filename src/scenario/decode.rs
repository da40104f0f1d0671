//! A tree decoded into any `Deserialize` type, with every mistake listed.
//!
//! serde stops at the first mistake. So each is recorded at its place, what holds it is set aside, and the tree is
//! decoded again without it, until it decodes or nothing is left. A mistake that only follows from what was set
//! aside (a key that is missing because its value was wrong) is not reported.

use super::path::Path;
use super::tree::{Node, Table, Value};
use crate::diag::{Diagnostic, Diagnostics, Origin, did_you_mean};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::ptr::from_ref;

/// After so many mistakes decoding stops.
pub const MAX_MISTAKES: usize = 50;
/// So many right words are listed in full.
const MAX_LISTED: usize = 16;

/// A value, and the paths of what was set aside because it was wrong: it is whole if there are none.
#[derive(Clone, PartialEq, Debug)]
pub struct Decoded<T> {
    /// The value, as if what was wrong hadn't been written.
    pub value: T,
    /// What was wrong.
    pub aside: Vec<Path>,
}

/// Decodes the tree; every mistake goes to `found`.
pub fn decode<T: DeserializeOwned>(root: &Node, found: &mut Diagnostics) -> Option<Decoded<T>> {
    let mut aside = Aside::default();
    let mut paths = Vec::new();
    let mut mistakes = 0;
    loop {
        let error = match T::deserialize(Reader { node: root, track: &Track::Root, aside: &aside }) {
            Ok(value) => return Some(Decoded { value, aside: paths }),
            Err(error) => error,
        };
        let at = error.at?;
        if let Some(diagnostic) = describe(&error.problem, &at, &mut aside) {
            found.push(diagnostic);
            mistakes += 1;
        }
        let progress = aside.nodes.insert(at.drop);
        if !progress || at.drop == address(root) {
            return None;
        }
        paths.push(at.path);
        if mistakes == MAX_MISTAKES {
            found.push(Diagnostic::error("too many mistakes: the rest of the scenario was not checked"));
            return None;
        }
    }
}

/// A node's identity; the tree doesn't move while it is decoded.
fn address(node: &Node) -> usize {
    from_ref(node).addr()
}

/// What was set aside so far.
#[derive(Default)]
struct Aside {
    nodes: HashSet<usize>,
    /// For a misspelt key: the table and the key it was taken for.
    taken_for: HashSet<(usize, String)>,
}

impl Aside {
    fn has(&self, node: &Node) -> bool {
        self.nodes.contains(&address(node))
    }

    /// Whether something below the node was set aside.
    fn reaches_into(&self, node: &Node) -> bool {
        let below = |child: &Node| self.has(child) || self.reaches_into(child);
        !self.nodes.is_empty()
            && match &node.value {
                Value::Table(table) => table.values().any(|entry| below(&entry.node)),
                Value::Array(list) => list.iter().any(below),
                _ => false,
            }
    }
}

enum Track<'a> {
    Root,
    Below(&'a Track<'a>, String),
}

impl Track<'_> {
    fn path(&self) -> Path {
        let mut segments = Vec::new();
        let mut track = self;
        while let Track::Below(above, segment) = track {
            segments.push(segment.clone());
            track = above;
        }
        segments.into_iter().rev().collect()
    }
}

/// Where a mistake is, and what to set aside.
struct At {
    caret: Origin,
    path: Path,
    /// The node that was being read.
    node: usize,
    drop: usize,
    /// Something within the node has been set aside already.
    is_partial: bool,
    /// The keys of the node, set aside or not, and whether each is.
    keys: Vec<(String, bool)>,
}

enum Problem {
    UnknownKey { key: String, valid: &'static [&'static str] },
    UnknownTag { tag: String, valid: &'static [&'static str] },
    MissingKey(&'static str),
    WrongType { found: String, expected: String },
    Other(String),
}

struct Error {
    problem: Problem,
    at: Option<Box<At>>,
}

impl Error {
    fn other(message: impl Into<String>) -> Self {
        Problem::Other(message.into()).into()
    }

    /// Places the error at a key: the key is wrong, whatever its value.
    fn at_key(mut self, key: Origin, entry: &Node, reader: &Reader<'_>, name: &str) -> Self {
        if self.at.is_none() {
            self.at = Some(Box::new(At {
                caret: key,
                path: reader.track.path().join(name),
                node: address(reader.node),
                drop: address(entry),
                is_partial: false,
                keys: vec![],
            }));
        }
        self
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { problem, at: None }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::UnknownKey { key, .. } => write!(f, "unknown key `{key}`"),
            Problem::UnknownTag { tag, .. } => write!(f, "unknown choice `{tag}`"),
            Problem::MissingKey(key) => write!(f, "missing key `{key}`"),
            Problem::WrongType { found, expected } => write!(f, "expected {expected}, found {found}"),
            Problem::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::other(message.to_string())
    }
    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Problem::WrongType { found: as_written(found), expected: in_words(&expected.to_string()) }.into()
    }
    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }
    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        let expected = in_words(&expected.to_string());
        Problem::WrongType { found: format!("{length} elements"), expected }.into()
    }
    fn unknown_field(key: &str, valid: &'static [&'static str]) -> Self {
        Problem::UnknownKey { key: key.to_owned(), valid }.into()
    }
    fn unknown_variant(tag: &str, valid: &'static [&'static str]) -> Self {
        Problem::UnknownTag { tag: tag.to_owned(), valid }.into()
    }
    fn missing_field(key: &'static str) -> Self {
        Problem::MissingKey(key).into()
    }
}

/// What was found, as the user wrote it.
fn as_written(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value:?}`"),
        Unexpected::Str(text) if text.chars().count() > 40 => {
            format!("the string \"{}…\"", text.chars().take(40).collect::<String>())
        }
        Unexpected::Str(text) => format!("the string \"{text}\""),
        Unexpected::Map | Unexpected::StructVariant => "a table".to_owned(),
        Unexpected::Seq | Unexpected::TupleVariant => "a list".to_owned(),
        Unexpected::UnitVariant => "a tag alone".to_owned(),
        Unexpected::NewtypeVariant => "a tag with a value".to_owned(),
        other => other.to_string(),
    }
}

/// What a type of Rust's expects, in a scenario's terms; our own types say it well already.
fn in_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number of 0 or more",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" | "an array" => "a list",
        "a map" | "unit" => "a table",
        "a borrowed string" | "a char" | "a character" => "a string",
        _ if expected.starts_with("a nonzero u") => "a whole number of 1 or more",
        _ if ["struct ", "struct variant ", "unit struct ", "tuple variant "]
            .iter()
            .any(|s| expected.starts_with(s)) =>
        {
            "a table"
        }
        _ if expected.starts_with("enum ") => "one of the choices",
        _ if expected.starts_with("tuple struct ") => "a value of another kind",
        _ => return expected.to_owned(),
    };
    words.to_owned()
}

fn listed(valid: &[&str]) -> String {
    let quoted: Vec<_> = valid.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// The diagnostic, or none if the error only follows from one before.
fn describe(problem: &Problem, at: &At, aside: &mut Aside) -> Option<Diagnostic> {
    let with_valid = |diagnostic: Diagnostic, word: &str, valid: &'static [&'static str], what: &str| {
        let diagnostic = diagnostic.suggest(word, valid.iter().copied());
        match valid.len() {
            0 => diagnostic.help("no keys are known here"),
            1..=MAX_LISTED => diagnostic.help(format!("{what}: {}", listed(valid))),
            _ => diagnostic,
        }
    };
    let diagnostic = match problem {
        Problem::UnknownKey { key, valid } => {
            if let Some(nearest) = did_you_mean(key, valid.iter().copied()) {
                aside.taken_for.insert((at.node, nearest.to_owned()));
            }
            let diagnostic = Diagnostic::error(format!("unknown key `{key}`")).label(at.caret, "not a key here");
            with_valid(diagnostic, key, valid, "the keys are")
        }
        Problem::UnknownTag { tag, valid } => {
            let diagnostic =
                Diagnostic::error(format!("unknown choice `{tag}`")).label(at.caret, "not one of the choices");
            with_valid(diagnostic, tag, valid, "the choices are")
        }
        Problem::MissingKey(key) => {
            let was_wrong = at.keys.iter().any(|(name, is_aside)| name == key && *is_aside);
            if was_wrong || aside.taken_for.contains(&(at.node, (*key).to_owned())) {
                return None;
            }
            Diagnostic::error(format!("missing key `{key}`")).label(at.caret, format!("`{key}` must be given"))
        }
        Problem::WrongType { .. } | Problem::Other(_) if at.is_partial => return None,
        Problem::WrongType { found, expected } => Diagnostic::error(format!("expected {expected}, found {found}"))
            .label(at.caret, format!("expected {expected}")),
        Problem::Other(message) => Diagnostic::error(message).label(at.caret, ""),
    };
    Some(diagnostic.path(&at.path))
}

/// Reads one node.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    track: &'a Track<'a>,
    aside: &'a Aside,
}

impl Reader<'_> {
    /// Gives an error without a place this node's.
    fn place<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        self.place_at(self.node.origin, result)
    }

    /// As [`Self::place`], with the caret elsewhere.
    fn place_at<T>(self, caret: Origin, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|mut error| {
            if error.at.is_none() {
                let key = |(key, entry): (&String, &super::tree::Entry)| (key.clone(), self.aside.has(&entry.node));
                error.at = Some(Box::new(At {
                    caret,
                    path: self.track.path(),
                    node: address(self.node),
                    drop: address(self.node),
                    is_partial: self.aside.reaches_into(self.node),
                    keys: self.node.table().into_iter().flatten().map(key).collect(),
                }));
            }
            error
        })
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Table(table) => visitor.visit_map(Entries::new(self, table)),
            Value::Array(list) => visitor.visit_seq(Elements { reader: self, list: list.iter(), index: 0 }),
            Value::String(text) | Value::Datetime(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(value) => visitor.visit_bool(*value),
        }
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.place(self.any(visitor))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Integer(number) => self.place(visitor.visit_f64(number as f64)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.place(visitor.visit_some(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.place(visitor.visit_newtype_struct(self))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.table() {
            Some(table) if table.is_empty() => self.place(visitor.visit_unit()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        valid: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let choices = || match valid.len() {
            0..=MAX_LISTED => format!("one of {}", listed(valid)),
            _ => "one of the choices".to_owned(),
        };
        match &self.node.value {
            Value::String(tag) => self.place(visitor.visit_enum(Choice { reader: self, tag, content: None })),
            Value::Table(table) => {
                let mut tags = table.iter();
                match (tags.next(), tags.next()) {
                    (Some((tag, entry)), None) if !self.aside.has(&entry.node) => {
                        let result = visitor.visit_enum(Choice { reader: self, tag, content: Some(&entry.node) });
                        self.place_at(entry.key, result)
                    }
                    (Some(_), Some((_, second))) => {
                        let tags: Vec<_> = table.keys().map(String::as_str).collect();
                        let found = format!("{} together", listed(&tags));
                        self.place_at(second.key, Err(Problem::WrongType { found, expected: choices() }.into()))
                    }
                    (Some(_) | None, None) | (None, Some(_)) => {
                        let found = "an empty table".to_owned();
                        self.place(Err(Problem::WrongType { found, expected: choices() }.into()))
                    }
                }
            }
            other => {
                let found = other.kind().to_owned();
                self.place(Err(Problem::WrongType { found, expected: choices() }.into()))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf
        seq tuple tuple_struct map struct identifier
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    rest: indexmap::map::Iter<'a, String, super::tree::Entry>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'a> Entries<'a> {
    fn new(reader: Reader<'a>, table: &'a Table) -> Self {
        Self { reader, rest: table.iter(), value: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let aside = self.reader.aside;
        let Some((key, entry)) = self.rest.find(|(_, entry)| !aside.has(&entry.node)) else {
            return Ok(None);
        };
        self.value = Some((key, &entry.node));
        let name: de::value::StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.at_key(entry.key, &entry.node, &self.reader, key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, node) = self.value.take().expect("serde asks for a value after its key");
        let track = Track::Below(self.reader.track, key.to_owned());
        let reader = Reader { node, track: &track, aside: self.reader.aside };
        reader.place(seed.deserialize(reader))
    }
}

struct Elements<'a> {
    reader: Reader<'a>,
    list: std::slice::Iter<'a, Node>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        for node in self.list.by_ref() {
            let segment = node.name().map_or_else(|| self.index.to_string(), str::to_owned);
            self.index += 1;
            if !self.reader.aside.has(node) {
                let track = Track::Below(self.reader.track, segment);
                let reader = Reader { node, track: &track, aside: self.reader.aside };
                return reader.place(seed.deserialize(reader)).map(Some);
            }
        }
        Ok(None)
    }
}

/// A tagged choice: `"tag"` or `{ tag = content }`.
struct Choice<'a> {
    reader: Reader<'a>,
    tag: &'a str,
    content: Option<&'a Node>,
}

impl Choice<'_> {
    /// Reads the content, which must be there.
    fn content<T>(self, read: impl FnOnce(Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let Some(node) = self.content else {
            let tag = self.tag;
            return Err(Error::other(format!("`{tag}` needs a table: write {{ {tag} = {{ … }} }}")));
        };
        let track = Track::Below(self.reader.track, self.tag.to_owned());
        let reader = Reader { node, track: &track, aside: self.reader.aside };
        reader.place(read(reader))
    }
}

impl<'de> de::EnumAccess<'de> for Choice<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let tag: de::value::StrDeserializer<'_, Error> = self.tag.into_deserializer();
        Ok((seed.deserialize(tag)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Choice<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content.map(|node| &node.value) {
            None => Ok(()),
            Some(Value::Table(table)) if table.is_empty() => Ok(()),
            Some(_) => {
                let tag = self.tag.to_owned();
                self.content(|_| Err(Error::other(format!("`{tag}` has no settings: write \"{tag}\""))))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.content(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.content(|reader| reader.any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.content(|reader| reader.any(visitor))
    }
}
