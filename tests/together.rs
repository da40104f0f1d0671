//! Requests that go through the stations together (`src/sim/requests/stages.rs`) fare as one by one.

use regionsim::base::{Seed, Span};
use regionsim::domain::{Observations, Stage};
use regionsim::plan::{Plan, RequestsPlan};
use regionsim::sim::Simulator;

#[path = "../benches/common/scenario.rs"]
#[allow(dead_code, reason = "the benches use more of it")]
mod scenario;

fn seen(plan: &Plan, one_by_one: bool) -> Observations {
    let mut simulator = Simulator::new(plan);
    if one_by_one {
        simulator.go_one_by_one();
    }
    simulator.run(Seed { master: 1, replication: 0 }).expect("the seed ends")
}

/// Nothing differs but how sums round: of ten thousand numbers no more than as many roundings. Gives what was seen.
fn fare_alike(file: &str, requests: RequestsPlan, seconds: u64) -> Observations {
    let mut plan = scenario::plan(file);
    plan.requests = Some(requests);
    plan.horizon = Span::from_whole_secs(seconds);
    let all = seen(&plan, false);
    let (together, single) = (format!("{all:#?}"), format!("{:#?}", seen(&plan, true)));
    assert_eq!(together.lines().count(), single.lines().count(), "{file}");
    let number = |line: &str| line.trim_matches([' ', ',']).rsplit(' ').next().and_then(|end| end.parse::<f64>().ok());
    for (at, (own, other)) in together.lines().zip(single.lines()).enumerate().filter(|(_, (own, other))| own != other)
    {
        let off = number(own).zip(number(other)).map_or(1.0, |(own, other)| (own / other - 1.0).abs());
        let before: Vec<_> = together.lines().skip(at.saturating_sub(30)).take(30).collect();
        assert!(off <= 1e4 * f64::EPSILON, "{file}: {own}, not {other}, after\n{}", before.join("\n"));
    }
    all
}

fn whole(scale: f64) -> RequestsPlan {
    RequestsPlan { scale, windows: None }
}

/// Requests that were lost in a stage.
fn lost(seen: &Observations, stage: Stage) -> f64 {
    seen.losses.iter().filter(|loss| loss.stage == stage).map(|loss| loss.requests).sum()
}

#[test]
fn those_who_buy_fare_alike() {
    fare_alike("benches/checkout.toml", whole(1.0), 120);
}

#[test]
fn those_of_several_journeys_fare_alike() {
    fare_alike("scenarios/ecommerce.toml", whole(0.01), 1200);
}

#[test]
fn those_in_a_window_fare_alike() {
    let windows = Some(vec![(Span::from_whole_secs(120), Span::from_whole_secs(240))]);
    fare_alike("benches/checkout.toml", RequestsPlan { scale: 0.5, windows }, 600);
}

#[test]
fn those_of_one_call_from_several_places_fare_alike() {
    fare_alike("tests/checks/together-single.toml", whole(1.0), 60);
}

#[test]
fn those_who_are_late_fare_alike() {
    let seen = fare_alike("tests/checks/together.toml", whole(1.0), 120);
    assert!(lost(&seen, Stage::Timeout) > 50.0, "{:?}", seen.losses);
}

#[test]
fn those_who_find_a_queue_full_fare_alike() {
    let seen = fare_alike("tests/checks/together-full.toml", whole(1.0), 120);
    assert!(lost(&seen, Stage::Overload) > 50.0, "{:?}", seen.losses);
}
