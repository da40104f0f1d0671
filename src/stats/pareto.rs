//! The designs that no other design beats in everything.

use super::paired::Direction;

/// Indices, ascending, of the points that no other point dominates: none is at least as good in every
/// coordinate and better in one. Equal points stay together.
///
/// # Panics
/// If a point has another number of coordinates than there are directions.
pub fn pareto_front(points: &[Vec<f64>], directions: &[Direction]) -> Vec<usize> {
    assert!(points.iter().all(|point| point.len() == directions.len()), "one direction for each coordinate");
    let dominates = |a: &[f64], b: &[f64]| {
        let gains = || directions.iter().zip(a.iter().zip(b)).map(|(direction, (a, b))| direction.gain(a - b));
        gains().all(|gain| gain >= 0.0) && gains().any(|gain| gain > 0.0)
    };
    (0..points.len()).filter(|&i| !points.iter().any(|other| dominates(other, &points[i]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{HigherIsBetter, LowerIsBetter};

    #[test]
    fn availability_against_cost() {
        let points = [[0.99, 10.0], [0.999, 30.0], [0.998, 40.0], [0.99, 10.0], [0.9999, 90.0], [0.98, 12.0]];
        let points: Vec<Vec<f64>> = points.iter().map(|point| point.to_vec()).collect();
        assert_eq!(pareto_front(&points, &[HigherIsBetter, LowerIsBetter]), [0, 1, 3, 4]);
        assert_eq!(pareto_front(&points, &[LowerIsBetter, HigherIsBetter]), [2, 4, 5]);
        assert!(pareto_front(&[], &[HigherIsBetter]).is_empty());
    }
}
