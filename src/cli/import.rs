//! `regionsim import`: a scenario from what describes a platform elsewhere.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::scenario::{Wanted, check, mistake, say};
use super::{files, terminal, write};
use crate::diag::{Diagnostics, Sources, harmless};
use crate::import::{Imported, Repository, Skipped, import};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most files of one repository.
const MAX_FILES: usize = 100_000;
/// The deepest folder.
const MAX_DEPTH: usize = 32;
/// What messages are folded to, in columns.
const WIDTH: usize = 80;

/// Write a scenario from what describes a platform elsewhere
#[derive(Args)]
#[command(after_help = "Example: regionsim import k8s ~/gitops -o shop.toml")]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    K8s(K8s),
}

/// Read Kubernetes manifests of a repository: workloads, autoscalers, Argo CD, Flux, Kustomize
///
/// Nothing is executed or fetched, and no link is followed. What no manifest says is filled in and marked `# assumed`.
#[derive(Args)]
#[command(after_help = "Example: regionsim import k8s ~/gitops -o shop.toml")]
struct K8s {
    /// Folders of repositories, as with `clusters/NAME/*.yaml`
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The file to write; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
}

impl Import {
    pub(super) fn execute(self) -> Result<(), Failure> {
        match self.from {
            From::K8s(command) => command.execute(),
        }
    }
}

impl K8s {
    fn execute(self) -> Result<(), Failure> {
        if let Some(file) = self.output.as_ref().filter(|file| !self.force && file.symlink_metadata().is_ok()) {
            let message = format!("{} is there already", file.display());
            return Err(mistake(harmless(&message), "name another file, or replace it with --force"));
        }
        let disk = Disk::new(&self.folders)?;
        let name = self.folders.first().and_then(|folder| fs::canonicalize(folder).ok());
        let name = name.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let (mut sources, mut found, mut skipped) = (Sources::default(), Diagnostics::default(), Skipped::default());
        let imported = import(&name, &disk, &mut sources, &mut found, &mut skipped);
        terminal::diagnostics(&found, &sources);
        terminal::say(&told(imported.as_ref(), &skipped, &found, &disk));
        let Some(imported) = imported else {
            let message = "no Deployment or StatefulSet that a scenario could be made of";
            return Err(mistake(
                message,
                "name the folder that holds `clusters/NAME/*.yaml`, or render the charts first",
            ));
        };
        match &self.output {
            Some(file) => write::file(file, imported.toml.as_bytes())?,
            None => terminal::print(&imported.toml)?,
        }
        accepted(&imported.toml)
    }
}

/// Checks the scenario as `validate` would. The file is written all the same: it shows what has to be changed.
fn accepted(toml: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Write(anyhow::Error::new(error).context("can't check the scenario"));
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("imported.toml");
    fs::write(&file, toml).map_err(failed)?;
    let mut checked = check(&file, &Changes::default(), &Wanted::All);
    if !checked.found.has_errors() {
        return Ok(());
    }
    "the imported scenario".clone_into(&mut checked.file);
    say(std::slice::from_ref(&checked), Format::Human, true);
    Err(Failure::Mistakes)
}

/// What was found and what was passed over.
fn told(imported: Option<&Imported>, skipped: &Skipped, found: &Diagnostics, disk: &Disk) -> String {
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut out = String::new();
    if let Some(imported) = imported {
        let parts = [(imported.clusters, "cluster"), (imported.services, "service"), (imported.stores, "store")];
        let parts: Vec<_> = parts.iter().map(|(count, what)| many(*count, what)).collect();
        let _ = writeln!(out, "found: {}", parts.join(", "));
    }
    if !skipped.kinds.is_empty() {
        let kinds: Vec<_> = skipped.kinds.iter().map(|(kind, count)| format!("{} ×{count}", harmless(kind))).collect();
        let _ = writeln!(out, "kinds that say nothing a scenario holds: {}", kinds.join(", "));
    }
    for note in &skipped.notes {
        let _ = writeln!(out, "note: {}", harmless(note));
    }
    if disk.links > 0 {
        let _ = writeln!(out, "note: {} not followed", many(disk.links, "link"));
    }
    for path in disk.unreadable.iter().take(10) {
        let _ = writeln!(out, "note: {} can't be read", harmless(path));
    }
    if disk.unreadable.len() > 10 {
        let _ = writeln!(out, "note: and {} more", disk.unreadable.len() - 10);
    }
    if disk.is_cut {
        let _ = writeln!(out, "note: only the first {MAX_FILES} files, to a depth of {MAX_DEPTH}, are read");
    }
    if !found.is_empty() {
        let _ = writeln!(out, "{}, see above", many(found.len(), "problem"));
    }
    out.lines().map(folded).collect()
}

/// The line folded at spaces, with what follows indented.
fn folded(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push_str("\n  ");
            width = 2;
        } else if !out.is_empty() {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out + "\n"
}

/// The files of the folders: no links, nothing hidden.
struct Disk {
    /// With a slash between parts.
    paths: Vec<String>,
    /// Where the files are: the first folder that has one.
    roots: Vec<PathBuf>,
    links: usize,
    /// Folders that can't be listed, and names that are no text.
    unreadable: Vec<String>,
    is_cut: bool,
}

impl Disk {
    fn new(folders: &[PathBuf]) -> Result<Self, Failure> {
        let mut disk = Self { paths: Vec::new(), roots: Vec::new(), links: 0, unreadable: Vec::new(), is_cut: false };
        for folder in folders {
            let is_folder = fs::metadata(folder).is_ok_and(|about| about.is_dir());
            if !is_folder {
                let message = format!("{} is no folder", folder.display());
                return Err(mistake(harmless(&message), "name the folder of a repository"));
            }
            // Several repositories are one: folders of one name are merged.
            disk.roots.push(folder.clone());
            disk.walk(folder, "", 0);
        }
        disk.paths.sort();
        disk.paths.dedup();
        Ok(disk)
    }

    fn walk(&mut self, folder: &Path, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.is_cut = true;
            return;
        }
        let Ok(entries) = fs::read_dir(folder) else {
            self.unreadable.push(path.to_owned());
            return;
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let Ok(name) = entry.file_name().into_string() else {
                self.unreadable.push(entry.file_name().to_string_lossy().into_owned());
                continue;
            };
            let inner = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            if self.paths.len() >= MAX_FILES {
                self.is_cut = true;
                return;
            }
            if kind.is_symlink() {
                self.links += 1;
            } else if kind.is_dir() {
                self.walk(&entry.path(), &inner, depth + 1);
            } else if kind.is_file() {
                self.paths.push(inner);
            }
        }
    }
}

impl Repository for Disk {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let files = self.roots.iter().map(|root| root.join(path));
        let file = files.into_iter().find(|file| file.symlink_metadata().is_ok_and(|about| about.is_file()));
        crate::scenario::load::Reader::read(&files::Disk, &file.ok_or(io::ErrorKind::NotFound)?, limit)
    }
}
