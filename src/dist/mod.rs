//! Layer 1: distributions of durations, as a scenario writes them and as a run draws from them.
//!
//! Every draw inverts the distribution function at one uniform number. So a draw is monotone in its
//! uniform, a stream moves by one number per draw whatever the distribution, and two variants that
//! differ in a parameter stay coupled (common random numbers; Law, *Simulation Modeling and Analysis*,
//! 5th ed., sections 8.2.1 and 11.2). All maths is libm's, so the bits are the same everywhere.
//!
//! A clock that has been running for ever is met in equilibrium: the interval in which it is met has
//! the length-biased density `x f(x) / mean`, and what is left of it is a uniform share of that interval
//! (Cox, *Renewal Theory*, 1962, chapter 5).

mod constant;
mod empirical;
mod exponential;
mod gamma;
mod lognormal;
mod mixture;
mod pareto;
pub mod poisson;
pub mod special;
mod standard;
mod uniform;
mod weibull;

pub use constant::Constant;
pub use empirical::Empirical;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use lognormal::Lognormal;
pub use mixture::Mixture;
pub use pareto::Pareto;
pub use standard::Standard;
pub use uniform::Uniform;
pub use weibull::Weibull;

use crate::base::catalogue::Kind;
use crate::base::stream::{self, Rng};
use crate::base::time::{Span, parse_span};
use core::fmt;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a kind of distribution can say about itself. All lengths are in seconds.
pub trait Distribution {
    /// The mean.
    fn mean(&self) -> f64;
    /// The variance, in seconds squared; infinite where it does not exist.
    fn variance(&self) -> f64;
    /// P(X ≤ x), for `x` of at least 0.
    fn cdf(&self, x: f64) -> f64;
    /// The smallest `x` with `cdf(x)` of at least `p`, for `p` from 0 to 1.
    fn quantile(&self, p: f64) -> f64;
    /// The quantile of the density `x f(x) / mean`.
    fn length_biased_quantile(&self, p: f64) -> f64;
    /// E[(X − a)⁺], for `a` above 0.
    fn mean_excess(&self, a: f64) -> f64;
    /// The distribution of `factor` times X, for a positive factor.
    fn scaled(&self, factor: f64) -> Dist;
}

crate::catalogue! {
    /// A kind of distribution with its parameters.
    pub enum Law: dyn Distribution {
        "constant" Constant(Constant),
        "exponential" Exponential(Exponential),
        "lognormal" Lognormal(Lognormal),
        "weibull" Weibull(Weibull),
        "gamma" Gamma(Gamma),
        "uniform" Uniform(Uniform),
        "pareto" Pareto(Pareto),
        "empirical" Empirical(Empirical),
        "mixture" Mixture(Mixture),
    }
}

/// A distribution of durations: `"60s"`, or a kind such as `{ exponential = { mean = "12.7y" } }`.
#[derive(Clone, Debug)]
pub struct Dist {
    law: Law,
    /// Written as a plain duration: how it is written back, no part of what it means.
    bare: bool,
}

impl Dist {
    /// Every kind of distribution.
    pub const KINDS: &'static [Kind] = Law::KINDS;

    /// Always the same length.
    pub fn constant(span: Span) -> Self {
        Self { law: Law::Constant(span.into()), bare: true }
    }

    /// Any length between two bounds alike, in either order.
    pub fn uniform(a: Span, b: Span) -> Self {
        Uniform::new(a.min(b), a.max(b)).map_or_else(|| Self::constant(a), |law| Law::Uniform(law).into())
    }

    /// Exponential with this mean; constantly 0 for a mean of 0.
    pub fn exponential(mean: Span) -> Self {
        Exponential::new(mean).map_or_else(|| Self::constant(mean), |law| Law::Exponential(law).into())
    }

    /// Lognormal with this median and this ratio of p99 to median; constant where the ratio is at most 1.
    pub fn lognormal(median: Span, p99_over_median: f64) -> Self {
        if p99_over_median <= 1.0 {
            return Self::constant(median);
        }
        Lognormal::new(median, Span::from_secs(median.secs() * p99_over_median))
            .map_or_else(|| Self::constant(median), |law| Law::Lognormal(law).into())
    }

    /// The kind and its parameters.
    pub const fn law(&self) -> &Law {
        &self.law
    }

    /// One draw, in seconds.
    pub fn sample(&self, rng: &mut Rng) -> f64 {
        self.law.kind().quantile(stream::uniform(rng))
    }

    /// One draw, to the nanosecond; beyond the clock it is [`Span::FOREVER`].
    pub fn sample_span(&self, rng: &mut Rng) -> Span {
        Span::from_secs(self.sample(rng))
    }

    /// One draw of the interval that a moment chosen at random falls into, in seconds.
    pub fn sample_length_biased(&self, rng: &mut Rng) -> f64 {
        self.law.kind().length_biased_quantile(stream::uniform(rng))
    }

    /// One draw of what is left of that interval, in seconds: the equilibrium residual life.
    pub fn sample_residual(&self, rng: &mut Rng) -> f64 {
        let interval = self.sample_length_biased(rng);
        interval * stream::uniform(rng)
    }

    /// The mean, in seconds.
    pub fn mean(&self) -> f64 {
        self.law.kind().mean()
    }

    /// The variance, in seconds squared; infinite where it does not exist.
    pub fn variance(&self) -> f64 {
        self.law.kind().variance()
    }

    /// The coefficient of variation: standard deviation over mean, 0 for a constant.
    pub fn cv(&self) -> f64 {
        let variance = self.variance();
        if variance == 0.0 { 0.0 } else { variance.sqrt() / self.mean() }
    }

    /// P(X ≤ x), `x` in seconds.
    pub fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 { 0.0 } else { self.law.kind().cdf(x) }
    }

    /// The smallest length, in seconds, that is not exceeded with probability `p`.
    ///
    /// # Panics
    /// If `p` is not a probability.
    pub fn quantile(&self, p: f64) -> f64 {
        assert!((0.0..=1.0).contains(&p), "{p} is not a probability");
        self.law.kind().quantile(p)
    }

    /// E[(X − a)⁺]: the mean length beyond `a` seconds, counted as 0 where X ends before.
    ///
    /// Over the mean it is the tail of the equilibrium residual life: P(residual > a).
    pub fn mean_excess(&self, a: f64) -> f64 {
        if a <= 0.0 { self.mean() - a } else { self.law.kind().mean_excess(a).max(0.0) }
    }

    /// True if every draw is the same.
    pub fn is_constant(&self) -> bool {
        self.variance() == 0.0
    }

    /// The distribution of `factor` times this length. The parameters are exact; the form it is written
    /// back in is rounded to the nanosecond.
    ///
    /// # Panics
    /// If the factor is not above 0 and finite.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        assert!(factor > 0.0 && factor.is_finite(), "a duration cannot be scaled by {factor}");
        Self { bare: self.bare, ..self.law.kind().scaled(factor) }
    }
}

impl From<Law> for Dist {
    fn from(law: Law) -> Self {
        Self { law, bare: false }
    }
}

impl PartialEq for Dist {
    fn eq(&self, other: &Self) -> bool {
        self.law == other.law
    }
}

/// A parameter in seconds times a factor, rounded to the nanosecond for writing back.
fn scale_span(span: Span, factor: f64) -> Span {
    Span::from_secs(span.secs() * factor)
}

/// The length in seconds, if there is any.
fn positive(span: Span, what: &str) -> Result<f64, String> {
    if span.is_zero() {
        return Err(format!("{what} must be longer than 0s: for no time at all write \"0s\" as the whole value"));
    }
    Ok(span.secs())
}

/// A number without a unit that lies in `[low, high]`.
fn within(number: f64, [low, high]: [f64; 2], what: &str) -> Result<f64, String> {
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{what} must be a number from {low} to {high}, found {number}"))
    }
}

impl<'de> Deserialize<'de> for Dist {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Dist;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"60s\" or a distribution such as { exponential = { mean = \"1h\" } }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dist, E> {
                parse_span(text).map(Dist::constant).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Dist, E> {
                Err(E::custom(format!("a duration needs a unit: write \"{number}s\" for seconds")))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Dist, E> {
                Err(E::custom(format!("a duration needs a unit: write \"{number}s\" for seconds")))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Dist, E> {
                Err(E::custom(format!("a duration needs a unit: write \"{number}s\" for seconds")))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Dist, A::Error> {
                if map.size_hint() == Some(0) {
                    return Err(de::Error::invalid_length(0, &self));
                }
                let law = Law::deserialize(de::value::MapAccessDeserializer::new(&mut map))?;
                // The tagged enum reads one entry and would leave a second one unseen.
                match map.next_key::<String>()? {
                    None => Ok(law.into()),
                    Some(second) => Err(de::Error::custom(format!(
                        "a distribution is of one kind: remove `{second}` or the kind before it"
                    ))),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Dist {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.law {
            Law::Constant(constant) if self.bare => constant.serialize(serializer),
            law => law.serialize(serializer),
        }
    }
}

impl JsonSchema for Dist {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A distribution of durations; a plain duration is a constant.",
            "anyOf": [generator.subschema_for::<Span>(), generator.subschema_for::<Law>()]
        })
    }
}

#[cfg(test)]
mod tests;
