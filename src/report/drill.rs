//! What became of each drill: a matrix on a terminal, worst first, and the files of its folder.

use super::columns::{DRILL, names};
use super::csv;
use super::json::schema_of;
use super::page;
use super::terminal::{DIM, WIDTH, columns, fit, pad, wrapped};
use super::text::{duration, short};
use crate::base::Span;
use crate::experiment::drill::{Fate, Outcome};
use crate::experiment::results::{Results, SCHEMA, ScenarioInfo, Tool};
use anstyle::{AnsiColor, Style};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// What was drilled.
#[derive(Clone, Debug)]
pub struct Drilled<'a> {
    /// The drills' figures.
    pub results: &'a Results,
    /// What became of each.
    pub outcomes: Vec<Outcome>,
    /// How long each fault lasts.
    pub lasts: Span,
    /// The hour that they begin, as people say it.
    pub at: String,
}

impl Drilled<'_> {
    /// Worst first: by how it ends, then by what is lost. Of equals, in the order of the scenario.
    fn worst_first(&self) -> Vec<&Outcome> {
        let mut all: Vec<_> = self.outcomes.iter().collect();
        all.sort_by(|a, b| rank(b.fate).cmp(&rank(a.fate)).then(b.lost.total_cmp(&a.lost)));
        all
    }

    /// "Of 84 faults 60 do no harm, 3 are recovered from, 2 last until the repair."
    fn lead(&self) -> String {
        let of = |fate| self.outcomes.iter().filter(|one| one.fate == fate).count();
        let worst = self.worst_first();
        let mut text = format!(
            "Of {} faults {} do no harm, {} lose some requests, {} are recovered from, and {} put somebody out until the \
             repair.",
            self.outcomes.len(),
            of(Fate::Unharmed),
            of(Fate::Degraded),
            of(Fate::Recovers),
            of(Fate::OutUntilRepair)
        );
        if let Some(worst) = worst.first().filter(|worst| worst.fate != Fate::Unharmed) {
            let _ =
                write!(text, " The worst is {}: {} of total outage.", short(&worst.fault, 80), duration(worst.lost_s));
        }
        text
    }
}

const fn rank(fate: Fate) -> u8 {
    match fate {
        Fate::Unharmed => 0,
        Fate::Degraded => 1,
        Fate::Recovers => 2,
        Fate::OutUntilRepair => 3,
    }
}

/// What `drill` prints.
pub fn table(drilled: &Drilled) -> String {
    const BAD: Style = AnsiColor::Red.on_default();
    const ODD: Style = AnsiColor::Yellow.on_default();
    const MOST: usize = 40;
    let worst = drilled.worst_first();
    let harmful: Vec<_> = worst.iter().filter(|one| one.fate != Fate::Unharmed).collect();
    let maybe = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), duration);
    let row = |one: &&&Outcome| {
        let stage = one.stage.map_or("–", crate::domain::Stage::label);
        let fate = if one.fate == Fate::OutUntilRepair { "out" } else { one.fate.words() };
        [fate.to_owned(), duration(one.lost_s), maybe(one.rto_users_s), maybe(one.rpo_s), short(stage, 18)]
    };
    let head = ["fate", "lost", "RTO", "RPO", "most in stage"].map(str::to_owned);
    let rows: Vec<[String; 5]> = [head].into_iter().chain(harmful.iter().take(MOST).map(row)).collect();
    let widths: Vec<usize> = (0..5).map(|i| rows.iter().map(|row| columns(&row[i])).max().unwrap_or(0)).collect();
    let name = WIDTH - widths.iter().map(|width| width + 2).sum::<usize>();
    let names = ["fails".to_owned()].into_iter().chain(harmful.iter().map(|one| fit(&one.fault, name)));
    let mut text = String::new();
    if !harmful.is_empty() {
        for (place, (fault, row)) in names.zip(&rows).enumerate() {
            let style = match place.checked_sub(1).map(|place| harmful[place].fate) {
                None => DIM,
                Some(Fate::OutUntilRepair) => BAD,
                Some(Fate::Recovers) => ODD,
                Some(Fate::Degraded | Fate::Unharmed) => Style::new(),
            };
            let mut line = pad(&fault, name, false);
            for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line += "  ";
                line += &pad(cell, *width, (1..4).contains(&i));
            }
            text += &(style.render().to_string() + line.trim_end() + &style.render_reset().to_string() + "\n");
        }
        if harmful.len() > MOST {
            let _ = writeln!(text, "… and {} more, in drill.csv", harmful.len() - MOST);
        }
        text.push('\n');
    }
    let foot = format!(
        "{} Each fault lasts {} from {}; {} seeds. lost: requests lost, less those lost without a fault, as time of total \
         outage. out: somebody is, until the repair. RTO: until nobody is lost any more. Details: drill.csv.",
        drilled.lead(),
        duration(drilled.lasts.secs()),
        drilled.at,
        drilled.results.scenario.seeds
    );
    text + &wrapped(&foot, WIDTH).join("\n") + "\n"
}

/// What became of every drill.
#[derive(Serialize, JsonSchema)]
struct Drills<'a> {
    /// The version of this schema.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    /// The program that ran.
    tool: &'a Tool,
    /// What was drilled.
    scenario: &'a ScenarioInfo,
    /// How long each fault lasts, in seconds.
    lasts_s: f64,
    /// In the order of the scenario.
    outcomes: &'a [Outcome],
}

/// The JSON Schema of `drill.json`.
pub fn schema() -> Value {
    schema_of::<Drills<'static>>()
}

/// The files of the folder.
pub fn render(drilled: &Drilled) -> Vec<(String, Vec<u8>)> {
    let drills = Drills {
        schema: SCHEMA,
        tool: &drilled.results.tool,
        scenario: &drilled.results.scenario,
        lasts_s: drilled.lasts.secs(),
        outcomes: &drilled.outcomes,
    };
    let json = serde_json::json!(drills);
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    let rows = drilled.outcomes.iter().map(|one| {
        [
            csv::name(&one.fault),
            one.fate.words().to_owned(),
            one.lost.to_string(),
            one.lost_s.to_string(),
            number(one.longest_outage_s),
            number(one.rto_service_s),
            number(one.rto_users_s),
            number(one.rpo_s),
            one.writes_lost.to_string(),
            one.stage.map_or("", crate::domain::Stage::name).to_owned(),
        ]
    });
    vec![
        ("report.html".to_owned(), page::drill(drilled.results, drilled.lead(), &drilled.worst_first())),
        ("drill.json".to_owned(), format!("{json:#}\n").into_bytes()),
        ("drill.csv".to_owned(), csv::table(names(&DRILL), rows)),
    ]
}
