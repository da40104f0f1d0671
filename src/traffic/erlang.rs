//! Erlang's loss probability B(c, a), and the probability that such a station is empty, at the same cost for any number
//! of servers.
//!
//! 1/B is e^a a^(−c) Γ(c + 1, a), an incomplete gamma function. With few servers it is added up (Erlang 1917, by the
//! recursion over servers). Far above saturation it is Legendre's continued fraction. Elsewhere it is Temme's expansion for
//! large `c`, uniform in a/c (Temme 1979; `DiDonato` and Morris 1986; DLMF 8.12):
//!
//! 1/B = 1 + Γ*(c) (√(πc/2) e^(x²) erfc(x) + Σ `c_k(η)` c^(−k)), η²/2 = μ − ln(1 + μ), μ = (a − c)/c, x = η √(c/2),
//!
//! where η has the sign of μ and Γ* is what Stirling's formula leaves of the gamma function. Relative errors are below
//! 1e-12. A probability below 1e-18 is 0: no figure that anyone reads is moved.

mod coefficients;

use crate::base::maths::{erfcx, exp, ln_1p};
use coefficients::{STIRLING, TEMME};
use core::f64::consts::PI;

/// Up to so many servers the sum costs less, and the expansion's terms are too few.
const FEW: u64 = 20;
/// Load over servers from which the continued fraction is exact after [`FRACTIONS`] steps (to 6e-15).
const HIGH: f64 = 1.6;
const FRACTIONS: u32 = 14;
/// 1/B of a station that is never seen to be full, and its logarithm.
const UNSEEN: f64 = 1e18;
const LN_UNSEEN: f64 = 41.446_531_673_892_82;
/// No sum of a^n/n! overflows up to this load; above it an empty station is as good as impossible.
const MOST: f64 = 600.0;

/// A station of `c` servers without a queue.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Loss {
    /// Erlang's B: the share of calls that find all servers busy.
    pub blocked: f64,
    /// Probability that no server is busy; `None` where it is below 1e-260.
    pub empty: Option<f64>,
}

impl Loss {
    /// Of `servers` under a load of `a` Erlangs.
    pub fn of(servers: u64, a: f64) -> Self {
        if a <= 0.0 {
            return Self { blocked: if servers == 0 { 1.0 } else { 0.0 }, empty: Some(1.0) };
        }
        if servers <= FEW { Self::by_recursion(servers, a) } else { Self::by_expansion(servers as f64, a) }
    }

    /// 1/B(k) = 1 + k/a · 1/B(k−1).
    fn by_recursion(servers: u64, a: f64) -> Self {
        let each = a.recip();
        let (mut inverse, mut product) = (1.0, 1.0);
        for k in 1..=servers {
            let ratio = k as f64 * each;
            inverse = 1.0 + ratio * inverse;
            product *= ratio;
        }
        if inverse > UNSEEN {
            return Self::unseen(a);
        }
        // An empty station is c!/a^c times as likely as a full one.
        Self { blocked: inverse.recip(), empty: (a <= MOST).then(|| product / inverse) }
    }

    fn by_expansion(c: f64, a: f64) -> Self {
        let mu = (a - c) / c;
        // 1/B is above e^(x²), and x² = c (μ²/2 − μ³/3 + …) has positive terms alone where μ is negative.
        if mu < 0.0 && c * mu * mu * (0.5 - mu * (1.0 / 3.0 - 0.25 * mu)) > LN_UNSEEN {
            return Self::unseen(a);
        }
        // x²: 1/√(2πc) e^(−x²)/Γ* is the Poisson probability of `c` when `a` are expected.
        let square = c * less_log(mu);
        let gamma = stirling(c.recip());
        let inverse = if mu >= HIGH - 1.0 { by_fractions(c, a) } else { uniform(c, mu, square, gamma) };
        if inverse > UNSEEN {
            return Self::unseen(a);
        }
        let empty = (a <= MOST).then(|| (2.0 * PI * c).sqrt() * gamma * exp(square - a) / inverse);
        Self { blocked: inverse.recip(), empty }
    }

    /// Never full: the number of calls is Poisson's.
    fn unseen(a: f64) -> Self {
        Self { blocked: 0.0, empty: (a <= MOST).then(|| exp(-a)) }
    }
}

/// μ − ln(1 + μ) = r (μ − 2 (r²/3 + r⁴/5 + …)) with r = μ/(2 + μ), without cancellation for small μ.
fn less_log(mu: f64) -> f64 {
    if mu.abs() > 0.25 {
        return mu - ln_1p(mu);
    }
    let r = mu / (2.0 + mu);
    let square = r * r;
    // |r| ≤ 1/7: what is left out is below 1e-17.
    let series = [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0].iter().fold(0.0, |sum, odd| sum * square + 1.0 / odd);
    r * (mu - 2.0 * square * series)
}

/// Γ*(c) = 1 + 1/(12c) + 1/(288c²) − …, of 1/c (DLMF 5.11.3).
fn stirling(inverse: f64) -> f64 {
    1.0 + inverse * STIRLING.iter().rev().fold(0.0, |sum, term| sum * inverse + term)
}

/// 1/B by Temme's expansion.
fn uniform(c: f64, mu: f64, square: f64, gamma: f64) -> f64 {
    let x = square.sqrt();
    // e^(x²) erfc(−x) = 2 e^(x²) − e^(x²) erfc(x).
    let tail = if mu < 0.0 { 2.0 * exp(square) - erfcx(x) } else { erfcx(x) };
    let eta = (2.0 * square / c).sqrt().copysign(mu);
    // All c_k side by side, even and odd powers of η apart: so a processor has enough to do at once.
    let squared = eta * eta;
    let (mut even, mut odd) = ([0.0; 8], [0.0; 8]);
    for [of_even, of_odd] in TEMME.iter().rev() {
        for (sum, term) in even.iter_mut().zip(of_even) {
            *sum = *sum * squared + term;
        }
        for (sum, term) in odd.iter_mut().zip(of_odd) {
            *sum = *sum * squared + term;
        }
    }
    let inverse = c.recip();
    let rest = (0..8).rev().fold(0.0, |sum, k| sum * inverse + (even[k] + eta * odd[k]));
    1.0 + gamma * ((0.5 * PI * c).sqrt() * tail + rest)
}

/// 1/B = 1/(β₀ + α₁/(β₁ + α₂/(β₂ + …))) with `β_n` = (a − c + 2n)/a and `α_n` = n (c − n + 1)/a² (DLMF 8.9.2), as a ratio of
/// numerators and denominators, which needs no division on the way.
fn by_fractions(c: f64, a: f64) -> f64 {
    let each = a.recip();
    let first = 1.0 - c * each;
    let (mut above, mut below) = ((0.0, 1.0), (1.0, first));
    for n in 1..=FRACTIONS {
        let n = f64::from(n);
        let (alpha, beta) = (n * each * ((c - n + 1.0) * each), first + 2.0 * n * each);
        above = (above.1, beta * above.1 + alpha * above.0);
        below = (below.1, beta * below.1 + alpha * below.0);
    }
    above.1 / below.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Servers, load over servers, B and the probability of an empty station: from the incomplete gamma function in 50
    /// digits (mpmath 1.3), up to 500 servers the same as the sum in fractions.
    const KNOWN: &[(u64, f64, f64, Option<f64>)] = &[
        (1, 0.01, 0.009_900_990_099_009_901, Some(0.990_099_009_900_990_1)),
        (1, 0.3, 0.230_769_230_769_230_75, Some(0.769_230_769_230_769_3)),
        (1, 0.5, 0.333_333_333_333_333_3, Some(0.666_666_666_666_666_6)),
        (1, 0.8, 0.444_444_444_444_444_5, Some(0.555_555_555_555_555_6)),
        (1, 0.95, 0.487_179_487_179_487_17, Some(0.512_820_512_820_512_9)),
        (1, 0.99, 0.497_487_437_185_929_64, Some(0.502_512_562_814_070_3)),
        (1, 1.0, 0.5, Some(0.5)),
        (1, 1.01, 0.502_487_562_189_054_8, Some(0.497_512_437_810_945_3)),
        (1, 1.2, 0.545_454_545_454_545_4, Some(0.454_545_454_545_454_53)),
        (1, 1.59, 0.613_899_613_899_613_9, Some(0.386_100_386_100_386_1)),
        (1, 1.61, 0.616_858_237_547_892_7, Some(0.383_141_762_452_107_3)),
        (1, 5.0, 0.833_333_333_333_333_4, Some(0.166_666_666_666_666_66)),
        (1, 100.0, 0.990_099_009_900_990_1, Some(0.009_900_990_099_009_901)),
        (5, 0.01, 2.477_159_959_688_780_3e-9, Some(0.951_229_424_520_491_4)),
        (5, 0.3, 0.014_183_155_314_305_727, Some(0.224_128_874_102_609)),
        (5, 0.5, 0.069_731_116_813_566_89, Some(0.085_685_596_340_510_98)),
        (5, 0.8, 0.199_066_874_027_993_78, Some(0.023_328_149_300_155_52)),
        (5, 0.95, 0.264_252_552_160_311_6, Some(0.013_113_915_723_668_195)),
        (5, 0.99, 0.280_796_968_931_855_35, Some(0.011_338_292_769_852_926)),
        (5, 1.0, 0.284_867_821_330_902_44, Some(0.010_938_924_339_106_655)),
        (5, 1.01, 0.288_911_827_353_547_6, Some(0.010_555_764_114_073_555)),
        (5, 1.2, 0.360_400_444_938_820_9, Some(0.005_561_735_261_401_557_5)),
        (5, 1.59, 0.476_506_756_442_332_37, Some(0.001_800_589_302_783_638_9)),
        (5, 1.61, 0.481_488_909_350_304_7, Some(0.001_709_181_298_505_041)),
        (5, 5.0, 0.808_957_104_408_844_7, Some(9.940_464_898_975_883e-6)),
        (5, 100.0, 0.990_020_120_075_342_6, Some(3.801_677_261_089_315_4e-12)),
        (19, 0.3, 6.324_848_946_812_254e-6, Some(0.003_345_973_687_442_629)),
        (19, 0.5, 0.002_326_534_001_702_863_4, Some(7.499_900_897_732_285e-5)),
        (19, 0.8, 0.067_960_678_875_608_12, Some(2.899_506_981_261_205e-7)),
        (19, 0.95, 0.137_532_122_643_708_1, Some(2.240_948_358_096_636_3e-8)),
        (19, 0.99, 0.157_524_864_732_121_66, Some(1.172_348_200_396_834e-8)),
        (19, 1.0, 0.162_543_580_753_223_2, Some(9.994_153_740_318_382e-9)),
        (19, 1.01, 0.167_563_540_162_797_95, Some(8.528_047_850_362_798e-9)),
        (19, 1.2, 0.259_961_461_990_145_75, Some(5.003_126_674_155_656e-10)),
        (19, 1.59, 0.412_342_444_553_283_1, Some(3.779_974_606_633_227e-12)),
        (19, 1.61, 0.418_747_573_371_916_9, Some(3.027_170_355_885_927_4e-12)),
        (19, 5.0, 0.802_549_506_316_594_3, Some(2.587_128_216_691_826e-21)),
        (19, 100.0, 0.990_005_310_620_593_9, None),
        (20, 0.3, 3.725_067_367_414_515e-6, Some(0.002_478_755_783_521_225_4)),
        (20, 0.5, 0.001_869_049_852_354_305_4, Some(4.547_215_139_175_042e-5)),
        (20, 0.8, 0.064_410_924_781_569_91, Some(1.296_237_252_171_098e-7)),
        (20, 0.95, 0.133_761_441_266_847_89, Some(8.657_321_331_770_936e-9)),
        (20, 0.99, 0.153_844_780_347_154_46, Some(4.364_189_275_298_363e-9)),
        (20, 1.0, 0.158_891_961_541_971_55, Some(3.686_605_189_500_695e-9)),
        (20, 1.01, 0.163_942_294_438_203_1, Some(3.117_369_176_005_413e-9)),
        (20, 1.2, 0.257_082_552_874_141_17, Some(1.555_866_702_756_938_5e-10)),
        (20, 1.59, 0.410_711_681_353_053_86, Some(8.935_508_500_516_776e-13)),
        (20, 1.61, 0.417_161_540_693_354_54, Some(7.068_242_576_273_053e-13)),
        (20, 5.0, 0.802_425_740_389_892_5, Some(1.952_223_195_207_196_6e-22)),
        (20, 100.0, 0.990_005_045_359_922_5, None),
        (33, 0.3, 4.147_251_421_219_602e-9, Some(5.017_468_214_031_684e-5)),
        (33, 0.5, 0.000_118_160_338_543_081_4, Some(6.826_329_611_693_602e-8)),
        (33, 0.8, 0.035_364_699_464_494_595, Some(3.752_546_408_669_309e-12)),
        (33, 0.95, 0.100_751_293_797_191_79, Some(3.682_114_830_499_282e-14)),
        (33, 0.99, 0.121_548_198_564_867_15, Some(1.138_971_287_250_949_3e-14)),
        (33, 1.0, 0.126_843_727_441_526_55, Some(8.530_896_377_850_244e-15)),
        (33, 1.01, 0.132_165_191_810_139_86, Some(6.400_846_711_203_146e-15)),
        (33, 1.2, 0.232_360_398_746_053_33, Some(3.809_839_362_197_164e-17)),
        (33, 1.59, 0.397_415_615_736_115_67, Some(6.037_616_117_595_425e-21)),
        (33, 1.61, 0.404_255_544_140_553_9, Some(4.065_629_010_651_882e-21)),
        (33, 5.0, 0.801_487_339_594_266, Some(4.630_332_670_953_758e-37)),
        (33, 100.0, 0.990_003_059_021_152_7, None),
        (100, 0.5, 1.630_319_352_403_648_7e-10, Some(1.928_749_848_266_682_6e-22)),
        (100, 0.8, 0.003_992_028_604_553_197, Some(1.828_936_385_685_826_8e-35)),
        (100, 0.95, 0.048_804_206_178_677_82, Some(7.693_082_308_856_485e-42)),
        (100, 0.99, 0.070_028_074_780_433_35, Some(1.785_485_722_750_624_8e-43)),
        (100, 1.0, 0.075_700_452_710_860_97, Some(7.064_836_758_897_918e-44)),
        (100, 1.01, 0.081_483_511_743_315_49, Some(2.811_486_576_032_549e-44)),
        (100, 1.2, 0.196_269_989_455_113_62, Some(2.211_734_279_519_182e-51)),
        (100, 1.59, 0.380_904_340_803_280_45, Some(2.576_956_838_466_921_6e-63)),
        (100, 1.61, 0.388_311_942_716_086_2, Some(7.526_564_698_941_943e-64)),
        (100, 5.0, 0.800_496_907_713_289_7, Some(9.470_281_310_306_678e-113)),
        (100, 100.0, 0.990_001_009_894_951_5, None),
        (2000, 0.95, 0.000_678_969_296_498_601_9, None),
        (2000, 0.99, 0.011_887_026_966_441_247, None),
        (2000, 1.0, 0.017_630_807_529_767_326, None),
        (2000, 1.01, 0.024_233_546_626_688_474, None),
        (2000, 1.2, 0.168_691_473_583_890_03, None),
        (2000, 1.59, 0.371_599_763_424_601_5, None),
        (2000, 1.61, 0.379_388_917_822_390_8, None),
        (2000, 5.0, 0.800_024_992_191_647_2, None),
        (2000, 100.0, 0.990_000_050_504_535_2, None),
        (100_000, 0.99, 8.225_775_598_504_222e-6, None),
        (100_000, 1.0, 0.002_518_893_423_546_906_2, None),
        (100_000, 1.01, 0.010_751_611_284_909_118, None),
        (100_000, 1.2, 0.166_708_308_368_260_9, None),
        (100_000, 1.59, 0.371_079_841_260_683_33, None),
        (100_000, 1.61, 0.378_892_168_959_169_16, None),
        (100_000, 5.0, 0.800_000_499_996_875_1, None),
        (100_000, 100.0, 0.990_000_001_010_100_8, None),
    ];

    #[test]
    fn as_in_many_digits() {
        for &(servers, rho, blocked, empty) in KNOWN {
            let loss = Loss::of(servers, servers as f64 * rho);
            let error = (loss.blocked / blocked - 1.0).abs();
            assert!(error < 1e-12, "{servers} servers at {rho}: {} is not {blocked}", loss.blocked);
            assert_eq!(loss.empty.is_some(), empty.is_some());
            if let Some((actual, expected)) = loss.empty.zip(empty) {
                assert!((actual / expected - 1.0).abs() < 1e-12, "{servers} servers at {rho}: {actual}, {expected}");
            }
        }
    }

    #[test]
    fn coefficients_follow_from_their_recurrences() {
        const TERMS: usize = 16 + 2 * 8;
        // μ = Σ α_n η^n from η (1 + μ) = μ dμ/dη (DLMF 8.12.10); then 8.12.11 and 8.12.12.
        let mut alpha = [0.0; TERMS + 2];
        alpha[1] = 1.0;
        for n in 2..TERMS + 2 {
            let known: f64 = (2..n).map(|i| alpha[i] * (n + 1 - i) as f64 * alpha[n + 1 - i]).sum();
            alpha[n] = (alpha[n - 1] - known) / (n + 1) as f64;
        }
        let mut column: Vec<f64> = (0..TERMS).map(|n| (n + 2) as f64 * alpha[n + 2]).collect();
        column[0] = -1.0 / 3.0;
        let zeroth = column.clone();
        for k in 0..8 {
            if k > 0 {
                let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
                let next = |n: usize| sign * STIRLING[k - 1] * zeroth[n] + (n + 2) as f64 * column[n + 2];
                column = (0..TERMS - 2 * k).map(next).collect();
            }
            for (n, &should) in column.iter().enumerate().take(16) {
                let is = TEMME[n / 2][n % 2][k];
                assert!((is - should).abs() < 1e-15, "d({k}, {n}): {is} is not {should}");
            }
        }
    }

    #[test]
    fn no_load_and_no_servers() {
        assert_eq!(Loss::of(5, 0.0), Loss { blocked: 0.0, empty: Some(1.0) });
        assert_eq!(Loss::of(0, 2.0), Loss { blocked: 1.0, empty: Some(1.0) });
        // What is never seen is 0, and then the station is as if its servers had no end.
        assert_eq!(Loss::of(2, 1e-300).blocked, 0.0);
        assert_eq!(Loss::of(100_000, 500.0), Loss { blocked: 0.0, empty: Some(exp(-500.0)) });
        assert_eq!(Loss::of(100_000, 50_000.0), Loss { blocked: 0.0, empty: None });
    }

    proptest! {
        /// The recursion over servers has positive terms alone, so its error is a few ulp a server.
        #[test]
        fn as_the_recursion_has_it(log_servers in 0.0..11.5_f64, log_rho in -4.6..4.6_f64) {
            let servers = exp(log_servers) as u64;
            // As many near saturation as far from it.
            for rho in [exp(log_rho), exp(log_rho / (servers as f64).sqrt())] {
                let a = rho * servers as f64;
                let inverse = (1..=servers).fold(1.0, |inverse, k| 1.0 + k as f64 * inverse / a);
                let blocked = Loss::of(servers, a).blocked;
                if inverse < 0.99 * UNSEEN {
                    let error = (blocked * inverse - 1.0).abs();
                    prop_assert!(error < 2e-12, "{servers} servers, {a} Erlangs: {blocked}, {error:e}");
                } else {
                    prop_assert!(blocked < 1.02e-18);
                }
            }
        }
    }
}
