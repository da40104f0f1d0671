//! The catalogue of metrics: one line each.

use super::key::{Better, Metric, Unit};

macro_rules! metrics {
    ($($constant:ident = $name:literal, $unit:ident, $better:ident, $doc:literal;)+) => {
        $(#[doc = $doc] pub const $constant: Metric =
            Metric { name: $name, unit: Unit::$unit, better: Better::$better, doc: $doc };)+

        /// Every metric, in the order of reports.
        pub const ALL: &[&Metric] = &[$(&$constant),+];
    };
}

metrics! {
    AVAILABILITY = "availability", Share, Higher, "Good requests over offered ones: a correct answer within the client's timeout, retries included.";
    AVAILABILITY_TIME = "availability.time", Share, Higher, "Share of time in which at least 99 % succeed, per population and journey, weighted by offered requests.";
    AVAILABILITY_ANY = "availability.all-up", Share, Higher, "Share of time in which no population and journey is below 99 %.";
    DOWNTIME = "downtime", Seconds, Lower, "Time below 99 % success, per population and journey, weighted by offered requests.";
    OUTAGES = "outages", Count, Lower, "Intervals below 99 % success.";
    OUTAGE_LONGEST = "outages.longest", Seconds, Lower, "The longest interval below 99 % success.";
    OUTAGE_MEAN = "outages.mean", Seconds, Lower, "Mean length of an interval below 99 % success.";
    OUTAGE_CLIENT = "outages.client", Seconds, Lower, "How long a client was without an answer, from the outage's start: one client drawn at random, in each seed, of those that its outages hit, so the quantiles over seeds are those over clients.";
    REQUESTS_OFFERED = "requests.offered", Requests, Neither, "Requests that users made, retries not counted.";
    REQUESTS_GOOD = "requests.good", Requests, Higher, "Requests with a correct answer within the client's timeout.";
    REQUESTS_LOST = "requests.lost", Requests, Lower, "Requests without one, by stage and root where those are given.";
    LATENCY_MEAN = "latency.mean", Seconds, Lower, "Mean latency of good requests.";
    LATENCY_P50 = "latency.p50", Seconds, Lower, "Median latency of good requests.";
    LATENCY_P90 = "latency.p90", Seconds, Lower, "90th percentile of the latency of good requests.";
    LATENCY_P95 = "latency.p95", Seconds, Lower, "95th percentile of the latency of good requests.";
    LATENCY_P99 = "latency.p99", Seconds, Lower, "99th percentile of the latency of good requests.";
    LATENCY_P999 = "latency.p99.9", Seconds, Lower, "99.9th percentile of the latency of good requests.";
    RTO_SERVICE = "rto.service", Seconds, Lower, "From a fault until 99 % of the requests that reach the target succeed, held for 60 s; mean over the outages that failover ended.";
    RTO_USERS = "rto.users", Seconds, Lower, "The same over all requests offered, so with the tail of old DNS answers.";
    RTO_DETECT = "rto.detect", Seconds, Lower, "Of rto.service: until the fault was detected.";
    RTO_DECIDE = "rto.decide", Seconds, Lower, "Of rto.service: until it was decided to fail over.";
    RTO_PROMOTE = "rto.promote", Seconds, Lower, "Of rto.service: until the standby or follower was promoted.";
    RTO_ROUTE = "rto.route", Seconds, Lower, "Of rto.service: until the name servers gave the new answer.";
    RTO_SCALE = "rto.scale", Seconds, Lower, "Of rto.service: until the new target had the capacity.";
    RTO_DNS_TAIL = "rto.dns-tail", Seconds, Lower, "From rto.service to rto.users: clients on old DNS answers.";
    RTO_NOT_ACHIEVED = "rto.not-achieved", Share, Lower, "Share of outages that the repair ended, not failover.";
    RPO_SECONDS = "rpo.seconds", Seconds, Lower, "Age of the oldest write lost in a promotion, 0 if none was lost; mean over promotions of what somebody writes to. Over all stores: of those whose followers may lag, if there are any.";
    RESYNCS = "resyncs", Count, Neither, "Copies that had missed writes and were brought up to date.";
    RESYNC_SECONDS = "resync.seconds", Seconds, Lower, "From when such a copy could be reached again until it had all; mean over resyncs.";
    RESYNC_BYTES = "resync.bytes", Bytes, Neither, "Bytes that such a copy had missed, or the store's size if it was copied whole; mean over resyncs.";
    WRITES = "writes", Writes, Neither, "Writes that were acknowledged.";
    WRITES_DURABLE = "writes.durable", Writes, Higher, "Acknowledged writes that stayed: neither lost nor conflicting.";
    WRITES_LOST = "writes.lost", Writes, Lower, "Acknowledged writes that a promotion lost.";
    WRITES_CONFLICTING = "writes.conflicting", Writes, Lower, "Acknowledged writes that a later write to the same key, made elsewhere without knowing of them, undid; and those that a deposed leader took.";
    WRITES_MERGED = "writes.merged", Writes, Neither, "Acknowledged writes that were joined with a later one, made elsewhere without knowing of them.";
    WRITE_LATENCY = "writes.latency", Seconds, Lower, "Mean time of an acknowledged write, from the cluster that serves the user.";
    WRITE_LATENCY_P50 = "writes.latency.p50", Seconds, Lower, "Median time of an acknowledged write.";
    WRITE_LATENCY_P99 = "writes.latency.p99", Seconds, Lower, "99th percentile of the time of an acknowledged write.";
    WRITE_LATENCY_P999 = "writes.latency.p99.9", Seconds, Lower, "99.9th percentile of the time of an acknowledged write.";
    READ_LATENCY = "reads.latency", Seconds, Lower, "Mean time of a read, from the cluster that serves the user.";
    READ_LATENCY_P50 = "reads.latency.p50", Seconds, Lower, "Median time of a read.";
    READ_LATENCY_P99 = "reads.latency.p99", Seconds, Lower, "99th percentile of the time of a read.";
    READ_LATENCY_P999 = "reads.latency.p99.9", Seconds, Lower, "99.9th percentile of the time of a read.";
    READS = "reads", Requests, Neither, "Reads of stores that were answered.";
    READS_STALE = "reads.stale", Requests, Lower, "Reads that missed an acknowledged write to the key that they read.";
    READS_STALE_SHARE = "reads.stale-share", Share, Lower, "Share of reads that were stale.";
    CACHE_HIT_RATIO = "cache.hit-ratio", Share, Higher, "Share of a cache's answered reads that it answered itself, per store; the others are reads of the store that it caches too.";
    READS_CONSISTENT = "reads.consistent-after", Share, Higher, "Share of reads that see a write to their key, begun as long after its acknowledgement as the store's read-after says.";
    VISIBILITY = "visibility.p99.9", Seconds, Lower, "Time after a write's acknowledgement from which 99.9 % of reads see it; 0 if they do at once.";
    RESIDENCY_VIOLATIONS = "residency.violations", Requests, Lower, "Requests served, or written, outside the jurisdictions that the population prefers.";
    CONNECTION_CALLS = "connections.calls", Requests, Neither, "Calls from cluster to cluster, of good requests.";
    CONNECTION_BYTES = "connections.bytes", Bytes, Neither, "Bytes of such calls, both ways.";
    PUBLIC_ENDPOINTS = "security.public-endpoints", Count, Lower, "Addresses for calls from cluster to cluster that the internet can reach.";
    UNENCRYPTED = "security.unencrypted", Bytes, Lower, "Bytes a month of good requests' calls from cluster to cluster, in the clear.";
    UNAUTHENTICATED = "security.unauthenticated", Requests, Lower, "Calls a month from cluster to cluster, of good requests, that don't prove who makes them.";
    UTILISATION = "utilisation", Share, Neither, "Busy servers over ready servers, mean over time.";
    UTILISATION_FINAL = "utilisation.final", Share, Neither, "Busy servers over ready servers at the end of the horizon.";
    REPLICAS = "replicas", Pods, Neither, "Ready pods, mean over time.";
    REPLICAS_FINAL = "replicas.final", Pods, Neither, "Pods asked for at the end of the horizon.";
    REPLICAS_READY_FINAL = "replicas.ready-final", Pods, Neither, "Ready pods at the end of the horizon.";
    STATION_ARRIVALS = "station.arrivals", PerSecond, Neither, "Calls offered to a station, retries included, mean over time.";
    STATION_THROUGHPUT = "station.throughput", PerSecond, Neither, "Calls that a station served, mean over time.";
    STATION_REJECTED = "station.rejected", Share, Lower, "Share of calls that a station shed.";
    STATION_SHED = "station.shed", Requests, Lower, "Calls that a station shed.";
    STATION_WAITING = "station.waiting", Share, Lower, "Probability that an accepted call waits.";
    STATION_WAIT_MEAN = "station.wait.mean", Seconds, Lower, "Mean wait of accepted calls, until a server takes them up for the first time.";
    STATION_WAIT_VARIANCE = "station.wait.variance", SecondsSquared, Lower, "Variance of the wait of accepted calls.";
    STATION_WAIT_P50 = "station.wait.p50", Seconds, Lower, "Median wait.";
    STATION_WAIT_P95 = "station.wait.p95", Seconds, Lower, "95th percentile of the wait.";
    STATION_WAIT_P99 = "station.wait.p99", Seconds, Lower, "99th percentile of the wait.";
    STATION_WAIT_MET = "station.wait.met", Share, Higher, "Share of accepted calls that wait no longer than the service's wait-objective.";
    STATION_QUEUE = "station.queue", Count, Neither, "Mean number of waiting calls.";
    STATION_IN_SYSTEM = "station.in-system", Count, Neither, "Mean number of calls waiting or in service.";
    STATION_EMPTY = "station.empty", Share, Neither, "Probability that a station is empty.";
    STATION_INTERRUPTED = "station.interrupted", Count, Lower, "Times that an accepted call's pod failed under it; where requests are simulated one by one.";
    STATION_SOJOURN = "station.sojourn.mean", Seconds, Lower, "Mean of wait and service of accepted calls.";
    FAULT_COUNT = "fault.count", Count, Neither, "Times that a fault's target went from up to down, degraded or read-only; or that a switchover was begun.";
    FAULT_TIME = "fault.time", Seconds, Neither, "Time that a fault held its target down, degraded or read-only; of a switchover, from its command until clients reach the new leader.";
    ROLLOUTS = "rollouts", Count, Neither, "Rollouts that began.";
    ROLLOUT_DURATION = "rollouts.duration", Seconds, Lower, "From a rollout's begin until its last wave has been watched; mean over those that nothing stopped.";
    RELEASES = "releases", Count, Neither, "Commits that went out; several may share a rollout.";
    RELEASES_BAD = "releases.bad", Count, Lower, "Commits that went out and were bad.";
    RELEASE_LEAD_TIME = "releases.lead-time", Seconds, Lower, "From a commit until every cluster has it; mean over those that came so far.";
    BLAST_RADIUS = "blast-radius", Share, Lower, "The largest share of all users that was on a bad release at one time.";
    EXPOSURE = "blast-radius.exposure", Seconds, Lower, "Time on bad releases, each moment weighted by the share of all users that were on one: 60 s are a user-minute of every user.";
    TAKEOVERS = "promotions", Count, Neither, "Times that a cluster took over the users of one that was marked down: standbys that were promoted, and those that absorb.";
    TAKEOVERS_STALE = "promotions.stale-revision", Share, Lower, "Share of those in which the cluster ran an older revision than the one whose users it took.";
    TAKEOVERS_BEHIND = "promotions.behind", Seconds, Lower, "How long the one whose users it took had run a later revision; mean over those in which the revision was older.";
    DRIFTS = "drift.count", Count, Lower, "Manual changes that hurt.";
    DRIFT_TIME = "drift.time", Seconds, Lower, "Time that clusters were changed by hand, added up over clusters.";
    ORPHANS = "orphan.count", Count, Lower, "Times that something stayed behind in a cluster though the repository no longer had it, and hurt.";
    ORPHAN_TIME = "orphan.time", Seconds, Lower, "Time that it stayed there, added up over clusters.";
    COST_BILL = "cost.bill", Usd, Lower, "The cloud bill and people.";
    COST_LOSS = "cost.loss", Usd, Lower, "The business loss: failed requests, outage minutes, lost writes, SLA credits.";
    COST_TOTAL = "cost.total", Usd, Lower, "Bill and loss.";
    COST_NODES = "cost.nodes", Usd, Lower, "Of the bill: node-hours.";
    COST_CONTROL_PLANE = "cost.control-plane", Usd, Lower, "Of the bill: Kubernetes control planes.";
    COST_LOAD_BALANCERS = "cost.load-balancers", Usd, Lower, "Of the bill: load balancers.";
    COST_DATABASES = "cost.databases", Usd, Lower, "Of the bill: instances of stores.";
    COST_STORAGE = "cost.storage", Usd, Lower, "Of the bill: data held by stores.";
    COST_EGRESS = "cost.egress", Usd, Lower, "Of the bill: responses to the internet, and calls between clusters over it.";
    COST_REPLICATION = "cost.replication", Usd, Lower, "Of the bill: writes, reads, whole copies and calls that cross regions.";
    COST_CROSS_ZONE = "cost.cross-zone", Usd, Lower, "Of the bill: bytes that cross zones.";
    COST_CONNECTIONS = "cost.connections", Usd, Lower, "Of the bill: connections between clusters and hubs, by the hour.";
    COST_CONNECTION_DATA = "cost.connection-data", Usd, Lower, "Of the bill: bytes through connections and hubs, beyond what bytes cost that leave a region.";
    COST_PROXIES = "cost.proxies", Usd, Lower, "Of the bill: vCPUs of a mesh's proxies.";
    COST_DNS = "cost.dns", Usd, Lower, "Of the bill: DNS queries.";
    COST_HEALTH_CHECKS = "cost.health-checks", Usd, Lower, "Of the bill: health checks.";
    COST_PEOPLE = "cost.people", Usd, Lower, "Of the bill: people.";
    PEOPLE_HOURS = "people.hours", Count, Lower, "Hours of people: those of `cost.people-hours` and of the way of management.";
    LOSS_REQUESTS = "cost.loss-requests", Usd, Lower, "Of the loss: failed requests that don't come back.";
    LOSS_MINUTES = "cost.loss-minutes", Usd, Lower, "Of the loss: minutes of outage.";
    LOSS_WRITES = "cost.loss-writes", Usd, Lower, "Of the loss: acknowledged writes that were lost or undone.";
    LOSS_SLA = "cost.loss-sla", Usd, Lower, "Of the loss: SLA credits.";
    COST_PER_MILLION = "cost.per-million-requests", Usd, Lower, "The bill per million good requests.";
    NODE_HOURS = "node-hours", Count, Neither, "Hours of nodes.";
}

/// The metric of this name.
pub fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().copied().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_docs_present() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert!(metric.doc.ends_with('.'), "{}", metric.name);
            assert_eq!(find(metric.name), Some(*metric));
        }
    }
}
