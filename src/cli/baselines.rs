//! A scenario's baseline, in a folder of its own: `baseline.json`, its figures seed by seed, a line for each; and
//! `VARIANT.settings`, every setting of a variant, a line for each, so that a change shows in a repository's history.

use super::failure::Failure;
use super::scenario::{Resolved, mistake};
use super::write;
use crate::experiment::baseline::{Baseline, Kept};
use crate::experiment::results::Results;
use crate::report::text::slug;
use crate::scenario::settings::settings;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Largest file that is read.
const MAX_BYTES: u64 = 256 << 20;
const FIGURES: &str = "baseline.json";

/// What is written: names within the folder, and bytes.
pub(super) type Files = Vec<(String, Vec<u8>)>;

/// What is known of a scenario.
pub(super) struct Known {
    pub(super) baseline: Baseline,
    /// By variant: values by path.
    pub(super) settings: BTreeMap<String, BTreeMap<String, String>>,
}

/// The files of a baseline.
pub(super) fn files(results: &Results, variants: &[Resolved]) -> Files {
    let baseline = Baseline::of(results);
    let mut out = vec![(FIGURES.to_owned(), lines(&baseline).into_bytes())];
    for variant in variants {
        let all = settings(&variant.scenario.spec).expect("a scenario read from TOML can be said in TOML");
        let lines: Vec<_> = all.iter().map(|(path, value)| format!("{path} = {value}")).collect();
        let text = lines.join("\n") + "\n";
        out.push((of_variant(&variant.scenario.variant), text.into_bytes()));
    }
    out
}

fn of_variant(name: &str) -> String {
    format!("{}.settings", slug(name))
}

/// As JSON with a line for each metric: a history of it shows which figures changed.
fn lines(baseline: &Baseline) -> String {
    let json = |value: serde_json::Result<String>| value.expect("plain data with string keys always serialises");
    let variant = |kept: &Kept| {
        let metrics: Vec<_> = kept.metrics.iter().map(|one| json(serde_json::to_string(one))).collect();
        format!("{{\"name\":{},\"metrics\":[\n{}\n]}}", json(serde_json::to_string(&kept.name)), metrics.join(",\n"))
    };
    let variants: Vec<_> = baseline.variants.iter().map(variant).collect();
    format!(
        "{{\"schema\":{},\n\"tool\":{},\n\"scenario\":{},\n\"variants\":[\n{}\n]}}\n",
        baseline.schema,
        json(serde_json::to_string(&baseline.tool)),
        json(serde_json::to_string(&baseline.scenario)),
        variants.join(",\n")
    )
}

/// Writes them, each whole or not at all; the figures last, so that they never are without their settings.
pub(super) fn write(folder: &Path, files: &Files) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        Failure::Write(anyhow::Error::new(error).context(format!("can't make the folder {}", folder.display())))
    })?;
    files.iter().rev().try_for_each(|(name, bytes)| write::file(&folder.join(name), bytes))
}

/// The baseline in a folder, if there is one.
pub(super) fn read(folder: &Path) -> Result<Option<Known>, Failure> {
    let file = folder.join(FIGURES);
    let unfit = |why: String| {
        mistake(format!("can't read the baseline {}: {why}", file.display()), "write it anew: regionsim check --update")
    };
    let text = |file: &Path| -> Result<Option<String>, Failure> {
        match fs::metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unfit(error.to_string())),
            Ok(about) if about.len() > MAX_BYTES => return Err(unfit("it is larger than 256 MiB".to_owned())),
            Ok(_) => {}
        }
        fs::read_to_string(file).map(Some).map_err(|error| unfit(error.to_string()))
    };
    let Some(figures) = text(&file)? else { return Ok(None) };
    let baseline: Baseline = serde_json::from_str(&figures).map_err(|error| unfit(error.to_string()))?;
    let mut settings = BTreeMap::new();
    for kept in &baseline.variants {
        if let Some(lines) = text(&folder.join(of_variant(&kept.name)))? {
            let pairs = lines.lines().filter_map(split);
            settings.insert(kept.name.clone(), pairs.collect());
        }
    }
    Ok(Some(Known { baseline, settings }))
}

/// "path = value"; a quoted key may hold an equals sign.
fn split(line: &str) -> Option<(String, String)> {
    let mut at = line.match_indices(" = ").map(|(at, _)| at);
    at.find(|at| line[..*at].parse::<crate::scenario::path::Path>().is_ok())
        .map(|at| (line[..at].to_owned(), line[at + 3..].to_owned()))
}
