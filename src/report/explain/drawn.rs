//! What the picture shows of a story.

use super::Explained;
use super::tale::headline;
use super::tale::requests;
use crate::experiment::results::Timeline;
use crate::report::text::{duration, plain, short};

/// Bars of the strip.
const BARS: usize = 182;
/// Incidents that get a number on the strip.
const MARKS: usize = 20;

/// An incident on the strip.
pub(in crate::report) struct Mark {
    /// When it struck, in seconds from the start of the horizon.
    pub(in crate::report) at: f64,
    /// What it was.
    pub(in crate::report) label: String,
}

/// An incident by the minute.
pub(in crate::report) struct Panel<'e> {
    /// Its number, moment and name.
    pub(in crate::report) title: String,
    /// What it cost.
    pub(in crate::report) costs: String,
    /// When it struck.
    pub(in crate::report) since: f64,
    /// Its faults, as rows are called.
    pub(in crate::report) roots: Vec<String>,
    pub(in crate::report) timeline: &'e Timeline,
}

/// The picture's contents.
pub(in crate::report) struct Drawn<'e> {
    /// For who can't see it.
    pub(in crate::report) description: String,
    pub(in crate::report) title: String,
    pub(in crate::report) subtitle: Vec<String>,
    /// In seconds.
    pub(in crate::report) horizon: f64,
    pub(in crate::report) months: Vec<(f64, String)>,
    /// Requests lost: since when, how many until the next.
    pub(in crate::report) bars: Vec<(f64, f64)>,
    /// The worst incidents, in the order of their numbers.
    pub(in crate::report) marks: Vec<Mark>,
    /// When faults struck that nobody noticed.
    pub(in crate::report) ticks: Vec<f64>,
    pub(in crate::report) panels: Vec<Panel<'e>>,
}

impl Explained<'_> {
    /// What the picture shows.
    pub(in crate::report) fn drawn(&self) -> Drawn<'_> {
        let horizon = self.plan.horizon.secs();
        let mut said = headline(self).into_iter();
        let title = said.next().unwrap_or_default();
        let mut bars: Vec<(f64, f64)> = (0..BARS).map(|i| (horizon * i as f64 / BARS as f64, 0.0)).collect();
        for piece in &self.story.losing {
            let place = (piece.from / horizon * BARS as f64).max(0.0) as usize;
            bars[place.min(BARS - 1)].1 += piece.requests;
        }
        let noticed = &self.incidents.noticed;
        let mark = |incident| short(&self.name(incident), 80);
        let panels = noticed.iter().zip(&self.timelines).enumerate().map(|(number, (incident, timeline))| {
            let out: f64 = incident.out().iter().map(|(from, to)| to - from).sum();
            let stages = incident.stages.iter().filter_map(|&(stage, lost)| {
                Some(format!(
                    "{} {}",
                    crate::report::text::percent(lost / incident.lost.max(f64::MIN_POSITIVE)),
                    stage?.label()
                ))
            });
            let stages = stages.take(4).collect::<Vec<_>>().join(", ");
            let lost = requests(incident.lost);
            Panel {
                title: format!("{}. {} · {}", number + 1, self.calendar.moment(incident.from), mark(incident)),
                costs: format!("{lost} lost ({stages}); somebody below 99 % for {}", duration(out)),
                since: incident.from,
                roots: incident.roots.iter().map(|&root| self.plan.roots[root].label()).collect(),
                timeline,
            }
        });
        let months = self.calendar.months((0.0, horizon));
        let months = if months.len() < 2 || months.len() > 60 { self.days(horizon) } else { months };
        Drawn {
            description: format!("What happened in one seed. {title}"),
            title,
            subtitle: said.collect(),
            horizon,
            months,
            bars,
            marks: noticed.iter().take(MARKS).map(|one| Mark { at: one.from.max(0.0), label: mark(one) }).collect(),
            ticks: self.incidents.harmless.iter().map(|incident| incident.from.max(0.0)).collect(),
            panels: panels.collect(),
        }
    }

    /// Marks of a horizon that isn't told in months.
    fn days(&self, horizon: f64) -> Vec<(f64, String)> {
        let part = |i: u32| f64::from(i) * horizon / 6.0;
        (0..6).map(|i| (part(i), plain(&self.calendar.moment(part(i))))).collect()
    }
}
