//! Paths: the one grammar of `--set`, sweeps, variants and diagnostics. TOML dotted keys; an element of a list is
//! addressed by its `name`, or by its place from 0 where it has none: `cluster.us-west-2.nodes.min`,
//! `fault."regional event".every`, `rollout.waves.0`.

use super::tree::{Node, Value};
use crate::diag::{Diagnostic, Origin};
use std::fmt;
use std::str::FromStr;

/// A path from the root of a scenario.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Path(Vec<String>);

/// A [`Path`] of its segments: `path!("cluster", name, "scale")`.
#[macro_export]
macro_rules! path {
    ($($segment:expr),* $(,)?) => {
        $crate::scenario::path::Path::from_iter([$(::std::string::ToString::to_string(&$segment)),*])
    };
}

impl Path {
    /// The segments, from the root.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The path one step down.
    #[must_use]
    pub fn join(&self, segment: impl Into<String>) -> Self {
        Self(self.0.iter().cloned().chain([segment.into()]).collect())
    }
}

impl FromIterator<String> for Path {
    fn from_iter<I: IntoIterator<Item = String>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            write!(f, "{dot}{}", key(segment))?;
        }
        Ok(())
    }
}

impl From<&Path> for String {
    fn from(path: &Path) -> Self {
        path.to_string()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

/// A key as TOML writes it: bare if it can be, quoted if not.
pub fn key(text: &str) -> String {
    let is_bare = !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if is_bare { text.to_owned() } else { quote(text) }
}

/// A TOML basic string in which no character can turn or hide text.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let harmless = crate::diag::harmless(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8();
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ if harmless => out.push(c),
            _ => out.extend(format!("\\U{:08X}", u32::from(c)).chars()),
        }
    }
    out.push('"');
    out
}

/// Reads dotted keys from the start of the text; gives the path and how many bytes it took.
pub(super) fn prefix(text: &str) -> Result<(Path, usize), String> {
    let mut segments = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let length = match rest.as_bytes().first() {
            Some(&quote @ (b'"' | b'\'')) => quoted_length(rest, quote).ok_or("a quoted key has no end")?,
            _ => rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        segments.push(match token.as_bytes().first() {
            None => return Err(missing_key(after)),
            Some(b'"' | b'\'') => match toml::de::DeValue::parse(token).map(toml::Spanned::into_inner) {
                Ok(toml::de::DeValue::String(text)) => text.into_owned(),
                _ => return Err(format!("{token} is not a quoted key")),
            },
            Some(_) => token.to_owned(),
        });
        rest = after.trim_start_matches([' ', '\t']);
        match rest.strip_prefix('.') {
            Some(next) => rest = next,
            None => return Ok((Path(segments), text.len() - rest.len())),
        }
    }
}

fn missing_key(after: &str) -> String {
    match after.chars().next() {
        Some(c) if c != '=' && c != '.' => format!("a key can't hold `{c}` unless it is quoted"),
        _ => "expected a key, as in `routing.via.dns.ttl`".to_owned(),
    }
}

fn quoted_length(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, &byte) in text.as_bytes().iter().enumerate().skip(1) {
        if escaped {
            escaped = false;
        } else if byte == b'\\' && quote == b'"' {
            escaped = true;
        } else if byte == quote {
            return Some(at + 1);
        }
    }
    None
}

impl FromStr for Path {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, length) = prefix(text)?;
        match text[length..].chars().next() {
            None => Ok(path),
            Some(c) => Err(format!("a key can't hold `{c}` unless it is quoted")),
        }
    }
}

/// One step down: into a table by key, into a list by the element's name, or by its place.
pub fn step<'a>(node: &'a Node, segment: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Table(table) => table.get(segment).map(|entry| &entry.node),
        Value::Array(list) => list
            .iter()
            .find(|element| element.name() == Some(segment))
            .or_else(|| list.get(segment.parse::<usize>().ok()?).filter(|element| element.name().is_none())),
        _ => None,
    }
}

/// The value at a path.
pub fn get<'a>(root: &'a Node, path: &Path) -> Option<&'a Node> {
    path.0.iter().try_fold(root, |node, segment| step(node, segment))
}

/// Where to put the caret for a mistake found at a path: the value, or what would hold it.
pub fn locate(root: &Node, path: &Path) -> Origin {
    let mut node = root;
    for segment in &path.0 {
        match step(node, segment) {
            Some(next) => node = next,
            None => break,
        }
    }
    node.origin
}

/// Where the key that a path ends with was written; without a key (an element of a list), its value.
pub fn locate_key(root: &Node, path: &Path) -> Origin {
    let entry = path.0.split_last().and_then(|(last, above)| {
        let holder = above.iter().try_fold(root, |node, segment| step(node, segment))?;
        holder.table()?.get(last)
    });
    entry.map_or_else(|| locate(root, path), |entry| entry.key)
}

/// An error about the value at a path, its caret under the value or what would hold it.
pub fn error_at(root: &Node, path: &Path, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(message).label(locate(root, path), label).path(path)
}

/// Advice about the value at a path.
pub fn warning_at(root: &Node, path: &Path, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    Diagnostic::warning(message).label(locate(root, path), label).path(path)
}
