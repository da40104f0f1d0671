//! What the comparison says, in sentences: which variant is best at what, by how much and how sure.
//!
//! Built from the paired comparisons alone. A difference that isn't shown is said not to be shown.

use super::text::{availability, duration, interval, money, percent, plain, significant};
use super::view::{Against, Period, against, against_of, mean, overall, worst_population};
use crate::experiment::results::{BreakEven, MetricResult, Results, VariantResult};
use crate::metric::{Better, Dims, Metric, catalogue};
use crate::stats::Verdict;

/// One thing that a variant can be best at.
pub struct Winner {
    /// "Most available".
    pub title: &'static str,
    /// The variant's name, as plain text.
    pub variant: String,
    /// Its position in the results.
    pub place: usize,
    /// Its figure, with the unit.
    pub figure: String,
    /// By how much and how sure, against the next best.
    pub margin: String,
}

/// What a report says first.
#[derive(Default)]
pub struct Headline {
    /// The verdict in one sentence.
    pub lead: String,
    /// Which variant has the lowest sum of bill and loss, if any has.
    pub sum: String,
    /// The best at availability, latency, bill and total.
    pub winners: Vec<Winner>,
    /// One sentence per neighbouring pair, and per break-even of theirs.
    pub details: Vec<String>,
}

/// A metric on which variants are ranked.
struct Rank<'a> {
    metric: &'static Metric,
    dims: Dims,
    /// Positions of the variants that have it, best first.
    order: Vec<(usize, &'a MetricResult)>,
}

fn rank<'a>(
    results: &'a Results,
    metric: &'static Metric,
    find: impl Fn(&'a VariantResult) -> Option<&'a MetricResult>,
) -> Option<Rank<'a>> {
    let mut order: Vec<_> = results.variants.iter().enumerate().filter_map(|(i, v)| Some((i, find(v)?))).collect();
    let mean = |m: &MetricResult| m.mean.unwrap_or(0.0);
    match metric.better {
        Better::Higher => order.sort_by(|a, b| mean(b.1).total_cmp(&mean(a.1))),
        Better::Lower | Better::Neither => order.sort_by(|a, b| mean(a.1).total_cmp(&mean(b.1))),
    }
    let dims = order.first()?.1.dims.clone();
    Some(Rank { metric, dims, order })
}

/// The metric by which latency is judged: p99 of everybody, or of the population that has it worst.
fn latency_of(variant: &VariantResult) -> Option<&MetricResult> {
    let metric = &catalogue::LATENCY_P99;
    overall(variant, metric).or_else(|| worst_population(variant, metric).map(|(_, m)| m))
}

/// How sure a difference is: "95 % interval 3.2 to 5.0; better in 93 % of seeds".
fn surety(against: &Against, show: impl Fn(f64) -> String) -> String {
    let (low, high) = match against.ci95.map(f64::abs) {
        [a, b] if against.ci95[0] * against.ci95[1] >= 0.0 => (a.min(b), a.max(b)),
        _ => (against.ci95[0], against.ci95[1]),
    };
    let share = against.better_share.map(|share| format!("; better in {}", seeds(share))).unwrap_or_default();
    format!("95 % interval {}{share}", interval(&show(low), &show(high)))
}

fn seeds(share: f64) -> String {
    match share {
        1.0 => "every seed".into(),
        0.0 => "no seed".into(),
        _ => format!("{} of seeds", percent(share)),
    }
}

fn more_seeds(against: &Against) -> String {
    against.seeds_needed.map_or_else(String::new, |n| format!("; about {n} seeds would show one of this size"))
}

/// An availability difference as minutes of total outage over the period.
fn minutes(period: Period, share: f64) -> String {
    duration(share.abs() * period.seconds()) + if share < 0.0 { " (the other way)" } else { "" }
}

fn margin(results: &Results, rank: &Rank<'_>, show: &dyn Fn(f64) -> String, better: &str, unit: &str) -> String {
    let (Some((first, _)), Some((second, _))) = (rank.order.first(), rank.order.get(1)) else {
        return String::new();
    };
    let [a, b] = [*first, *second].map(|i| &results.variants[i].name);
    let Some(c) = against_of(results, rank.metric, &rank.dims, a, b) else {
        return format!("next best: {}", plain(b));
    };
    match c.verdict {
        Verdict::Better => {
            format!("{} {better} than {}{unit} ({})", show(c.difference.abs()), plain(b), surety(&c, show))
        }
        Verdict::Worse | Verdict::NoDifferenceShown => {
            format!("no difference from {} shown ({}{})", plain(b), surety(&c, show), more_seeds(&c))
        }
    }
}

/// "1.8× as much as", "12 % more than", "as much as".
fn ratio(a: f64, b: f64) -> Option<String> {
    if a <= 0.0 || b <= 0.0 {
        return None;
    }
    let times = a / b;
    Some(match times {
        _ if times >= 1.5 => format!("{}× as much", significant(times, 2)),
        _ if times >= 1.005 => format!("{} % more", significant((times - 1.0) * 100.0, 2)),
        _ if times > 0.995 => "about the same".into(),
        _ if times > 0.667 => format!("{} % less", significant((1.0 - times) * 100.0, 2)),
        _ => format!("{} % of it", significant(times * 100.0, 2)),
    })
}

/// One sentence on availability and bill of `a` against `b`.
pub fn pair(results: &Results, a: &VariantResult, b: &VariantResult) -> Option<String> {
    let period = Period::of(results);
    let c = against(results, &catalogue::AVAILABILITY, &a.name, &b.name)?;
    let (name_a, name_b) = (plain(&a.name), plain(&b.name));
    let show = |x: f64| minutes(period, x);
    let plain_show = |x: f64| duration(x * period.seconds());
    let first = match c.verdict {
        Verdict::Better => format!(
            "{name_a} loses {} {} less than {name_b} ({})",
            show(c.difference.abs()),
            period.phrase(),
            surety(&c, plain_show)
        ),
        Verdict::Worse => format!(
            "{name_a} loses {} {} more than {name_b} ({})",
            show(c.difference.abs()),
            period.phrase(),
            surety(&c, plain_show)
        ),
        Verdict::NoDifferenceShown => format!(
            "No difference in availability is shown between {name_a} and {name_b} ({}{})",
            surety(&c, plain_show),
            more_seeds(&c)
        ),
    };
    let bill = mean(a, &catalogue::COST_BILL)
        .zip(mean(b, &catalogue::COST_BILL))
        .and_then(|(a, b)| ratio(a, b))
        .map(|ratio| {
            if c.verdict == Verdict::NoDifferenceShown {
                format!("; {name_a} costs {ratio}")
            } else {
                format!(" and costs {ratio}")
            }
        })
        .unwrap_or_default();
    Some(format!("{first}{bill}."))
}

/// The headline of a comparison, or of a single run.
pub fn headline(results: &Results) -> Headline {
    let period = Period::of(results);
    let available = rank(results, &catalogue::AVAILABILITY, |v| overall(v, &catalogue::AVAILABILITY));
    let fast = rank(results, &catalogue::LATENCY_P99, latency_of);
    let cheap = rank(results, &catalogue::COST_BILL, |v| overall(v, &catalogue::COST_BILL));
    let total = rank(results, &catalogue::COST_TOTAL, |v| overall(v, &catalogue::COST_TOTAL));
    let usd = |x: f64| money(period.scale(x));
    let lost = |x: f64| duration(x * period.seconds());
    if let [only] = results.variants.as_slice() {
        return Headline { lead: single(results, only), ..Headline::default() };
    }
    let mut winners = Vec::new();
    let mut add =
        |title, rank: &Option<Rank<'_>>, show: &dyn Fn(f64) -> String, figure: &dyn Fn(f64) -> String, better| {
            let Some(rank) = rank else { return };
            let Some((place, best)) = rank.order.first() else { return };
            winners.push(Winner {
                title,
                variant: plain(&results.variants[*place].name),
                place: *place,
                figure: figure(best.mean.unwrap_or(0.0)),
                margin: margin(results, rank, show, better, ""),
            });
        };
    add("Most available", &available, &lost, &availability, "less lost");
    add("Fastest, p99 of all", &fast, &|x| duration(x), &|x| duration(x), "faster");
    add("Lowest bill", &cheap, &usd, &usd, "cheaper");
    add("Lowest bill + loss", &total, &usd, &usd, "cheaper");
    Headline {
        lead: lead(results, available.as_ref()),
        sum: sum(results, available.as_ref(), cheap.as_ref(), total.as_ref()),
        winners,
        details: details(results, available.as_ref()),
    }
}

fn lead(results: &Results, available: Option<&Rank<'_>>) -> String {
    let best = |place: usize| available.and_then(|r| r.order.get(place)).map(|(place, _)| &results.variants[*place]);
    let Some(first) = best(0) else {
        return "No variant has an availability to compare.".into();
    };
    best(1)
        .and_then(|second| pair(results, first, second))
        .unwrap_or_else(|| format!("{} is the most available.", plain(&first.name)))
}

fn sum(results: &Results, available: Option<&Rank<'_>>, cheap: Option<&Rank<'_>>, total: Option<&Rank<'_>>) -> String {
    let best = |rank: Option<&Rank<'_>>| rank.and_then(|r| r.order.first()).map(|(place, _)| *place);
    let Some(least) = best(total) else { return String::new() };
    let variant = &results.variants[least];
    let name = plain(&variant.name);
    let usd = money(Period::of(results).scale(mean(variant, &catalogue::COST_TOTAL).unwrap_or(0.0)));
    match (best(available), best(cheap)) {
        (Some(first), _) if first == least => format!("{name} also has the lowest sum of bill and loss, {usd}."),
        (_, Some(first)) if first == least => {
            format!("{name} has the lowest bill, and the lowest sum of bill and loss, {usd}.")
        }
        (_, _) => format!("{name} has the lowest sum of bill and loss, {usd}."),
    }
}

/// True where the dearer of a pair is shown to be more available: otherwise it may never pay.
pub(super) fn break_even_is_shown(results: &Results, b: &BreakEven) -> bool {
    against(results, &catalogue::AVAILABILITY, &b.dearer, &b.cheaper).is_some_and(|c| c.verdict == Verdict::Better)
}

fn details(results: &Results, available: Option<&Rank<'_>>) -> Vec<String> {
    let order: Vec<&VariantResult> =
        available.into_iter().flat_map(|r| &r.order).map(|(place, _)| &results.variants[*place]).collect();
    let mut sentences: Vec<String> = order.windows(2).skip(1).filter_map(|two| pair(results, two[0], two[1])).collect();
    let are_neighbours =
        |b: &BreakEven| order.windows(2).any(|two| two[0].name == b.dearer && two[1].name == b.cheaper);
    sentences.extend(
        results.break_even.iter().filter(|b| are_neighbours(b) && break_even_is_shown(results, b)).filter_map(|b| {
            let (dearer, cheaper, usd) = (plain(&b.dearer), plain(&b.cheaper), money(b.usd_per_minute?));
            Some(format!("{dearer} pays over {cheaper} once a minute of total outage costs more than {usd}."))
        }),
    );
    sentences
}

fn single(results: &Results, only: &VariantResult) -> String {
    let period = Period::of(results);
    let mut parts = Vec::new();
    if let Some(m) = overall(only, &catalogue::AVAILABILITY) {
        let share = m.mean.unwrap_or(0.0);
        let range = m.ci95.map_or_else(String::new, |[low, high]| {
            format!(" (95 % interval {})", interval(&availability(low), &availability(high.min(1.0))))
        });
        let lost = duration((1.0 - share) * period.seconds());
        parts.push(format!(
            "answers {} of requests{range}, as if {lost} {} were lost",
            availability(share),
            period.phrase()
        ));
    }
    if let Some(usd) = mean(only, &catalogue::COST_BILL) {
        parts.push(format!("costs {} {}", money(period.scale(usd)), period.phrase()));
    }
    if parts.is_empty() {
        return format!("{} ran; no seed gave an availability.", plain(&only.name));
    }
    format!("{} {}.", plain(&only.name), parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{bare, sample};

    #[test]
    fn a_pair_says_by_how_much_and_how_sure() {
        let mut results = sample();
        let c = results
            .comparisons
            .iter_mut()
            .find(|c| {
                c.metric == "availability"
                    && c.dims == Dims::default()
                    && c.a == "active-passive"
                    && c.b == "active-active"
            })
            .unwrap();
        // Seen from active-active, 246 s of 31 536 000 less are lost.
        (c.difference, c.ci95, c.a_better_share) =
            (-246.0 / 31_536_000.0, [-300.0 / 31_536_000.0, -192.0 / 31_536_000.0], Some(0.07));
        c.verdict = Verdict::Worse;
        let text = pair(&results, &results.variants[3], &results.variants[1]).unwrap();
        assert!(text.starts_with("active-active loses 4.1 min a year less than active-passive (95 % interval 3.2 to 5.0 min; better in 93 % of seeds) and costs 1.9× as much"), "{text}");
    }

    #[test]
    fn what_is_not_shown_is_not_claimed() {
        let mut results = sample();
        for c in &mut results.comparisons {
            (c.ci95, c.verdict, c.seeds_needed) = ([-1e-5, 2e-5], Verdict::NoDifferenceShown, Some(310));
        }
        let head = headline(&results);
        assert!(head.lead.contains("No difference in availability is shown"), "{}", head.lead);
        assert!(head.lead.contains("310 seeds"), "{}", head.lead);
        assert!(head.winners.iter().all(|w| w.margin.contains("no difference")));
    }

    #[test]
    fn a_single_run_speaks_too() {
        let text = headline(&bare()).lead;
        assert!(text.starts_with("single-region answers 99.9"), "{text}");
    }
}
