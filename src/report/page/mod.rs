//! `report.html`: one file that opens from disk, without network. Verdict, pictures, tables, method.
//!
//! All of it is there without JavaScript; the script only adds sorting, and reading values off charts by keyboard or
//! touch. A Content-Security-Policy in the page lets this script and this style run and nothing else, and loads nothing.

mod breakdown;
mod notes;
mod policy;
mod scorecard;
mod table;
mod tables;

use self::scorecard::scorecard;
use self::table::Table;
use super::Mode;
use super::svg::{Chart, Kind};
use super::text::{availability, duration, plain, short};
use super::verdict::{Headline, headline};
use super::view::mean;
use crate::experiment::drill::Outcome;
use crate::experiment::results::{Grid, Results};
use crate::metric::catalogue;
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    summary: Option<String>,
    run: String,
    tool: String,
    policy: String,
    style: &'static str,
    script: &'static str,
    /// The verdict, and whether a piece of it stands in parentheses.
    lead: Vec<(bool, String)>,
    headline: Headline,
    scorecard: Option<Table>,
    pictures: Vec<&'a Chart>,
    timelines: Vec<&'a Chart>,
    maps: Vec<&'a Chart>,
    tables: Vec<Table>,
    facts: Vec<(&'static str, String)>,
    notes: Vec<(&'static str, Vec<String>)>,
    /// What else is in the folder.
    files: &'static [&'static str],
}

/// Keeps a percent sign on the line of its number.
fn unbroken(mut headline: Headline) -> Headline {
    let keep = |text: &mut String| *text = text.replace(" %", "\u{a0}%");
    keep(&mut headline.lead);
    keep(&mut headline.sum);
    headline.details.iter_mut().for_each(keep);
    headline.winners.iter_mut().for_each(|winner| keep(&mut winner.margin));
    headline
}

/// A sentence with what stands in parentheses apart.
fn asides(sentence: &str) -> Vec<(bool, String)> {
    let mut pieces = Vec::new();
    let mut rest = sentence;
    while let Some((before, (inside, after))) =
        rest.split_once(" (").and_then(|(before, after)| Some((before, after.split_once(')')?)))
    {
        pieces.push((false, before.to_owned()));
        pieces.push((true, format!(" ({inside})")));
        rest = after;
    }
    pieces.push((false, rest.to_owned()));
    pieces
}

/// What a sweep says first: where its best and its worst are.
fn sweep_headline(results: &Results) -> Headline {
    let mut known: Vec<_> =
        results.variants.iter().filter_map(|v| Some((mean(v, &catalogue::AVAILABILITY)?, v))).collect();
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    let lead = match known.as_slice() {
        [] => "No point has an availability.".to_owned(),
        [(share, only)] => format!("{}: {}.", short(&only.name, 120), availability(*share)),
        [(best, first), .., (worst, last)] if best > worst => format!(
            "Availability runs from {} ({}) to {} ({}).",
            availability(*worst),
            short(&last.name, 120),
            availability(*best),
            short(&first.name, 120)
        ),
        [(share, _), ..] => format!("Availability is {} at every point.", availability(*share)),
    };
    Headline { lead, ..Headline::default() }
}

/// The bytes of a sweep's page.
pub(super) fn sweep(results: &Results, grid: &Grid, charts: &[Chart]) -> Vec<u8> {
    let files = &["summary.json", "sweep.csv", "charts/"];
    let what = if results.variants.len() == 1 { "point" } else { "points" };
    let page = Page { pictures: charts.iter().collect(), ..frame(results, what, sweep_headline(results), files) };
    bytes(&Page { tables: vec![tables::points(results, grid)], ..page })
}

/// The bytes of a drill's page.
pub(super) fn drill(results: &Results, lead: String, outcomes: &[&Outcome]) -> Vec<u8> {
    let headline = Headline { lead, ..Headline::default() };
    let page = frame(results, "drills", headline, &["drill.csv", "drill.json"]);
    bytes(&Page { tables: vec![tables::drills(outcomes)], ..page })
}

/// The page's bytes.
pub(super) fn page(results: &Results, mode: Mode, charts: &[Chart]) -> Vec<u8> {
    let of = |kind| charts.iter().filter(|chart| chart.kind == kind).collect::<Vec<_>>();
    let files = &["summary.json", "seeds.csv", "latency.csv", "cost.csv", "outages.csv", "charts/"];
    let what = if results.variants.len() == 1 { "variant" } else { "variants" };
    bytes(&Page {
        scorecard: Some(scorecard(results)),
        pictures: of(Kind::Whole),
        timelines: of(Kind::Timeline),
        maps: of(Kind::Map),
        tables: tables::tables(results, mode),
        ..frame(results, what, headline(results), files)
    })
}

/// What every page says, whatever it shows.
fn frame<'a>(results: &Results, what: &str, headline: Headline, files: &'static [&'static str]) -> Page<'a> {
    let (scenario, tool) = (&results.scenario, &results.tool);
    let headline = unbroken(headline);
    let commit = tool.commit.as_ref().map(|commit| format!(" ({})", plain(commit))).unwrap_or_default();
    let tool = format!("{} {}{commit}", tool.name, tool.version);
    let run = format!(
        "{} {what} · {} seeds × {} simulated{}",
        results.variants.len(),
        scenario.seeds,
        duration(scenario.horizon_s),
        if results.variants.len() == 1 { "" } else { " · paired by seed" }
    );
    Page {
        title: short(&scenario.name, 160),
        summary: scenario.summary.as_deref().map(plain),
        run,
        policy: policy::policy(),
        style: policy::STYLE,
        script: policy::SCRIPT,
        lead: asides(&headline.lead),
        headline,
        scorecard: None,
        pictures: vec![],
        timelines: vec![],
        maps: vec![],
        tables: vec![],
        facts: vec![
            ("Scenario", short(&scenario.name, 160)),
            ("Hash", scenario.hash.clone()),
            ("Seeds", format!("{}, master seed {}", scenario.seeds, scenario.seed)),
            ("Horizon", duration(scenario.horizon_s)),
            ("Computed by", tool.clone()),
        ],
        notes: notes::notes(results),
        files,
        tool,
    }
}

fn bytes(page: &Page<'_>) -> Vec<u8> {
    page.render().expect("the template holds no fallible filter").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn what_is_aside_stands_apart() {
        let text = "a loses 4 min less than b (95 % interval 3 to 5 min) and costs 27 % more (much).";
        let pieces = asides(text);
        assert_eq!(pieces.iter().map(|(_, piece)| piece.as_str()).collect::<String>(), text);
        let aside: Vec<_> = pieces.iter().filter(|(is_aside, _)| *is_aside).map(|(_, piece)| piece.as_str()).collect();
        assert_eq!(aside, [" (95 % interval 3 to 5 min)", " (much)"]);
        assert_eq!(asides("a ( b"), [(false, "a ( b".to_owned())]);
    }

    #[test]
    fn the_page_loads_nothing() {
        let results = sample();
        let page = String::from_utf8(page(&results, Mode::Compare, &super::super::svg::charts(&results))).unwrap();
        for forbidden in
            ["<link", "<img", "<iframe", "href=\"h", "src=", "url(", "@import", "onload", "javascript:", " style="]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<script").count(), 1, "the page's own");
        assert!(page.contains("&#60;script&#62;"), "names are escaped");
    }
}
