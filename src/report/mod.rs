//! Layer 8: results as pages, pictures and tables. Renderers return bytes; only `cli` writes files.
//!
//! Every name in results came from a scenario and is untrusted: it is escaped where it is shown, defused where a
//! spreadsheet or a terminal would act on it, and made a slug where it names a file.

mod ahead;
pub mod check;
pub mod columns;
mod csv;
pub mod drill;
pub mod explain;
mod json;
mod page;
mod posture;
#[cfg(test)]
mod sample;
mod svg;
mod terminal;
pub mod text;
pub mod trace;
pub mod verdict;
mod view;

pub use json::{summary_schema, write_summary};
pub use terminal::{compare_table, run_table, sweep_table};

use crate::experiment::results::{Grid, Results, VariantResult};
use std::io::{self, Write};

/// Which command the report is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `run`: one variant, or several side by side.
    Run,
    /// `compare`: paired comparisons too.
    Compare,
    /// `sweep`: the variants are points of a grid.
    Sweep,
}

/// A file of a report that may be too large to be held: it is written as it is made.
pub struct Large {
    /// Its name.
    pub name: &'static str,
    /// Writes it; fails if it can't be written.
    pub write: fn(&Results, &mut (dyn Write + Send)) -> io::Result<()>,
}

/// The large files of a report.
pub fn large(results: &Results) -> &'static [Large] {
    const SUMMARY: Large = Large { name: "summary.json", write: write_summary };
    const SEEDS: Large = Large { name: "seeds.csv", write: csv::seeds };
    if results.grid.is_some() { &[SUMMARY] } else { &[SEEDS, SUMMARY] }
}

/// The files of a report folder but for the large ones: paths relative to it, with forward slashes, and their bytes.
pub fn render(results: &Results, mode: Mode) -> Vec<(String, Vec<u8>)> {
    if let Some(grid) = &results.grid {
        return sweep(results, grid);
    }
    let charts = svg::charts(results);
    let mut files = vec![
        ("report.html".to_owned(), page::page(results, mode, &charts)),
        ("latency.csv".to_owned(), csv::latency(results)),
        ("cost.csv".to_owned(), csv::cost(results)),
        ("outages.csv".to_owned(), csv::outages(results)),
    ];
    if results.variants.iter().any(|variant| !variant.revisions.is_empty()) {
        files.push(("revisions.csv".to_owned(), csv::revisions(results)));
    }
    files.extend(charts.iter().map(|chart| (format!("charts/{}.svg", chart.file), chart.standalone().into_bytes())));
    files.extend(results.variants.iter().map(|variant| {
        let name = match (mode, results.variants.as_slice()) {
            (Mode::Run, [_]) => "scenario.resolved.toml".to_owned(),
            _ => format!("scenario.{}.toml", text::slug(&variant.name)),
        };
        (name, resolved(results, variant))
    }));
    files
}

/// Thousands of points leave no room for what each seed or each point has to itself.
fn sweep(results: &Results, grid: &Grid) -> Vec<(String, Vec<u8>)> {
    let charts = svg::sweep_charts(results, grid);
    let mut files = vec![
        ("report.html".to_owned(), page::sweep(results, grid, &charts)),
        ("sweep.csv".to_owned(), csv::sweep(results, grid)),
    ];
    files.extend(charts.iter().map(|chart| (format!("charts/{}.svg", chart.file), chart.standalone().into_bytes())));
    // All points but for what the axes say of them.
    files.extend(results.variants.first().map(|first| ("scenario.resolved.toml".to_owned(), resolved(results, first))));
    files
}

/// The scenario as resolved, under a header that says what ran it.
fn resolved(results: &Results, variant: &VariantResult) -> Vec<u8> {
    let (tool, scenario) = (&results.tool, &results.scenario);
    let commit = tool.commit.as_ref().map(|commit| format!(" ({})", text::plain(commit))).unwrap_or_default();
    format!(
        "# Scenario {}, variant {}, as resolved by {} {}{commit}.\n# Hash of the canonical scenario: {}\n# Run with \
         --seeds {} --seed {}.\n\n{}",
        text::plain(&scenario.name),
        text::plain(&variant.name),
        tool.name,
        tool.version,
        scenario.hash,
        scenario.seeds,
        scenario.seed,
        variant.resolved
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::GridAxis;
    use crate::report::sample::{HOSTILE, bare, sample, swept};

    fn text_of(files: &[(String, Vec<u8>)], name: &str) -> String {
        let (_, bytes) = files.iter().find(|(path, _)| path == name).unwrap_or_else(|| panic!("no {name}"));
        String::from_utf8(bytes.clone()).unwrap()
    }

    /// Panics unless every tag closes in order and every `&` begins an entity.
    fn assert_well_formed(xml: &str, what: &str) {
        let mut open = Vec::new();
        let mut rest = xml;
        while let Some(at) = rest.find('<') {
            let text = &rest[..at];
            assert!(!text.contains('>'), "{what}: stray > in {text}");
            let end = at + rest[at..].find('>').unwrap_or_else(|| panic!("{what}: unclosed tag"));
            let tag = &rest[at + 1..end];
            assert!(tag.matches('"').count().is_multiple_of(2), "{what}: quotes in <{tag}>");
            rest = &rest[end + 1..];
            match tag {
                _ if tag.starts_with(['!', '?']) || tag.ends_with('/') => {}
                _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(&tag[1..]), "{what}"),
                _ => open.push(tag.split_whitespace().next().unwrap()),
            }
        }
        assert!(open.is_empty(), "{what}: {open:?} left open");
        for piece in xml.split('&').skip(1) {
            let entity = piece.split(';').next().unwrap();
            assert!(
                ["lt", "gt", "amp", "quot", "apos"].contains(&entity) || entity.starts_with('#'),
                "{what}: &{entity}"
            );
        }
        assert!(!xml.contains(|c: char| c.is_control() && c != '\n'), "{what}: control character");
    }

    #[test]
    fn a_folder_has_every_file_and_two_renders_are_the_same_bytes() {
        let results = sample();
        let files = render(&results, Mode::Compare);
        assert_eq!(files, render(&results, Mode::Compare));
        for name in ["report.html", "latency.csv", "cost.csv", "outages.csv"] {
            assert!(!text_of(&files, name).is_empty());
        }
        for file in large(&results) {
            let [first, again] = [(); 2].map(|()| {
                let mut bytes = Vec::new();
                (file.write)(&results, &mut bytes).unwrap();
                bytes
            });
            assert!(!first.is_empty() && first == again, "{}", file.name);
        }
        let resolved = text_of(&files, "scenario.active-active.toml");
        assert!(resolved.contains(&results.scenario.hash) && resolved.contains("regionsim 0.1.0 (0123abc)"));
        let paths: std::collections::BTreeSet<_> = files.iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), files.len());
        for path in paths {
            assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-./".contains(&b)), "{path}");
            assert!(!path.contains("..") && !path.starts_with('/'), "{path}");
        }
        // For a look: REPORT_OUT=dir cargo test --lib report::
        if let Ok(out) = std::env::var("REPORT_OUT") {
            for (mode, kind, results) in
                [("compare", Mode::Compare, sample()), ("run", Mode::Run, bare()), ("sweep", Mode::Sweep, swept())]
            {
                for (path, bytes) in render(&results, kind) {
                    let path = std::path::Path::new(&out).join(mode).join(path);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, bytes).unwrap();
                }
            }
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut results = sample();
        results.scenario.name = "x".repeat(300) + HOSTILE[0];
        results.variants[0].name = "\u{202e}שלום<b>".into();
        let files = render(&results, Mode::Compare);
        let html = text_of(&files, "report.html");
        assert!(!html.contains("<script>alert") && !html.contains("<b>not bold") && !html.contains('\u{202e}'));
        assert!(html.contains("default-src 'none'"));
        for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("charts/")) {
            let svg = std::str::from_utf8(bytes).unwrap();
            assert_well_formed(svg, path);
            assert!(!svg.contains("<script"), "{path}");
        }
        // The comment's lines can't be broken out of.
        results.variants[1].name = "a\nevil = 1".into();
        let files = render(&results, Mode::Compare);
        let (_, bytes) = files.iter().find(|(path, _)| path.starts_with("scenario.a-evil")).unwrap();
        let header = std::str::from_utf8(bytes).unwrap().lines().next().unwrap();
        assert!(header.starts_with('#') && header.contains("evil = 1"), "{header}");
    }

    #[test]
    fn a_run_with_little_in_it_renders() {
        let files = render(&bare(), Mode::Run);
        assert!(files.iter().any(|(path, _)| path == "scenario.resolved.toml"));
        assert!(!files.iter().any(|(path, _)| path.starts_with("charts/map") || path.starts_with("charts/timeline")));
        for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("charts/")) {
            assert_well_formed(std::str::from_utf8(bytes).unwrap(), path);
        }
    }

    #[test]
    fn a_sweep_shows_its_grid_and_hostile_names_stay_text() {
        let mut results = swept();
        for axes in [2, 1] {
            if axes == 1 {
                // The same points along one axis: lines.
                let grid = results.grid.as_mut().unwrap();
                grid.axes = vec![GridAxis { name: HOSTILE[0].into(), values: vec!["=1+1".into(); 4] }];
            }
            let files = render(&results, Mode::Sweep);
            assert_eq!(files, render(&results, Mode::Sweep));
            let html = text_of(&files, "report.html");
            assert!(!html.contains("<script>alert") && !html.contains('\u{202e}') && !html.contains('\u{1b}'));
            let charts: Vec<_> = files.iter().filter(|(path, _)| path.starts_with("charts/")).collect();
            assert_eq!(charts.len(), 2, "availability and bill");
            for (path, bytes) in charts {
                let svg = std::str::from_utf8(bytes).unwrap();
                assert_well_formed(svg, path);
                assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{path}");
                // Every point has its figure and a text to point at.
                assert_eq!(svg.matches("<title>").count(), 4 * if axes == 1 { 2 } else { 1 }, "{path}");
            }
            let table = text_of(&files, "sweep.csv");
            assert!(table.starts_with(if axes == 1 { "<script>" } else { "'=cmd()" }), "{table}");
            for row in table.lines().filter(|_| axes == 1).skip(1) {
                assert!(row.starts_with("'=1+1,"), "{row}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "left open")]
    fn the_checker_sees_an_open_tag() {
        assert_well_formed("<svg><g></svg>".replace("</svg>", "</g>").as_str(), "planted");
    }
}
