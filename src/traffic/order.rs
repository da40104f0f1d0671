//! Order statistics of independent, unlike variables: the k-th fastest of several.

/// The probability that at least `wanted` of independent events happen, each with its own probability.
pub fn at_least(wanted: usize, probabilities: impl IntoIterator<Item = f64>) -> f64 {
    // ways[j]: the probability that j have happened so far; the last one counts all from `wanted` on.
    let mut ways = vec![0.0; wanted + 1];
    ways[0] = 1.0;
    for p in probabilities {
        for j in (0..=wanted).rev() {
            let arrives = if j > 0 { ways[j - 1] * p } else { 0.0 };
            ways[j] = arrives + if j == wanted { ways[j] } else { ways[j] * (1.0 - p) };
        }
    }
    ways[wanted]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Two of three coins: 3/8 + 1/8.
        assert!((at_least(2, [0.5; 3]) - 0.5).abs() < 1e-15);
        // One of 0.1, 0.2: 1 - 0.9 × 0.8. Both: 0.02.
        assert!((at_least(1, [0.1, 0.2]) - 0.28).abs() < 1e-15);
        assert!((at_least(2, [0.1, 0.2]) - 0.02).abs() < 1e-15);
        // 2 of 0.9, 0.8, 0.7: 0.9·0.8·0.3 + 0.9·0.2·0.7 + 0.1·0.8·0.7 + 0.504.
        assert!((at_least(2, [0.9, 0.8, 0.7]) - 0.902).abs() < 1e-15);
        assert_eq!((at_least(0, [0.5]), at_least(2, [1.0])), (1.0, 0.0));
    }
}
