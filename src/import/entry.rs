//! How users come in: by a Service with a load balancer, an Ingress or a Gateway's routes; and under which names services
//! call each other.

use super::kustomize::Object;
use super::workload::{Workload, texts};
use super::yaml::{Node, Place};
use std::collections::BTreeMap;

/// A load balancer that the internet can't reach.
pub(super) const INTERNAL: &str = "internal load balancer";
/// Annotations by which clouds make one.
const INTERNAL_BY: [&str; 5] = [
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "networking.gke.io/load-balancer-type",
    "cloud.google.com/load-balancer-type",
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
];

type Way = (&'static str, Place);

/// Marks the workloads that users reach, and gives each the names of its Services.
pub(super) fn expose(objects: &[Object], workloads: &mut [Workload]) {
    let mut ways = routed(objects);
    let mut ports: Vec<(usize, Way)> = Vec::new();
    for object in objects.iter().filter(|object| object.kind == "Service") {
        let root = object.root.as_ref();
        let selector = texts(root.at(&["spec", "selector"]));
        let kind = root.text_at(&["spec", "type"]);
        let what = if is_internal(root) { INTERNAL } else { "Service of type LoadBalancer" };
        let open = (kind == Some("LoadBalancer")).then_some((what, object.place()));
        let way = ways.remove(&object.name).or(open);
        let namespace = object.namespace.as_deref();
        for (index, workload) in workloads.iter_mut().enumerate() {
            if !workload.is_picked_by(&selector, namespace) {
                continue;
            }
            workload.services.extend([object.name.clone(), object.original().to_owned()]);
            match way {
                // What the internet reaches counts, wherever else it can be reached from.
                Some(way) if workload.exposed.is_none_or(|(known, _)| known == INTERNAL) => {
                    workload.exposed = Some(way);
                }
                None if kind == Some("NodePort") => ports.push((index, ("Service of type NodePort", object.place()))),
                Some(_) | None => {}
            }
        }
    }
    // A route to a Service that isn't in the repository: by convention it has its Deployment's name.
    for workload in workloads.iter_mut().filter(|one| one.exposed.is_none()) {
        workload.exposed = ways.get(&workload.name).copied();
    }
    // Ports of nodes are for users where nothing else is.
    if workloads.iter().all(|workload| workload.exposed.is_none()) {
        for (index, way) in ports {
            if workloads[index].store.is_none() {
                workloads[index].exposed.get_or_insert(way);
            }
        }
    }
}

fn is_internal(service: &Node) -> bool {
    let notes = service.at(&["metadata", "annotations"]).map_or(&[][..], Node::entries);
    notes.iter().any(|(key, value)| {
        INTERNAL_BY.contains(&key.as_str())
            && value
                .text()
                .is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "internal" | "0.0.0.0/0"))
    })
}

/// Services by the name that they have in the cluster, with what leads to them from outside.
fn routed(objects: &[Object]) -> BTreeMap<String, Way> {
    let mut ways: BTreeMap<String, Way> = BTreeMap::new();
    for object in objects {
        let root = object.root.as_ref();
        let mut to = |service: Option<&str>, what: &'static str| {
            if let Some(service) = service {
                let service = service.split('.').next().unwrap_or(service);
                for name in [object.beside(service), service.to_owned()] {
                    ways.entry(name).or_insert((what, object.place()));
                }
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
            "HTTPRoute" | "GRPCRoute" => {
                for rule in root.items_at(&["spec", "rules"]) {
                    for backend in rule.items_at(&["backendRefs"]) {
                        to(backend.text_at(&["name"]), "Gateway");
                    }
                }
            }
            "IngressRoute" => {
                for route in root.items_at(&["spec", "routes"]) {
                    for service in route.items_at(&["services"]) {
                        to(service.text_at(&["name"]), "Ingress");
                    }
                }
            }
            "Route" if object.group() == "route.openshift.io" => to(root.text_at(&["spec", "to", "name"]), "Ingress"),
            _ => {}
        }
    }
    ways
}

/// Makes one of several versions that one Service picks: `reviews-v1` and `reviews-v2` are `reviews`.
pub(super) fn versions(workloads: &mut Vec<Workload>) {
    let mut kept: Vec<Workload> = Vec::new();
    for mut workload in std::mem::take(workloads) {
        let stem = stem(&workload.name).filter(|stem| workload.services.iter().any(|service| service == stem));
        let Some(stem) = stem.map(str::to_owned) else {
            kept.push(workload);
            continue;
        };
        let first =
            kept.iter_mut().find(|one| one.name == stem && one.namespace == workload.namespace && !one.also.is_empty());
        if let Some(first) = first {
            let (pods, more) = (first.pods(), workload.pods());
            first.replicas = Some((pods.saturating_add(more), first.replicas.map_or(first.place, |(_, place)| place)));
            first.also.push(workload.name);
            first.told.append(&mut workload.told);
            first.exposed = first.exposed.or(workload.exposed);
        } else {
            workload.also.push(std::mem::replace(&mut workload.name, stem));
            kept.push(workload);
        }
    }
    *workloads = kept;
}

/// The name without its version: `-v2`, `-blue`, `-canary`, ….
fn stem(name: &str) -> Option<&str> {
    let (stem, last) = name.rsplit_once('-')?;
    let is_number =
        last.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    (is_number || matches!(last, "blue" | "green" | "canary" | "stable" | "primary")).then_some(stem)
}
