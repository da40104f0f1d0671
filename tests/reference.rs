//! `docs/reference.md` is written from the code. This test holds it to that; `UPDATE=1 cargo test --test reference`
//! writes it anew.

use regionsim::base::catalogue::Kind;
use regionsim::dist::Dist;
use regionsim::domain::Stage;
use regionsim::metric::catalogue;
use regionsim::routing::policy::Policy;
use regionsim::scenario::spec::ScenarioSpec;
use serde_json::{Map, Value};
use std::fmt::Write as _;

const HEAD: &str = "# Reference

Written from the code by `UPDATE=1 cargo test --test reference`; don't edit it. `regionsim schema` prints the same as a
JSON Schema for editors, and `regionsim list WHAT` the catalogues.

Durations are text such as `\"250ms\"`, `\"5m\"`, `\"3h51m\"`, `\"12.7y\"`; sizes `\"4KiB\"`, `\"12KB\"`; rates `\"800/s\"`; money
`\"18.50 USD\"`. A key without a default is required.

## Beside the scenario's own keys

| key | what it is |
|---|---|
| `extends` | Files that this one is laid over, relative to it; a later one wins over an earlier one. |
| `base` | The name of the unpatched variant. |
| `variant.NAME` | Changes to the scenario. An entry of a list is addressed by its name: `cluster.NAME.scale = 0.5`. |
| `variant.NAME.summary` | What the variant is, in one line. |
| `variant.NAME.add` | Entries to add, by list. |
| `variant.NAME.remove` | Names of entries to remove, by list; under `keys`, paths of values to remove. |
| `sweep.NAME` | An axis of the grid that `regionsim sweep` simulates. |
| `sweep.NAME.path` | The path of what the axis varies: `routing.via.dns.ttl`. |
| `sweep.NAME.values` | What it is set to, one after the other. Without `path`: values by name, each a table of changes as a variant is. |

";

const WORK: &str = "
## Plans, shards and parts

`regionsim plan FILE… [--as run|compare|sweep] --shards N --out plan.json`, then `regionsim shard plan.json --out DIR` for
each shard, then `regionsim merge DIR --out REPORT`. The report is, to the byte, what `regionsim run`, `compare` or `sweep`
writes on one machine, for any N. A plain run with `--resume` is the same with its parts in `REPORT.parts`.

| file | what it is |
|---|---|
| `plan.json` | JSON: the text of every scenario file, the arguments that change a result, the tool's version and commit, variants or points, seeds, the number of shards, and the SHA-256 of all that. Never changed; one that was edited, or made by another version, is refused. |
| `DIR/plan-DIGEST.json` | A copy of the plan, so that the folder can be merged alone. DIGEST is the first 16 digits of the plan's. |
| `DIR/part-DIGEST-IofN` | What shard I of N came to: a line with the format's version, a line of JSON (tool, plan, index, length), the seeds' summaries packed with deflate, and the SHA-256 of all before. About 11 KB a seed of a variant for a shop in six clusters. |
| `DIR/.regionsim-*` | Left behind by a kill in the middle of writing; nobody reads it. |

The index of a shard is that of `--index` (0, or several: `3,7-9`), else of `JOB_COMPLETION_INDEX`, `SLURM_ARRAY_TASK_ID` or
`AWS_BATCH_JOB_ARRAY_INDEX`, which must agree where several are set. It counts from 0; how many shards there are, the plan
says. A shard has the same number of simulated seeds as any other, give or take one, and may have none.

| exit code of `shard` | what to do |
|---|---|
| 0 | The part is there: written now, or before. |
| 2 | Never try again: a wrong plan or index, another version of the program, a seed that can't be simulated. |
| any other | Try again: 3 a file couldn't be read or written, 130 interrupted, or killed. |

`merge` ends with 2, and writes nothing, unless every part of one plan is there, once and whole. It lists all that is wrong:
missing parts by number and the command that makes them; damaged ones, those of other plans, and what is there twice by
name. `shard` makes a damaged part anew.
";

/// What a value of this schema is, in a few words of Markdown.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or(name);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let kinds: Vec<_> = any.iter().filter(|one| one["type"] != "null").map(kind).collect();
        return kinds.join(" or ");
    }
    if let Some(constant) = schema.get("const") {
        return format!("`{constant}`");
    }
    let kinds: Vec<_> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    };
    match kinds[..] {
        ["array"] if schema["items"].is_object() => format!("list of {}", kind(&schema["items"])),
        ["object"] if schema["additionalProperties"].is_object() => {
            format!("table by name of {}", kind(&schema["additionalProperties"]))
        }
        ["object"] => "table".to_owned(),
        [] => "value".to_owned(),
        _ => kinds.join(" or "),
    }
}

fn doc(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

/// The keys of a table.
fn keys(page: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    page.push_str("| key | is | default | what it is |\n|---|---|---|---|\n");
    for (name, property) in properties {
        let default = match property.get("default") {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            Some(Value::Null) | None => "–".to_owned(),
            Some(value) if value.to_string().len() > 60 => "its own".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let _ = writeln!(page, "| `{name}` | {} | {default} | {} |", kind(property), doc(property));
    }
    page.push('\n');
}

/// The choices of an enum.
fn choices(page: &mut String, choices: &[Value]) {
    page.push_str("One of:\n\n| choice | what it is |\n|---|---|\n");
    for choice in choices {
        if let Some(properties) = choice["properties"].as_object() {
            for (tag, value) in properties {
                let _ = writeln!(page, "| `{{ {tag} = … }}`: {} | {} |", kind(value), doc(choice));
            }
        } else {
            let names = choice["enum"].as_array().cloned().unwrap_or_else(|| vec![choice["const"].clone()]);
            for name in names {
                let _ = writeln!(page, "| `{name}` | {} |", doc(choice));
            }
        }
    }
    page.push('\n');
}

fn schema(page: &mut String) {
    let root = schemars::schema_for!(ScenarioSpec).to_value();
    page.push_str("## Scenario\n\n");
    keys(page, &root);
    let none = Map::new();
    for (name, definition) in root["$defs"].as_object().unwrap_or(&none) {
        let _ = writeln!(page, "### {name}\n\n{}\n", doc(definition));
        if let Some(list) = definition["oneOf"].as_array() {
            choices(page, list);
        } else if definition["anyOf"].is_array() {
            let _ = writeln!(page, "A value: {}.\n", kind(definition));
        }
        keys(page, definition);
    }
}

fn kinds(page: &mut String, title: &str, kinds: &[Kind]) {
    let _ = writeln!(page, "## {title}\n\n| kind | what it is | example |\n|---|---|---|");
    for kind in kinds {
        let _ = writeln!(page, "| `{}` | {} | `{}` |", kind.name, kind.doc, kind.example);
    }
    page.push('\n');
}

fn reference() -> String {
    let mut page = HEAD.to_owned();
    schema(&mut page);
    kinds(&mut page, "Distributions", Dist::KINDS);
    kinds(&mut page, "Routing policies", Policy::KINDS);
    page.push_str(
        "## Stages of a loss\n\nThe first hop that fails sets the stage.\n\n| stage | requests lost to |\n|---|---|\n",
    );
    for stage in Stage::ALL {
        let _ = writeln!(page, "| `{}` | {} |", stage.name(), stage.label());
    }
    page.push_str("\n## Metrics\n\n| metric | unit | better | what it is |\n|---|---|---|---|\n");
    for metric in catalogue::ALL {
        let plain = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let unit = plain(serde_json::to_value(metric.unit).unwrap());
        let better = plain(serde_json::to_value(metric.better).unwrap());
        let _ = writeln!(page, "| `{}` | {unit} | {better} | {} |", metric.name, metric.doc);
    }
    page + WORK
}

#[test]
fn the_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    let page = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let differs = page.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert!(page == written, "stale: UPDATE=1 cargo test --test reference\nfirst difference: {differs:?}");
}
