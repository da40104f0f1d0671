//! What a Deployment or a `StatefulSet` says: replicas, requests, images, and whether it looks like a store.

use super::kustomize::{Object, bare_image};
use super::yaml::{Node, Place};
use std::collections::BTreeMap;

/// A value and where it is from.
pub(super) type From<T> = (T, Place);

/// Images whose name holds one of these are databases, queues or caches.
const STORES: [&str; 29] = [
    "postgres",
    "mysql",
    "mariadb",
    "mongo",
    "cassandra",
    "scylla",
    "cockroach",
    "redis",
    "valkey",
    "memcached",
    "kafka",
    "redpanda",
    "rabbitmq",
    "elasticsearch",
    "opensearch",
    "etcd",
    "zookeeper",
    "clickhouse",
    "minio",
    "neo4j",
    "couchdb",
    "couchbase",
    "influxdb",
    "timescale",
    "mssql",
    "percona",
    "yugabyte",
    "tidb",
    "vitess",
];
/// And these only talk to one.
const NO_STORES: [&str; 10] =
    ["exporter", "operator", "admin", "-ui", "express", "commander", "proxy", "bouncer", "backup", "manager"];

/// The autoscaler of a workload.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scaler {
    pub(super) min: u32,
    pub(super) max: u32,
    /// Target utilisation of the requested CPU; `None` where it follows something else.
    pub(super) target: Option<f64>,
    pub(super) place: Place,
}

/// A Deployment, a `StatefulSet` or a Rollout in one cluster.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: String,
    pub(super) place: Place,
    pub(super) replicas: Option<From<u32>>,
    /// Cores and bytes of all containers of a pod.
    pub(super) cpu: Option<From<f64>>,
    pub(super) memory: Option<From<f64>>,
    /// Bytes of the first volume that a `StatefulSet` claims.
    pub(super) storage: Option<From<f64>>,
    pub(super) image: String,
    pub(super) is_store: bool,
    pub(super) labels: BTreeMap<String, String>,
    /// What its containers are told: environment and arguments.
    pub(super) told: Vec<String>,
    pub(super) scaler: Option<Scaler>,
    /// What lets users reach it.
    pub(super) exposed: Option<From<&'static str>>,
    /// Its disruption budget, in words.
    pub(super) budget: Option<From<String>>,
}

impl Workload {
    pub(super) fn new(object: &Object) -> Self {
        let root = object.root.as_ref();
        let pod = root.at(&["spec", "template", "spec"]);
        let containers = pod.map_or(&[][..], |pod| pod.items_at(&["containers"]));
        let sum = |resource: &str| {
            let asked = containers.iter().filter_map(|one| {
                let node = one.at(&["resources", "requests", resource])?;
                Some((quantity(node.text()?)?, node.place))
            });
            asked.reduce(|all, one| (all.0 + one.0, all.1)).filter(|(sum, _)| *sum > 0.0)
        };
        let images: Vec<&str> = containers.iter().filter_map(|one| one.text_at(&["image"])).collect();
        let claims = root.items_at(&["spec", "volumeClaimTemplates"]);
        let storage = claims.iter().find_map(|claim| {
            let node = claim.at(&["spec", "resources", "requests", "storage"])?;
            Some((quantity(node.text()?)?, node.place))
        });
        let is_named_so = ["db", "database"].iter().any(|word| {
            object.name.split('-').any(|part| part == *word) && !NO_STORES.iter().any(|no| object.name.contains(no))
        });
        let is_store = images.iter().any(|image| is_store_image(image))
            || is_named_so
            || (object.kind == "StatefulSet" && !claims.is_empty());
        let mut told = Vec::new();
        for one in containers {
            let values = one.items_at(&["env"]).iter().filter_map(|entry| entry.text_at(&["value"]));
            let arguments =
                ["args", "command"].into_iter().flat_map(|key| one.items_at(&[key])).filter_map(|node| node.text());
            told.extend(values.chain(arguments).map(|text| text.chars().take(500).collect()));
        }
        Self {
            name: object.name.clone(),
            namespace: object.namespace.clone(),
            kind: object.kind.clone(),
            place: object.place(),
            replicas: root.count_at(&["spec", "replicas"]),
            cpu: sum("cpu"),
            memory: sum("memory"),
            storage,
            image: images.first().map(|image| (*image).to_owned()).unwrap_or_default(),
            is_store,
            labels: texts(root.at(&["spec", "template", "metadata", "labels"])),
            told,
            scaler: None,
            exposed: None,
            budget: None,
        }
    }

    /// Pods that run when nothing happens; Kubernetes starts one where nothing is said.
    pub(super) fn pods(&self) -> u32 {
        let said = self.replicas.map(|(count, _)| count);
        match &self.scaler {
            // An autoscaler with a floor above the manifest's count wins, and so does its ceiling.
            Some(scaler) if said != Some(0) => said.unwrap_or(scaler.min).clamp(scaler.min, scaler.max),
            Some(_) | None => said.unwrap_or(1),
        }
    }

    /// Whether this selector picks its pods.
    pub(super) fn is_picked_by(&self, selector: &BTreeMap<String, String>, namespace: Option<&str>) -> bool {
        let is_here = namespace.is_none() || self.namespace.is_none() || self.namespace.as_deref() == namespace;
        is_here && !selector.is_empty() && selector.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }
}

/// A table's texts by key.
pub(super) fn texts(node: Option<&Node>) -> BTreeMap<String, String> {
    let entries = node.map_or(&[][..], Node::entries);
    entries.iter().filter_map(|(key, value)| Some((key.clone(), value.text()?.to_owned()))).collect()
}

fn is_store_image(image: &str) -> bool {
    let name = bare_image(image).to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or(&name);
    STORES.iter().any(|store| last.contains(store)) && !NO_STORES.iter().any(|no| last.contains(no))
}

/// A quantity of Kubernetes: `500m`, `0.5`, `1Gi`, `128974848`, `1e3`.
pub(super) fn quantity(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 15] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let text = text.trim();
    let unit = UNITS.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
    let (number, size) = unit.unwrap_or((text, 1.0));
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+'));
    let value = number.parse::<f64>().ok().filter(|_| is_number)? * size;
    (value.is_finite() && value >= 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        assert_eq!(quantity("500m"), Some(0.5));
        assert_eq!(quantity("0.5"), Some(0.5));
        assert_eq!(quantity("1Gi"), Some(1_073_741_824.0));
        assert_eq!(quantity("128M"), Some(128e6));
        assert_eq!(quantity("1e3"), Some(1000.0));
        for wrong in ["", "m", "-1", "inf", "nan", "1 Gi x", "{{ .cpu }}"] {
            assert_eq!(quantity(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn images_of_stores() {
        for store in
            ["postgres:16", "registry.example.com:5000/bitnami/redis-cluster@sha256:0", "confluentinc/cp-kafka"]
        {
            assert!(is_store_image(store), "{store}");
        }
        for other in ["quay.io/prometheuscommunity/postgres-exporter", "nginx", "redis/shop-web", "dpage/pgadmin4"] {
            assert!(!is_store_image(other), "{other}");
        }
    }
}
