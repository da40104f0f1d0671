//! What SQL and Python are tried with, and the examples that are.

use super::ROOT;
use super::place::Place;
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs each statement, and prints what the last one gives as JSON.
pub(crate) const RUN_SQL: &str = "
import duckdb, json, sys
for statement in duckdb.extract_statements(sys.argv[1]):
    result = duckdb.execute(statement)
print(json.dumps(result.fetchall()))
";

/// A Python that has `duckdb` and `pandas`.
pub(crate) fn python() -> Option<&'static Path> {
    static FOUND: std::sync::LazyLock<Option<PathBuf>> = std::sync::LazyLock::new(|| {
        let has = |python: &PathBuf| {
            let output = Command::new(python).args(["-c", "import duckdb, pandas"]).output();
            output.is_ok_and(|output| output.status.success())
        };
        let own = Path::new(ROOT).join("target/analysis/bin/python3");
        let found = [own, PathBuf::from("python3")].into_iter().find(has);
        if found.is_none() {
            // Not `eprintln`: what a test that passes prints isn't shown.
            let why = "SKIPPED: snippets and examples in SQL and Python: no python3 with duckdb and pandas";
            let _ = writeln!(std::io::stderr(), "{why}");
        }
        found
    });
    FOUND.as_deref()
}

/// Both examples find in `seeds.csv` what `summary.json` says of the same pairs.
#[test]
fn the_examples_agree_with_the_summary() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let scenario = place.path("work/scenarios/quickstart.toml");
    let text = fs::read_to_string(&scenario).unwrap() + "[variant.one]\nremove.cluster = [\"eu-west-1\"]\n";
    fs::write(scenario, text).unwrap();
    let made = place.bash("regionsim compare scenarios/quickstart.toml --seeds 9", true);
    let report = place.path("work/reports/quickstart");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    let summary: Value = serde_json::from_slice(&fs::read(report.join("summary.json")).unwrap()).unwrap();
    let is_overall =
        |one: &&Value| one["metric"] == "availability" && one["population"].is_null() && one["journey"].is_null();
    let expected: Vec<_> = summary["comparisons"].as_array().unwrap().iter().filter(is_overall).collect();
    let [expected] = expected[..] else { panic!("one pair: {expected:?}") };
    let figure = |key: &str| expected[key].as_f64().unwrap();
    assert!(figure("difference") > 0.0, "two regions are better than one");
    // Student's t at 97.5 % and 8 degrees of freedom (any table): half of the interval over the standard error.
    let half = (expected["ci95"][1].as_f64().unwrap() - expected["ci95"][0].as_f64().unwrap()) / 2.0;
    let standard_error = half / 2.306_004_135;
    let agrees = |row: &[Value]| {
        let number = |place: usize| row[place].as_f64().unwrap();
        assert_eq!((&row[0], &row[1]), (&expected["a"], &expected["b"]));
        assert_eq!((number(2), &row[7]), (9.0, &expected["verdict"]));
        assert_eq!(number(6), figure("difference"), "read back to the last bit");
        // Sums in another order differ by their rounding.
        for (place, is) in [(3, figure("difference")), (4, standard_error), (5, figure("a_better_share"))] {
            assert!((number(place) / is - 1.0).abs() < 1e-8, "{place}: {row:?} against {expected}");
        }
    };
    let output = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let examples = Path::new(ROOT).join("examples/analysis");
    let sql = fs::read_to_string(examples.join("paired.sql")).unwrap();
    let rows = output(Command::new(python).current_dir(&report).args(["-c", RUN_SQL, &sql]));
    let rows: Vec<Vec<Value>> = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows.len(), 1);
    agrees(&rows[0]);
    let table = output(Command::new(python).arg(examples.join("paired.py")).arg(&report));
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    let cell = |text: &str| text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from);
    agrees(&lines[1].split(',').map(cell).collect::<Vec<_>>());
}
