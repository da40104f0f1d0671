//! Kustomize as far as a scenario needs it: resources, bases and components, patches, `replicas`, `images`, prefix,
//! suffix and namespace. Generators and transformers say nothing of replicas. Remote bases are not fetched.

use super::documents::{self, Documents, Problems};
use super::patch::{merge_all, operate_all, put};
use super::yaml::{Node, Place, Value};
use std::rc::Rc;

/// The names of its file, in Kustomize's order.
const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The longest chain of bases.
const MAX_CHAIN: usize = 32;
/// The most objects of one folder, bases included.
const MAX_OBJECTS: usize = 100_000;

/// An object of the Kubernetes API, as one cluster gets it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) root: Rc<Node>,
    pub(super) kind: String,
    /// Its name in the cluster, prefix and suffix included.
    pub(super) name: String,
    /// What Kustomize put before and behind its own name.
    affixes: (String, String),
    pub(super) namespace: Option<String>,
}

impl Object {
    pub(super) fn new(root: &Rc<Node>) -> Option<Self> {
        let text = |path: &[&str]| root.text_at(path).map(str::to_owned);
        Some(Self {
            root: Rc::clone(root),
            kind: text(&["kind"])?,
            name: text(&["metadata", "name"])?,
            affixes: (String::new(), String::new()),
            namespace: text(&["metadata", "namespace"]),
        })
    }

    /// The group of its API: `apps`, `argoproj.io`; empty for the core.
    pub(super) fn group(&self) -> &str {
        self.root.text_at(&["apiVersion"]).and_then(|api| api.split_once('/')).map_or("", |(group, _)| group)
    }

    pub(super) fn place(&self) -> Place {
        self.root.place
    }

    /// The name that its manifest gives it, which others' manifests call it by.
    pub(super) fn original(&self) -> &str {
        self.root.text_at(&["metadata", "name"]).unwrap_or(&self.name)
    }

    /// What another object that this one's manifest names is called here: Kustomize gives both the same prefix and suffix.
    pub(super) fn beside(&self, other: &str) -> String {
        format!("{}{other}{}", self.affixes.0, self.affixes.1)
    }
}

/// The paths joined; `None` if that leads out of the repository.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// All objects of a folder: what its kustomization makes, or else its files, and its folders alike.
pub(super) fn gather(folder: &str, documents: &Documents, problems: &mut Problems<'_>) -> Vec<Object> {
    let mut chain = Vec::new();
    let mut out = Vec::new();
    below(folder, documents, problems, &mut chain, &mut out);
    out
}

fn below(
    folder: &str,
    documents: &Documents,
    problems: &mut Problems<'_>,
    chain: &mut Vec<String>,
    out: &mut Vec<Object>,
) {
    let Some(listing) = documents.folder(folder) else { return };
    if documents.is_chart(folder) {
        problems.note(format!("{folder} is a Helm chart, which is not rendered"));
        return;
    }
    if FILES.iter().any(|name| listing.files.contains(*name)) {
        out.extend(build(folder, documents, problems, chain));
        return;
    }
    for name in &listing.files {
        let path = join(folder, name).unwrap_or_default();
        out.extend(documents.of(&path).unwrap_or_default().iter().filter_map(Object::new));
    }
    for name in &listing.folders {
        if chain.len() < MAX_CHAIN && out.len() < MAX_OBJECTS {
            chain.push(String::new());
            below(&join(folder, name).unwrap_or_default(), documents, problems, chain, out);
            chain.pop();
        }
    }
}

/// What the kustomization of a folder makes.
fn build(folder: &str, documents: &Documents, problems: &mut Problems<'_>, chain: &mut Vec<String>) -> Vec<Object> {
    let mut objects = Vec::new();
    apply(folder, documents, problems, chain, &mut objects);
    objects
}

/// Adds what the kustomization of a folder names, and changes all that is there then: for a component that is what its
/// caller has gathered, too.
fn apply(
    folder: &str,
    documents: &Documents,
    problems: &mut Problems<'_>,
    chain: &mut Vec<String>,
    objects: &mut Vec<Object>,
) {
    let file = FILES.iter().filter_map(|name| join(folder, name)).find_map(|path| documents.of(&path));
    let Some(root) = file.and_then(|documents| documents.first()) else { return };
    if chain.iter().any(|above| above == folder) || chain.len() >= MAX_CHAIN {
        problems
            .warn(format!("{}: the bases go in a circle or too deep; the rest is left out", documents.say(root.place)));
        return;
    }
    chain.push(folder.to_owned());
    for key in ["resources", "bases", "components"] {
        for entry in root.items_at(&[key]) {
            let Some(name) = entry.text() else { continue };
            if objects.len() > MAX_OBJECTS {
                break;
            }
            match join(folder, name) {
                _ if is_remote(name) => {
                    problems.note(format!("{}: `{name}` is elsewhere and is not fetched", documents.say(entry.place)));
                }
                Some(path) if documents.of(&path).is_some() => {
                    objects.extend(documents.of(&path).unwrap_or_default().iter().filter_map(Object::new));
                }
                Some(path) if documents.folder(&path).is_some() => {
                    if key == "components" {
                        apply(&path, documents, problems, chain, objects);
                    } else {
                        below(&path, documents, problems, chain, objects);
                    }
                }
                // It was named as broken or as a template when it was read.
                Some(path) if documents.is_left_out(&path) => {}
                Some(_) | None => {
                    problems.warn(format!("{}: there is no `{name}` in the repository", documents.say(entry.place)));
                }
            }
        }
    }
    chain.pop();
    if root.get("helmCharts").is_some() {
        problems.note(format!("{}: its `helmCharts` are not rendered", documents.say(root.place)));
    }
    change(folder, root, documents, objects);
}

fn is_remote(name: &str) -> bool {
    name.contains("://") || name.contains("?ref=") || name.starts_with("git@") || name.starts_with("github.com/")
}

/// Applies what a kustomization says of objects.
pub(super) fn change(folder: &str, root: &Node, documents: &Documents, objects: &mut Vec<Object>) {
    let file = |name: &str| join(folder, name).and_then(|path| documents.of(&path)).unwrap_or_default();
    for entry in root.items_at(&["patchesStrategicMerge"]) {
        for patch in file(entry.text().unwrap_or_default()) {
            merge_all(patch, None, objects);
        }
    }
    for key in ["patches", "patchesJson6902"] {
        for entry in root.items_at(&[key]) {
            let target = entry.get("target").map(Rc::as_ref);
            let inline: Vec<Rc<Node>>;
            let patches = match (entry.text_at(&["path"]), entry.text_at(&["patch"])) {
                (Some(path), _) => file(path),
                (None, Some(text)) => {
                    let place = entry.get("patch").map_or(entry.place, |patch| patch.place);
                    inline = documents::inline(text, place);
                    &inline
                }
                (None, None) => &[],
            };
            for patch in patches {
                match &patch.value {
                    Value::List(operations) => operate_all(operations, target, objects),
                    Value::Map(_) => merge_all(patch, target, objects),
                    Value::Scalar(..) => {}
                }
            }
        }
    }
    for entry in root.items_at(&["replicas"]) {
        let (Some(name), Some(count)) = (entry.text_at(&["name"]), entry.get("count")) else { continue };
        let is_meant = |object: &&mut Object| {
            (object.name == name || object.original() == name)
                && matches!(object.kind.as_str(), "Deployment" | "StatefulSet" | "Rollout" | "ReplicaSet")
        };
        for object in objects.iter_mut().filter(is_meant) {
            object.root = put(&object.root, &["spec", "replicas"], count);
        }
    }
    for entry in root.items_at(&["images"]) {
        let Some(name) = entry.text_at(&["name"]) else { continue };
        let new = entry.text_at(&["newName"]).unwrap_or(name);
        let tag = entry.text_at(&["newTag"]).map(|tag| format!(":{tag}"));
        for object in objects.iter_mut() {
            let containers = object.root.items_at(&["spec", "template", "spec", "containers"]);
            for index in 0..containers.len() {
                let containers = object.root.items_at(&["spec", "template", "spec", "containers"]);
                let image = containers[index].text_at(&["image"]).unwrap_or_default();
                let bare = bare_image(image);
                if bare == name {
                    // Another name leaves the tag as it is.
                    let tag = tag.as_deref().unwrap_or(&image[bare.len()..]);
                    let image = Node::new(Value::Scalar(format!("{new}{tag}"), false), entry.place);
                    let index = index.to_string();
                    object.root =
                        put(&object.root, &["spec", "template", "spec", "containers", &index, "image"], &image);
                }
            }
        }
    }
    let affix = |key| root.text_at(&[key]).unwrap_or_default();
    let (prefix, suffix) = (affix("namePrefix"), affix("nameSuffix"));
    for object in objects.iter_mut() {
        object.name = format!("{prefix}{}{suffix}", object.name);
        object.affixes.0.insert_str(0, prefix);
        object.affixes.1.push_str(suffix);
        object.namespace = root.text_at(&["namespace"]).map(str::to_owned).or_else(|| object.namespace.take());
    }
}

/// An image without its tag and digest.
pub(super) fn bare_image(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((bare, tag)) if !tag.contains('/') => bare,
        _ => image,
    }
}
