//! `regionsim schema`: the JSON Schema of a scenario file, for editors, and of what is written, for programs.
//!
//! A file's is that of the decoded type, and what a file may say beside: `extends`, `base`, `variant` and `sweep`.

use super::failure::Failure;
use super::terminal;
use crate::report;
use crate::scenario::spec::ScenarioSpec;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

/// Which schema.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Of {
    /// Scenario files.
    #[default]
    Scenario,
    /// A report's summary.json.
    Summary,
    /// A drill's drill.json.
    Drill,
}

/// Print the JSON Schema of scenario files, with which editors complete and check, or of what is written
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim schema > scenario.schema.json\n  \
                        regionsim schema --of summary > summary.schema.json\n\n\
                        An editor with a TOML language server uses it if a file begins with\n\
                        #:schema scenario.schema.json")]
pub(super) struct Schema {
    /// What it is of
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    of: Of,
}

impl Schema {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let schema = match self.of {
            Of::Scenario => schema(),
            Of::Summary => report::summary_schema(),
            Of::Drill => report::drill::schema(),
        };
        terminal::print(super::scenario::json(&schema))
    }
}

/// The schema of a file.
fn schema() -> Value {
    let mut schema = schemars::schema_for!(ScenarioSpec).to_value();
    let Value::Object(root) = &mut schema else { return schema };
    // What a file leaves out, a file that it extends may say.
    if let Some(required) = root.remove("required") {
        root.insert("anyOf".to_owned(), json!([{ "required": ["extends"] }, { "required": required }]));
    }
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        for (key, value) in file_keys() {
            properties.insert(key.to_owned(), value);
        }
    }
    schema
}

fn file_keys() -> [(&'static str, Value); 4] {
    let lists = |description: &str, items: &Value| {
        let lists = json!({ "type": "array", "items": items });
        json!({ "description": description, "type": "object", "additionalProperties": lists })
    };
    let patch = json!({
        "description": "Changes to the scenario; an entry of a list is addressed by its name: cluster.NAME.scale = 0.5",
        "type": "object",
        "properties": {
            "summary": { "description": "What the variant is, in one line.", "type": "string" },
            "add": lists("Entries to add, by list.", &json!({})),
            "remove": lists("Names of entries to remove, by list; under `keys`, paths of values to remove.",
                            &json!({ "type": "string" })),
        },
        "additionalProperties": true,
    });
    let axis = json!({
        "description": "An axis: a path and its values, or values by name, each a table of changes as a variant is.",
        "type": "object",
        "properties": {
            "path": { "description": "The path of what is varied: routing.via.dns.ttl", "type": "string" },
            "values": {
                "description": "What it is set to, one after the other; or changes by name.",
                "anyOf": [
                    { "type": "array", "minItems": 1 },
                    { "type": "object", "minProperties": 1, "additionalProperties": patch },
                ],
            },
        },
        "required": ["values"],
        "additionalProperties": false,
    });
    [
        (
            "extends",
            json!({
                "description": "Files that this one is laid over, relative to it; a later one wins over an earlier one.",
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
            }),
        ),
        ("base", json!({ "description": "The name of the unpatched variant.", "type": "string", "default": "base" })),
        ("variant", json!({ "description": "Variants by name.", "type": "object", "additionalProperties": patch })),
        (
            "sweep",
            json!({
                "description": "Axes by name; their grid is what `regionsim sweep` simulates.",
                "type": "object",
                "additionalProperties": axis,
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_keys_of_files_and_lets_a_base_give_what_is_required() {
        let schema = schema();
        for key in ["name", "cluster", "extends", "base", "variant", "sweep"] {
            assert!(schema["properties"][key].is_object(), "{key}");
        }
        assert!(schema.get("required").is_none());
        let required = schema["anyOf"][1]["required"].as_array().unwrap();
        assert!(required.contains(&json!("population")) && !required.contains(&json!("extends")));
    }
}
