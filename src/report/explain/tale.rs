//! One incident as lines: what happened when, since it struck; and sentences of what it cost.

use super::Explained;
use super::calendar::length;
use super::words::{Tone, Words, list};
use crate::domain::rollout::Why;
use crate::domain::story::{Happening, What};
use crate::experiment::incidents::Incident;
use crate::plan::DEMAND;
use crate::report::text::{count, duration, percent, plain};
use std::fmt::Write as _;

/// Of more moments in which users are led elsewhere, or in which a fault comes and goes, only the first and the last
/// are told.
const MANY: usize = 8;

/// A moment in words.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    /// Seconds from the start of the horizon.
    pub(super) at: f64,
    /// How much to look at it.
    pub(super) tone: Tone,
    /// What happened.
    pub(super) text: String,
}

/// What happened in an incident, in order.
pub(super) fn lines(explained: &Explained<'_>, incident: &Incident) -> Vec<Line> {
    let words = Words { plan: explained.plan };
    let told: Vec<&Happening> = incident.happenings.iter().filter(|one| is_told(explained, incident, one)).collect();
    let mut lines: Vec<Line> = Vec::new();
    for moment in thinned(&told).chunk_by(|a, b| a.at == b.at) {
        let said = words.moment(moment);
        lines.extend(said.into_iter().map(|(tone, text)| Line { at: moment[0].at, tone, text }));
    }
    lines.extend(skipped(&told));
    for (from, to) in incident.out() {
        if from > incident.from + 1.0 {
            lines.push(Line {
                at: from,
                tone: Tone::Bad,
                text: format!("{} below 99 %", whose(explained, incident, from)),
            });
        }
        let text = "every journey is above 99 % again".to_owned();
        lines.push(Line { at: to, tone: Tone::Good, text });
    }
    lines.sort_by(|a, b| a.at.total_cmp(&b.at));
    lines
}

/// Releases belong into a story only if it is theirs; what somebody changes by hand is told once.
fn is_told(explained: &Explained<'_>, incident: &Incident, happening: &Happening) -> bool {
    let rollout = &explained.plan.rollout;
    let is_drift = incident.roots.iter().any(|&root| rollout.is_drift(root));
    let What::Runs(cluster, _, why) = happening.what else {
        return !(is_drift && matches!(happening.what, What::Begins | What::Ends));
    };
    match why {
        Why::Start | Why::Canary | Why::Release | Why::RollBack | Why::Fix => {
            incident.roots.iter().any(|&root| rollout.is_release(root))
        }
        Why::Drift | Why::SelfHeal | Why::Noticed => {
            let mut drifts = rollout.drifts.iter().filter(|drift| drift.cluster == cluster);
            drifts.any(|drift| incident.roots.contains(&drift.hit.root))
        }
    }
}

/// Kinds that there may be a lot of, and what those are called.
const FREQUENT: [(&str, &str); 5] = [
    ("answers", "moves of users"),
    ("fault-begins", "strikes"),
    ("fault-ends", "repairs"),
    ("marked-down", "times marked down"),
    ("marked-up", "times marked up"),
];

/// Moments of a kind: the first, the last, and how many lie between them, if they are many.
fn between(told: &[&Happening], kind: &str) -> Option<(f64, f64, usize)> {
    let mut moments: Vec<f64> = told.iter().filter(|one| one.what.kind() == kind).map(|one| one.at).collect();
    moments.dedup();
    let (first, last) = (moments.first()?, moments.last()?);
    (moments.len() > MANY).then(|| (*first, *last, moments.len() - 2))
}

/// Without what there is too much of.
fn thinned<'h>(told: &[&'h Happening]) -> Vec<&'h Happening> {
    let inner = FREQUENT.map(|(kind, _)| (kind, between(told, kind)));
    let is_kept = |one: &&&Happening| {
        let own = inner.iter().find(|(kind, _)| *kind == one.what.kind()).and_then(|(_, inner)| *inner);
        own.is_none_or(|(first, last, _)| one.at == first || one.at == last)
    };
    told.iter().filter(is_kept).copied().collect()
}

/// Lines in place of that.
fn skipped(told: &[&Happening]) -> Vec<Line> {
    let line = |(kind, what): (&str, &str)| {
        let (first, last, count) = between(told, kind)?;
        let next = told.iter().find(|one| one.what.kind() == kind && one.at > first)?.at;
        let text = format!("… and {count} more {what}, until {} later", length(last - next));
        Some(Line { at: next, tone: Tone::Plain, text })
    };
    FREQUENT.into_iter().filter_map(line).collect()
}

/// Whose requests fall below 99 % at a moment.
fn whose(explained: &Explained<'_>, incident: &Incident, at: f64) -> String {
    let plan = explained.plan;
    let mut names: Vec<String> = Vec::new();
    for outage in incident.outages.iter().filter(|outage| outage.start <= at && at < outage.end) {
        let (whose, what) = (&plan.populations[outage.population].name, &plan.journeys[outage.journey].name);
        names.push(plain(&format!("{what} of {whose}")));
    }
    list(&names)
}

/// What it cost, in sentences.
pub(super) fn costs(explained: &Explained<'_>, incident: &Incident) -> Vec<String> {
    let plan = explained.plan;
    let mut said = Vec::new();
    let share = |part: f64| percent(part / incident.lost);
    let stages: Vec<String> = incident
        .stages
        .iter()
        .filter_map(|&(stage, lost)| {
            stage.filter(|_| lost >= 0.5).map(|stage| format!("{} {}", share(lost), stage.label()))
        })
        .collect();
    let mut text = format!("Lost {}", requests(incident.lost));
    if !stages.is_empty() {
        let _ = write!(text, ": {}", stages.join(", "));
    }
    said.push(text + ".");
    if incident.populations.len() > 1 && incident.lost > 0.0 {
        let of = incident.populations.iter().take(6);
        let of: Vec<_> =
            of.map(|&(id, lost)| format!("{} {}", plain(&plan.populations[id].name), share(lost))).collect();
        said.push(format!("Of these {}.", list(&of)));
    }
    let out = incident.out();
    match (out.first(), out.last()) {
        (Some(first), Some(last)) => {
            let below: f64 = out.iter().map(|(from, to)| to - from).sum();
            let spells = if out.len() == 1 { String::new() } else { format!(" in {} spells", out.len()) };
            let when = if first.0 - incident.from < 1.0 && out.len() == 1 {
                "from the moment it struck".to_owned()
            } else {
                format!(
                    "from {} to {} after it struck",
                    length(first.0 - incident.from),
                    length(last.1 - incident.from)
                )
            };
            said.push(format!(
                "Somebody was below 99 % for {}{spells}, {when}: {}.",
                length(below),
                hit(explained, incident)
            ));
        }
        (Some(_) | None, Some(_) | None) => said.push("No outage began with it.".to_owned()),
    }
    let marks = |one: &Happening| matches!(one.what, What::MarkedDown(..));
    if !out.is_empty()
        && incident.roots.iter().all(|root| root.index() != DEMAND)
        && !incident.happenings.iter().any(marks)
    {
        said.push("No health check marked anything down.".to_owned());
    }
    said.extend(ended(incident));
    if incident.split >= 0.5 {
        said.push(format!("A deposed leader took {} writes that didn't stay.", count(incident.split.round())));
    }
    if incident.writes > 0.0 {
        said.push(format!("Promotions lost {} acknowledged writes.", count(incident.writes)));
    }
    said
}

/// Whom it hit: "browse and checkout of us, eu and 4 more".
fn hit(explained: &Explained<'_>, incident: &Incident) -> String {
    let plan = explained.plan;
    let (mut journeys, mut populations) = (Vec::new(), Vec::new());
    for outage in &incident.outages {
        let names = (plain(&plan.journeys[outage.journey].name), plain(&plan.populations[outage.population].name));
        for (all, name) in [(&mut journeys, names.0), (&mut populations, names.1)] {
            if !all.contains(&name) {
                all.push(name);
            }
        }
    }
    format!("{} of {}", list(&journeys), list(&populations))
}

/// Who ended it: a failover, or the repair; or it went on after that.
fn ended(incident: &Incident) -> Option<String> {
    let by_failover: Vec<f64> = incident.outages.iter().filter_map(|outage| outage.recovery?.users).collect();
    let last = incident.outages.iter().map(|outage| outage.end).reduce(f64::max)?;
    let repaired =
        incident.outages.iter().filter(|outage| outage.recovery.is_some_and(|recovery| recovery.users.is_none()));
    let repaired = repaired.filter(|outage| outage.end >= incident.to - 1.0).count();
    let slowest = by_failover.iter().copied().reduce(f64::max);
    match (slowest, repaired) {
        (None, 0) => None,
        (None, _) if last > incident.to + 60.0 => {
            Some(format!("It went on for {} after the fault was gone.", length(last - incident.to)))
        }
        (None, _) => Some("It lasted until the fault was gone.".to_owned()),
        (Some(slowest), 0) => Some(format!("Failover ended it, for all users within {}.", length(slowest))),
        (Some(slowest), repaired) => Some(format!(
            "Failover ended {} of {} outages, within {}; {repaired} lasted until the fault was gone.",
            by_failover.len(),
            incident.outages.len(),
            length(slowest)
        )),
    }
}

/// "1 outage", "2 outages".
fn several(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// "312 440 requests", "1 request".
pub(super) fn requests(lost: f64) -> String {
    if lost < 0.5 {
        return if lost > 0.0 { "less than a request" } else { "no request" }.to_owned();
    }
    let whole = if lost < 1e6 { lost.round() } else { lost };
    if whole == 1.0 { "1 request".to_owned() } else { format!("{} requests", count(whole)) }
}

/// The first sentences of a story: which seed, why it, how it did.
pub(super) fn headline(explained: &Explained<'_>) -> Vec<String> {
    use crate::metric::catalogue::{AVAILABILITY, DOWNTIME, OUTAGES, REQUESTS_OFFERED};
    let spec = &explained.scenario.spec;
    let mut said = Vec::new();
    let (name, variant) = (plain(&spec.name), plain(&explained.scenario.variant));
    let value = |metric| explained.value(metric);
    let availability = value(&AVAILABILITY).map_or_else(|| "–".to_owned(), crate::report::text::availability);
    said.push(format!("{name}, variant {variant}, seed {}: availability {availability}.", explained.seed));
    if let Some(chosen) = &explained.chosen {
        let worst = crate::report::text::value(chosen.metric.unit, chosen.value);
        let best = match chosen.metric.better {
            crate::metric::Better::Higher => "lowest",
            crate::metric::Better::Lower | crate::metric::Better::Neither => "highest",
        };
        said.push(if chosen.metric.name == AVAILABILITY.name {
            format!("That is the lowest of {} seeds.", chosen.of)
        } else {
            format!("Of {} seeds it has the {best} {}: {worst}.", chosen.of, chosen.metric.name)
        });
    }
    let incidents = &explained.incidents;
    let offered = value(&REQUESTS_OFFERED).map_or_else(String::new, |offered| format!(" of {}", count(offered)));
    let outages = value(&OUTAGES).unwrap_or(0.0);
    let downtime = value(&DOWNTIME).unwrap_or(0.0);
    said.push(format!(
        "It lost {}{offered}, in {} that somebody noticed: {}, {} of downtime a user.",
        requests(incidents.lost),
        several(incidents.noticed.len(), "incident"),
        several(outages as usize, "outage"),
        duration(downtime)
    ));
    said
}

/// The incidents that aren't told in full: "and 41 faults that no user noticed: 30 pod failed, 11 link cut".
pub(super) fn rest(explained: &Explained<'_>, shown: usize) -> Vec<String> {
    let incidents = &explained.incidents;
    let mut said = Vec::new();
    let left = &incidents.noticed[shown.min(incidents.noticed.len())..];
    if !left.is_empty() {
        let lost: f64 = left.iter().map(|incident| incident.lost).sum();
        said.push(format!(
            "{} smaller incidents lost {} in all: {}.",
            left.len(),
            requests(lost),
            kinds(explained, left)
        ));
    }
    if !incidents.harmless.is_empty() {
        let count = incidents.harmless.len();
        let faults = several(count, "fault");
        said.push(format!("And {faults} that no user noticed: {}.", kinds(explained, &incidents.harmless)));
    }
    if incidents.background >= 0.5 {
        said.push(format!("A few at a time, {} were lost besides.", requests(incidents.background)));
    }
    said
}

/// "30 × pod failed, 11 × link cut", the most frequent first.
fn kinds(explained: &Explained<'_>, all: &[Incident]) -> String {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for incident in all {
        let fault = incident.roots.first().map_or_else(String::new, |&root| plain(&explained.plan.roots[root].fault));
        match kinds.iter_mut().find(|kind| kind.0 == fault) {
            Some(kind) => kind.1 += 1,
            None => kinds.push((fault, 1)),
        }
    }
    kinds.sort_by_key(|kind| core::cmp::Reverse(kind.1));
    list(&kinds.iter().map(|(fault, count)| format!("{count} × {fault}")).collect::<Vec<_>>())
}
