//! What is aimed at, beside the figures.

/// Nanoseconds a step of the reference on the kind of machine that the goals were set on, an AMD EPYC.
const THERE: f64 = 0.89;

/// At most so many nanoseconds a unit there, as it is said.
const GOALS: [(&str, f64, &str); 7] = [
    ("event list, 300 fail/repair units", 25.0, "≤ 25 ns; stretch 17"),
    ("event list, hold, 100,000 pending", 90.0, "≤ 90 ns"),
    ("M/M/4, a request", 16.0, "≤ 16 ns"),
    ("checkout, a request", 150.0, "≤ 150 ns"),
    ("Erlang C, 1,000 sizes up to 100,000 servers", 100.0, "< 100 ns"),
    ("ecommerce, a year, of 1,000", 1e6, "≥ 1,000 years/s"),
    ("load a world of 1,000 clusters, 50 services and 100 populations", 1e9, "< 1 s"),
];

/// The goal of a work, its nanoseconds a unit there if it takes so many steps of the reference, and whether these reach it.
pub(crate) fn of(work: &str, steps: f64, shown: impl Fn(f64) -> String) -> String {
    let Some((_, most, said)) = GOALS.iter().find(|goal| goal.0 == work) else { return String::new() };
    let there = steps * THERE;
    reached(there <= *most, &format!("{said}; {} there", shown(there)))
}

/// A goal as it is said, and whether it is reached.
pub(crate) fn reached(is_reached: bool, said: &str) -> String {
    format!("{said}: {}", if is_reached { "reached" } else { "**missed**" })
}
