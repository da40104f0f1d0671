//! References: every name that an entry gives is that of an entry, and every cluster that users may be sent to has
//! what their journeys call.

use super::Found;
use crate::diag::Diagnostic;
use crate::domain::Selection;
use crate::replication::spec::{Partitions, StoreSpec};
use crate::routing::policy::Policy;
use crate::scenario::lookup::{Index, Model};
use crate::scenario::spec::Expectation;
use crate::traffic::spec::{JourneySpec, Step};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(model: &Model<'_>, known_metrics: &[&str], found: &mut Found<'_>) {
    services(model, found);
    stores(model, found);
    journeys(model, found);
    populations(model, found);
    policy(model, found);
    for (position, expectation) in model.spec.expect.iter().enumerate() {
        expected(&position.to_string(), expectation, model, known_metrics, found);
    }
    if let Some(first) =
        model.spec.cluster.first().filter(|_| model.spec.cluster.iter().all(|c| c.standby_for.is_some()))
    {
        let help = "remove `standby-for` from the cluster that users are sent to";
        found.push(&["cluster", &first.name, "standby-for"], Diagnostic::error("no cluster serves users").help(help));
    }
    served(model, found);
    paired(model, found);
}

/// A name that must be one of an index's.
pub(super) fn known<'n>(
    kind: &str,
    name: &'n str,
    index: &Index<'n>,
    path: &[&str],
    found: &mut Found<'_>,
) -> Option<usize> {
    let position = index.get(name).copied();
    if position.is_none() {
        found.unknown(path, kind, name, index.keys().copied());
    }
    position
}

/// The names of a selection: known, each once, and (unless `may_be_empty`) at least one.
pub(super) fn selection(
    kind: &str,
    selection: &Selection,
    index: &Index<'_>,
    path: &[&str],
    may_be_empty: bool,
    found: &mut Found<'_>,
) {
    let Selection::Named(names) = selection else { return };
    found.require(may_be_empty || !names.is_empty(), path, || {
        (format!("an empty list; expected the name of at least one {kind}"), "write \"all\" for every one")
    });
    let mut seen = BTreeSet::new();
    for (position, name) in names.iter().enumerate() {
        let position = position.to_string();
        let path = [path, &[&*position]].concat();
        if !index.contains_key(&**name) {
            found.unknown(&path, kind, name, index.keys().copied());
        } else if !seen.insert(name) {
            let message = format!("`{name}` is listed twice");
            found.push(&path, Diagnostic::error(message).help("remove one of the two"));
        }
    }
}

fn services(model: &Model<'_>, found: &mut Found<'_>) {
    for (position, service) in model.spec.service.iter().enumerate() {
        let path = ["service", &service.name, "clusters"];
        selection("cluster", &service.clusters, &model.cluster_names, &path, false, found);
        for cluster in service.overrides.keys() {
            let path = ["service", &service.name, "override", cluster];
            let known = known("cluster", cluster, &model.cluster_names, &path, found);
            if known.is_some_and(|cluster| !model.runs(cluster, position)) {
                let message = format!("`{}` doesn't run in `{cluster}`", service.name);
                let help = format!("add `{cluster}` to `clusters` of the service, or remove the override");
                found.push(&path, Diagnostic::error(message).help(help));
            }
        }
    }
}

/// What a cache caches, and what its misses call.
fn cache(store: &StoreSpec, model: &Model<'_>, found: &mut Found<'_>) {
    let Some(cache) = store.cache() else { return };
    let path = |key: &'static str| ["store", &*store.name, "replication", "cache", key];
    let of = known("store", &cache.of, &model.store_names, &path("of"), found);
    if of.is_some_and(|of| model.spec.store[of].cache().is_some()) {
        let message = format!("`{}` is a cache itself", cache.of);
        found.push(&path("of"), Diagnostic::error(message).help("name the store that both cache"));
    }
    if let Some(service) = &cache.through {
        known("service", service, &model.service_names, &path("through"), found);
    }
}

fn stores(model: &Model<'_>, found: &mut Found<'_>) {
    for store in &model.spec.store {
        cache(store, model, found);
        let path = |key: &'static str| ["store", &*store.name, key];
        selection("cluster", &store.clusters, &model.cluster_names, &path("clusters"), false, found);
        selection("cluster", &store.followers, &model.cluster_names, &path("followers"), true, found);
        let copies = model.selected_clusters(&store.clusters);
        let holds = |name: &String| model.cluster_names.get(&**name).is_none_or(|position| copies.contains(position));
        let no_copy = |name: &str| {
            Diagnostic::error(format!("`{name}` holds no copy of `{}`", store.name))
                .help(format!("add `{name}` to `clusters` of the store, or name one of those"))
        };
        if let Selection::Named(followers) = &store.followers {
            for (position, name) in followers.iter().enumerate().filter(|(_, name)| !holds(name)) {
                found.push(&["store", &store.name, "followers", &position.to_string()], no_copy(name));
            }
        }
        if let Partitions::SingleLeader(single) = &store.partitions
            && let Some(leader) = &single.leader
        {
            let path = ["store", &store.name, "partitions", "single-leader", "leader"];
            if known("cluster", leader, &model.cluster_names, &path, found).is_some() && !holds(leader) {
                found.push(&path, no_copy(leader));
            }
        }
    }
}

fn journeys(model: &Model<'_>, found: &mut Found<'_>) {
    for journey in &model.spec.journey {
        let path = ["journey", &*journey.name, "path"];
        found.require(!journey.path.is_empty(), &path, || {
            ("the path is empty".to_owned(), "name at least one service that the request calls")
        });
        steps(model, &journey.path, &path, found);
        let plain = Step::plain(&journey.path).len() == journey.path.len();
        let flow = model.spec.simulation.traffic.uses_rates();
        found.require(plain || !flow, &path, || {
            (
                "`branch` and `again` need requests one by one: rates follow one path for each journey".to_owned(),
                "set simulation.traffic = { requests = {} }, or write a journey for each way",
            )
        });
    }
}

/// The steps of a path, and of the paths in it.
fn steps(model: &Model<'_>, list: &[Step], path: &[&str], found: &mut Found<'_>) {
    for (position, step) in list.iter().enumerate() {
        let position = position.to_string();
        // A plain name is no table: the nearest value is then the step itself.
        let own = [path, &[&*position]].concat();
        let at = |key: &'static str| [&*own, &[key]].concat();
        match step {
            Step::Call(name) => call(name, model, &own, found),
            Step::Parallel(names) => {
                let path = at("parallel");
                found.require(!names.is_empty(), &path, || {
                    ("an empty list; expected services".to_owned(), "remove the step, or name what it calls")
                });
                for (index, name) in names.iter().enumerate() {
                    call(name, model, &[&path[..], &[&*index.to_string()]].concat(), found);
                }
            }
            Step::Read(name, _) => _ = known("store", name, &model.store_names, &at("read"), found),
            Step::Write(name, _) => {
                let store = known("store", name, &model.store_names, &at("write"), found);
                if let Some(cache) = store.and_then(|store| model.spec.store[store].cache()) {
                    let message = format!("`{name}` is a cache, and nothing is written to one");
                    let help = format!("write to what it caches: {{ write = \"{}\" }}", cache.of);
                    found.push(&at("write"), Diagnostic::error(message).help(help));
                }
            }
            Step::Dependency(name) => {
                _ = known("dependency", name, &model.dependency_names, &at("dependency"), found);
            }
            Step::Branch(ways) => {
                let path = at("branch");
                let all: f64 = ways.iter().map(|way| way.share.get()).sum();
                found.require(all <= 1.0 + 1e-9, &path, || {
                    (format!("the shares of a branch add up to {all}; expected at most 1"), "lower one of them")
                });
                for (index, way) in ways.iter().enumerate() {
                    steps(model, &way.path, &[&path[..], &[&*index.to_string(), "path"]].concat(), found);
                }
            }
            Step::Again(again, inner) => {
                found.require(again.get() < 1.0, &at("again"), || {
                    ("a loop with no end".to_owned(), "give a probability below 1")
                });
                steps(model, inner, &at("path"), found);
            }
        }
    }
}

/// A called service; a store's or dependency's name in its place gets its own remedy.
fn call(name: &str, model: &Model<'_>, path: &[&str], found: &mut Found<'_>) {
    if model.service_names.contains_key(name) {
        return;
    }
    let remedy = if model.store_names.contains_key(name) {
        Some(format!("`{name}` is a store: write {{ read = \"{name}\" }} or {{ write = \"{name}\" }}"))
    } else if model.dependency_names.contains_key(name) {
        Some(format!("`{name}` is a dependency: write {{ dependency = \"{name}\" }}"))
    } else {
        None
    };
    match remedy {
        Some(help) => found.push(path, Diagnostic::error(format!("unknown service `{name}`")).help(help)),
        None => found.unknown(path, "service", name, model.service_names.keys().copied()),
    }
}

fn populations(model: &Model<'_>, found: &mut Found<'_>) {
    for population in &model.spec.population {
        for journey in population.journeys.iter().flat_map(|shares| shares.keys()) {
            let path = ["population", &population.name, "journeys", journey];
            known("journey", journey, &model.journey_names, &path, found);
        }
    }
    for surge in &model.spec.surge {
        let path = ["surge", &surge.name, "populations"];
        selection("population", &surge.populations, &model.population_names, &path, false, found);
    }
}

fn policy(model: &Model<'_>, found: &mut Found<'_>) {
    if let Some(region) = &model.spec.failover.runs_in {
        known("region", region, &model.region_names, &["failover", "runs-in"], found);
    }
    let policy = &model.spec.routing.policy;
    for (position, name) in policy.kind().names().into_iter().enumerate() {
        let position = position.to_string();
        let path: &[&str] = match policy {
            Policy::Weighted(_) => &["routing", "policy", "weighted", "weights", name],
            Policy::Priority(_) => &["routing", "policy", "priority", "order", &position],
            Policy::Geo(_) | Policy::Latency(_) => &["routing", "policy"],
        };
        let known = known("cluster", name, &model.cluster_names, path, found);
        if let Some(primary) = known.and_then(|cluster| model.spec.cluster[cluster].standby_for.as_ref()) {
            let diagnostic =
                Diagnostic::warning(format!("`{name}` is a standby, and the policy never sends users to one"));
            found.push(path, diagnostic.help(format!("remove it: it takes over `{primary}`'s place when promoted")));
        }
    }
}

fn expected(position: &str, expect: &Expectation, model: &Model<'_>, metrics: &[&str], found: &mut Found<'_>) {
    let path = |key: &'static str| ["expect", position, key];
    if !metrics.contains(&&*expect.metric) {
        found.push(
            &path("metric"),
            Diagnostic::error(format!("unknown metric `{}`", expect.metric))
                .suggest(&expect.metric, metrics.iter().copied())
                .help("`regionsim list metrics` prints them"),
        );
    }
    match (expect.at_least, expect.at_most) {
        (Some(_), Some(_)) => {
            let diagnostic = Diagnostic::error("both `at-least` and `at-most`");
            found.push(&path("at-most"), diagnostic.help("keep one, and write a second [[expect]] for the other"));
        }
        (None, None) => {
            let diagnostic = Diagnostic::error("neither `at-least` nor `at-most`");
            found.push(&["expect", position], diagnostic.help("add at-least = 0.999, or at-most with a limit"));
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    for (key, target) in [("at-least", expect.at_least), ("at-most", expect.at_most)] {
        found.require(target.is_none_or(|target| target.get().is_finite()), &path(key), || {
            (format!("`{key}` is no finite number"), "write a number, or text with a unit such as \"250ms\"")
        });
    }
    let confidence = expect.confidence.get();
    found.require(confidence > 0.0 && confidence < 1.0, &path("confidence"), || {
        (format!("the confidence is {confidence}; expected above 0 and below 1"), "0.95 is usual")
    });
    for (kind, name, names) in [
        ("population", &expect.population, &model.population_names),
        ("journey", &expect.journey, &model.journey_names),
        ("cluster", &expect.cluster, &model.cluster_names),
        ("service", &expect.service, &model.service_names),
        ("store", &expect.store, &model.store_names),
    ] {
        if let Some(name) = name {
            known(kind, name, names, &path(kind), found);
        }
    }
}

/// The services that a journey calls.
pub(super) fn called<'j>(journey: &'j JourneySpec) -> impl Iterator<Item = &'j str> {
    Step::plain(&journey.path).into_iter().flat_map(|step| {
        let names: &'j [String] = match step {
            Step::Call(name) => std::slice::from_ref(name),
            Step::Parallel(names) => names,
            Step::Read(..) | Step::Write(..) | Step::Dependency(_) | Step::Branch(_) | Step::Again(..) => &[],
        };
        names.iter().map(String::as_str)
    })
}

/// The services that a journey's reads of caches call when they miss.
pub(super) fn missed<'m>(model: &'m Model<'_>, journey: &'m JourneySpec) -> impl Iterator<Item = &'m str> {
    Step::plain(&journey.path).into_iter().filter_map(|step| match step {
        Step::Read(name, _) => {
            let store = model.store_names.get(&**name)?;
            model.spec.store[*store].cache()?.through.as_deref()
        }
        Step::Call(_)
        | Step::Parallel(_)
        | Step::Write(..)
        | Step::Dependency(_)
        | Step::Branch(_)
        | Step::Again(..) => None,
    })
}

/// Whether a population makes a kind of request.
pub(super) fn makes(model: &Model<'_>, population: usize, journey: usize) -> bool {
    let journey = &model.spec.journey[journey];
    match &model.spec.population[population].journeys {
        Some(shares) => shares.get(&journey.name).is_some_and(|share| share.get() > 0.0),
        None => journey.share.get() > 0.0,
    }
}

/// Whether a population's requests in one cluster reach a service that runs in others only.
fn reaches(model: &Model<'_>, population: usize, from: usize, service: usize) -> bool {
    model.spec.connection.iter().any(|connection| {
        model.selected_clusters(&connection.from).contains(&from)
            && model
                .selected_clusters(&connection.to)
                .into_iter()
                .any(|to| to != from && model.runs(to, service) && model.permits(population, to))
    })
}

/// A request is served in one cluster, which runs every service that it calls, or is connected to one that does. What
/// a read that misses a cache calls is where the cache is.
fn served(model: &Model<'_>, found: &mut Found<'_>) {
    // Cluster and service, with the first population and journey that need it there.
    let mut missing: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    // By journey: a service, and whether it may be called elsewhere.
    let calls: Vec<BTreeSet<(usize, bool)>> = model
        .spec
        .journey
        .iter()
        .map(|journey| {
            called(journey)
                .map(|name| (name, true))
                .chain(missed(model, journey).map(|name| (name, false)))
                .filter_map(|(name, anywhere)| Some((*model.service_names.get(name)?, anywhere)))
                .collect()
        })
        .collect();
    for population in 0..model.spec.population.len() {
        let order = model.order(population);
        let standbys: Vec<_> = order.iter().filter_map(|&cluster| model.standby_of(cluster)).collect();
        for cluster in order.into_iter().chain(standbys) {
            for (journey, services) in
                calls.iter().enumerate().filter(|(journey, _)| makes(model, population, *journey))
            {
                for &(service, anywhere) in services.iter().filter(|&&(service, _)| !model.runs(cluster, service)) {
                    // What a primary runs its standby runs: that is another check's.
                    let paired = model.standby_for[cluster].is_some_and(|primary| model.runs(primary, service));
                    if paired || (anywhere && reaches(model, population, cluster, service)) {
                        continue;
                    }
                    missing.entry((cluster, service)).or_insert((population, journey));
                }
            }
        }
    }
    for ((cluster, service), (population, journey)) in missing {
        let [cluster, service] = [&model.spec.cluster[cluster].name, &model.spec.service[service].name];
        let [population, journey] = [&model.spec.population[population].name, &model.spec.journey[journey].name];
        found.push(
            &["service", service, "clusters"],
            Diagnostic::error(format!("`{cluster}` can serve `{population}`, and doesn't run `{service}`"))
                .note(format!("the journey `{journey}` calls it, and no connection leads to a cluster that may answer"))
                .help(format!(
                    "add `{cluster}` to `clusters` of the service, or a [[connection]] to one of those, such as via = \
                     {{ mesh = {{}} }}, or send nobody there: `standby-for`, a weighted policy without it, or \
                     `must-stay-in`"
                )),
        );
    }
}

/// A standby runs what its primary runs.
fn paired(model: &Model<'_>, found: &mut Found<'_>) {
    for (standby, primary) in model.standby_for.iter().enumerate() {
        let Some(primary) = *primary else { continue };
        for (position, service) in model.spec.service.iter().enumerate() {
            if model.runs(primary, position) && !model.runs(standby, position) {
                let [standby, primary] = [standby, primary].map(|cluster| &*model.spec.cluster[cluster].name);
                found.push(
                    &["service", &service.name, "clusters"],
                    Diagnostic::error(format!(
                        "`{standby}` stands by for `{primary}`, and doesn't run its service `{}`",
                        service.name
                    ))
                    .help(format!("add `{standby}` to `clusters` of the service, or remove its `standby-for`")),
                );
            }
        }
    }
}
