//! The documents of a repository by file and folder, and the problems met on the way.
//!
//! Each document of a file is read alone, so that a broken one doesn't take the others with it.

use super::yaml::{self, Mistake, Node, Place};
use super::{Repository, Skipped};
use crate::diag::{Diagnostic, Diagnostics, Origin, Sources};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most bytes of one file.
const MAX_BYTES: usize = 4 << 20;
/// The most bytes of all files.
const MAX_TOTAL: usize = 512 << 20;
/// The most bytes that are kept to show lines of.
const MAX_SHOWN: usize = 32 << 20;

/// Where problems go.
pub(super) struct Problems<'a> {
    sources: &'a mut Sources,
    found: &'a mut Diagnostics,
    pub(super) skipped: &'a mut Skipped,
    shown: usize,
}

impl<'a> Problems<'a> {
    pub(super) fn new(sources: &'a mut Sources, found: &'a mut Diagnostics, skipped: &'a mut Skipped) -> Self {
        Self { sources, found, skipped, shown: 0 }
    }

    /// A problem at a line, with the line shown while there is room.
    fn at(&mut self, path: &str, text: &str, mistake: &Mistake, what: &str, help: &str) {
        let diagnostic = if self.shown + text.len() > MAX_SHOWN {
            Diagnostic::warning(format!("{path}:{}: {what}", mistake.line))
        } else {
            self.shown += text.len();
            let source = self.sources.file(path, text);
            let line: usize = text.split_inclusive('\n').take(mistake.line - 1).map(str::len).sum();
            let rest = text[line..].lines().next().unwrap_or_default();
            let column = rest.char_indices().nth(mistake.column).map_or(rest.len(), |(at, _)| at);
            let end = line + rest.len().max(column + 1);
            let origin = Origin::new(source, line + column..end.min(text.len()).max(line + column));
            Diagnostic::warning(what).label(origin, mistake.message.as_str())
        };
        self.found.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// A file that can't be read at all.
    fn file(&mut self, path: &str, why: &str) {
        self.found.push(Diagnostic::warning(format!("{path}: {why}; it is left out")));
    }

    /// Something to know that has no line to show.
    pub(super) fn warn(&mut self, what: String) {
        self.found.push(Diagnostic::warning(what));
    }

    /// Something that was passed over.
    pub(super) fn note(&mut self, what: String) {
        if !self.skipped.notes.contains(&what) && self.skipped.notes.len() < 100 {
            self.skipped.notes.push(what);
        }
    }
}

/// A folder's own files and folders.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) files: BTreeSet<String>,
    pub(super) folders: BTreeSet<String>,
}

/// All documents.
pub(super) struct Documents {
    /// Paths by a place's `file`.
    files: Vec<String>,
    by_file: BTreeMap<String, Vec<Rc<Node>>>,
    folders: BTreeMap<String, Folder>,
    charts: BTreeSet<String>,
    /// Files that are templates, or can't be read.
    left_out: BTreeSet<String>,
}

impl Documents {
    pub(super) fn read(repository: &dyn Repository, problems: &mut Problems<'_>) -> Self {
        let mut all = Self {
            files: Vec::new(),
            by_file: BTreeMap::new(),
            folders: BTreeMap::from([(String::new(), Folder::default())]),
            charts: repository
                .paths()
                .iter()
                .filter_map(|path| Some(path.strip_suffix("Chart.yaml")?.into()))
                .collect(),
            left_out: BTreeSet::new(),
        };
        all.charts = all.charts.iter().map(|folder| folder.trim_end_matches('/').to_owned()).collect();
        let mut total = 0;
        for path in repository.paths() {
            let name = path.rsplit('/').next().unwrap_or(path);
            let extension = name.rsplit_once('.').map(|(_, extension)| extension);
            let is_json = extension == Some("json");
            if !(is_json || matches!(extension, Some("yaml" | "yml")) || name == "Kustomization") {
                continue;
            }
            let bytes = match repository.read(path, MAX_BYTES + 1) {
                Ok(bytes) => bytes,
                Err(error) => {
                    problems.file(path, &format!("can't be read: {error}"));
                    all.left_out.insert(path.clone());
                    continue;
                }
            };
            total += bytes.len();
            if bytes.len() > MAX_BYTES {
                problems.file(path, &format!("is larger than {} MiB", MAX_BYTES >> 20));
                all.left_out.insert(path.clone());
            } else if total > MAX_TOTAL {
                problems.warn(format!("{path} and what follows is left out: more than {} MiB", MAX_TOTAL >> 20));
                break;
            } else if let Ok(text) = String::from_utf8(bytes) {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                if !is_json || (text.contains("\"apiVersion\"") && text.contains("\"kind\"")) {
                    all.file(path, text, problems);
                }
            } else {
                problems.file(path, "is not UTF-8 text");
                all.left_out.insert(path.clone());
            }
        }
        all
    }

    fn file(&mut self, path: &str, text: &str, problems: &mut Problems<'_>) {
        let file = self.files.len();
        self.files.push(path.to_owned());
        let braces = text.find("{{").map(|at| template(text, at));
        if let (true, Some(mistake)) = (self.is_template(path), &braces) {
            problems.at(path, text, mistake, "a Helm template, which is not rendered", RENDER);
            self.left_out.insert(path.to_owned());
            return;
        }
        let (mut documents, mut odd) = (Vec::new(), Vec::new());
        for (line, document) in split(text) {
            match yaml::parse(document, file, line, &mut odd) {
                Ok(Some(node)) if node.text_at(&["kind"]).is_some_and(|kind| kind.ends_with("List")) => {
                    documents.extend(node.items_at(&["items"]).iter().cloned());
                }
                Ok(Some(node)) => documents.push(node),
                Ok(None) => {}
                Err(mistake) => match document.find("{{") {
                    Some(at) => {
                        let mut mistake = template(document, at);
                        mistake.line += line - 1;
                        problems.at(path, text, &mistake, "a template, which is not rendered", RENDER);
                    }
                    None => problems.at(path, text, &mistake, "broken YAML; the document is left out", ""),
                },
            }
        }
        for mistake in &odd {
            problems.at(path, text, mistake, "a key is there twice", "");
        }
        self.by_file.insert(path.to_owned(), documents);
        let mut below = path;
        let mut is_file = true;
        loop {
            let (folder, name) = below.rsplit_once('/').unwrap_or(("", below));
            let entry = self.folders.entry(folder.to_owned()).or_default();
            if is_file {
                entry.files.insert(name.to_owned())
            } else {
                entry.folders.insert(name.to_owned())
            };
            if folder.is_empty() {
                break;
            }
            (below, is_file) = (folder, false);
        }
    }

    fn is_template(&self, path: &str) -> bool {
        path.match_indices("templates/").any(|(at, _)| self.charts.contains(path[..at].trim_end_matches('/')))
    }

    /// Whether the folder is a Helm chart.
    pub(super) fn is_chart(&self, folder: &str) -> bool {
        self.charts.contains(folder)
    }

    /// Whether there is such a file, of which nothing could be read.
    pub(super) fn is_left_out(&self, path: &str) -> bool {
        self.left_out.contains(path)
    }

    pub(super) fn folder(&self, path: &str) -> Option<&Folder> {
        self.folders.get(path)
    }

    pub(super) fn folders(&self) -> impl Iterator<Item = (&str, &Folder)> {
        self.folders.iter().map(|(path, folder)| (path.as_str(), folder))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &[Rc<Node>])> {
        self.by_file.iter().map(|(path, documents)| (path.as_str(), documents.as_slice()))
    }

    /// The documents of a file; `None` if there is no such file.
    pub(super) fn of(&self, path: &str) -> Option<&[Rc<Node>]> {
        self.by_file.get(path).map(Vec::as_slice)
    }

    /// `clusters/us-west/web.yaml:7`
    pub(super) fn say(&self, place: Place) -> String {
        format!("{}:{}", self.files.get(place.file).map_or("", String::as_str), place.line)
    }
}

/// The documents of a text within a document. Broken ones are left out.
pub(super) fn inline(text: &str, place: Place) -> Vec<Rc<Node>> {
    let parsed = |(line, document)| yaml::parse(document, place.file, place.line + line - 1, &mut Vec::new());
    split(text).into_iter().filter_map(|document| parsed(document).ok().flatten()).collect()
}

const RENDER: &str = "render it with `helm template` into a folder of the cluster, and import again";

fn template(text: &str, at: usize) -> Mistake {
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].rsplit('\n').next().unwrap_or_default().chars().count();
    Mistake { line, column, message: "filled in by Helm or another tool".to_owned() }
}

/// The documents of a file, each with the line that it begins at. `---` at the beginning of a line always ends one.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let (mut begin, mut first, mut at) = (0, 1, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_mark =
            line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if is_mark && at > begin {
            out.push((first, &text[begin..at]));
            (begin, first) = (at, number + 1);
        }
        at += line.len();
    }
    out.push((first, &text[begin..]));
    // Comments and directives alone are no document.
    let is_said = |line: &str| !line.trim().is_empty() && !line.starts_with(['#', '%']) && line.trim_end() != "---";
    out.retain(|(_, document)| document.lines().any(is_said));
    out
}
