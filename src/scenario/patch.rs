//! Changes to a tree: variants and `--set`.
//!
//! A variant is a table of patches, `[variant.NAME]`, beside which it may say `summary`, `add` (entries for lists) and
//! `remove` (entries of lists, and keys by path). What is removed goes first, then the patches, then what is added.
//! In a patch, a list of named tables is addressed as a table by name.

use super::load::is_choice;
use super::path::{Path, prefix, step};
use super::shape::Shape;
use super::tree::{Entry, Node, Table, Value, parse_value};
use crate::diag::{Diagnostic, Diagnostics, Origin, Sources};

/// The most variants of one scenario.
pub const MAX_VARIANTS: usize = 64;

/// A scenario as one variant has it.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name; the first is the unpatched one.
    pub name: String,
    /// What it is, in one line.
    pub summary: Option<String>,
    /// The resolved tree, without `variant`, `base` and `sweep`.
    pub tree: Node,
}

/// The unpatched scenario and each variant, in file order.
pub fn variants(tree: &Node, shape: &dyn Shape, found: &mut Diagnostics) -> Vec<Variant> {
    let mut base = tree.clone();
    let Value::Table(table) = &mut base.value else { return vec![] };
    let name = match table.shift_remove("base") {
        None => "base".to_owned(),
        Some(entry) => text(&entry.node, "the name of the unpatched variant", "base", found).unwrap_or_default(),
    };
    table.shift_remove("sweep");
    let patches = table.shift_remove("variant");
    let mut out = vec![Variant { name, summary: None, tree: base }];
    let Some(patches) = patches else { return out };
    let Some(patches) = table_of(&patches.node, "variants by name, as in [variant.active-active]", "variant", found)
    else {
        return out;
    };
    if patches.len() >= MAX_VARIANTS {
        let over = &patches[MAX_VARIANTS - 1];
        found.push(Diagnostic::error(format!("more than {MAX_VARIANTS} variants")).label(over.key, ""));
        return out;
    }
    for (name, entry) in patches {
        if *name == out[0].name {
            let message = format!("`{name}` is the name of the unpatched variant");
            found
                .push(Diagnostic::error(message).label(entry.key, "").help("name one of them otherwise: base = \"…\""));
            continue;
        }
        let mut tree = out[0].tree.clone();
        let prefix = crate::path!("variant", name);
        if let Some(patch) = table_of(&entry.node, "a table of changes", &prefix, found) {
            let summary = Patcher { shape, found, prefix }.variant(&mut tree, patch);
            out.push(Variant { name: name.clone(), summary, tree });
        }
    }
    out
}

fn text(node: &Node, expected: &str, path: impl Into<String>, found: &mut Diagnostics) -> Option<String> {
    let text = node.text().map(str::to_owned);
    if text.is_none() {
        found.push(wrong(node, expected, path));
    }
    text
}

fn table_of<'a>(node: &'a Node, expected: &str, path: impl Into<String>, found: &mut Diagnostics) -> Option<&'a Table> {
    let table = node.table();
    if table.is_none() {
        found.push(wrong(node, expected, path));
    }
    table
}

fn wrong(node: &Node, expected: &str, path: impl Into<String>) -> Diagnostic {
    let message = format!("expected {expected}, found {}", node.value.kind());
    Diagnostic::error(message).label(node.origin, format!("expected {expected}")).path(path)
}

fn unknown(what: &str, name: &str, within: &Node, at: Origin) -> Diagnostic {
    Diagnostic::error(format!("there is no {what} `{name}`")).label(at, "not found").suggest(name, within.names())
}

/// Applies a table of changes: a variant's, or that of an axis's value.
pub(super) struct Patcher<'a> {
    pub(super) shape: &'a dyn Shape,
    pub(super) found: &'a mut Diagnostics,
    /// The table's own path.
    pub(super) prefix: Path,
}

impl Patcher<'_> {
    /// Applies it; gives its summary.
    pub(super) fn variant(&mut self, tree: &mut Node, patch: &Table) -> Option<String> {
        if let Some(remove) = patch.get("remove") {
            self.remove(tree, &remove.node);
        }
        if let Value::Table(root) = &mut tree.value {
            for (key, entry) in patch.iter().filter(|(key, _)| !matches!(key.as_str(), "summary" | "add" | "remove")) {
                self.entry(root, key, entry, &mut vec![]);
            }
        }
        if let Some(add) = patch.get("add") {
            self.add(tree, &add.node);
        }
        let summary = patch.get("summary")?;
        text(&summary.node, "a sentence", self.prefix.join("summary"), self.found)
    }

    fn path(&self, path: &[String]) -> Path {
        self.prefix.segments().iter().chain(path).cloned().collect()
    }

    fn entry(&mut self, table: &mut Table, key: &str, entry: &Entry, path: &mut Vec<String>) {
        path.push(key.to_owned());
        match table.get_mut(key) {
            Some(old) => {
                old.key = entry.key;
                self.node(&mut old.node, &entry.node, path);
            }
            None => {
                table.insert(key.to_owned(), entry.clone());
            }
        }
        path.pop();
    }

    fn node(&mut self, node: &mut Node, patch: &Node, path: &mut Vec<String>) {
        let is_named = node.is_named_list();
        match (&mut node.value, &patch.value) {
            (Value::Table(table), Value::Table(changes)) => {
                if is_choice(self.shape, path) && !changes.keys().any(|tag| table.contains_key(tag)) {
                    *node = patch.clone();
                    return;
                }
                for (key, entry) in changes {
                    self.entry(table, key, entry, path);
                }
            }
            (Value::Array(_), Value::Table(changes)) if is_named => self.named(node, changes, path),
            (Value::Array(_), Value::Table(_)) => {
                let message = "a list whose elements have no names can't be patched";
                let diagnostic = Diagnostic::error(message).label(patch.origin, "expected the whole list");
                self.found.push(diagnostic.path(self.path(path)).help("write the whole list: key = [ … ]"));
            }
            (Value::Array(_), _) if is_named => {
                let key = path.last().cloned().unwrap_or_default();
                let diagnostic = wrong(patch, "entries by name", self.path(path));
                let help = format!("edit one with `{key}.NAME = {{ … }}`, add one with [[{}.add.{key}]]", self.prefix);
                self.found.push(diagnostic.help(help));
            }
            _ => *node = patch.clone(),
        }
    }

    /// Patches elements of a list by name.
    fn named(&mut self, node: &mut Node, changes: &Table, path: &mut Vec<String>) {
        let places = node.places();
        for (name, entry) in changes {
            if self.found.errors() > Diagnostics::SHOWN {
                return; // to look for the nearest name takes time
            }
            let here = self.path(path).join(name);
            let Some(&at) = places.get(name) else {
                let list = path.last().cloned().unwrap_or_default();
                let help = format!("to add one, write [[{}.add.{list}]]", self.prefix);
                self.found.push(unknown(&list, name, node, entry.key).path(here).help(help));
                continue;
            };
            if entry.node.table().is_none() {
                self.found.push(wrong(&entry.node, "a table of changes", here));
            } else if let Value::Array(list) = &mut node.value {
                path.push(name.clone());
                self.node(&mut list[at], &entry.node, path);
                path.pop();
            }
        }
    }

    fn add(&mut self, tree: &mut Node, add: &Node) {
        let prefix = self.prefix.join("add");
        let Some(lists) = table_of(add, "lists to add to", &prefix, self.found) else { return };
        let Value::Table(root) = &mut tree.value else { return };
        for (key, entry) in lists {
            let path = prefix.join(key);
            let Some(new) = entry.node.list() else {
                self.found.push(wrong(&entry.node, "a list of what to add", path));
                continue;
            };
            let slot = root.entry(key.clone()).or_insert_with(|| {
                let node = Node { value: Value::Array(vec![]), origin: entry.node.origin };
                Entry { key: entry.key, node }
            });
            let mut places = slot.node.places();
            let Value::Array(list) = &mut slot.node.value else {
                let message = format!("`{key}` is {}, not a list to add to", slot.node.value.kind());
                self.found.push(Diagnostic::error(message).label(entry.key, "").path(path));
                continue;
            };
            for element in new {
                if let Some(name) = element.name()
                    && places.insert(name.to_owned(), list.len()).is_some()
                {
                    let diagnostic = Diagnostic::error(format!("there is a {key} `{name}` already"));
                    let help = format!("edit it with `{key}.{} = {{ … }}`", super::path::key(name));
                    self.found.push(diagnostic.label(element.origin, "").path(path.join(name)).help(help));
                } else {
                    list.push(element.clone());
                }
            }
        }
    }

    fn remove(&mut self, tree: &mut Node, remove: &Node) {
        let prefix = self.prefix.join("remove");
        let Some(lists) = table_of(remove, "what to remove", &prefix, self.found) else { return };
        for (key, entry) in lists {
            let here = prefix.join(key);
            let Some(names) = entry.node.list() else {
                self.found.push(wrong(&entry.node, "a list of names", here));
                continue;
            };
            for name in names {
                let Some(written) = text(name, "a name", &here, self.found) else { continue };
                let target = if key == "keys" { written.parse() } else { Ok(crate::path!(key, written)) };
                let result = target
                    .map_err(|message| Box::new(Diagnostic::error(message).label(name.origin, "expected a path")))
                    .and_then(|target| remove_at(tree, &target, name.origin));
                if let Err(diagnostic) = result {
                    self.found.push(diagnostic.path(&here));
                }
            }
        }
    }
}

fn step_mut<'a>(node: &'a mut Node, segment: &str) -> Option<&'a mut Node> {
    match &mut node.value {
        Value::Table(table) => table.get_mut(segment).map(|entry| &mut entry.node),
        Value::Array(list) => list.iter_mut().find(|element| element.name() == Some(segment)),
        _ => None,
    }
}

/// Removes the key, or the element of that name, at a path that `at` names.
///
/// # Errors
/// When there is nothing at the path.
pub fn remove_at(root: &mut Node, path: &Path, at: Origin) -> Result<(), Box<Diagnostic>> {
    let Some((last, above)) = path.segments().split_last() else {
        return Err(Diagnostic::error("expected a path").label(at, "").into());
    };
    let mut node = root;
    for segment in above {
        if step(node, segment).is_none() {
            return Err(unknown("value", segment, node, at).into());
        }
        node = step_mut(node, segment).ok_or_else(|| unnamed(at))?;
    }
    if step(node, last).is_none() {
        return Err(unknown("value", last, node, at).into());
    }
    match &mut node.value {
        Value::Table(table) => {
            table.shift_remove(last);
        }
        Value::Array(list) if list.iter().any(|element| element.name() == Some(last)) => {
            list.retain(|element| element.name() != Some(last));
        }
        _ => return Err(unnamed(at).into()),
    }
    Ok(())
}

fn unnamed(at: Origin) -> Diagnostic {
    Diagnostic::error("a list whose elements have no names can't be patched").label(at, "").help("write the whole list")
}

/// Puts a value at a path; tables on the way are made. On the way through a tagged choice another tag replaces it.
///
/// # Errors
/// When the path leads through a value that is no table, or an element that isn't there. The caret is at `at`.
pub fn set(root: &mut Node, path: &Path, value: Node, at: Origin, shape: &dyn Shape) -> Result<(), Box<Diagnostic>> {
    let mut node = root;
    let segments = path.segments();
    for (depth, segment) in segments.iter().enumerate() {
        let walked = &segments[..depth];
        if is_choice(shape, walked) && step(node, segment).is_none() {
            node.value = Value::Table(Table::new());
            node.origin = at;
        }
        if let Value::Table(table) = &mut node.value {
            let empty = || Entry { key: at, node: Node { value: Value::Table(Table::new()), origin: at } };
            table.entry(segment.clone()).or_insert_with(empty);
        }
        if step_mut(node, segment).is_none() {
            return Err(no_way(node, walked, segment, at).into());
        }
        node = step_mut(node, segment).ok_or_else(|| unnamed(at))?;
    }
    *node = value;
    Ok(())
}

/// Why there is no way from a value that is no table to what is below it.
fn no_way(node: &Node, walked: &[String], segment: &str, at: Origin) -> Diagnostic {
    let here: Path = walked.iter().cloned().collect();
    let diagnostic = match &node.value {
        Value::Array(list) if list.iter().all(|element| element.name().is_none()) => unnamed(at),
        Value::Array(_) => unknown(walked.last().map_or("value", String::as_str), segment, node, at),
        other => {
            let message = format!("`{here}` is {}: there is no `{segment}` within it", other.kind());
            Diagnostic::error(message).label(at, "")
        }
    };
    diagnostic.path(here)
}

/// Applies `--set PATH=VALUE`; mistakes go to `found`.
pub fn set_argument(
    root: &mut Node,
    argument: &str,
    shape: &dyn Shape,
    sources: &mut Sources,
    found: &mut Diagnostics,
) {
    let source = sources.argument("--set", argument);
    let at = |range| Origin::new(source, range);
    let example = "as in --set routing.via.dns.ttl=60s";
    match prefix(argument) {
        Ok((path, length)) => {
            if let Some(text) = argument[length..].strip_prefix('=') {
                let text = text.trim_start();
                let from = argument.len() - text.len();
                let text = text.trim_end();
                let value = parse_value(text, at(from..argument.len()), found);
                if let Err(diagnostic) = set(root, &path, value, at(0..length), shape) {
                    found.push(*diagnostic);
                }
            } else {
                let end = at(length..argument.len());
                found.push(Diagnostic::error("expected `=` and a value after the path").label(end, "").help(example));
            }
        }
        Err(message) => found.push(Diagnostic::error(message).label(at(0..argument.len()), "").help(example)),
    }
}
