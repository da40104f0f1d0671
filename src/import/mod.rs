//! Kubernetes manifests of a `GitOps` repository → the text of a scenario.
//!
//! What a manifest says is taken over with its file and line; what none of them can say (users, service times, how data
//! is replicated) is filled in and marked `# assumed`. Nothing is executed or fetched: Helm charts and remote bases are
//! named, not rendered. Everything read is untrusted, so sizes, depths and aliases have limits.
//!
//! Source: the Kubernetes API reference (apps/v1, autoscaling/v1 and v2, policy/v1, networking.k8s.io/v1), the Kustomize
//! file format, Argo CD's and Flux's resources.

mod cluster;
mod connect;
mod documents;
mod entry;
mod gitops;
mod helm;
mod journey;
mod kustomize;
mod layout;
mod machinery;
mod patch;
mod platform;
mod region;
mod store;
mod workload;
mod write;
mod yaml;

use crate::diag::{Diagnostics, Sources};
use std::collections::BTreeMap;
use std::io;

/// The files below one folder; only `cli` touches the file system.
pub trait Repository {
    /// Paths relative to the folder, with `/` between their parts, sorted.
    fn paths(&self) -> &[String];
    /// The file's bytes, cut after `limit` of them.
    ///
    /// # Errors
    /// When the file can't be read.
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>>;
}

/// What became of a repository.
#[derive(Debug)]
pub struct Imported {
    /// The scenario.
    pub toml: String,
    /// How many clusters serve users in it.
    pub clusters: usize,
    /// How many services it has.
    pub services: usize,
    /// How many stores it has.
    pub stores: usize,
}

/// What was passed over, by kind.
#[derive(Default, Debug)]
pub struct Skipped {
    /// Objects of a kind that says nothing a scenario holds, and how many.
    pub kinds: BTreeMap<String, usize>,
    /// In words: charts that weren't rendered, workloads that serve no users.
    pub notes: Vec<String>,
}

/// Reads the repository and writes a scenario of this name. What is broken goes to `found`; there is no scenario where
/// no workload was found.
pub fn import(
    name: &str,
    repository: &dyn Repository,
    sources: &mut Sources,
    found: &mut Diagnostics,
    skipped: &mut Skipped,
) -> Option<Imported> {
    let mut problems = documents::Problems::new(sources, found, skipped);
    let documents = documents::Documents::read(repository, &mut problems);
    let clusters = layout::clusters(&documents, &mut problems);
    let platform = platform::Platform::new(&clusters, &documents, &mut problems)?;
    let toml = write::scenario(name, &platform, &documents);
    Some(Imported {
        toml,
        clusters: platform.clusters.len(),
        services: platform.services.len(),
        stores: platform.stores.len(),
    })
}
