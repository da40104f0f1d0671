//! Every snippet of the docs is tried: `README.md`, `docs/*.md`, `docs/how-to/*.md`.
//!
//! Each document has a folder of its own with a copy of `scenarios/` and `examples/`, and the GitOps repository of the
//! tests as `~/gitops`; what an earlier block makes, a later one finds.
//!
//! - **A block of commands** (no language, or `sh`) is run by `bash -e`, so every command has to succeed. `cargo run
//!   --release --` is the program that the tests were built with. Where no number of seeds is asked for, four are run: what
//!   is printed isn't looked at.
//! - **A `console` block** has commands after `$`, and below each what it prints, on both streams. It runs as it stands, with
//!   all its seeds, and has to print just that; a line `…` stands for any lines.
//! - **A `toml` block** is a scenario if it says `format`; else a part of one: it is laid over the scenario that `regionsim new
//!   active-passive` writes, or over the one that a comment before the block names. `regionsim validate` has to accept
//!   the whole.
//! - **`sql` and `python`** are run by `duckdb` and `python3` where these are there: see `tests/analysis.rs`.
//! - Comments before a block: `<!-- onto FILE -->`; `<!-- not run: WHY -->`; `<!-- not run COMMAND: WHY -->`, of single lines.
//! - **In the text**, of `regionsim …` between backquotes the command and its options have to be there, and what a relative
//!   link leads to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
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
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let root = Path::new(ROOT);
        copy(&root.join("scenarios"), &place.path("work/scenarios"));
        copy(&root.join("examples"), &place.path("work/examples"));
        copy(&root.join("tests/fixtures/gitops"), &place.path("home/gitops"));
        // Few seeds, unless the command says how many, or `FULL` is set.
        let regionsim = format!(
            "#!/bin/bash\nif [ -z \"$FULL\" ]; then case \"$1\" in run|compare|sweep|check|drill)\n\
             case \" $* \" in *' --seeds '*|*' --help '*) ;; *) set -- \"$@\" --seeds {SEEDS};; esac;; esac; fi\n\
             exec '{PROGRAM}' \"$@\"\n"
        );
        let cargo = "#!/bin/bash\n[ \"$1 $2 $3\" = 'run --release --' ] || { echo \"cargo $* isn't known\" >&2; exit 9; }\n\
                     shift 3\nexec regionsim \"$@\"\n";
        fs::create_dir_all(place.path("bin")).unwrap();
        for (name, text) in [("regionsim", regionsim.as_str()), ("cargo", cargo)] {
            fs::write(place.path("bin").join(name), text).unwrap();
            #[cfg(unix)]
            fs::set_permissions(place.path("bin").join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
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
            "sql" | "python" => Ok(()),
            other => Err(format!("nobody knows how to try `{other}`: say why not, <!-- not run: WHY -->")),
        }
    }

    fn commands(&self, block: &Block) -> Result<(), String> {
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
        for part in format!("\n{}", block.text).split("\n$ ").skip(1) {
            let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
            let output = self.bash(command, true);
            let printed = String::from_utf8_lossy(&output.stdout);
            if !is_like(&lines(expected), &lines(&printed)) {
                return Err(format!("`{command}` prints\n{printed}"));
            }
        }
        Ok(())
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
        ("```toml\nformat = 1\nname = \"x\"\n```\n", "population"),
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
