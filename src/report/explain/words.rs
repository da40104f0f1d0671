//! What happened at one moment, in words. What is alike is said once: four stores that are promoted together are one
//! sentence.

use super::calendar::length;
use super::sentences::runs;
use crate::base::Id;
use crate::domain::story::{Happening, Moves, SwitchStep, What};
use crate::domain::{Cluster, Population, Service, Store};
use crate::plan::Plan;
use crate::report::text::{count, percent, plain};

/// What a line is about: how much a reader should look at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    /// Something breaks, or is lost.
    Bad,
    /// Something is well again.
    Good,
    /// Something is done.
    Plain,
}

/// Names and words of one plan.
pub(super) struct Words<'p> {
    pub(super) plan: &'p Plan,
}

/// Names in a row: "a, b and c"; of many, the first ones.
pub(super) fn list(names: &[String]) -> String {
    const MOST: usize = 6;
    match names {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() > MOST => format!("{} and {} more", many[..MOST - 1].join(", "), many.len() - MOST + 1),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// Keys in the order in which they first come, each with its own.
pub(super) fn grouped<K: PartialEq, V: PartialEq>(all: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in all {
        match groups.iter_mut().find(|group| group.0 == key) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

impl Words<'_> {
    pub(super) fn cluster(&self, id: Id<Cluster>) -> String {
        plain(&self.plan.clusters[id].name)
    }

    pub(super) fn store(&self, id: Id<Store>) -> String {
        plain(&self.plan.stores[id].name)
    }

    pub(super) fn population(&self, id: Id<Population>) -> String {
        plain(&self.plan.populations[id].name)
    }

    /// A store, or one population's part of it.
    pub(super) fn part(&self, store: Id<Store>, population: Option<Id<Population>>) -> String {
        match population {
            None => self.store(store),
            Some(population) => format!("{} of {}", self.store(store), self.population(population)),
        }
    }

    /// What moves in a failover: "users, orders and sessions of eu". Many partitions of a store are said once.
    pub(super) fn moves(&self, all: &[Moves]) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut parts: Vec<(Id<Store>, Option<Id<Population>>)> = Vec::new();
        for of in all {
            match *of {
                Moves::Users(_) => names.push("users".to_owned()),
                Moves::Store(store, population) => parts.push((store, population)),
            }
        }
        names.dedup();
        names.extend(self.parts(&parts));
        list(&names)
    }

    /// Stores, or populations' parts of them: "orders", "orders of eu", "orders of 6 populations".
    pub(super) fn parts(&self, all: &[(Id<Store>, Option<Id<Population>>)]) -> Vec<String> {
        let stores = grouped(all.iter().copied());
        let name = |(store, parts): (Id<Store>, Vec<Option<Id<Population>>>)| match parts.as_slice() {
            [one] => self.part(store, *one),
            many if many.len() == self.plan.populations.len() => self.store(store),
            many if many.len() > 2 => format!("{} of {} populations", self.store(store), many.len()),
            few => list(&few.iter().map(|&part| self.part(store, part)).collect::<Vec<_>>()),
        };
        stores.into_iter().map(name).collect()
    }

    /// "us-west-2", or "a (60 %) and b (40 %)".
    pub(super) fn answer(&self, answer: &[(Id<Cluster>, f64)]) -> String {
        match answer {
            [] => "nowhere".to_owned(),
            [(only, _)] => self.cluster(*only),
            several => {
                let part =
                    |&(cluster, share): &(Id<Cluster>, f64)| format!("{} ({})", self.cluster(cluster), percent(share));
                list(&several.iter().map(part).collect::<Vec<_>>())
            }
        }
    }

    /// Sentences of what happened at one moment.
    pub(super) fn moment(&self, happenings: &[&Happening]) -> Vec<(Tone, String)> {
        let mut said: Vec<(Tone, String)> = Vec::new();
        let mut kinds: Vec<&'static str> = Vec::new();
        for happening in happenings {
            if !kinds.contains(&happening.what.kind()) {
                kinds.push(happening.what.kind());
            }
        }
        for kind in kinds {
            let alike: Vec<&Happening> = happenings.iter().copied().filter(|one| one.what.kind() == kind).collect();
            said.extend(self.alike(&alike));
        }
        said
    }

    /// Sentences of what is of one kind.
    #[expect(clippy::too_many_lines, reason = "a sentence for each kind, one after the other")]
    fn alike(&self, all: &[&Happening]) -> Vec<(Tone, String)> {
        let Some(first) = all.first() else { return Vec::new() };
        let whats = || all.iter().map(|one| &one.what);
        match &first.what {
            What::Begins | What::Ends => self.held(all, first.what == What::Begins),
            What::MarkedDown(..) | What::MarkedUp(..) => {
                let down = matches!(first.what, What::MarkedDown(..));
                let marks = whats().filter_map(|what| {
                    let (What::MarkedDown(cluster, store) | What::MarkedUp(cluster, store)) = what else { return None };
                    Some((*cluster, *store))
                });
                let (tone, verdict) = if down { (Tone::Bad, "down") } else { (Tone::Good, "up again") };
                let say = |(cluster, stores): (Id<Cluster>, Vec<Option<Id<Store>>>)| {
                    let copies: Vec<_> = stores.iter().flatten().map(|&store| self.store(store)).collect();
                    let cluster = self.cluster(cluster);
                    let text = match (stores.contains(&None), copies.as_slice()) {
                        (true, []) => format!("health checks mark {cluster} {verdict}"),
                        (true, copies) => {
                            format!("health checks mark {cluster} {verdict}, with its copies of {}", list(copies))
                        }
                        (false, copies) => format!("the copy of {} in {cluster} is found {verdict}", list(copies)),
                    };
                    (tone, text)
                };
                grouped(marks).into_iter().map(say).collect()
            }
            What::Deciding(..) => {
                let all = whats().filter_map(|what| {
                    let What::Deciding(of, from, takes) = what else { return None };
                    (*takes > 0.0).then(|| ((*from, takes.to_bits()), *of))
                });
                let say = |((from, takes), what): ((Id<Cluster>, u64), Vec<Moves>)| {
                    let takes = length(f64::from_bits(takes));
                    let text = format!(
                        "somebody has to decide to fail {} over from {}: {takes}",
                        self.moves(&what),
                        self.cluster(from)
                    );
                    (Tone::Plain, text)
                };
                grouped(all).into_iter().map(say).collect()
            }
            What::StoodDown(_) => {
                let what: Vec<_> = grouped(whats().filter_map(|what| {
                    let What::StoodDown(of) = what else { return None };
                    Some(((), *of))
                }));
                what.into_iter()
                    .map(|((), what)| (Tone::Plain, format!("the failover of {} is called off", self.moves(&what))))
                    .collect()
            }
            What::Promoting(..) => {
                let all = whats().filter_map(|what| {
                    let What::Promoting(of, to, takes, attempt) = what else { return None };
                    Some(((*to, takes.to_bits(), *attempt), *of))
                });
                let say = |((to, takes, attempt), what): ((Id<Cluster>, u64, u64), Vec<Moves>)| {
                    let (to, takes, what) = (self.cluster(to), length(f64::from_bits(takes)), self.moves(&what));
                    if attempt == 0 {
                        (Tone::Plain, format!("decided: {what} to {to}, a promotion of {takes}"))
                    } else {
                        (Tone::Bad, format!("the promotion of {what} fails; try {} takes {takes}", attempt + 1))
                    }
                };
                grouped(all).into_iter().map(say).collect()
            }
            What::Stalled(_) => {
                let what = grouped(whats().filter_map(|what| {
                    let What::Stalled(of) = what else { return None };
                    Some(((), *of))
                }));
                let say =
                    |what: &[Moves]| format!("the failover of {} waits: its own tools are down", self.moves(what));
                what.into_iter().map(|((), what)| (Tone::Bad, say(&what))).collect()
            }
            What::Promoted { .. } => self.promoted(all),
            What::FailingBack(..) => {
                let all = whats().filter_map(|what| {
                    let What::FailingBack(of, home, takes) = what else { return None };
                    Some(((*home, takes.to_bits()), *of))
                });
                let say = |((home, takes), what): ((Id<Cluster>, u64), Vec<Moves>)| {
                    let takes = length(f64::from_bits(takes));
                    (Tone::Plain, format!("{} will go back to {} in {takes}", self.moves(&what), self.cluster(home)))
                };
                grouped(all).into_iter().map(say).collect()
            }
            What::FailedBack(..) => {
                let all = whats().filter_map(|what| {
                    let What::FailedBack(of, home) = what else { return None };
                    Some((*home, *of))
                });
                let say = |(home, what): (Id<Cluster>, Vec<Moves>)| {
                    (Tone::Good, format!("{} back in {}", self.moves(&what), self.cluster(home)))
                };
                grouped(all).into_iter().map(say).collect()
            }
            What::Splits(..) | What::Rejoins(..) => {
                let begins = matches!(first.what, What::Splits(..));
                let all = whats().filter_map(|what| {
                    let (What::Splits(store, part, cluster) | What::Rejoins(store, part, cluster)) = what else {
                        return None;
                    };
                    Some((*cluster, (*store, *part)))
                });
                let say = |(cluster, what): (Id<Cluster>, Vec<_>)| {
                    let (cluster, what) = (self.cluster(cluster), list(&self.parts(&what)));
                    if begins {
                        (Tone::Bad, format!("split brain: {cluster} goes on leading {what}, and doesn't know"))
                    } else {
                        (Tone::Good, format!("{cluster} learns that it no longer leads {what}: the split is over"))
                    }
                };
                grouped(all).into_iter().map(say).collect()
            }
            What::Resynced(..) => self.resynced(all),
            What::CopyMoves(..) => whats()
                .filter_map(|what| {
                    let What::CopyMoves(cluster, store, takes) = what else { return None };
                    Some((
                        Tone::Plain,
                        format!(
                            "{} in {} moves to another zone: {}",
                            self.store(*store),
                            self.cluster(*cluster),
                            length(*takes)
                        ),
                    ))
                })
                .collect(),
            What::Answers(..) => self.answers(all),
            What::Readdressed(..) => {
                let all = whats().filter_map(|what| {
                    let What::Readdressed(caller, service, from, to) = what else { return None };
                    Some(((*service, *from, *to), self.cluster(*caller)))
                });
                let say = |((service, from, to), callers): ((Id<Service>, Id<_>, Id<_>), Vec<String>)| {
                    let service = plain(&self.plan.services[service].name);
                    let (from, to) = (self.cluster(from), self.cluster(to));
                    (Tone::Plain, format!("calls of {service} from {} turn from {from} to {to}", list(&callers)))
                };
                grouped(all).into_iter().map(say).collect()
            }
            What::Wakes(cluster) => vec![(Tone::Plain, format!("the standby {} wakes", self.cluster(*cluster)))],
            What::Rests(cluster) => {
                vec![(Tone::Plain, format!("{} goes back to the size of a standby", self.cluster(*cluster)))]
            }
            What::NodesShort(cluster, takes) => {
                let cluster = self.cluster(*cluster);
                vec![(Tone::Bad, format!("everybody wants nodes: none to be had in {cluster} for {}", length(*takes)))]
            }
            What::NodesAgain(cluster) => {
                vec![(Tone::Good, format!("there are nodes again in {}", self.cluster(*cluster)))]
            }
            What::Evicted(cluster) => {
                vec![(Tone::Plain, format!("{} starts the lost pods in its other zones", self.cluster(*cluster)))]
            }
            What::Switchover(store, to, step) => {
                let (store, to) = (self.store(*store), self.cluster(*to));
                let (tone, text) = match step {
                    SwitchStep::Commanded => (Tone::Plain, format!("a switchover of {store} to {to} is asked for")),
                    SwitchStep::WritesStop => (Tone::Plain, format!("{store} takes no more writes")),
                    SwitchStep::ReadsStop => (Tone::Plain, format!("{store} answers no more reads")),
                    SwitchStep::Writable => (Tone::Good, format!("{to} takes writes to {store}")),
                    SwitchStep::Resolves => (Tone::Good, format!("the name of {store} leads to {to}")),
                    SwitchStep::CalledOff => (Tone::Bad, format!("the switchover of {store} is called off")),
                };
                vec![(tone, text)]
            }
            What::Runs(..) => {
                let all = whats().filter_map(|what| {
                    let What::Runs(cluster, revision, why) = what else { return None };
                    Some(((*revision, *why), self.cluster(*cluster)))
                });
                grouped(all)
                    .into_iter()
                    .map(|((revision, why), clusters)| runs(revision, why, &list(&clusters)))
                    .collect()
            }
            What::Noticed => vec![(Tone::Plain, "the bad release is noticed, and its rollout stops".to_owned())],
            What::Mended => vec![(Tone::Plain, "the repository is mended; clusters follow".to_owned())],
            What::Surges(factor) => vec![(Tone::Bad, format!("a surge begins: {} times the load", count(*factor)))],
            What::Ebbs => vec![(Tone::Good, "the surge is over".to_owned())],
        }
    }
}
