//! Faults, incidents, switchovers and surges: their targets exist, and their clocks can run.

use super::Found;
use super::references::{known, selection};
use crate::base::Span;
use crate::diag::Diagnostic;
use crate::domain::Selection;
use crate::failover::spec::SwitchoverSpec;
use crate::failure::spec::{
    AccessTarget, ClockStart, EffectSpec, FaultSpec, GitopsTarget, Interrupted, PodsTarget, RoutingTarget, TargetSpec,
};
use crate::replication::spec::Replication;
use crate::rollout::spec::Controller;
use crate::scenario::lookup::Model;
use crate::traffic::spec::Station;

pub(super) fn check(model: &Model<'_>, found: &mut Found<'_>) {
    for fault in &model.spec.fault {
        target(model, ["fault", &fault.name], &fault.of, found);
        effect(model, ["fault", &fault.name], &fault.of, &fault.effect, found);
        clock(fault, found);
    }
    for incident in &model.spec.incident {
        target(model, ["incident", &incident.name], &incident.of, found);
        effect(model, ["incident", &incident.name], &incident.of, &incident.effect, found);
        window(model, ["incident", &incident.name], incident.at, incident.lasts, found);
    }
    model.spec.switchover.iter().for_each(|one| switchover(model, one, found));
    for surge in &model.spec.surge {
        window(model, ["surge", &surge.name], surge.at, surge.lasts, found);
        factor(surge.factor, &["surge", &surge.name, "factor"], found);
    }
}

/// A switchover moves a store that is led, to a cluster that has it, in the order of its steps.
fn switchover(model: &Model<'_>, one: &SwitchoverSpec, found: &mut Found<'_>) {
    let path = |key: &'static str| ["switchover", &*one.name, key];
    let to = known("cluster", &one.to, &model.cluster_names, &path("to"), found);
    if let Some(store) = known("store", &one.store, &model.store_names, &path("store"), found) {
        let store = &model.spec.store[store];
        let led = match store.replication {
            Replication::Sync(_) | Replication::SemiSync(_) | Replication::Async(_) => true,
            Replication::Quorum(_) | Replication::MultiLeader(_) | Replication::Cache(_) => false,
        };
        found.require(led, &path("store"), || {
            (
                format!("nobody leads `{}` alone", store.name),
                "a switchover is for `sync`, `semi-sync` and `async` stores",
            )
        });
        let copies = model.selected_clusters(&store.clusters);
        if to.is_some_and(|to| !copies.contains(&to)) {
            let message = format!("`{}` holds no copy of `{}`", one.to, store.name);
            let help = format!("add `{}` to `clusters` of the store, or name one of those", one.to);
            found.push(&path("to"), Diagnostic::error(message).help(help));
        }
    }
    let horizon = model.spec.simulation.horizon;
    found.require(one.at < horizon, &path("at"), || {
        (
            format!("it begins at {}, and the horizon ends at {horizon}", one.at),
            "begin it earlier, or lengthen `simulation.horizon`",
        )
    });
    let reads_stop = one.reads_stop.unwrap_or(one.writes_stop);
    let resolves = one.resolves.unwrap_or(one.writable);
    for ((before, earlier), (after, later)) in [
        (("writes-stop", one.writes_stop), ("reads-stop", reads_stop)),
        (("reads-stop", reads_stop), ("writable", one.writable)),
        (("writable", one.writable), ("resolves", resolves)),
    ] {
        found.require(earlier <= later, &path(after), || {
            (
                format!("`{after}` comes {later} after the command, before `{before}` at {earlier}"),
                "first `writes-stop`, then `reads-stop`, `writable`, `resolves`: each counts from the command",
            )
        });
    }
    found.require(resolves <= Span::WEEK, &path("writable"), || {
        (format!("it takes {resolves}; at most a week is allowed"), "switchovers take minutes")
    });
}

fn factor(factor: f64, path: &[&str], found: &mut Found<'_>) {
    found.require(factor > 0.0 && factor <= 1e6, path, || {
        (format!("the factor is {factor}; expected above 0, up to 1e6"), "1 changes nothing")
    });
}

/// How many things a target is, each with a clock of its own.
pub(super) fn targets(model: &Model<'_>, of: &TargetSpec) -> usize {
    let regions = |selection: &Selection| -> Vec<usize> {
        match selection {
            Selection::All => (0..model.regions.len()).collect(),
            Selection::Named(names) => {
                names.iter().filter_map(|name| model.region_names.get(&**name).copied()).collect()
            }
        }
    };
    match of {
        TargetSpec::Gitops(target) if has_own_controllers(model) => model.selected_clusters(&target.clusters).len(),
        TargetSpec::Region(_)
        | TargetSpec::Zone(_)
        | TargetSpec::Cluster(_)
        | TargetSpec::Link(_)
        | TargetSpec::Dependency(_)
        | TargetSpec::Connection(_)
        | TargetSpec::Hub(_)
        | TargetSpec::Access(_)
        | TargetSpec::Checks(_)
        | TargetSpec::Routing(_)
        | TargetSpec::Gitops(_) => 1,
        TargetSpec::Regions(selection) => regions(selection).len(),
        TargetSpec::Zones(selection) => {
            regions(selection).into_iter().map(|region| model.regions[region].zones as usize).sum()
        }
        TargetSpec::Clusters(selection) => model.selected_clusters(selection).len(),
        TargetSpec::Service(service) => model.selected_clusters(&service.clusters).len(),
        TargetSpec::Pods(PodsTarget { service, clusters }) => {
            let Some(&service) = model.service_names.get(&**service) else { return 0 };
            let running = model.selected_clusters(clusters).into_iter().filter(|&cluster| model.runs(cluster, service));
            let pods = |cluster: usize| model.spec.service[service].most_pods(&model.spec.cluster[cluster].name);
            running.map(|cluster| pods(cluster) as usize).sum()
        }
        TargetSpec::Store(store) => model.selected_clusters(&store.clusters).len(),
    }
}

/// Each cluster has a `GitOps` controller of its own.
fn has_own_controllers(model: &Model<'_>) -> bool {
    model.spec.gitops.as_ref().is_some_and(|gitops| gitops.controller == Controller::EachCluster)
}

fn target(model: &Model<'_>, [kind, name]: [&str; 2], of: &TargetSpec, found: &mut Found<'_>) {
    let path = |tag: &'static str| [kind, name, "of", tag];
    match of {
        TargetSpec::Region(region) => _ = known("region", region, &model.region_names, &path("region"), found),
        TargetSpec::Regions(regions) => {
            selection("region", regions, &model.region_names, &path("regions"), false, found);
        }
        TargetSpec::Zones(regions) => selection("region", regions, &model.region_names, &path("zones"), false, found),
        TargetSpec::Cluster(cluster) => _ = known("cluster", cluster, &model.cluster_names, &path("cluster"), found),
        TargetSpec::Clusters(clusters) => {
            selection("cluster", clusters, &model.cluster_names, &path("clusters"), false, found);
        }
        TargetSpec::Dependency(dependency) => {
            _ = known("dependency", dependency, &model.dependency_names, &path("dependency"), found);
        }
        TargetSpec::Connection(connection) => {
            let names = model.spec.connection.iter().map(|connection| &*connection.name);
            one_of("connection", connection, names, &path("connection"), found);
        }
        TargetSpec::Hub(hub) => one_of("hub", hub, model.spec.hub.iter().map(|hub| &*hub.name), &path("hub"), found),
        TargetSpec::Access(AccessTarget { population, cluster }) => {
            let at = |key: &'static str| [kind, name, "of", "access", key];
            known("population", population, &model.population_names, &at("population"), found);
            known("cluster", cluster, &model.cluster_names, &at("cluster"), found);
        }
        TargetSpec::Checks(cluster) => _ = known("cluster", cluster, &model.cluster_names, &path("checks"), found),
        TargetSpec::Routing(RoutingTarget {}) => {}
        TargetSpec::Gitops(GitopsTarget { clusters }) => {
            found.require(model.spec.gitops.is_some(), &path("gitops"), || {
                ("there are no GitOps controllers that could fail".to_owned(), "add [gitops], or remove this")
            });
            let at = [kind, name, "of", "gitops", "clusters"];
            selection("cluster", clusters, &model.cluster_names, &at, false, found);
            let one = model.spec.gitops.is_some() && !has_own_controllers(model);
            found.require(!one || *clusters == Selection::All, &at, || {
                (
                    "one controller serves all clusters: it can't fail for some of them".to_owned(),
                    "remove `clusters`, or write gitops.controller = \"each-cluster\"",
                )
            });
        }
        TargetSpec::Zone(zone) => in_region(model, zone, &path("zone"), found),
        TargetSpec::Link([a, b]) => {
            for (position, region) in [("0", a), ("1", b)] {
                known("region", region, &model.region_names, &[&path("link")[..], &[position]].concat(), found);
            }
            found.require(a != b, &path("link"), || {
                (format!("a link from `{a}` to itself"), "name two different regions")
            });
        }
        TargetSpec::Service(target) => {
            let at = |key: &'static str| [kind, name, "of", "service", key];
            selection("cluster", &target.clusters, &model.cluster_names, &at("clusters"), false, found);
            if let Some(service) = known("service", &target.name, &model.service_names, &at("name"), found) {
                runs_there(model, &target.clusters, &at("clusters"), &target.name, found, |c| model.runs(c, service));
            }
        }
        TargetSpec::Pods(target) => {
            let at = |key: &'static str| [kind, name, "of", "pods", key];
            selection("cluster", &target.clusters, &model.cluster_names, &at("clusters"), false, found);
            if let Some(service) = known("service", &target.service, &model.service_names, &at("service"), found) {
                runs_there(model, &target.clusters, &at("clusters"), &target.service, found, |c| {
                    model.runs(c, service)
                });
            }
        }
        TargetSpec::Store(target) => {
            let at = |key: &'static str| [kind, name, "of", "store", key];
            selection("cluster", &target.clusters, &model.cluster_names, &at("clusters"), false, found);
            if let Some(store) = known("store", &target.name, &model.store_names, &at("name"), found) {
                let copies = model.selected_clusters(&model.spec.store[store].clusters);
                runs_there(model, &target.clusters, &at("clusters"), &target.name, found, |c| copies.contains(&c));
            }
        }
    }
}

/// A name that must be one of these.
pub(super) fn one_of<'n>(
    kind: &str,
    name: &str,
    names: impl Iterator<Item = &'n str> + Clone,
    path: &[&str],
    found: &mut Found<'_>,
) {
    if !names.clone().any(|other| other == name) {
        found.unknown(path, kind, name, names);
    }
}

/// The named clusters have what is to fail there.
fn runs_there(
    model: &Model<'_>,
    clusters: &Selection,
    path: &[&str],
    what: &str,
    found: &mut Found<'_>,
    runs: impl Fn(usize) -> bool,
) {
    let Selection::Named(names) = clusters else { return };
    for (position, name) in names.iter().enumerate() {
        if model.cluster_names.get(&**name).is_some_and(|&cluster| !runs(cluster)) {
            let message = format!("`{name}` has no `{what}` that could fail");
            let position = position.to_string();
            found.push(&[path, &[&*position]].concat(), Diagnostic::error(message).help("remove it from this list"));
        }
    }
}

/// A zone: region, slash, number from 1.
fn in_region(model: &Model<'_>, zone: &str, path: &[&str], found: &mut Found<'_>) {
    let Some((region, Ok(number))) = zone.rsplit_once('/').map(|(region, number)| (region, number.parse::<u32>()))
    else {
        let message = format!("`{zone}` is no zone; expected a region, a slash and a number from 1");
        found.push(path, Diagnostic::error(message).help("such as \"us-east-1/2\""));
        return;
    };
    let Some(region) = known("region", region, &model.region_names, path, found) else { return };
    let zones = model.regions[region].zones;
    if !(1..=zones).contains(&number) {
        let message = format!("region `{}` has no zone {number}", model.regions[region].name);
        found.push(path, Diagnostic::error(message).help(format!("its zones are 1 to {zones}")));
    }
}

/// Calls go back to a queue: they are a pod's, and there is a queue.
fn interrupted(model: &Model<'_>, [kind, name]: [&str; 2], of: &TargetSpec, found: &mut Found<'_>) {
    let path = [kind, name, "effect", "down", "calls"];
    let TargetSpec::Pods(target) = of else {
        let message = "only the calls of single pods go back to a queue".to_owned();
        found.push(&path, Diagnostic::error(message).help("write of = { pods = { service = \"…\" } }, or remove it"));
        return;
    };
    let Some(&service) = model.service_names.get(&*target.service) else { return };
    let queues = matches!(model.spec.service[service].station, Station::Mmc);
    found.require(queues, &path, || {
        (
            format!("`{}` has no queue that calls could go back to", target.service),
            "leave `calls` out, or write station = \"mmc\" for the service",
        )
    });
}

fn effect(model: &Model<'_>, [kind, name]: [&str; 2], of: &TargetSpec, effect: &EffectSpec, found: &mut Found<'_>) {
    match effect {
        EffectSpec::Down(down) => match down.calls {
            Interrupted::Fail => {}
            Interrupted::Restart | Interrupted::Resume => interrupted(model, [kind, name], of, found),
        },
        EffectSpec::ReadOnly(_) => {
            let holds_stores = match of {
                TargetSpec::Region(_)
                | TargetSpec::Regions(_)
                | TargetSpec::Cluster(_)
                | TargetSpec::Clusters(_)
                | TargetSpec::Store(_) => true,
                TargetSpec::Zone(_)
                | TargetSpec::Zones(_)
                | TargetSpec::Service(_)
                | TargetSpec::Pods(_)
                | TargetSpec::Link(_)
                | TargetSpec::Dependency(_)
                | TargetSpec::Connection(_)
                | TargetSpec::Hub(_)
                | TargetSpec::Access(_)
                | TargetSpec::Checks(_)
                | TargetSpec::Routing(_)
                | TargetSpec::Gitops(_) => false,
            };
            found.require(holds_stores, &[kind, name, "effect"], || {
                (
                    "only stores can be read-only, or all stores of a cluster or a region".to_owned(),
                    "write of = { store = { name = \"…\" } }",
                )
            });
        }
        EffectSpec::Degraded(degraded) => {
            let is_cut = matches!(
                of,
                TargetSpec::Access(_)
                    | TargetSpec::Checks(_)
                    | TargetSpec::Routing(_)
                    | TargetSpec::Gitops(_)
                    | TargetSpec::Pods(_)
            );
            found.require(!is_cut, &[kind, name, "effect"], || {
                ("this target is there or it isn't: it can't be degraded".to_owned(), "write effect = { down = {} }")
            });
            for (key, value) in [("latency", degraded.latency), ("capacity", degraded.capacity)] {
                factor(value, &[kind, name, "effect", "degraded", key], found);
            }
            let nothing = degraded.errors.get() == 0.0 && degraded.latency == 1.0 && degraded.capacity == 1.0;
            if nothing {
                let diagnostic = Diagnostic::warning(format!("`{name}` changes nothing"));
                let help = "set `errors`, `latency` or `capacity`";
                found.push(&[kind, name, "effect"], diagnostic.help(help));
            }
        }
    }
}

fn clock(fault: &FaultSpec, found: &mut Found<'_>) {
    let path = |key: &'static str| ["fault", &*fault.name, key];
    let (up, down) = (fault.every.mean(), fault.repair.mean());
    // An up-time without a mean has no equilibrium; one that starts as new may have none.
    let endless = up == f64::INFINITY && fault.clock == ClockStart::New;
    found.require(up.is_finite() || endless, &path("every"), || {
        (
            "the time between two occurrences has no finite mean".to_owned(),
            "write clock = \"new\": it has no equilibrium",
        )
    });
    found.require(up >= 1.0, &path("every"), || {
        (
            format!("it occurs every {up} s in the mean; expected at least 1 s"),
            "faults are events; what happens all the time is an error rate: `degraded` of a long fault",
        )
    });
    found.require(down.is_finite(), &path("repair"), || {
        ("the repair has no finite mean".to_owned(), "a pareto's shape must be above 1")
    });
    found.require(down > 0.0, &path("repair"), || {
        ("the repair takes no time; expected more than 0s".to_owned(), "remove the fault, or say how long it lasts")
    });
    found.require(fault.crews != Some(0), &path("crews"), || {
        ("nobody repairs it".to_owned(), "give at least one crew, or leave `crews` out")
    });
    if let Some(shock) = &fault.shock {
        found.require(shock.hit.get() > 0.0, &["fault", &fault.name, "shock", "hit"], || {
            ("a shock that hits nothing".to_owned(), "write the chance that it hits a given target")
        });
    }
}

/// What happens at a set time happens within the horizon.
fn window(model: &Model<'_>, [kind, name]: [&str; 2], at: Span, lasts: Span, found: &mut Found<'_>) {
    let horizon = model.spec.simulation.horizon;
    found.require(at < horizon, &[kind, name, "at"], || {
        (
            format!("it begins at {at}, and the horizon ends at {horizon}"),
            "begin it earlier, or lengthen `simulation.horizon`",
        )
    });
    found.require(!lasts.is_zero(), &[kind, name, "for"], || {
        ("it lasts 0s; expected more".to_owned(), "say how long it lasts, such as \"4h\"")
    });
}
