//! Which tables are tagged choices. A tree alone doesn't say; the JSON Schema of the scenario does: a choice is a
//! `oneOf` or `anyOf` whose tables have one key each.

use serde_json::Value as Json;

/// What merging has to know of a scenario's shape.
pub trait Shape {
    /// Whether the table at this path is a tagged choice, of which another tag replaces the whole. Elements of lists
    /// are steps like any other.
    fn is_choice(&self, path: &[&str]) -> bool;
}

/// Nothing is a choice: every table merges.
impl Shape for () {
    fn is_choice(&self, _: &[&str]) -> bool {
        false
    }
}

impl Shape for schemars::Schema {
    fn is_choice(&self, path: &[&str]) -> bool {
        let root = self.as_value();
        let mut here = leaves(root, root);
        for segment in path {
            here = here
                .into_iter()
                .filter_map(|schema| below(schema, segment))
                .flat_map(|next| leaves(root, next))
                .collect();
        }
        let mut keys = here.iter().filter_map(|schema| schema.get("properties")?.as_object()).map(serde_json::Map::len);
        keys.next() == Some(1) && keys.all(|count| count == 1)
    }
}

/// The alternatives of a schema, references followed.
fn leaves<'a>(root: &'a Json, schema: &'a Json) -> Vec<&'a Json> {
    // A reference can lead back to itself; no schema of ours nests alternatives deeper.
    const DEPTH: usize = 16;
    let mut out = Vec::new();
    let mut open = vec![(schema, 0)];
    while let Some((schema, depth)) = open.pop() {
        let reference = schema.get("$ref").and_then(Json::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?));
        let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
        let next: Vec<_> = reference.into_iter().chain(parts).collect();
        if next.is_empty() || schema.get("properties").is_some() {
            out.push(schema);
        }
        if depth < DEPTH {
            open.extend(next.into_iter().map(|schema| (schema, depth + 1)));
        }
    }
    out
}

fn below<'a>(schema: &'a Json, segment: &str) -> Option<&'a Json> {
    let property = || schema.get("properties")?.get(segment);
    property()
        .or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()))
        .or_else(|| schema.get("items"))
}
