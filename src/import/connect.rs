//! What joins clusters: signs of Istio's mesh, what it calls outside, and how services that run elsewhere are reached.
//!
//! Source: Istio's reference of `DestinationRule` (outlier detection, locality load balancing), `ServiceEntry` and
//! `Gateway`, and its guide to meshes of several clusters (east-west gateways).

use super::documents::Documents;
use super::gitops::seconds;
use super::kustomize::Object;
use super::yaml::{Node, Place};

/// Hosts that serve the cluster, not its users' requests.
const UPKEEP: [&str; 6] =
    ["metadata.google.internal", "accounts.google.com", "googleapis.com", "amazonaws.com", "169.254.169.254", "*"];

/// Outlier detection, as far as it is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlier {
    pub(super) errors: Option<(u32, Place)>,
    /// In seconds.
    pub(super) interval: Option<(f64, Place)>,
    /// In seconds.
    pub(super) ejection: Option<(f64, Place)>,
}

/// What a cluster's manifests say of a mesh.
#[derive(Default, Debug)]
pub(super) struct Signs {
    /// That it spans clusters, and what says so.
    pub(super) spans: Option<(&'static str, Place)>,
    /// The first outlier detection for what runs inside.
    pub(super) outlier: Option<Outlier>,
    /// Hosts outside that it calls.
    pub(super) outside: Vec<(String, Place)>,
    /// What no key holds, in words.
    pub(super) remarks: Vec<String>,
}

impl Signs {
    pub(super) fn of(objects: &[Object], documents: &Documents) -> Self {
        let mut signs = Self::default();
        let outside: Vec<&str> = objects.iter().filter(|object| is_outside(object)).flat_map(hosts).collect();
        for object in objects.iter().filter(|object| object.group() == "networking.istio.io") {
            match object.kind.as_str() {
                "ServiceEntry" => signs.entry(object, documents),
                "DestinationRule" => {
                    let host = object.root.text_at(&["spec", "host"]).unwrap_or_default();
                    signs.rule(object, outside.contains(&host), documents);
                }
                "Gateway" if is_east_west(object) => signs.spans(("an east-west Gateway", object.place())),
                _ => {}
            }
        }
        signs
    }

    fn spans(&mut self, why: (&'static str, Place)) {
        self.spans.get_or_insert(why);
    }

    fn entry(&mut self, object: &Object, documents: &Documents) {
        if !is_outside(object) {
            self.spans(("a ServiceEntry of MESH_INTERNAL", object.place()));
            return;
        }
        for host in hosts(object) {
            if UPKEEP.iter().any(|upkeep| host.contains(upkeep)) {
                self.remarks.push(format!("ServiceEntry: calls of `{host}` ({})", documents.say(object.place())));
            } else {
                self.outside.push((host.to_owned(), object.place()));
            }
        }
    }

    fn rule(&mut self, object: &Object, is_outside: bool, documents: &Documents) {
        let Some(policy) = object.root.at(&["spec", "trafficPolicy"]) else { return };
        let count = |path: &[&str]| policy.count_at(path).filter(|(errors, _)| *errors > 0);
        let span = |key| {
            let node = policy.at(&["outlierDetection", key])?;
            Some((seconds(node.text()?).filter(|span| (0.001..=3600.0).contains(span))?, node.place))
        };
        if let Some(detection) = policy.at(&["outlierDetection"]) {
            let keys = ["consecutive5xxErrors", "consecutiveGatewayErrors", "consecutiveErrors"];
            let errors = keys.iter().find_map(|key| count(&["outlierDetection", key]));
            if is_outside {
                let host = object.root.text_at(&["spec", "host"]).unwrap_or_default();
                let said = format!("DestinationRule: outlier detection for `{host}`, which runs elsewhere");
                self.remarks.push(format!("{said} ({})", documents.say(detection.place)));
            } else {
                let errors = errors.map(|(errors, place)| (errors.min(1000), place));
                let (interval, ejection) = (span("interval"), span("baseEjectionTime"));
                self.outlier.get_or_insert(Outlier { errors, interval, ejection });
            }
        }
        if let Some(locality) = policy.at(&["loadBalancer", "localityLbSetting"])
            && locality.text_at(&["enabled"]) != Some("false")
            && !is_outside
        {
            self.spans(("locality load balancing", locality.place));
            for failover in locality.items_at(&["failover"]) {
                if let (Some(from), Some(to)) = (failover.text_at(&["from"]), failover.text_at(&["to"])) {
                    let said = format!("Istio: from {from} over to {to}; a mesh here takes the nearest that is well");
                    self.remarks.push(format!("{said} ({})", documents.say(failover.place)));
                }
            }
        }
    }
}

fn is_outside(object: &Object) -> bool {
    object.kind == "ServiceEntry" && object.root.text_at(&["spec", "location"]) != Some("MESH_INTERNAL")
}

fn hosts(object: &Object) -> impl Iterator<Item = &str> {
    let is_name = |host: &&str| !host.is_empty() && host.len() <= 100 && !host.chars().any(char::is_control);
    object.root.items_at(&["spec", "hosts"]).iter().filter_map(|host| host.text()).map(str::trim).filter(is_name)
}

/// A Gateway through which other clusters of the mesh come in.
fn is_east_west(object: &Object) -> bool {
    let selector = object.root.at(&["spec", "selector"]).map_or(&[][..], Node::entries);
    let by_label = selector.iter().any(|(_, value)| value.text().is_some_and(|text| text.contains("eastwest")));
    let passes = |server: &Node| {
        server.text_at(&["tls", "mode"]) == Some("AUTO_PASSTHROUGH")
            || server.text_at(&["port", "number"]) == Some("15443")
    };
    by_label || object.root.items_at(&["spec", "servers"]).iter().any(|server| passes(server))
}

/// How a service that runs in another cluster is reached, where there is no mesh: by what exposes it there.
pub(super) fn kind_of(exposed: &str) -> &'static str {
    match exposed {
        "Service of type LoadBalancer" | "Service of type NodePort" => "public-lb",
        "internal load balancer" => "peering",
        _ => "api-gateway",
    }
}
