//! Labels of points: points that coincide share one, and no label covers another, a point or a line.

use super::canvas::width_of;

/// Points that are nearer than this coincide.
const NEAR: f64 = 12.0;

/// The points in groups that coincide and are alike, each group and its members in the order given.
pub(super) fn groups(points: &[(f64, f64)], are_alike: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, here) in points.iter().enumerate() {
        let joins = |group: &&mut Vec<usize>| {
            let first = points[group[0]];
            (first.0 - here.0).hypot(first.1 - here.1) < NEAR && are_alike(group[0], i)
        };
        match groups.iter_mut().find(joins) {
            Some(group) => group.push(i),
            None => groups.push(vec![i]),
        }
    }
    groups
}

/// How large lines of text will be, each with its size.
pub(super) fn size_of(lines: &[(&str, f64)]) -> (f64, f64) {
    let wide = lines.iter().map(|(text, size)| width_of(text, *size)).fold(0.0, f64::max);
    (wide, lines.iter().map(|(_, size)| size * 1.25).sum())
}

/// What is drawn already: boxes from left and top to right and bottom.
pub(super) struct Labels {
    bounds: [f64; 4],
    taken: Vec<[f64; 4]>,
}

impl Labels {
    /// Within bounds nothing is taken.
    pub(super) const fn new(bounds: [f64; 4]) -> Self {
        Self { bounds, taken: Vec::new() }
    }

    /// No label may cover what is around this point.
    pub(super) fn keep_clear(&mut self, (x, y): (f64, f64), around: f64) {
        self.taken.push([x - around, y - around, x + around, y + around]);
    }

    /// Nor this line.
    pub(super) fn keep_line_clear(&mut self, from: (f64, f64), to: (f64, f64)) {
        let steps = ((to.0 - from.0).hypot(to.1 - from.1) / 6.0).ceil().max(1.0);
        for i in 0..=steps as u32 {
            let share = f64::from(i) / steps;
            self.keep_clear((from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share), 3.0);
        }
    }

    /// Where a label beside a point covers least: its left and its middle line. Right of the point if that is free.
    pub(super) fn place(&mut self, (x, y): (f64, f64), gap: f64, (w, h): (f64, f64)) -> (f64, f64) {
        let sides =
            [(x + gap, y), (x - gap - w, y), (x - w / 2.0, y - gap - h / 2.0), (x - w / 2.0, y + gap + h / 2.0)];
        let more = [(x + gap, y + h), (x + gap, y - h), (x - gap - w, y - h), (x - gap - w, y + h)];
        let boxed = |(x, y): (f64, f64)| [x, y - h / 2.0, x + w, y + h / 2.0];
        let over = |a: &[f64; 4], b: &[f64; 4]| {
            (a[2].min(b[2]) - a[0].max(b[0])).max(0.0) * (a[3].min(b[3]) - a[1].max(b[1])).max(0.0)
        };
        let [left, top, right, bottom] = self.bounds;
        let cost = |b: &[f64; 4]| {
            let beyond = [left - b[0], top - b[1], b[2] - right, b[3] - bottom];
            let outside: f64 = beyond.iter().map(|x| x.max(0.0)).sum();
            outside * 100.0 + self.taken.iter().map(|t| over(t, b)).sum::<f64>()
        };
        let best = sides.into_iter().chain(more).min_by(|a, b| cost(&boxed(*a)).total_cmp(&cost(&boxed(*b))));
        let best = best.unwrap_or((x + gap, y));
        self.taken.push(boxed(best));
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_coincides_is_one() {
        let points = [(0.0, 0.0), (50.0, 0.0), (8.0, 8.0), (3.0, 0.0), (12.0, 0.0)];
        assert_eq!(groups(&points, |_, _| true), [vec![0, 2, 3], vec![1], vec![4]]);
        assert_eq!(groups(&points, |a, b| a.max(b) != 3), [vec![0, 2], vec![1], vec![3, 4]]);
    }

    #[test]
    fn labels_stay_inside_and_apart() {
        let mut labels = Labels::new([0.0, 0.0, 100.0, 100.0]);
        let size = (30.0, 10.0);
        assert_eq!(labels.place((50.0, 50.0), 5.0, size), (55.0, 50.0), "right, where it is free");
        assert_eq!(labels.place((50.0, 50.0), 5.0, size), (15.0, 50.0), "else left");
        assert_eq!(labels.place((90.0, 80.0), 5.0, size), (55.0, 80.0), "not over the edge");
        labels.keep_line_clear((10.0, 20.0), (90.0, 20.0));
        let (_, y) = labels.place((50.0, 20.0), 5.0, size);
        assert!((y - 20.0).abs() >= 8.0, "nor over a line: {y}");
    }
}
