//! The program as people and scripts meet it: what it prints, what it writes, and its exit codes.

mod place;

use assert_cmd::Command;
use place::Place;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_regionsim");

/// Two regions, one standing by for the other; two variants.
const SCENARIO: &str = r#"format = 1
name = "duo"

[simulation]
seeds = 4
horizon = "90d"

[[cluster]]
name = "us-east-1"
[[cluster]]
name = "us-west-2"
standby-for = "us-east-1"
scale = 0.2

[[service]]
name = "web"
replicas = 10
concurrency = 4
time = "55ms"

[[journey]]
name = "browse"
timeout = "3s"
path = ["web"]

[[population]]
name = "us"
at = "New York"
rate = "100/s"

[[fault]]
name = "region lost"
of = { regions = "all" }
effect = { down = { } }
every = { exponential = { mean = "60d" } }
repair = { lognormal = { median = "4h", p95 = "14h" } }

[[expect]]
metric = "availability"
at-least = 0.9995

[variant.both]
summary = "both serve"
remove.keys = ["cluster.us-west-2.standby-for", "cluster.us-west-2.scale"]
"#;

/// A folder with the scenario.
fn duo() -> Place {
    let place = Place::new();
    place.write("duo.toml", SCENARIO);
    place
}

impl Place {
    /// The scenario with one piece of its text replaced.
    fn write_with(&self, name: &str, from: &str, to: &str) {
        assert!(SCENARIO.contains(from), "{from}");
        self.write(name, SCENARIO.replacen(from, to, 1));
    }

    /// Everything in the folder, hidden or not.
    fn list(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.path("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command is refused with exit code 2: standard error has all of `says`, standard output nothing, and
    /// nothing is written.
    fn refuses(&self, arguments: &[&str], says: &[&str]) -> String {
        let before = self.list();
        let output = self.run(arguments);
        let error = err(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{error}");
        for text in says {
            assert!(error.contains(text), "{arguments:?}: no {text:?} in\n{error}");
        }
        assert_eq!(out(&output), "", "{arguments:?}");
        assert_eq!(self.list(), before, "{arguments:?}");
        assert!(!error.contains('\u{1b}'), "no colours into a pipe: {error}");
        error
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    out(output)
}

fn line_of(text: &str, what: &str) -> usize {
    text.lines().position(|line| line.contains(what)).unwrap() + 1
}

#[test]
fn run_prints_a_table_and_writes_a_report() {
    let place = duo();
    let printed = succeeds(&place.run(&["run", "duo.toml"]));
    assert!(printed.starts_with("duo: variant base × 4 seeds × 90 days\n"), "{printed}");
    assert!(printed.trim_end().ends_with("Report: reports/duo/report.html"), "{printed}");
    assert!(printed.lines().all(|line| line.chars().count() <= 80), "{printed}");
    for file in ["report.html", "summary.json", "seeds.csv", "latency.csv", "cost.csv", "outages.csv"] {
        assert!(place.path("reports/duo").join(file).is_file(), "{file}");
    }
    assert_eq!(place.list(), ["duo.toml", "reports"]);
    assert_eq!(fs::read_dir(place.path("reports")).unwrap().count(), 1, "no temporary folder stays");
    let summary: Value = serde_json::from_slice(&fs::read(place.path("reports/duo/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["scenario"]["name"], "duo");
    assert_eq!(summary["scenario"]["horizon_s"], 90.0 * 86_400.0);
    assert_eq!(summary["variants"].as_array().unwrap().len(), 1);
}

#[test]
fn compare_takes_all_variants_or_those_that_are_named() {
    let place = duo();
    let printed = succeeds(&place.run(&["compare", "duo.toml"]));
    assert!(printed.starts_with("duo: 2 variants × 4 seeds × 90 days\n"), "{printed}");
    assert!(place.path("reports/duo/scenario.both.toml").is_file());
    let names =
        succeeds(&place.run(&["compare", "duo.toml", "--variant", "both", "--variant", "base", "--format=json"]));
    let summary: Value = serde_json::from_str(&names).unwrap();
    assert_eq!(summary["variants"][0]["name"], "base", "in file order");
    place.refuses(&["compare", "duo.toml", "--variant", "both"], &["nothing to compare `both` with"]);
    let (text, _) = SCENARIO.split_once("[variant.both]").unwrap();
    place.write("one.toml", text);
    place.refuses(&["compare", "one.toml"], &["one.toml has no variants", "[variant.NAME]"]);
    place.refuses(&["run", "duo.toml", "--variant", "boht"], &["no variant `boht`", "did you mean `both`?"]);
}

#[test]
fn equal_runs_write_equal_bytes_whatever_the_threads() {
    let place = duo();
    let summary = |arguments: &[&str]| {
        let base = ["compare", "duo.toml", "--format", "json"];
        succeeds(&place.run(&[&base, arguments].concat()))
    };
    let first = summary(&["--threads", "1"]);
    assert_eq!(first, summary(&["--threads", "2"]));
    assert_eq!(first, fs::read_to_string(place.path("reports/duo/summary.json")).unwrap());
    let other = summary(&["--seed", "2"]);
    assert_ne!(first, other);
    let hash = |text: &str| serde_json::from_str::<Value>(text).unwrap()["scenario"]["hash"].clone();
    assert_eq!(hash(&first), hash(&other), "a seed is no part of the scenario");
    place.write("duo.toml", format!("# a comment\n{SCENARIO}"));
    assert_eq!(hash(&summary(&[])), hash(&first), "nor is a comment");
    assert_ne!(hash(&summary(&["--set", "population.us.rate=101/s"])), hash(&first));
}

#[test]
fn arguments_change_the_scenario() {
    let place = duo();
    let shown = |arguments: &[&str]| succeeds(&place.run(&[&["show", "duo.toml"], arguments].concat()));
    let text = shown(&["--set", "service.web.replicas=7", "--seeds", "9", "--horizon", "30d", "--seed", "5"]);
    for (key, origin) in [
        ("replicas = 7", "--set service.web.replicas=7"),
        ("seeds = 9", "--seeds 9"),
        ("seed = 5", "--seed 5"),
        ("horizon = \"30d\"", "--horizon 30d"),
        ("timeout = \"3s\"", "duo.toml:23"),
        ("warm-up = \"0s\"", "default"),
        ("zones = 6", "data/regions/regions_aws.csv"),
        ("standby-for = \"us-east-1\"", "duo.toml:12"),
    ] {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("no {key} in\n{text}"));
        assert!(line.contains(&format!("# {origin}")), "{line}");
    }
    assert!(!shown(&["--variant", "both"]).contains("standby-for"));
    let json: Value = serde_json::from_str(&shown(&["--format", "json"])).unwrap();
    assert_eq!(json["service"][0]["replicas"], 10);
    // What is shown is a scenario again.
    place.write("again.toml", &text);
    succeeds(&place.run(&["validate", "again.toml"]));
}

#[test]
fn set_that_a_variant_undoes_is_told() {
    let place = duo();
    let output = place.run(&[
        "validate",
        "duo.toml",
        "--set",
        "variant.both.service.web.replicas=3",
        "--set",
        "service.web.replicas=4",
    ]);
    succeeds(&output);
    let said = err(&output);
    assert!(said.contains("variant `both` has a `service.web.replicas` of its own"), "{said}");
    assert!(said.contains("--set variant.both.service.web.replicas=…"), "{said}");
}

#[test]
fn standard_input_is_a_scenario() {
    let place = duo();
    let mut command = Command::new(PROGRAM);
    command.current_dir(place.path("")).args(["run", "-", "--quiet"]).write_stdin(SCENARIO);
    let output = command.output().unwrap();
    assert_eq!(succeeds(&output), "", "quiet");
    assert!(place.path("reports/duo/summary.json").is_file());
}

#[test]
fn several_files_make_several_reports() {
    let place = duo();
    place.write_with("trio.toml", "\"duo\"", "\"trio\"");
    succeeds(&place.run(&["run", "duo.toml", "trio.toml", "duo.toml", "--out", "all"]));
    for name in ["duo", "trio"] {
        assert!(place.path("all").join(name).join("summary.json").is_file(), "{name}");
    }
    place.write("copy.toml", SCENARIO);
    place.refuses(&["run", "duo.toml", "copy.toml"], &["two scenarios would write their reports to reports/duo"]);
    // All mistakes of all files, and none of them is run.
    place.write_with("a.toml", "rate =", "raet =");
    place.write_with("b.toml", "timeout =", "timeuot =");
    place.refuses(&["run", "duo.toml", "a.toml", "b.toml"], &["a.toml:29:1", "b.toml:23:1", "1 mistake in b.toml"]);
}

#[test]
fn a_mistake_names_its_file_line_and_remedy() {
    let place = duo();
    let cases: &[(&str, &str, &[&str])] = &[
        ("replicas = 10", "replicsa = 10", &["unknown key `replicsa`", "did you mean `replicas`?"]),
        ("timeout = \"3s\"", "timeout = \"3 parsecs\"", &["parsecs"]),
        ("timeout = \"3s\"", "timeout = \"3GB\"", &["\"GB\" is not a unit of time"]),
        ("name = \"us-west-2\"", "name = \"us-wset-2\"", &["us-wset-2", "did you mean `us-west-2`?"]),
        ("scale = 0.2", "scale = 1.2", &["1.2"]),
        ("standby-for = \"us-east-1\"", "standby-for = \"us-esat-1\"", &["us-esat-1", "did you mean `us-east-1`?"]),
        ("[\"cluster.us-west-2.standby-for\"", "[\"cluster.us-west-3.standby-for\"", &["us-west-3", "us-west-2"]),
        ("metric = \"availability\"", "metric = \"availabilty\"", &["did you mean `availability`?"]),
        ("horizon = \"90d\"", "horizon = \"550y\"", &["500"]),
        ("rate = \"100/s\"", "rate = ", &["not TOML"]),
    ];
    for (from, to, says) in cases {
        place.write_with("bad.toml", from, to);
        let error = place.refuses(&["run", "bad.toml"], says);
        let line = line_of(&SCENARIO.replacen(from, to, 1), to);
        assert!(error.contains(&format!("bad.toml:{line}:")), "line {line}: {error}");
        assert!(error.contains("in bad.toml"), "{error}");
        place.refuses(&["compare", "bad.toml"], says);
        place.refuses(&["validate", "bad.toml"], says);
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_as_data() {
    let place = duo();
    let text = SCENARIO.replace("replicas = 10", "replicsa = 10").replace("scale = 0.2", "scale = 1.2");
    place.write("bad.toml", text.replace("timeout = \"3s\"", "timeout = \"3 parsecs\""));
    place.refuses(&["run", "bad.toml"], &["bad.toml:13:", "bad.toml:17:", "bad.toml:23:", "3 mistakes in bad.toml"]);
    let output = place.run(&["validate", "bad.toml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut lines: Vec<_> = found.as_array().unwrap().iter().map(|one| one["line"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [13, 17, 23]);
    assert!(found.as_array().unwrap().iter().all(|one| one["file"] == "bad.toml" && one["severity"] == "error"));
    // As data where results would go elsewhere, too.
    let output = place.run(&["run", "bad.toml", "--format", "json"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
    assert_eq!(serde_json::from_slice::<Value>(&output.stderr).unwrap(), found);
}

#[test]
fn a_slip_in_the_writing_hides_no_slip_in_the_meaning_and_makes_none() {
    let place = duo();
    let change = |changes: &[(&str, &str)]| {
        let text = changes.iter().fold(SCENARIO.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
        place.write("bad.toml", text);
    };
    // A misspelt key and a wrong unit; an unknown city and metric.
    change(&[
        ("replicas = 10", "replicsa = 10"),
        ("timeout = \"3s\"", "timeout = \"3 parsecs\""),
        ("\"New York\"", "\"Nwe York\""),
        ("\"availability\"", "\"availabilty\""),
    ]);
    let says = ["`replicsa`", "parsecs", "Nwe York", "did you mean `availability`?", "4 mistakes in bad.toml"];
    place.refuses(&["validate", "bad.toml"], &says);
    place.refuses(&["compare", "bad.toml"], &says);
    // Without its `at`, a population is set aside whole: that nobody is left, or that an expectation names it, only
    // follows.
    change(&[("at = \"New York\"", "att = 5"), ("at-least = 0.9995", "at-least = 0.9995\npopulation = \"us\"")]);
    place.refuses(&["validate", "bad.toml"], &["unknown key `att`", "1 mistake in bad.toml"]);
    // A service that is set aside isn't missed by the journeys that call it.
    change(&[("time = \"55ms\"", "time = 55")]);
    place.refuses(&["validate", "bad.toml"], &["bad.toml:19:", "1 mistake in bad.toml"]);
}

#[test]
fn what_data_overload_and_routing_need_is_said() {
    let place = duo();
    let store = "[[store]]\nname = \"orders\"\n";
    let retries = |key: &str| format!("timeout = \"3s\"\nretries = {{ max = 1, backoff = \"100ms\", {key} }}");
    let cases: &[(&str, String, &[&str])] = &[
        (
            "[[journey]]",
            format!("{store}replication = {{ quorum = {{ read = 2, write = 3 }} }}\n[[journey]]"),
            &["3 of 2 copies"],
        ),
        (
            "[[journey]]",
            format!("{store}replication = {{ semi-sync = {{ acks = 2, lag = \"1s\" }} }}\n[[journey]]"),
            &["2 of 1 copies"],
        ),
        ("[[journey]]", format!("{store}catch-up = 1.0\n[[journey]]"), &["at 1 it never would"]),
        ("timeout = \"3s\"", retries("factor = 0.5"), &["0.5 times the one before"]),
        ("timeout = \"3s\"", retries("max-backoff = \"50ms\""), &["shorter than the first"]),
        ("timeout = \"3s\"", retries("jitter = 1.5"), &["jitter", "1.5"]),
        ("timeout = \"3s\"", retries("jitter = 0.5, memoryless = true"), &["jitter", "drawn already"]),
        ("[[journey]]", format!("{store}copy-speed = \"0B\"\n[[journey]]"), &["a copy would never be made"]),
        (
            "of = { regions = \"all\" }\neffect = { down = { } }",
            "of = { zones = \"all\" }\neffect = { read-only = {} }".to_owned(),
            &["only stores can be read-only"],
        ),
        ("[[fault]]", "[failover]\nruns-in = \"us-esat-1\"\n[[fault]]".to_owned(), &["did you mean `us-east-1`?"]),
        (
            "of = { regions = \"all\" }\neffect = { down = { } }",
            "of = { routing = {} }\neffect = { degraded = { errors = 0.5 } }".to_owned(),
            &["can't be degraded"],
        ),
        (
            "of = { regions = \"all\" }",
            "of = { access = { population = \"eu\", cluster = \"us-east-1\" } }".to_owned(),
            &["unknown population `eu`"],
        ),
        (
            "[[fault]]",
            "[routing]\npolicy = { weighted = { weights = { us-east-1 = 1 } } }\n\
             via = { global-lb = { converge = \"9s\", spill-above = 0.8 } }\n[[fault]]"
                .to_owned(),
            &["no order that load could spill along"],
        ),
    ];
    for (from, to, says) in cases {
        place.write("bad.toml", SCENARIO.replacen(from, to, 1));
        place.refuses(&["validate", "bad.toml"], says);
    }
    // Nobody need give up.
    place.write("good.toml", SCENARIO.replacen("timeout = \"3s\"\n", "", 1));
    succeeds(&place.run(&["validate", "good.toml"]));
}

#[test]
fn a_scenario_that_asks_for_too_much_is_refused_at_once() {
    let place = duo();
    let start = std::time::Instant::now();
    place.write_with("long.toml", "mean = \"60d\"", "mean = \"1us\"");
    place.refuses(&["run", "long.toml"], &["events"]);
    place.refuses(&["run", "duo.toml", "--seeds", "4000000000"], &["--seeds", "4000000000 seeds"]);
    let mut many = SCENARIO.to_owned();
    for i in 0..60_000 {
        writeln!(many, "[variant.v{i}]").unwrap();
    }
    place.write("many.toml", many);
    place.refuses(&["run", "many.toml"], &["more than 64 variants", "many.toml:"]);
    assert!(start.elapsed().as_secs() < 60, "a refusal takes no simulation");
}

#[test]
fn what_is_no_scenario_is_refused() {
    let place = duo();
    place.write("empty.toml", "");
    place.write("blank.toml", "\n \n");
    place.write("binary.toml", [b'a', 0, 1, 2, 0xff]);
    place.write("latin.toml", b"name = \"caf\xe9\"\n");
    place.write("large.toml", vec![b'#'; 50 << 20]);
    place.write("a.toml", "extends = \"b.toml\"\n");
    place.write("b.toml", "# b\nextends = \"a.toml\"\n");
    place.write("orphan.toml", "extends = \"base/aws.toml\"\n");
    fs::create_dir(place.path("folder")).unwrap();
    for (file, says) in [
        ("empty.toml", &["empty.toml:1", "the file is empty"][..]),
        ("blank.toml", &["blank.toml:1", "the file is empty"]),
        ("binary.toml", &["binary.toml:1", "binary"]),
        ("latin.toml", &["latin.toml:1:12", "not UTF-8"]),
        ("large.toml", &["large.toml:1", "larger than the limit"]),
        ("a.toml", &["b.toml:2:", "a.toml → b.toml → a.toml"]),
        ("orphan.toml", &["orphan.toml:1:", "can't read base/aws.toml", "no such file"]),
        ("folder", &["it is a folder"]),
        ("dou.toml", &["can't read dou.toml", "did you mean `duo.toml`?"]),
    ] {
        for command in ["run", "compare", "validate", "show"] {
            place.refuses(&[command, file], says);
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    use std::os::unix::fs::PermissionsExt;
    let place = duo();
    assert!(std::process::Command::new("mkfifo").arg(place.path("pipe.toml")).status().unwrap().success());
    place.refuses(&["validate", "pipe.toml"], &["can't read pipe.toml", "neither a file nor a folder"]);
    place.refuses(&["validate", "/dev/zero"], &["can't read /dev/zero"]);
    place.write("secret.toml", SCENARIO);
    fs::set_permissions(place.path("secret.toml"), fs::Permissions::from_mode(0o000)).unwrap();
    // Permissions don't bind root.
    if fs::read(place.path("secret.toml")).is_err() {
        place.refuses(&["validate", "secret.toml"], &["can't read secret.toml", "permission denied"]);
    }
}

/// Exit code 3 with the reason; the folder is as it was.
fn cannot_write(place: &Place, folder: &str, says: &str) {
    let before = place.list();
    let output = place.run(&["run", "duo.toml", "--out", folder]);
    let error = err(&output);
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains(&format!("can't write the report to {folder}")) && error.contains(says), "{error}");
    assert_eq!(place.list(), before);
}

#[test]
fn what_cannot_be_written_is_told_and_nothing_is_half_written() {
    let place = duo();
    place.write("file", "x");
    cannot_write(&place, "file", "it is a file");
    cannot_write(&place, "file/report", "");
    cannot_write(&place, ".", "the program runs in it");
    if cfg!(target_os = "linux") {
        cannot_write(&place, "/proc/report", "");
        cannot_write(&place, "/proc/a/b/c", "");
    }
    assert_eq!(fs::read(place.path("file")).unwrap(), b"x");
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let place = duo();
    fs::create_dir(place.path("locked")).unwrap();
    fs::set_permissions(place.path("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    // Permissions don't bind root.
    if fs::write(place.path("locked/x"), "").is_err() {
        cannot_write(&place, "locked/report", "denied");
    }
}

#[test]
fn only_a_report_is_replaced() {
    let place = duo();
    place.write("mine/notes.md", "precious");
    cannot_write(&place, "mine", "`notes.md`");
    place.write("data/seeds.csv", "1,2");
    cannot_write(&place, "data", "no summary.json");
    fs::create_dir(place.path("empty")).unwrap();
    for folder in ["empty", "new/er"] {
        for _ in 0..2 {
            succeeds(&place.run(&["compare", "duo.toml", "--out", folder, "--quiet"]));
            assert!(place.path(folder).join("scenario.both.toml").is_file());
        }
        // A report of less replaces all of it.
        succeeds(&place.run(&["run", "duo.toml", "--out", folder, "--quiet"]));
        assert!(!place.path(folder).join("scenario.both.toml").exists());
    }
    place.write("new/er/notes.md", "precious");
    cannot_write(&place, "new/er", "`notes.md`");
    assert!(place.path("new/er/summary.json").is_file());
    assert_eq!(fs::read_to_string(place.path("mine/notes.md")).unwrap(), "precious");
}

#[test]
fn hostile_names_stay_in_the_reports_folder_and_off_the_terminal() {
    let place = duo();
    for name in ["../../x", "/etc/passwd", ".", "a\\u001b[2Jb\\u202e", "<script>alert(1)</script>", ""] {
        let text = SCENARIO
            .replace("name = \"duo\"", &format!("name = \"{name}\""))
            .replace("[variant.both]", "[variant.\"../up\\u001b[2J\"]");
        place.write("evil.toml", text);
        let output = place.run(&["compare", "evil.toml"]);
        let said = out(&output) + &err(&output);
        let is_safe = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(said.chars().all(is_safe), "{said:?}");
        assert!(matches!(output.status.code(), Some(0 | 2)), "{said}");
        assert!(place.list().iter().all(|name| ["duo.toml", "evil.toml", "reports"].contains(&&**name)));
        for folder in fs::read_dir(place.path("reports")).into_iter().flatten() {
            let folder = folder.unwrap();
            for name in [folder.file_name()]
                .into_iter()
                .chain(fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()))
            {
                let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-.".contains(b);
                assert!(name.to_str().unwrap().as_bytes().iter().all(plain), "{name:?}");
            }
        }
    }
}

/// Every kind of name at once, in every file of a report (tests/browser looks at its page and its pictures).
#[test]
fn hostile_names_of_everything_are_text_in_every_file() {
    let place = duo();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile.toml");
    let scenario = scenario.to_str().unwrap();
    for command in ["compare", "run", "drill"] {
        let output = place.run(&[command, scenario, "--out", "report"]);
        let said = succeeds(&output) + &err(&output);
        assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
        assert_eq!(place.list(), ["duo.toml", "report"], "{command}");
        let (mut tables, mut folders) = (0, vec![place.path("report")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
                assert!(name.bytes().all(plain) && !name.starts_with('.'), "{name}");
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|kind| kind == "csv") {
                    tables += 1;
                    for cell in csv::Reader::from_path(path)
                        .unwrap()
                        .records()
                        .map(Result::unwrap)
                        .flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
                    {
                        let acts = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                        assert!(!acts || cell.parse::<f64>().is_ok(), "{name}: {cell}");
                    }
                }
            }
        }
        assert!(tables >= if command == "drill" { 1 } else { 4 }, "{command}: {tables}");
        let page = fs::read_to_string(place.path("report/report.html")).unwrap();
        assert_eq!(page.matches("<script").count(), 1, "the page's own");
        assert!(page.contains("&#60;script&#62;alert(1)") && !page.contains("<img"), "{command}");
    }
    // A name too long for tables and charts is refused.
    let long = format!("name = \"{}\"", "x".repeat(300));
    for name in ["name = \"us\"", "name = \"web\"", "name = \"duo\""] {
        place.write_with("long.toml", name, &long);
        place.refuses(&["validate", "long.toml"], &["300 characters; at most 100 are allowed"]);
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let place = duo();
    for arguments in [&["schema"][..], &["list", "figures"], &["run", "duo.toml"], &["show", "duo.toml"]] {
        let mut child = std::process::Command::new(PROGRAM)
            .args(arguments)
            .current_dir(place.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?} {error}");
        assert!(!error.contains("error") && !error.contains("panicked"), "{arguments:?} {error}");
    }
    assert!(place.path("reports/duo/report.html").is_file(), "the report is written all the same");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_told() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(PROGRAM).arg("schema").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("can't write to standard output"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_at_once_and_leaves_nothing() {
    let place = duo();
    let mut child = std::process::Command::new(PROGRAM)
        .args(["compare", "duo.toml", "--seeds", "100000", "--horizon", "20y"])
        .current_dir(place.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut headline = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut headline).unwrap();
    assert!(headline.contains("100000 seeds × 20 years"), "{headline}");
    let start = std::time::Instant::now();
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", err(&output));
    assert!(start.elapsed().as_secs() < 5);
    assert_eq!(place.list(), ["duo.toml"]);
}

#[test]
fn requests_are_traced_one_by_one() {
    let place = duo();
    let rows = succeeds(&place.run(&["trace", "duo.toml", "--horizon", "10s", "--limit", "20"]));
    assert_eq!(rows.lines().count(), 21);
    assert!(rows.starts_with("begun_s,ended_s,population,journey,cluster,"), "{rows}");
    let told =
        succeeds(&place.run(&["trace", "duo.toml", "--horizon", "10s", "--kind", "perfetto", "--out", "t.json"]));
    assert_eq!(told, "");
    let trace: serde_json::Value = serde_json::from_slice(&fs::read(place.path("t.json")).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let count = |ph: &str| events.iter().filter(|event| event["ph"] == ph).count();
    assert!(count("b") > 20 && count("b") == count("e") && count("M") == 2, "{}", events.len());
    assert_eq!(place.list(), ["duo.toml", "t.json"]);
    // A year of them is too many, and the whole file is refused before anything is written.
    place.refuses(&["trace", "duo.toml", "--horizon", "100000d"], &["horizon"]);
    let error = err(&place.run(&["trace", "duo.toml", "--horizon", "10s", "--out", "no/such/t.json"]));
    assert!(error.contains("can't write no/such/t.json"), "{error}");
}

#[test]
fn every_command_has_help_and_a_slip_is_caught() {
    let place = duo();
    for command in ["run", "compare", "validate", "show", "schema", "list", "catalog"] {
        let help = succeeds(&place.run(&[command, "--help"]));
        assert!(help.contains("Example") && help.contains(&format!("regionsim {command}")), "{help}");
    }
    let help = succeeds(&place.run(&["--help"]));
    assert!(help.contains("regionsim compare") && help.contains("130 interrupted"), "{help}");
    assert!(succeeds(&place.run(&["--version"])).starts_with(concat!("regionsim ", env!("CARGO_PKG_VERSION"))));
    place.refuses(&["comapre", "duo.toml"], &["compare"]);
    place.refuses(&["run", "duo.toml", "--sedes", "3"], &["--seeds"]);
    place.refuses(&["run"], &["<FILE>"]);
    place.refuses(&[], &["Usage"]);
    place.refuses(&["list", "metrisc"], &["metrics"]);
}

#[test]
fn the_schema_is_current() {
    let current = succeeds(&Command::new(PROGRAM).arg("schema").output().unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenario.schema.json");
    let committed = fs::read_to_string(file).unwrap_or_default();
    assert!(committed == current, "run: cargo run -- schema > scenario.schema.json");
    assert!(current.ends_with("}\n"));
}

#[test]
fn lists() {
    let place = duo();
    for (what, says) in [
        ("metrics", &["availability", "latency.p99.9", "cost.total"][..]),
        ("providers", &["aws", "azure", "gcp"]),
        ("regions", &["us-east-1", "westeurope", "europe-west1"]),
        ("cities", &["Frankfurt", "Tokyo"]),
        ("instance-types", &["m6i.2xlarge"]),
        ("distributions", &["lognormal", "weibull"]),
        ("policies", &["latency", "weighted"]),
        ("stages", &["stale-dns"]),
        ("profiles", &["web", "1.73"]),
        ("figures", &["route53.check_interval_fast"]),
        ("sources", &["regions/regions_aws.csv", "CC BY-SA 4.0"]),
    ] {
        let table = succeeds(&place.run(&["list", what]));
        let json = succeeds(&place.run(&["list", what, "--format", "json"]));
        for text in says {
            assert!(table.contains(text) && json.contains(text), "{what}: {text}");
        }
        let rows: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(rows.as_array().unwrap().len() + 1, table.lines().count(), "{what}: a line for each");
    }
    let aws = succeeds(&place.run(&["list", "regions", "--provider", "aws"]));
    assert!(aws.contains("us-east-1") && !aws.contains("westeurope"));
    place.refuses(&["list", "regions", "--provider", "asw"], &["did you mean `aws`?"]);
}

#[test]
fn catalog_has_figures_with_sources() {
    let place = duo();
    let page = succeeds(&place.run(&["catalog", "us-east-1"]));
    for text in ["US East (N. Virginia)", "0.384 USD/h, 8 vCPU, 32 GiB", "data/regions/regions_aws.csv", "2026-01-31"] {
        assert!(page.contains(text), "{text}");
    }
    let json: Value = serde_json::from_str(&succeeds(&place.run(&["catalog", "eu-west-1", "--format=json"]))).unwrap();
    assert_eq!(json[0]["title"], "region");
    place.refuses(&["catalog", "us-esat-1"], &["unknown region `us-esat-1`", "did you mean `us-east-1`?"]);
}

/// The scenario with a sweep.
fn swept(place: &Place, sweep: &str) {
    place.write("swept.toml", format!("{SCENARIO}\n{sweep}"));
}

const SWEEP: &str = r#"
[sweep.ttl]
path = "routing.via.dns.ttl"
values = ["30s", "300s"]

[sweep.size.values]
small = { }
large = { service.web.replicas = 20 }
"#;

#[test]
fn a_sweep_writes_its_grid_whatever_the_threads() {
    let place = duo();
    swept(&place, SWEEP);
    let table = succeeds(&place.run(&["sweep", "swept.toml", "--threads", "1", "--out", "one"]));
    assert!(table.starts_with("duo: 4 points × 4 seeds × 90 days\n"), "{table}");
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("30") && line.contains('$')).collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[0].starts_with("30s   small") && rows[3].starts_with("300s  large"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    succeeds(&place.run(&["sweep", "swept.toml", "--threads", "2", "--out", "two"]));
    let files = ["report.html", "summary.json", "sweep.csv", "scenario.resolved.toml"];
    for file in files.into_iter().chain(["charts/sweep-availability.svg", "charts/sweep-bill.svg"]) {
        let read = |folder: &str| fs::read(place.path(folder).join(file)).unwrap();
        assert_eq!(read("one"), read("two"), "{file}");
    }
    let summary: Value = serde_json::from_slice(&fs::read(place.path("one/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["sweep"]["axes"][0]["name"], "ttl");
    assert_eq!(summary["variants"][3]["name"], "ttl=300s, size=large");
    assert_eq!(summary["comparisons"].as_array().unwrap().len(), 0);
    let csv = fs::read_to_string(place.path("one/sweep.csv")).unwrap();
    assert!(csv.starts_with("ttl,size,point,metric,unit,mean,ci95_low,ci95_high\n30s,small,\"ttl=30s, size=small\","));
    // A report of a sweep is a report: it may be replaced.
    succeeds(&place.run(&["sweep", "swept.toml", "--variant", "both", "--quiet", "--out", "one"]));
}

/// A point is the scenario with its values set.
#[test]
fn a_point_is_what_set_would_make() {
    let place = duo();
    swept(&place, SWEEP);
    let read = |arguments: &[&str]| -> Value { serde_json::from_str(&succeeds(&place.run(arguments))).unwrap() };
    let sweep = read(&["sweep", "swept.toml", "--format", "json"]);
    let set = ["--set", "routing.via.dns.ttl=300s", "--set", "service.web.replicas=20", "--format", "json"];
    let alone = read(&[&["run", "swept.toml", "--out", "alone"], &set[..]].concat());
    assert_eq!(sweep["variants"][3]["metrics"], alone["variants"][0]["metrics"]);
    for command in ["compare", "show"] {
        succeeds(&place.run(&[command, "swept.toml"]));
    }
    let valid = succeeds(&place.run(&["validate", "swept.toml"]));
    assert_eq!(valid, "swept.toml: valid, a sweep of 4 points, 2 variants: base, both\n");
}

#[test]
fn mistakes_of_a_sweep_are_told_where_they_are() {
    let place = duo();
    place.refuses(&["sweep", "duo.toml"], &["there is no [sweep]", "add an axis", "regionsim run"]);
    let axis = |path: &str, values: &str| format!("[sweep.ttl]\npath = \"{path}\"\nvalues = {values}\n");
    let many = |name: &str| {
        let values: Vec<_> = (1..=101).map(|x| x.to_string()).collect();
        format!("[sweep.{name}]\npath = \"service.web.replicas\"\nvalues = [{}]\n", values.join(", "))
    };
    let ttl = "routing.via.dns.ttl";
    for (sweep, says) in [
        (axis(ttl, "[]"), ["axis `ttl` has no values", "values = []"]),
        (axis(ttl, "\"30s\""), ["expected a list of values, found a string", "expected a list"]),
        (axis("routing.via.dns.tll", "[\"30s\"]"), ["did you mean `ttl`?", "path = \"routing.via.dns.tll\""]),
        (axis("service.wbe.replicas", "[1]"), ["did you mean `web`?", "path = \"service.wbe.replicas\""]),
        (axis("a b", "[1]"), ["can't hold `b`", "path = \"a b\""]),
        (axis(ttl, "[\"30s\", \"300\"]"), ["\"300\"", "ttl=300"]),
        (axis(ttl, "[\"30s\", \"30s\"]"), ["axis `ttl` has the value `30s` twice", "again"]),
        (axis("simulation.horizon", "[\"30d\", \"60d\"]"), ["differ in `simulation`", "the sweep"]),
        (format!("{}{}", many("a"), many("b")), ["101 × 101 points; at most 10000", "leave out an axis"]),
        ("[sweep.ttl]\nvalues = [1]\n".to_owned(), ["axis `ttl` has no `path`", "[sweep.ttl.values.NAME]"]),
        ("[sweep.ttl]\nvalue = [1]\n".to_owned(), ["did you mean `values`?", "has no `values`"]),
        ("[sweep.a.values]\nx = 1\n".to_owned(), ["expected a table of changes, found a whole number", "x = 1"]),
        ("[sweep.a.values]\nx = { service.wbe.replicas = 1 }\n".to_owned(), ["no service `wbe`", "`web`"]),
        ("[sweep]\n".to_owned(), ["expected the axes of a sweep by name", "[sweep.ttl]"]),
    ] {
        swept(&place, &sweep);
        for command in ["sweep", "validate"] {
            place.refuses(&[command, "swept.toml"], &says);
        }
        succeeds(&place.run(&["show", "swept.toml"]));
    }
    swept(&place, SWEEP);
    place.refuses(&["sweep", "swept.toml", "--variant", "bth"], &["no variant `bth`", "did you mean `both`?"]);
}

#[test]
fn a_new_scenario_runs_as_it_is_and_replaces_nothing() {
    let place = duo();
    let list = succeeds(&place.run(&["new"]));
    let names: Vec<_> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["single", "active-passive", "active-active", "regional-dr"], "{list}");
    for name in names {
        let said = succeeds(&place.run(&["new", name]));
        let file = format!("{name}.toml");
        assert!(said.contains(&format!("regionsim run {file}")), "{said}");
        let valid = place.run(&["validate", &file]);
        assert_eq!(String::from_utf8_lossy(&valid.stderr), "", "no advice either");
        succeeds(&valid);
        succeeds(&place.run(&["run", &file, "--seeds", "2"]));
        let text = fs::read_to_string(place.path(&file)).unwrap();
        assert!(!text.contains('@') && text.contains(&format!("name = \"{name}\"")), "{text}");
        place.refuses(&["new", name], &["is there already", "name another file"]);
        assert_eq!(fs::read_to_string(place.path(&file)).unwrap(), text);
        assert_eq!(succeeds(&place.run(&["new", name, "-"])), text);
    }
    succeeds(&place.run(&["new", "single", "a \"b\".toml"]));
    succeeds(&place.run(&["validate", "a \"b\".toml"]));
    place.refuses(&["new", "activ-active"], &["no template `activ-active`", "did you mean `active-active`?"]);
}

/// Every file of a report's folder and its bytes.
fn files_of(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn seeds_are_added_until_the_interval_is_narrow_as_if_they_had_been_asked_for() {
    let place = duo();
    let summary = |folder: &str| -> Value {
        serde_json::from_slice(&fs::read(place.path(folder).join("summary.json")).unwrap()).unwrap()
    };
    for command in ["run", "compare"] {
        let until = ["--until", "availability ± 0.00001", "--max-seeds", "3000"];
        let output = place.run(&[&[command, "duo.toml", "--out", "grown"], &until[..]].concat());
        let printed = succeeds(&output);
        assert!(printed.contains("× 4 seeds or more × 90 days"), "{printed}");
        assert!(!err(&output).contains("not enough"), "{}", err(&output));
        let grown = summary("grown");
        let seeds = grown["scenario"]["seeds"].as_u64().unwrap();
        // Of 100 seeds the half-width is 0.000022, so five times as many are about enough; four seeds that agree by chance
        // end it sooner.
        assert!(seeds > 8 && seeds < 3000, "{seeds}");
        for variant in grown["variants"].as_array().unwrap() {
            let ci = &variant["metrics"][0]["ci95"];
            assert_eq!(variant["metrics"][0]["metric"], "availability");
            assert!(ci[1].as_f64().unwrap() - ci[0].as_f64().unwrap() <= 0.00002, "{ci}");
        }
        succeeds(&place.run(&[command, "duo.toml", "--out", "plain", "--seeds", &seeds.to_string()]));
        let (grown, plain) = (files_of(&place.path("grown")), files_of(&place.path("plain")));
        assert!(grown.keys().eq(plain.keys()));
        for (file, bytes) in grown {
            assert!(bytes == plain[&file], "{command}: {} differs", file.display());
        }
    }
    // Standard input can be read only once.
    let mut piped = Command::new(PROGRAM);
    piped.current_dir(place.path("")).args(["run", "-", "--quiet", "--until", "availability ± 0.01"]);
    succeeds(&piped.write_stdin(SCENARIO).output().unwrap());
}

#[test]
fn what_seeds_were_not_enough_for_is_said() {
    let place = duo();
    let until = ["run", "duo.toml", "--until", "availability ± 1e-9", "--until", "cost.bill ± 1e12"];
    let said = |more: &[&str]| {
        let output = place.run(&[&until[..], more].concat());
        succeeds(&output);
        err(&output)
    };
    let capped = said(&["--max-seeds", "20"]);
    assert!(capped.contains("20 seeds are not enough for availability ± 0.000000001 (which takes about"), "{capped}");
    assert!(capped.contains("--max-seeds") && !capped.contains("cost.bill"), "{capped}");
    let late = said(&["--budget", "0s"]);
    assert!(late.contains("4 seeds are not enough"), "{late}");
    assert_eq!(said(&["--max-seeds", "20", "--quiet"]), "");
    place.refuses(&["run", "duo.toml", "--until", "availabilty ± 1"], &["did you mean `availability`?"]);
    place.refuses(&["sweep", "duo.toml", "--until", "decided"], &["--until"]);
}
