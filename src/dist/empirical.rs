//! Measured lengths, each as likely as the others: what an incident log says, without a model of it.

use super::{Dist, Distribution, Law, scale_span};
use crate::base::Span;
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the given lengths; a length given twice is twice as likely.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Empirical {
    written: Spec,
    /// In seconds, ascending.
    sorted: Vec<f64>,
    /// `sums[i]` is the sum of `sorted[..=i]`.
    sums: Vec<f64>,
}

/// An empirical distribution by its values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Empirical")]
struct Spec {
    /// The measured lengths, in any order.
    #[schemars(length(min = 1))]
    values: Vec<Span>,
}

impl Empirical {
    /// One of these lengths.
    ///
    /// # Errors
    /// If there are none.
    pub fn new(values: Vec<Span>) -> Result<Self, String> {
        Spec { values }.try_into()
    }

    fn from_secs(written: Spec, secs: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = secs.collect();
        sorted.sort_by(f64::total_cmp);
        let sums = sorted
            .iter()
            .scan(0.0, |sum, x| {
                *sum += x;
                Some(*sum)
            })
            .collect();
        Self { written, sorted, sums }
    }

    fn total(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }

    fn at(&self, index: usize) -> f64 {
        self.sorted[index.min(self.sorted.len() - 1)]
    }
}

impl TryFrom<Spec> for Empirical {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        if written.values.is_empty() {
            return Err("an empirical needs at least one value: write { values = [\"1h\", \"2h\"] }".to_owned());
        }
        let secs: Vec<f64> = written.values.iter().map(|span| span.secs()).collect();
        Ok(Self::from_secs(written, secs.into_iter()))
    }
}

impl From<Empirical> for Spec {
    fn from(law: Empirical) -> Self {
        law.written
    }
}

impl Described for Empirical {
    const DOC: &'static str = "One of the measured lengths, each alike.";
    const EXAMPLE: &'static str = r#"{ empirical = { values = ["1h", "2h", "2h", "9h"] } }"#;
}

impl Distribution for Empirical {
    fn mean(&self) -> f64 {
        self.total() / self.sorted.len() as f64
    }
    fn variance(&self) -> f64 {
        if self.sorted[0] == self.at(usize::MAX) {
            return 0.0;
        }
        let mean = self.mean();
        self.sorted.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / self.sorted.len() as f64
    }
    fn cdf(&self, x: f64) -> f64 {
        self.sorted.partition_point(|value| *value <= x) as f64 / self.sorted.len() as f64
    }
    fn quantile(&self, p: f64) -> f64 {
        let rank = (p * self.sorted.len() as f64).ceil() as usize;
        self.at(rank.saturating_sub(1))
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        // Each value weighs as much as it is long.
        let reached = p * self.total();
        self.at(self.sums.partition_point(|sum| *sum < reached))
    }
    fn mean_excess(&self, a: f64) -> f64 {
        self.sorted.iter().map(|x| (x - a).max(0.0)).sum::<f64>() / self.sorted.len() as f64
    }
    fn scaled(&self, factor: f64) -> Dist {
        let written = Spec { values: self.written.values.iter().map(|span| scale_span(*span, factor)).collect() };
        Law::Empirical(Self::from_secs(written, self.sorted.iter().map(|x| x * factor))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let law = Empirical::new([9, 1, 2, 2].map(Span::from_whole_secs).to_vec()).unwrap();
        assert_eq!([law.mean(), law.variance()], [3.5, 10.25]);
        assert_eq!([law.cdf(0.5), law.cdf(2.0), law.cdf(9.0)], [0.0, 0.75, 1.0]);
        assert_eq!([0.0, 0.25, 0.26, 0.75, 0.76, 1.0].map(|p| law.quantile(p)), [1.0, 1.0, 2.0, 2.0, 9.0, 9.0]);
        // Weights 1, 2, 2 and 9 of 14.
        assert_eq!([0.07, 0.08, 0.35, 0.36].map(|p| law.length_biased_quantile(p)), [1.0, 2.0, 2.0, 9.0]);
        assert_eq!(law.mean_excess(2.0), 1.75);
    }
}
