//! What calls between clusters leave open, in words.

use super::text::value;
use super::view::mean;
use crate::experiment::results::VariantResult;
use crate::metric::{Unit, catalogue};

/// What a variant leaves open: absent where it has no connections between clusters.
pub(super) fn posture(variant: &VariantResult) -> Option<String> {
    let endpoints = mean(variant, &catalogue::PUBLIC_ENDPOINTS)?;
    let (clear, unknown) = (mean(variant, &catalogue::UNENCRYPTED)?, mean(variant, &catalogue::UNAUTHENTICATED)?);
    let mut open = Vec::new();
    if endpoints > 0.0 {
        let plural = if endpoints == 1.0 { "" } else { "es" };
        open.push(format!("{} public address{plural}", value(Unit::Count, endpoints)));
    }
    if clear > 0.0 {
        open.push(format!("{} a month in the clear", value(Unit::Bytes, clear)));
    }
    if unknown > 0.0 {
        open.push(format!("{} unauthenticated calls a month", value(Unit::Requests, unknown)));
    }
    Some(if open.is_empty() { "nothing".to_owned() } else { open.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn it_says_what_is_open() {
        let mut variant = sample().variants.remove(0);
        assert_eq!(posture(&variant), None);
        for (metric, to) in
            [(&catalogue::PUBLIC_ENDPOINTS, 2.0), (&catalogue::UNENCRYPTED, 2.5e12), (&catalogue::UNAUTHENTICATED, 0.0)]
        {
            let mut one = variant.metrics[0].clone();
            (one.metric, one.dims, one.mean) = (metric.name.into(), crate::metric::Dims::default(), Some(to));
            variant.metrics.push(one);
        }
        assert_eq!(posture(&variant).unwrap(), "2 public addresses, 2.50 TB a month in the clear");
    }
}
