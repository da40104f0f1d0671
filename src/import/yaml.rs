//! A YAML document as a tree whose values know their file and line.
//!
//! Aliases share what they name, so a bomb of aliases takes no memory; a tree that would be too large or too deep when
//! walked is refused.

use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most values of one document, aliases followed.
pub(super) const MAX_VALUES: usize = 500_000;
/// The deepest nesting, aliases followed.
pub(super) const MAX_DEPTH: usize = 64;

/// A line of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Place {
    /// The file's number.
    pub(super) file: usize,
    /// From 1.
    pub(super) line: usize,
}

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
    /// Values in it, itself included, aliases followed.
    weight: usize,
    depth: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Text, and whether it is without quotes: `3`, `true` and `null` are then no text.
    Scalar(String, bool),
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>),
}

/// Why a document can't be read, or what is odd about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// From 1.
    pub(super) line: usize,
    /// From 0, in characters.
    pub(super) column: usize,
    pub(super) message: String,
}

impl Node {
    pub(super) fn new(value: Value, place: Place) -> Rc<Self> {
        let (mut weight, mut depth) = (1_usize, 0);
        let mut add = |node: &Self| {
            weight = weight.saturating_add(node.weight);
            depth = depth.max(node.depth);
        };
        match &value {
            Value::Scalar(..) => {}
            Value::List(items) => items.iter().for_each(|item| add(item)),
            Value::Map(entries) => entries.iter().for_each(|(_, value)| add(value)),
        }
        Rc::new(Self { value, place, weight, depth: depth + 1 })
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Rc<Self>> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Value::Scalar(..) | Value::List(_) => None,
        }
    }

    /// The value at the end of these keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key).map(Rc::as_ref))
    }

    /// Text that isn't null.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, plain) if *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") => {
                None
            }
            Value::Scalar(text, _) => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Text at the end of these keys.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }

    /// A count at the end of these keys, and its line. Text in quotes is taken for the number that it holds.
    pub(super) fn count_at(&self, path: &[&str]) -> Option<(u32, Place)> {
        let node = self.at(path)?;
        Some((node.text()?.trim().parse().ok()?, node.place))
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Rc<Self>] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar(..) | Value::Map(_) => &[],
        }
    }

    /// The items of the list at the end of these keys.
    pub(super) fn items_at(&self, path: &[&str]) -> &[Rc<Self>] {
        self.at(path).map_or(&[], Self::items)
    }

    /// The entries of a table; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Rc<Self>)] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar(..) | Value::List(_) => &[],
        }
    }
}

/// A list or a table that isn't closed yet.
struct Open {
    place: Place,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>, Option<String>),
}

/// Reads one document that begins at `first_line` of the file. An empty one is none. Odd things go to `odd`.
pub(super) fn parse(
    text: &str,
    file: usize,
    first_line: usize,
    odd: &mut Vec<Mistake>,
) -> Result<Option<Rc<Node>>, Mistake> {
    let mut builder = Builder { open: Vec::new(), anchors: BTreeMap::new(), root: None, count: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Mistake {
            line: first_line + error.marker().line().saturating_sub(1),
            column: error.marker().col(),
            message: error.info().to_owned(),
        })?;
        let line = first_line + span.start.line().saturating_sub(1);
        let column = span.start.col();
        let fail = |message: &str| Mistake { line, column, message: message.to_owned() };
        builder.event(event, Place { file, line }, column, odd).map_err(|message| fail(&message))?;
    }
    Ok(builder.root)
}

struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    count: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, place: Place, column: usize, odd: &mut Vec<Mistake>) -> Result<(), String> {
        self.count += 1;
        if self.count > MAX_VALUES {
            return Err(format!("the document holds more than {MAX_VALUES} values"));
        }
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or("an alias stands for what it is part of")?;
                self.add(node)
            }
            Event::Scalar(text, style, anchor, _) => {
                let node = Node::new(Value::Scalar(text.into_owned(), style == ScalarStyle::Plain), place);
                self.keep(anchor, node)
            }
            Event::SequenceStart(anchor, _) => self.begin(Open { place, anchor, kind: Kind::List(Vec::new()) }),
            Event::MappingStart(anchor, _) => self.begin(Open { place, anchor, kind: Kind::Map(Vec::new(), None) }),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.kind {
                    Kind::List(items) => Value::List(items),
                    Kind::Map(entries, _) => {
                        let entries = merged(distinct(entries, column, odd));
                        // What `<<` copies counts, so that copies of copies end soon.
                        self.count += entries.len();
                        Value::Map(entries)
                    }
                };
                self.keep(open.anchor, Node::new(value, open.place))
            }
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        self.open.push(open);
        if self.open.len() > MAX_DEPTH { Err(format!("nested more than {MAX_DEPTH} deep")) } else { Ok(()) }
    }

    fn keep(&mut self, anchor: usize, node: Rc<Node>) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node)
    }

    fn add(&mut self, node: Rc<Node>) -> Result<(), String> {
        if node.weight > MAX_VALUES {
            return Err(format!("its aliases stand for more than {MAX_VALUES} values"));
        }
        if node.depth > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} deep"));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map(entries, key)) => match key.take() {
                None => *key = Some(node.text().unwrap_or_default().to_owned()),
                Some(key) => entries.push((key, node)),
            },
        }
        Ok(())
    }
}

/// With what `<<` names, behind the table's own entries.
fn merged(entries: Vec<(String, Rc<Node>)>) -> Vec<(String, Rc<Node>)> {
    if entries.iter().all(|(key, _)| key != "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key == "<<");
    let mut names: BTreeSet<String> = own.iter().map(|(key, _)| key.clone()).collect();
    for (_, node) in &merges {
        for table in node.items().iter().chain([node]) {
            for (key, value) in table.entries() {
                if names.insert(key.clone()) {
                    own.push((key.clone(), Rc::clone(value)));
                }
            }
        }
    }
    own
}

/// Each key once; the last one counts, as it does for kubectl.
fn distinct(entries: Vec<(String, Rc<Node>)>, column: usize, odd: &mut Vec<Mistake>) -> Vec<(String, Rc<Node>)> {
    let mut names = BTreeSet::new();
    if entries.iter().all(|(key, _)| names.insert(key.as_str())) {
        return entries;
    }
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (index, (key, node)) in entries.iter().enumerate() {
        if last.insert(key.clone(), index).is_some() {
            let message = format!("the key `{key}` is there twice; the last one counts");
            odd.push(Mistake { line: node.place.line, column, message });
        }
    }
    entries.into_iter().enumerate().filter(|(index, (key, _))| last.get(key) == Some(index)).map(|(_, e)| e).collect()
}
