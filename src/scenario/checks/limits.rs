//! Limits, so that a file that asks for too much gets an answer and not a hung machine: counts, what Kubernetes can
//! hold, and the work that a run would be.

use super::Found;
use super::failures::targets;
use crate::diag::Diagnostic;
use crate::scenario::lookup::Model;
use crate::scenario::spec::{ScenarioSpec, TrafficEngine};
use crate::traffic::spec::Step;

/// Kubernetes, "Considerations for large clusters": no more nodes in a cluster.
const NODES: u32 = 5000;
/// The same: no more pods in a cluster.
const PODS: u64 = 150_000;
/// Events of one seed.
const EVENTS: f64 = 1e9;
/// Events of all seeds.
const ALL_EVENTS: f64 = 1e12;
/// What one occurrence of a fault sets off: probes, decisions, scaling steps, rates of change.
const PER_FAULT: f64 = 200.0;
/// Requests of one seed, where each is simulated: about an hour of one core.
const REQUESTS: f64 = 1e10;
/// Bytes of one seed's state.
const MEMORY: f64 = 4e9;
/// State of one service in one cluster, and of one population's journey in one cluster.
const STATION: f64 = 4096.0;
/// A latency histogram: a 2 % log grid from 10 µs to an hour has 1000 bins.
const CELL: f64 = 8192.0;

pub(super) fn counts(spec: &ScenarioSpec, found: &mut Found<'_>) {
    let clusters = spec.cluster.len();
    for (kind, count, most) in [
        ("region", spec.region.len(), 1000),
        ("cluster", clusters, 10_000),
        ("service", spec.service.len(), 1000),
        ("store", spec.store.len(), 1000),
        ("dependency", spec.dependency.len(), 1000),
        ("journey", spec.journey.len(), 100),
        ("population", spec.population.len(), 1000),
        ("fault", spec.fault.len(), 1000),
        ("incident", spec.incident.len(), 10_000),
        ("switchover", spec.switchover.len(), 1000),
        ("release", spec.release.len(), 1000),
        ("drift", spec.drift.len(), 1000),
        ("surge", spec.surge.len(), 1000),
        ("connection", spec.connection.len(), 1000),
        ("hub", spec.hub.len(), 100),
        ("expect", spec.expect.len(), 1000),
    ] {
        found.require(count <= most, &[kind], || {
            (format!("{count} entries of `{kind}`; at most {most} are allowed"), "merge entries that behave alike")
        });
    }
    for (kind, count) in [("cluster", clusters), ("journey", spec.journey.len()), ("population", spec.population.len())]
    {
        found.require(count > 0, &[kind], || {
            (
                format!("there is no {kind}; expected at least one"),
                "a scenario has a cluster, a journey and a population",
            )
        });
    }
    for (a, b, product, most) in [
        ("service", "cluster", spec.service.len() * clusters, 1_000_000),
        ("population", "cluster", spec.population.len() * clusters, 100_000),
    ] {
        found.require(product <= most, &[b], || {
            (
                format!("{product} combinations of `{a}` and `{b}`; at most {most} are allowed"),
                "merge entries that behave alike",
            )
        });
    }
    for journey in &spec.journey {
        let steps = Step::plain(&journey.path).len();
        found.require(steps <= 100, &["journey", &journey.name, "path"], || {
            (format!("{steps} steps; at most 100 are allowed"), "merge services that are always called together")
        });
    }
    let listed = spec.network.rtt.len();
    found.require(listed <= 1_000_000, &["network", "rtt"], || {
        (format!("{listed} round-trip times; at most 1000000 are allowed"), "leave those out that the catalogue knows")
    });
}

pub(super) fn work(model: &Model<'_>, found: &mut Found<'_>) {
    clusters(model, found);
    events(model, found);
    requests(model, found);
    let spec = model.spec;
    let stations = (spec.service.len() + spec.store.len()) as f64 * spec.cluster.len() as f64 * STATION;
    let cells = spec.population.len() as f64 * spec.journey.len() as f64 * CELL;
    let roots: usize = spec.fault.iter().map(|fault| targets(model, &fault.of)).sum();
    // Lost requests are counted by population, journey and root.
    let losses = roots as f64 * spec.population.len() as f64 * spec.journey.len() as f64 * 8.0;
    let memory = stations + cells + losses;
    found.require(memory <= MEMORY, &["population"], || {
        (
            format!(
                "a seed would need about {:.0} GB of memory; at most {:.0} GB are allowed",
                memory / 1e9,
                MEMORY / 1e9
            ),
            "merge populations, journeys or services that behave alike",
        )
    });
}

fn clusters(model: &Model<'_>, found: &mut Found<'_>) {
    for (position, cluster) in model.spec.cluster.iter().enumerate() {
        let services = || {
            let all = model.spec.service.iter().enumerate();
            all.filter(|(service, _)| model.runs(position, *service)).map(|(_, service)| service)
        };
        let pods: u64 = services()
            .map(|service| {
                let over = service.overrides.get(&cluster.name).and_then(|over| over.replicas);
                u64::from(over.unwrap_or(service.replicas))
            })
            .sum();
        let whole = ["cluster", &*cluster.name];
        found.require(pods <= PODS, &whole, || {
            (
                format!("{pods} pods in cluster `{}`; Kubernetes holds at most {PODS}", cluster.name),
                "add clusters and share the services out",
            )
        });
        let most: u64 = services()
            .map(|service| u64::from(service.autoscale.as_ref().map_or(service.replicas, |scale| scale.max)))
            .sum();
        if pods <= PODS && most > PODS {
            let message =
                format!("autoscaling in `{}` may ask for {most} pods; Kubernetes holds at most {PODS}", cluster.name);
            let diagnostic = Diagnostic::warning(message);
            found.push(&whole, diagnostic.help("it stops there: add clusters, or lower `autoscale.max`"));
        }
        let Some(nodes) = &cluster.nodes else { continue };
        found.require(nodes.max <= NODES, &["cluster", &cluster.name, "nodes", "max"], || {
            (
                format!("{} nodes in cluster `{}`; Kubernetes holds at most {NODES}", nodes.max, cluster.name),
                "add clusters and share the services out",
            )
        });
        let Some(node) = model.clusters[position].as_ref().and_then(|cluster| cluster.node) else { continue };
        for service in services() {
            let fits = service.cpu <= node.vcpu && service.memory.get() <= node.memory;
            found.require(fits, &["service", &service.name, "cpu"], || {
                (
                    format!(
                        "a pod of `{}` ({} vCPUs, {}) fits no node of `{}` ({} vCPUs, {:.1}GB)",
                        service.name,
                        service.cpu,
                        service.memory,
                        cluster.name,
                        node.vcpu,
                        node.memory / 1e9
                    ),
                    "choose larger nodes, or lower `cpu` or `memory`",
                )
            });
        }
    }
}

/// The requests of one seed, where each is simulated.
fn requests(model: &Model<'_>, found: &mut Found<'_>) {
    let TrafficEngine::Requests(engine) = model.spec.simulation.traffic else { return };
    let whole = (model.spec.simulation.warm_up + model.spec.simulation.horizon).secs();
    let windows = model.spec.windows(engine.window.as_ref());
    let span = windows.map_or(whole, |windows| windows.iter().map(|&(from, to)| to.secs() - from.secs()).sum());
    let rate: f64 = model.spec.population.iter().map(|population| population.rate.get()).sum();
    let all = rate * span * engine.scale.get();
    found.require(all <= REQUESTS, &["simulation", "traffic"], || {
        (
            format!("a seed would be about {all:.1e} requests; at most {REQUESTS:.0e} are allowed"),
            "shorten the horizon or the windows, lower `scale`, or leave `traffic` out: flow simulates years",
        )
    });
    found.require(engine.scale.get() > 0.0, &["simulation", "traffic", "requests", "scale"], || {
        ("a scale of 0 leaves nothing".to_owned(), "1 simulates every request, 0.01 one in a hundred")
    });
}

/// The events of one seed: what faults set off, and the hours in which the rate changes.
fn events(model: &Model<'_>, found: &mut Found<'_>) {
    let spec = model.spec;
    let span = (spec.simulation.warm_up + spec.simulation.horizon).secs();
    let slots = spec.cluster.len() as f64 * span / 3600.0;
    let mut total = slots;
    let mut worst = (slots, None);
    for fault in &spec.fault {
        let cycle = if fault.shock.is_some() { fault.every.mean() } else { fault.every.mean() + fault.repair.mean() };
        // What has no mean, or none above 0, was refused; an endless one is rare.
        if !(cycle.is_finite() && cycle > 0.0) {
            continue;
        }
        let events = targets(model, &fault.of) as f64 * span / cycle * PER_FAULT;
        total += events;
        if events > worst.0 {
            worst = (events, Some(&*fault.name));
        }
    }
    let all = total * f64::from(spec.simulation.seeds);
    let message = if total > EVENTS {
        format!("a seed would need about {total:.1e} events; at most {EVENTS:.0e} are allowed")
    } else if all > ALL_EVENTS {
        let seeds = spec.simulation.seeds;
        format!("{seeds} seeds would need about {all:.1e} events; at most {ALL_EVENTS:.0e} are allowed")
    } else {
        return;
    };
    let (path, help) = match worst.1 {
        Some(fault) if total > EVENTS => {
            let help =
                format!("`{fault}` makes {:.1e} of them: let it occur less often, or shorten the horizon", worst.0);
            (vec!["fault", fault, "every"], help)
        }
        _ if total > EVENTS => (vec!["simulation", "horizon"], "shorten the horizon".to_owned()),
        _ => (vec!["simulation", "seeds"], "take fewer seeds, or a shorter horizon".to_owned()),
    };
    found.push(&path, Diagnostic::error(message).help(help));
}
