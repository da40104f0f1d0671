//! Sweeps: a grid of points over named axes.
//!
//! An axis, `[sweep.NAME]`, either says a `path` and the `values` that it takes there, or has `values` by name, each a
//! table of changes as a variant is: `[sweep.NAME.values.VALUE]`. Axes are applied in the order written, so that a
//! later one changes what an earlier one made.

use super::patch::{Patcher, set};
use super::path::{Path, key, quote};
use super::shape::Shape;
use super::tree::{Node, Table, Value};
use crate::diag::{Diagnostic, Diagnostics, Origin};
use std::collections::HashSet;

/// The most points of a sweep's grid.
pub const MAX_POINTS: usize = 10_000;
/// The most axes: nobody reads a grid of more.
pub const MAX_AXES: usize = 6;
/// The most values that the points of a grid hold together.
const MAX_NODES: usize = 20_000_000;

/// One axis of a sweep.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Where it was written.
    pub at: Origin,
    /// What it is set to, one after the other.
    pub values: Vec<AxisValue>,
}

/// A value of an axis.
#[derive(Clone, Debug)]
pub struct AxisValue {
    /// As points and charts call it.
    pub name: String,
    /// What it does to the scenario.
    pub change: Change,
}

/// What a value does to the scenario.
#[derive(Clone, Debug)]
pub enum Change {
    /// Puts a value at a path, which was written at `at`.
    Set {
        /// Where to.
        path: Path,
        /// Where the path was written.
        at: Origin,
        /// What.
        value: Node,
    },
    /// Changes what a variant's table would.
    Patch(Table),
}

/// A point of the grid.
#[derive(Clone, Debug)]
pub struct Point {
    /// "ttl=30s, health=10s".
    pub name: String,
    /// The scenario there.
    pub tree: Node,
}

/// The axes of `[sweep]`, in the order written; none where there is no sweep.
pub fn axes(tree: &Node, found: &mut Diagnostics) -> Vec<Axis> {
    let Some(sweep) = tree.table().and_then(|table| table.get("sweep")) else { return vec![] };
    let Some(table) = sweep.node.table().filter(|table| !table.is_empty()) else {
        let diagnostic = Diagnostic::error("expected the axes of a sweep by name").label(sweep.key, "").path("sweep");
        found.push(diagnostic.help(EXAMPLE));
        return vec![];
    };
    if let Some((_, over)) = table.get_index(MAX_AXES) {
        let diagnostic = Diagnostic::error(format!("a sweep has at most {MAX_AXES} axes")).label(over.key, "one more");
        found.push(diagnostic.path("sweep").help("let one axis change several values: [sweep.NAME.values.VALUE]"));
        return vec![];
    }
    let axes = table.iter().filter_map(|(name, entry)| axis(name, entry.key, &entry.node, found));
    axes.collect()
}

const EXAMPLE: &str = "as in [sweep.ttl] with path = \"routing.via.dns.ttl\" and values = [\"30s\", \"60s\"]";

fn axis(name: &str, at: Origin, node: &Node, found: &mut Diagnostics) -> Option<Axis> {
    let here = crate::path!("sweep", name);
    let mut refuse = |diagnostic: Diagnostic, path: &Path| found.push(diagnostic.path(path));
    let Some(table) = node.table() else {
        let message = format!("expected an axis of the sweep, found {}", node.value.kind());
        refuse(Diagnostic::error(message).label(node.origin, "").help(EXAMPLE), &here);
        return None;
    };
    for (key, entry) in table.iter().filter(|(key, _)| !["path", "values"].contains(&key.as_str())) {
        let diagnostic = Diagnostic::error(format!("unknown key `{key}`")).label(entry.key, "not known here");
        let diagnostic = diagnostic.suggest(key, ["path", "values"]).help("an axis has `path` and `values`");
        refuse(diagnostic, &here.join(key));
    }
    let Some(values) = table.get("values") else {
        refuse(Diagnostic::error(format!("axis `{name}` has no `values`")).label(at, "").help(EXAMPLE), &here);
        return None;
    };
    let inside = here.join("values");
    let path = table.get("path");
    let values: Vec<(AxisValue, Origin)> = match (path, &values.node.value) {
        (Some(path), Value::Array(list)) => {
            let Some(text) = path.node.text() else {
                let message = format!("expected a path, found {}", path.node.value.kind());
                refuse(Diagnostic::error(message).label(path.node.origin, "").help(EXAMPLE), &here.join("path"));
                return None;
            };
            let at = path.node.origin;
            match text.parse::<Path>() {
                Ok(path) => {
                    let set = |value: &Node| Change::Set { path: path.clone(), at, value: value.clone() };
                    let of = |value: &Node| AxisValue { name: words(value), change: set(value) };
                    list.iter().map(|value| (of(value), value.origin)).collect()
                }
                Err(message) => {
                    let diagnostic = Diagnostic::error(message).label(at, "expected a path");
                    refuse(diagnostic.help(EXAMPLE), &here.join("path"));
                    return None;
                }
            }
        }
        (None, Value::Table(by_name)) => {
            let mut all = Vec::new();
            for (name, entry) in by_name {
                if let Some(patch) = entry.node.table() {
                    all.push((AxisValue { name: name.clone(), change: Change::Patch(patch.clone()) }, entry.key));
                } else {
                    let message = format!("expected a table of changes, found {}", entry.node.value.kind());
                    refuse(Diagnostic::error(message).label(entry.node.origin, ""), &inside.join(name));
                }
            }
            all
        }
        (None, _) => {
            let diagnostic = Diagnostic::error(format!("axis `{name}` has no `path`")).label(at, "");
            let help = format!("say the `path` of what it varies, or values by name: [{inside}.NAME]");
            refuse(diagnostic.help(help), &here);
            return None;
        }
        (Some(_), _) => {
            let message = format!("expected a list of values, found {}", values.node.value.kind());
            let diagnostic = Diagnostic::error(message).label(values.node.origin, "expected a list");
            let help = "values by name say themselves what they change: leave `path` out";
            refuse(diagnostic.help(help), &inside);
            return None;
        }
    };
    if values.is_empty() {
        let diagnostic = Diagnostic::error(format!("axis `{name}` has no values")).label(node.origin, "");
        let diagnostic = match table.get("values") {
            Some(entry) => Diagnostic { labels: vec![], ..diagnostic }.label(entry.node.origin, "expected one or more"),
            None => diagnostic,
        };
        refuse(diagnostic.help(EXAMPLE), &inside);
        return None;
    }
    let mut seen = HashSet::new();
    for (value, origin) in &values {
        if !seen.insert(value.name.as_str()) {
            let message = format!("axis `{name}` has the value `{}` twice", value.name);
            refuse(Diagnostic::error(message).label(*origin, "again").help("leave one of them out"), &inside);
        }
    }
    Some(Axis { name: name.to_owned(), at, values: values.into_iter().map(|(value, _)| value).collect() })
}

/// A value in a few words: text as it stands, all else as TOML.
fn words(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.clone(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => toml(node),
    }
}

fn toml(node: &Node) -> String {
    match &node.value {
        Value::String(text) => quote(text),
        Value::Integer(x) => x.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Boolean(x) => x.to_string(),
        Value::Datetime(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let entries = table.iter().map(|(name, entry)| format!("{} = {}", key(name), toml(&entry.node)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The points of the grid over all axes, the last axis fastest. `tree` is a variant's.
pub fn points(tree: &Node, axes: &[Axis], shape: &dyn Shape, found: &mut Diagnostics) -> Vec<Point> {
    let size = axes.iter().try_fold(1_usize, |size, axis| size.checked_mul(axis.values.len()));
    let Some(size) = size.filter(|size| *size <= MAX_POINTS) else {
        let lengths: Vec<_> = axes.iter().map(|axis| axis.values.len().to_string()).collect();
        let message = format!("the sweep has {} points; at most {MAX_POINTS} are allowed", lengths.join(" × "));
        let diagnostic = axes.iter().fold(Diagnostic::error(message), |diagnostic, axis| diagnostic.label(axis.at, ""));
        found.push(diagnostic.path("sweep").help("leave out an axis, or some values"));
        return vec![];
    };
    let nodes = count(tree);
    if size.saturating_mul(nodes) > MAX_NODES {
        let message = format!("{size} points of a scenario of {nodes} values; at most {MAX_NODES} values are allowed");
        let diagnostic = axes.iter().fold(Diagnostic::error(message), |diagnostic, axis| diagnostic.label(axis.at, ""));
        found.push(diagnostic.path("sweep").help("leave out an axis, or some values"));
        return vec![];
    }
    let mut grid = vec![Point { name: String::new(), tree: tree.clone() }];
    let mut said = HashSet::new();
    for axis in axes {
        let mut finer = Vec::with_capacity(grid.len() * axis.values.len());
        for point in &grid {
            for value in &axis.values {
                let comma = if point.name.is_empty() { "" } else { ", " };
                let name = format!("{}{comma}{}={}", point.name, axis.name, value.name);
                let (mut tree, mut own) = (point.tree.clone(), Diagnostics::default());
                change(&mut tree, axis, value, shape, &mut own);
                // A value's mistake shows at each of its points: it is said once.
                for one in &own {
                    if said.insert((one.message.clone(), one.labels.first().map(|label| label.origin))) {
                        found.push(one.clone());
                    }
                }
                finer.push(Point { name, tree });
            }
        }
        grid = finer;
    }
    if found.has_errors() { vec![] } else { grid }
}

fn change(tree: &mut Node, axis: &Axis, value: &AxisValue, shape: &dyn Shape, found: &mut Diagnostics) {
    match &value.change {
        Change::Set { path, at, value } => {
            if let Err(diagnostic) = set(tree, path, value.clone(), *at, shape) {
                found.push(*diagnostic);
            }
        }
        Change::Patch(patch) => {
            let prefix = crate::path!("sweep", axis.name, "values", value.name);
            Patcher { shape, found, prefix }.variant(tree, patch);
        }
    }
}

/// How many values a tree holds.
fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Table(table) => table.values().map(|entry| count(&entry.node)).sum(),
        Value::Array(list) => list.iter().map(count).sum(),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => 0,
    }
}
