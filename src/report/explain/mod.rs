//! One seed's year as a post-mortem: what failed, what was done about it, who noticed, and what it cost.
//!
//! Words for the terminal and for Markdown, a table of events, JSON, a trace that Perfetto opens, and a picture. All of
//! them tell the same [`Explained`], so no two of them disagree.

mod calendar;
mod drawn;
mod perfetto;
mod rows;
mod sentences;
mod tale;
mod terminal;
mod text;
mod words;

pub use calendar::Calendar;
pub(in crate::report) use drawn::{Drawn, Panel};
pub use terminal::terminal;

use super::svg;
use super::text::plain;
use crate::domain::story::Story;
use crate::experiment::incidents::{Incident, Incidents};
use crate::experiment::results::{Timeline, Tool};
use crate::metric::values::position;
use crate::metric::{Dims, Layout, Metric, RunSummary};
use crate::plan::Plan;
use crate::scenario::resolved::Scenario;

/// Most incidents that are drawn, each in a panel of its own.
const PANELS: usize = 4;
/// Shown before an incident, and after its last outage, at most.
const LEAD_S: f64 = 600.0;
/// A panel is at most this long.
const LONGEST_S: f64 = 12.0 * 3600.0;

/// Why this seed and no other.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The metric that it is worst in.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
    /// Among so many seeds.
    pub of: usize,
}

/// One seed, ready to be told.
pub struct Explained<'a> {
    /// The program.
    pub tool: &'a Tool,
    /// The variant.
    pub scenario: &'a Scenario,
    /// The same, compiled.
    pub plan: &'a Plan,
    /// Which seed.
    pub seed: u64,
    /// Why it, if somebody had to look for it.
    pub chosen: Option<Chosen>,
    /// The command that tells the same again.
    pub again: String,
    /// What happened.
    pub story: &'a Story,
    /// Who is to blame for what.
    pub incidents: Incidents,
    /// What a run says of the seed: names, and values.
    pub layout: &'a Layout,
    /// See `layout`.
    pub summary: RunSummary,
    /// The worst incidents by the minute, in the order of `incidents.noticed`.
    pub timelines: Vec<Timeline>,
    /// When the horizon begins.
    pub calendar: Calendar,
}

impl Explained<'_> {
    /// The value that a run gives for a metric of everything together.
    fn value(&self, metric: &Metric) -> Option<f64> {
        let place = position(self.layout.keys(), metric.name, &Dims::default())?;
        self.summary.values[place]
    }

    /// How reports call an incident: the fault and its targets; what happened without a fault is demand.
    fn name(&self, incident: &Incident) -> String {
        let mut targets: Vec<String> = Vec::new();
        for &root in &incident.roots {
            let target = plain(&self.plan.roots[root].target);
            if !target.is_empty() && !targets.contains(&target) {
                targets.push(target);
            }
        }
        let fault = incident.roots.first().map_or_else(String::new, |&root| plain(&self.plan.roots[root].fault));
        let more = targets.len().saturating_sub(3);
        targets.truncate(3);
        match (targets.is_empty(), more) {
            (true, _) => fault,
            (false, 0) => format!("{fault}: {}", targets.join(", ")),
            (false, more) => format!("{fault}: {} and {more} more", targets.join(", ")),
        }
    }
}

/// The windows to look at by the minute: of the worst incidents, from a little before until a little after.
pub fn windows(incidents: &Incidents, horizon_s: f64) -> Vec<(f64, f64)> {
    incidents.noticed.iter().take(PANELS).map(|incident| window(incident, horizon_s)).collect()
}

fn window(incident: &Incident, horizon_s: f64) -> (f64, f64) {
    let out = incident.out();
    // A fault may have been there for long before anybody was out.
    let begins = match out.first() {
        Some(first) => incident.from.max(first.0 - 0.25 * LONGEST_S),
        None => incident.from,
    };
    let ends = out.last().map_or(incident.over, |last| last.1).max(begins + 60.0).min(begins + LONGEST_S);
    let room = (0.1 * (ends - begins)).clamp(60.0, LEAD_S);
    let from = (begins - room).max(0.0);
    (from, (ends + 2.0 * room).min(horizon_s).max(from + 1.0))
}

/// The files of the folder: relative paths, and bytes.
pub fn render(explained: &Explained<'_>) -> Vec<(String, Vec<u8>)> {
    vec![
        ("story.md".to_owned(), text::markdown(explained).into_bytes()),
        ("timeline.svg".to_owned(), svg::explain(explained).into_bytes()),
        ("trace.json".to_owned(), perfetto::trace(explained)),
        ("events.csv".to_owned(), rows::csv(explained)),
        ("explain.json".to_owned(), rows::json(explained)),
    ]
}
