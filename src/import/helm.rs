//! What the values of a Helm release say of its pods. Charts are not rendered; what is read are the keys that
//! `helm create` writes into each chart, and most keep: `replicaCount`, `resources`, `autoscaling`, `ingress`, `service`.

use super::documents::{self, Documents};
use super::kustomize::{Object, join};
use super::yaml::{Node, Place};
use std::rc::Rc;

/// A release of Flux or of Argo CD.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) chart: String,
    /// A later one wins.
    values: Vec<Rc<Node>>,
    /// Argo CD's single parameters, by their path: they win over all values.
    parameters: Vec<(String, Rc<Node>)>,
}

fn sources(application: &Node) -> impl Iterator<Item = &Rc<Node>> {
    let spec = application.get("spec");
    spec.into_iter().flat_map(|spec| spec.get("source").into_iter().chain(spec.items_at(&["sources"])))
}

impl Release {
    /// What the object releases; an Application may release several charts, or folders of this repository that are.
    pub(super) fn of(object: &Object, documents: &Documents) -> Vec<Self> {
        let root = &object.root;
        let text = |path: &[&str]| root.text_at(path).map(str::to_owned);
        match (object.kind.as_str(), object.group()) {
            ("HelmRelease", _) => {
                let chart = text(&["spec", "chart", "spec", "chart"])
                    .or_else(|| text(&["spec", "chartRef", "name"]))
                    .or_else(|| text(&["spec", "chart", "name"]));
                let chart = chart.unwrap_or_else(|| object.name.clone());
                let folder = join("", &chart).filter(|folder| documents.is_chart(folder));
                let mut values: Vec<_> =
                    folder.iter().flat_map(|folder| file(folder, "values.yaml", documents)).collect();
                values.extend(root.at(&["spec"]).and_then(|spec| spec.get("values")).cloned());
                vec![Self {
                    name: text(&["spec", "releaseName"]).unwrap_or_else(|| object.name.clone()),
                    namespace: text(&["spec", "targetNamespace"]).or_else(|| object.namespace.clone()),
                    chart: short(&chart),
                    values,
                    parameters: Vec::new(),
                }]
            }
            ("Application", "argoproj.io") => {
                let namespace = text(&["spec", "destination", "namespace"]);
                sources(root)
                    .filter_map(|source| Self::of_source(source, object, namespace.clone(), documents))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn of_source(source: &Node, object: &Object, namespace: Option<String>, documents: &Documents) -> Option<Self> {
        let folder = source.text_at(&["path"]).and_then(|path| join("", path)).filter(|path| documents.is_chart(path));
        let chart = source.text_at(&["chart"]).map(short).or_else(|| folder.as_deref().map(short))?;
        let mut values = Vec::new();
        if let Some(folder) = &folder {
            values.extend(file(folder, "values.yaml", documents));
            for name in source.items_at(&["helm", "valueFiles"]).iter().filter_map(|name| name.text()) {
                values.extend(file(folder, name, documents));
            }
        }
        let helm = source.at(&["helm"]);
        let inline = helm.and_then(|helm| helm.get("values"));
        values
            .extend(inline.into_iter().flat_map(|node| documents::inline(node.text().unwrap_or_default(), node.place)));
        values.extend(helm.and_then(|helm| helm.get("valuesObject")).cloned());
        let parameters = source.items_at(&["helm", "parameters"]).iter();
        let parameters =
            parameters.filter_map(|one| Some((one.text_at(&["name"])?.to_owned(), one.get("value")?.clone())));
        Some(Self {
            name: source.text_at(&["helm", "releaseName"]).unwrap_or(&object.name).to_owned(),
            namespace,
            chart,
            values,
            parameters: parameters.collect(),
        })
    }

    /// The value of the first of these paths that is said.
    fn first(&self, paths: &[&[&str]]) -> Option<&Node> {
        paths.iter().find_map(|path| {
            let dotted = path.join(".");
            let parameter = self.parameters.iter().rev().find(|(name, _)| *name == dotted).map(|(_, value)| &**value);
            parameter.or_else(|| self.values.iter().rev().find_map(|values| values.at(path)))
        })
    }

    fn is_on(&self, path: &[&str]) -> bool {
        self.first(&[path]).and_then(Node::text) == Some("true")
    }

    /// The table `controllers` of charts that are written with the app-template library.
    fn controllers(&self) -> impl Iterator<Item = &Node> {
        let tables = self.values.iter().rev().filter_map(|values| values.at(&["controllers"]));
        tables.flat_map(Node::entries).map(|(_, controller)| &**controller)
    }

    fn containers(&self) -> impl Iterator<Item = &Node> {
        let tables = self.controllers().filter_map(|controller| controller.at(&["containers"]));
        tables.flat_map(Node::entries).map(|(_, container)| &**container)
    }

    pub(super) fn replicas(&self) -> Option<(u32, Place)> {
        let usual = self.first(&[&["replicaCount"], &["replicas"], &["deployment", "replicas"]]);
        let node = usual.or_else(|| self.controllers().find_map(|controller| controller.at(&["replicas"])))?;
        Some((node.text()?.trim().parse().ok()?, node.place))
    }

    /// What one pod asks for of `cpu` or `memory`.
    pub(super) fn request(&self, resource: &str) -> Option<(&str, Place)> {
        let usual = self.first(&[&["resources", "requests", resource]]);
        let node = usual.or_else(|| self.containers().find_map(|one| one.at(&["resources", "requests", resource])))?;
        Some((node.text()?, node.place))
    }

    /// Fewest and most pods, and the target of CPU utilisation in per cent.
    pub(super) fn scaler(&self) -> Option<(u32, u32, Option<u32>, Place)> {
        let table = ["autoscaling", "hpa"].into_iter().find(|table| self.is_on(&[*table, "enabled"]))?;
        let count = |keys: &[&str]| {
            keys.iter().find_map(|key| {
                let node = self.first(&[&[table, key]])?;
                Some((node.text()?.trim().trim_end_matches('%').parse::<u32>().ok()?, node.place))
            })
        };
        let (max, place) = count(&["maxReplicas"])?;
        let min = count(&["minReplicas"]).or_else(|| self.replicas()).map_or(1, |(min, _)| min);
        let target = count(&["targetCPUUtilizationPercentage", "targetCPU", "cpu"]).map(|(target, _)| target);
        Some((min, max, target, place))
    }

    /// What lets users reach it.
    pub(super) fn exposed(&self) -> Option<(&'static str, Place)> {
        let is_open = self.first(&[&["service", "type"]]).filter(|node| node.text() == Some("LoadBalancer"));
        if let Some(node) = is_open {
            return Some(("Service of type LoadBalancer", node.place));
        }
        [("ingress", "Ingress"), ("httpRoute", "Gateway"), ("route", "Gateway")].into_iter().find_map(|(key, way)| {
            let node = self.first(&[&[key, "enabled"]]).filter(|node| node.text() == Some("true"));
            // Several in one table, each by its name.
            let named = || {
                let table = self.first(&[&[key]])?;
                let is_way = |(_, one): &&(String, Rc<Node>)| one.get("hosts").or(one.get("hostnames")).is_some();
                table.entries().iter().find(is_way).map(|(_, one)| &**one)
            };
            Some((way, node.or_else(named)?.place))
        })
    }

    pub(super) fn image(&self) -> Option<&str> {
        let usual = self.first(&[&["image", "repository"], &["image", "name"]]);
        usual.or_else(|| self.containers().find_map(|one| one.at(&["image", "repository"]))).and_then(Node::text)
    }

    /// The size of its volume.
    pub(super) fn storage(&self) -> Option<(&str, Place)> {
        let paths: [&[&str]; 3] =
            [&["persistence", "size"], &["primary", "persistence", "size"], &["master", "persistence", "size"]];
        let node = self.first(&paths)?;
        Some((node.text()?, node.place))
    }
}

/// The documents of a file of a chart.
fn file(folder: &str, name: &str, documents: &Documents) -> Vec<Rc<Node>> {
    join(folder, name).and_then(|path| documents.of(&path)).unwrap_or_default().to_vec()
}

/// `oci://registry/charts/podinfo` → `podinfo`
fn short(chart: &str) -> String {
    chart.trim_end_matches('/').rsplit('/').next().unwrap_or(chart).to_owned()
}
