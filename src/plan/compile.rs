//! From a checked scenario to a plan. Nothing can fail here: loading has reported every mistake.

mod rollout;

use super::{
    Backoff, CachePlan, ClusterPlan, CostPlan, DependencyPlan, Element, FailoverPlan, FaultPlan, Hit, HoldPlan,
    IncidentPlan, Instruction, JourneyPlan, Levels, PairPlan, PartitionPlan, Plan, PopulationPlan, RegionPlan,
    RequestsPlan, RootPlan, RoutingPlan, ServicePlan, StationPlan, StepPlan, StorePlan, SurgePlan, SwitchoverPlan,
    connections,
};
use crate::base::maths::great_circle_km;
use crate::base::stream::digest;
use crate::base::{Id, Span, Table};
use crate::domain::{Cluster, Journey, Population, Region, Root, Selection, Service, Store};
use crate::failover::spec::SwitchoverSpec;
use crate::failure::spec::{AccessTarget, GitopsTarget, PodsTarget, RoutingTarget, TargetSpec};
use crate::replication::keys::Popularity;
use crate::replication::spec::{Partitions, Reads};
use crate::rollout::management::Management;
use crate::rollout::spec::Controller;
use crate::routing::dns::Expiry;
use crate::routing::health::Prober;
use crate::routing::policy::Candidate;
use crate::routing::spec::{Fallback, Via};
use crate::scaling::hpa::Rule;
use crate::scaling::nodes::{Pool, Request, cohort};
use crate::scenario::resolved::{ResolvedRegion, Scenario};
use crate::scenario::spec::{ScenarioSpec, ServiceSpec, TrafficEngine};
use crate::traffic::spec::{Arrivals, JourneySpec, PATIENCE, Residency, Retries, Station, Step, SurgeSpec};

/// How requests are simulated one by one, if they are.
fn requests(spec: &ScenarioSpec) -> Option<RequestsPlan> {
    match spec.simulation.traffic {
        TrafficEngine::Flow => None,
        TrafficEngine::Requests(requests) => {
            Some(RequestsPlan { scale: requests.scale.get(), windows: spec.windows(requests.window.as_ref()) })
        }
    }
}

/// Compiles a checked scenario.
///
/// # Panics
/// If the scenario refers to something that it doesn't have: loading rules that out.
pub fn compile(scenario: &Scenario) -> Plan {
    let compiler = Compiler { scenario };
    let spec = &scenario.spec;
    let pairs = compiler.pairs();
    let populations = compiler.populations(&pairs);
    let mut clusters = compiler.clusters();
    let journeys = compiler.journeys();
    let region_rtt = scenario.region_rtt.iter().map(|row| row.iter().copied().collect()).collect();
    let connections::Compiled { connections, hubs, addresses } =
        connections::compile(scenario, &mut clusters, &populations, &journeys, &region_rtt);
    let mut targets = Targets { compiler: &compiler, roots: Table::new(), holds: Vec::new(), groups: Vec::new() };
    targets.roots.push(RootPlan { fault: "demand".to_owned(), target: String::new(), digest: 0 });
    let faults = targets.faults();
    let incidents = targets.incidents();
    let switchovers = targets.switchovers();
    let rollout = targets.rollout();
    let Targets { mut roots, holds, .. } = targets;
    let health = &spec.routing.health;
    let false_alarms = health.false_alarms.iter().flat_map(|_| spec.cluster.iter()).map(|cluster| {
        let fault = "false alarm".to_owned();
        let digest = digest(&format!("{fault}\u{0}{}", cluster.name));
        roots.push_and_get_key(RootPlan { fault, target: cluster.name.clone(), digest })
    });
    let false_alarms = false_alarms.collect();
    let (expiry, propagation, spill) = match &spec.routing.via {
        Via::Dns(dns) => (Expiry::new(dns), dns.propagation, None),
        Via::Anycast(edge) | Via::GlobalLb(edge) => {
            (Expiry::at_once(), edge.converge, edge.spill_above.map(crate::base::Probability::get))
        }
    };
    let expiry = spec.routing.sticky.as_ref().map_or(expiry, |sticky| expiry.with_sticky(sticky));
    let has_pairs = pairs.iter().any(|pair| pair.standby.is_some());
    let warm_up = spec.simulation.warm_up;
    // Time 0 is the start of the warm-up.
    let week = Span::WEEK.nanos();
    let week_offset = (scenario.start_in_week.nanos() % week + week - warm_up.nanos() % week) % week;
    Plan {
        variant: scenario.variant.clone(),
        horizon: spec.simulation.horizon,
        warm_up,
        week_offset: Span::from_nanos(week_offset),
        slot: compiler.slot(),
        requests: requests(spec),
        regions: scenario.regions.iter().map(region).collect(),
        clusters,
        services: spec.service.iter().map(service).collect(),
        stores: compiler.stores(&pairs, &populations),
        dependencies: spec
            .dependency
            .iter()
            .map(|dependency| DependencyPlan {
                name: dependency.name.clone(),
                time: dependency.time.clone().unwrap_or_else(|| crate::dist::Dist::constant(Span::ZERO)),
            })
            .collect(),
        journeys,
        populations,
        region_rtt,
        jitter: spec.network.jitter,
        connections,
        hubs,
        addresses,
        pairs,
        routing: RoutingPlan {
            fallback: match spec.routing.fallback {
                Some(Fallback::Any) => true,
                Some(Fallback::None) => false,
                None => !has_pairs,
            },
            expiry,
            propagation,
            prober: Prober::new(health),
            phase: health.phase,
            checkers: health.checkers,
            depth: health.check,
            hold_down: health.hold_down,
            false_alarms: health.false_alarms.clone(),
            spill,
        },
        failover: FailoverPlan {
            decide: spec.failover.decide.clone(),
            promote: spec.failover.promote.clone(),
            promote_success: spec.failover.promote_success.get(),
            coverage: spec.failover.uncovered.clone().map(|takes| (spec.failover.coverage.get(), takes)),
            failback: spec.failover.failback.clone(),
            scale_when: spec.failover.scale.when,
            runs_in: spec.failover.runs_in.as_ref().map(|name| compiler.region(name)),
        },
        roots,
        holds,
        faults,
        crews: spec.fault.iter().filter_map(|fault| fault.crews).collect(),
        incidents,
        switchovers,
        rollout,
        surges: compiler.surges(),
        false_alarms,
        cost: cost(scenario),
    }
}

/// Prices and losses that belong to no region.
fn cost(scenario: &Scenario) -> CostPlan {
    let spec = &scenario.spec;
    CostPlan {
        load_balancers: spec.cost.load_balancers,
        cross_zone_share: spec.cost.cross_zone_share.map(crate::base::Probability::get),
        dns_queries: scenario.dns_queries,
        dns_query_rate: spec.cost.dns_query_rate.map(crate::base::Rate::get),
        health_check: scenario.health_check,
        people_hours: spec.cost.people_hours + spec.management.map_or(0.0, Management::hours),
        people_price: spec.cost.people_price.get(),
        outage_per_minute: spec.cost.outage_per_minute.get(),
        sla: spec.cost.sla.as_ref().map(|sla| {
            let mut credits: Vec<(f64, f64)> =
                sla.credits.iter().map(|credit| (credit.below.get(), credit.share.get())).collect();
            credits.sort_by(|a, b| a.0.total_cmp(&b.0));
            (sla.revenue.get(), credits)
        }),
    }
}

pub(super) fn selects(selection: &Selection, name: &str) -> bool {
    match selection {
        Selection::All => true,
        Selection::Named(names) => names.iter().any(|other| other == name),
    }
}

fn region(region: &ResolvedRegion) -> RegionPlan {
    RegionPlan {
        name: region.name.clone(),
        at: region.lat.zip(region.lon),
        control_plane: region.control_plane,
        load_balancer: region.load_balancer,
        egress: region.egress.clone(),
        transfer: region.transfer.iter().copied().collect(),
        cross_zone: region.cross_zone,
        storage: region.storage,
    }
}

fn service(spec: &ServiceSpec) -> ServicePlan {
    ServicePlan {
        name: spec.name.clone(),
        concurrency: spec.concurrency,
        mean: spec.time.mean(),
        cv: spec.time.cv(),
        time: spec.time.clone(),
        station: spec.station,
        queue: spec.queue,
        request: Request { cpu: spec.cpu, memory: spec.memory.get() },
        startup: spec.startup,
        wait_objective: spec.wait_objective.map(Span::secs),
    }
}

/// In which order a path's plain steps are gone through; empty if it is the order in which they are written.
fn program(path: &[Step]) -> Vec<Instruction> {
    fn add(path: &[Step], next: &mut usize, program: &mut Vec<Instruction>) {
        for step in path {
            match step {
                Step::Branch(ways) => {
                    let mut left = 1.0;
                    let mut exits = Vec::new();
                    for way in ways {
                        let share = if left > 0.0 { (way.share.get() / left).min(1.0) } else { 0.0 };
                        left -= way.share.get();
                        let past = program.len();
                        program.push(Instruction::Jump(1.0 - share, 0));
                        add(&way.path, next, program);
                        exits.push(program.len());
                        program.push(Instruction::Jump(1.0, 0));
                        program[past] = Instruction::Jump(1.0 - share, program.len());
                    }
                    for exit in exits {
                        program[exit] = Instruction::Jump(1.0, program.len());
                    }
                }
                Step::Again(chance, path) => {
                    let past = program.len();
                    program.push(Instruction::Jump(0.0, 0));
                    add(path, next, program);
                    program.push(Instruction::Jump(1.0, past));
                    program[past] = Instruction::Jump(1.0 - chance.get(), program.len());
                }
                Step::Call(_) | Step::Parallel(_) | Step::Read(..) | Step::Write(..) | Step::Dependency(_) => {
                    program.push(Instruction::Step(*next));
                    *next += 1;
                }
            }
        }
    }
    let mut program = Vec::new();
    add(path, &mut 0, &mut program);
    let is_plain = program.iter().all(|instruction| matches!(instruction, Instruction::Step(_)));
    if is_plain { Vec::new() } else { program }
}

/// The wait before each retry.
fn backoffs(retries: &Retries) -> Vec<Backoff> {
    let (most, jitter) = (retries.max_backoff.map_or(f64::INFINITY, Span::secs), retries.jitter.get());
    let mut next = retries.backoff.secs();
    let one = |_| {
        let wait = next.min(most);
        next *= retries.factor;
        if retries.memoryless { Backoff::Memoryless(wait) } else { Backoff::Even(wait * (1.0 - jitter), wait * jitter) }
    };
    (0..retries.max).map(one).collect()
}

/// Pods of a standby at `scale`: at least one, if there are any at all.
fn scaled(replicas: u32, scale: f64) -> u32 {
    let scaled = (f64::from(replicas) * scale - 1e-9).ceil().max(0.0) as u32;
    if scale > 0.0 { scaled.max(u32::from(replicas > 0)) } else { 0 }
}

struct Compiler<'a> {
    scenario: &'a Scenario,
}

impl Compiler<'_> {
    fn surges(&self) -> Vec<SurgePlan> {
        let spec = &self.scenario.spec;
        let plan = |surge: &SurgeSpec| SurgePlan {
            at: spec.simulation.warm_up + surge.at,
            lasts: surge.lasts,
            factor: surge.factor,
            populations: spec
                .population
                .iter()
                .map(|population| selects(&surge.populations, &population.name))
                .collect(),
        };
        spec.surge.iter().map(plan).collect()
    }

    fn cluster(&self, name: &str) -> Id<Cluster> {
        find(&self.scenario.spec.cluster, |cluster| &cluster.name, name)
    }

    fn service(&self, name: &str) -> Id<Service> {
        find(&self.scenario.spec.service, |service| &service.name, name)
    }

    fn store(&self, name: &str) -> Id<Store> {
        find(&self.scenario.spec.store, |store| &store.name, name)
    }

    fn region(&self, name: &str) -> Id<Region> {
        find(&self.scenario.regions, |region| &region.name, name)
    }

    fn selected_clusters(&self, selection: &Selection) -> Vec<Id<Cluster>> {
        self.scenario
            .spec
            .cluster
            .iter()
            .enumerate()
            .filter(|(_, cluster)| selects(selection, &cluster.name))
            .map(|(position, _)| Id::new(position))
            .collect()
    }

    fn region_of(&self, cluster: Id<Cluster>) -> usize {
        self.scenario.clusters[cluster.index()].region
    }

    /// The longest slot in which no population's rate changes: a whole hour, unless some local time isn't.
    fn slot(&self) -> Span {
        let varying: Vec<_> =
            self.scenario.populations.iter().filter(|population| population.profile.is_some()).collect();
        if varying.is_empty() {
            return Span::WEEK;
        }
        let minutes = varying.iter().fold(60, |length, population| {
            let rest = population.utc_offset_minutes.rem_euclid(60);
            if rest == 0 { length } else { gcd(length, rest) }
        });
        Span::from_whole_secs(u64::from(minutes.unsigned_abs()) * 60)
    }

    fn pairs(&self) -> Vec<PairPlan> {
        let clusters = &self.scenario.clusters;
        (0..clusters.len())
            .filter(|&position| clusters[position].standby_for.is_none() && self.scenario.spec.cluster[position].serves)
            .map(|position| PairPlan {
                primary: Id::new(position),
                standby: clusters.iter().position(|other| other.standby_for == Some(position)).map(Id::new),
            })
            .collect()
    }

    fn clusters(&self) -> Table<Cluster, ClusterPlan> {
        let spec = &self.scenario.spec;
        spec.cluster
            .iter()
            .zip(&self.scenario.clusters)
            .map(|(cluster, resolved)| {
                let standby = resolved.standby_for.is_some();
                let scale = cluster.scale.map_or(1.0, crate::base::Probability::get);
                let mut station_of: Table<Service, Option<u32>> = Table::new();
                let mut stations = Vec::new();
                for (position, service) in spec.service.iter().enumerate() {
                    if !selects(&service.clusters, &cluster.name) {
                        station_of.push(None);
                        continue;
                    }
                    station_of.push(Some(stations.len() as u32));
                    let own = service.overrides.get(&cluster.name);
                    let replicas = own.and_then(|own| own.replicas).unwrap_or(service.replicas);
                    let scale = own.and_then(|own| own.scale).map_or(scale, crate::base::Probability::get);
                    stations.push(StationPlan {
                        service: Id::new(position),
                        replicas,
                        standby_replicas: if standby { scaled(replicas, scale) } else { replicas },
                        hpa: service.autoscale.as_ref().and_then(Rule::new),
                        levels: self.levels(service),
                    });
                }
                let pool = cluster.nodes.as_ref().zip(resolved.node).map(|(nodes, node)| Pool {
                    node: Request { cpu: node.vcpu, memory: node.memory },
                    min: nodes.min,
                    max: nodes.max,
                    delays: cohort(&nodes.provisioning),
                    price: node.price,
                });
                ClusterPlan {
                    name: cluster.name.clone(),
                    digest: digest(&cluster.name),
                    shortage: cluster
                        .nodes
                        .as_ref()
                        .and_then(|nodes| nodes.shortage.as_ref())
                        .map(|shortage| (shortage.chance.get(), shortage.lasts.clone())),
                    region: Id::new(resolved.region),
                    zones: resolved.zones,
                    stations,
                    station_of,
                    addresses: Vec::new(),
                    proxies: None,
                    standby,
                    standby_min_nodes: pool
                        .as_ref()
                        .map_or(0, |pool| if standby { (f64::from(pool.min) * scale).ceil() as u32 } else { pool.min }),
                    pool,
                    endpoints_drop: cluster.endpoints_drop,
                    eviction: cluster.eviction,
                }
            })
            .collect()
    }

    /// The levels of a service's backlog, by the timeouts of those who call it.
    fn levels(&self, service: &ServiceSpec) -> Option<Levels> {
        match service.station {
            Station::Mmc => {}
            Station::Fluid | Station::Ps => return None,
        }
        let calls = |journey: &&JourneySpec| {
            Step::plain(&journey.path).into_iter().any(|step| match step {
                Step::Call(name) => *name == service.name,
                Step::Parallel(names) => names.contains(&service.name),
                // Reads that miss call what is in front of the cached store.
                Step::Read(name, _) => self.scenario.spec.store.iter().any(|store| {
                    let through = store.cache().and_then(|cache| cache.through.as_ref());
                    store.name == *name && through == Some(&service.name)
                }),
                Step::Write(..) | Step::Dependency(_) | Step::Branch(_) | Step::Again(..) => false,
            })
        };
        let callers = self.scenario.spec.journey.iter().filter(calls);
        let waits: Vec<f64> = callers.map(|journey| journey.timeout.unwrap_or(PATIENCE).secs()).collect();
        let shortest = waits.iter().copied().reduce(f64::min)?;
        let longest = waits.iter().copied().fold(0.0, f64::max);
        let step = shortest / 8.0;
        Some(Levels { step, last: ((longest / step).ceil() as u32).clamp(8, 4096) + 1 })
    }

    fn journeys(&self) -> Table<Journey, JourneyPlan> {
        let spec = &self.scenario.spec;
        spec.journey
            .iter()
            .map(|journey| JourneyPlan {
                name: journey.name.clone(),
                timeout: journey.timeout.map(Span::secs),
                patience: journey.patience.clone(),
                hedge: journey.hedge.map(Span::secs),
                backoffs: journey.retries.as_ref().map_or_else(Vec::new, backoffs),
                budget: journey
                    .retries
                    .as_ref()
                    .and_then(|own| own.budget)
                    .map_or(f64::INFINITY, crate::base::Probability::get),
                breaker: journey
                    .retries
                    .as_ref()
                    .and_then(|retries| retries.breaker.as_ref())
                    .map(|breaker| (breaker.opens_at.get(), breaker.probes.get())),
                priority: journey.priority,
                request: journey.request.get(),
                response: journey.response.get(),
                program: program(&journey.path),
                steps: Step::plain(&journey.path).into_iter().filter_map(|step| self.step(step)).collect(),
                loss: journey.loss_per_failure.get(),
                recaptured: journey.recaptured.get(),
            })
            .collect()
    }

    /// A step without branches and loops.
    fn step(&self, step: &Step) -> Option<StepPlan> {
        let dependencies = &self.scenario.spec.dependency;
        Some(match step {
            Step::Call(name) => StepPlan::Call(vec![self.service(name)]),
            Step::Parallel(names) => StepPlan::Call(names.iter().map(|name| self.service(name)).collect()),
            Step::Read(store, bytes) => StepPlan::Read(self.store(store), bytes.get()),
            Step::Write(store, bytes) => StepPlan::Write(self.store(store), bytes.get()),
            Step::Dependency(name) => StepPlan::Dependency(find(dependencies, |dependency| &dependency.name, name)),
            Step::Branch(_) | Step::Again(..) => return None,
        })
    }

    fn populations(&self, pairs: &[PairPlan]) -> Table<Population, PopulationPlan> {
        let spec = &self.scenario.spec;
        let slot = self.slot();
        let slots = Span::WEEK.nanos() / slot.nanos();
        spec.population
            .iter()
            .zip(&self.scenario.populations)
            .zip(&self.scenario.population_rtt)
            .map(|((population, resolved), rtt)| {
                let profile = match &resolved.profile {
                    None => vec![1.0; slots as usize],
                    Some(hours) => (0..slots)
                        .map(|k| {
                            let minutes = (k * slot.nanos() / 60_000_000_000).cast_signed()
                                + i64::from(resolved.utc_offset_minutes);
                            hours[minutes.div_euclid(60).rem_euclid(168) as usize]
                        })
                        .collect(),
                };
                let outside = |allowed: &[String]| -> Table<Cluster, bool> {
                    self.scenario
                        .clusters
                        .iter()
                        .map(|cluster| match &self.scenario.regions[cluster.region].jurisdiction {
                            Some(jurisdiction) => !allowed.contains(jurisdiction),
                            None => true,
                        })
                        .collect()
                };
                let nowhere: Table<Cluster, bool> = vec![false; spec.cluster.len()].into();
                let (forbidden, disliked) = match &population.residency {
                    None => (nowhere.clone(), nowhere),
                    Some(Residency::MustStayIn(allowed)) => (outside(allowed), nowhere),
                    Some(Residency::Prefer(allowed)) => (nowhere, outside(allowed)),
                };
                let candidate = |cluster: Id<Cluster>| {
                    let region = &self.scenario.regions[self.region_of(cluster)];
                    Candidate {
                        name: &spec.cluster[cluster.index()].name,
                        // Only geographic routing looks at it, and then every place is known.
                        distance_km: resolved
                            .lat
                            .zip(resolved.lon)
                            .zip(region.lat.zip(region.lon))
                            .map_or(0.0, |(a, b)| great_circle_km(a, b)),
                        rtt: rtt[cluster.index()],
                    }
                };
                let policy = spec.routing.policy.kind();
                let mut order: Vec<usize> = (0..pairs.len()).collect();
                order.sort_by(|&a, &b| {
                    policy
                        .score(candidate(pairs[a].primary))
                        .total_cmp(&policy.score(candidate(pairs[b].primary)))
                        .then(a.cmp(&b))
                });
                PopulationPlan {
                    name: population.name.clone(),
                    at: resolved.lat.zip(resolved.lon),
                    rate: population.rate.get(),
                    batch: match population.arrivals {
                        Arrivals::Poisson {} | Arrivals::Replay(_) => 1,
                        Arrivals::Batch(batch) => batch.size,
                    },
                    replay: resolved.replay.as_ref().map(|rows| {
                        let at = |seconds: f64| spec.simulation.warm_up + Span::from_secs(seconds);
                        rows.iter().map(|&(seconds, count)| (at(seconds), count)).collect()
                    }),
                    profile,
                    growth: population.growth,
                    shares: spec
                        .journey
                        .iter()
                        .map(|journey| match &population.journeys {
                            None => journey.share.get(),
                            Some(own) => own.get(&journey.name).map_or(0.0, |share| share.get()),
                        })
                        .collect(),
                    rtt: rtt.iter().copied().collect(),
                    forbidden,
                    disliked,
                    weights: pairs.iter().map(|pair| policy.weight(candidate(pair.primary))).collect(),
                    order,
                }
            })
            .collect()
    }

    fn stores(&self, pairs: &[PairPlan], populations: &Table<Population, PopulationPlan>) -> Table<Store, StorePlan> {
        let spec = &self.scenario.spec;
        spec.store
            .iter()
            .map(|store| {
                let copies = self.selected_clusters(&store.clusters);
                let partition = |leader: Id<Cluster>, members: &[Id<Population>]| {
                    let allowed = |cluster: Id<Cluster>| {
                        !store.personal || members.iter().all(|&member| !populations[member].forbidden[cluster])
                    };
                    let standby = pairs.iter().find(|pair| pair.primary == leader).and_then(|pair| pair.standby);
                    let mut followers: Vec<Id<Cluster>> = copies
                        .iter()
                        .copied()
                        .filter(|&copy| copy != leader && allowed(copy))
                        .filter(|&copy| selects(&store.followers, &spec.cluster[copy.index()].name))
                        .collect();
                    let rtt =
                        |copy: Id<Cluster>| self.scenario.region_rtt[self.region_of(leader)][self.region_of(copy)];
                    followers.sort_by(|&a, &b| {
                        (Some(b) == standby).cmp(&(Some(a) == standby)).then(rtt(a).total_cmp(&rtt(b))).then(a.cmp(&b))
                    });
                    followers.truncate(store.max_followers.map_or(usize::MAX, |most| most as usize));
                    PartitionPlan { leader, followers }
                };
                let everyone: Vec<Id<Population>> = populations.keys().collect();
                let cache = store.cache().map(|cache| CachePlan {
                    ttl: cache.ttl,
                    of: self.store(&cache.of),
                    through: cache.through.as_ref().map(|name| self.service(name)),
                });
                // A cache is split as what it caches.
                let split = cache.map_or(&store.partitions, |cache| &spec.store[cache.of.index()].partitions);
                let partitions = match split {
                    Partitions::SingleLeader(_) if cache.is_some() => vec![partition(copies[0], &everyone)],
                    Partitions::SingleLeader(single) => {
                        let leader = single.leader.as_ref().map_or(copies[0], |name| self.cluster(name));
                        vec![partition(leader, &everyone)]
                    }
                    Partitions::Geo {} => everyone
                        .iter()
                        .map(|&member| {
                            let ranked = populations[member]
                                .order
                                .iter()
                                .map(|&pair| pairs[pair].primary)
                                .find(|&c| copies.contains(&c) && !populations[member].forbidden[c]);
                            partition(ranked.unwrap_or(copies[0]), &[member])
                        })
                        .collect(),
                };
                StorePlan {
                    name: store.name.clone(),
                    digest: digest(&store.name),
                    copies,
                    partitions,
                    local_reads: match store.reads {
                        Reads::Local => true,
                        Reads::Leader => false,
                    },
                    replication: store.replication.clone(),
                    cache,
                    cached_keys: if cache.is_some() { Popularity::new(&store.keys).nodes() } else { Vec::new() },
                    catch_up: store.catch_up,
                    copy_speed: store.copy_speed.get(),
                    fencing: store.fencing,
                    popularity: Popularity::new(&store.keys),
                    read_after: store.read_after.map(Span::secs),
                    loss_per_write: store.loss_per_write.get(),
                    time: store.time.clone(),
                    promote: store.promote.clone().unwrap_or_else(|| spec.failover.promote.clone()),
                    zone_failover: store.zone_failover.clone(),
                    size: store.size.gigabytes(),
                    instance_price: store.instance_price.get(),
                    storage_price: store.storage_price.map(crate::base::Money::get),
                }
            })
            .collect()
    }
}

fn find<T, M>(list: &[T], name_of: impl Fn(&T) -> &String, name: &str) -> Id<M> {
    Id::new(list.iter().position(|entry| name_of(entry) == name).expect("loading checks that every name exists"))
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Turns targets into holds and roots.
struct Targets<'a> {
    compiler: &'a Compiler<'a>,
    roots: Table<Root, RootPlan>,
    holds: Vec<HoldPlan>,
    groups: Vec<String>,
}

impl Targets<'_> {
    fn faults(&mut self) -> Vec<FaultPlan> {
        let mut faults = Vec::new();
        let mut kinds = 0;
        for fault in &self.compiler.scenario.spec.fault {
            let crews = fault.crews.map(|_| kinds);
            kinds += usize::from(crews.is_some());
            let group = fault.group.clone().unwrap_or_else(|| format!("fault {}", fault.name));
            let members = self.members(&fault.name, &group, &fault.of);
            let one = |members: Vec<Hit>, digest: u64, shock: Option<f64>| FaultPlan {
                digest,
                effect: fault.effect,
                every: fault.every.clone(),
                repair: fault.repair.clone(),
                clock: fault.clock,
                shock,
                crews,
                members,
            };
            match &fault.shock {
                Some(shock) => faults.push(one(members, digest(&fault.name), Some(shock.hit.get()))),
                None => {
                    for member in members {
                        faults.push(one(vec![member], member.digest, None));
                    }
                }
            }
        }
        faults
    }

    fn incidents(&mut self) -> Vec<IncidentPlan> {
        let warm_up = self.compiler.scenario.spec.simulation.warm_up;
        let incidents = &self.compiler.scenario.spec.incident;
        incidents
            .iter()
            .map(|incident| {
                let group = incident.group.clone().unwrap_or_else(|| format!("incident {}", incident.name));
                IncidentPlan {
                    effect: incident.effect,
                    at: warm_up + incident.at,
                    lasts: incident.lasts,
                    members: self.members(&incident.name, &group, &incident.of),
                }
            })
            .collect()
    }

    fn switchovers(&mut self) -> Vec<SwitchoverPlan> {
        let compiler = self.compiler;
        let spec = &compiler.scenario.spec;
        let plan = |switchover: &SwitchoverSpec| {
            let SwitchoverSpec { name, store, .. } = switchover;
            let digest = digest(&format!("{name}\u{0}{store}"));
            let root = RootPlan { fault: name.clone(), target: store.clone(), digest };
            SwitchoverPlan {
                root: self.roots.push_and_get_key(root),
                store: compiler.store(store),
                to: compiler.cluster(&switchover.to),
                at: spec.simulation.warm_up + switchover.at,
                writes_stop: switchover.writes_stop,
                reads_stop: switchover.reads_stop.unwrap_or(switchover.writes_stop),
                writable: switchover.writable,
                resolves: switchover.resolves.unwrap_or(switchover.writable),
            }
        };
        spec.switchover.iter().map(plan).collect()
    }

    fn members(&mut self, name: &str, group: &str, of: &TargetSpec) -> Vec<Hit> {
        let group = self.groups.iter().position(|other| other == group).unwrap_or_else(|| {
            self.groups.push(group.to_owned());
            self.groups.len() - 1
        }) as u32;
        // Pods of one service in one cluster are one root.
        let mut roots_of_pods: Vec<Id<Root>> = Vec::new();
        self.elements(of)
            .into_iter()
            .map(|(element, target)| {
                let hold = HoldPlan { element, group };
                let hold = self.holds.iter().position(|other| *other == hold).unwrap_or_else(|| {
                    self.holds.push(hold);
                    self.holds.len() - 1
                }) as u32;
                let own = digest(&format!("{name}\u{0}{target}"));
                if let Element::Pod(_, _, number) = element {
                    let root = roots_of_pods.iter().copied().find(|&root| self.roots[root].digest == own);
                    let root = root.unwrap_or_else(|| {
                        let root = RootPlan { fault: name.to_owned(), target: target.clone(), digest: own };
                        let root = self.roots.push_and_get_key(root);
                        roots_of_pods.push(root);
                        root
                    });
                    return Hit { hold, root, digest: digest(&format!("{name}\u{0}{target}\u{0}{number}")) };
                }
                let root = RootPlan { fault: name.to_owned(), target, digest: own };
                Hit { hold, root: self.roots.push_and_get_key(root), digest: own }
            })
            .collect()
    }

    /// The `GitOps` controllers of these clusters.
    fn controllers(&self, clusters: &Selection) -> Vec<(Element, String)> {
        let spec = &self.compiler.scenario.spec;
        let own = |cluster: Id<Cluster>| {
            (Element::Controller(cluster), format!("gitops in {}", spec.cluster[cluster.index()].name))
        };
        match spec.gitops.as_ref().map(|gitops| gitops.controller) {
            Some(Controller::EachCluster) => self.compiler.selected_clusters(clusters).into_iter().map(own).collect(),
            Some(Controller::Central) | None => vec![(Element::Gitops, "gitops".to_owned())],
        }
    }

    /// The elements that a target means, with their names.
    fn elements(&self, of: &TargetSpec) -> Vec<(Element, String)> {
        let compiler = self.compiler;
        let scenario = compiler.scenario;
        let spec = &scenario.spec;
        let cluster_name = |cluster: Id<Cluster>| spec.cluster[cluster.index()].name.clone();
        let one_zone = |region: Id<Region>, zone: u32| {
            (Element::Zone(region, zone), format!("{}/{}", scenario.regions[region.index()].name, zone + 1))
        };
        let regions = |selection: &Selection| -> Vec<Id<Region>> {
            (0..scenario.regions.len())
                .filter(|&position| selects(selection, &scenario.regions[position].name))
                .map(Id::new)
                .collect()
        };
        match of {
            TargetSpec::Region(name) => vec![(Element::Region(compiler.region(name)), name.clone())],
            TargetSpec::Regions(selection) => regions(selection)
                .into_iter()
                .map(|region| (Element::Region(region), scenario.regions[region.index()].name.clone()))
                .collect(),
            TargetSpec::Zone(name) => {
                let (region, number) = name.rsplit_once('/').expect("loading checks the form of a zone");
                let number: u32 = number.parse().expect("loading checks the form of a zone");
                vec![one_zone(compiler.region(region), number - 1)]
            }
            TargetSpec::Zones(selection) => regions(selection)
                .into_iter()
                .flat_map(|region| {
                    // Zones that no cluster spans can't be felt.
                    let used = scenario.clusters.iter().filter(|cluster| cluster.region == region.index());
                    let zones = used.map(|cluster| cluster.zones).max().unwrap_or(0);
                    (0..zones).map(move |zone| one_zone(region, zone))
                })
                .collect(),
            TargetSpec::Cluster(name) => vec![(Element::Cluster(compiler.cluster(name)), name.clone())],
            TargetSpec::Clusters(selection) => compiler
                .selected_clusters(selection)
                .into_iter()
                .map(|cluster| (Element::Cluster(cluster), cluster_name(cluster)))
                .collect(),
            TargetSpec::Service(target) => {
                let service = compiler.service(&target.name);
                let runs = &spec.service[service.index()].clusters;
                compiler
                    .selected_clusters(&target.clusters)
                    .into_iter()
                    .filter(|&cluster| selects(runs, &cluster_name(cluster)))
                    .map(|cluster| {
                        (Element::Service(cluster, service), format!("{} in {}", target.name, cluster_name(cluster)))
                    })
                    .collect()
            }
            TargetSpec::Pods(PodsTarget { service, clusters }) => {
                let id = compiler.service(service);
                let own = &spec.service[id.index()];
                let clusters = compiler.selected_clusters(clusters).into_iter();
                let running = clusters.filter(|&cluster| selects(&own.clusters, &cluster_name(cluster)));
                let pods = |cluster: Id<Cluster>| {
                    let name = cluster_name(cluster);
                    let target = format!("pods of {service} in {name}");
                    (0..own.most_pods(&name)).map(move |pod| (Element::Pod(cluster, id, pod), target.clone()))
                };
                running.flat_map(pods).collect()
            }
            TargetSpec::Store(target) => {
                let store = compiler.store(&target.name);
                let copies = compiler.selected_clusters(&spec.store[store.index()].clusters);
                compiler
                    .selected_clusters(&target.clusters)
                    .into_iter()
                    .filter(|cluster| copies.contains(cluster))
                    .map(|cluster| {
                        (Element::Copy(cluster, store), format!("{} in {}", target.name, cluster_name(cluster)))
                    })
                    .collect()
            }
            TargetSpec::Link([a, b]) => {
                let (first, second) = (compiler.region(a), compiler.region(b));
                vec![(Element::Link(first.min(second), first.max(second)), format!("{a} – {b}"))]
            }
            TargetSpec::Dependency(name) => {
                vec![(Element::Dependency(find(&spec.dependency, |dependency| &dependency.name, name)), name.clone())]
            }
            TargetSpec::Connection(name) => {
                let connection = find(&spec.connection, |connection| &connection.name, name);
                vec![(Element::Connection(connection), name.clone())]
            }
            TargetSpec::Hub(name) => vec![(Element::Hub(find(&spec.hub, |hub| &hub.name, name)), name.clone())],
            TargetSpec::Access(AccessTarget { population, cluster }) => {
                let of = find(&spec.population, |population| &population.name, population);
                vec![(Element::Access(of, compiler.cluster(cluster)), format!("{population} to {cluster}"))]
            }
            TargetSpec::Checks(name) => vec![(Element::Checks(compiler.cluster(name)), name.clone())],
            TargetSpec::Routing(RoutingTarget {}) => vec![(Element::Routing, "routing".to_owned())],
            TargetSpec::Gitops(GitopsTarget { clusters }) => self.controllers(clusters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_keeps_at_least_one_pod() {
        assert_eq!(scaled(1000, 0.2), 200);
        assert_eq!(scaled(3, 0.2), 1);
        assert_eq!(scaled(10, 0.3), 3);
        assert_eq!(scaled(10, 0.0), 0);
    }
}
