//! How Argo CD or Flux keeps clusters in step with the repository.
//!
//! Source: Argo CD's `argocd-cm` (`timeout.reconciliation` 120 s, up to 60 s of jitter) and its Applications
//! (`syncPolicy.automated`: `selfHeal` and `prune` are off unless said); Flux's Kustomizations (`interval`; drift is
//! always corrected, and `prune` must be said).

use super::documents::Documents;
use super::kustomize::Object;
use super::layout::Group;
use super::yaml::{Node, Place, Value};
use std::collections::BTreeSet;
use std::rc::Rc;

/// A setting, and where it is said.
pub(super) type Said<T> = (T, Place);

/// What the controllers do.
#[derive(Debug)]
pub(super) struct Gitops {
    pub(super) is_argo: bool,
    /// In seconds; the tool's default where it isn't said.
    pub(super) poll: Option<Said<f64>>,
    /// Where no other is said: how often what belongs to the cluster itself is looked at.
    upkeep: Option<Said<f64>>,
    /// In seconds.
    pub(super) jitter: Option<Said<f64>>,
    /// Whether manual changes are taken back, of each application.
    pub(super) heals: Vec<Said<bool>>,
    /// Whether what the repository no longer holds is removed, of each application.
    pub(super) prunes: Vec<Said<bool>>,
    /// Applications that somebody syncs.
    pub(super) by_hand: Vec<Place>,
}

impl Gitops {
    /// `None` where nothing is kept in step by a controller.
    pub(super) fn of(groups: &[Group], documents: &Documents) -> Option<Self> {
        let empty = |is_argo| Self {
            is_argo,
            poll: None,
            upkeep: None,
            jitter: None,
            heals: Vec::new(),
            prunes: Vec::new(),
            by_hand: Vec::new(),
        };
        let (mut argo, mut flux) = (empty(true), empty(false));
        let mut seen = BTreeSet::new();
        for object in groups.iter().flat_map(|group| &group.objects) {
            let place = object.place();
            // One ApplicationSet may deploy to many clusters.
            if !seen.insert((place.file, place.line)) {
                continue;
            }
            let spec = object.root.at(&["spec"]);
            match (object.kind.as_str(), object.group()) {
                ("Application", "argoproj.io") => argo.application(object, spec),
                ("ApplicationSet", "argoproj.io") => {
                    argo.application(object, object.root.at(&["spec", "template", "spec"]));
                }
                ("Kustomization", "kustomize.toolkit.fluxcd.io") => flux.kustomization(object, spec),
                _ => {}
            }
        }
        argo.configured(documents);
        flux.poll = flux.poll.or(flux.upkeep);
        [argo, flux].into_iter().find(|one| !one.heals.is_empty() || !one.by_hand.is_empty())
    }

    fn application(&mut self, object: &Object, spec: Option<&Node>) {
        let Some(spec) = spec else { return };
        let automated = spec.at(&["syncPolicy"]).and_then(|policy| policy.get("automated"));
        // `automated: {}` is on, and `automated:` alone is off.
        let is_on = |automated: &&Rc<Node>| {
            matches!(automated.value, Value::Map(_)) && automated.text_at(&["enabled"]) != Some("false")
        };
        match automated.filter(is_on) {
            Some(automated) => {
                let says = |key: &str| match automated.get(key) {
                    Some(node) => (node.text() == Some("true"), node.place),
                    None => (false, automated.place),
                };
                self.heals.push(says("selfHeal"));
                self.prunes.push(says("prune"));
            }
            None => self.by_hand.push(object.place()),
        }
    }

    fn kustomization(&mut self, object: &Object, spec: Option<&Node>) {
        let Some(spec) = spec else { return };
        if spec.text_at(&["suspend"]) == Some("true") {
            self.by_hand.push(object.place());
            return;
        }
        self.heals.push((true, object.place()));
        let prune = spec.get("prune");
        self.prunes.push(prune.map_or((false, object.place()), |prune| (prune.text() == Some("true"), prune.place)));
        // What the cluster needs itself is often looked at less often.
        let is_upkeep =
            ["infra", "flux-system", "crds", "controllers", "monitoring"].iter().any(|part| object.name.contains(part));
        let interval = spec.get("interval").and_then(|node| Some((seconds(node.text()?)?, node.place)));
        // Those that look rarely are the last to follow.
        let poll = if is_upkeep { &mut self.upkeep } else { &mut self.poll };
        *poll = [*poll, interval].into_iter().flatten().max_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// Argo CD's own settings.
    fn configured(&mut self, documents: &Documents) {
        let objects = documents.all().flat_map(|(_, documents)| documents);
        for config in objects.filter(|node| node.text_at(&["metadata", "name"]) == Some("argocd-cm")) {
            let span = |key: &str| {
                let node = config.at(&["data", key])?;
                Some((seconds(node.text()?)?, node.place))
            };
            self.poll = span("timeout.reconciliation").or(self.poll);
            self.jitter = span("timeout.reconciliation.jitter").or(self.jitter);
        }
    }
}

/// Seconds of a duration as Go writes it, above 0 and at most a week: `30s`, `1m0s`, `1.5h`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit = rest[end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| end + at);
        sum += number
            * match &rest[end..unit] {
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (sum > 0.0 && sum <= 604_800.0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_writes_them() {
        for (text, is) in [("30s", 30.0), ("1m0s", 60.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("100ms", 0.1)] {
            assert_eq!(seconds(text), Some(is), "{text}");
        }
        for wrong in ["", "0s", "3", "s", "1 m", "5y", "-1s", "1e9h", "1..s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
