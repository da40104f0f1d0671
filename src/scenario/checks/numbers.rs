//! Numbers: within their range, and in agreement with the other numbers of their entry.

use super::Found;
use crate::base::{Bytes, Span, maths};
use crate::diag::Diagnostic;
use crate::dist::Dist;
use crate::failover::spec::{Decide, Failback};
use crate::replication::spec::Replication;
use crate::routing::policy::Policy;
use crate::routing::spec::{EdgeSpec, Via};
use crate::scaling::spec::Autoscale;
use crate::scenario::lookup::Model;
use crate::scenario::spec::ServiceSpec;
use crate::traffic::spec::{Arrivals, PopulationSpec};

/// The clock ends after 584 years.
const HORIZON: Span = Span::from_whole_secs(500 * 365 * 86_400);
const SEEDS: u32 = 1_000_000;
/// Requests per second: some hundred thousand times all of the web's largest site.
const RATE: f64 = 1e12;
/// Most requests of a batch.
const BATCH: u32 = 100_000;
/// More checkers than any provider has locations.
const CHECKERS: u32 = 100;
/// A sum of shares that is off by less was rounded.
const SHARES: f64 = 1e-9;
/// Clients that try so often are no clients.
const RETRIES: u32 = 100;
/// Of one wait to the one before it.
const FACTOR: f64 = 100.0;

pub(super) fn check(model: &Model<'_>, found: &mut Found<'_>) {
    simulation(model, found);
    model.spec.service.iter().for_each(|service| one_service(service, found));
    clusters(model, found);
    model.spec.population.iter().for_each(|population| one_population(population, model, found));
    journeys(model, found);
    stores(model, found);
    routing(model, found);
    cost(model, found);
}

fn simulation(model: &Model<'_>, found: &mut Found<'_>) {
    let spec = model.spec;
    found.require(spec.format == 1, &["format"], || {
        (format!("format {} isn't known; expected 1", spec.format), "write format = 1")
    });
    let simulation = &spec.simulation;
    found.require(!simulation.horizon.is_zero(), &["simulation", "horizon"], || {
        ("the horizon is 0s; expected more".to_owned(), "a year is \"365d\"")
    });
    found.require(simulation.horizon <= HORIZON, &["simulation", "horizon"], || {
        (
            format!("the horizon is {:.0} years; at most 500 are allowed", simulation.horizon.hours() / 8760.0),
            "simulate a year under more seeds: a hundred seeds of one year say more of a year than one of a hundred",
        )
    });
    found.require(
        simulation.warm_up + simulation.horizon <= Span::from_whole_secs(580 * 365 * 86_400),
        &["simulation", "warm-up"],
        || ("the warm-up ends beyond the clock's 584 years".to_owned(), "shorten the warm-up"),
    );
    found.require((1..=SEEDS).contains(&simulation.seeds), &["simulation", "seeds"], || {
        (format!("{} seeds; expected 1 to {SEEDS}", simulation.seeds), "a few hundred give useful intervals")
    });
    let jitter = spec.network.jitter;
    found.require((1.0..=100.0).contains(&jitter), &["network", "jitter"], || {
        (format!("`jitter` is {jitter}; expected 1 to 100"), "it is the ratio of p99 to p50: 1 for no jitter")
    });
}

/// A distribution with a mean.
fn time(dist: &Dist, path: &[&str], found: &mut Found<'_>) {
    found.require(dist.mean().is_finite(), path, || {
        ("this duration has no finite mean".to_owned(), "a pareto's shape must be above 1")
    });
}

fn one_service(service: &ServiceSpec, found: &mut Found<'_>) {
    let path = |key: &'static str| ["service", &*service.name, key];
    found.require(service.replicas > 0, &path("replicas"), || {
        ("a service has at least one replica".to_owned(), "to leave a cluster out, list the others in `clusters`")
    });
    for (cluster, over) in &service.overrides {
        found.require(over.replicas != Some(0), &["service", &service.name, "override", cluster, "replicas"], || {
            ("a service has at least one replica".to_owned(), "to leave a cluster out, list the others in `clusters`")
        });
    }
    found.require(service.concurrency > 0, &path("concurrency"), || {
        ("a pod serves at least one request at a time".to_owned(), "write 1 or more")
    });
    time(&service.time, &path("time"), found);
    found.require(!service.time.mean().is_finite() || service.time.cv().is_finite(), &path("time"), || {
        (
            "this service time has no finite variance".to_owned(),
            "a pareto's shape must be above 2 for a queue to settle",
        )
    });
    found.require(service.cpu.is_finite() && service.cpu >= 0.0, &path("cpu"), || {
        (format!("`cpu` is {}; expected at least 0", service.cpu), "0.5 is half a vCPU")
    });
    if let Some(autoscale) = &service.autoscale {
        autoscaler(&service.name, autoscale, found);
    }
}

fn autoscaler(service: &str, autoscale: &Autoscale, found: &mut Found<'_>) {
    let path = |key: &'static str| ["service", service, "autoscale", key];
    let whole = ["service", service, "autoscale"];
    match (autoscale.target, autoscale.per_pod) {
        (Some(target), None) => found.require(target.get() > 0.0, &path("target"), || {
            ("`target` is 0; expected more, up to 1".to_owned(), "0.6 keeps the pods 60 % busy")
        }),
        (None, Some(rate)) => found.require(rate.get() > 0.0 && rate.get().is_finite(), &path("per-pod"), || {
            ("`per-pod` is no rate above 0".to_owned(), "write what one pod should serve, such as \"20/s\"")
        }),
        (Some(_), Some(_)) => found.push(
            &path("per-pod"),
            Diagnostic::error("both `target` and `per-pod`").help("keep one: an autoscaler here follows one metric"),
        ),
        (None, None) => found.push(
            &whole,
            Diagnostic::error("neither `target` nor `per-pod`").help("add target = 0.6, or a rate per pod"),
        ),
    }
    found.require(autoscale.min > 0, &path("min"), || ("`min` is 0; expected at least 1".to_owned(), "write 1"));
    found.require(autoscale.min <= autoscale.max, &path("min"), || {
        (format!("`min` is {} and `max` is {}", autoscale.min, autoscale.max), "swap them, or raise `max`")
    });
    found.require(!autoscale.sync.is_zero(), &path("sync"), || {
        ("`sync` is 0s; expected more".to_owned(), "Kubernetes' own is \"15s\"")
    });
    found.require((0.0..1.0).contains(&autoscale.tolerance), &path("tolerance"), || {
        (
            format!("`tolerance` is {}; expected 0 up to, not including, 1", autoscale.tolerance),
            "Kubernetes' own is 0.1",
        )
    });
    found.require(autoscale.max_growth.is_finite() && autoscale.max_growth >= 0.0, &path("max-growth"), || {
        (format!("`max-growth` is {}; expected at least 0", autoscale.max_growth), "1.0 allows twice the pods per sync")
    });
    found.require(autoscale.max_growth > 0.0 || autoscale.max_growth_pods > 0, &whole, || {
        ("`max-growth` and `max-growth-pods` are both 0".to_owned(), "it could never grow: raise one of them")
    });
}

fn clusters(model: &Model<'_>, found: &mut Found<'_>) {
    for cluster in &model.spec.cluster {
        let Some(nodes) = &cluster.nodes else { continue };
        let path = |key: &'static str| ["cluster", &*cluster.name, "nodes", key];
        found.require(nodes.max > 0, &path("max"), || {
            ("`max` is 0; expected at least 1".to_owned(), "leave `nodes` out if pods always find room")
        });
        found.require(nodes.min <= nodes.max, &path("min"), || {
            (format!("`min` is {} and `max` is {}", nodes.min, nodes.max), "swap them, or raise `max`")
        });
        time(&nodes.provisioning, &path("provisioning"), found);
        if let Some(shortage) = &nodes.shortage {
            time(&shortage.lasts, &path("shortage"), found);
        }
    }
}

fn one_population(population: &PopulationSpec, model: &Model<'_>, found: &mut Found<'_>) {
    let path = |key: &'static str| ["population", &*population.name, key];
    let rate = population.rate.get();
    found.require((0.0..=RATE).contains(&rate), &path("rate"), || {
        (format!("the rate is {rate}/s; expected 0 to {RATE:e}/s"), "it is the mean over a week")
    });
    if let Arrivals::Batch(batch) = population.arrivals {
        found.require(
            (1..=BATCH).contains(&batch.size),
            &["population", &population.name, "arrivals", "batch"],
            || (format!("batches of {}; expected 1 to {BATCH}", batch.size), "leave `arrivals` out for one by one"),
        );
    }
    let growth = population.growth;
    found.require(growth.is_finite() && growth > -1.0, &path("growth"), || {
        (format!("`growth` is {growth}; expected more than -1"), "0.3 is 30 % more after a year, -0.3 is 30 % less")
    });
    let years = (model.spec.simulation.warm_up + model.spec.simulation.horizon).hours() / 8760.0;
    if growth > 0.0 && growth.is_finite() && rate <= RATE {
        let last = rate * maths::powf(1.0 + growth, years);
        found.require(last <= RATE, &path("growth"), || {
            (
                format!("the rate grows to {last:.1e}/s by the end of the horizon; at most {RATE:e}/s is allowed"),
                "shorten the horizon or lower `growth`",
            )
        });
    }
    if let Some(shares) = &population.journeys {
        let sum: f64 = shares.values().map(|share| share.get()).sum();
        found.require((sum - 1.0).abs() <= SHARES, &path("journeys"), || {
            (format!("the shares of the journeys add up to {sum}; expected 1"), "a journey that isn't listed has none")
        });
    }
}

fn journeys(model: &Model<'_>, found: &mut Found<'_>) {
    let journeys = &model.spec.journey;
    for journey in journeys {
        let path = |key: &'static str| ["journey", &*journey.name, key];
        found.require(journey.timeout.is_none_or(|timeout| !timeout.is_zero()), &path("timeout"), || {
            ("the timeout is 0s; expected more".to_owned(), "leave it out if the client waits for ever")
        });
        let flow = model.spec.simulation.traffic.uses_rates();
        found.require(journey.patience.is_none() || !flow, &path("patience"), || {
            (
                "`patience` needs requests one by one: rates don't leave a queue".to_owned(),
                "set simulation.traffic = { requests = {} }, or leave it out",
            )
        });
        found.require(journey.hedge.is_none() || !flow, &path("hedge"), || {
            (
                "`hedge` needs requests one by one: rates know no single answer".to_owned(),
                "set simulation.traffic = { requests = {} }, or leave it out",
            )
        });
        let Some(retries) = &journey.retries else { continue };
        let path = |key: &'static str| ["journey", &*journey.name, "retries", key];
        found.require(retries.max <= RETRIES, &path("max"), || {
            (format!("{} retries; at most {RETRIES} are allowed", retries.max), "clients give up after a few")
        });
        found.require((1.0..=FACTOR).contains(&retries.factor), &path("factor"), || {
            (
                format!("each wait is {} times the one before; expected 1 to {FACTOR}", retries.factor),
                "2 doubles it, 1 leaves it as it is",
            )
        });
        found.require(retries.max_backoff.is_none_or(|most| most >= retries.backoff), &path("max-backoff"), || {
            ("the longest wait is shorter than the first, `backoff`".to_owned(), "raise it, or lower `backoff`")
        });
        found.require(!retries.memoryless || retries.jitter.get() <= 0.0, &path("jitter"), || {
            ("waits that are `memoryless` are drawn already".to_owned(), "leave out one of them")
        });
    }
    // A population with shares of its own doesn't ask for these.
    let asked = model.spec.population.iter().any(|population| population.journeys.is_none());
    let sum: f64 = journeys.iter().map(|journey| journey.share.get()).sum();
    let Some(last) = journeys.last().filter(|_| asked && (sum - 1.0).abs() > SHARES) else { return };
    let shares: Vec<_> = journeys.iter().map(|journey| format!("{} {}", journey.name, journey.share.get())).collect();
    found.push(
        &["journey", &last.name, "share"],
        Diagnostic::error(format!("the shares of the journeys add up to {sum}; expected 1"))
            .note(format!("they are {}", shares.join(", ")))
            .help("change the shares; a journey without one has 1"),
    );
}

fn stores(model: &Model<'_>, found: &mut Found<'_>) {
    for store in &model.spec.store {
        let path = |key: &'static str| ["store", &*store.name, key];
        time(&store.time, &path("time"), found);
        time(&store.zone_failover, &path("zone-failover"), found);
        if let Some(promote) = &store.promote {
            time(promote, &path("promote"), found);
        }
        let mode = |tag: &'static str, key: &'static str| ["store", &*store.name, "replication", tag, key];
        let copies = model.selected_clusters(&store.clusters).len();
        let copies = copies.min(1 + store.max_followers.map_or(usize::MAX - 1, |most| most as usize)) as u32;
        let votes = |votes: u32, most: u32, path: &[&str], found: &mut Found<'_>| {
            found.require((1..=most).contains(&votes), path, || {
                (format!("{votes} of {most} copies; expected 1 to {most}"), "add clusters to the store, or ask fewer")
            });
        };
        match &store.replication {
            Replication::Async(asynchronous) => time(&asynchronous.lag, &mode("async", "lag"), found),
            Replication::SemiSync(semi) => {
                time(&semi.lag, &mode("semi-sync", "lag"), found);
                votes(semi.acks, copies.saturating_sub(1), &mode("semi-sync", "acks"), found);
            }
            Replication::Quorum(quorum) => {
                votes(quorum.read, copies, &mode("quorum", "read"), found);
                votes(quorum.write, copies, &mode("quorum", "write"), found);
                let delays = &quorum.delays;
                for (key, delay) in [
                    ("write", &delays.write),
                    ("ack", &delays.ack),
                    ("read", &delays.read),
                    ("response", &delays.response),
                ] {
                    if let Some(delay) = delay {
                        let path = ["store", &*store.name, "replication", "quorum", "delays", key];
                        time(delay, &path, found);
                    }
                }
                found.require(copies <= 64, &path("clusters"), || {
                    (format!("{copies} copies vote; at most 64 may"), "name fewer clusters, or set `max-followers`")
                });
            }
            Replication::MultiLeader(multi) => time(&multi.lag, &mode("multi-leader", "lag"), found),
            Replication::Cache(cache) => {
                found.require(!cache.ttl.is_zero() && cache.ttl <= Span::WEEK, &mode("cache", "ttl"), || {
                    (format!("`ttl` is {}; expected more than 0s and at most a week", cache.ttl), "\"60s\" is usual")
                });
                found.require(store.read_after.is_none(), &path("read-after"), || {
                    let message = format!("what a cache answers is as old as its `ttl` lets it be: {}", cache.ttl);
                    (message, "remove it, or give it to the store that is cached")
                });
            }
            Replication::Sync(_) => {}
        }
        found.require((1..=1_000_000_000_000).contains(&store.keys.count), &path("keys"), || {
            (format!("{} keys; expected 1 to a million million", store.keys.count), "a million is the default")
        });
        found.require(store.catch_up > 1.0 && store.catch_up <= 1e6, &path("catch-up"), || {
            (format!("`catch-up` is {}; expected above 1, up to 1e6", store.catch_up), "at 1 it never would")
        });
        found.require(store.copy_speed.get() > 0.0, &path("copy-speed"), || {
            ("`copy-speed` is 0; expected more".to_owned(), "a copy would never be made: say how many bytes a second")
        });
        found.require((0.0..=5.0).contains(&store.keys.zipf), &path("keys"), || {
            (format!("`zipf` is {}; expected 0 to 5", store.keys.zipf), "0 is for keys that are all alike")
        });
    }
    for dependency in &model.spec.dependency {
        if let Some(answer) = &dependency.time {
            time(answer, &["dependency", &dependency.name, "time"], found);
        }
    }
    let failover = &model.spec.failover;
    time(&failover.promote, &["failover", "promote"], found);
    found.require(failover.promote_success.get() > 0.0, &["failover", "promote-success"], || {
        ("a promotion that never works would be tried for ever".to_owned(), "write a chance above 0")
    });
    let covers_all = failover.coverage.get() == 1.0;
    found.require(covers_all || failover.uncovered.is_some(), &["failover", "coverage"], || {
        (
            "some failures aren't covered, and then nothing says how long it takes".to_owned(),
            "add `uncovered`, such as uncovered = { exponential = { mean = \"10min\" } }",
        )
    });
    if let Some(uncovered) = &failover.uncovered {
        time(uncovered, &["failover", "uncovered"], found);
        if covers_all {
            let diagnostic = Diagnostic::warning("`uncovered` changes nothing: every failure is covered");
            found.push(&["failover", "uncovered"], diagnostic.help("set `coverage` below 1, such as 0.9"));
        }
    }
    match &failover.decide {
        Decide::Manual(delay) => time(delay, &["failover", "decide", "manual"], found),
        Decide::Automatic {} => {}
    }
    match &failover.failback {
        Failback::Manual(delay) => time(delay, &["failover", "failback", "manual"], found),
        Failback::Never {} | Failback::After(_) => {}
    }
}

fn routing(model: &Model<'_>, found: &mut Found<'_>) {
    let routing = &model.spec.routing;
    let health = &routing.health;
    let path = |key: &'static str| ["routing", "health", key];
    for (key, span) in [("interval", health.interval), ("timeout", health.timeout)] {
        found.require(!span.is_zero(), &path(key), || {
            (format!("`{key}` is 0s; expected more"), "Route 53 probes every \"30s\" or \"10s\" and waits \"4s\"")
        });
    }
    for (key, count) in [("failures", health.failures), ("successes", health.successes)] {
        found.require((1..=1000).contains(&count), &path(key), || {
            (format!("`{key}` is {count}; expected 1 to 1000"), "3 in a row is Route 53's default")
        });
    }
    found.require((1..=CHECKERS).contains(&health.checkers), &path("checkers"), || {
        (format!("{} checkers; expected 1 to {CHECKERS}", health.checkers), "one stands for all that agree")
    });
    found.require((1..=health.checkers.max(1)).contains(&health.quorum), &path("quorum"), || {
        (
            format!("a quorum of {} of {} checkers", health.quorum, health.checkers),
            "the quorum is at least 1 and at most `checkers`",
        )
    });
    found.require(health.phase.is_none_or(|phase| phase < health.interval), &path("phase"), || {
        ("the phase is as long as the interval, or longer".to_owned(), "it is less than one interval")
    });
    match &routing.via {
        Via::Dns(dns) => {
            let path = |key: &'static str| ["routing", "via", "dns", key];
            let week = Span::WEEK;
            for (key, span) in
                [("ttl", dns.ttl), ("stretched-ttl", dns.stretched_ttl), ("propagation", dns.propagation)]
            {
                found.require(span <= week, &path(key), || {
                    (format!("`{key}` is {span}; at most a week is allowed"), "resolvers cap what they keep at days")
                });
            }
            found.require(dns.stretched.get() == 0.0 || dns.stretched_ttl >= dns.ttl, &path("stretched-ttl"), || {
                (
                    format!("`stretched-ttl` is {}, shorter than the `ttl` of {}", dns.stretched_ttl, dns.ttl),
                    "it is for resolvers that keep records for longer than told",
                )
            });
        }
        Via::Anycast(edge) => edge_of(&routing.policy, "anycast", edge, found),
        Via::GlobalLb(edge) => edge_of(&routing.policy, "global-lb", edge, found),
    }
    if let Some(sticky) = &routing.sticky {
        let lasts = sticky.lasts;
        found.require(!lasts.is_zero() && lasts <= Span::WEEK, &["routing", "sticky", "lasts"], || {
            (
                format!("`lasts` is {lasts}; expected more than 0s and at most a week"),
                "sessions of shops last \"30min\"",
            )
        });
    }
    if let Some(alarms) = &health.false_alarms {
        let mean = alarms.mean();
        found.require(mean >= 60.0, &path("false-alarms"), || {
            (format!("a false alarm every {mean} s in the mean; expected at least a minute"), "leave it out for none")
        });
    }
    found.require(health.hold_down <= Span::WEEK, &path("hold-down"), || {
        (format!("`hold-down` is {}; at most a week is allowed", health.hold_down), "an hour damps most flapping")
    });
    if let Policy::Weighted(weighted) = &routing.policy {
        let path = ["routing", "policy", "weighted", "weights"];
        for (cluster, weight) in &weighted.weights {
            found.require(weight.is_finite() && *weight >= 0.0, &[&path[..], &[cluster]].concat(), || {
                (format!("the weight is {weight}; expected at least 0"), "0 sends nobody there")
            });
        }
        found.require(weighted.weights.values().any(|weight| *weight > 0.0), &path, || {
            ("no cluster has a weight above 0".to_owned(), "give one to each cluster that serves")
        });
    }
}

fn cost(model: &Model<'_>, found: &mut Found<'_>) {
    let cost = &model.spec.cost;
    found.require(cost.people_hours.is_finite() && cost.people_hours >= 0.0, &["cost", "people-hours"], || {
        (format!("`people-hours` is {}; expected at least 0", cost.people_hours), "it is per cluster and month")
    });
    found.require(cost.load_balancers <= 1000, &["cost", "load-balancers"], || {
        (format!("{} load balancers per cluster; at most 1000 are allowed", cost.load_balancers), "one is usual")
    });
    if let Some(tiers) = &cost.egress {
        let path = ["cost", "egress"];
        found.require(!tiers.is_empty(), &path, || ("no tiers".to_owned(), "leave it out for the catalogue's"));
        let ends: Vec<_> = tiers.iter().map(|tier| tier.up_to.map_or(f64::INFINITY, Bytes::get)).collect();
        for (position, pair) in ends.windows(2).enumerate() {
            let position = (position + 1).to_string();
            found.require(pair[0] < pair[1], &["cost", "egress", &position], || {
                (
                    "this tier doesn't end after the one before it".to_owned(),
                    "tiers rise, and only the last has no `up-to`",
                )
            });
        }
        if let Some(last) = tiers.len().checked_sub(1) {
            found.require(tiers[last].up_to.is_none(), &["cost", "egress", &last.to_string()], || {
                ("the last tier ends".to_owned(), "remove its `up-to`: what exceeds it needs a price")
            });
        }
    }
    if let Some(sla) = &cost.sla {
        found.require(!sla.credits.is_empty(), &["cost", "sla", "credits"], || {
            ("an SLA without credits".to_owned(), "add { below = 0.999, share = 0.1 }, or leave `sla` out")
        });
    }
}

fn edge_of(policy: &Policy, tag: &'static str, edge: &EdgeSpec, found: &mut Found<'_>) {
    let path = |key: &'static str| ["routing", "via", tag, key];
    found.require(edge.converge <= Span::HOUR, &path("converge"), || {
        (format!("`converge` is {}; at most an hour is allowed", edge.converge), "routes converge in minutes")
    });
    let Some(spill) = edge.spill_above else { return };
    found.require(spill.get() > 0.0, &path("spill-above"), || {
        ("everything would spill; expected more than 0".to_owned(), "0.8 keeps a fifth of each cluster free")
    });
    found.require(!matches!(policy, Policy::Weighted(_)), &path("spill-above"), || {
        ("`weighted` has no order that load could spill along".to_owned(), "take `geo`, `latency` or `priority`")
    });
}
