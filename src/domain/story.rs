//! What happened in one seed, one thing after another: what `explain` tells. Written down only when somebody asks.

use super::observation::Observations;
use super::rollout::Why;
use super::{Cluster, Journey, Population, Root, Service, Stage, Store};
use crate::base::Id;

/// One seed's year, as it is told.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// What the same seed observes in a run.
    pub seen: Observations,
    /// Everything that happened, in order of time.
    pub happenings: Vec<Happening>,
    /// Each time that something held its target, in order of its begin.
    pub held: Vec<Hold>,
    /// Where requests were lost; under 1e-4 of a journey's requests isn't told of.
    pub losing: Vec<Losing>,
}

/// A fault held its target; seconds from the start of the horizon.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hold {
    /// The fault on its target.
    pub root: Id<Root>,
    /// Since when; negative in the warm-up.
    pub from: f64,
    /// Until when; infinite if the run ended before.
    pub to: f64,
}

/// Requests were lost for a while.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Losing {
    /// Since when, in seconds from the start of the horizon.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// Whose.
    pub population: Id<Population>,
    /// Of what.
    pub journey: Id<Journey>,
    /// In which stage; `None` where requests were counted one by one.
    pub stage: Option<Stage>,
    /// For which cause.
    pub root: Id<Root>,
    /// How many in all.
    pub requests: f64,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Happening {
    /// When, in seconds from the start of the horizon.
    pub at: f64,
    /// The fault that it follows from, where that is known.
    pub root: Option<Id<Root>>,
    /// What it was.
    pub what: What,
}

/// What moves in a failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moves {
    /// A primary's users.
    Users(Id<Cluster>),
    /// The lead of a store, or of one population's partition of it.
    Store(Id<Store>, Option<Id<Population>>),
}

/// A step of a planned switchover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SwitchStep {
    /// Somebody asks for it.
    Commanded,
    /// The old leader takes no more writes.
    WritesStop,
    /// It answers no more reads.
    ReadsStop,
    /// The new one takes writes.
    Writable,
    /// Clients reach it by its name.
    Resolves,
    /// It is called off.
    CalledOff,
}

/// What can happen. Durations are in seconds.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// The fault takes hold.
    Begins,
    /// It has gone.
    Ends,
    /// Checks mark a cluster, or a store's copy in it, down.
    MarkedDown(Id<Cluster>, Option<Id<Store>>),
    /// They mark it up.
    MarkedUp(Id<Cluster>, Option<Id<Store>>),
    /// Somebody, or something, takes so long to decide on a failover from a cluster.
    Deciding(Moves, Id<Cluster>, f64),
    /// It isn't needed any more.
    StoodDown(Moves),
    /// It is decided: a promotion that takes so long, the first, second … try.
    Promoting(Moves, Id<Cluster>, f64, u64),
    /// What would promote is gone itself: it waits.
    Stalled(Moves),
    /// From one cluster to another.
    Promoted {
        /// What moved.
        of: Moves,
        /// From where.
        from: Id<Cluster>,
        /// To where.
        to: Id<Cluster>,
        /// Acknowledged writes that were lost.
        lost: f64,
        /// Age of the oldest of them.
        rpo: f64,
    },
    /// It is to go back to a cluster after so long.
    FailingBack(Moves, Id<Cluster>, f64),
    /// It is back there.
    FailedBack(Moves, Id<Cluster>),
    /// A deposed leader doesn't know it, and goes on.
    Splits(Id<Store>, Option<Id<Population>>, Id<Cluster>),
    /// It knows now.
    Rejoins(Id<Store>, Option<Id<Population>>, Id<Cluster>),
    /// A copy was brought up to date, which took so long and so many bytes.
    Resynced(Id<Store>, Option<Id<Population>>, Id<Cluster>, f64, f64),
    /// A store's copy fails over to another zone, which takes so long.
    CopyMoves(Id<Cluster>, Id<Store>, f64),
    /// A population is sent to these clusters, each with its share; nobody is on the old answer after so long.
    Answers(Id<Population>, Vec<(Id<Cluster>, f64)>, f64),
    /// Callers in one cluster turn to another for a service: caller, service, from, to.
    Readdressed(Id<Cluster>, Id<Service>, Id<Cluster>, Id<Cluster>),
    /// A standby wakes.
    Wakes(Id<Cluster>),
    /// It goes back to its share of the pods.
    Rests(Id<Cluster>),
    /// No node is to be had in a cluster for so long.
    NodesShort(Id<Cluster>, f64),
    /// There are nodes again.
    NodesAgain(Id<Cluster>),
    /// Pods of dead zones are started in the others.
    Evicted(Id<Cluster>),
    /// A planned switchover of a store to a cluster takes a step.
    Switchover(Id<Store>, Id<Cluster>, SwitchStep),
    /// A cluster runs another revision, for that reason.
    Runs(Id<Cluster>, u64, Why),
    /// A bad release is noticed: its waves stop.
    Noticed,
    /// It is reverted, or a fix is there.
    Mended,
    /// A surge begins, by this factor.
    Surges(f64),
    /// It is over.
    Ebbs,
}

impl What {
    /// Its kind, as tables and programs read it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Begins => "fault-begins",
            Self::Ends => "fault-ends",
            Self::MarkedDown(..) => "marked-down",
            Self::MarkedUp(..) => "marked-up",
            Self::Deciding(..) => "deciding",
            Self::StoodDown(_) => "stood-down",
            Self::Promoting(..) => "promoting",
            Self::Stalled(_) => "stalled",
            Self::Promoted { .. } => "promoted",
            Self::FailingBack(..) => "failing-back",
            Self::FailedBack(..) => "failed-back",
            Self::Splits(..) => "split-brain",
            Self::Rejoins(..) => "split-brain-over",
            Self::Resynced(..) => "resynced",
            Self::CopyMoves(..) => "copy-moves",
            Self::Answers(..) => "answers",
            Self::Readdressed(..) => "readdressed",
            Self::Wakes(_) => "standby-wakes",
            Self::Rests(_) => "standby-rests",
            Self::NodesShort(..) => "nodes-short",
            Self::NodesAgain(_) => "nodes-again",
            Self::Evicted(_) => "evicted",
            Self::Switchover(..) => "switchover",
            Self::Runs(..) => "runs",
            Self::Noticed => "release-noticed",
            Self::Mended => "release-mended",
            Self::Surges(_) => "surge-begins",
            Self::Ebbs => "surge-ends",
        }
    }
}
