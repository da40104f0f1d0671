//! The suite's table on 80 columns: a case, then a line for each of its figures, and one for each that is refused.

use super::judge::{Judged, Measured, Verdict, target};
use super::suite::{Engine, Figure, Suite};

const WIDTH: usize = 80;
/// Columns of what the figure is, what is exact, and what requests measured.
const COLUMNS: (usize, usize, usize) = (30, 10, 22);

/// So many decimals show six digits of a number.
fn decimals(of: f64) -> usize {
    if of == 0.0 { 1 } else { (5 - of.abs().log10().floor() as i64).clamp(1, 9) as usize }
}

fn number(of: f64) -> String {
    format!("{of:.*}", decimals(of))
}

/// What is exact.
fn exact(figure: &Figure) -> String {
    format!("{:.*}", decimals(size(figure)), figure.exact)
}

/// A mean with the half-width of its interval.
fn estimate(measured: &Measured, figure: &Figure) -> String {
    match measured.mean {
        None => "absent".to_owned(),
        Some(mean) if measured.half == 0.0 => number(mean),
        Some(mean) => {
            let decimals = decimals(size(figure)).saturating_sub(1).max(1);
            format!("{mean:.decimals$} ± {:.decimals$}", measured.half)
        }
    }
}

/// What an error of a figure is a share of: of an availability near 1, its complement.
fn size(figure: &Figure) -> f64 {
    let is_near_one = figure.metric == "availability" && figure.exact > 0.5;
    if is_near_one { 1.0 - figure.exact } else { figure.exact.abs() }
}

/// How far a mean is off what is exact.
fn deviation(mean: f64, half: f64, figure: &Figure) -> String {
    let percent = |of: f64| 100.0 * of / size(figure);
    let off = percent(mean - figure.exact);
    if half > 0.0 {
        format!("{off:+.1} ± {:.1} %", percent(half))
    } else if off.abs() < 0.05 {
        "exact".to_owned()
    } else {
        format!("{off:+.1} %")
    }
}

/// Requests, flow: "–" where the engine doesn't apply.
fn cells(judged: &Judged, position: usize) -> (String, String) {
    let of = |engine: Engine| {
        let own = judged.verdicts.iter().filter(move |verdict| verdict.measured.engine == engine);
        own.map(|verdict| &verdict.measured).nth(position)
    };
    let absent = || "–".to_owned();
    let flow = |measured: &Measured| {
        let own = &judged.case.figures[position];
        measured.mean.map_or_else(|| "absent".to_owned(), |mean| deviation(mean, measured.half, own))
    };
    let requests = |measured: &Measured| estimate(measured, &judged.case.figures[position]);
    (of(Engine::Requests).map_or_else(absent, requests), of(Engine::Flow).map_or_else(absent, flow))
}

fn row(cells: [&str; 4]) -> String {
    let (what, exact, requests) = COLUMNS;
    let [first, second, third, fourth] = cells;
    format!("  {first:what$} {second:>exact$}  {third:requests$}  {fourth}").trim_end().to_owned() + "\n"
}

/// One case.
fn case(judged: &Judged) -> String {
    let case = judged.case;
    let (head, source) = (format!("{}: {}", case.name, case.title), format!("({})", case.source));
    let gap = if head.chars().count() + source.chars().count() < WIDTH { " " } else { "\n  " };
    let mut text = format!("{head}{gap}{source}\n");
    for (position, figure) in case.figures.iter().enumerate() {
        let (requests, flow) = cells(judged, position);
        text += &row([&figure.what, &exact(figure), &requests, &flow]);
        let refused = judged.verdicts.iter().filter(|verdict| verdict.refused && verdict.figure.what == figure.what);
        for verdict in refused {
            text += &refusal(verdict);
        }
    }
    text
}

fn refusal(verdict: &Verdict) -> String {
    let Measured { engine, mean, half, p, .. } = verdict.measured;
    let figure = verdict.figure;
    let (target, within) = target(figure, engine);
    match (mean, within) {
        (None, _) => format!("  REFUSED: {engine} has no {}\n", figure.metric),
        (Some(mean), None) if half > 0.0 => {
            let (off, chance) = (deviation(mean, half, figure), 1.0 / p);
            format!("  REFUSED: {engine} is off by {off}, by chance once in {chance:.0e}\n")
        }
        (Some(mean), _) => format!("  REFUSED: {engine} gives {mean}, and should give {target}\n"),
    }
}

/// Everything, and the verdict in a sentence.
pub fn table(suite: &Suite, judged: &[Judged], seed: u64) -> String {
    let mut text = row(["", "exact", "requests, 99.9 %", "flow"]);
    for judged in judged {
        text += &case(judged);
    }
    let all = judged.iter().map(|judged| judged.verdicts.len()).sum::<usize>();
    let refused = judged.iter().flat_map(|judged| &judged.verdicts).filter(|verdict| verdict.refused).count();
    let said = if refused == 0 { format!("All {all} hold") } else { format!("{refused} of {all} are REFUSED") };
    let (level, of) = (suite.level, suite.verdicts());
    text + &format!("\n{said} under master seed {seed} (Holm's method, level {level} over all {of}).\n")
}
