//! Releases and drift: names become ids, and what a bad change does becomes a fault's effect on a hold of its own.

use super::super::{DriftPlan, Element, Hit, OrphanPlan, ReleasePlan, RolloutPlan};
use super::Targets;
use crate::base::stream::digest;
use crate::base::{Id, Probability};
use crate::dist::Dist;
use crate::domain::{Cluster, Selection};
use crate::failure::spec::{Down, EffectSpec, ServiceTarget, TargetSpec};
use crate::rollout::management::{BAD, Management};
use crate::rollout::schedule::Timing;
use crate::rollout::spec::{CanarySpec, Harm, OrphanSpec};

impl From<Harm> for EffectSpec {
    fn from(harm: Harm) -> Self {
        match harm {
            Harm::Crash {} => Self::Down(Down { refuses: true, ..Down::default() }),
            Harm::Degraded(harm) => Self::Degraded(harm),
        }
    }
}

impl Targets<'_> {
    pub(super) fn rollout(&mut self) -> RolloutPlan {
        let compiler = self.compiler;
        let spec = &compiler.scenario.spec;
        let warm_up = spec.simulation.warm_up;
        let mut plan = RolloutPlan { gitops: spec.gitops.clone(), ..RolloutPlan::default() };
        for release in &spec.release {
            let of = match &release.service {
                None => TargetSpec::Clusters(Selection::All),
                Some(name) => TargetSpec::Service(ServiceTarget { name: name.clone(), clusters: Selection::All }),
            };
            let hits = self.members(&release.name, &format!("release {}", release.name), &of);
            let is_pruned = spec.gitops.as_ref().is_some_and(|gitops| gitops.prune);
            let orphan = release.orphan.as_ref().map(|orphan| {
                let name = OrphanSpec::name_of(&release.name);
                let hits = self.members(&name, &format!("orphan {}", release.name), &of);
                OrphanPlan {
                    left_by: orphan.left_by,
                    chance: if is_pruned { 0.0 } else { orphan.chance.get() },
                    members: hits.into_iter().filter_map(|hit| Some((self.cluster_of(hit)?, hit))).collect(),
                    effect: orphan.effect.into(),
                    noticed: orphan.noticed.clone(),
                }
            });
            plan.releases.push(ReleasePlan {
                digest: digest(&release.name),
                every: release.every.clone(),
                at: release.at.map(|at| warm_up + at),
                bad: release.bad.map_or(spec.management.map_or(BAD, Management::bad), Probability::get),
                members: hits.into_iter().filter_map(|hit| Some((self.cluster_of(hit)?, hit))).collect(),
                harm: release.effect,
                incubation: release.incubation.clone(),
                detect: release.detect.clone(),
                orphan,
            });
        }
        for drift in &spec.drift {
            let usual = || spec.management.map(|way| Dist::exponential(way.drifts_every()));
            let every = drift.every.clone().or_else(|| if drift.at.is_some() { None } else { usual() });
            let of = TargetSpec::Clusters(drift.clusters.clone());
            for hit in self.members(&drift.name, &format!("drift {}", drift.name), &of) {
                let Some(cluster) = self.cluster_of(hit) else { continue };
                plan.drifts.push(DriftPlan {
                    cluster,
                    hit,
                    every: every.clone(),
                    at: drift.at.map(|at| warm_up + at),
                    effect: drift.effect.into(),
                    noticed: drift.noticed.clone(),
                });
            }
        }
        let rollout = &spec.rollout;
        let named = |wave: &Vec<String>| wave.iter().map(|name| compiler.cluster(name)).collect();
        plan.waves = match &rollout.waves {
            Some(waves) => waves.iter().map(named).collect(),
            None => vec![compiler.selected_clusters(&Selection::All)],
        };
        plan.timing = Timing {
            canary: rollout.canary.map(|CanarySpec { share, deploy, bake }| (share.get(), deploy, bake)),
            deploy: rollout.deploy,
            first_bake: rollout.first_bake.unwrap_or(rollout.bake),
            bake: rollout.bake,
        };
        plan.on_bad = rollout.on_bad.clone();
        plan.synthetic = Probability::get(rollout.synthetic);
        let freezes = rollout.freeze.iter();
        plan.freezes = freezes.map(|freeze| (warm_up + freeze.from, warm_up + freeze.from + freeze.lasts)).collect();
        plan
    }

    fn cluster_of(&self, hit: Hit) -> Option<Id<Cluster>> {
        match self.holds[hit.hold as usize].element {
            Element::Cluster(cluster) | Element::Service(cluster, _) => Some(cluster),
            Element::Region(_)
            | Element::Zone(..)
            | Element::Pod(..)
            | Element::Connection(_)
            | Element::Hub(_)
            | Element::Copy(..)
            | Element::Link(..)
            | Element::Access(..)
            | Element::Checks(_)
            | Element::Routing
            | Element::Gitops
            | Element::Controller(_)
            | Element::Dependency(_) => None,
        }
    }
}
