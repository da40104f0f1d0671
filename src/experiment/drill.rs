//! Drills: each thing that a platform consists of fails once, alone or with another, at the busiest hour of the week.
//!
//! The scenario's own faults, incidents and surges are taken away, so that what is seen follows from the one that is
//! injected. Every drill lives under the same seeds, and what is lost is told apart from what is lost without a fault.

use super::results::VariantResult;
use crate::base::Span;
use crate::domain::{Selection, Stage};
use crate::failure::spec::{EffectSpec, IncidentSpec, RoutingTarget, ServiceTarget, StoreTarget, TargetSpec};
use crate::metric::{Dims, Metric, catalogue};
use crate::scenario::resolved::Scenario;
use schemars::JsonSchema;
use serde::Serialize;

/// Before a fault, so that what is lost without one is seen too.
const BEFORE: Span = Span::HOUR;
/// What the world is given to settle.
const SETTLES: Span = Span::from_whole_secs(86_400);
/// A share of requests that nobody notices.
const UNNOTICED: f64 = 1e-4;
/// The most drills that are run.
pub const MOST: usize = 10_000;

/// What fails at once.
#[derive(Clone, PartialEq, Debug)]
pub struct Drill {
    /// "region us-east-1", "region us-east-1 + store orders in eu-west-1".
    pub name: String,
    /// Each thing.
    pub of: Vec<TargetSpec>,
}

/// How it ends.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Nobody notices: less than one request in 10,000 is lost.
    Unharmed,
    /// Some are lost, and nobody is out.
    Degraded,
    /// Somebody is out, and is served again before the repair.
    Recovers,
    /// Somebody is out until the repair.
    OutUntilRepair,
}

impl Fate {
    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unharmed => "unharmed",
            Self::Degraded => "degraded",
            Self::Recovers => "recovers",
            Self::OutUntilRepair => "out until repair",
        }
    }
}

/// What became of a drill: means over seeds.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// What failed: its names are untrusted text.
    pub fault: String,
    /// How it ends.
    pub fate: Fate,
    /// Requests lost, less those that are lost without a fault.
    pub lost: f64,
    /// The same as seconds of total outage.
    pub lost_s: f64,
    /// The longest outage of a population and journey, in any seed, in seconds.
    pub longest_outage_s: Option<f64>,
    /// Until the service was back at what users are routed to, in seconds.
    pub rto_service_s: Option<f64>,
    /// Until nobody was lost any more, in seconds.
    pub rto_users_s: Option<f64>,
    /// Seconds of data lost.
    pub rpo_s: Option<f64>,
    /// Writes lost.
    pub writes_lost: f64,
    /// The stage in which most were lost.
    pub stage: Option<Stage>,
}

/// Everything that can fail by itself, in the order of the scenario.
pub fn singles(scenario: &Scenario) -> Vec<Drill> {
    let spec = &scenario.spec;
    let mut all = Vec::new();
    let mut add = |name: String, of: TargetSpec| all.push(Drill { name, of: vec![of] });
    let used = |position: usize| scenario.clusters.iter().any(|cluster| cluster.region == position);
    let regions: Vec<_> = scenario.regions.iter().enumerate().filter(|(position, _)| used(*position)).collect();
    for (_, region) in &regions {
        add(format!("region {}", region.name), TargetSpec::Region(region.name.clone()));
    }
    for (_, region) in &regions {
        for zone in 1..=region.zones {
            let zone = format!("{}/{zone}", region.name);
            add(format!("zone {zone}"), TargetSpec::Zone(zone));
        }
    }
    for cluster in &spec.cluster {
        add(format!("cluster {}", cluster.name), TargetSpec::Cluster(cluster.name.clone()));
    }
    for service in &spec.service {
        for cluster in &spec.cluster {
            let clusters = Selection::Named(vec![cluster.name.clone()]);
            let of = ServiceTarget { name: service.name.clone(), clusters };
            add(format!("{} in {}", service.name, cluster.name), TargetSpec::Service(of));
        }
    }
    for store in &spec.store {
        let holds = |name: &String| match &store.clusters {
            Selection::All => true,
            Selection::Named(names) => names.contains(name),
        };
        for cluster in spec.cluster.iter().filter(|cluster| holds(&cluster.name)) {
            let clusters = Selection::Named(vec![cluster.name.clone()]);
            let of = StoreTarget { name: store.name.clone(), clusters };
            add(format!("store {} in {}", store.name, cluster.name), TargetSpec::Store(of));
        }
    }
    for (place, (_, a)) in regions.iter().enumerate() {
        for (_, b) in &regions[place + 1..] {
            let of = TargetSpec::Link([a.name.clone(), b.name.clone()]);
            add(format!("link {} – {}", a.name, b.name), of);
        }
    }
    for dependency in &spec.dependency {
        add(format!("dependency {}", dependency.name), TargetSpec::Dependency(dependency.name.clone()));
    }
    add("what gives out answers".to_owned(), TargetSpec::Routing(RoutingTarget {}));
    all
}

/// Every two of them.
pub fn pairs(singles: &[Drill]) -> Vec<Drill> {
    let with = |a: &Drill, b: &Drill| Drill {
        name: format!("{} + {}", a.name, b.name),
        of: a.of.iter().chain(&b.of).cloned().collect(),
    };
    let pairs = singles.iter().enumerate().flat_map(|(i, a)| singles[i + 1..].iter().map(move |b| with(a, b)));
    pairs.collect()
}

/// When the most requests come in an hour, from the start of the horizon: within a week.
pub fn busiest(scenario: &Scenario) -> Span {
    let start = scenario.start_in_week.secs() / 3600.0;
    // Whole hours of the week, whatever minute the horizon begins at.
    let first = start.ceil() as u32;
    let rate = |hour: u32| -> f64 {
        let populations = scenario.spec.population.iter().zip(&scenario.populations);
        let rates = populations.map(|(spec, resolved)| {
            let local = f64::from(hour) + f64::from(resolved.utc_offset_minutes) / 60.0;
            let slot = (local.rem_euclid(168.0) as usize).min(167);
            spec.rate.get() * resolved.profile.as_ref().map_or(1.0, |profile| profile[slot])
        });
        rates.sum()
    };
    let hours = (first..first + 168).map(|hour| (hour, rate(hour)));
    let (hour, _) = hours.fold((first, f64::MIN), |best, one| if one.1 > best.1 { one } else { best });
    Span::from_secs((f64::from(hour) - start) * 3600.0)
}

/// The scenario with nothing but these faults, `lasts` long from `at` on. Figures begin an hour before and end `after` the
/// repair.
pub fn scenario(of: &Scenario, drill: &Drill, at: Span, lasts: Span, after: Span, seeds: u32) -> Scenario {
    let mut scenario = Scenario { variant: drill.name.clone(), variant_summary: None, ..of.clone() };
    let begins = of.start_in_week.secs() + at.secs() - BEFORE.secs();
    scenario.start_in_week = Span::from_secs(begins.rem_euclid(Span::WEEK.secs()));
    let spec = &mut scenario.spec;
    spec.fault.clear();
    spec.switchover.clear();
    spec.surge.clear();
    spec.expect.clear();
    spec.simulation.warm_up = SETTLES;
    spec.simulation.horizon = Span::from_secs(BEFORE.secs() + lasts.secs() + after.secs());
    spec.simulation.seeds = seeds;
    let incident = |(position, of): (usize, &TargetSpec)| IncidentSpec {
        name: format!("drill {}", position + 1),
        of: of.clone(),
        effect: EffectSpec::default(),
        at: BEFORE,
        lasts,
        group: None,
    };
    spec.incident = drill.of.iter().enumerate().map(incident).collect();
    scenario
}

/// What became of a drill, against the same hours without a fault.
pub fn outcome(result: &VariantResult, without: &VariantResult, lasts: Span, horizon_s: f64) -> Outcome {
    let mean = |of: &VariantResult, metric: &Metric| {
        of.metrics.iter().find(|one| one.metric == metric.name && one.dims == Dims::default()).and_then(|one| one.mean)
    };
    let here = |metric| mean(result, metric);
    let more = |metric| here(metric).unwrap_or(0.0) - mean(without, metric).unwrap_or(0.0);
    let lost = more(&catalogue::REQUESTS_LOST);
    let offered = here(&catalogue::REQUESTS_OFFERED).unwrap_or(0.0);
    let longest = result.outages.iter().map(|outage| outage.duration_s).reduce(f64::max);
    let share = if offered > 0.0 { lost / offered } else { 0.0 };
    let fate = match longest {
        Some(longest) if longest >= 0.95 * lasts.secs() => Fate::OutUntilRepair,
        Some(_) => Fate::Recovers,
        None if share < UNNOTICED => Fate::Unharmed,
        None => Fate::Degraded,
    };
    let by_stage = result.metrics.iter().filter(|one| one.metric == catalogue::REQUESTS_LOST.name);
    let by_stage = by_stage.filter_map(|one| Some((one.dims.stage?, one.mean?))).filter(|(_, lost)| *lost > 0.0);
    let mut stages: Vec<(Stage, f64)> = Vec::new();
    for (stage, lost) in by_stage {
        match stages.iter_mut().find(|(known, _)| *known == stage) {
            Some((_, sum)) => *sum += lost,
            None => stages.push((stage, lost)),
        }
    }
    let stage = stages.into_iter().reduce(|best, one| if one.1 > best.1 { one } else { best }).map(|(stage, _)| stage);
    Outcome {
        fault: result.name.clone(),
        fate,
        lost,
        lost_s: share * horizon_s,
        longest_outage_s: longest,
        rto_service_s: here(&catalogue::RTO_SERVICE),
        rto_users_s: here(&catalogue::RTO_USERS),
        rpo_s: here(&catalogue::RPO_SECONDS),
        writes_lost: more(&catalogue::WRITES_LOST),
        stage,
    }
}
