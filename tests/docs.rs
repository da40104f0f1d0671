//! Every snippet of the docs is tried: `README.md`, `docs/*.md`, `docs/how-to/*.md`.
//!
//! Each document has a folder of its own with a copy of `scenarios/` and `examples/`, and the GitOps repository of the
//! tests as `~/gitops`; what an earlier block makes, a later one finds.
//!
//! - **A block of commands** (no language, or `sh`) is run by `bash -e`, so every command has to succeed. `cargo run
//!   --release --` is the program that the tests were built with. Whatever number of seeds is asked for, four are run, and
//!   eight with `--until`: what is printed isn't looked at.
//! - **A `console` block** has commands after `$`, and below each what it prints, on both streams. It runs as it stands, with
//!   all its seeds, and has to print just that; a line `…` stands for any lines.
//! - **A `toml` block** is a scenario if it says `format`; else a part of one: it is laid over the scenario that `regionsim new
//!   active-passive` writes, or over the one that a comment before the block names. `regionsim validate` has to accept
//!   the whole.
//! - **`sql` and `python`** are run by Python with DuckDB and pandas in the folder of the document's report; where these are
//!   missing, that is said and they aren't. `.ci/run` puts them into `target/analysis`.
//! - Comments before a block: `<!-- onto FILE -->`; `<!-- needs pandas -->`; `<!-- not run: WHY -->`; `<!-- not run COMMAND:
//!   WHY -->`, of single lines.
//!
//! `UPDATE=1 cargo test --test docs` writes what `console` blocks print anew, but for those with a `…`.
//! - **In the text**, of `regionsim …` between backquotes the command and its options have to be there, and what a relative
//!   link leads to.

use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_regionsim");
/// Seeds of a command that doesn't say how many.
const SEEDS: &str = "4";

/// A fenced block.
#[derive(Debug)]
struct Block {
    line: usize,
    language: String,
    text: String,
    /// Comments just before it.
    comments: Vec<String>,
}

impl Block {
    /// Why it isn't run, or a line of it that begins with `command`.
    fn is_not_run(&self, command: Option<&str>) -> bool {
        let what = command.map_or("not run:".to_owned(), |command| format!("not run {command}:"));
        self.comments.iter().any(|comment| comment.strip_prefix(&what).is_some_and(|why| !why.trim().is_empty()))
    }

    fn onto(&self) -> Option<&str> {
        self.comments.iter().find_map(|comment| comment.strip_prefix("onto "))
    }
}

fn blocks(markdown: &str) -> Vec<Block> {
    let (mut all, mut comments) = (Vec::new(), Vec::new());
    let mut open: Option<Block> = None;
    for (number, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => all.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, Some(language)) => {
                let (language, text) = (language.trim().to_owned(), String::new());
                open = Some(Block { line: number + 1, language, text, comments: std::mem::take(&mut comments) });
            }
            (None, None) => match line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
                Some(comment) => comments.push(comment.to_owned()),
                None if line.trim().is_empty() => {}
                None => comments.clear(),
            },
        }
    }
    assert!(open.is_none(), "a block isn't closed: {open:?}");
    all
}

/// The documents and their text.
fn documents() -> Vec<(String, String)> {
    let mut files = vec![PathBuf::from("README.md")];
    for folder in ["docs", "docs/how-to"] {
        let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| Path::new(folder).join(name)).collect();
        names.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
        names.sort();
        files.extend(names);
    }
    let read = |file: PathBuf| {
        let text = fs::read_to_string(Path::new(ROOT).join(&file)).unwrap();
        (file.display().to_string(), text)
    };
    files.into_iter().map(read).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { fs::copy(&path, &to).map(|_| ()).unwrap() }
    }
}

/// Where a document's blocks are tried.
struct Place {
    folder: TempDir,
    /// Console blocks that print something else now: as they are, and as they should be.
    printed: RefCell<Vec<(String, String)>>,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), printed: RefCell::default() };
        let root = Path::new(ROOT);
        copy(&root.join("scenarios"), &place.path("work/scenarios"));
        copy(&root.join("examples"), &place.path("work/examples"));
        copy(&root.join("tests/fixtures/gitops"), &place.path("home/gitops"));
        // Few seeds, unless `FULL` is set.
        let regionsim = format!(
            r#"#!/bin/bash
if [ -z "$FULL" ]; then
    arguments=() seeds=
    while [ $# -gt 0 ]; do
        case "$1" in
            --seeds) seeds=1; arguments+=(--seeds {SEEDS}); shift ;;
            --max-seeds) shift ;;
            --until) arguments+=(--max-seeds 8 --until "$2"); shift ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    set -- "${{arguments[@]}}"
    case "$1" in run|compare|sweep|check|drill) [ -n "$seeds" ] || set -- "$@" --seeds {SEEDS} ;; esac
fi
exec '{PROGRAM}' "$@"
"#
        );
        let cargo = "#!/bin/bash\n[ \"$1 $2 $3\" = 'run --release --' ] || { echo \"cargo $* isn't known\" >&2; exit 9; }\n\
                     shift 3\nexec regionsim \"$@\"\n";
        fs::create_dir_all(place.path("bin")).unwrap();
        let python = python().map(|python| format!("#!/bin/bash\nexec '{}' \"$@\"\n", python.display()));
        let programs =
            [("regionsim", Some(regionsim.as_str())), ("cargo", Some(cargo)), ("python3", python.as_deref())];
        for (name, text) in programs.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            fs::write(place.path("bin").join(name), text).unwrap();
            #[cfg(unix)]
            fs::set_permissions(place.path("bin").join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script; of a console's, the errors are where they would be read.
    fn bash(&self, script: &str, is_console: bool) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        let script = if is_console { format!("exec 2>&1\n{script}") } else { format!("set -euo pipefail\n{script}") };
        let mut command = Command::new("bash");
        command.current_dir(self.path("work")).env("PATH", path).env("HOME", self.path("home")).arg("-c").arg(script);
        command.env_remove("FULL");
        if is_console {
            command.env("FULL", "1");
        }
        command.output().expect("the docs' commands are for bash")
    }

    /// Tries a block, and says what is wrong with it.
    fn trial(&self, block: &Block) -> Result<(), String> {
        if block.is_not_run(None) {
            return Ok(());
        }
        match block.language.as_str() {
            "" | "sh" => self.commands(block),
            "console" => self.console(block),
            "toml" => self.scenario(block),
            "sql" | "python" => self.analysis(block),
            other => Err(format!("nobody knows how to try `{other}`: say why not, <!-- not run: WHY -->")),
        }
    }

    /// In the folder of the one report that there is.
    fn analysis(&self, block: &Block) -> Result<(), String> {
        let Some(python) = python() else { return Ok(()) };
        let reports: Vec<_> = fs::read_dir(self.path("work/reports")).unwrap().map(|e| e.unwrap().path()).collect();
        let [report] = &reports[..] else { return Err(format!("of which report? {reports:?}")) };
        let program = if block.language == "sql" { RUN_SQL } else { "import sys; exec(sys.argv[1])" };
        let output = Command::new(python).current_dir(report).args(["-c", program, &block.text]).output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    fn commands(&self, block: &Block) -> Result<(), String> {
        if block.comments.iter().any(|comment| comment == "needs pandas") && python().is_none() {
            return Ok(());
        }
        let is_run = |line: &&str| {
            let words: Vec<_> = line.split_whitespace().collect();
            !(1..=words.len()).any(|count| block.is_not_run(Some(&words[..count].join(" "))))
        };
        let script: Vec<_> = block.text.lines().filter(is_run).collect();
        let output = self.bash(&script.join("\n"), false);
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{}: {said}", output.status)) }
    }

    fn console(&self, block: &Block) -> Result<(), String> {
        let (mut wrong, mut now) = (String::new(), String::new());
        for part in format!("\n{}", block.text).split("\n$ ").skip(1) {
            let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
            let output = self.bash(command, true);
            let printed = String::from_utf8_lossy(&output.stdout);
            now += &format!("$ {command}\n");
            now.extend(lines(&printed).iter().flat_map(|line| [*line, "\n"]));
            if !is_like(&lines(expected), &lines(&printed)) {
                wrong += &format!("`{command}` prints\n{printed}\n");
            }
        }
        if !wrong.is_empty() && !block.text.contains('…') {
            self.printed.borrow_mut().push((block.text.clone(), now));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn scenario(&self, block: &Block) -> Result<(), String> {
        let folder = self.path("work");
        let mut text = block.text.clone();
        if !text.lines().any(|line| line.starts_with("format")) {
            let base = block.onto().unwrap_or("base.toml");
            if block.onto().is_none() && !folder.join(base).exists() {
                let output =
                    Command::new(PROGRAM).current_dir(&folder).args(["new", "active-passive", base]).output().unwrap();
                assert!(output.status.success());
            }
            // A variant of the base may be of something that the part takes away.
            text = format!("extends = \"{base}\"\n{text}");
        }
        fs::write(folder.join("snippet.toml"), text).unwrap();
        let output = Command::new(PROGRAM).current_dir(folder).args(["validate", "snippet.toml"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(said.into_owned()) }
    }
}

/// Runs each statement, and prints what the last one gives as JSON.
const RUN_SQL: &str = "
import duckdb, json, sys
for statement in duckdb.extract_statements(sys.argv[1]):
    result = duckdb.execute(statement)
print(json.dumps(result.fetchall()))
";

/// A Python that has DuckDB and pandas.
fn python() -> Option<&'static Path> {
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

fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

/// Whether the lines printed are those expected; `…` stands for any.
fn is_like(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|from| is_like(rest, &printed[from..])),
        Some((line, rest)) => printed.first() == Some(line) && is_like(rest, &printed[1..]),
    }
}

#[test]
fn every_snippet_works() {
    let tried = std::sync::Mutex::new(BTreeMap::new());
    let trial = |(name, text): (String, String)| {
        let blocks = blocks(&text);
        let place = Place::new();
        let mut wrong = String::new();
        for block in &blocks {
            if let Err(why) = place.trial(block) {
                let _ = writeln!(wrong, "{name}:{}\n{}\n{why}", block.line, block.text);
            }
        }
        if std::env::var_os("UPDATE").is_some() {
            let printed = place.printed.borrow();
            let text = printed.iter().fold(text, |text, (then, now)| text.replacen(then, now, 1));
            fs::write(Path::new(ROOT).join(&name), text).unwrap();
        }
        tried.lock().unwrap().insert(name, blocks.len());
        wrong
    };
    let documents: Vec<_> = documents().into_iter().filter(|(_, text)| text.contains("```")).collect();
    // Two at a time: most of it is waiting for another program.
    let queue = std::sync::Mutex::new(documents.into_iter());
    let wrong: String = std::thread::scope(|scope| {
        let work = || {
            let mut wrong = String::new();
            loop {
                let next = queue.lock().unwrap().next();
                let Some(document) = next else { return wrong };
                wrong += &trial(document);
            }
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    assert!(wrong.is_empty(), "{wrong}");
    let tried = tried.into_inner().unwrap();
    for document in ["README.md", "docs/tutorial.md", "docs/how-to/write-a-fault.md"] {
        assert!(tried.get(document).is_some_and(|count| *count > 0), "{document} has no snippets");
    }
}

/// Pieces between single backquotes outside of fenced blocks.
fn spans(markdown: &str) -> Vec<String> {
    let (mut text, mut is_block) = (String::new(), false);
    for line in markdown.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if !is_block {
            text += line;
            text.push(if line.is_empty() { '\n' } else { ' ' });
        }
    }
    let paragraphs = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    paragraphs.map(str::to_owned).collect()
}

#[test]
fn commands_in_the_text_are_there() {
    let mut help: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = 0;
    for (name, text) in documents() {
        for span in spans(&text).into_iter().filter(|span| span.starts_with("regionsim ")) {
            let words: Vec<_> = span.split_whitespace().skip(1).collect();
            let command = words.first().copied().unwrap_or("--help");
            if command.starts_with('-') {
                continue;
            }
            let help = help.entry(command.to_owned()).or_insert_with(|| {
                let arguments =
                    if command == "import" { vec!["import", "k8s", "--help"] } else { vec![command, "--help"] };
                let output = Command::new(PROGRAM).args(arguments).output().unwrap();
                assert!(output.status.success(), "{name}: `{span}`: there is no such command");
                String::from_utf8(output.stdout).unwrap()
            });
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap();
                assert!(help.contains(option), "{name}: `{span}`: {command} has no {option}");
            }
            if let ("list", Some(what)) = (command, words.get(1).filter(|what| **what != "WHAT")) {
                assert!(help.contains(&format!(" {what}:")), "{name}: `{span}`: there is no such list");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn links_lead_somewhere() {
    let slug = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
    };
    for (name, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = Path::new(ROOT).join(&name);
            let target = if file.is_empty() { target } else { target.parent().unwrap().join(file) };
            assert!(target.exists(), "{name}: {link}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let is_there = text
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| slug(line.trim_start_matches('#')) == anchor);
                assert!(is_there, "{name}: {link}: no such heading");
            }
        }
    }
}

/// The example of a workflow gives our action no input that it doesn't have.
#[test]
fn workflows_give_the_action_what_it_takes() {
    let action = fs::read_to_string(Path::new(ROOT).join("action.yml")).unwrap();
    let inputs = action.split("\ninputs:\n").nth(1).unwrap().split("\nruns:").next().unwrap();
    let mut seen = 0;
    for (name, text) in documents() {
        for block in blocks(&text).into_iter().filter(|block| block.language == "yaml") {
            let step = block.text.split("/regionsim@").nth(1).expect("a workflow that uses the action");
            let with = step.lines().skip(1).skip_while(|line| !line.trim_start().starts_with("with:")).skip(1);
            for line in with.take_while(|line| line.starts_with("          ")) {
                let key = line.trim().split(':').next().unwrap();
                assert!(
                    inputs.contains(&format!("\n  {key}:\n")) || inputs.starts_with(&format!("  {key}:\n")),
                    "{name}: {key}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_snippet_that_does_not_work_is_found() {
    let place = Place::new();
    for (markdown, says) in [
        ("```\nregionsim run nowhere.toml\n```\n", "can't read nowhere.toml"),
        ("```\nregionsim list\ncargo test\n```\n", ""),
        ("```toml\n[[service]]\nname = \"web\"\nreplicsa = 3\n```\n", "did you mean `replicas`?"),
        ("```toml\nformat = 1\nname = \"x\"\n```\n", "missing key `cluster`"),
        ("```console\n$ regionsim new\nnothing\n```\n", "active-passive"),
        ("```rust\nfn main() {}\n```\n", "nobody knows"),
    ] {
        let why = place.trial(&blocks(markdown)[0]).expect_err(markdown);
        assert!(why.contains(says), "{markdown}{why}");
    }
    for markdown in [
        "<!-- not run: it takes a day -->\n```\nregionsim run nowhere.toml\n```\n",
        "<!-- not run cargo test: this is it -->\n\n```\ncargo test     # all\nregionsim list metrics\n```\n",
        "```console\n$ regionsim new\n…\nactive-passive  one region serves, another stands by\n…\n```\n",
        "<!-- onto scenarios/quickstart.toml -->\n```toml\n[[population]]\nname = \"world\"\nrate = \"900/s\"\n```\n",
    ] {
        let block = &blocks(markdown)[0];
        assert_eq!(place.trial(block), Ok(()), "{markdown}");
    }
    assert!(is_like(&["a", "…", "c"], &["a", "b", "b", "c"]) && !is_like(&["a", "…"], &["b"]) && is_like(&["…"], &[]));
    assert_eq!(spans("a `b\nc` d\n```\n`x`\n```\n`e`"), ["b c", "e"]);
}
