//! Names: there, short, free of control characters, and used once per kind.

use super::Found;
use crate::diag::Diagnostic;
use crate::rollout::spec::OrphanSpec;
use crate::scenario::spec::ScenarioSpec;
use std::collections::BTreeSet;

/// The longest name, in characters.
const LONGEST: usize = 100;

pub(super) fn check(spec: &ScenarioSpec, found: &mut Found<'_>) {
    name(&spec.name, &["name"], "the scenario's name", found);
    unique("region", spec.region.iter().map(|entry| &*entry.name), found);
    unique("cluster", spec.cluster.iter().map(|entry| &*entry.name), found);
    unique("service", spec.service.iter().map(|entry| &*entry.name), found);
    unique("store", spec.store.iter().map(|entry| &*entry.name), found);
    unique("dependency", spec.dependency.iter().map(|entry| &*entry.name), found);
    unique("journey", spec.journey.iter().map(|entry| &*entry.name), found);
    unique("population", spec.population.iter().map(|entry| &*entry.name), found);
    unique("fault", spec.fault.iter().map(|entry| &*entry.name), found);
    unique("incident", spec.incident.iter().map(|entry| &*entry.name), found);
    unique("switchover", spec.switchover.iter().map(|entry| &*entry.name), found);
    unique("connection", spec.connection.iter().map(|entry| &*entry.name), found);
    unique("hub", spec.hub.iter().map(|entry| &*entry.name), found);
    unique("release", spec.release.iter().map(|entry| &*entry.name), found);
    unique("drift", spec.drift.iter().map(|entry| &*entry.name), found);
    unique("surge", spec.surge.iter().map(|entry| &*entry.name), found);
    // A request is lost to a fault or to an incident of this name: the report couldn't tell them apart.
    let faults: BTreeSet<_> = spec.fault.iter().map(|fault| &fault.name).collect();
    for incident in spec.incident.iter().filter(|incident| faults.contains(&incident.name)) {
        found.push(
            &["incident", &incident.name, "name"],
            Diagnostic::error(format!("a fault and an incident are both called `{}`", incident.name))
                .help("rename one of them: lost requests are reported under this name"),
        );
    }
    let incidents: BTreeSet<_> = spec.incident.iter().map(|incident| &incident.name).collect();
    for switchover in &spec.switchover {
        let other = if faults.contains(&switchover.name) {
            "a fault"
        } else if incidents.contains(&switchover.name) {
            "an incident"
        } else {
            continue;
        };
        found.push(
            &["switchover", &switchover.name, "name"],
            Diagnostic::error(format!("{other} and a switchover are both called `{}`", switchover.name))
                .help("rename one of them: lost requests are reported under this name"),
        );
    }
    let switchovers: BTreeSet<_> = spec.switchover.iter().map(|switchover| &switchover.name).collect();
    let releases: BTreeSet<_> = spec.release.iter().map(|release| &release.name).collect();
    let others = [("a fault", &faults), ("an incident", &incidents), ("a switchover", &switchovers)];
    let entries = spec.release.iter().map(|release| ("release", &release.name));
    for (kind, entry) in entries.chain(spec.drift.iter().map(|drift| ("drift", &drift.name))) {
        let clash = others.iter().find(|(_, names)| names.contains(entry)).map(|(other, _)| *other);
        let clash = clash.or((kind == "drift" && releases.contains(entry)).then_some("a release"));
        if let Some(other) = clash {
            found.push(
                &[kind, entry, "name"],
                Diagnostic::error(format!("{other} and a {kind} are both called `{entry}`"))
                    .help("rename one of them: lost requests are reported under this name"),
            );
        }
    }
    for release in spec.release.iter().filter(|release| release.orphan.is_some()) {
        let name = OrphanSpec::name_of(&release.name);
        let drifts = || spec.drift.iter().any(|drift| drift.name == name);
        if others.iter().any(|(_, names)| names.contains(&name)) || releases.contains(&name) || drifts() {
            found.push(
                &["release", &release.name, "orphan"],
                Diagnostic::error(format!(
                    "what it leaves behind is reported under `{name}`, and so is something else"
                ))
                .help("rename the other one"),
            );
        }
    }
    // `network.rtt` speaks of both.
    let regions: BTreeSet<_> = spec.region.iter().map(|region| &region.name).collect();
    for population in spec.population.iter().filter(|population| regions.contains(&population.name)) {
        if spec.network.rtt.iter().any(|rtt| rtt.from == population.name || rtt.to == population.name) {
            found.push(
                &["population", &population.name, "name"],
                Diagnostic::error(format!("a region and a population are both called `{}`", population.name))
                    .help("rename one of them: `network.rtt` couldn't say which is meant"),
            );
        }
    }
}

fn name(name: &str, path: &[&str], what: &str, found: &mut Found<'_>) {
    if name.trim().is_empty() {
        found.push(path, Diagnostic::error(format!("{what} is empty")).help("give it a name"));
    } else if name.chars().count() > LONGEST {
        let length = name.chars().count();
        found.push(
            path,
            Diagnostic::error(format!("{what} has {length} characters; at most {LONGEST} are allowed"))
                .help("choose a shorter name: it is printed in tables and charts"),
        );
    } else if name.chars().any(char::is_control) {
        found.push(path, Diagnostic::error(format!("{what} has control characters")).help("choose a printable name"));
    }
}

fn unique<'n>(kind: &str, names: impl Iterator<Item = &'n str>, found: &mut Found<'_>) {
    let mut seen = BTreeSet::new();
    for (position, entry) in names.enumerate() {
        // An empty name addresses nothing: its place is its position.
        let position = position.to_string();
        let address = if entry.is_empty() { &position } else { entry };
        name(entry, &[kind, address, "name"], &format!("the name of a {kind}"), found);
        if !seen.insert(entry) && !entry.is_empty() {
            found.push(
                &[kind, entry, "name"],
                Diagnostic::error(format!("two entries of `{kind}` are called `{entry}`"))
                    .help("rename or remove one of them"),
            );
        }
    }
}
