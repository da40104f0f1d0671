//! `report.html`: one file that opens from disk, without network or JavaScript. Verdict, pictures, tables, method.

use super::Mode;
use super::svg::{Chart, Kind, variant_colour};
use super::text::{
    YEAR_S, availability, duration, interval, money, nines_text, percent, plain, round_availability, short, value,
};
use super::verdict::{Headline, headline};
use super::view::{Period, bill_lines, chief_objective, is_overall, mean, overall, worst_population};
use crate::domain::Stage;
use crate::experiment::drill::Outcome;
use crate::experiment::results::{Direction, Grid, MetricResult, NoteKind, Results, VariantResult};
use crate::metric::{Better, Dims, Metric, Unit, catalogue};
use crate::stats::Verdict;
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    summary: Option<String>,
    run: String,
    tool: String,
    headline: Headline,
    scorecard: Table,
    pictures: Vec<&'a Chart>,
    timelines: Vec<&'a Chart>,
    maps: Vec<&'a Chart>,
    tables: Vec<Table>,
    facts: Vec<(&'static str, String)>,
    notes: Vec<(&'static str, Vec<String>)>,
    /// What else is in the folder.
    files: &'static [&'static str],
}

impl Page<'_> {
    #[expect(clippy::unused_self, reason = "askama calls methods of the page")]
    fn colour(&self, place: usize) -> String {
        variant_colour(place)
    }
}

/// A table: the first cell of a row heads it.
#[derive(Default)]
struct Table {
    title: &'static str,
    caption: String,
    /// How many columns say what a row is of; the others are figures.
    names: usize,
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Default)]
struct Cell {
    text: String,
    note: String,
    best: bool,
}

fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

fn noted(text: impl Into<String>, note: impl Into<String>) -> Cell {
    Cell { text: text.into(), note: note.into(), best: false }
}

fn heads<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// A mean, with its interval beneath.
fn with_interval(m: Option<&MetricResult>, show: impl Fn(f64) -> String + Copy) -> Cell {
    let Some((m, mean)) = m.and_then(|m| Some((m, m.mean?))) else { return cell("–") };
    noted(
        show(mean),
        m.ci95
            .map(|ci| ci.map(show))
            .filter(|[low, high]| low != high)
            .map_or_else(String::new, |[low, high]| interval(&low, &high)),
    )
}

/// Marks the best cell of a column, where one alone is best.
fn star(rows: &mut [Vec<Cell>], column: usize, values: &[Option<f64>], better: Better) {
    let sign = match better {
        Better::Higher => -1.0,
        Better::Lower => 1.0,
        Better::Neither => return,
    };
    let found: Vec<(usize, f64)> = values.iter().enumerate().filter_map(|(i, x)| Some((i, sign * (*x)?))).collect();
    let Some(&(place, best)) = found.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    if found.len() > 1 && found.iter().filter(|(_, x)| *x == best).count() == 1 {
        rows[place][column].best = true;
    }
}

fn scorecard(results: &Results) -> Table {
    let period = Period::of(results);
    let per = if period.seconds() == YEAR_S { " a year" } else { "" };
    let usd = |x: f64| money(period.scale(x));
    let of = |metric: &'static Metric| move |v: &VariantResult| mean(v, metric);
    // The interval runs the other way round as time lost.
    let lost = |share: Option<&MetricResult>| {
        let show = |x: f64| duration((1.0 - x).max(0.0) * period.seconds());
        let Some((m, mean)) = share.and_then(|m| Some((m, m.mean?))) else { return cell("–") };
        noted(show(mean), m.ci95.map_or_else(String::new, |[low, high]| interval(&show(high), &show(low))))
    };
    let p99 = |v: &VariantResult| worst_population(v, &catalogue::LATENCY_P99).and_then(|(_, m)| m.mean);
    let mut rows: Vec<Vec<Cell>> = results
        .variants
        .iter()
        .map(|v| {
            let share = overall(v, &catalogue::AVAILABILITY);
            let available = share
                .and_then(|m| m.mean)
                .map_or_else(|| cell("–"), |mean| noted(availability(mean), nines_text(mean)));
            let p99 = worst_population(v, &catalogue::LATENCY_P99).map(|(_, m)| m);
            let all = mean(v, &catalogue::LATENCY_P99);
            let latency = p99.and_then(|m| m.mean).or(all).map_or_else(
                || cell("–"),
                |x| noted(duration(x), all.map_or_else(String::new, |x| format!("all users {}", duration(x)))),
            );
            let rto = overall(v, &catalogue::RTO_SERVICE);
            let objective = chief_objective(v).map_or_else(
                || cell("–"),
                |o| noted(percent(o.p_met), interval(&percent(o.p_met_ci95[0]), &percent(o.p_met_ci95[1]))),
            );
            vec![
                cell(short(&v.name, 60)),
                available,
                objective,
                lost(share),
                latency,
                with_interval(rto, duration),
                with_interval(overall(v, &catalogue::RPO_SECONDS), duration),
                with_interval(overall(v, &catalogue::COST_BILL), usd),
                with_interval(overall(v, &catalogue::COST_LOSS), usd),
                with_interval(overall(v, &catalogue::COST_TOTAL), usd),
            ]
        })
        .collect();
    let column = |f: &dyn Fn(&VariantResult) -> Option<f64>| results.variants.iter().map(f).collect::<Vec<_>>();
    for (i, values, better) in [
        (1, column(&of(&catalogue::AVAILABILITY)), Better::Higher),
        (3, column(&of(&catalogue::AVAILABILITY)), Better::Higher),
        (4, column(&p99), Better::Lower),
        (5, column(&of(&catalogue::RTO_SERVICE)), Better::Lower),
        (6, column(&of(&catalogue::RPO_SECONDS)), Better::Lower),
        (7, column(&of(&catalogue::COST_BILL)), Better::Lower),
        (8, column(&of(&catalogue::COST_LOSS)), Better::Lower),
        (9, column(&of(&catalogue::COST_TOTAL)), Better::Lower),
    ] {
        star(&mut rows, i, &values, better);
    }
    let head = [
        "variant".to_owned(),
        "available".into(),
        "P(met)".into(),
        format!("lost{per}"),
        "p99".into(),
        "RTO".into(),
        "RPO".into(),
        format!("bill{per}"),
        format!("loss{per}"),
        format!("total{per}"),
    ];
    Table {
        title: "",
        caption: format!(
            "Means over seeds with 95 % intervals beneath; ★ marks the best mean. Lost: what is missing from availability, as \
             time of total outage. p99: the population that has it worst. {}",
            objectives(results)
        ),
        names: 1,
        head: head.to_vec(),
        rows,
    }
}

/// Which objective P(met) is about, where every variant has the same.
fn objectives(results: &Results) -> String {
    let mut texts = results.variants.iter().filter_map(chief_objective).map(|o| {
        let bound = if o.unit == Unit::Share { round_availability(o.target) } else { value(o.unit, o.target) };
        let side = match o.direction {
            Direction::AtLeast => "at least",
            Direction::AtMost => "at most",
        };
        format!(
            "{}{} {side} {bound}",
            o.metric,
            if is_overall(&o.dims) { String::new() } else { format!(" ({})", who(&o.dims)) }
        )
    });
    match texts.next() {
        None => String::new(),
        Some(first) if texts.all(|text| text == first) => format!("P(met): share of seeds with {first}."),
        Some(_) => "P(met): share of seeds that meet the variant's first objective.".into(),
    }
}

fn who(dims: &Dims) -> String {
    let Dims { population, journey, cluster, service, store, stage, root, month } = dims;
    let names = [population, journey, cluster, service, store, root];
    let mut parts: Vec<String> = names.into_iter().flatten().map(|name| short(name, 40)).collect();
    parts.extend(stage.map(|stage| stage.label().to_owned()));
    parts.extend(month.map(|month| format!("month {month}")));
    if parts.is_empty() { "everything".into() } else { parts.join(" · ") }
}

/// One row per thing that `pick` names, one column per variant.
fn side_by_side(
    results: &Results,
    title: &'static str,
    caption: &str,
    first: &str,
    pick: impl Fn(&MetricResult) -> Option<String>,
    show: impl Fn(Unit, f64) -> String,
) -> Option<Table> {
    let mut names: Vec<(String, Better)> = Vec::new();
    for m in results.variants.iter().flat_map(|v| &v.metrics) {
        if let Some(name) = pick(m).filter(|name| m.mean.is_some() && names.iter().all(|(n, _)| n != name)) {
            names.push((name, m.better));
        }
    }
    if names.is_empty() {
        return None;
    }
    let rows = names
        .into_iter()
        .map(|(name, better)| {
            let found: Vec<Option<&MetricResult>> = results
                .variants
                .iter()
                .map(|v| v.metrics.iter().find(|m| m.mean.is_some() && pick(m).as_ref() == Some(&name)))
                .collect();
            let mut row = vec![cell(name)];
            row.extend(found.iter().map(|m| with_interval(*m, |x| show(m.map_or(Unit::Count, |m| m.unit), x))));
            let sign = if better == Better::Higher { -1.0 } else { 1.0 };
            let means: Vec<(usize, f64)> =
                found.iter().enumerate().filter_map(|(i, m)| Some((i, sign * (*m)?.mean?))).collect();
            let least = means.iter().map(|x| x.1).fold(f64::INFINITY, f64::min);
            if better != Better::Neither && means.len() > 1 && means.iter().filter(|x| x.1 == least).count() == 1 {
                for (i, x) in means {
                    row[i + 1].best = x == least;
                }
            }
            row
        })
        .collect();
    let mut head = vec![first.to_owned()];
    head.extend(results.variants.iter().map(|v| short(&v.name, 24)));
    Some(Table { title, caption: caption.into(), names: 1, head, rows })
}

fn of_users(dims: &Dims) -> bool {
    Dims { population: None, journey: None, ..dims.clone() } == Dims::default()
}

fn tables(results: &Results, mode: Mode) -> Vec<Table> {
    let period = Period::of(results);
    let phrase = period.phrase();
    let plainly = |unit, x| value(unit, x);
    let per_period = |unit, x| value(unit, period.scale(x));
    let by =
        |metric: &'static str| move |m: &MetricResult| (m.metric == metric && of_users(&m.dims)).then(|| who(&m.dims));
    let mut all: Vec<Option<Table>> = vec![
        side_by_side(
            results,
            "Availability by population and journey",
            "Mean over seeds, 95 % interval beneath.",
            "whose",
            by("availability"),
            plainly,
        ),
        side_by_side(
            results,
            "Latency by population and journey",
            "Of good responses; mean over seeds of each quantile, 95 % interval beneath.",
            "whose, which quantile",
            |m| {
                let quantile = m.metric.strip_prefix("latency.")?;
                of_users(&m.dims).then(|| format!("{} · {quantile}", who(&m.dims)))
            },
            plainly,
        ),
        side_by_side(
            results,
            "Recovery: time and data lost",
            "Over outages that failover ended; the stages of rto.service add up, and rto.dns-tail leads on to rto.users.",
            "stage",
            |m| {
                let about = m.metric.starts_with("rto.")
                    || ["rpo.seconds", "writes.lost", "resync.seconds"].contains(&&*m.metric);
                (about && is_overall(&m.dims)).then(|| m.metric.clone())
            },
            plainly,
        ),
    ];
    let lines: Vec<&str> = bill_lines().map(|metric| metric.name).collect();
    all.push(side_by_side(
        results,
        "The bill and the loss",
        &format!("US dollars {phrase}; mean over seeds, 95 % interval beneath."),
        "line",
        |m| {
            let wanted = lines.contains(&m.metric.as_str())
                || m.metric.starts_with("cost.loss")
                || ["cost.bill", "cost.total"].contains(&m.metric.as_str());
            (wanted && is_overall(&m.dims)).then(|| m.metric.trim_start_matches("cost.").to_owned())
        },
        per_period,
    ));
    all.push(side_by_side(
        results,
        "Security posture of calls between clusters",
        "What each design leaves open beyond what its users come to: addresses that the internet can reach; bytes a month \
         in the clear and calls a month that don't prove who makes them, of good requests.",
        "what",
        |m| {
            let about = m.metric.starts_with("security.") || m.metric.starts_with("connections.");
            (about && is_overall(&m.dims)).then(|| m.metric.trim_start_matches("security.").to_owned())
        },
        plainly,
    ));
    all.push(outages(results));
    if mode == Mode::Compare {
        all.push(comparisons(results));
        all.push(break_even(results));
    }
    all.into_iter().flatten().collect()
}

fn outages(results: &Results) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = results
        .variants
        .iter()
        .flat_map(|v| {
            v.outages.iter().take(5).map(|o| {
                vec![
                    cell(short(&v.name, 40)),
                    cell(short(&o.root, 40)),
                    cell(duration(o.duration_s)),
                    cell(super::text::count(o.lost)),
                    cell(short(&o.population, 30)),
                    cell(short(&o.journey, 30)),
                    cell(o.rto_service_s.map_or_else(|| "repair came first".into(), duration)),
                    cell(o.seed.to_string()),
                ]
            })
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "The longest outages",
        caption: "The five longest of each variant over all seeds; more in outages.csv.".into(),
        names: 1,
        head: heads(["variant", "began with", "lasted", "requests lost", "population", "journey", "RTO", "seed"]),
        rows,
    })
}

fn comparisons(results: &Results) -> Option<Table> {
    let wanted = [
        "availability",
        "downtime",
        "latency.p50",
        "latency.p99",
        "rto.service",
        "rpo.seconds",
        "cost.bill",
        "cost.loss",
        "cost.total",
    ];
    let rows: Vec<Vec<Cell>> = results
        .comparisons
        .iter()
        .filter(|c| is_overall(&c.dims) && wanted.contains(&c.metric.as_str()))
        .map(|c| {
            // A difference of availabilities is clearer in points than as an availability.
            let show = |x: f64| match c.unit {
                Unit::Share => format!("{} points", super::text::significant(x * 100.0, 3)),
                unit => value(unit, x),
            };
            let verdict = match c.verdict {
                Verdict::Better => "better".to_owned(),
                Verdict::Worse => "worse".into(),
                Verdict::NoDifferenceShown => "no difference shown".into(),
            };
            let need = c.seeds_needed.map_or_else(String::new, |n| format!("about {n} seeds would show it"));
            vec![
                cell(format!("{} against {}", short(&c.a, 30), short(&c.b, 30))),
                cell(c.metric.clone()),
                noted(show(c.difference), interval(&show(c.ci95[0]), &show(c.ci95[1]))),
                cell(c.a_better_share.map_or_else(|| "–".into(), percent)),
                cell(c.narrowing.map_or_else(|| "–".into(), |x| format!("{}×", super::text::significant(x, 2)))),
                noted(verdict, need),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "One variant against another",
        caption:
            "Differences of the first less the second, paired by seed; 95 % interval beneath. Narrowing: by how much \
                  pairing shrank the interval against independent runs."
                .into(),
        names: 1,
        head: heads(["pair", "metric", "difference", "first better in", "narrowing", "the first is"]),
        rows,
    })
}

fn break_even(results: &Results) -> Option<Table> {
    let period = Period::of(results);
    let rows: Vec<Vec<Cell>> = results
        .break_even
        .iter()
        .map(|b| {
            let never = || cell("never pays");
            vec![
                cell(format!("{} over {}", short(&b.dearer, 30), short(&b.cheaper, 30))),
                cell(money(period.scale(b.bill_difference))),
                cell(super::text::count(period.scale(b.good_requests_difference))),
                b.usd_per_failed_request.map_or_else(never, |usd| cell(money(usd))),
                b.usd_per_minute.map_or_else(never, |usd| cell(money(usd))),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "When the dearer design pays",
        caption: "It pays where losing a request, or a minute of everything, costs more than this.".into(),
        names: 1,
        head: heads(["pair", "dearer by", "more good requests", "per failed request", "per minute of outage"]),
        rows,
    })
}

fn notes(results: &Results) -> Vec<(&'static str, Vec<String>)> {
    let of = |kind: NoteKind| {
        results.notes.iter().filter(move |n| n.kind == kind).map(|n| plain(&n.text)).collect::<Vec<_>>()
    };
    let designs = results
        .variants
        .iter()
        .filter_map(|v| Some(format!("{}: {}", short(&v.name, 60), plain(v.summary.as_deref()?))));
    let mut method = of(NoteKind::Method);
    method.extend([
        "Each seed is one horizon with its own faults; every variant lives through the same faults, so differences are paired by seed.".to_owned(),
        "Intervals are 95 %: Student t for means, Wilson for shares. The spread from year to year is wider than they are: see the 5th and 95th percentiles.".into(),
    ]);
    [
        ("The designs", designs.collect()),
        ("Method", method),
        ("Assumptions nobody measured", of(NoteKind::Assumption)),
        ("Not modelled", of(NoteKind::Limit)),
        ("Sources", of(NoteKind::Source)),
    ]
    .into_iter()
    .filter(|(_, items)| !items.is_empty())
    .collect()
}

/// Keeps a percent sign on the line of its number.
fn unbroken(mut headline: Headline) -> Headline {
    let keep = |text: &mut String| *text = text.replace(" %", "\u{a0}%");
    keep(&mut headline.lead);
    headline.details.iter_mut().for_each(keep);
    headline.winners.iter_mut().for_each(|winner| keep(&mut winner.margin));
    headline
}

/// The table of a sweep's points.
fn points(results: &Results, grid: &Grid) -> Table {
    let period = Period::of(results);
    let per = if period.seconds() == YEAR_S { " a year" } else { "" };
    let usd = |x: f64| money(period.scale(x));
    let count = |x: f64| super::text::count(period.scale(x));
    let has_rpo = results.variants.iter().any(|v| overall(v, &catalogue::RPO_SECONDS).is_some());
    let mut head: Vec<String> = grid.axes.iter().map(|axis| short(&axis.name, 40)).collect();
    head.extend(["available".to_owned(), format!("requests lost{per}"), "p99".to_owned()]);
    head.extend(has_rpo.then(|| "RPO".to_owned()));
    head.extend(["bill", "loss"].map(|what| format!("{what}{per}")));
    let rows = results.variants.iter().enumerate().map(|(place, v)| {
        let mut row: Vec<Cell> = grid.values(place).into_iter().map(|value| cell(short(value, 40))).collect();
        row.push(with_interval(overall(v, &catalogue::AVAILABILITY), availability));
        row.push(with_interval(overall(v, &catalogue::REQUESTS_LOST), count));
        row.push(with_interval(overall(v, &catalogue::LATENCY_P99), duration));
        row.extend(has_rpo.then(|| with_interval(overall(v, &catalogue::RPO_SECONDS), duration)));
        row.push(with_interval(overall(v, &catalogue::COST_BILL), usd));
        row.push(with_interval(overall(v, &catalogue::COST_LOSS), usd));
        row
    });
    Table {
        title: "",
        caption: "Means over seeds with 95 % intervals beneath; all points under the same seeds.".into(),
        names: grid.axes.len(),
        head,
        rows: rows.collect(),
    }
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
    Headline { lead, winners: vec![], details: vec![] }
}

/// The bytes of a sweep's page.
pub(super) fn sweep(results: &Results, grid: &Grid, charts: &[Chart]) -> Vec<u8> {
    let files = &["summary.json", "sweep.csv", "charts/"];
    let what = if results.variants.len() == 1 { "point" } else { "points" };
    let page = Page { pictures: charts.iter().collect(), ..frame(results, what, sweep_headline(results), files) };
    let mut table = points(results, grid);
    table.title = "Every point";
    bytes(&Page { tables: vec![table], ..page })
}

/// The bytes of a drill's page.
pub(super) fn drill(results: &Results, lead: String, outcomes: &[&Outcome]) -> Vec<u8> {
    let maybe = |x: Option<f64>, show: fn(f64) -> String| cell(x.map_or_else(|| "–".to_owned(), show));
    let row = |one: &&Outcome| {
        vec![
            cell(short(&one.fault, 80)),
            cell(one.fate.words()),
            cell(super::text::count(one.lost)),
            cell(duration(one.lost_s)),
            maybe(one.longest_outage_s, duration),
            maybe(one.rto_service_s, duration),
            maybe(one.rto_users_s, duration),
            maybe(one.rpo_s, duration),
            cell(super::text::count(one.writes_lost)),
            cell(one.stage.map_or("–", Stage::label)),
        ]
    };
    let table = Table {
        title: "What fails, and what becomes of it",
        caption:
            "Worst first. Requests lost, less what is lost without a fault, and the same as time of total outage; the \
                  longest outage of any population in any seed; all else means over seeds."
                .into(),
        names: 2,
        head: heads([
            "fails",
            "fate",
            "requests lost",
            "lost",
            "longest outage",
            "RTO service",
            "RTO users",
            "RPO",
            "writes lost",
            "most in stage",
        ]),
        rows: outcomes.iter().map(row).collect(),
    };
    let headline = Headline { lead, winners: vec![], details: vec![] };
    bytes(&Page { tables: vec![table], ..frame(results, "drills", headline, &["drill.csv", "drill.json"]) })
}

/// The page's bytes.
pub(super) fn page(results: &Results, mode: Mode, charts: &[Chart]) -> Vec<u8> {
    let of = |kind| charts.iter().filter(|chart| chart.kind == kind).collect::<Vec<_>>();
    let files = &["summary.json", "seeds.csv", "latency.csv", "cost.csv", "outages.csv", "charts/"];
    let what = if results.variants.len() == 1 { "variant" } else { "variants" };
    bytes(&Page {
        scorecard: scorecard(results),
        pictures: of(Kind::Whole),
        timelines: of(Kind::Timeline),
        maps: of(Kind::Map),
        tables: tables(results, mode),
        ..frame(results, what, headline(results), files)
    })
}

/// What every page says, whatever it shows.
fn frame<'a>(results: &Results, what: &str, headline: Headline, files: &'static [&'static str]) -> Page<'a> {
    let (scenario, tool) = (&results.scenario, &results.tool);
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
        headline: unbroken(headline),
        scorecard: Table::default(),
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
        notes: notes(results),
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
    use crate::report::sample::{bare, sample};

    #[test]
    fn the_scorecard_stars_the_best_of_each_column() {
        let table = scorecard(&sample());
        let starred = |row: usize| -> Vec<&str> {
            table
                .head
                .iter()
                .zip(&table.rows[row])
                .filter(|(_, cell)| cell.best)
                .map(|(head, _)| head.as_str())
                .collect()
        };
        assert_eq!(table.rows.iter().map(Vec::len).collect::<Vec<_>>(), [table.head.len(); 4]);
        // What the sample was made to be: the last variant loses least, the first is cheapest.
        assert_eq!(starred(0), ["bill a year"]);
        assert_eq!(starred(1), [""; 0]);
        assert_eq!(starred(2), ["total a year"]);
        assert_eq!(starred(3), ["available", "lost a year", "p99", "RTO", "RPO", "loss a year"]);
        assert!(
            table.caption.ends_with("P(met): share of seeds with availability at least 99.99 %."),
            "{}",
            table.caption
        );
    }

    #[test]
    fn one_variant_is_never_starred() {
        assert!(scorecard(&bare()).rows.iter().flatten().all(|cell| !cell.best));
    }

    #[test]
    fn the_page_loads_nothing_and_runs_nothing() {
        let results = sample();
        let page = String::from_utf8(page(&results, Mode::Compare, &super::super::svg::charts(&results))).unwrap();
        for forbidden in
            ["<script", "<link", "<img", "<iframe", "href=", "src=", "url(", "@import", "onload", "javascript:"]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert!(page.contains("&#60;script&#62;"), "names are escaped");
        assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"));
    }
}
