//! What runs in one cluster, with what belongs to each workload: autoscaler, budget, ways in.

use super::documents::{Documents, Problems};
use super::kustomize::Object;
use super::layout::{Group, destination, is_workload};
use super::region;
use super::workload::{Scaler, Workload, texts};
use super::yaml::{Node, Place};
use std::collections::{BTreeMap, BTreeSet};

/// Namespaces of a cluster's own machinery, which serves no users.
const MACHINERY: [&str; 12] = [
    "kube-system",
    "kube-public",
    "flux-system",
    "argocd",
    "argo-cd",
    "istio-system",
    "cert-manager",
    "monitoring",
    "gatekeeper-system",
    "kyverno",
    "external-secrets",
    "ingress-nginx",
];
/// Kinds that are read.
const READ: [&str; 18] = [
    "Deployment",
    "StatefulSet",
    "Rollout",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Service",
    "Ingress",
    "Gateway",
    "VirtualService",
    "HTTPRoute",
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
    /// What was found that a scenario holds in no key.
    pub(super) remarks: Vec<String>,
}

impl Cluster {
    pub(super) fn new(group: &Group, documents: &Documents, problems: &mut Problems<'_>) -> Self {
        let objects = &group.objects;
        let mut workloads: Vec<Workload> = Vec::new();
        let mut machinery = BTreeSet::new();
        for object in objects {
            if !READ.contains(&object.kind.as_str()) {
                *problems.skipped.kinds.entry(object.kind.clone()).or_default() += 1;
            }
            if !is_workload(object) {
                continue;
            }
            if object.namespace.as_deref().is_some_and(|namespace| MACHINERY.contains(&namespace)) {
                machinery.insert(object.namespace.clone().unwrap_or_default());
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
        for namespace in machinery {
            problems
                .note(format!("{}: what runs in namespace `{namespace}` serves no users and is left out", group.name));
        }
        attach(objects, &mut workloads);
        expose(objects, &mut workloads);
        workloads.retain(|workload| {
            let runs = workload.pods() > 0;
            if !runs {
                problems.note(format!("{}: `{}` has no replicas", documents.say(workload.place), workload.name));
            }
            runs
        });
        let remarks = objects.iter().filter_map(|object| remark(object, &group.name, documents)).collect();
        let region = region_of(group, documents);
        Self { name: group.name.clone(), because: group.because.clone(), region, workloads, remarks }
    }
}

/// Gives autoscalers and budgets to their workloads.
fn attach(objects: &[Object], workloads: &mut [Workload]) {
    for object in objects {
        let root = object.root.as_ref();
        let namespace = object.namespace.as_deref();
        match object.kind.as_str() {
            "HorizontalPodAutoscaler" => {
                let target = root.text_at(&["spec", "scaleTargetRef", "name"]);
                let Some(max) = root.count_at(&["spec", "maxReplicas"]).map(|(max, _)| max.max(1)) else { continue };
                let min = root.count_at(&["spec", "minReplicas"]).map_or(1, |(min, _)| min.clamp(1, max));
                let scaler = Scaler { min, max, target: utilisation(root), place: object.place() };
                let own = |one: &&mut Workload| {
                    let original = Some(one.name.as_str());
                    (original == target
                        || target.is_some_and(|target| one.name.contains(target) && object.name.contains(&one.name)))
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

/// Marks the workloads that users reach: by a Service with a load balancer, an Ingress or a Gateway's routes.
fn expose(objects: &[Object], workloads: &mut [Workload]) {
    // Services by name, with what names them from outside.
    let mut ways: BTreeMap<String, (&'static str, Place)> = BTreeMap::new();
    for object in objects {
        let root = object.root.as_ref();
        let mut to = |service: Option<&str>, what: &'static str| {
            if let Some(service) = service {
                let service = service.split('.').next().unwrap_or(service);
                ways.entry(service.to_owned()).or_insert((what, object.place()));
            }
        };
        match object.kind.as_str() {
            "Ingress" => {
                let backend = |node: &Node| {
                    let new = node.text_at(&["service", "name"]);
                    new.or_else(|| node.text_at(&["serviceName"])).map(str::to_owned)
                };
                let default = root.at(&["spec", "defaultBackend"]).or_else(|| root.at(&["spec", "backend"]));
                to(default.and_then(backend).as_deref(), "Ingress");
                for rule in root.items_at(&["spec", "rules"]) {
                    for path in rule.items_at(&["http", "paths"]) {
                        to(path.at(&["backend"]).and_then(backend).as_deref(), "Ingress");
                    }
                }
            }
            "VirtualService" if root.items_at(&["spec", "gateways"]).iter().any(|g| g.text() != Some("mesh")) => {
                for route in root.items_at(&["spec", "http"]).iter().flat_map(|http| http.items_at(&["route"])) {
                    to(route.text_at(&["destination", "host"]), "Istio Gateway");
                }
            }
            "HTTPRoute" => {
                for rule in root.items_at(&["spec", "rules"]) {
                    for backend in rule.items_at(&["backendRefs"]) {
                        to(backend.text_at(&["name"]), "Gateway");
                    }
                }
            }
            _ => {}
        }
    }
    for object in objects.iter().filter(|object| object.kind == "Service") {
        let root = object.root.as_ref();
        let selector = texts(root.at(&["spec", "selector"]));
        let is_open = root.text_at(&["spec", "type"]) == Some("LoadBalancer");
        let way = ways.remove(&object.name).or(is_open.then_some(("Service of type LoadBalancer", object.place())));
        let Some(way) = way else { continue };
        let namespace = object.namespace.as_deref();
        for workload in workloads.iter_mut().filter(|one| one.is_picked_by(&selector, namespace)) {
            workload.exposed.get_or_insert(way);
        }
    }
    // A route to a Service that isn't in the repository: by convention it has its Deployment's name.
    for workload in workloads.iter_mut().filter(|one| one.exposed.is_none()) {
        workload.exposed = ways.get(&workload.name).copied();
    }
}

/// What a scenario holds in no key yet, in words: Argo CD's settings and Istio's.
fn remark(object: &Object, cluster: &str, documents: &Documents) -> Option<String> {
    let root = object.root.as_ref();
    let said = match (object.kind.as_str(), object.group()) {
        ("Application", "argoproj.io") => gitops(&object.name, root.at(&["spec"])?, cluster),
        ("ApplicationSet", "argoproj.io") => gitops(&object.name, root.at(&["spec", "template", "spec"])?, cluster),
        ("ServiceEntry", _) => {
            let hosts: Vec<_> =
                root.items_at(&["spec", "hosts"]).iter().filter_map(|host| host.text()).take(5).collect();
            let where_ = root.text_at(&["spec", "location"]).unwrap_or("MESH_EXTERNAL");
            format!("connection: ServiceEntry `{}` for {} ({where_})", object.name, hosts.join(", "))
        }
        ("DestinationRule", _) => {
            let host = root.text_at(&["spec", "host"]).unwrap_or("?");
            let mut said = format!("connection: DestinationRule `{}` for {host}", object.name);
            if let Some(outlier) = root.at(&["spec", "trafficPolicy", "outlierDetection"]) {
                let settings: Vec<_> = outlier
                    .entries()
                    .iter()
                    .filter_map(|(key, value)| Some(format!("{key} = {}", value.text()?)))
                    .collect();
                said = format!("{said}, outlier detection: {}", settings.join(", "));
            }
            said
        }
        ("Gateway", _) => format!("connection: Gateway `{}`", object.name),
        _ => return None,
    };
    Some(format!("{said} ({})", documents.say(object.place())))
}

/// How Argo CD keeps an Application in step, in words. The one place to change when a scenario has keys for it.
fn gitops(name: &str, spec: &Node, cluster: &str) -> String {
    let policy = spec.at(&["syncPolicy", "automated"]);
    let says = |key: &str| policy.and_then(|policy| policy.text_at(&[key])).unwrap_or("false");
    let automated = match policy {
        Some(_) => format!("automated, prune = {}, self-heal = {}", says("prune"), says("selfHeal")),
        None => "synced by hand".to_owned(),
    };
    let text = |key: &str| spec.text_at(&["destination", key]).map(str::to_owned);
    let to = match (text("name"), text("server")) {
        (Some(name), _) if name.contains("{{") => name,
        (_, Some(server)) if server.contains("{{") => server,
        (name, server) => destination(name, server, Some(cluster)),
    };
    format!("gitops: Application `{name}` to {to}: {automated}")
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
                    return (code, documents.say(value.place));
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
