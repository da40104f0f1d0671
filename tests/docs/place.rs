//! Where a document's blocks are tried, and what is said of those that don't work.

use super::blocks::Block;
use super::python::{RUN_SQL, python};
use super::{PROGRAM, ROOT};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Seeds of every command that isn't in a console.
const SEEDS: &str = "4";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { fs::copy(&path, &to).map(|_| ()).unwrap() }
    }
}

/// Where a document's blocks are tried.
pub(crate) struct Place {
    folder: TempDir,
    /// Console blocks that print something else now: as they are, and as they should be.
    pub(crate) printed: RefCell<Vec<(String, String)>>,
}

impl Place {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script; of a console's, the errors are where they would be read.
    pub(crate) fn bash(&self, script: &str, is_console: bool) -> Output {
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
    pub(crate) fn trial(&self, block: &Block) -> Result<(), String> {
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
            now.extend(["$ ", command, "\n"]);
            now.extend(lines(&printed).iter().flat_map(|line| [*line, "\n"]));
            if !is_like(&lines(expected), &lines(&printed)) {
                wrong.extend(["`", command, "` prints\n", &printed, "\n"]);
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

fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

/// Whether the lines printed are those expected; `…` stands for any.
pub(crate) fn is_like(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|from| is_like(rest, &printed[from..])),
        Some((line, rest)) => printed.first() == Some(line) && is_like(rest, &printed[1..]),
    }
}
