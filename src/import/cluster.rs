//! What runs in one cluster, with what belongs to each workload: autoscaler, budget, ways in.

use super::connect::Signs;
use super::documents::{Documents, Problems};
use super::entry::{expose, versions};
use super::helm::Release;
use super::kustomize::Object;
use super::layout::{Group, is_workload, target};
use super::machinery;
use super::region;
use super::workload::{Scaler, Workload, texts};
use super::yaml::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds that are read.
const READ: [&str; 26] = [
    "Deployment",
    "StatefulSet",
    "DeploymentConfig",
    "ReplicaSet",
    "ReplicationController",
    "HelmRelease",
    "Rollout",
    "HorizontalPodAutoscaler",
    "ScaledObject",
    "PodDisruptionBudget",
    "Service",
    "Ingress",
    "Gateway",
    "VirtualService",
    "HTTPRoute",
    "GRPCRoute",
    "IngressRoute",
    "Route",
    "Application",
    "ApplicationSet",
    "ServiceEntry",
    "DestinationRule",
    "Kustomization",
    "Component",
    "ConfigMap",
    "Namespace",
];

/// A cluster as its manifests tell it.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) because: String,
    /// A region's code, and why it is that one.
    pub(super) region: (String, String),
    pub(super) workloads: Vec<Workload>,
    /// What joins it to others.
    pub(super) signs: Signs,
    pub(super) role: Role,
}

/// What a cluster is to users.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Role {
    /// They come to it.
    Front,
    /// Other clusters call it.
    Called,
    /// It is for development and tests.
    Trial,
}

impl Cluster {
    pub(super) fn new(group: &Group, documents: &Documents, problems: &mut Problems<'_>) -> Self {
        let objects = &group.objects;
        let mut workloads: Vec<Workload> = Vec::new();
        // What serves no users, by why it doesn't.
        let mut machinery: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for object in objects {
            if !READ.contains(&object.kind.as_str()) {
                *problems.skipped.kinds.entry(object.kind.clone()).or_default() += 1;
            }
            if !is_workload(object) {
                continue;
            }
            if let Some((why, what)) = machinery::why_not(object.namespace.as_deref(), object.original()) {
                machinery.entry(why).or_default().insert(what.to_owned());
                continue;
            }
            let workload = Workload::new(object);
            if let Some(replicas) = object.root.at(&["spec", "replicas"])
                && workload.replicas.is_none()
                && replicas.text().is_some()
            {
                problems.warn(format!("{}: `replicas` is no number; 1 is taken", documents.say(replicas.place)));
            }
            workloads.push(workload);
        }
        take_over(objects, &mut workloads);
        let mut released = BTreeSet::new();
        // An Application lies in one cluster and may deploy to another.
        let is_here = |one: &&Object| one.kind != "Application" || target(&one.root, &group.name) == group.name;
        let releases = objects.iter().filter(is_here);
        for (object, release) in releases.flat_map(|one| Release::of(one, documents).into_iter().map(move |r| (one, r)))
        {
            let why = machinery::why_not(release.namespace.as_deref(), &release.name);
            if let Some((why, what)) = why.or_else(|| machinery::why_not(None, &release.chart)) {
                machinery.entry(why).or_default().insert(what.to_owned());
            } else if !workloads.iter().any(|one| one.name == release.name) {
                released.insert(release.name.clone());
                workloads.push(Workload::of_release(&release, object));
            }
        }
        let many =
            |names: BTreeSet<String>| names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        for (why, names) in machinery {
            problems.note(format!("{}: left out, as {why}: {}", group.name, many(names)));
        }
        if !released.is_empty() {
            let names = many(released);
            problems.note(format!("{}: only the values of these Helm releases are read: {names}", group.name));
        }
        attach(objects, &mut workloads);
        expose(objects, &mut workloads);
        versions(&mut workloads);
        workloads.retain(|workload| {
            let runs = workload.pods() > 0;
            if !runs {
                problems.note(format!("{}: `{}` has no replicas", documents.say(workload.place), workload.name));
            }
            runs
        });
        let region = region_of(group, documents);
        let signs = Signs::of(objects, documents);
        Self { name: group.name.clone(), because: group.because.clone(), region, workloads, signs, role: Role::Front }
    }
}

/// Gives autoscalers and budgets to their workloads.
fn attach(objects: &[Object], workloads: &mut [Workload]) {
    for object in objects {
        let root = object.root.as_ref();
        let namespace = object.namespace.as_deref();
        match object.kind.as_str() {
            "HorizontalPodAutoscaler" | "ScaledObject" => {
                let target = root.text_at(&["spec", "scaleTargetRef", "name"]);
                let Some(scaler) = scaler(object) else { continue };
                let here = target.map(|target| object.beside(target));
                let own = |one: &&mut Workload| {
                    (Some(&one.name) == here.as_ref() || Some(one.name.as_str()) == target)
                        && (namespace.is_none() || one.namespace.is_none() || one.namespace.as_deref() == namespace)
                };
                if let Some(workload) = workloads.iter_mut().find(own) {
                    workload.scaler = Some(scaler);
                }
            }
            "PodDisruptionBudget" => {
                let selector = texts(root.at(&["spec", "selector", "matchLabels"]));
                let said = ["minAvailable", "maxUnavailable"]
                    .iter()
                    .find_map(|key| Some(format!("{key} = {}", root.text_at(&["spec", key])?)));
                let Some(said) = said else { continue };
                for workload in workloads.iter_mut().filter(|one| one.is_picked_by(&selector, namespace)) {
                    workload.budget = Some((said.clone(), object.place()));
                }
            }
            _ => {}
        }
    }
}

/// A Rollout that refers to a Deployment runs its pods: so many as the Rollout says, whatever the Deployment does.
fn take_over(objects: &[Object], workloads: &mut Vec<Workload>) {
    for object in objects.iter().filter(|object| object.kind == "Rollout") {
        let Some(named) = object.root.text_at(&["spec", "workloadRef", "name"]) else { continue };
        let is_own = |one: &Workload| one.kind == "Rollout" && one.place == object.place();
        let Some(own) = workloads.iter().position(is_own) else { continue };
        let here = object.beside(named);
        let is_run = |one: &Workload| {
            one.kind != "Rollout" && (one.name == here || one.name == named) && one.namespace == object.namespace
        };
        let Some(run) = workloads.iter().position(is_run) else { continue };
        let replicas = workloads[own].replicas;
        let run = &mut workloads[run];
        (run.replicas, run.kind) = (replicas, "Rollout".to_owned());
        workloads.remove(own);
    }
}

/// What an autoscaler says: the cluster's own, or KEDA's, which may go down to nothing but here doesn't.
fn scaler(object: &Object) -> Option<Scaler> {
    let root = object.root.as_ref();
    let count = |key: &str| root.count_at(&["spec", key]).map(|(count, _)| count);
    let (least, most, target) = if object.kind == "ScaledObject" {
        // KEDA's own default.
        (count("minReplicaCount"), count("maxReplicaCount").unwrap_or(100), triggered(root))
    } else {
        (count("minReplicas"), count("maxReplicas")?, utilisation(root))
    };
    let max = most.max(1);
    Some(Scaler { min: least.unwrap_or(1).clamp(1, max), max, target, place: object.place() })
}

/// The CPU utilisation that triggers KEDA, from 0 to 1.
fn triggered(root: &Node) -> Option<f64> {
    let triggers = root.items_at(&["spec", "triggers"]).iter();
    let mut by_cpu = triggers.filter(|trigger| trigger.text_at(&["type"]) == Some("cpu"));
    let percent = by_cpu.find_map(|trigger| trigger.count_at(&["metadata", "value"]))?.0;
    Some(f64::from(percent.clamp(1, 100)) / 100.0)
}

/// The target of CPU utilisation of an autoscaler, of autoscaling/v1 or v2, from 0 to 1.
fn utilisation(root: &Node) -> Option<f64> {
    let old = root.count_at(&["spec", "targetCPUUtilizationPercentage"]);
    let new = || {
        root.items_at(&["spec", "metrics"]).iter().find_map(|metric| {
            let resource = metric.at(&["resource"]).filter(|resource| resource.text_at(&["name"]) == Some("cpu"))?;
            // autoscaling/v2beta1 has it flat.
            resource
                .count_at(&["target", "averageUtilization"])
                .or_else(|| resource.count_at(&["targetAverageUtilization"]))
        })
    };
    let (percent, _) = old.or_else(new)?;
    Some(f64::from(percent.clamp(1, 100)) / 100.0)
}

/// The cluster's region: what its manifests say, else what its name holds, else a guess.
fn region_of(group: &Group, documents: &Documents) -> (String, String) {
    const LABELS: [&str; 3] = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region", "region"];
    for object in &group.objects {
        let root = object.root.as_ref();
        for table in [&["metadata", "labels"][..], &["spec", "template", "spec", "nodeSelector"], &["data"]] {
            for (key, value) in root.at(table).map_or(&[][..], Node::entries) {
                let is_region = LABELS.contains(&key.as_str()) || key.to_ascii_lowercase().ends_with("region");
                if let Some(code) = value.text().filter(|_| is_region).and_then(region::code) {
                    return (code, format!("from {}", documents.say(value.place)));
                }
            }
        }
    }
    match region::of_name(&group.name) {
        Some(guess) if guess.is_code => (guess.code, "the cluster's name".to_owned()),
        Some(guess) => (guess.code, "assumed from the cluster's name".to_owned()),
        None => ("us-east-1".to_owned(), "assumed: nothing says where it is".to_owned()),
    }
}
