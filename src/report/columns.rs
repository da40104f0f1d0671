//! The columns of every table of a report's folder: what is in the file's first line, and what the docs say of it.
//!
//! `docs/outputs.md` is written from here, so a column can't be there without a word about it.

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// What the file's first line calls it.
    pub name: &'static str,
    /// Its unit, "text" or "count"; "per row" if another column says.
    pub unit: &'static str,
    /// What it is. An empty cell is said here if there may be one.
    pub doc: &'static str,
}

const fn column(name: &'static str, unit: &'static str, doc: &'static str) -> Column {
    Column { name, unit, doc }
}

const VARIANT: Column = column("variant", "text", "The variant.");
const POPULATION: Column = column("population", "text", "Whose requests. Empty: everybody's.");
const JOURNEY: Column = column("journey", "text", "Which requests. Empty: all of them.");
const SEED: Column = column("seed", "count", "Which seed, from 0. The same number is the same year in every variant.");

/// Of `seeds.csv`.
pub const SEEDS: [Column; 7] = [
    VARIANT,
    SEED,
    column("metric", "text", "The metric: `regionsim list metrics`."),
    POPULATION,
    JOURNEY,
    column("unit", "text", "The unit of the value."),
    column("value", "per row", "The metric in that seed. A seed in which it doesn't exist has no row."),
];

/// Of `latency.csv`.
pub const LATENCY: [Column; 10] = [
    VARIANT,
    POPULATION,
    JOURNEY,
    column("quantile", "text", "`mean`, `p50`, `p90`, `p95`, `p99` or `p99.9` of good requests."),
    column("mean_s", "s", "Its mean over seeds."),
    column("ci95_low_s", "s", "Lower end of the mean's 95 % interval. Empty: a single seed."),
    column("ci95_high_s", "s", "Upper end."),
    column("seed_p5_s", "s", "One seed in twenty is below."),
    column("seed_p50_s", "s", "The median seed."),
    column("seed_p95_s", "s", "One seed in twenty is above."),
];

/// Of `cost.csv`.
pub const COST: [Column; 8] = [
    VARIANT,
    column("line", "text", "The metric without `cost.`: a line of the bill or of the loss, or one of their sums."),
    column("part_of", "text", "`bill` or `loss`: a line that adds up to it. `total`: a sum of lines."),
    column("mean_usd", "USD", "Its mean over seeds, for the whole horizon."),
    column("ci95_low_usd", "USD", "Lower end of the mean's 95 % interval. Empty: a single seed."),
    column("ci95_high_usd", "USD", "Upper end."),
    column("seed_p5_usd", "USD", "One seed in twenty is below."),
    column("seed_p95_usd", "USD", "One seed in twenty is above."),
];

/// Of `outages.csv`.
pub const OUTAGES: [Column; 10] = [
    VARIANT,
    SEED,
    column("population", "text", "Whose outage."),
    column("journey", "text", "Of which requests."),
    column("start_s", "s", "When it began, from the start of the horizon."),
    column("duration_s", "s", "How long fewer than 99 % of these requests succeeded."),
    column("lost_requests", "requests", "Lost in it."),
    column("root", "text", "The fault that began it."),
    column("rto_service_s", "s", "Until those who reach the target were served. Empty: the repair came first."),
    column("rto_users_s", "s", "Until all users were served. Empty: the repair came first."),
];

/// Of `revisions.csv`.
pub const REVISIONS: [Column; 6] = [
    VARIANT,
    column("cluster", "text", "The cluster."),
    column("revision", "count", "What it ran; 0 at the beginning."),
    column("from_s", "s", "Since when, from the start of the horizon, in the first seed."),
    column("to_s", "s", "Until when."),
    column("why", "text", "Why it came to that."),
];

/// Of `sweep.csv`, after one column for each axis that has the axis' name.
pub const SWEEP: [Column; 6] = [
    column("point", "text", "The point's name: the values of its axes."),
    column("metric", "text", "The metric, of everything together."),
    column("unit", "text", "Its unit."),
    column("mean", "per row", "Its mean over seeds."),
    column("ci95_low", "per row", "Lower end of the mean's 95 % interval. Empty: a single seed."),
    column("ci95_high", "per row", "Upper end."),
];

/// Of `drill.csv`.
pub const DRILL: [Column; 10] = [
    column("fault", "text", "What fails."),
    column("fate", "text", "What becomes of it: out until the repair, recovers, degraded or unharmed."),
    column("requests_lost", "requests", "Lost, less those lost without the fault; mean over seeds."),
    column("lost_s", "s", "The same as time of total outage."),
    column("longest_outage_s", "s", "The longest outage. Empty: none."),
    column("rto_service_s", "s", "Until those who reach the target are served. Empty: never by failover."),
    column("rto_users_s", "s", "Until all users are served. Empty: never by failover."),
    column("rpo_s", "s", "Age of the oldest write lost. Empty: nothing was promoted."),
    column("writes_lost", "writes", "Acknowledged writes lost."),
    column("stage", "text", "Where most requests are lost. Empty: none are."),
];

/// A file of a report's folder.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path in the folder; `*` stands for names.
    pub path: &'static str,
    /// Which commands write it.
    pub by: &'static str,
    /// What it is for, and what is in it.
    pub doc: &'static str,
    /// Of a table, its columns.
    pub columns: &'static [Column],
}

const fn file(path: &'static str, by: &'static str, doc: &'static str, columns: &'static [Column]) -> File {
    File { path, by, doc, columns }
}

/// Every file that a report's folder may have.
pub const FILES: &[File] = &[
    file("report.html", "all", "To read: one page, no network, no scripts needed.", &[]),
    file("summary.json", "run, compare, sweep", "For programs: every figure but those of single seeds.", &[]),
    file(
        "seeds.csv",
        "run, compare",
        "Every headline figure seed by seed: of all users, a population, a journey.",
        &SEEDS,
    ),
    file("latency.csv", "run, compare", "Latency by population and journey.", &LATENCY),
    file("cost.csv", "run, compare", "The bill and the loss, line by line, over the horizon.", &COST),
    file("outages.csv", "run, compare", "The longest outages over all seeds, the worst first.", &OUTAGES),
    file("revisions.csv", "run, compare", "What each cluster ran when, of scenarios with releases.", &REVISIONS),
    file("sweep.csv", "sweep", "The overall figures of each point; one column for each axis comes first.", &SWEEP),
    file("drill.csv", "drill", "What became of each drill.", &DRILL),
    file("drill.json", "drill", "The same, with the tool and the scenario.", &[]),
    file("charts/*.svg", "run, compare, sweep", "The pictures of the page, for slides.", &[]),
    file("scenario.*.toml", "run, compare, sweep", "To run it again: each value resolved, with its origin.", &[]),
];

/// The names, for a file's first line.
pub(super) fn names<const N: usize>(columns: &[Column; N]) -> [&'static str; N] {
    columns.map(|column| column.name)
}
