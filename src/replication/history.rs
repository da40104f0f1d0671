//! Who has what of a partition's writes: the leader makes its history, the copies follow.
//!
//! History is measured in seconds in which the leader takes writes; it stands still while the leader is gone. A copy that
//! can't be reached stays where it is. Once it can, it catches up so many seconds of history each second, and is level
//! when nothing that was written is missing. A promotion makes the new leader's history the one that stays: what goes
//! beyond it is cut off, and a copy that has some of that is copied whole.
//!
//! Only acknowledged writes count, as the traffic engine found them; their rate is even within a piece.

use crate::base::Id;
use crate::domain::Root;

/// Seconds, of history or of time, that are none: times are whole nanoseconds.
const NOTHING: f64 = 1e-6;

/// How fast a copy is brought up to date.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Speeds {
    /// Seconds of history each second, above 1.
    pub catch_up: f64,
    /// Bytes a second of a whole copy.
    pub copy: f64,
    /// Bytes of a whole copy.
    pub size: f64,
}

/// What was written in some time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Written {
    /// Pieces in order: the second at which it ends, and the acknowledged writes in it.
    pub pieces: Vec<(f64, f64)>,
    /// Bytes of all of them.
    pub bytes: f64,
}

/// A copy that is up to date again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Resync {
    /// Which member.
    pub member: usize,
    /// Seconds that it took, from when the copy could be reached.
    pub seconds: f64,
    /// Bytes that it lacked; all there are if it was copied whole.
    pub bytes: f64,
    /// Of those: bytes that no write accounted for when it was made.
    pub extra: f64,
}

/// What came of some time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Followed {
    /// Copies that are up to date again.
    pub done: Vec<Resync>,
    /// Some copy began or ceased to lack something, to be copied whole, or to be waited for.
    pub moved: bool,
}

/// How far a copy is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    /// It has all there is.
    Level,
    /// It has all until here.
    Behind(f64),
    /// Its own history is another: so many bytes are left to copy, of the state as it was at this place once begun.
    Whole(f64, Option<f64>),
}

/// One copy.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Copy {
    place: Place,
    /// Why the leader can't reach it, if it can't.
    away: Option<Id<Root>>,
    /// Why it was away last.
    root: Id<Root>,
    /// Writes wait for it; not for a leader that was deposed until it is level.
    counts: bool,
    /// Bytes that were written without it.
    missed: f64,
    /// Bytes of the whole copy that is being made.
    whole: Option<f64>,
    /// Seconds that it has been catching up.
    spent: f64,
}

/// The history of one partition and how far its members are, in the plan's order.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    leader: usize,
    copies: Vec<Copy>,
    /// Seconds of history.
    head: f64,
    /// Where pieces of history end, and the writes until there, since somebody fell behind.
    pieces: Vec<(f64, f64)>,
    /// The leader takes writes.
    grows: bool,
    /// The leader is there for others to follow.
    ships: bool,
}

impl History {
    /// Everybody has everything; the first member leads.
    pub fn new(members: usize) -> Self {
        let root = Id::new(0);
        let copy = Copy { place: Place::Level, away: None, root, counts: true, missed: 0.0, whole: None, spent: 0.0 };
        Self { leader: 0, copies: vec![copy; members], head: 0.0, pieces: Vec::new(), grows: true, ships: true }
    }

    fn followers(&self) -> impl Iterator<Item = &Copy> {
        self.copies.iter().enumerate().filter(|&(member, _)| member != self.leader).map(|(_, copy)| copy)
    }

    /// Some follower lacks something, or will if anything is written: time has to be followed.
    pub fn is_troubled(&self) -> bool {
        self.followers().any(|copy| copy.away.is_some() || copy.place != Place::Level)
    }

    /// Whether [`Self::set`] would change anything.
    pub fn differs(&self, grows: bool, ships: bool, away: &[Option<Id<Root>>]) -> bool {
        (self.grows, self.ships) != (grows, ships)
            || self.copies.iter().zip(away).any(|(copy, away)| copy.away != *away)
    }

    /// From now on: whether the leader takes writes, whether it is there to follow, and for each member why it can't be
    /// reached. True if that is new, or if writes come to wait for somebody.
    pub fn set(&mut self, grows: bool, ships: bool, away: &[Option<Id<Root>>]) -> bool {
        let differs = self.differs(grows, ships, away);
        (self.grows, self.ships) = (grows, ships);
        for (copy, &away) in self.copies.iter_mut().zip(away) {
            copy.away = away;
            copy.root = away.unwrap_or(copy.root);
        }
        self.count() || differs
    }

    /// Writes wait from now on for whoever is level and can be reached. True if they come to wait for somebody.
    pub fn count(&mut self) -> bool {
        let mut changed = false;
        for copy in &mut self.copies {
            let comes = !copy.counts && copy.away.is_none() && self.ships && copy.place == Place::Level;
            copy.counts |= comes;
            changed |= comes;
        }
        changed
    }

    /// So many seconds pass, in which so much is written.
    pub fn advance(&mut self, seconds: f64, written: &Written, speeds: Speeds) -> Followed {
        let before = self.head;
        if self.pieces.is_empty() {
            self.pieces.push((before, 0.0));
        }
        let so_far = self.pieces.last().map_or(0.0, |&(_, writes)| writes);
        if self.grows {
            self.head += seconds;
            let mut writes = so_far;
            self.pieces.extend(written.pieces.iter().map(|&(end, more)| {
                writes += more;
                (before + end, writes)
            }));
        }
        let writes = self.until(self.head) - so_far;
        let speed = speeds.catch_up - f64::from(u8::from(self.grows));
        let mut followed = Followed::default();
        for member in (0..self.copies.len()).filter(|&member| member != self.leader) {
            let mut copy = self.copies[member];
            let follows = copy.away.is_none() && self.ships;
            match copy.place {
                Place::Level if follows || writes <= 0.0 => {}
                Place::Level => {
                    copy.place = Place::Behind(before);
                    copy.missed += written.bytes;
                }
                Place::Behind(_) | Place::Whole(_, None) if !follows => copy.missed += written.bytes,
                Place::Behind(at) => {
                    let takes = (before - at) / speed;
                    let reached = at + speeds.catch_up * seconds;
                    if takes <= seconds + NOTHING || self.written(reached) <= 0.0 {
                        let (bytes, extra) = match copy.whole {
                            Some(size) => (size, (size - copy.missed).max(0.0)),
                            None => (copy.missed, 0.0),
                        };
                        followed.done.push(Resync { member, seconds: copy.spent + takes.min(seconds), bytes, extra });
                        let (away, root) = (copy.away, copy.root);
                        let place = Place::Level;
                        copy = Copy { place, away, root, counts: true, missed: 0.0, whole: None, spent: 0.0 };
                    } else {
                        copy.place = Place::Behind(reached);
                        copy.spent += seconds;
                    }
                }
                Place::Whole(_, Some(_)) if !follows => {}
                Place::Whole(left, at) => {
                    let at = at.unwrap_or(before);
                    let left = left - speeds.copy * seconds;
                    copy.whole = Some(speeds.size);
                    copy.spent += seconds;
                    copy.place =
                        if left <= speeds.copy * NOTHING { Place::Behind(at) } else { Place::Whole(left, Some(at)) };
                }
            }
            let before = core::mem::replace(&mut self.copies[member], copy);
            let is_so = |copy: &Copy| (copy.counts, core::mem::discriminant(&copy.place));
            followed.moved |= is_so(&before) != is_so(&copy);
        }
        if self.copies.iter().all(|copy| copy.place == Place::Level) {
            self.pieces.clear();
        }
        followed
    }

    /// Writes until a place in the history.
    fn until(&self, at: f64) -> f64 {
        let next = self.pieces.partition_point(|&(end, _)| end < at);
        match (next.checked_sub(1).map(|before| self.pieces[before]), self.pieces.get(next)) {
            (Some((from, less)), Some(&(to, more))) => less + (more - less) * ((at - from) / (to - from)),
            (None, Some(&(_, writes))) | (Some((_, writes)), None) => writes,
            (None, None) => 0.0,
        }
    }

    /// Writes from a place in the history to its head.
    fn written(&self, at: f64) -> f64 {
        self.until(self.head) - self.until(at)
    }

    /// What a member lacks: how old the oldest of it is, in seconds of history, and how many writes. Endless if its
    /// history is another.
    pub fn missing(&self, member: usize) -> (f64, f64) {
        match self.copies[member].place {
            Place::Level => (0.0, 0.0),
            Place::Whole(..) => (f64::INFINITY, f64::INFINITY),
            Place::Behind(at) => {
                let had = self.until(at);
                let oldest = self.pieces.windows(2).find(|pair| pair[1].1 > had).map_or(self.head, |pair| pair[0].0);
                (self.head - oldest.max(at), self.until(self.head) - had)
            }
        }
    }

    /// Seconds until a member is level, should all stay as it is; `None` if it never will be.
    pub fn level_in(&self, member: usize, speeds: Speeds) -> Option<f64> {
        let copy = &self.copies[member];
        let growth = f64::from(u8::from(self.grows));
        let (copying, gap) = match copy.place {
            Place::Level => (0.0, 0.0),
            Place::Behind(at) => (0.0, self.head - at),
            Place::Whole(left, at) => (left / speeds.copy, at.map_or(0.0, |at| self.head - at)),
        };
        (copy.away.is_none() && self.ships).then(|| copying + (gap + growth * copying) / (speeds.catch_up - growth))
    }

    /// Seconds until some copy is level or copied, should all stay as it is.
    pub fn next_change(&self, speeds: Speeds) -> Option<f64> {
        let members = (0..self.copies.len()).filter(|&member| member != self.leader);
        let next = members.filter_map(|member| match self.copies[member].place {
            Place::Level => None,
            Place::Behind(_) => self.level_in(member, speeds),
            Place::Whole(left, _) => self.level_in(member, speeds).map(|_| left / speeds.copy),
        });
        next.reduce(f64::min)
    }

    /// A member leads from now on. `keeps`: it was given all that it lacked. `parted`: the old leader has writes that the
    /// new one never gets. Why the old one was deposed is a `root`.
    pub fn promote(&mut self, to: usize, keeps: bool, parted: bool, root: Id<Root>, size: f64) {
        let from = core::mem::replace(&mut self.leader, to);
        let whole = Place::Whole(size, None);
        let ends = match self.copies[to].place {
            Place::Behind(at) if !keeps => at,
            Place::Level | Place::Behind(_) | Place::Whole(..) => self.head,
        };
        let kept = self.until(ends);
        for member in 0..self.copies.len() {
            let at = match self.copies[member].place {
                Place::Level => self.head,
                Place::Behind(at) => at,
                Place::Whole(..) => f64::INFINITY,
            };
            let beyond = at.is_infinite() || self.until(at) > kept || (member == from && parted);
            let copy = &mut self.copies[member];
            copy.counts &= member != from;
            if member == from {
                copy.root = root;
            }
            copy.place = match () {
                () if member == to => Place::Level,
                () if beyond => whole,
                () if at < ends => Place::Behind(at),
                () => Place::Level,
            };
            if beyond || member == to {
                (copy.missed, copy.whole, copy.spent) = (0.0, None, 0.0);
            }
        }
        self.pieces.retain(|&(end, _)| end < ends);
        if !self.pieces.is_empty() {
            self.pieces.push((ends, kept));
        }
        self.head = ends;
    }

    /// Whether writes wait for a member: not for a leader that was deposed until it has caught up.
    pub fn counts(&self, member: usize) -> bool {
        self.copies[member].counts
    }

    /// Why a member lacks something, if it does.
    pub fn why_behind(&self, member: usize) -> Option<Id<Root>> {
        (self.copies[member].place != Place::Level).then_some(self.copies[member].root)
    }

    /// A member's own history is another: it serves nobody until it is copied.
    pub fn is_foreign(&self, member: usize) -> bool {
        matches!(self.copies[member].place, Place::Whole(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEEDS: Speeds = Speeds { catch_up: 2.0, copy: 10.0, size: 500.0 };

    fn fault() -> Id<Root> {
        Id::new(7)
    }

    fn nothing(seconds: f64) -> Written {
        Written { pieces: vec![(seconds, 0.0)], bytes: 0.0 }
    }

    /// Four writes a second of 100 bytes.
    fn pass(history: &mut History, seconds: f64) -> Vec<Resync> {
        let writes = if history.grows { 4.0 * seconds } else { 0.0 };
        history.advance(seconds, &Written { pieces: vec![(seconds, writes)], bytes: 100.0 * writes }, SPEEDS).done
    }

    #[test]
    fn a_follower_falls_behind_and_catches_up() {
        let mut history = History::new(2);
        assert!(!history.is_troubled());
        // Cut off for 600 s; twice as fast it gains a second each second.
        assert!(history.differs(true, true, &[None, Some(fault())]));
        history.set(true, true, &[None, Some(fault())]);
        assert!(history.is_troubled() && !history.differs(true, true, &[None, Some(fault())]));
        assert_eq!(pass(&mut history, 600.0), []);
        assert_eq!(history.missing(1), (600.0, 2400.0));
        history.set(true, true, &[None, None]);
        assert_eq!(history.next_change(SPEEDS), Some(600.0));
        assert_eq!(pass(&mut history, 300.0), []);
        assert_eq!(history.missing(1), (300.0, 1200.0));
        // The leader is gone: nothing is written, nothing is shipped.
        history.set(false, false, &[None, None]);
        pass(&mut history, 1000.0);
        assert_eq!(history.missing(1), (300.0, 1200.0));
        assert_eq!(history.next_change(SPEEDS), None);
        history.set(true, true, &[None, None]);
        // It took 300 + 300 s, for the 2400 writes that it had missed.
        assert_eq!(pass(&mut history, 300.0), [Resync { member: 1, seconds: 600.0, bytes: 240_000.0, extra: 0.0 }]);
        assert!(!history.is_troubled());
    }

    #[test]
    fn nothing_written_is_nothing_missed() {
        let mut history = History::new(2);
        history.set(true, true, &[None, Some(fault())]);
        history.advance(600.0, &nothing(600.0), SPEEDS);
        assert_eq!(history.missing(1), (0.0, 0.0));
        // The oldest write that it lacks was made 100 s ago.
        history.advance(100.0, &Written { pieces: vec![(100.0, 5.0)], bytes: 5.0 }, SPEEDS);
        assert_eq!(history.missing(1), (100.0, 5.0));
        history.advance(50.0, &nothing(50.0), SPEEDS);
        assert_eq!(history.missing(1), (150.0, 5.0));
    }

    #[test]
    fn the_new_leaders_history_stays() {
        let mut history = History::new(3);
        // The third is cut off for 100 s, then the second as well for 50 s; the third is promoted all the same.
        history.set(true, true, &[None, None, Some(fault())]);
        pass(&mut history, 100.0);
        history.set(true, true, &[None, Some(fault()), Some(fault())]);
        pass(&mut history, 50.0);
        assert_eq!((history.missing(1), history.missing(2)), ((50.0, 200.0), (150.0, 600.0)));
        history.promote(1, false, true, Id::new(7), SPEEDS.size);
        // The second leads from 100 s on; the third lacks those 100 s; the first has 50 s that nobody else has.
        assert_eq!(history.missing(2), (100.0, 400.0));
        assert!(history.is_foreign(0) && !history.counts(0) && history.counts(2));
        assert_eq!(history.why_behind(0), Some(fault()));
        history.set(true, true, &[Some(fault()), None, None]);
        let caught = pass(&mut history, 100.0);
        assert_eq!(caught, [Resync { member: 2, seconds: 100.0, bytes: 60_000.0, extra: 0.0 }]);
        // 500 bytes at 10 a second, meanwhile 50 s were written, and another 50 s to catch up. Of the 500 bytes
        // none is billed, as 100 s of writes were when they were made.
        history.set(true, true, &[None, None, None]);
        assert_eq!((history.next_change(SPEEDS), history.level_in(0, SPEEDS)), (Some(50.0), Some(100.0)));
        assert_eq!(pass(&mut history, 50.0), []);
        assert!(!history.is_foreign(0) && !history.counts(0));
        assert_eq!(pass(&mut history, 50.0), [Resync { member: 0, seconds: 100.0, bytes: 500.0, extra: 0.0 }]);
        assert!(history.counts(0) && !history.is_troubled());
    }

    #[test]
    fn who_hands_over_loses_nothing() {
        let mut history = History::new(2);
        history.set(true, true, &[None, Some(fault())]);
        pass(&mut history, 100.0);
        history.promote(1, true, false, Id::new(7), SPEEDS.size);
        assert!(!history.is_foreign(0) && history.missing(0) == (0.0, 0.0));
        history.set(true, true, &[None, None]);
        assert!(history.counts(0) && !history.is_troubled());
    }
}
