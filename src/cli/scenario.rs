//! From a file's name to checked scenarios, one per variant, with all mistakes collected.
//!
//! `--set` changes the file's tree before variants are applied, as if the file said so. `--seeds`, `--seed` and
//! `--horizon` win over everything, variants included.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::files::{Disk, STDIN};
use super::terminal;
use crate::diag::{Diagnostic, Diagnostics, Origin, Severity, Sources, harmless};
use crate::experiment::results::{Grid, GridAxis};
use crate::metric::catalogue;
use crate::path;
use crate::scenario::decode::{Decoded, decode};
use crate::scenario::load::{Reader, load};
use crate::scenario::origin;
use crate::scenario::patch::{Variant, set, set_argument, variants};
use crate::scenario::path::{Path, get, locate, step};
use crate::scenario::resolve::{Files, Places, resolve};
use crate::scenario::resolved::Scenario;
use crate::scenario::spec::ScenarioSpec;
use crate::scenario::sweep::{Axis, axes, points};
use crate::scenario::tree::{MAX_BYTES, Node, parse_value};
use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashSet;
use std::path::{Path as FilePath, PathBuf};

/// Which variants are wanted.
pub(super) enum Wanted {
    /// The unpatched one.
    Base,
    /// These.
    Named(Vec<String>),
    /// All of them.
    All,
    /// All of them, and the points of the sweep of the unpatched one, to be checked.
    Everything,
    /// The points of the sweep of this one, or of the unpatched one.
    Points(Option<String>),
}

impl Wanted {
    fn is_of_points(&self) -> bool {
        match self {
            Self::Points(_) | Self::Everything => true,
            Self::Base | Self::Named(_) | Self::All => false,
        }
    }
}

/// A checked variant.
#[derive(Clone)]
pub(super) struct Resolved {
    pub(super) scenario: Scenario,
    /// As TOML, each value with where it came from.
    pub(super) resolved: String,
}

/// A file, its wanted variants as far as they have no mistakes, and what was found.
pub(super) struct Checked {
    /// The file's name as it was given.
    pub(super) file: String,
    pub(super) sources: Sources,
    pub(super) found: Diagnostics,
    /// In file order; of a sweep that is wanted, its points.
    pub(super) variants: Vec<Resolved>,
    /// What was written for each of these, with its places; not of a sweep's points.
    pub(super) trees: Vec<Node>,
    /// The sweep, if it is wanted.
    pub(super) grid: Option<Grid>,
}

/// Reads a file and checks the wanted variants. Nothing is said yet.
pub(super) fn check(file: &FilePath, changes: &Changes, wanted: &Wanted) -> Checked {
    check_in(&Disk, file, changes, wanted)
}

/// The same of a file that isn't on the disk.
pub(super) fn check_in(reader: &dyn Reader, file: &FilePath, changes: &Changes, wanted: &Wanted) -> Checked {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let (variants, trees, grid) = resolved(reader, file, changes, wanted, &mut sources, &mut found).unwrap_or_default();
    let file = if file == FilePath::new(STDIN) { "standard input".into() } else { file.display().to_string() };
    Checked { file, sources, found, variants, trees, grid }
}

/// Says what was found in all files; not the advice if quiet.
pub(super) fn say(all: &[Checked], format: Format, quiet: bool) {
    match format {
        Format::Json => {
            let reports: Vec<_> =
                all.iter().flat_map(|checked| checked.shown(quiet).reports(&checked.sources)).collect();
            if !reports.is_empty() {
                terminal::say(&json(&reports));
            }
        }
        Format::Human => {
            for checked in all {
                checked.tell(quiet);
            }
        }
    }
}

impl Checked {
    fn shown(&self, quiet: bool) -> Diagnostics {
        let mut shown = Diagnostics::default();
        shown.extend(self.found.iter().filter(|one| !quiet || one.severity == Severity::Error).cloned());
        shown
    }

    /// All that was found, and how many mistakes there are.
    fn tell(&self, quiet: bool) {
        terminal::diagnostics(&self.shown(quiet), &self.sources);
        let count = match self.found.errors() {
            0 => return,
            1 => "1 mistake".to_owned(),
            errors => format!("{errors} mistakes"),
        };
        terminal::diagnostic(&Diagnostic::error(format!("{count} in {}", harmless(&self.file))));
    }

    /// The variants, if there are no mistakes.
    pub(super) fn into_variants(self) -> Option<Vec<Resolved>> {
        (!self.found.has_errors()).then_some(self.variants)
    }
}

/// As JSON, with a newline at the end.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("plain data with string keys always serialises");
    text + "\n"
}

fn resolved(
    reader: &dyn Reader,
    file: &FilePath,
    changes: &Changes,
    wanted: &Wanted,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Option<(Vec<Resolved>, Vec<Node>, Option<Grid>)> {
    let shape = schemars::schema_for!(ScenarioSpec);
    let mut tree = load(file, reader, &shape, sources, found)?;
    for argument in &changes.set {
        set_argument(&mut tree, argument, &shape, sources, found);
    }
    if found.has_errors() {
        return None;
    }
    let all = variants(&tree, &shape, found);
    let mut chosen = choose(all, wanted, sources, found);
    for (option, name, text) in [
        ("--seeds", "seeds", &changes.seeds),
        ("--seed", "seed", &changes.seed),
        ("--horizon", "horizon", &changes.horizon),
    ] {
        let Some(text) = text else { continue };
        let source = sources.argument(option, text.as_str());
        let at = sources.whole(source);
        let value = parse_value(text, at, found);
        for variant in &mut chosen {
            if let Err(diagnostic) = set(&mut variant.tree, &path!("simulation", name), value.clone(), at, &shape) {
                found.push(*diagnostic);
            }
        }
    }
    for variant in &chosen {
        overruled(&changes.set, &tree, variant, found);
    }
    let mut grid = None;
    let mut designs = chosen.len();
    if wanted.is_of_points()
        && let Some(first) = chosen.first()
    {
        let axes = axes(&tree, found);
        let swept = if axes.is_empty() { vec![] } else { points(&first.tree, &axes, &shape, found) };
        let is_asked = matches!(wanted, Wanted::Points(_));
        if is_asked && axes.is_empty() && !found.has_errors() {
            let help = "add an axis: [sweep.ttl] with path = \"routing.via.dns.ttl\" and values = [\"30s\", \"60s\"]";
            let diagnostic = Diagnostic::error("there is no [sweep], so there is nothing to sweep").help(help);
            found.push(diagnostic.note("`regionsim run` simulates a scenario as it stands"));
        }
        if is_asked {
            chosen.clear();
            designs = 0;
        }
        grid = (!axes.is_empty()).then(|| Grid { axes: axes.into_iter().map(grid_axis).collect() });
        chosen.extend(swept.into_iter().map(|point| Variant { name: point.name, summary: None, tree: point.tree }));
    }
    let mut known = HashSet::new();
    let beside = Beside { reader, folder: file.parent().map(FilePath::to_owned).unwrap_or_default() };
    let checked = |(index, variant): (usize, &Variant)| {
        let mut own = Diagnostics::default();
        // Thousands of points differ in what the axes say alone.
        let is_shown = index <= designs;
        (one(variant, is_shown, &beside, sources, &mut own), own)
    };
    let checked: Vec<_> = chosen.par_iter().enumerate().map(checked).collect();
    let mut out: Vec<Resolved> = Vec::new();
    for (index, (result, own)) in checked.into_iter().enumerate() {
        let variant = &chosen[index];
        // A mistake of the unpatched scenario is one of every variant: it is said once.
        for diagnostic in &own {
            let place = diagnostic.labels.first().map(|label| label.origin);
            if known.insert((diagnostic.message.clone(), place, diagnostic.path.clone())) {
                let diagnostic = diagnostic.clone();
                let is_own = index > 0 || matches!(wanted, Wanted::Named(_));
                let what = if index < designs { "in variant" } else { "at the sweep's point" };
                found.push(if is_own { diagnostic.note(format!("{what} `{}`", variant.name)) } else { diagnostic });
            }
        }
        out.extend(result);
    }
    if !found.has_errors() {
        same_simulation(&chosen, &out, found);
    }
    if matches!(wanted, Wanted::Everything) {
        out.truncate(designs);
    }
    chosen.truncate(designs);
    Some((out, chosen.into_iter().map(|variant| variant.tree).collect(), grid))
}

fn grid_axis(axis: Axis) -> GridAxis {
    GridAxis { name: axis.name, values: axis.values.into_iter().map(|value| value.name).collect() }
}

/// The wanted variants, in file order.
fn choose(all: Vec<Variant>, wanted: &Wanted, sources: &mut Sources, found: &mut Diagnostics) -> Vec<Variant> {
    let names = match wanted {
        Wanted::All | Wanted::Everything => return all,
        Wanted::Base | Wanted::Points(None) => return all.into_iter().take(1).collect(),
        Wanted::Points(Some(name)) => std::slice::from_ref(name),
        Wanted::Named(names) => names,
    };
    for name in names.iter().filter(|name| all.iter().all(|variant| variant.name != **name)) {
        let source = sources.argument("--variant", name.as_str());
        let known = || all.iter().map(|variant| variant.name.as_str());
        let listed: Vec<_> = known().map(|name| format!("`{name}`")).collect();
        let diagnostic = Diagnostic::error(format!("there is no variant `{name}`"))
            .label(sources.whole(source), "not found")
            .note(format!("the variants are {}", listed.join(", ")));
        found.push(diagnostic.suggest(name, known()));
    }
    all.into_iter().filter(|variant| names.contains(&variant.name)).collect()
}

/// Advice on a `--set` that a variant undoes.
fn overruled(arguments: &[String], tree: &Node, variant: &Variant, found: &mut Diagnostics) {
    for argument in arguments {
        // A quoted key can hold an equals sign: the path is what reads as one.
        let path = argument.match_indices('=').find_map(|(at, _)| argument[..at].trim().parse::<Path>().ok());
        let Some(path) = path else { continue };
        if let (Some(asked), Some(is)) = (get(tree, &path), get(&variant.tree, &path))
            && asked.value != is.value
        {
            let message = format!("variant `{}` has a `{path}` of its own, so --set has no effect on it", variant.name);
            let mine = crate::path!("variant", variant.name);
            found.push(
                Diagnostic::warning(message)
                    .label(is.origin, "")
                    .path(&path)
                    .help(format!("change the variant's: --set {mine}.{path}=…")),
            );
        }
    }
}

/// Decodes and resolves one variant. What isn't to be shown is empty.
fn one(
    variant: &Variant,
    is_shown: bool,
    beside: &Beside,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Option<Resolved> {
    let Decoded { value: spec, aside } = decode::<ScenarioSpec>(&variant.tree, found)?;
    let metrics: Vec<&str> = catalogue::ALL.iter().map(|metric| metric.name).collect();
    let places = Written(&variant.tree);
    let (scenario, list) = resolve(spec, &variant.name, variant.summary.clone(), &places, beside, &metrics);
    if !aside.is_empty() {
        let own = |one: &Diagnostic| one.severity == Severity::Error && !follows(one, &aside, &variant.tree);
        found.extend(list.into_iter().filter(own));
        return None;
    }
    found.extend(list);
    let scenario = scenario?;
    if !is_shown {
        return Some(Resolved { scenario, resolved: String::new() });
    }
    let citations = scenario.citations.iter();
    let others: IndexMap<Path, String> =
        citations.filter_map(|(path, text)| Some((path.parse().ok()?, text.clone()))).collect();
    let resolved = origin::show(&scenario.spec, &variant.tree, &others, sources);
    let resolved = resolved.expect("a scenario read from TOML can be said in TOML");
    Some(Resolved { scenario, resolved })
}

/// Whether a mistake may only follow from what was set aside: it is of the same entry of the file, of all such entries,
/// or of a name that went with one.
fn follows(mistake: &Diagnostic, aside: &[Path], tree: &Node) -> bool {
    let Some(path) = mistake.path.as_ref().and_then(|path| path.parse::<Path>().ok()) else { return true };
    aside.iter().any(|gone| {
        let is_listed =
            gone.segments().first().and_then(|first| step(tree, first)).is_some_and(|top| top.list().is_some());
        let entry = &gone.segments()[..gone.segments().len().min(if is_listed { 2 } else { 1 })];
        let name = entry.last().filter(|_| is_listed && gone.segments().len() <= 2);
        path.segments().starts_with(entry)
            || entry.starts_with(path.segments())
            || name.is_some_and(|name| mistake.message.contains(&format!("`{name}`")))
    })
}

/// Variants that are compared seed by seed must be simulated alike.
fn same_simulation(chosen: &[Variant], out: &[Resolved], found: &mut Diagnostics) {
    let Some((first, others)) = out.split_first() else { return };
    for (other, variant) in others.iter().zip(&chosen[1..]) {
        if other.scenario.spec.simulation != first.scenario.spec.simulation {
            let message = format!(
                "variants `{}` and `{}` differ in `simulation`, so their seeds can't be paired",
                first.scenario.variant, other.scenario.variant
            );
            let at = locate(&variant.tree, &path!("simulation"));
            found.push(
                Diagnostic::error(message)
                    .label(at, "")
                    .path("simulation")
                    .help("say `simulation` once, outside the variants and the sweep"),
            );
        }
    }
}

/// Where values were written.
struct Written<'a>(&'a Node);

impl Places for Written<'_> {
    fn origin(&self, path: &[&str]) -> Option<Origin> {
        let path: Path = path.iter().map(ToString::to_string).collect();
        Some(get(self.0, &path).map_or_else(|| locate(self.0, &path), |node| node.origin))
    }
}

/// The files of the scenario's folder.
struct Beside<'a> {
    reader: &'a dyn Reader,
    folder: PathBuf,
}

impl Files for Beside<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let bytes = self.reader.read(&self.folder.join(path), MAX_BYTES + 1).map_err(|error| error.to_string())?;
        if bytes.len() > MAX_BYTES {
            return Err(format!("it is larger than the limit of {} KiB", MAX_BYTES >> 10));
        }
        String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
    }
}

/// What can't be said in other words is a mistake in the arguments.
pub(super) fn mistake(message: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure::usage(Diagnostic::error(message).help(help))
}
