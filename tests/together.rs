//! Requests that go through the stations together fare as one by one.

mod product;

use product::run;

/// The same requests together and one by one. Each draw is from a stream whose order is the same, so nothing may differ,
/// but for how sums round.
fn fare_alike(arguments: &[&str], single: &[&str], lost: &str) {
    const FILE: &str = "tests/checks/together.toml";
    let together = run(FILE, arguments);
    let single = run(FILE, &[arguments, &["--set", "journey.rare.hedge=\"1s\""], single].concat());
    let (means, others) = (together.means(), single.means());
    assert!(means.len() > 250 && means.len() == others.len());
    for ((name, mean), (other, expected)) in means.iter().zip(&others) {
        assert_eq!(name, other);
        let off = mean.unwrap_or(0.0) - expected.unwrap_or(0.0);
        // A sum of a million numbers is off by no more than as many roundings.
        assert!(off.abs() <= 1e6 * f64::EPSILON * expected.unwrap_or(0.0).abs(), "{name}: {mean:?}, not {expected:?}");
    }
    let is_lost = |name: &str| name.starts_with("\"requests.lost\"") && name.contains(lost);
    assert!(means.iter().any(|(name, mean)| is_lost(name) && mean.unwrap_or(0.0) > 50.0), "nobody is lost to {lost}");
}

#[test]
fn those_that_are_late_and_tried_again_fare_alike() {
    fare_alike(&[], &[], "timeout");
}

#[test]
fn those_with_events_of_their_own_fare_alike() {
    fare_alike(&[], &["--set", "journey.rare.path=[\"front\"]"], "timeout");
}

#[test]
fn those_that_find_a_queue_full_fare_alike() {
    fare_alike(&["--set", "service.back.replicas=30", "--set", "service.back.queue=100"], &[], "overload");
}
