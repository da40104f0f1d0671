//! Layer 2: the things that the world is made of, what happens to a request, and the choices that
//! every subject speaks of.

pub mod degraded;
pub mod observation;
pub mod rollout;
pub mod selection;
pub mod stage;
pub mod story;
pub mod timeline;
pub mod traced;

pub use degraded::Degraded;
pub use observation::Observations;
pub use selection::Selection;
pub use stage::Stage;

/// Marks ids of regions.
#[derive(Debug, Clone, Copy)]
pub enum Region {}
/// Marks ids of clusters.
#[derive(Debug, Clone, Copy)]
pub enum Cluster {}
/// Marks ids of services.
#[derive(Debug, Clone, Copy)]
pub enum Service {}
/// Marks ids of stores.
#[derive(Debug, Clone, Copy)]
pub enum Store {}
/// Marks ids of populations.
#[derive(Debug, Clone, Copy)]
pub enum Population {}
/// Marks ids of journeys.
#[derive(Debug, Clone, Copy)]
pub enum Journey {}
/// Marks ids of external dependencies.
#[derive(Debug, Clone, Copy)]
pub enum Dependency {}
/// Marks ids of connections between clusters.
#[derive(Debug, Clone, Copy)]
pub enum Connection {}
/// Marks ids of hubs that connections go through.
#[derive(Debug, Clone, Copy)]
pub enum Hub {}
/// Marks ids of roots: one fault of the scenario on one target, one scripted incident, or demand.
#[derive(Debug, Clone, Copy)]
pub enum Root {}
