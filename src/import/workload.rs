//! What a Deployment or a `StatefulSet` says: replicas, requests, images, and whether it looks like a store.

use super::helm::Release;
use super::kustomize::Object;
use super::store::{self, Family};
use super::yaml::{Node, Place};
use std::collections::BTreeMap;

/// A value and where it is from.
pub(super) type From<T> = (T, Place);

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
    /// The name that its manifest gives it, before Kustomize's prefix and suffix.
    pub(super) original: String,
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
    /// It is a store, and of which kind.
    pub(super) store: Option<Family>,
    pub(super) labels: BTreeMap<String, String>,
    /// What its containers are told: environment and arguments.
    pub(super) told: Vec<String>,
    pub(super) scaler: Option<Scaler>,
    /// The names of the Services that lead to it.
    pub(super) services: Vec<String>,
    /// The versions that are counted as one here.
    pub(super) also: Vec<String>,
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
        let by_image = images.iter().find_map(|image| store::of_image(image));
        let claims_volumes = object.kind == "StatefulSet" && !claims.is_empty();
        let store =
            by_image.or_else(|| store::of_name(object.original())).or_else(|| claims_volumes.then_some(Family::Leader));
        let mut told = Vec::new();
        for one in containers {
            let values = one.items_at(&["env"]).iter().filter_map(|entry| entry.text_at(&["value"]));
            let arguments =
                ["args", "command"].into_iter().flat_map(|key| one.items_at(&[key])).filter_map(|node| node.text());
            told.extend(values.chain(arguments).map(|text| text.chars().take(500).collect()));
        }
        Self {
            name: object.name.clone(),
            original: object.original().to_owned(),
            namespace: object.namespace.clone(),
            kind: object.kind.clone(),
            place: object.place(),
            replicas: root.count_at(&["spec", "replicas"]),
            cpu: sum("cpu"),
            memory: sum("memory"),
            storage,
            image: images.first().map(|image| (*image).to_owned()).unwrap_or_default(),
            store,
            labels: texts(root.at(&["spec", "template", "metadata", "labels"])),
            told,
            scaler: None,
            services: Vec::new(),
            also: Vec::new(),
            exposed: None,
            budget: None,
        }
    }

    /// What the values of a release say of it.
    pub(super) fn of_release(release: &Release, object: &Object) -> Self {
        let amount = |said: Option<(&str, Place)>| said.and_then(|(text, place)| Some((quantity(text)?, place)));
        let image = release.image().unwrap_or(&release.chart);
        Self {
            name: release.name.clone(),
            original: release.name.clone(),
            namespace: release.namespace.clone(),
            kind: "Helm release".to_owned(),
            place: object.place(),
            replicas: release.replicas(),
            cpu: amount(release.request("cpu")).filter(|(cpu, _)| *cpu > 0.0),
            memory: amount(release.request("memory")).filter(|(memory, _)| *memory > 0.0),
            storage: amount(release.storage()),
            image: image.to_owned(),
            store: store::of_image(&release.chart).or_else(|| store::of_image(image)),
            labels: BTreeMap::from([("app.kubernetes.io/instance".to_owned(), release.name.clone())]),
            told: Vec::new(),
            scaler: release.scaler().map(|(min, max, target, place)| {
                let max = max.max(1);
                let target = target.map(|percent| f64::from(percent.clamp(1, 100)) / 100.0);
                Scaler { min: min.clamp(1, max), max, target, place }
            }),
            services: vec![release.name.clone()],
            also: Vec::new(),
            exposed: release.exposed(),
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
}
