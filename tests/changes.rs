//! Changes that meet trouble: each timeline is worked out by hand in `tests/checks/changes.toml` and beside its figures.
//! Flow has no request noise, so they hold to 1e-9.

mod product;

use product::{Summary, repository, run};
use std::process::Command;

const CHANGES: &str = "tests/checks/changes.toml";
const TAKEOVERS: &str = "tests/checks/takeovers.toml";

fn of(file: &str, variant: &str) -> Summary {
    run(file, &["--variant", variant])
}

fn mean(summary: &Summary, metric: &str) -> f64 {
    summary.figure(metric, &[]).mean
}

#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1e-9), "{actual} is not {expected}");
}

/// What a cluster ran: revision, since when in minutes, and why.
fn trail(variant: &str, cluster: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    command.args(["run", "--quiet", "--variant", variant, "--out"]).arg(&report).arg(repository(CHANGES));
    assert!(command.status().unwrap().success());
    let all = std::fs::read_to_string(report.join("revisions.csv")).unwrap();
    let rows = all.lines().map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row[1] == cluster);
    rows.map(|row| format!("{} {} {}", row[2], row[3].parse::<f64>().unwrap() / 60.0, row[5])).collect()
}

#[test]
fn one_clusters_controller_is_away_while_the_others_roll_back() {
    // A quarter of the users for 30 min until the alarm, 10 until the revert, and until the next look.
    let exposure = |variant: &str| mean(&of(CHANGES, variant), "blast-radius.exposure");
    close(exposure("well"), 0.25 * 42.0 * 60.0);
    close(exposure("other-away"), 0.25 * 42.0 * 60.0);
    // Back at 276 min, which is a look.
    close(exposure("own-away"), 0.25 * 96.0 * 60.0);
    close(exposure("all-away"), 0.25 * 96.0 * 60.0);
    let (there, away) =
        (["0 0 start", "1 60 release", "0 222 roll-back"], ["0 0 start", "1 60 release", "0 276 roll-back"]);
    assert_eq!(trail("own-away", "dev"), there);
    assert_eq!(trail("own-away", "prod-us"), ["0 0 start", "1 180 release", "0 276 roll-back"]);
    assert_eq!(trail("other-away", "dev"), away);
    assert_eq!(trail("other-away", "prod-us"), ["0 0 start", "1 180 release", "0 222 roll-back"]);
    assert_eq!(trail("all-away", "dev"), away);
    // A cluster that is down has nobody to roll it back, either.
    assert_eq!(trail("down-at-revert", "dev"), away);
    assert_eq!(trail("down-at-revert", "staging"), ["0 0 start", "1 120 release", "0 222 roll-back"]);
}

#[test]
fn one_clusters_controller_is_away_while_the_others_get_a_release() {
    // Back at 100 min; the next look is at 102. It is watched for an hour from there.
    let late = of(CHANGES, "late");
    close(mean(&late, "releases.lead-time"), 42.0 * 60.0);
    close(mean(&late, "rollouts.duration"), 102.0 * 60.0);
    assert_eq!(trail("late", "prod-us"), ["0 0 start", "1 60 release"]);
    assert_eq!(trail("late", "prod-eu"), ["0 0 start", "1 102 release"]);
    let all = of(CHANGES, "all-late");
    close(mean(&all, "releases.lead-time"), 42.0 * 60.0);
    // The rollout begins only at 100 min.
    close(mean(&all, "rollouts.duration"), 62.0 * 60.0);
    assert_eq!(trail("all-late", "prod-us"), ["0 0 start", "1 102 release"]);
    // Both canaries are watched until 122 min, and the next wave comes an hour after.
    assert_eq!(trail("late-canary", "prod-us"), ["0 0 start", "1 60 canary", "1 122 release"]);
    assert_eq!(trail("late-canary", "prod-eu"), ["0 0 start", "1 102 canary", "1 122 release"]);
    assert_eq!(trail("late-canary", "dev"), ["0 0 start", "1 183 canary", "1 203 release"]);
    // Due at 240 min, there again at 255, which is a look.
    close(mean(&of(CHANGES, "down-at-release"), "releases.lead-time"), 195.0 * 60.0);
}

#[test]
fn what_stops_a_good_release_counts_in_its_lead_time() {
    for (variant, late) in [("good-paused", 30.0), ("good-frozen", 60.0), ("good-without-controller", 30.0)] {
        let summary = of(CHANGES, variant);
        close(mean(&summary, "releases.lead-time"), (180.0 + late) * 60.0);
        close(mean(&summary, "rollouts.duration"), (240.0 + late) * 60.0);
    }
}

#[test]
fn what_is_taken_back_with_a_bad_release_is_released_anew() {
    // Both go out at 90 min, are in `prod-us` at 210 and gone at 252; the good one is in `prod-eu` 180 min later, and was
    // committed at 70.
    let batched = of(CHANGES, "batched");
    for (metric, value) in [("rollouts", 2.0), ("releases", 2.0), ("releases.bad", 1.0)] {
        close(mean(&batched, metric), value);
    }
    close(mean(&batched, "releases.lead-time"), (252.0 + 180.0 - 70.0) * 60.0);
    assert_eq!(trail("batched", "prod-us"), ["0 0 start", "1 210 release", "0 252 roll-back", "2 372 release"]);
    assert_eq!(trail("batched", "prod-eu"), ["0 0 start", "2 432 release"]);
    // In all clusters at 75 min and taken back at 102, it comes again at once: 27 min, and none for the bad one.
    let after = of(CHANGES, "after");
    close(mean(&after, "releases.lead-time"), 27.0 * 60.0 / 2.0);
    close(mean(&after, "rollouts"), 3.0);
    assert_eq!(trail("after", "prod-us"), ["0 0 start", "1 60 release", "2 75 release", "3 102 release"]);
    close(mean(&after, "blast-radius.exposure"), 42.0 * 60.0);
    // Another bad one comes again, too: at 102 min, shows an hour later, and is noticed and gone 40 min after that, which
    // is 204 for the controllers. Users were on one or both from 60 min on.
    let two = of(CHANGES, "two-bad");
    close(mean(&two, "releases.bad"), 2.0);
    close(mean(&two, "blast-radius.exposure"), (204.0 - 60.0) * 60.0);
    close(mean(&two, "requests.lost"), 100.0 * 60.0 * (0.2 * 42.0 + 0.1 * 42.0));
    assert_eq!(trail("two-bad", "prod-eu").last().unwrap(), "0 204 roll-back");
}

#[test]
fn what_nobody_prunes_stays_until_it_is_noticed() {
    let summary = of(CHANGES, "orphan");
    let bad = 25.0 * 0.2 * 42.0 * 60.0;
    close(mean(&summary, "requests.lost"), bad + 25.0 * 0.1 * 7200.0);
    let left = [("stage", "errors"), ("root", "build left behind: prod-us")];
    close(summary.figure("requests.lost", &left).mean, 25.0 * 0.1 * 7200.0);
    // In `dev` and `staging`, too.
    close(mean(&summary, "orphan.count"), 3.0);
    close(mean(&summary, "orphan.time"), 3.0 * 7200.0);
    let pruned = of(CHANGES, "pruned");
    close(mean(&pruned, "requests.lost"), bad);
    close(mean(&pruned, "orphan.count"), 0.0);
    close(mean(&pruned, "orphan.time"), 0.0);
    let removes = of(CHANGES, "removes");
    close(mean(&removes, "orphan.count"), 4.0);
    close(mean(&removes, "requests.lost"), 100.0 * 0.1 * 1800.0);
}

#[test]
fn a_standby_is_promoted_with_the_revision_that_it_has() {
    let figures = |variant: &str| {
        let summary = of(TAKEOVERS, variant);
        assert_eq!(mean(&summary, "promotions"), 1.0);
        (mean(&summary, "promotions.stale-revision"), summary)
    };
    let (share, stale) = figures("stale");
    assert_eq!(share, 1.0);
    // 94 s after the loss.
    close(mean(&stale, "promotions.behind"), 3694.0);
    for variant in ["ahead", "level"] {
        assert_eq!(figures(variant).0, 0.0, "{variant}");
    }
    let (share, behind) = figures("no-controller");
    assert_eq!(share, 1.0);
    close(mean(&behind, "promotions.behind"), 3694.0);
    // No promotion: 34 s.
    let (share, absorbs) = figures("absorbs");
    assert_eq!(share, 1.0);
    close(mean(&absorbs, "promotions.behind"), 3634.0);
}
