//! A rollout as a schedule: when which share of which cluster has the release, if nothing stops it.
//!
//! Each wave begins when the one before it has baked. Its clusters get the release as soon as their controllers have
//! seen it; a canary comes first, where there is one, and is watched until the last cluster's has been; then the rest
//! of each cluster follows evenly over `deploy`. That line is a staircase of [`PIECES`] steps through its middle, so
//! that its area is right. The canaries of a wave are a part of it, and what follows is another: no part begins before
//! the last cluster is through with the one before.

use crate::base::{Id, Span};
use crate::domain::Cluster;
use serde::{Deserialize, Serialize};

/// Steps in which a cluster goes from its first instance to its last.
pub const PIECES: u32 = 16;

/// How long each part of a wave takes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Timing {
    /// The share of a canary, until it is there, and how long it is watched.
    pub canary: Option<(f64, Span, Span)>,
    /// From there until the last instance.
    pub deploy: Span,
    /// How long the first wave is watched.
    pub first_bake: Span,
    /// How long each later wave is watched.
    pub bake: Span,
}

/// A cluster's share of the release changes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// From the rollout's begin.
    pub at: Span,
    /// Where.
    pub cluster: Id<Cluster>,
    /// The share that has it from now on.
    pub share: f64,
    /// Which part of the schedule it belongs to, counted from 0.
    pub part: u32,
}

/// A rollout that nothing stops.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    /// Part by part, and in order of time.
    pub steps: Vec<Step>,
    /// From its begin until the last wave has been watched.
    pub ends: Span,
}

/// The schedule of these waves; `seen` says how long after a wave's begin, itself so long after the rollout's, a
/// cluster's controller has applied it.
pub fn schedule(
    waves: &[Vec<Id<Cluster>>],
    timing: &Timing,
    mut seen: impl FnMut(Id<Cluster>, Span) -> Span,
) -> Schedule {
    let mut steps = Vec::new();
    let mut begins = Span::ZERO;
    let mut part = 0;
    for (number, wave) in waves.iter().enumerate() {
        let arrives: Vec<Span> = wave.iter().map(|&cluster| begins + seen(cluster, begins)).collect();
        let last = arrives.iter().copied().max().unwrap_or(begins);
        let mut everywhere = last;
        let rest = part + u32::from(timing.canary.is_some());
        for (&cluster, &arrives) in wave.iter().zip(&arrives) {
            let mut share = 0.0;
            let mut from = arrives;
            if let Some((canary, deploy, bake)) = timing.canary {
                steps.push(Step { at: arrives + deploy, cluster, share: canary, part });
                share = canary;
                from = last + deploy + bake;
            }
            let done = from + timing.deploy;
            if !timing.deploy.is_zero() {
                for piece in 0..PIECES {
                    let at = from + Span::from_nanos(timing.deploy.nanos() / u64::from(PIECES) * u64::from(piece));
                    let middle = (f64::from(piece) + 0.5) / f64::from(PIECES);
                    steps.push(Step { at, cluster, share: share + (1.0 - share) * middle, part: rest });
                }
            }
            steps.push(Step { at: done, cluster, share: 1.0, part: rest });
            everywhere = everywhere.max(done);
        }
        part = rest + 1;
        begins = everywhere + if number == 0 { timing.first_bake } else { timing.bake };
    }
    steps.sort_by_key(|step| (step.part, step.at));
    Schedule { steps, ends: begins }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: u64 = 60;

    fn waves(sizes: &[usize]) -> Vec<Vec<Id<Cluster>>> {
        let mut next = 0..;
        sizes.iter().map(|&size| next.by_ref().take(size).map(Id::new).collect()).collect()
    }

    #[test]
    fn documented_bake_times() {
        // Amazon Builders' Library, Automating safe, hands-off deployments; wave sizes are ours.
        let minutes = |minutes: u64| Span::from_whole_secs(minutes * MIN);
        let timing = Timing {
            canary: Some((0.1, minutes(10), minutes(60))),
            deploy: minutes(30),
            first_bake: minutes(720),
            bake: minutes(180),
        };
        let schedule = schedule(&waves(&[1, 1, 2, 4]), &timing, |_, _| Span::ZERO);
        assert_eq!(schedule.ends, minutes(4 * 100 + 720 + 3 * 180));
        assert_eq!(schedule.steps.last().map(|step| (step.at, step.part)), Some((minutes(1480), 7)));
        let whole: Vec<_> = schedule.steps.iter().filter(|step| step.share == 1.0).collect();
        assert_eq!(whole.len(), 8);
        // Half of the regions.
        assert_eq!(whole[3].at, minutes(1200));
    }

    #[test]
    fn a_wave_waits_for_its_last_controller() {
        let timing = Timing { bake: Span::HOUR, first_bake: Span::HOUR, ..Timing::default() };
        let late = |cluster: Id<Cluster>, _| Span::from_whole_secs(60 * (1 + cluster.index() as u64));
        let schedule = schedule(&waves(&[2, 1]), &timing, late);
        let at: Vec<_> = schedule.steps.iter().map(|step| step.at.secs()).collect();
        assert_eq!(at, [60.0, 120.0, 120.0 + 3600.0 + 180.0]);
        assert_eq!(schedule.ends.secs(), 120.0 + 3600.0 + 180.0 + 3600.0);
    }

    #[test]
    fn a_line_has_the_area_of_its_staircase() {
        let timing = Timing { deploy: Span::HOUR, ..Timing::default() };
        let schedule = schedule(&waves(&[1]), &timing, |_, _| Span::ZERO);
        let area: f64 =
            schedule.steps.windows(2).map(|pair| pair[0].share * (pair[1].at.secs() - pair[0].at.secs())).sum();
        assert!((area - 1800.0).abs() < 1e-9, "{area}");
    }
}
