//! What random draws are for: a part of the name of their stream, so that a draw for one purpose never moves another.

use crate::base::stream::digest;

/// When a fault strikes and how long it holds.
pub(super) const CLOCK: u64 = digest("clock");
/// When in its interval a health check probes.
pub(super) const PHASE: u64 = digest("health phase");
/// When a health check raises a false alarm.
pub(super) const ALARM: u64 = digest("false alarm");
/// Whether nodes are short elsewhere, and for how long.
pub(super) const SHORTAGE: u64 = digest("shortage");
/// Whether shallow checks see a degradation.
pub(super) const SEEN: u64 = digest("seen by shallow checks");
/// How long people take to decide.
pub(super) const DECIDE: u64 = digest("decide");
/// How long a promotion takes.
pub(super) const PROMOTE: u64 = digest("promote");
/// Whether a failover covers a failure, and how long it takes if it doesn't.
pub(super) const COVERED: u64 = digest("failover covers");
/// Whether a promotion works.
pub(super) const SUCCESS: u64 = digest("promotion succeeds");
/// How long until a failback.
pub(super) const FAILBACK: u64 = digest("failback");
/// Which writes a promotion loses.
pub(super) const LOST: u64 = digest("lost writes");
/// How long a failover to another zone takes.
pub(super) const ZONE: u64 = digest("zone failover");
/// How long until somebody changes an address.
pub(super) const ADDRESS: u64 = digest("address");
/// Which members a shock hits.
pub(super) const SHOCK: u64 = digest("shock");
/// When a controller next looks at its repository.
pub(super) const POLL: u64 = digest("poll");
/// When it next looks, after it couldn't.
pub(super) const AGAIN: u64 = digest("look again");
/// When it next looks, for what is taken back.
pub(super) const REVERT: u64 = digest("revert");
/// Whether a release is bad.
pub(super) const BAD: u64 = digest("bad release");
/// Whether a release leaves something behind.
pub(super) const ORPHAN: u64 = digest("orphan");
/// When a bad release, or a manual change, is noticed.
pub(super) const DETECT: u64 = digest("detect");
/// From when an instance has a bad release until it shows.
pub(super) const INCUBATION: u64 = digest("incubation");
/// How long it takes to revert a release, or to write a fix.
pub(super) const MEND: u64 = digest("mend");
