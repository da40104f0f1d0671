//! What was found, in sentences; names are plain text in them.

use super::{Change, Place, ScenarioCheck};
use crate::experiment::baseline::Moved;
use crate::experiment::judge::{Judged, Judgement};
use crate::experiment::results::Direction;
use crate::metric::{Better, Dims, Unit};
use crate::report::text::{availability, duration, interval, percent, plain, round_availability, short, value};
use crate::report::view::Period;

/// The most of a value, or of a name, that a sentence has.
const LONGEST: usize = 60;

/// "latency.p99 of eu, checkout".
pub(super) fn figure(metric: &str, dims: &Dims) -> String {
    let names = [&dims.population, &dims.journey, &dims.cluster, &dims.service, &dims.store, &dims.root];
    let of: Vec<_> = names.into_iter().flatten().map(|name| short(name, LONGEST)).collect();
    if of.is_empty() { metric.to_owned() } else { format!("{metric} of {}", of.join(", ")) }
}

/// "availability of checkout: at least 99.95 %".
pub(super) fn expected(judged: &Judged) -> String {
    let side = match judged.direction {
        Direction::AtLeast => "at least",
        Direction::AtMost => "at most",
    };
    let is_round = judged.unit == Unit::Share && judged.target >= 0.9;
    let target = if is_round { round_availability(judged.target) } else { value(judged.unit, judged.target) };
    format!("{}: {side} {target}", figure(&judged.metric, &judged.dims))
}

/// "it is 99.91 % (99.90 to 99.92 %, each with 95 % confidence)".
pub(super) fn found(judged: &Judged) -> String {
    let show = |x: f64| value(judged.unit, x);
    let Some(mean) = judged.mean else { return "nothing happened that it could measure".into() };
    let between = match judged.bounds {
        None => " in the only seed that has it".into(),
        Some([low, high]) if show(low) == show(high) => String::new(),
        Some([low, high]) => {
            let confidence = percent(judged.confidence);
            format!(" ({}, each bound with {confidence} confidence)", interval(&show(low), &show(high)))
        }
    };
    let more = match (judged.judgement, judged.seeds_to_tell) {
        (Judgement::Undecided, Some(seeds)) => format!("; about {seeds} seeds would tell"),
        (Judgement::Undecided, None) => "; it is on the bound itself".into(),
        (Judgement::Holds | Judgement::Breached, _) => String::new(),
    };
    format!("it is {}{between}{more}", show(mean))
}

/// "latency.p99 of eu rose from 473 ms to 612 ms, by 139 ms (95 % interval 125 to 139 ms)". Of an availability, the time
/// that is lost more or less.
pub(super) fn moved(moved: &Moved, scenario: &ScenarioCheck) -> String {
    let is_share = moved.unit == Unit::Share && moved.better == Better::Higher;
    let period = Period::over(scenario.horizon_s);
    let by = |x: f64| if is_share { duration(x * period.seconds()) } else { value(moved.unit, x) };
    let show = |x: f64| if is_share { availability(x) } else { value(moved.unit, x) };
    let sign = if moved.difference < 0.0 { -1.0 } else { 1.0 };
    let (a, b) = (sign * moved.ci95[0], sign * moved.ci95[1]);
    let between = interval(&by(a.min(b)), &by(a.max(b)));
    let verb = if moved.difference < 0.0 { "fell" } else { "rose" };
    let what = if is_share { format!(" of total outage {}", period.phrase()) } else { String::new() };
    format!(
        "{} {verb} from {} to {}, by {}{what} (95 % interval {between})",
        figure(&moved.metric, &moved.dims),
        show(moved.was),
        show(moved.is),
        by(moved.difference.abs())
    )
}

/// `routing.via.dns.ttl: "60s", now "600s"`.
pub(super) fn changed(change: &Change) -> String {
    let path = short(&change.path, LONGEST);
    match (&change.was, &change.is) {
        (Some(was), Some(is)) => format!("{path}: {}, now {}", short(was, LONGEST), short(is, LONGEST)),
        (None, Some(is)) => format!("{path}: new, {}", short(is, LONGEST)),
        (Some(was), None) => format!("{path}: {}, now gone", short(was, LONGEST)),
        (None, None) => path,
    }
}

/// "scenarios/shop.toml:7".
pub(super) fn place(place: &Place) -> String {
    format!("{}:{}", plain(&place.file), place.line)
}

/// How many settings are listed; of a redesign nobody reads all.
pub(super) const MOST_CHANGES: usize = 10;

/// "and 7 more settings", if there are more than are listed.
pub(super) fn more_changes(changes: &[Change]) -> Option<String> {
    match changes.len().saturating_sub(MOST_CHANGES) {
        0 => None,
        1 => Some("and 1 more setting".into()),
        more => Some(format!("and {more} more settings")),
    }
}

/// "regional-dr, 200 seeds of 365 d".
pub(super) fn simulated(variant: &str, scenario: &ScenarioCheck) -> String {
    let seeds = if scenario.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", scenario.seeds) };
    format!("{}, {seeds} of {}", short(variant, 40), duration(scenario.horizon_s))
}
