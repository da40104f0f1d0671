//! What every kind must satisfy, and the written forms.

use super::*;
use crate::base::Seed;
use crate::base::stream::digest;
use serde::de::DeserializeOwned;

/// One of each written form, with a golden digest of its first 1000 draws, of its length-biased draws
/// and of its residuals: a change here changes every result ever stored.
const FORMS: [(&str, u64); 17] = [
    (r#""60s""#, 0x6e0d_e5b7_ec52_39dc),
    (r#"{ constant = "60s" }"#, 0x6e0d_e5b7_ec52_39dc),
    (r#"{ exponential = { mean = "12.7y" } }"#, 0xe465_83c6_ce82_e724),
    (r#"{ lognormal = { median = "60s", p95 = "3m" } }"#, 0x1840_12b1_b762_9e40),
    (r#"{ lognormal = { median = "800ms", p99 = "20s" } }"#, 0x6ee5_806a_c502_4dcf),
    (r#"{ lognormal = { mean = "55ms", cv = 1.2 } }"#, 0x3d38_13be_663e_5d07),
    (r#"{ lognormal = { mean = "2h", scv = 0.5 } }"#, 0xd568_0336_d9ae_88f3),
    (r#"{ weibull = { shape = 0.7, mean = "720h" } }"#, 0x7c92_c8b0_9336_4469),
    (r#"{ weibull = { shape = 3.0, scale = "10m" } }"#, 0x59a4_ed61_e8e6_3252),
    (r#"{ gamma = { shape = 2.5, mean = "1h" } }"#, 0x3a8c_ae9f_dba4_376e),
    (r#"{ gamma = { cv = 1.5, mean = "1h" } }"#, 0x8148_9bf5_2c88_caea),
    (r#"{ uniform = { from = "5s", to = "15s" } }"#, 0x3c9b_2019_fa81_ddbc),
    (r#"{ pareto = { shape = 7.0, min = "1m" } }"#, 0xae7a_0271_6936_f7f7),
    (r#"{ pareto = { shape = 9.0, mean = "90m" } }"#, 0xf35d_9e37_7ab0_25a6),
    (r#"{ empirical = { values = ["1h", "2h", "2h", "9h"] } }"#, 0xaacf_4b9d_a8aa_8332),
    (
        r#"{ mixture = [{ weight = 0.9122, of = { pareto = { shape = 10.0, min = "235s" } } }, { weight = 0.0878, of = { exponential = { mean = "602s" } } }] }"#,
        0x682a_20f8_acf7_d1ee,
    ),
    (
        r#"{ mixture = [{ weight = 0.75, of = "1h" }, { weight = 0.25, of = { uniform = { from = "2h", to = "3h" } } }] }"#,
        0x4e79_f6ff_ac8a_9930,
    ),
];

#[derive(Debug, Deserialize, Serialize)]
struct Holder<T> {
    x: T,
}

fn try_parse<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    toml::from_str::<Holder<T>>(&format!("x = {value}")).map(|holder| holder.x).map_err(|error| error.to_string())
}

fn parse(value: &str) -> Dist {
    try_parse(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn refusal(value: &str) -> String {
    try_parse::<Dist>(value).expect_err(value)
}

fn rng(name: &str) -> Rng {
    Seed { master: 1, replication: 0 }.stream().with(digest(name)).rng()
}

fn dists() -> impl Iterator<Item = (&'static str, Dist)> {
    FORMS.iter().map(|(form, _)| (*form, parse(form)))
}

/// Kinds with a density, where a distribution function has an inverse.
fn continuous() -> impl Iterator<Item = (&'static str, Dist)> {
    dists().filter(|(_, dist)| has_density(dist))
}

fn has_density(dist: &Dist) -> bool {
    match dist.law() {
        Law::Constant(_) | Law::Empirical(_) => false,
        Law::Mixture(mixture) => mixture.parts().all(|(_, of)| has_density(of)),
        Law::Exponential(_)
        | Law::Lognormal(_)
        | Law::Weibull(_)
        | Law::Gamma(_)
        | Law::Uniform(_)
        | Law::Pareto(_) => true,
    }
}

/// Mean of the draws and its standard error.
fn average(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The largest distance between the draws' distribution function and `cdf`, times √n.
fn kolmogorov(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    let n = draws.len() as f64;
    draws.sort_by(f64::total_cmp);
    let distance = draws.iter().enumerate().fold(0.0_f64, |worst, (i, x)| {
        let f = cdf(*x);
        worst.max((i + 1) as f64 / n - f).max(f - i as f64 / n)
    });
    distance * n.sqrt()
}

/// P(√n D > 3.5) = 2 exp(−2 · 3.5²) = 5e-11 (Kolmogorov's limit).
const KOLMOGOROV: f64 = 3.5;

#[test]
fn the_catalogue_is_complete() {
    let mut names: Vec<&str> = Dist::KINDS.iter().map(|kind| kind.name).collect();
    for kind in Dist::KINDS {
        assert!(kind.doc.ends_with('.') && kind.doc.len() > 10, "{}", kind.name);
        let dist = parse(kind.example);
        assert!(kind.example.contains(kind.name));
        let written = toml::to_string(&Holder { x: dist.clone() }).unwrap();
        assert!(written.contains(kind.name), "{written}");
        assert!(dist.mean() > 0.0);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Dist::KINDS.len());
}

#[test]
fn golden_draws() {
    let mut found = Vec::new();
    for (form, golden) in FORMS {
        let dist = parse(form);
        let mut rng = rng("golden");
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |x: f64| {
            for byte in x.to_bits().to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        (0..1000).for_each(|_| add(dist.sample(&mut rng)));
        (0..1000).for_each(|_| add(dist.sample_length_biased(&mut rng)));
        (0..1000).for_each(|_| add(dist.sample_residual(&mut rng)));
        if hash != golden {
            found.push(format!("{form}, 0x{hash:016x}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn moments_of_draws() {
    for (form, dist) in dists() {
        let mut rng = rng(form);
        let draws: Vec<f64> = (0..100_000).map(|_| dist.sample(&mut rng)).collect();
        let (mean, _) = average(&draws);
        let error = (dist.variance() / draws.len() as f64).sqrt();
        assert!((mean - dist.mean()).abs() <= 5.0 * error + 1e-12 * mean, "{form}: {mean} {}", dist.mean());
        let squares: Vec<f64> = draws.iter().map(|x| (x - dist.mean()) * (x - dist.mean())).collect();
        let (variance, error) = average(&squares);
        assert!((variance - dist.variance()).abs() <= 5.0 * error, "{form}: {variance} {}", dist.variance());
        assert_eq!(dist.is_constant(), dist.cv() == 0.0);
    }
}

#[test]
fn length_biased_draws_and_residuals() {
    for (form, dist) in dists() {
        let mut rng = rng(form);
        // E[X²] / E[X], and half of it for what is left.
        let expected = dist.mean() + dist.variance() / dist.mean();
        let biased: Vec<f64> = (0..100_000).map(|_| dist.sample_length_biased(&mut rng)).collect();
        let (mean, error) = average(&biased);
        assert!((mean - expected).abs() <= 5.0 * error + 1e-12 * mean, "{form}: {mean} {expected}");
        let residuals: Vec<f64> = (0..100_000).map(|_| dist.sample_residual(&mut rng)).collect();
        let (mean, error) = average(&residuals);
        assert!((mean - expected / 2.0).abs() <= 5.0 * error, "{form}: {mean} {expected}");
        // P(residual > x) = E[(X − x)⁺] / E[X], for every kind.
        let d = kolmogorov(residuals, |x| 1.0 - dist.mean_excess(x) / dist.mean());
        assert!(d < KOLMOGOROV, "{form}: residual {d}");
    }
}

#[test]
fn draws_follow_the_distribution_function() {
    for (form, dist) in continuous() {
        let mut rng = rng(form);
        let draws: Vec<f64> = (0..100_000).map(|_| dist.sample(&mut rng)).collect();
        let d = kolmogorov(draws, |x| dist.cdf(x));
        assert!(d < KOLMOGOROV, "{form}: {d}");
        // The integral of t f(t) beyond x is E[(X − x)⁺] + x P(X > x).
        let biased: Vec<f64> = (0..100_000).map(|_| dist.sample_length_biased(&mut rng)).collect();
        let d = kolmogorov(biased, |x| 1.0 - (dist.mean_excess(x) + x * (1.0 - dist.cdf(x))) / dist.mean());
        assert!(d < KOLMOGOROV, "{form}: length-biased {d}");
    }
}

#[test]
fn quantiles_invert_the_distribution_function() {
    for (form, dist) in continuous() {
        for p in [1e-6, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0 - 1e-6] {
            let back = dist.cdf(dist.quantile(p));
            assert!((back - p).abs() < 1e-13, "{form}: {p} {back}");
        }
    }
}

#[test]
fn the_tail_integrates_to_the_mean_excess() {
    // E[(X − a)⁺] − E[(X − b)⁺] is the integral of P(X > x) from a to b: Simpson's rule with 2000 steps
    // over a smooth piece, error far below 1e-9 of the mean.
    for (form, dist) in continuous() {
        let (a, b) = (dist.quantile(0.3), dist.quantile(0.9));
        let steps = 2000;
        let width = (b - a) / f64::from(steps);
        let integral = (0..=steps).fold(0.0, |sum, i| {
            let weight = if i == 0 || i == steps { 1.0 } else { 2.0 + 2.0 * f64::from(i % 2) };
            sum + weight * (1.0 - dist.cdf(a + f64::from(i) * width))
        }) * width
            / 3.0;
        let difference = dist.mean_excess(a) - dist.mean_excess(b);
        assert!((integral - difference).abs() < 1e-9 * dist.mean(), "{form}: {integral} {difference}");
        assert_eq!(dist.mean_excess(0.0), dist.mean());
        assert_eq!(dist.mean_excess(-1.0), dist.mean() + 1.0);
    }
}

#[test]
fn percentiles_are_where_they_were_written() {
    let at = |value: &str, p: f64, secs: f64| {
        let found = parse(value).quantile(p);
        assert!((found / secs - 1.0).abs() < 1e-14, "{value}: {found}");
    };
    at(r#"{ lognormal = { median = "60s", p95 = "3m" } }"#, 0.5, 60.0);
    at(r#"{ lognormal = { median = "60s", p95 = "3m" } }"#, 0.95, 180.0);
    at(r#"{ lognormal = { median = "800ms", p99 = "20s" } }"#, 0.99, 20.0);
    at(r#"{ weibull = { shape = 3, scale = "10m" } }"#, 1.0 - (-1.0_f64).exp(), 600.0);
    at(r#"{ exponential = { mean = "1h" } }"#, 0.5, 3600.0 * 2_f64.ln());
}

#[test]
fn scaling_scales_every_draw() {
    for (form, dist) in dists() {
        let scaled = dist.scaled(0.25);
        let (mut a, mut b) = (rng(form), rng(form));
        for _ in 0..100 {
            assert!((scaled.sample(&mut a) / (0.25 * dist.sample(&mut b)) - 1.0).abs() < 1e-14, "{form}");
        }
        assert!((scaled.variance() - dist.variance() / 16.0).abs() <= 1e-13 * dist.variance(), "{form}");
        // The written form follows, to the nanosecond.
        let again: Dist = try_parse(&written(&scaled)).unwrap();
        assert!((again.mean() / scaled.mean() - 1.0).abs() < 1e-7, "{form}");
    }
}

/// The value as TOML writes it on one line.
fn written(dist: &Dist) -> String {
    toml::Value::try_from(dist).unwrap().to_string()
}

#[test]
fn round_trip() {
    for (form, dist) in dists() {
        let text = written(&dist);
        let again = parse(&text);
        assert_eq!(again, dist, "{form}");
        assert_eq!(text.starts_with('"'), form.starts_with('"'), "{text}");
        assert_eq!(written(&again), text);
        let json = serde_json::to_string(&dist).unwrap();
        assert_eq!(serde_json::from_str::<Dist>(&json).unwrap(), dist, "{json}");
    }
    assert_eq!(written(&parse(r#"{ gamma = { cv = 1.5, mean = "1h" } }"#)), r#"{ gamma = { cv = 1.5, mean = "1h" } }"#);
    assert_eq!(parse(r#""60s""#), parse(r#"{ constant = "1m" }"#));
}

#[test]
fn whole_numbers_are_numbers() {
    assert_eq!(
        parse(r#"{ gamma = { shape = 2, mean = "1h" } }"#),
        parse(r#"{ gamma = { shape = 2.0, mean = "1h" } }"#)
    );
}

#[test]
fn a_mistake_says_what_to_write() {
    let says = |value: &str, parts: &[&str]| {
        let error = refusal(value);
        for part in parts {
            assert!(error.contains(part), "{value}: {error}");
        }
    };
    says("60", &["needs a unit", "\"60s\""]);
    says("1.5", &["needs a unit", "\"1.5s\""]);
    says("\"60\"", &["needs a unit", "\"60s\""]);
    says("true", &["expected a duration such as", "{ exponential ="]);
    says("{}", &["invalid length 0", "expected a duration such as"]);
    says(
        r#"{ lognormall = { median = "1h", p95 = "2h" } }"#,
        &["unknown variant `lognormall`", "`lognormal`", "`weibull`"],
    );
    says(r#"{ constant = "1h", exponential = { mean = "1h" } }"#, &["one kind", "exponential"]);
    says(r#"{ lognormal = { median = "1h" } }"#, &["{ median = \"60s\", p95 = \"3m\" }", "{ mean, scv }"]);
    says(r#"{ lognormal = { median = "1h", cv = 1.0 } }"#, &["two parameters"]);
    says(r#"{ lognormal = { median = "1h", p95 = "2h", p99 = "3h" } }"#, &["two parameters"]);
    says(r#"{ lognormal = { median = "1h", p95 = "2m" } }"#, &["p95", "not be below its median"]);
    says(r#"{ lognormal = { mean = "1h", cv = -1.0 } }"#, &["from 0 to 1000", "found -1"]);
    says(r#"{ lognormal = { mean = "1h", cv = nan } }"#, &["from 0 to 1000", "found NaN"]);
    says(r#"{ lognormal = { median = "1h", p50 = "2h" } }"#, &["unknown field `p50`", "`p95`"]);
    says(r#"{ exponential = { mean = "0s" } }"#, &["longer than 0s", "\"0s\""]);
    says("{ exponential = { mean = 5 } }", &["needs a unit"]);
    says("{ exponential = {} }", &["missing field `mean`"]);
    says("{ weibull = { shape = 0.7 } }", &["{ shape = 0.7, mean = \"720h\" }"]);
    says(r#"{ weibull = { shape = 0, mean = "1h" } }"#, &["from 0.1 to 100"]);
    says(r#"{ gamma = { mean = "1h" } }"#, &["{ shape = 2, mean = \"1h\" }"]);
    says(r#"{ gamma = { mean = "1h", cv = 0 } }"#, &["from 0.01 to 10"]);
    says(r#"{ uniform = { from = "2h", to = "1h" } }"#, &["{ from = \"1h\", to = \"2h\" }"]);
    says(r#"{ pareto = { shape = 1, min = "1h" } }"#, &["from 1.01 to 100"]);
    says("{ pareto = { shape = 2 } }", &["{ shape = 2.5, min = \"1m\" }"]);
    says("{ empirical = { values = [] } }", &["at least one value"]);
    says("{ mixture = [] }", &["at least one component"]);
    says(r#"{ mixture = [{ weight = 0.5, of = "1s" }, { weight = 0.4, of = "2s" }] }"#, &["add up to 1", "0.9"]);
    says(r#"{ mixture = [{ weight = 1.0, of = "1s" }, { weight = 0.0, of = "2s" }] }"#, &["above 0"]);
    says("{ mixture = [{ weight = 1.0 }] }", &["missing field `of`"]);
}

#[test]
fn a_mistake_keeps_its_place() {
    // The innermost span survives the delegation: the caret is under the value itself.
    let error = toml::from_str::<Holder<Dist>>("x = { exponential = { mean = \"5 parsecs\" } }").unwrap_err();
    assert_eq!(error.span(), Some(29..40), "{error}");
}

#[test]
fn the_schema_allows_both_forms() {
    let schema = serde_json::to_value(schemars::schema_for!(Dist)).unwrap();
    let forms = schema["anyOf"].as_array().unwrap();
    assert_eq!(forms.len(), 2);
    let text = schema.to_string();
    for kind in Dist::KINDS {
        assert!(text.contains(&format!("\"{}\":{{\"$ref\"", kind.name)), "{}: {text}", kind.name);
    }
}
