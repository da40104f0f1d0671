//! An order of stations in which all ways go through them (Kahn 1962).

use std::collections::VecDeque;

/// An order in which all of these ways go through their stations; none if there is none.
pub(super) fn order(ways: &[Vec<usize>]) -> Vec<usize> {
    let mut steps: Vec<(usize, usize)> =
        ways.iter().flat_map(|way| way.iter().zip(&way[way.len().min(1)..]).map(|(&a, &b)| (a, b))).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut all: Vec<usize> = ways.iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    // By station: how many others come directly before it that aren't in the order yet.
    let mut before = vec![0_u32; all.last().map_or(0, |last| last + 1)];
    for &(_, to) in &steps {
        before[to] += 1;
    }
    let mut next: VecDeque<usize> = all.iter().copied().filter(|&station| before[station] == 0).collect();
    let mut order = Vec::new();
    while let Some(station) = next.pop_front() {
        order.push(station);
        let first = steps.partition_point(|&(from, _)| from < station);
        for &(_, to) in steps[first..].iter().take_while(|&&(from, _)| from == station) {
            before[to] -= 1;
            if before[to] == 0 {
                next.push_back(to);
            }
        }
    }
    if order.len() < all.len() {
        order.clear();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_come_after_all_that_lead_to_them() {
        assert_eq!(order(&[vec![2, 0, 3], vec![1, 0], vec![2, 1]]), [2, 1, 0, 3]);
        assert_eq!(order(&[vec![4], vec![4, 1], vec![]]), [4, 1]);
        assert_eq!(order(&[vec![0, 1], vec![1, 0]]), [0; 0]);
        assert_eq!(order(&[vec![0, 1, 0]]), [0; 0]);
        assert_eq!(order(&[]), [0; 0]);
    }
}
