//! What other programs read: `docs/outputs.md` and `summary.schema.json` are written from the code, and what a command
//! writes is as they say. `UPDATE=1 cargo test --test outputs` writes both anew.

use regionsim::experiment::results::SCHEMA;
use regionsim::report::columns::{Column, FILES};
use regionsim::report::{drill, summary_schema};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const HEAD: &str = "# Outputs for other programs

Written from the code by `UPDATE=1 cargo test --test outputs`; don't edit it. `run`, `compare`, `sweep` and `drill` write a
folder, by default `reports/NAME/`; `--format json` prints `summary.json` as well. An example that reads a folder:
[analyse with DuckDB or pandas](how-to/analyse-with-duckdb-or-pandas.md).

## What you can rely on

- **`schema`** in `summary.json` and `drill.json` is @schema@. It grows when a key, a column or a value of text goes, or
  changes its meaning, unit or type; then this page says how. The tables have the version of the `summary.json`
  beside them.
- **What doesn't change it**: new files, keys, columns, metrics, stages, units, kinds of notes. Read by name, not by
  position, and skip what you don't know.
- **SI units**: seconds, bytes, USD, shares from 0 to 1. Unknown or absent is `null`, in a table an empty cell; never 0, never
  a NaN. Numbers have all their digits.
- **Equal runs are equal bytes**, whatever `--threads` says: no times of day, no paths, no names of machines.
- **Names** are text from the scenario: don't trust it. In tables, a name that a spreadsheet would take for a formula has an
  apostrophe before it; `summary.json` has it as it is.
- **JSON Schema**: [`summary.schema.json`](../summary.schema.json), and `regionsim schema --of summary` or `--of drill` of the
  program that you have.

There is no Parquet. DuckDB makes it of a table in one line, `COPY (FROM 'reports/ecommerce/seeds.csv') TO 'seeds.parquet'`,
and the tables are a few megabytes at most. The `parquet` crate, without Arrow and with Snappy alone, takes 30 s of a
processor's time to build unoptimised and 26 packages more in `Cargo.lock` (203 without); and what is off by default is
tested only if everything is built twice.

## The files of a folder

| file | written by | what it is |
|---|---|---|
";

/// What a value of this schema is, in a few words of Markdown.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let one = |name: &&str| match (*name, schema["maxItems"].as_u64()) {
        ("array", Some(count)) => format!("{count} × {}", kind(&schema["items"])),
        ("array", None) => format!("list of {}", kind(&schema["items"])),
        (name, _) => name.to_owned(),
    };
    types.iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn doc(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

fn keys(page: &mut String, schema: &Value) {
    page.push_str("| key | is | what it is |\n|---|---|---|\n");
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(!doc(property).is_empty(), "{name} has no doc");
        let _ = writeln!(page, "| `{name}` | {} | {} |", kind(property), doc(property));
    }
    page.push('\n');
}

fn object(page: &mut String, title: &str, schema: &Value) {
    let _ = writeln!(page, "## {title}\n\n{}\n", doc(schema));
    keys(page, schema);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let _ = writeln!(page, "### {name}\n\n{}\n", doc(definition));
        match definition["oneOf"].as_array() {
            None => keys(page, definition),
            Some(choices) => {
                page.push_str("| value | what it is |\n|---|---|\n");
                for choice in choices {
                    let _ = writeln!(page, "| `{}` | {} |", choice["const"].as_str().unwrap(), doc(choice));
                }
                page.push('\n');
            }
        }
    }
}

fn page() -> String {
    let mut page = HEAD.replace("@schema@", &SCHEMA.to_string());
    for file in FILES {
        let _ = writeln!(page, "| `{}` | {} | {} |", file.path, file.by, file.doc);
    }
    for file in FILES.iter().filter(|file| !file.columns.is_empty()) {
        let _ = writeln!(page, "\n### {}\n\n{}\n\n| column | unit | what it is |\n|---|---|---|", file.path, file.doc);
        for Column { name, unit, doc } in file.columns {
            let _ = writeln!(page, "| `{name}` | {unit} | {doc} |");
        }
    }
    page.push('\n');
    object(&mut page, "summary.json", &summary_schema());
    let mut drill = drill::schema();
    // What both have is said once.
    let shared = summary_schema();
    drill["$defs"].as_object_mut().unwrap().retain(|name, _| shared["$defs"].get(name).is_none());
    object(&mut page, "drill.json", &drill);
    page.trim_end().to_owned() + "\n"
}

fn is_current(file: &str, text: &str) {
    let path = Path::new(ROOT).join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    let differs = text.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert!(text == written, "{file} is stale: UPDATE=1 cargo test --test outputs\nfirst difference: {differs:?}");
}

#[test]
fn the_page_is_current() {
    is_current("docs/outputs.md", &page());
}

#[test]
fn the_schema_is_current() {
    is_current("summary.schema.json", &format!("{:#}\n", summary_schema()));
}

/// What is wrong with a value. A key that the schema doesn't name is wrong here, too: it would be undocumented.
fn wrong(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, says) in schema.as_object().expect("a schema is a table") {
        let is_right = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" => true,
            "$ref" => {
                let target = says.as_str().unwrap().strip_prefix('#').and_then(|path| root.pointer(path));
                wrong(value, target.expect("what is referred to is there"), root, at, found);
                true
            }
            "type" => says.as_array().map_or_else(|| is_of(value, says), |any| any.iter().any(|one| is_of(value, one))),
            "const" => value == says,
            "minimum" => value.as_f64().is_none_or(|x| x >= says.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= says.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= says.as_u64().unwrap()),
            "anyOf" | "oneOf" => says.as_array().unwrap().iter().any(|one| {
                let mut own = vec![];
                wrong(value, one, root, at, &mut own);
                own.is_empty()
            }),
            "required" => says.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    wrong(item, says, root, &format!("{at}/{place}"), found);
                }
                true
            }
            "properties" => {
                let none = Map::new();
                for (key, item) in value.as_object().unwrap_or(&none) {
                    match says.get(key) {
                        Some(schema) => wrong(item, schema, root, &format!("{at}/{key}"), found),
                        None => found.push(format!("{at}/{key} isn't in the schema")),
                    }
                }
                true
            }
            other => panic!("{at}: this test doesn't know the keyword {other}"),
        };
        if !is_right {
            found.push(format!("{at}: {value} against {keyword} {says}"));
        }
    }
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    }
}

fn all_wrong(value: &Value, schema: &Value) -> Vec<String> {
    let mut found = vec![];
    wrong(value, schema, schema, "", &mut found);
    found
}

/// The files of the folder that a command writes.
fn written(folder: &Path, arguments: &[&str]) -> Vec<PathBuf> {
    let out = folder.join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    command.current_dir(ROOT).args(arguments).args(["--seeds", "3", "--quiet", "--out"]).arg(&out);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let entries =
        |folder: &Path| -> Vec<PathBuf> { fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect() };
    entries(&out).into_iter().flat_map(|path| if path.is_dir() { entries(&path) } else { vec![path] }).collect()
}

fn is_named(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => path == pattern,
        Some((before, after)) => path.starts_with(before) && path.ends_with(after),
    }
}

#[test]
fn what_is_written_is_as_it_is_said() {
    let mut seen = BTreeSet::new();
    let commands: [&[&str]; 4] = [
        &["run", "scenarios/quickstart.toml"],
        &["compare", "scenarios/blast-radius.toml"],
        &["sweep", "scenarios/headroom.toml"],
        &["drill", "scenarios/quickstart.toml"],
    ];
    for arguments in commands {
        let place = tempfile::tempdir().unwrap();
        for path in written(place.path(), arguments) {
            let name = path.strip_prefix(place.path().join("out")).unwrap().to_str().unwrap();
            let file = FILES.iter().find(|file| is_named(name, file.path));
            let file = file.unwrap_or_else(|| panic!("{arguments:?} writes {name}, which no page names"));
            assert!(file.by == "all" || file.by.contains(arguments[0]), "{name} is by {}", file.by);
            seen.insert(file.path);
            let bytes = fs::read(&path).unwrap();
            if !file.columns.is_empty() {
                let text = String::from_utf8(bytes).unwrap();
                let head: Vec<_> = text.lines().next().unwrap().split(',').collect();
                let columns: Vec<_> = file.columns.iter().map(|column| column.name).collect();
                // Of a sweep, its axes come first.
                let axes = if name == "sweep.csv" { head.len() - columns.len() } else { 0 };
                assert_eq!(head[axes..], columns, "{name}");
                assert!(text.lines().count() > 1, "{arguments:?}: {name} has no rows");
            } else if name == "summary.json" || name == "drill.json" {
                let value: Value = serde_json::from_slice(&bytes).unwrap();
                let schema = if name == "summary.json" { summary_schema() } else { drill::schema() };
                let found = all_wrong(&value, &schema);
                assert!(found.is_empty(), "{arguments:?}: {name}: {found:#?}");
            }
        }
    }
    assert!(FILES.iter().all(|file| seen.contains(file.path)), "of {FILES:?} only {seen:?} were written");
}

#[test]
fn what_is_not_as_the_schema_says_is_found() {
    let place = tempfile::tempdir().unwrap();
    let files = written(place.path(), &["run", "scenarios/quickstart.toml"]);
    let file = files.iter().find(|file| file.ends_with("summary.json")).unwrap();
    let good: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(all_wrong(&good, &summary_schema()), [""; 0]);
    for (path, value, says) in [
        ("/schema", Value::from(2), "const"),
        ("/variants/0/metrics/0/mean", Value::from("much"), "/variants/0/metrics/0/mean"),
        ("/variants/0/metrics/0/unit", Value::from("furlongs"), "/variants/0/metrics/0/unit"),
        ("/variants/0/metrics/0/ci95", Value::from(vec![1.0]), "minItems"),
        ("/scenario", Value::Object(Map::new()), "required"),
        ("/tool", serde_json::json!({ "name": "x", "version": "1", "commit": null, "mood": "good" }), "mood"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        let found = all_wrong(&bad, &summary_schema()).join("\n");
        assert!(found.contains(says), "{path}: {found}");
    }
}
