//! What `regionsim show` prints: the resolved scenario as TOML, each value with where it came from.
//!
//! What was decoded is serialised back, so that defaults show; the tree says which of it was written, and where.
//! Within a section every value has its dotted key, so each has a line and a comment of its own.

use super::path::{Path, key, quote, step};
use super::tree::{Node, Value};
use crate::diag::{Sources, harmless};
use indexmap::IndexMap;
use serde::Serialize;
use toml::Value as Toml;

/// The resolved scenario as TOML text. A value that the tree doesn't hold has the comment that `others` gives its path
/// (or the nearest path above it), such as `catalogue: aws`, or else `default`.
///
/// # Errors
/// When the scenario can't be said in TOML, which only a bug can cause.
pub fn show<T: Serialize>(
    scenario: &T,
    tree: &Node,
    others: &IndexMap<Path, String>,
    sources: &Sources,
) -> Result<String, toml::ser::Error> {
    let Toml::Table(root) = Toml::try_from(scenario)? else { return Ok(String::new()) };
    let mut writer = Writer { others, sources, lines: vec![] };
    let is_section = |value: &Toml| value.is_table() || is_table_list(value);
    for (name, value) in root.iter().filter(|(_, value)| !is_section(value)) {
        writer.value(&key(name), value, step(tree, name), &Path::default().join(name));
    }
    for (name, value) in root.iter().filter(|(_, value)| is_section(value)) {
        let (path, node) = (Path::default().join(name), step(tree, name));
        match value {
            Toml::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    let (node, path) = element_of(element, index, node, &path);
                    writer.section(&format!("[[{}]]", key(name)), element, node, &path);
                }
            }
            _ => writer.section(&format!("[{}]", key(name)), value, node, &path),
        }
    }
    Ok(writer.finish())
}

fn is_table_list(value: &Toml) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Toml::is_table))
}

/// What was written for an element: that of the same name, or at the same place.
fn element_of<'a>(element: &Toml, index: usize, list: Option<&'a Node>, path: &Path) -> (Option<&'a Node>, Path) {
    let segment = match element.get("name").and_then(Toml::as_str) {
        Some(name) => name.to_owned(),
        None => index.to_string(),
    };
    (list.and_then(|list| step(list, &segment)), path.join(segment))
}

struct Writer<'a> {
    others: &'a IndexMap<Path, String>,
    sources: &'a Sources,
    /// Text and comment.
    lines: Vec<(String, String)>,
}

impl Writer<'_> {
    fn section(&mut self, header: &str, value: &Toml, node: Option<&Node>, path: &Path) {
        if !self.lines.is_empty() {
            self.lines.push((String::new(), String::new()));
        }
        self.lines.push((header.to_owned(), String::new()));
        for (name, value) in value.as_table().into_iter().flatten() {
            self.value(&key(name), value, below(node, name), &path.join(name));
        }
    }

    /// A key (dotted, within the section) and its value: a line for each value within.
    fn value(&mut self, key_text: &str, value: &Toml, node: Option<&Node>, path: &Path) {
        match value {
            Toml::Table(table) if !table.is_empty() => {
                for (name, value) in table {
                    let dotted = format!("{key_text}.{}", key(name));
                    self.value(&dotted, value, below(node, name), &path.join(name));
                }
            }
            Toml::Array(list) if list.iter().any(Toml::is_table) => {
                self.lines.push((format!("{key_text} = ["), String::new()));
                for (index, element) in list.iter().enumerate() {
                    let (node, path) = element_of(element, index, node, path);
                    let comment = self.comment(node, &path);
                    self.lines.push((format!("  {},", inline(element)), comment));
                }
                self.lines.push(("]".to_owned(), String::new()));
            }
            _ => {
                let comment = self.comment(node, path);
                self.lines.push((format!("{key_text} = {}", inline(value)), comment));
            }
        }
    }

    fn comment(&self, node: Option<&Node>, path: &Path) -> String {
        if let Some(node) = node {
            return self.sources.describe(node.origin);
        }
        let mut segments = path.segments();
        while let Some((_, above)) = segments.split_last() {
            if let Some(text) = self.others.get(&segments.iter().cloned().collect::<Path>()) {
                return text.clone();
            }
            segments = above;
        }
        "default".to_owned()
    }

    fn finish(self) -> String {
        // Comments stand in one column, unless a line is much longer than the others.
        const COLUMN: usize = 48;
        let mut out = String::new();
        for (text, comment) in self.lines {
            out.push_str(&text);
            if !comment.is_empty() {
                let width = text.chars().count();
                out.extend(std::iter::repeat_n(' ', COLUMN.saturating_sub(width).max(2)));
                out.push_str("# ");
                out.push_str(&harmless(&comment));
            }
            out.push('\n');
        }
        out
    }
}

/// What was written for a key of a value. A value written in a shorter form (`lag = "5s"`) is the place of all it stands
/// for.
fn below<'a>(node: Option<&'a Node>, name: &str) -> Option<&'a Node> {
    let node = node?;
    match &node.value {
        Value::Table(_) | Value::Array(_) => step(node, name),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => Some(node),
    }
}

/// The value on one line.
pub(super) fn inline(value: &Toml) -> String {
    let list = |parts: Vec<String>, open: &str, close: &str| {
        if parts.is_empty() { format!("{open}{close}") } else { format!("{open}{}{close}", parts.join(", ")) }
    };
    match value {
        Toml::String(text) => quote(text),
        Toml::Array(elements) => list(elements.iter().map(inline).collect(), "[", "]"),
        Toml::Table(table) if table.is_empty() => "{ }".to_owned(),
        Toml::Table(table) => {
            list(table.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value))).collect(), "{ ", " }")
        }
        Toml::Integer(_) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) => value.to_string(),
    }
}
