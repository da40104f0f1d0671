//! Which objects run in which cluster.
//!
//! Clusters are, in this order: the folders of `clusters/`; those of `overlays/`, `environments/`, `envs/` or
//! `regions/`; the destinations of Argo CD Applications; folders at the top that are named like a region; or the whole
//! repository is one cluster. From there Flux Kustomizations and Argo CD Applications are followed to the folders that
//! they name.

use super::documents::{Documents, Problems};
use super::helm::Release;
use super::kustomize::{Object, change, gather, join};
use super::machinery;
use super::region;
use super::yaml::{Node, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most folders that one cluster is made of.
const MAX_ROOTS: usize = 2000;
/// The most clusters.
const MAX_CLUSTERS: usize = 200;
/// The name of a cluster that no manifest names.
pub(super) const NAMELESS: &str = "cluster";

/// The path of a chart that isn't in the repository: no folder is called so.
const ELSEWHERE: &str = "\0";

/// A cluster and what is deployed to it.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    /// Why there is such a cluster.
    pub(super) because: String,
    pub(super) objects: Vec<Object>,
}

pub(super) fn clusters(documents: &Documents, problems: &mut Problems<'_>) -> Vec<Group> {
    let mut found = Vec::new();
    for container in ["clusters", "overlays", "environments", "envs", "regions"] {
        found = from_roots(&folders_of(container, documents), documents, problems);
        if has_workloads(&found, documents) {
            break;
        }
    }
    if !has_workloads(&found, documents) {
        let named = named_roots(documents);
        // Bare folders say less than Applications do.
        let applied = from_roots(&BTreeMap::new(), documents, problems);
        found = if has_workloads(&applied, documents) { applied } else { from_roots(&named, documents, problems) };
    }
    if !has_workloads(&found, documents) {
        let everything = gather("", documents, problems);
        let everything =
            if everything.iter().any(|object| serves(object, documents)) { everything } else { flat(documents) };
        let names = folders_of("clusters", documents);
        let because = "assumed: no manifest says which cluster it is for".to_owned();
        found = if names.is_empty() {
            vec![Group { name: NAMELESS.to_owned(), because, objects: distinct(everything) }]
        } else {
            let one = |name: String| Group { name, because: because.clone(), objects: distinct(everything.clone()) };
            names.into_keys().map(one).collect()
        };
    }
    found.retain(|group| !group.objects.is_empty());
    if found.len() > MAX_CLUSTERS {
        problems.warn(format!("there are {} clusters; the first {MAX_CLUSTERS} are taken", found.len()));
        found.truncate(MAX_CLUSTERS);
    }
    found
}

pub(super) fn is_workload(object: &Object) -> bool {
    match object.kind.as_str() {
        "Deployment" | "StatefulSet" | "Rollout" | "DeploymentConfig" | "ReplicaSet" | "ReplicationController" => true,
        "Service" => object.group() == "serving.knative.dev",
        _ => false,
    }
}

/// Whether anything in them serves users.
fn has_workloads(groups: &[Group], documents: &Documents) -> bool {
    groups.iter().any(|group| group.objects.iter().any(|object| serves(object, documents)))
}

fn serves(object: &Object, documents: &Documents) -> bool {
    if is_workload(object) {
        return machinery::why_not(object.namespace.as_deref(), object.original()).is_none();
    }
    let releases = Release::of(object, documents);
    releases.iter().any(|release| {
        machinery::why_not(release.namespace.as_deref(), &release.name).is_none()
            && machinery::why_not(None, &release.chart).is_none()
    })
}

/// Every object of every file.
fn flat(documents: &Documents) -> Vec<Object> {
    documents.all().flat_map(|(_, documents)| documents).filter_map(Object::new).collect()
}

/// One of each kind and name; the last one, as an overlay comes after its base.
fn distinct(objects: Vec<Object>) -> Vec<Object> {
    let key = |object: &Object| (object.kind.clone(), object.namespace.clone(), object.name.clone());
    let last: BTreeMap<_, _> = objects.iter().enumerate().map(|(index, object)| (key(object), index)).collect();
    let kept: BTreeSet<usize> = last.into_values().collect();
    objects.into_iter().enumerate().filter(|(index, _)| kept.contains(index)).map(|(_, object)| object).collect()
}

/// Cluster → its folders, where a folder of this name holds folders.
fn folders_of(container: &str, documents: &Documents) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, folder) in documents.folders() {
        let is_first =
            path.rsplit('/').next() == Some(container) && !path.split('/').rev().skip(1).any(|p| p == container);
        for name in folder.folders.iter().filter(|_| is_first) {
            // Parts that clusters share lie beside them.
            if !is_shared(name) {
                out.entry(name.clone()).or_default().extend(join(path, name));
            }
        }
    }
    out
}

/// Parts that clusters are made of, and not one of them.
fn is_shared(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "all",
        "base",
        "bases",
        "common",
        "components",
        "defaults",
        "global",
        "lib",
        "patches",
        "shared",
        "apps",
        "infrastructure",
    ];
    NAMES.contains(&name) || name.starts_with('_') || ["template", "example"].iter().any(|part| name.contains(part))
}

/// Folders at the top that are named like a region.
fn named_roots(documents: &Documents) -> BTreeMap<String, Vec<String>> {
    let top = documents.folder("").map(|folder| &folder.folders).into_iter().flatten();
    top.filter(|name| region::of_name(name).is_some()).map(|name| (name.clone(), vec![name.clone()])).collect()
}

/// Gathers each cluster's folders, and follows what they name.
fn from_roots(roots: &BTreeMap<String, Vec<String>>, documents: &Documents, problems: &mut Problems<'_>) -> Vec<Group> {
    let names: Vec<String> = roots.keys().cloned().collect();
    let is_inside = |path: &str| {
        roots.values().flatten().any(|root| path.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/')))
    };
    let mut work: Vec<Lead> = Vec::new();
    let mut because: BTreeMap<String, String> = BTreeMap::new();
    for (name, folders) in roots {
        because.insert(name.clone(), folders.join(", "));
        let own =
            |path: &String| Lead { cluster: name.clone(), path: path.clone(), place: Place::default(), changes: None };
        work.extend(folders.iter().map(own));
    }
    // Applications that lie in no cluster's folder say themselves where they lead.
    let outside: Vec<Object> = documents
        .all()
        .filter(|(path, _)| !is_inside(path))
        .flat_map(|(_, documents)| documents)
        .filter_map(Object::new)
        .collect();
    let mut objects: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for object in &outside {
        for mut lead in leads(object, None, &names, documents) {
            // A folder of a known cluster is that cluster's, wherever Argo CD runs.
            let is_within = |root: &String| lead.path == *root || lead.path.starts_with(&format!("{root}/"));
            if let Some((owner, _)) = roots.iter().find(|(_, folders)| folders.iter().any(is_within)) {
                lead.cluster.clone_from(owner);
            }
            because.entry(lead.cluster.clone()).or_insert_with(|| format!("from {}", documents.say(lead.place)));
            objects.entry(lead.cluster.clone()).or_default().push(object.clone());
            work.push(lead);
        }
    }
    while let Some(Lead { cluster, path, place, changes }) = work.pop() {
        let key = (cluster.clone(), path.clone(), changes.as_ref().map(|_| (place.file, place.line)));
        if path == ELSEWHERE || !seen.insert(key) || seen.len() > MAX_ROOTS {
            continue;
        }
        let mut found: Vec<Object> = match documents.of(&path) {
            Some(file) => file.iter().filter_map(Object::new).collect(),
            None => gather(&path, documents, problems),
        };
        if let Some(changes) = changes {
            change(&path, &changes, documents, &mut found);
        }
        for object in &found {
            for lead in leads(object, Some(&cluster), &names, documents) {
                because.entry(lead.cluster.clone()).or_insert_with(|| format!("from {}", documents.say(lead.place)));
                // What is deployed from here to another cluster is that one's.
                if lead.cluster != cluster {
                    objects.entry(lead.cluster.clone()).or_default().push(object.clone());
                }
                work.push(lead);
            }
        }
        objects.entry(cluster).or_default().extend(found);
    }
    objects
        .into_iter()
        .map(|(name, objects)| Group {
            because: because.remove(&name).unwrap_or_default(),
            objects: distinct(objects),
            name,
        })
        .collect()
}

/// Where an object leads.
#[derive(Debug)]
struct Lead {
    cluster: String,
    path: String,
    /// What leads there.
    place: Place,
    /// What it changes of what is there, as a kustomization would.
    changes: Option<Rc<Node>>,
}

/// The clusters and folders that a Flux Kustomization, an Argo CD Application or `ApplicationSet` leads to.
fn leads(object: &Object, here: Option<&str>, known: &[String], documents: &Documents) -> Vec<Lead> {
    let root = object.root.as_ref();
    let place = object.place();
    match (object.kind.as_str(), object.group()) {
        ("Kustomization", "kustomize.toolkit.fluxcd.io") => {
            let path = root.text_at(&["spec", "path"]).and_then(|path| join("", path));
            let Some((here, path)) = here.zip(path) else { return Vec::new() };
            vec![Lead { cluster: here.to_owned(), path, place, changes: root.get("spec").cloned() }]
        }
        ("Application", "argoproj.io") => {
            let Some(spec) = root.at(&["spec"]) else { return Vec::new() };
            application(spec, &BTreeMap::new(), place, here, documents)
        }
        ("ApplicationSet", "argoproj.io") => {
            let Some(spec) = root.at(&["spec", "template", "spec"]) else { return Vec::new() };
            let elements =
                root.items_at(&["spec", "generators"]).iter().flat_map(|one| elements(one, known, documents));
            elements.take(MAX_ROOTS).flat_map(|element| application(spec, &element, place, here, documents)).collect()
        }
        _ => Vec::new(),
    }
}

/// Its destination's cluster, with each of its sources that is a folder of this repository.
fn application(
    spec: &Node,
    element: &BTreeMap<String, String>,
    place: Place,
    here: Option<&str>,
    documents: &Documents,
) -> Vec<Lead> {
    let fill = |path: &[&str]| spec.text_at(path).map(|text| filled(text, element));
    let cluster = destination(fill(&["destination", "name"]), fill(&["destination", "server"]), here);
    let sources = spec.get("source").into_iter().chain(spec.items_at(&["sources"]));
    let lead = |source: &Rc<Node>| {
        let changes = source.get("kustomize").cloned();
        let path = if source.text_at(&["chart"]).is_some() {
            ELSEWHERE.to_owned()
        } else {
            let path = join("", &filled(source.text_at(&["path"])?, element))?;
            documents.folder(&path)?;
            path
        };
        Some(Lead { cluster: cluster.clone(), path, place, changes })
    };
    sources.filter_map(lead).collect()
}

/// The cluster that an Application in this one deploys to.
pub(super) fn target(application: &Node, here: &str) -> String {
    let text = |key: &str| application.text_at(&["spec", "destination", key]).map(str::to_owned);
    destination(text("name"), text("server"), Some(here))
}

/// The name of an Application's cluster.
fn destination(name: Option<String>, server: Option<String>, here: Option<&str>) -> String {
    let is_local = |text: &String| text.contains("kubernetes.default.svc") || text == "in-cluster";
    let host = |server: &str| {
        let host = server.split("://").last().unwrap_or(server);
        let end = host.find(['/', ':']).unwrap_or(host.len());
        let host = &host[..end];
        // `us-east.k8s.example.com` → `us-east`; an address stays whole.
        if host.starts_with(|c: char| c.is_ascii_digit()) {
            host.to_owned()
        } else {
            host.split('.').next().unwrap_or(host).to_owned()
        }
    };
    let other = name.filter(|name| !is_local(name) && !name.is_empty());
    let other = other.or_else(|| server.filter(|server| !is_local(server)).map(|server| host(&server)));
    other
        .filter(|other| !other.contains("{{") && !other.is_empty())
        .unwrap_or_else(|| here.unwrap_or(NAMELESS).to_owned())
}

/// What a generator gives: values by name. Lists, folders of this repository, the clusters that are known, and the
/// product of two.
fn elements(generator: &Node, known: &[String], documents: &Documents) -> Vec<BTreeMap<String, String>> {
    let mut out = Vec::new();
    for item in generator.items_at(&["list", "elements"]) {
        let texts = item.entries().iter().filter_map(|(key, value)| Some((key.clone(), value.text()?.to_owned())));
        out.push(texts.collect());
    }
    for directory in generator.items_at(&["git", "directories"]) {
        let Some(pattern) = directory.text_at(&["path"]) else { continue };
        if directory.text_at(&["exclude"]) == Some("true") {
            out.retain(|element: &BTreeMap<String, String>| {
                !element.get("path").is_some_and(|path| is_match(pattern, path))
            });
            continue;
        }
        for (path, _) in documents.folders().filter(|(path, _)| is_match(pattern, path)) {
            let name = path.rsplit('/').next().unwrap_or(path);
            let mut element =
                BTreeMap::from([("path".to_owned(), path.to_owned()), ("path.path".to_owned(), path.to_owned())]);
            element.insert("path.basename".to_owned(), name.to_owned());
            for (index, part) in path.split('/').enumerate() {
                element.insert(format!("path[{index}]"), part.to_owned());
            }
            out.push(element);
        }
    }
    if generator.get("clusters").is_some() {
        out.extend(known.iter().map(|name| BTreeMap::from([("name".to_owned(), name.clone())])));
    }
    let mut factors = generator.items_at(&["matrix", "generators"]).iter().map(|one| {
        // A matrix holds no matrix.
        if one.get("matrix").is_some() { Vec::new() } else { elements(one, known, documents) }
    });
    if let (Some(first), Some(second)) = (factors.next(), factors.next()) {
        for one in first.iter().take(MAX_CLUSTERS) {
            out.extend(
                second
                    .iter()
                    .take(MAX_ROOTS)
                    .map(|two| one.iter().chain(two).map(|(k, v)| (k.clone(), v.clone())).collect()),
            );
        }
    }
    out
}

/// Whether the pattern fits: `*` is one part of a path.
fn is_match(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.trim_matches('/').split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(is)) if wanted == is => {}
            _ => return false,
        }
    }
}

/// A template's text with `{{name}}` and `{{.name}}` filled in.
fn filled(text: &str, element: &BTreeMap<String, String>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        out.push_str(before);
        match element.get(name.trim().trim_start_matches('.')) {
            Some(value) => out.push_str(value),
            None => out.extend(["{{", name, "}}"]),
        }
        rest = behind;
    }
    out + rest
}
