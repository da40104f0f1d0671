//! A try of a request: where it is, and what it waits for.

use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Journey, Population};

/// One try of a request, or a request between two tries.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Entry {
    /// Goes up when the entry is somebody else's: what refers to an earlier life is void.
    pub(super) life: u32,
    pub(super) population: Id<Population>,
    pub(super) journey: Id<Journey>,
    pub(super) cluster: Id<Cluster>,
    /// Routed by the current answer, not by an old one.
    pub(super) current: bool,
    /// When the request began.
    pub(super) begun: SimTime,
    /// When the client gives this try up.
    pub(super) deadline: SimTime,
    /// The way back to the client.
    pub(super) back: Span,
    pub(super) tries: u32,
    /// The next step: a position in the journey's program, or in its steps where it has none.
    pub(super) step: u32,
    /// It has got into its cluster.
    pub(super) entered: bool,
    /// How far it has come with a read that missed a cache.
    pub(super) miss: Miss,
    /// It has called a service already, and has crossed the region to the next.
    pub(super) called: bool,
    pub(super) crossed: bool,
    /// Calls whose answers it waits for.
    pub(super) open: u32,
    /// Of these, calls that wait for a server, since when.
    pub(super) queued: u32,
    pub(super) queued_at: SimTime,
    /// Seconds that it has waited for servers.
    pub(super) waited: f64,
    /// The client waits for it still.
    pub(super) wanted: bool,
    /// The other one of two that the client waits for.
    pub(super) twin: Option<(u32, u32)>,
}

impl Entry {
    /// A request that begins.
    pub(super) fn begins(
        now: SimTime,
        population: Id<Population>,
        journey: Id<Journey>,
        (cluster, current): (Id<Cluster>, bool),
    ) -> Self {
        Self {
            life: 0,
            population,
            journey,
            cluster,
            current,
            begun: now,
            deadline: SimTime::NEVER,
            back: Span::ZERO,
            tries: 0,
            step: 0,
            entered: false,
            miss: Miss::No,
            called: false,
            crossed: false,
            open: 0,
            queued: 0,
            queued_at: now,
            waited: 0.0,
            wanted: true,
            twin: None,
        }
    }

    /// A call that nobody waits for any more; servers don't know.
    pub(super) fn nobodys(cluster: Id<Cluster>, now: SimTime) -> Self {
        let way = (cluster, true);
        Self { step: u32::MAX, wanted: false, ..Self::begins(now, Id::new(0), Id::new(0), way) }
    }

    /// The same at the beginning of a try whose answers take so long on their way back.
    pub(super) fn anew(self, back: Span) -> Self {
        let (step, open, queued, waited) = (0, 0, 0, 0.0);
        let (entered, called, crossed) = (false, false, false);
        Self { back, step, entered, miss: Miss::No, called, crossed, open, queued, waited, ..self }
    }
}

/// How far a read has come that missed a cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Miss {
    /// None has missed.
    No,
    /// It calls what is in front of the cached store.
    Calls,
    /// It reads the cached store.
    Reads,
}
