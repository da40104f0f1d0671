//! The seed that did worst.

use super::prepared::Prepared;
use super::run::{Control, Job, RunError, Simulate, seeds as simulated};
use crate::metric::values::position;
use crate::metric::{Better, Dims, Layout, Metric, RunSummary};
use crate::plan::Plan;

/// A seed among others.
#[derive(Clone, Debug)]
pub struct Worst {
    /// Its number.
    pub replication: u64,
    /// Its value of the metric.
    pub value: f64,
    /// How many seeds have a value.
    pub of: usize,
}

/// Runs `seeds` seeds of one variant, and finds the one that is worst in a metric of everything together: the first
/// of equals. `None` if no seed has a value.
///
/// # Errors
/// If it was stopped, or a seed can't be simulated.
pub fn worst<F>(
    job: &Job,
    metric: &Metric,
    (master, seeds): (u64, u32),
    control: &Control,
    simulate: &F,
) -> Result<Option<Worst>, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let (layouts, jobs) = ([Layout::new(&job.plan)], core::slice::from_ref(job));
    let Some(place) = position(layouts[0].keys(), metric.name, &Dims::default()) else { return Ok(None) };
    let mut values: Vec<(u64, f64)> = Vec::new();
    let take = |_, summary: RunSummary| values.extend(summary.values[place].map(|value| (summary.replication, value)));
    simulated(jobs, &layouts, &Prepared::new(jobs, simulate), master, 0..seeds, control, take)?;
    Ok(pick(&values, metric.better))
}

fn pick(values: &[(u64, f64)], better: Better) -> Option<Worst> {
    let sign = match better {
        Better::Higher => -1.0,
        // Where neither is better, the largest is the one to look at.
        Better::Lower | Better::Neither => 1.0,
    };
    // Of equals the first: `max_by` would give the last.
    let worst = values.iter().reduce(|worst, one| if sign * one.1 > sign * worst.1 { one } else { worst });
    worst.map(|&(replication, value)| Worst { replication, value, of: values.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(values: &[Option<f64>], better: Better) -> Option<(u64, f64, usize)> {
        let values: Vec<(u64, f64)> = (0..).zip(values).filter_map(|(seed, value)| Some((seed, (*value)?))).collect();
        pick(&values, better).map(|worst| (worst.replication, worst.value, worst.of))
    }

    #[test]
    fn the_first_of_the_worst_by_the_metric_s_direction() {
        let values = [None, Some(0.9), Some(0.5), Some(0.5), Some(0.7)];
        assert_eq!(picked(&values, Better::Higher), Some((2, 0.5, 4)));
        assert_eq!(picked(&values, Better::Lower), Some((1, 0.9, 4)));
        assert_eq!(picked(&values, Better::Neither), Some((1, 0.9, 4)));
        assert_eq!(picked(&[None, None], Better::Lower), None);
    }
}
