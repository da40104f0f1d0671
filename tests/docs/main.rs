//! Every snippet of the docs is tried: `README.md`, `docs/*.md`, `docs/how-to/*.md`.
//!
//! Each document has a folder of its own with a copy of `scenarios/` and `examples/`, and the repository of manifests of
//! the tests as `~/gitops`; what an earlier block makes, a later one finds.
//!
//! - **A block of commands** (no language, or `sh`) is run by `bash -e`, so every command has to succeed. `cargo run
//!   --release --` is the program that the tests were built with. Whatever number of seeds is asked for, four are run, and
//!   eight with `--until`: what is printed isn't looked at.
//! - **A `console` block** has commands after `$`, and below each what it prints, on both streams. It runs as it stands, with
//!   all its seeds, and has to print just that; a line `…` stands for any lines.
//! - **A `toml` block** is a scenario if it says `format`; else a part of one: it is laid over the scenario that `regionsim new
//!   active-passive` writes, or over the one that a comment before the block names. `regionsim validate` has to accept
//!   the whole.
//! - **`sql` and `python`** are run by Python with its packages `duckdb` and `pandas` in the folder of the document's
//!   report; where these are missing, that is said and they aren't. `.ci/run` puts them into `target/analysis`.
//! - Comments before a block: `<!-- onto FILE -->`; `<!-- needs pandas -->`; `<!-- not run: WHY -->`; `<!-- not run COMMAND:
//!   WHY -->`, of single lines.
//! - **In the text**, of `regionsim …` between backquotes the command and its options have to be there, and what a relative
//!   link leads to.
//!
//! `UPDATE=1 cargo test --test docs` writes what `console` blocks print anew, but for those with a `…`.

mod blocks;
mod place;
mod python;

use blocks::blocks;
use place::{Place, is_like};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_regionsim");

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
