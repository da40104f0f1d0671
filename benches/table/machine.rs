//! What figures were measured on, and where they are written.

use std::process::Command;

/// A command's first line; empty if there is no such command.
fn said(program: &str, arguments: &[&str]) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(program).args(arguments).current_dir(root).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Day, commit, processor, load and compiler, in a sentence.
pub(crate) fn about() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|split| split.1);
    let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no", "src", "Cargo.lock"]);
    format!(
        "{} · commit {}{} · {} · {cores} cores, load {} · {}\n\n",
        said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        if changed.is_empty() { "" } else { " and changes" },
        model.unwrap_or("processor unknown"),
        if load.is_empty() { "unknown" } else { &load },
        said("rustc", &["--version"]),
    )
}

/// Writes a text between its markers in a file of the repository.
pub(crate) fn update(file: &str, name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let [begin, end] = ["begin", "end"].map(|edge| format!("<!-- {name}: {edge} -->\n"));
    let (before, rest) = page.split_once(&begin).expect("a marker where it begins");
    let (_, after) = rest.split_once(&end).expect("a marker where it ends");
    std::fs::write(&path, format!("{before}{begin}{text}{end}{after}")).expect("the page can be written");
    println!("{file} is up to date");
}
