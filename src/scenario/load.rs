//! A scenario's file and the bases it extends, merged into one tree.
//!
//! `extends` names files relative to the one that says it; a later base wins over an earlier one and the file over
//! all. Tables merge; lists of named tables merge by name; a tagged choice is one value (another tag replaces it, the
//! same tag merges); every other value replaces.

use super::shape::Shape;
use super::tree::{MAX_BYTES, Node, Value, parse};
use crate::diag::{Diagnostic, Diagnostics, Origin, Sources};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The longest chain of `extends`.
pub const MAX_CHAIN: usize = 16;
/// The most files that one scenario reads.
pub const MAX_FILES: usize = 64;

/// Where files come from; only `cli` touches the file system.
pub trait Reader: Sync {
    /// The file's bytes, cut after `limit` of them.
    ///
    /// # Errors
    /// When the file can't be read.
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>>;
}

/// Reads the file and all that it extends. Every mistake goes to `found`; with errors there is no tree.
pub fn load(
    path: &Path,
    reader: &dyn Reader,
    shape: &dyn Shape,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Option<Node> {
    let before = found.errors();
    let mut loader = Loader { reader, shape, sources, found, chain: vec![], files: 0 };
    let tree = loader.file(path, None);
    tree.filter(|_| found.errors() == before)
}

struct Loader<'a> {
    reader: &'a dyn Reader,
    shape: &'a dyn Shape,
    sources: &'a mut Sources,
    found: &'a mut Diagnostics,
    /// The files being read, each extending the next.
    chain: Vec<PathBuf>,
    files: usize,
}

impl Loader<'_> {
    fn file(&mut self, path: &Path, by: Option<Origin>) -> Option<Node> {
        let path = normal(path);
        let mut refuse = |message: String, label: &str| {
            let diagnostic = Diagnostic::error(message);
            self.found.push(match by {
                Some(origin) => diagnostic.label(origin, label),
                None => diagnostic,
            });
        };
        if let Some(first) = self.chain.iter().position(|above| *above == path) {
            let chain: Vec<_> =
                self.chain[first..].iter().chain([&path]).map(|path| path.display().to_string()).collect();
            refuse(format!("`extends` goes in a circle: {}", chain.join(" → ")), "extends itself");
            return None;
        }
        if self.chain.len() == MAX_CHAIN {
            refuse(format!("`extends` is a chain of more than {MAX_CHAIN} files"), "");
            return None;
        }
        if self.files == MAX_FILES {
            refuse(format!("the scenario extends more than {MAX_FILES} files"), "");
            return None;
        }
        self.files += 1;
        let bytes = match self.reader.read(&path, MAX_BYTES + 1) {
            Ok(bytes) => bytes,
            Err(error) => {
                refuse(format!("can't read {}: {error}", path.display()), "this file");
                return None;
            }
        };
        let tree = parse(self.sources, &path.display().to_string(), &bytes, self.found)?;
        self.chain.push(path);
        let tree = self.extended(tree);
        self.chain.pop();
        Some(tree)
    }

    /// The tree merged over its bases.
    fn extended(&mut self, mut tree: Node) -> Node {
        let Value::Table(table) = &mut tree.value else { return tree };
        let Some(extends) = table.shift_remove("extends") else { return tree };
        let bases = match extends.node.value {
            Value::Array(list) => list,
            _ => vec![extends.node],
        };
        let folder = self.chain.last().and_then(|path| path.parent()).unwrap_or(Path::new("")).to_owned();
        let mut merged: Option<Node> = None;
        for base in bases {
            let Value::String(name) = base.value else {
                let message = format!("expected the path of a file, found {}", base.value.kind());
                self.found.push(Diagnostic::error(message).label(base.origin, "expected a string").path("extends"));
                continue;
            };
            let Some(base) = self.file(&folder.join(name), Some(base.origin)) else { continue };
            merged = Some(match merged {
                None => base,
                Some(earlier) => merge(earlier, base, self.shape),
            });
        }
        match merged {
            None => tree,
            Some(bases) => merge(bases, tree, self.shape),
        }
    }
}

/// The path without `.` and `a/..`, so that one file has one name.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => out.push(part),
        }
    }
    out
}

/// `over` laid over `base`.
pub fn merge(base: Node, over: Node, shape: &dyn Shape) -> Node {
    merge_at(base, over, shape, &mut vec![])
}

/// A patch, of a variant or of an axis's value, has the shape of the scenario it patches.
pub(super) fn is_choice(shape: &dyn Shape, path: &[String]) -> bool {
    let prefix = match path.first().map(String::as_str) {
        Some("variant") => 2, // variant.NAME
        Some("sweep") => 4,   // sweep.NAME.values.VALUE
        Some(_) | None => 0,
    };
    let path = path.get(prefix..).unwrap_or(&[]);
    shape.is_choice(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

fn merge_at(base: Node, over: Node, shape: &dyn Shape, path: &mut Vec<String>) -> Node {
    let places = base.places();
    let by_name = base.is_named_list() && over.is_named_list();
    let value = match (base.value, over.value) {
        (Value::Table(mut below), Value::Table(above)) => {
            if is_choice(shape, path) && !above.keys().any(|tag| below.contains_key(tag)) {
                return Node { value: Value::Table(above), origin: over.origin };
            }
            for (key, mut entry) in above {
                if let Some(slot) = below.get_mut(&key) {
                    path.push(key);
                    let old = std::mem::replace(&mut slot.node.value, Value::Boolean(false));
                    entry.node = merge_at(Node { value: old, origin: slot.node.origin }, entry.node, shape, path);
                    *slot = entry;
                    path.pop();
                } else {
                    below.insert(key, entry);
                }
            }
            Value::Table(below)
        }
        (Value::Array(mut below), Value::Array(above)) if by_name => {
            for element in above {
                match element.name().and_then(|name| below.get_mut(*places.get(name)?)) {
                    Some(slot) => {
                        path.push(element.name().unwrap_or_default().to_owned());
                        let old = std::mem::replace(&mut slot.value, Value::Boolean(false));
                        *slot = merge_at(Node { value: old, origin: slot.origin }, element, shape, path);
                        path.pop();
                    }
                    None => below.push(element),
                }
            }
            Value::Array(below)
        }
        (_, value) => value,
    };
    Node { value, origin: over.origin }
}
