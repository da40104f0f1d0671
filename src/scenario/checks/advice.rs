//! Advice: what is legal and odd.

use super::Found;
use super::references::{called, makes, missed};
use crate::base::Probability;
use crate::diag::Diagnostic;
use crate::failover::spec::ScaleWhen;
use crate::scenario::lookup::Model;
use crate::scenario::spec::{RequestsSpec, TrafficEngine};
use crate::traffic::spec::Step;
use std::collections::BTreeSet;

/// Fewer seeds give no useful interval: Student's t with 9 degrees of freedom is already 15 % wider than the normal.
const SEEDS: u32 = 10;

pub(super) fn give(model: &Model<'_>, found: &mut Found<'_>) {
    let simulation = &model.spec.simulation;
    let mut warn = |holds: bool, path: &[&str], message: String, help: &str| {
        if holds {
            found.push(path, Diagnostic::warning(message).help(help));
        }
    };
    warn(
        simulation.warm_up > simulation.horizon,
        &["simulation", "warm-up"],
        format!("the warm-up of {} is longer than the horizon of {}", simulation.warm_up, simulation.horizon),
        "most of the work is thrown away; faults start in equilibrium and need no warm-up",
    );
    warn(
        simulation.seeds < SEEDS,
        &["simulation", "seeds"],
        format!("{} seeds say little of the spread", simulation.seeds),
        "a hundred give useful intervals",
    );
    windows(model, found);
    standbys(model, found);
    timeouts(model, found);
    unused(model, found);
}

/// Windows that are around nothing.
fn windows(model: &Model<'_>, found: &mut Found<'_>) {
    let TrafficEngine::Requests(RequestsSpec { window: Some(window), .. }) = &model.spec.simulation.traffic else {
        return;
    };
    if model.spec.windows(Some(window)).is_some_and(|windows| windows.is_empty()) {
        let message = "there is nothing for a window to be around: all of the run is rates";
        let help = "write an [[incident]], or set `around` to what there is: incidents, surges, switchovers, script";
        found.push(&["simulation", "traffic", "requests", "window"], Diagnostic::warning(message).help(help));
    }
}

fn standbys(model: &Model<'_>, found: &mut Found<'_>) {
    for (standby, cluster) in model.spec.cluster.iter().enumerate() {
        let Some(primary) = model.standby_for[standby] else {
            let scaled = cluster.scale.is_some();
            if scaled {
                let diagnostic = Diagnostic::warning(format!("`scale` of `{}`, which is no standby", cluster.name));
                let help = "it has no effect: remove it, or add `standby-for`";
                found.push(&["cluster", &cluster.name, "scale"], diagnostic.help(help));
            }
            continue;
        };
        if model.spec.failover.scale.when != ScaleWhen::OnLoad {
            continue;
        }
        for (position, service) in model.spec.service.iter().enumerate() {
            let replicas = |cluster: usize| {
                let over = service.overrides.get(&model.spec.cluster[cluster].name);
                over.and_then(|over| over.replicas).unwrap_or(service.replicas)
            };
            let over = service.overrides.get(&cluster.name).and_then(|over| over.scale);
            let scale = over.or(cluster.scale).map_or(1.0, Probability::get);
            let running = f64::from(replicas(standby)) * scale;
            if model.runs(primary, position) && service.autoscale.is_none() && running < f64::from(replicas(primary)) {
                let primary = &model.spec.cluster[primary].name;
                let message = format!(
                    "`{}` takes over from `{primary}` with {running:.0} of its {} pods of `{}`, which never grow",
                    cluster.name, service.replicas, service.name
                );
                let help =
                    "add `autoscale` to the service, raise `scale`, or set failover.scale.when = \"at-decision\"";
                found.push(&["service", &service.name], Diagnostic::warning(message).help(help));
            }
        }
    }
}

fn timeouts(model: &Model<'_>, found: &mut Found<'_>) {
    for (users, population) in model.spec.population.iter().enumerate() {
        let first = model.order(users).first().and_then(|&cluster| model.population_rtt[users][cluster]);
        let Some(rtt) = first else { continue };
        for (position, journey) in model.spec.journey.iter().enumerate() {
            let late = journey.timeout.is_some_and(|timeout| timeout.secs() <= rtt);
            if late && makes(model, users, position) {
                let message = format!(
                    "`{}` of `{}` always times out: the round trip alone takes {:.0} ms",
                    journey.name,
                    population.name,
                    rtt * 1e3
                );
                let help = "raise the timeout, or serve these users from nearer";
                found.push(&["journey", &journey.name, "timeout"], Diagnostic::warning(message).help(help));
            }
        }
    }
}

fn unused(model: &Model<'_>, found: &mut Found<'_>) {
    let journeys = || model.spec.journey.iter();
    let misses = journeys().flat_map(|journey| missed(model, journey));
    let services: BTreeSet<&str> = journeys().flat_map(called).chain(misses).collect();
    let (mut stores, mut dependencies) = (BTreeSet::new(), BTreeSet::new());
    for step in model.spec.journey.iter().flat_map(|journey| Step::plain(&journey.path)) {
        match step {
            Step::Read(name, _) | Step::Write(name, _) => {
                stores.insert(&**name);
                let store = model.store_names.get(&**name).map(|&store| &model.spec.store[store]);
                stores.extend(store.and_then(|store| store.cache()).map(|cache| &*cache.of));
            }
            Step::Dependency(name) => _ = dependencies.insert(&**name),
            Step::Call(_) | Step::Parallel(_) | Step::Branch(_) | Step::Again(..) => {}
        }
    }
    for (kind, names, used) in [
        ("service", &model.service_names, services),
        ("store", &model.store_names, stores),
        ("dependency", &model.dependency_names, dependencies),
    ] {
        for name in names.keys().filter(|name| !used.contains(**name)) {
            let diagnostic = Diagnostic::warning(format!("no journey uses the {kind} `{name}`"));
            found.push(&[kind, name], diagnostic.help("add it to the `path` of a journey, or remove it"));
        }
    }
}
