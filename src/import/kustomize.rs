//! Kustomize as far as a scenario needs it: resources, bases and components, patches, `replicas`, `images`, prefix,
//! suffix and namespace. Generators and transformers say nothing of replicas. Remote bases are not fetched.

use super::documents::{Documents, Problems};
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
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

impl Object {
    pub(super) fn new(root: &Rc<Node>) -> Option<Self> {
        let text = |path: &[&str]| root.text_at(path).map(str::to_owned);
        Some(Self {
            root: Rc::clone(root),
            kind: text(&["kind"])?,
            name: text(&["metadata", "name"])?,
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
    let file = FILES.iter().filter_map(|name| join(folder, name)).find_map(|path| documents.of(&path));
    let Some(root) = file.and_then(|documents| documents.first()) else { return Vec::new() };
    if chain.iter().any(|above| above == folder) || chain.len() >= MAX_CHAIN {
        problems
            .warn(format!("{}: the bases go in a circle or too deep; the rest is left out", documents.say(root.place)));
        return Vec::new();
    }
    chain.push(folder.to_owned());
    let mut objects = Vec::new();
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
                        // A component changes what is there already.
                        let own = build(&path, documents, problems, chain);
                        objects.extend(own);
                        if let Some(component) = FILES
                            .iter()
                            .filter_map(|name| join(&path, name))
                            .find_map(|path| documents.of(&path))
                            .and_then(|documents| documents.first())
                        {
                            change(&path, component, documents, &mut objects);
                        }
                    } else {
                        below(&path, documents, problems, chain, &mut objects);
                    }
                }
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
    change(folder, root, documents, &mut objects);
    objects
}

fn is_remote(name: &str) -> bool {
    name.contains("://") || name.contains("?ref=") || name.starts_with("git@") || name.starts_with("github.com/")
}

/// Applies what a kustomization says of objects.
fn change(folder: &str, root: &Node, documents: &Documents, objects: &mut [Object]) {
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
                    let parsed = super::yaml::parse(text, place.file, place.line, &mut Vec::new());
                    inline = parsed.ok().flatten().into_iter().collect();
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
            object.name == name
                && matches!(object.kind.as_str(), "Deployment" | "StatefulSet" | "Rollout" | "ReplicaSet")
        };
        for object in objects.iter_mut().filter(is_meant) {
            object.root = put(&object.root, &["spec", "replicas"], count);
        }
    }
    for entry in root.items_at(&["images"]) {
        let Some(name) = entry.text_at(&["name"]) else { continue };
        let new = entry.text_at(&["newName"]).unwrap_or(name);
        let tag = entry.text_at(&["newTag"]).map(|tag| format!(":{tag}")).unwrap_or_default();
        for object in objects.iter_mut() {
            let containers = object.root.items_at(&["spec", "template", "spec", "containers"]);
            for index in 0..containers.len() {
                let containers = object.root.items_at(&["spec", "template", "spec", "containers"]);
                let image = containers[index].text_at(&["image"]).unwrap_or_default();
                if bare_image(image) == name {
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
    for object in objects {
        object.name = format!("{prefix}{}{suffix}", object.name);
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

/// Whether a patch's target names this object. Names may be regular expressions in Kustomize: `.*` alone is known here.
fn is_target(target: &Node, object: &Object) -> bool {
    let fits = |key: &str, is: &str| target.text_at(&[key]).is_none_or(|wanted| wanted == is || wanted == ".*");
    fits("kind", &object.kind)
        && fits("name", &object.name)
        && fits("group", object.group())
        && object.namespace.as_deref().is_none_or(|namespace| fits("namespace", namespace))
}

fn merge_all(patch: &Rc<Node>, target: Option<&Node>, objects: &mut [Object]) {
    let own = (patch.text_at(&["kind"]), patch.text_at(&["metadata", "name"]));
    for object in objects {
        let is_meant = if let Some(target) = target {
            is_target(target, object)
        } else {
            let name = object.root.text_at(&["metadata", "name"]).unwrap_or_default();
            own.0 == Some(&object.kind) && (own.1 == Some(&object.name) || own.1 == Some(name))
        };
        if is_meant {
            object.root = merge(&object.root, patch);
        }
    }
}

/// A strategic merge: tables merge, lists of named tables merge by name, other values are replaced, null removes.
pub(super) fn merge(base: &Rc<Node>, patch: &Rc<Node>) -> Rc<Node> {
    match (&base.value, &patch.value) {
        (Value::Map(old), Value::Map(new)) => {
            let mut entries = old.clone();
            for (key, value) in new {
                let known = entries.iter().position(|(name, _)| name == key);
                let is_null = matches!(value.value, Value::Scalar(..)) && value.text().is_none();
                match known {
                    Some(index) if is_null => drop(entries.remove(index)),
                    Some(index) => entries[index].1 = merge(&entries[index].1, value),
                    None => entries.push((key.clone(), Rc::clone(value))),
                }
            }
            Node::new(Value::Map(entries), base.place)
        }
        (Value::List(old), Value::List(new))
            if new.iter().all(|item| item.get("name").is_some()) && !new.is_empty() =>
        {
            let mut items = old.clone();
            for item in new {
                let name = item.text_at(&["name"]);
                match items.iter().position(|known| known.text_at(&["name"]) == name) {
                    Some(index) => items[index] = merge(&items[index], item),
                    None => items.push(Rc::clone(item)),
                }
            }
            Node::new(Value::List(items), base.place)
        }
        _ => Rc::clone(patch),
    }
}

/// JSON patches (RFC 6902): `add` and `replace`; the other operations touch nothing that a scenario holds.
fn operate_all(operations: &[Rc<Node>], target: Option<&Node>, objects: &mut [Object]) {
    for operation in operations {
        let (Some(path), Some(value)) = (operation.text_at(&["path"]), operation.get("value")) else { continue };
        if !matches!(operation.text_at(&["op"]), Some("add" | "replace")) {
            continue;
        }
        let path: Vec<&str> = path.split('/').skip(1).take(super::yaml::MAX_DEPTH).collect();
        for object in objects.iter_mut().filter(|object| target.is_some_and(|target| is_target(target, object))) {
            object.root = put(&object.root, &path, value);
        }
    }
}

/// The tree with another value at the path. Tables on the way are made; a list's item must be there.
fn put(node: &Rc<Node>, path: &[&str], value: &Rc<Node>) -> Rc<Node> {
    let Some((first, rest)) = path.split_first() else { return Rc::clone(value) };
    match &node.value {
        Value::List(items) => {
            let mut items = items.clone();
            match first.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(item) => *item = put(item, rest, value),
                None if *first == "-" && rest.is_empty() => items.push(Rc::clone(value)),
                None => {}
            }
            Node::new(Value::List(items), node.place)
        }
        Value::Map(entries) => {
            let mut entries = entries.clone();
            if let Some((_, inner)) = entries.iter_mut().find(|(key, _)| key == first) {
                *inner = put(inner, rest, value);
            } else {
                let empty = Node::new(Value::Map(Vec::new()), value.place);
                entries.push(((*first).to_owned(), put(&empty, rest, value)));
            }
            Node::new(Value::Map(entries), node.place)
        }
        Value::Scalar(..) => Rc::clone(node),
    }
}
