//! Patches of Kustomize: strategic merges and JSON patches, and whom they mean.

use super::kustomize::Object;
use super::workload::texts;
use super::yaml::{MAX_DEPTH, Node, Value};
use std::rc::Rc;

/// Whether a patch's target means this object.
fn is_target(target: &Node, object: &Object) -> bool {
    let means = |key: &str, is: &str| target.text_at(&[key]).is_none_or(|wanted| fits(wanted, is));
    let labels = texts(object.root.at(&["metadata", "labels"]));
    let is_labelled = target.text_at(&["labelSelector"]).is_none_or(|selector| {
        selector.split(',').all(|one| match one.split_once('=') {
            Some((key, value)) => labels.get(key.trim()).is_some_and(|is| is == value.trim_start_matches('=').trim()),
            None => labels.contains_key(one.trim()),
        })
    });
    means("kind", &object.kind)
        && (means("name", &object.name) || means("name", object.original()))
        && means("group", object.group())
        && object.namespace.as_deref().is_none_or(|namespace| means("namespace", namespace))
        && is_labelled
}

/// Whether the whole text fits the pattern: of regular expressions, `.*` and alternatives are known.
fn fits(pattern: &str, text: &str) -> bool {
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    let inner = pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(pattern);
    inner.split('|').any(|one| {
        let mut parts = one.split(".*");
        let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    })
}

/// A strategic merge into each object that is meant: by the target, or else by kind and name.
pub(super) fn merge_all(patch: &Rc<Node>, target: Option<&Node>, objects: &mut Vec<Object>) {
    let own = (patch.text_at(&["kind"]), patch.text_at(&["metadata", "name"]));
    let is_meant = |object: &Object| match target {
        Some(target) => is_target(target, object),
        None => own.0 == Some(&object.kind) && (own.1 == Some(&object.name) || own.1 == Some(object.original())),
    };
    if is_deletion(patch) {
        objects.retain(|object| !is_meant(object));
        return;
    }
    for object in objects.iter_mut().filter(|object| is_meant(object)) {
        // A patch with a target may carry any name: the object keeps its own.
        let own_name = object.root.at(&["metadata"]).and_then(|metadata| metadata.get("name")).cloned();
        object.root = merge(&object.root, patch);
        if let Some(name) = own_name {
            object.root = put(&object.root, &["metadata", "name"], &name);
        }
    }
}

/// `$patch: delete` takes away what it stands in.
fn is_deletion(patch: &Node) -> bool {
    patch.text_at(&["$patch"]) == Some("delete")
}

/// A strategic merge: tables merge, lists of named tables merge by name, other values are replaced, null removes.
fn merge(base: &Rc<Node>, patch: &Rc<Node>) -> Rc<Node> {
    match (&base.value, &patch.value) {
        (Value::Map(old), Value::Map(new)) => {
            let mut entries = old.clone();
            for (key, value) in new {
                let known = entries.iter().position(|(name, _)| name == key);
                let is_null = matches!(value.value, Value::Scalar(..)) && value.text().is_none();
                match known {
                    Some(index) if is_null || is_deletion(value) => drop(entries.remove(index)),
                    Some(index) => entries[index].1 = merge(&entries[index].1, value),
                    None if is_null || is_deletion(value) => {}
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
                    Some(index) if is_deletion(item) => drop(items.remove(index)),
                    Some(index) => items[index] = merge(&items[index], item),
                    None if is_deletion(item) => {}
                    None => items.push(Rc::clone(item)),
                }
            }
            Node::new(Value::List(items), base.place)
        }
        _ => Rc::clone(patch),
    }
}

/// JSON patches (RFC 6902): `add`, `replace` and `remove`; the other operations touch nothing that a scenario holds.
pub(super) fn operate_all(operations: &[Rc<Node>], target: Option<&Node>, objects: &mut [Object]) {
    for operation in operations {
        let Some(path) = operation.text_at(&["path"]) else { continue };
        let path: Vec<String> = path.split('/').skip(1).take(MAX_DEPTH).map(unescaped).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let value = operation.get("value");
        for object in objects.iter_mut().filter(|object| target.is_some_and(|target| is_target(target, object))) {
            match (operation.text_at(&["op"]), value) {
                (Some("add" | "replace"), Some(value)) => object.root = put(&object.root, &path, value),
                (Some("remove"), _) => object.root = without(&object.root, &path),
                _ => {}
            }
        }
    }
}

/// A part of a JSON pointer as it is meant.
fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The tree without what is at the path.
fn without(node: &Rc<Node>, path: &[&str]) -> Rc<Node> {
    let Some((first, rest)) = path.split_first() else { return Rc::clone(node) };
    let value = match &node.value {
        Value::List(items) => {
            let mut items = items.clone();
            match first.parse::<usize>().ok().filter(|index| *index < items.len()) {
                Some(index) if rest.is_empty() => drop(items.remove(index)),
                Some(index) => items[index] = without(&items[index], rest),
                None => {}
            }
            Value::List(items)
        }
        Value::Map(entries) => {
            let mut entries = entries.clone();
            match entries.iter().position(|(key, _)| key == first) {
                Some(index) if rest.is_empty() => drop(entries.remove(index)),
                Some(index) => entries[index].1 = without(&entries[index].1, rest),
                None => {}
            }
            Value::Map(entries)
        }
        Value::Scalar(..) => return Rc::clone(node),
    };
    Node::new(value, node.place)
}

/// The tree with another value at the path. Tables on the way are made; a list's item must be there.
pub(super) fn put(node: &Rc<Node>, path: &[&str], value: &Rc<Node>) -> Rc<Node> {
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
