//! From a seed's story to its incidents: each fault that struck, with what followed from it and what it cost.
//!
//! A shock that hits several targets at once is one incident; so is a bad release that goes from cluster to cluster, and
//! what overlaps on one target. A lost request, an outage and a decision belong to the last occurrence of the fault that is
//! their root; what no fault caused is told in episodes, half an hour apart. So nothing is told twice. It is the
//! attribution that reports make, a convention: not what would have been without that fault.

use crate::base::Id;
use crate::domain::observation::Outage;
use crate::domain::story::{Happening, Hold, Losing, Story, What};
use crate::domain::{Population, Root, Stage, Store};
use crate::plan::{DEMAND, Plan};

/// Losses without a fault that are as far apart are two episodes.
const EPISODE_S: f64 = 1800.0;
/// A moment may be put a little late by what tells of it.
const SLACK_S: f64 = 1e-6;
/// Where requests are counted by the minute an outage may seem to begin a minute early.
const GRAIN_S: f64 = 60.0;

/// One fault's strike, and what came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    /// The fault on each of its targets, in the order in which they were hit; demand where no fault did it.
    pub roots: Vec<Id<Root>>,
    /// When it struck, in seconds from the start of the horizon.
    pub from: f64,
    /// When it was gone; infinite if that was after the end.
    pub to: f64,
    /// When the last thing that followed from it was over.
    pub over: f64,
    /// Requests that it lost.
    pub lost: f64,
    /// By stage, most first; `None` where requests were counted one by one.
    pub stages: Vec<(Option<Stage>, f64)>,
    /// By population, most first.
    pub populations: Vec<(Id<Population>, f64)>,
    /// Acknowledged writes that its promotions lost.
    pub writes: f64,
    /// Acknowledged writes that a deposed leader took and that didn't stay; of several splits by how long they lasted.
    pub split: f64,
    /// The outages that it began.
    pub outages: Vec<Outage>,
    /// What happened, in order.
    pub happenings: Vec<Happening>,
}

impl Incident {
    fn new(root: Id<Root>, from: f64, to: f64) -> Self {
        Self {
            roots: vec![root],
            from,
            to,
            over: from,
            lost: 0.0,
            stages: Vec::new(),
            populations: Vec::new(),
            writes: 0.0,
            split: 0.0,
            outages: Vec::new(),
            happenings: Vec::new(),
        }
    }

    /// Somebody noticed: a request, or a write that was acknowledged, was lost.
    pub fn is_noticed(&self) -> bool {
        !self.outages.is_empty() || self.harm() >= 1.0
    }

    /// Requests lost, and acknowledged writes that didn't stay.
    pub fn harm(&self) -> f64 {
        self.lost + self.writes + self.split
    }

    /// The union of its outages, in seconds: when some users of it were below 99 %.
    pub fn out(&self) -> Vec<(f64, f64)> {
        let mut all: Vec<(f64, f64)> = self.outages.iter().map(|outage| (outage.start, outage.end)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut union: Vec<(f64, f64)> = Vec::new();
        for (start, end) in all {
            match union.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                Some(_) | None => union.push((start, end)),
            }
        }
        union
    }

    fn lose(&mut self, piece: &Losing) {
        self.lost += piece.requests;
        add(&mut self.stages, piece.stage, piece.requests);
        add(&mut self.populations, piece.population, piece.requests);
        self.over = self.over.max(piece.to);
    }
}

fn add<K: PartialEq>(sums: &mut Vec<(K, f64)>, key: K, amount: f64) {
    match sums.iter_mut().find(|sum| sum.0 == key) {
        Some(sum) => sum.1 += amount,
        None => sums.push((key, amount)),
    }
}

/// A seed's incidents.
#[derive(Clone, PartialEq, Debug)]
pub struct Incidents {
    /// Those that somebody noticed, by what they cost.
    pub noticed: Vec<Incident>,
    /// Those that nobody noticed, in order of time.
    pub harmless: Vec<Incident>,
    /// What happened without a fault that it could be put down to.
    pub others: Vec<Happening>,
    /// Requests lost in all.
    pub lost: f64,
    /// Of these: a few at a time, under one in 10,000 of a journey's, and what struck before the horizon.
    pub background: f64,
}

/// Sorts out who is to blame for what.
pub fn incidents(plan: &Plan, story: &Story) -> Incidents {
    let mut all = merged(plan, &story.held);
    let mut by_root = by_root(plan, &all);
    episodes(story, &mut all, &mut by_root);
    for piece in &story.losing {
        if let Some(place) =
            latest(&all, &by_root, piece.root, piece.from + GRAIN_S * f64::from(u8::from(piece.stage.is_none())))
        {
            all[place].lose(piece);
        }
    }
    for outage in &story.seen.outages {
        if let Some(place) = latest(&all, &by_root, outage.root, outage.start + GRAIN_S) {
            all[place].over = all[place].over.max(outage.end);
            all[place].outages.push(outage.clone());
        }
    }
    let mut others = Vec::new();
    let mut unclear = Vec::new();
    for happening in &story.happenings {
        match happening.root.and_then(|root| latest(&all, &by_root, root, happening.at)) {
            Some(place) => happens(&mut all[place], happening),
            None => unclear.push(happening),
        }
    }
    split_writes(plan, story, &mut all);
    // What has no cause of its own belongs to what was going on and cost most.
    for happening in unclear {
        let at = happening.at;
        let end = |one: &Incident| one.over.max(if one.to.is_finite() { one.to } else { one.over });
        let going_on = |one: &&mut Incident| one.from <= at + SLACK_S && at <= end(one) + SLACK_S && one.is_noticed();
        match all.iter_mut().filter(going_on).max_by(|a, b| a.harm().total_cmp(&b.harm())) {
            Some(incident) => happens(incident, happening),
            None => others.push(happening.clone()),
        }
    }
    let horizon = plan.horizon.secs();
    for incident in &mut all {
        incident.over = incident.over.max(incident.to.min(horizon)).min(horizon);
        incident.happenings.sort_by(|a, b| a.at.total_cmp(&b.at));
        incident.stages.sort_by(|a, b| b.1.total_cmp(&a.1));
        incident.populations.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    }
    let lost = story.seen.losses.iter().map(|loss| loss.requests).sum();
    let (mut noticed, harmless): (Vec<_>, Vec<_>) = all.into_iter().partition(Incident::is_noticed);
    noticed.sort_by(|a, b| b.harm().total_cmp(&a.harm()).then(a.from.total_cmp(&b.from)));
    // Less than a request without a fault is nothing to tell.
    let is_fault = |incident: &Incident| incident.to > 0.0 && incident.roots.iter().all(|root| root.index() != DEMAND);
    let harmless: Vec<_> = harmless.into_iter().filter(is_fault).collect();
    let told: f64 = noticed.iter().chain(&harmless).map(|incident| incident.lost).sum();
    Incidents { noticed, harmless, others, lost, background: (lost - told).max(0.0) }
}

/// Puts the writes that deposed leaders took down to the incidents that deposed them.
fn split_writes(plan: &Plan, story: &Story, all: &mut [Incident]) {
    let led = plan.stores.iter_enumerated().filter(|(_, store)| store.is_led());
    for (id, _) in led {
        let undone: f64 = story.seen.data.get(id.index()).into_iter().flatten().map(|tally| tally.undone).sum();
        let lasted: Vec<f64> = all.iter().map(|incident| split_for(incident, id, plan.horizon.secs())).collect();
        let whole: f64 = lasted.iter().sum();
        for (incident, lasted) in all.iter_mut().zip(lasted) {
            incident.split += if whole > 0.0 { undone * lasted / whole } else { 0.0 };
        }
    }
}

/// Seconds for which somebody went on as a leader of a store, all its partitions added up.
fn split_for(incident: &Incident, store: Id<Store>, end: f64) -> f64 {
    let edges = incident.happenings.iter().map(|one| {
        if matches!(one.what, What::Splits(other, ..) if other == store) {
            end - one.at
        } else if matches!(one.what, What::Rejoins(other, ..) if other == store) {
            one.at - end
        } else {
            0.0
        }
    });
    edges.sum::<f64>().max(0.0)
}

fn happens(incident: &mut Incident, happening: &Happening) {
    if let What::Promoted { lost, .. } = happening.what {
        incident.writes += lost;
    }
    incident.over = incident.over.max(happening.at);
    incident.happenings.push(happening.clone());
}

/// One incident for holds of one fault that overlap, and struck at once, or are of one target, or of one release.
fn merged(plan: &Plan, held: &[Hold]) -> Vec<Incident> {
    let mut all: Vec<Incident> = Vec::new();
    // By the fault's name: the incidents that are open.
    let mut open: Vec<(&str, Vec<usize>)> = Vec::new();
    for hold in held {
        let name = plan.roots[hold.root].fault.as_str();
        let place = open.iter().position(|known| known.0 == name).unwrap_or_else(|| {
            open.push((name, Vec::new()));
            open.len() - 1
        });
        let own = &mut open[place].1;
        own.retain(|&incident| hold.from <= all[incident].to);
        let is_same = |incident: &Incident| {
            incident.from == hold.from || incident.roots.contains(&hold.root) || plan.rollout.is_release(hold.root)
        };
        if let Some(&known) = own.iter().find(|&&incident| is_same(&all[incident])) {
            let incident = &mut all[known];
            incident.to = incident.to.max(hold.to);
            if !incident.roots.contains(&hold.root) {
                incident.roots.push(hold.root);
            }
        } else {
            own.push(all.len());
            all.push(Incident::new(hold.root, hold.from, hold.to));
        }
    }
    all
}

/// By root: its incidents with their begin, in order.
type ByRoot = Vec<Vec<(f64, usize)>>;

fn by_root(plan: &Plan, all: &[Incident]) -> ByRoot {
    let mut by_root = vec![Vec::new(); plan.roots.len()];
    for (place, incident) in all.iter().enumerate() {
        for root in &incident.roots {
            by_root[root.index()].push((incident.from, place));
        }
    }
    by_root
}

/// Times in which requests were lost that no fault did.
fn episodes(story: &Story, all: &mut Vec<Incident>, by_root: &mut ByRoot) {
    let demand = Id::new(DEMAND);
    let outages = story.seen.outages.iter().filter(|outage| outage.root == demand);
    let pieces = story.losing.iter().filter(|piece| piece.root == demand).map(|piece| (piece.from, piece.to));
    let mut times: Vec<(f64, f64)> = pieces.chain(outages.map(|outage| (outage.start, outage.end))).collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut last: Option<usize> = None;
    for (from, to) in times {
        match last {
            Some(place) if from <= all[place].to + EPISODE_S => all[place].to = all[place].to.max(to),
            Some(_) | None => {
                last = Some(all.len());
                by_root[DEMAND].push((from, all.len()));
                all.push(Incident::new(demand, from, to));
            }
        }
    }
}

/// The last incident of a root that had begun by then.
fn latest(all: &[Incident], by_root: &ByRoot, root: Id<Root>, at: f64) -> Option<usize> {
    let own = &by_root[root.index()];
    let after = own.partition_point(|&(from, _)| from <= at + SLACK_S);
    let place = own.get(after.checked_sub(1)?)?.1;
    debug_assert!(all[place].from <= at + SLACK_S);
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::fixture;

    fn losing(from: f64, root: usize, requests: f64) -> Losing {
        Losing {
            from,
            to: from + 100.0,
            population: Id::new(0),
            journey: Id::new(0),
            stage: Some(Stage::Undetected),
            root: Id::new(root),
            requests,
        }
    }

    fn hold(root: usize, from: f64, to: f64) -> Hold {
        Hold { root: Id::new(root), from, to }
    }

    fn of(held: Vec<Hold>, losing: Vec<Losing>) -> Incidents {
        let story = Story { seen: fixture::observations(0.0), happenings: Vec::new(), held, losing };
        incidents(&fixture::plan(), &story)
    }

    /// Roots 1 and 2 are one fault on two regions: what strikes both at once is one incident, as is what overlaps on one.
    #[test]
    fn what_strikes_at_once_or_overlaps_on_one_target_is_one_incident() {
        let held = vec![
            hold(1, 0.0, 1000.0),
            hold(2, 0.0, 2000.0),
            hold(1, 1500.0, 1600.0),
            hold(1, 5000.0, 6000.0),
            hold(2, 5500.0, 6500.0),
        ];
        let told = of(
            held,
            vec![losing(10.0, 1, 5.0), losing(2500.0, 2, 7.0), losing(5100.0, 1, 100.0), losing(5600.0, 2, 2.0)],
        );
        let seen: Vec<_> = told.noticed.iter().map(|one| (one.from, one.to, one.roots.len(), one.lost)).collect();
        // A loss after the repair still belongs to the fault, and the worst comes first.
        assert_eq!(seen, [(5000.0, 6000.0, 1, 100.0), (0.0, 2000.0, 2, 12.0), (5500.0, 6500.0, 1, 2.0)]);
        assert_eq!(told.noticed[1].over, 2600.0);
        assert!(told.harmless.is_empty());
    }

    #[test]
    fn what_no_fault_did_is_told_in_episodes() {
        // 100 s each; a gap of 1800 s is one episode, one of 1801 s two.
        let losing = vec![losing(0.0, 0, 1.0), losing(1900.0, 0, 2.0), losing(3801.0, 0, 4.0)];
        let told = of(vec![hold(1, 10.0, 20.0)], losing);
        let seen: Vec<_> = told.noticed.iter().map(|one| (one.from, one.to, one.lost)).collect();
        assert_eq!(seen, [(3801.0, 3901.0, 4.0), (0.0, 2000.0, 3.0)]);
        assert_eq!(told.harmless.len(), 1);
    }
}
