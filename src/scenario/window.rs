//! When requests are simulated one by one in a run that is rates elsewhere.

use super::spec::ScenarioSpec;
use crate::base::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Windows are whole minutes: outages are told by the minute within them.
const MINUTE: Span = Span::from_whole_secs(60);

/// When requests are simulated one by one: around each thing that is planned, from `before` it begins until `after` it
/// is over. Windows begin and end at whole minutes of the horizon, and those that touch are one.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WindowSpec {
    /// Around what.
    pub around: Around,
    /// So long before it begins.
    #[serde(default = "default_before")]
    pub before: Span,
    /// So long after it is over: what recovers afterwards should be in the window.
    #[serde(default = "default_after")]
    pub after: Span,
}

fn default_before() -> Span {
    Span::from_whole_secs(600)
}
fn default_after() -> Span {
    Span::from_whole_secs(2400)
}

/// What windows are around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Around {
    /// Each `[[incident]]`, from `at` for as long as it lasts.
    Incidents,
    /// Each `[[surge]]`, from `at` for as long as it lasts.
    Surges,
    /// Each `[[switchover]]`, from its command until clients reach the new leader.
    Switchovers,
    /// All of these.
    Script,
}

impl ScenarioSpec {
    /// What windows of this kind are around: when each begins, from the start of the horizon, and for how long.
    pub fn planned(&self, around: Around) -> Vec<(Span, Span)> {
        let incidents = || self.incident.iter().map(|own| (own.at, own.lasts));
        let surges = || self.surge.iter().map(|own| (own.at, own.lasts));
        let switchovers = || self.switchover.iter().map(|own| (own.at, own.resolves.unwrap_or(own.writable)));
        match around {
            Around::Incidents => incidents().collect(),
            Around::Surges => surges().collect(),
            Around::Switchovers => switchovers().collect(),
            Around::Script => incidents().chain(surges()).chain(switchovers()).collect(),
        }
    }

    /// The windows in which requests are simulated one by one, from the start of the horizon, in order and apart;
    /// `None` where all of the run is.
    pub fn windows(&self, window: Option<&WindowSpec>) -> Option<Vec<(Span, Span)>> {
        let WindowSpec { around, before, after } = *window?;
        let minute = MINUTE.nanos();
        let whole = self.simulation.horizon;
        let mut windows: Vec<(Span, Span)> = self
            .planned(around)
            .into_iter()
            .map(|(at, lasts)| {
                let from = at.nanos().saturating_sub(before.nanos()) / minute * minute;
                let to = (at + lasts + after).nanos().div_ceil(minute).saturating_mul(minute);
                (Span::from_nanos(from), Span::from_nanos(to).min(whole))
            })
            .filter(|(from, to)| from < to)
            .collect();
        windows.sort_unstable();
        let mut apart: Vec<(Span, Span)> = Vec::new();
        for (from, to) in windows {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                Some(_) | None => apart.push((from, to)),
            }
        }
        Some(apart)
    }
}
