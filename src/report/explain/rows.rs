//! What happened as data: `events.csv`, a line for each thing, and `explain.json`, the whole story.
//!
//! Names are as the scenario says them; JSON escapes them, and a spreadsheet can't take them for formulas.

use super::tale::{costs, lines};
use super::words::Words;
use super::{Explained, Incident};
use crate::base::Id;
use crate::domain::story::{Happening, Moves, What};
use crate::domain::{Cluster, Population, Stage, Store};
use crate::report::csv::{name, table};
use crate::report::text::plain;
use serde_json::{Value, json};

/// What a happening is about; what doesn't apply is `None`. `seconds` is how long it takes, `amount` writes that were
/// lost, bytes that were copied, or a factor.
#[derive(Default)]
struct Row {
    cluster: Option<String>,
    to: Option<String>,
    store: Option<String>,
    population: Option<String>,
    seconds: Option<f64>,
    amount: Option<f64>,
}

fn row(explained: &Explained<'_>, what: &What) -> Row {
    let plan = explained.plan;
    let cluster = |id: Id<Cluster>| Some(plan.clusters[id].name.clone());
    let store = |id: Id<Store>| Some(plan.stores[id].name.clone());
    let population = |id: Id<Population>| plan.populations[id].name.clone();
    let of = |moves: &Moves| match *moves {
        Moves::Users(_) => Row::default(),
        Moves::Store(id, part) => Row { store: store(id), population: part.map(population), ..Row::default() },
    };
    match what {
        What::Begins | What::Ends | What::Noticed | What::Mended | What::Ebbs => Row::default(),
        What::MarkedDown(at, copy) | What::MarkedUp(at, copy) => {
            Row { cluster: cluster(*at), store: copy.and_then(store), ..Row::default() }
        }
        What::Deciding(moves, from, takes) => Row { cluster: cluster(*from), seconds: Some(*takes), ..of(moves) },
        What::StoodDown(moves) | What::Stalled(moves) => of(moves),
        What::Promoting(moves, to, takes, _) | What::FailingBack(moves, to, takes) => {
            Row { to: cluster(*to), seconds: Some(*takes), ..of(moves) }
        }
        What::Promoted { of: moves, from, to, lost, rpo } => {
            Row { cluster: cluster(*from), to: cluster(*to), seconds: Some(*rpo), amount: Some(*lost), ..of(moves) }
        }
        What::FailedBack(moves, to) => Row { to: cluster(*to), ..of(moves) },
        What::Splits(id, part, at) | What::Rejoins(id, part, at) => {
            Row { cluster: cluster(*at), ..of(&Moves::Store(*id, *part)) }
        }
        What::Resynced(id, part, at, seconds, bytes) => Row {
            cluster: cluster(*at),
            seconds: Some(*seconds),
            amount: Some(*bytes),
            ..of(&Moves::Store(*id, *part))
        },
        What::CopyMoves(at, id, takes) => {
            Row { cluster: cluster(*at), store: store(*id), seconds: Some(*takes), ..Row::default() }
        }
        What::Answers(id, answer, tail) => Row {
            population: Some(population(*id)),
            to: Some(Words { plan }.answer(answer)),
            seconds: Some(*tail),
            ..Row::default()
        },
        What::Readdressed(caller, _, _, to) => Row { cluster: cluster(*caller), to: cluster(*to), ..Row::default() },
        What::Wakes(at) | What::Rests(at) | What::NodesAgain(at) | What::Evicted(at) | What::Runs(at, ..) => {
            Row { cluster: cluster(*at), ..Row::default() }
        }
        What::NodesShort(at, takes) => Row { cluster: cluster(*at), seconds: Some(*takes), ..Row::default() },
        What::Switchover(id, to, _) => Row { store: store(*id), to: cluster(*to), ..Row::default() },
        What::Surges(factor) => Row { amount: Some(*factor), ..Row::default() },
    }
}

/// Every happening with the number of its incident, in order of time: noticed ones are counted from 1.
fn all<'e>(explained: &'e Explained<'_>) -> Vec<(Option<usize>, &'e Happening)> {
    let incidents = &explained.incidents;
    let noticed = incidents
        .noticed
        .iter()
        .zip(1..)
        .flat_map(|(incident, number)| incident.happenings.iter().map(move |happening| (Some(number), happening)));
    let harmless = incidents.harmless.iter().flat_map(|incident| incident.happenings.iter().map(|one| (None, one)));
    let others = incidents.others.iter().map(|one| (None, one));
    let mut all: Vec<_> = noticed.chain(harmless).chain(others).collect();
    all.sort_by(|a, b| a.1.at.total_cmp(&b.1.at));
    all
}

fn said(explained: &Explained<'_>, happening: &Happening) -> String {
    let said = Words { plan: explained.plan }.moment(&[happening]);
    said.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")
}

fn root(explained: &Explained<'_>, happening: &Happening) -> Option<String> {
    happening.root.map(|root| explained.plan.roots[root].label())
}

/// `events.csv`.
pub(super) fn csv(explained: &Explained<'_>) -> Vec<u8> {
    let head = [
        "at_s",
        "time_utc",
        "incident",
        "kind",
        "fault",
        "cluster",
        "to",
        "store",
        "population",
        "seconds",
        "amount",
        "words",
    ];
    let text = |text: Option<String>| text.map(|text| name(&text)).unwrap_or_default();
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    let rows = all(explained).into_iter().map(|(incident, happening)| {
        let row = row(explained, &happening.what);
        [
            happening.at.to_string(),
            explained.calendar.iso(happening.at),
            incident.map_or_else(String::new, |number| number.to_string()),
            happening.what.kind().to_owned(),
            text(root(explained, happening)),
            text(row.cluster),
            text(row.to),
            text(row.store),
            text(row.population),
            number(row.seconds),
            number(row.amount),
            name(&said(explained, happening)),
        ]
    });
    table(head, rows)
}

/// `explain.json`.
pub(super) fn json(explained: &Explained<'_>) -> Vec<u8> {
    let incidents = &explained.incidents;
    let metric = |key: &crate::metric::Key, value: &Option<f64>| {
        let is_overall = key.dims == crate::metric::Dims::default();
        is_overall.then(|| (key.metric.name.to_owned(), json!(value)))
    };
    let metrics: serde_json::Map<String, Value> = explained
        .layout
        .keys()
        .iter()
        .zip(&explained.summary.values)
        .filter_map(|(key, value)| metric(key, value))
        .collect();
    let events = all(explained).into_iter().map(|(incident, happening)| {
        let row = row(explained, &happening.what);
        json!({
            "at_s": happening.at,
            "incident": incident,
            "kind": happening.what.kind(),
            "fault": root(explained, happening),
            "cluster": row.cluster,
            "to": row.to,
            "store": row.store,
            "population": row.population,
            "seconds": row.seconds,
            "amount": row.amount,
        })
    });
    let told = json!({
        "schema": 1,
        "tool": explained.tool,
        "scenario": explained.scenario.spec.name,
        "variant": explained.scenario.variant,
        "start": explained.scenario.spec.simulation.start,
        "horizon_s": explained.plan.horizon.secs(),
        "master_seed": explained.scenario.spec.simulation.seed,
        "seed": explained.seed,
        "worst": explained.chosen.as_ref().map(|chosen| {
            json!({ "metric": chosen.metric.name, "value": chosen.value, "of": chosen.of })
        }),
        "metrics": metrics,
        "incidents": incidents.noticed.iter().map(|one| incident(explained, one)).collect::<Vec<_>>(),
        "unnoticed": incidents.harmless.len(),
        "background_lost": incidents.background,
        "events": events.collect::<Vec<_>>(),
    });
    format!("{told:#}\n").into_bytes()
}

fn incident(explained: &Explained<'_>, incident: &Incident) -> Value {
    let plan = explained.plan;
    let stages = incident.stages.iter().map(|&(stage, lost)| json!({ "stage": stage.map(Stage::name), "lost": lost }));
    let populations =
        incident.populations.iter().map(|&(id, lost)| json!({ "population": plan.populations[id].name, "lost": lost }));
    let outages = incident.outages.iter().map(|outage| {
        json!({
            "population": plan.populations[outage.population].name,
            "journey": plan.journeys[outage.journey].name,
            "start_s": outage.start,
            "end_s": outage.end,
            "lost": outage.lost,
            "root": plan.roots[outage.root].label(),
            "rto_service_s": outage.recovery.and_then(|recovery| recovery.service),
            "rto_users_s": outage.recovery.and_then(|recovery| recovery.users),
        })
    });
    let lines = lines(explained, incident).into_iter().map(|line| json!({ "at_s": line.at, "words": line.text }));
    json!({
        "name": explained.name(incident),
        "roots": incident.roots.iter().map(|&root| plan.roots[root].label()).collect::<Vec<_>>(),
        "from_s": incident.from,
        "to_s": incident.to.is_finite().then_some(incident.to),
        "over_s": incident.over,
        "lost": incident.lost,
        "writes_lost": incident.writes,
        "writes_split": incident.split,
        "stages": stages.collect::<Vec<_>>(),
        "populations": populations.collect::<Vec<_>>(),
        "outages": outages.collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
        "costs": plain(&costs(explained, incident).join(" ")),
    })
}
