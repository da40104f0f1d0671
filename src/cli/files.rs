//! Scenario files: read to a limit, and a clear word about what can't be read.

use super::failure::Failure;
use super::scenario::mistake;
use crate::diag::{did_you_mean, harmless};
use crate::scenario::load::Reader;
use crate::scenario::tree::MAX_BYTES;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The argument that stands for standard input.
pub(super) const STDIN: &str = "-";

/// Reads from the disk.
pub(super) struct Disk;

impl Reader for Disk {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        if path == Path::new(STDIN) {
            return stdin(limit);
        }
        let about = fs::metadata(path).map_err(|error| explain(path, error))?;
        if about.is_dir() {
            let example = siblings(path).into_iter().next().unwrap_or_else(|| "scenario.toml".to_owned());
            let message = format!("it is a folder; name a file, as in {}", path.join(example).display());
            return Err(io::Error::new(io::ErrorKind::IsADirectory, message));
        }
        // To open a pipe would wait for somebody to write to it.
        if !about.is_file() {
            let message = "it is neither a file nor a folder; to read from a pipe, name `-`";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let file = File::open(path).map_err(|error| explain(path, error))?;
        cut(file, limit)
    }
}

/// Remembers all that is read through it.
pub(super) struct Recorder<'a> {
    from: &'a dyn Reader,
    read: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(from: &'a dyn Reader) -> Self {
        Self { from, read: Mutex::default() }
    }

    /// By path, what was read.
    pub(super) fn into_files(self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.read.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for Recorder<'_> {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.from.read(path, limit)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes.clone());
        Ok(bytes)
    }
}

fn cut(from: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn stdin(limit: usize) -> io::Result<Vec<u8>> {
    let input = io::stdin();
    if input.is_terminal() {
        let message = "`-` is standard input, and that is the terminal; name a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    cut(input.lock(), limit)
}

/// The same error in plain words.
fn explain(path: &Path, error: io::Error) -> io::Error {
    let message = match error.kind() {
        io::ErrorKind::NotFound => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let siblings = path.parent().map(siblings).unwrap_or_default();
            match did_you_mean(&name, siblings.iter().map(String::as_str)) {
                Some(near) => format!("there is no such file; did you mean `{}`?", path.with_file_name(near).display()),
                None => "there is no such file".to_owned(),
            }
        }
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => return error,
    };
    io::Error::new(error.kind(), harmless(&message))
}

/// The scenarios among these paths: files as they are named, and of folders all that say `format`, by name; what has none
/// is a base of others. Without a path, those of the folder `scenarios`.
pub(super) fn scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let usual = [PathBuf::from("scenarios")];
    let paths = if paths.is_empty() { &usual } else { paths };
    let mut out: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            out.push(path.clone());
            continue;
        }
        let mut found = Vec::new();
        search(path, 0, &mut found);
        if found.is_empty() {
            let message = format!("there is no scenario in {}", harmless(&path.display().to_string()));
            return Err(mistake(message, "name a file, or a folder of .toml files that say `format`"));
        }
        out.append(&mut found);
    }
    let mut seen = HashSet::new();
    out.retain(|path| seen.insert(path.clone()));
    Ok(out)
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    /// Deeper than that is no folder of scenarios.
    const DEEPEST: usize = 8;
    found.extend(siblings(folder).into_iter().map(|name| folder.join(name)).filter(|file| is_scenario(file)));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A link may lead anywhere, or round in a circle.
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<_> = folders.map(|entry| entry.path()).collect();
    folders.retain(|folder| !folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    folders.sort_unstable();
    if depth < DEEPEST {
        for folder in folders {
            search(&folder, depth + 1, found);
        }
    }
}

/// Whether it says `format`. What can't be read counts, so that it is told why.
fn is_scenario(file: &Path) -> bool {
    let Ok(bytes) = Disk.read(file, MAX_BYTES) else { return true };
    let text = String::from_utf8_lossy(&bytes);
    text.parse::<toml::Table>().map_or(true, |table| table.contains_key("format"))
}

/// The scenario files of a folder, by name.
fn siblings(folder: &Path) -> Vec<String> {
    // More than that is no folder of scenarios.
    const MOST: usize = 1000;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(folder).into_iter().flatten().take(MOST).flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml")).collect();
    names.sort_unstable();
    names
}
