//! Releases, rollouts, `GitOps` and drift: they happen at some time, and every cluster gets every release.

use super::Found;
use super::references::{known, selection};
use crate::base::Span;
use crate::diag::Diagnostic;
use crate::dist::Dist;
use crate::rollout::spec::{Detect, Harm, OnBad};
use crate::scenario::lookup::Model;
use std::collections::BTreeMap;

pub(super) fn check(model: &Model<'_>, found: &mut Found<'_>) {
    for release in &model.spec.release {
        let path = |key: &'static str| ["release", &*release.name, key];
        comes(model, ["release", &release.name], release.every.as_ref(), release.at, found);
        if let Some(service) = &release.service {
            known("service", service, &model.service_names, &path("service"), found);
        }
        harm(&["release", &release.name], &release.effect, found);
        lasts(&release.incubation, &path("incubation"), found);
        match &release.detect {
            Detect::After(delay) => lasts(delay, &["release", &release.name, "detect", "after"], found),
            Detect::Exposure(enough) => lasts(enough, &["release", &release.name, "detect", "exposure"], found),
        }
        if let Some(orphan) = &release.orphan {
            harm(&["release", &release.name, "orphan"], &orphan.effect, found);
            is_noticed(&orphan.noticed, &["release", &release.name, "orphan", "noticed"], found);
        }
    }
    for drift in &model.spec.drift {
        let path = |key: &'static str| ["drift", &*drift.name, key];
        if model.spec.management.is_none() || drift.every.is_some() || drift.at.is_some() {
            comes(model, ["drift", &drift.name], drift.every.as_ref(), drift.at, found);
        }
        selection("cluster", &drift.clusters, &model.cluster_names, &path("clusters"), false, found);
        harm(&["drift", &drift.name], &drift.effect, found);
        is_noticed(&drift.noticed, &path("noticed"), found);
    }
    rollout(model, found);
    gitops(model, found);
    serving(model, found);
}

/// It comes again and again, or once within the horizon.
fn comes(model: &Model<'_>, [kind, name]: [&str; 2], every: Option<&Dist>, at: Option<Span>, found: &mut Found<'_>) {
    let horizon = model.spec.simulation.horizon;
    match (every, at) {
        (Some(every), None) => {
            let mean = every.mean();
            found.require(mean.is_finite() && mean >= 60.0, &[kind, name, "every"], || {
                (format!("it comes every {mean} s in the mean; expected at least a minute"), "a working day is \"24h\"")
            });
        }
        (None, Some(at)) => found.require(at < horizon, &[kind, name, "at"], || {
            (
                format!("it comes at {at}, and the horizon ends at {horizon}"),
                "let it come earlier, or lengthen `simulation.horizon`",
            )
        }),
        (None, None) | (Some(_), Some(_)) => found.push(
            &[kind, name],
            Diagnostic::error(format!("`{name}` has to say when it comes: `every` or `at`, one of them"))
                .help("write every = { exponential = { mean = \"34h\" } }, or at = \"2d\""),
        ),
    }
}

fn lasts(dist: &Dist, path: &[&str], found: &mut Found<'_>) {
    found.require(dist.mean().is_finite(), path, || {
        ("this duration has no finite mean".to_owned(), "a pareto's shape must be above 1")
    });
}

/// It lasts for some time.
fn is_noticed(noticed: &Dist, path: &[&str], found: &mut Found<'_>) {
    lasts(noticed, path, found);
    found.require(noticed.mean() > 0.0, path, || {
        ("it is noticed at once; expected more than 0s".to_owned(), "remove it, or say how long it lasts")
    });
}

fn harm(of: &[&str], harm: &Harm, found: &mut Found<'_>) {
    let Harm::Degraded(degraded) = harm else { return };
    for (key, value) in [("latency", degraded.latency), ("capacity", degraded.capacity)] {
        found.require(value > 0.0 && value <= 1e6, &[of, &["effect", "degraded", key]].concat(), || {
            (format!("the factor is {value}; expected above 0, up to 1e6"), "1 changes nothing")
        });
    }
}

/// Every cluster is in one wave.
fn rollout(model: &Model<'_>, found: &mut Found<'_>) {
    let rollout = &model.spec.rollout;
    let week = Span::WEEK;
    for (key, span) in
        [("bake", rollout.bake), ("first-bake", rollout.first_bake.unwrap_or_default()), ("deploy", rollout.deploy)]
    {
        found.require(span <= week, &["rollout", key], || {
            (format!("`{key}` is {span}; at most a week is allowed"), "waves are watched for hours")
        });
    }
    if let Some(canary) = &rollout.canary {
        let path = ["rollout", "canary", "share"];
        found.require(canary.share.get() > 0.0 && canary.share.get() < 1.0, &path, || {
            ("a canary is some of the instances, not none or all".to_owned(), "write such as 0.05, or remove `canary`")
        });
        for (key, span) in [("deploy", canary.deploy), ("bake", canary.bake)] {
            found.require(span <= week, &["rollout", "canary", key], || {
                (format!("`{key}` is {span}; at most a week is allowed"), "canaries are watched for minutes to hours")
            });
        }
    }
    match &rollout.on_bad {
        OnBad::RollBack(takes) => lasts(takes, &["rollout", "on-bad", "roll-back"], found),
        OnBad::RollForward(takes) => lasts(takes, &["rollout", "on-bad", "roll-forward"], found),
    }
    for (position, freeze) in rollout.freeze.iter().enumerate() {
        let position = position.to_string();
        found.require(!freeze.lasts.is_zero(), &["rollout", "freeze", &position, "for"], || {
            ("it lasts 0s; expected more".to_owned(), "say how long nothing is released, such as \"14d\"")
        });
    }
    let Some(waves) = &rollout.waves else { return };
    let before = found.errors();
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, wave) in waves.iter().enumerate() {
        let wave_number = number.to_string();
        found.require(!wave.is_empty(), &["rollout", "waves", &wave_number], || {
            ("a wave without clusters".to_owned(), "name a cluster, or remove the wave")
        });
        for (position, name) in wave.iter().enumerate() {
            let position = position.to_string();
            let path = ["rollout", "waves", &*wave_number, &*position];
            let Some(cluster) = known("cluster", name, &model.cluster_names, &path, found) else { continue };
            if let Some(before) = seen.insert(cluster, number) {
                let message = format!("`{name}` is in wave {} already", before + 1);
                found.push(&path, Diagnostic::error(message).help("a cluster gets a release once"));
            }
        }
    }
    // A name that is wrong may be that of a cluster that seems to be missing.
    if found.errors() > before {
        return;
    }
    for (_, own) in model.spec.cluster.iter().enumerate().filter(|(cluster, _)| !seen.contains_key(cluster)) {
        let message = format!("no wave has `{}`: it would never get a release", own.name);
        found.push(&["rollout", "waves"], Diagnostic::error(message).help("add it to a wave"));
    }
}

fn gitops(model: &Model<'_>, found: &mut Found<'_>) {
    let Some(gitops) = &model.spec.gitops else { return };
    found.require(!gitops.poll.is_zero() && gitops.poll <= Span::WEEK, &["gitops", "poll"], || {
        (format!("`poll` is {}; expected more than 0s and at most a week", gitops.poll), "Argo CD looks every \"120s\"")
    });
    found.require(gitops.jitter <= Span::WEEK, &["gitops", "jitter"], || {
        (format!("`jitter` is {}; at most a week is allowed", gitops.jitter), "Argo CD adds up to \"60s\"")
    });
    found.require(gitops.phase.is_none_or(|phase| phase < gitops.poll), &["gitops", "phase"], || {
        ("the phase is as long as the interval, or longer".to_owned(), "it is less than `poll`")
    });
    lasts(&gitops.sync, &["gitops", "sync"], found);
}

/// A cluster that serves nobody has nothing that users need.
fn serving(model: &Model<'_>, found: &mut Found<'_>) {
    for own in model.spec.cluster.iter().filter(|own| !own.serves) {
        let path = ["cluster", &*own.name, "serves"];
        let standby = model.spec.cluster.iter().find(|other| other.standby_for.as_ref() == Some(&own.name));
        if own.standby_for.is_some() || standby.is_some() {
            let message = format!("`{}` serves nobody, and is one of a primary and its standby", own.name);
            found.push(&path, Diagnostic::error(message).help("remove `serves`, or `standby-for`"));
        }
        let position = model.cluster_names.get(&*own.name).copied();
        for store in &model.spec.store {
            if position.is_some_and(|own| model.selected_clusters(&store.clusters).contains(&own)) {
                let message = format!("`{}` serves nobody, and holds a copy of `{}`", own.name, store.name);
                let help = format!("list the clusters that serve in `clusters` of `{}`", store.name);
                found.push(&path, Diagnostic::error(message).help(help));
            }
        }
    }
    if let Some(first) = model.spec.cluster.first().filter(|_| model.spec.cluster.iter().all(|own| !own.serves)) {
        let help = "remove `serves` from the cluster that users are sent to";
        found.push(&["cluster", &first.name, "serves"], Diagnostic::error("no cluster serves users").help(help));
    }
}
