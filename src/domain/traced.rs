//! One request as a trace tells it.

use super::{Cluster, Journey, Population, Root, Stage};
use crate::base::Id;

/// One request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TracedRequest {
    /// When it began, in seconds from the start of the horizon.
    pub begun: f64,
    /// When its client had an answer, or learnt that there will be none.
    pub ended: f64,
    /// Whose.
    pub population: Id<Population>,
    /// Of what.
    pub journey: Id<Journey>,
    /// Where it was routed.
    pub cluster: Id<Cluster>,
    /// Tries that it took.
    pub tries: u32,
    /// Seconds that its last try waited for servers.
    pub waited: f64,
    /// Where and why it was lost, if it was.
    pub lost: Option<(Stage, Id<Root>)>,
}
