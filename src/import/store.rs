//! Stores: what an image says of how its copies are kept alike.
//!
//! No manifest says how data is replicated between clusters. What is taken is each product's usual way, so all of it is
//! assumed. Source: the products' own manuals (`PostgreSQL` streaming replication, `MongoDB` write concern majority,
//! `CockroachDB` and etcd Raft, Cassandra quorum consistency, `MinIO` site replication, `MirrorMaker` 2).

use super::kustomize::bare_image;

/// What is between clients and durable data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// Writes go to one copy, which tells the others later.
    Leader,
    /// Writes are acknowledged by a majority.
    Majority,
    /// There is no leader: a majority answers reads and writes alike.
    Quorum,
    /// Every copy takes writes.
    Everywhere,
    /// Messages: written by those who serve users, and mirrored later.
    Queue,
    /// Copies of what another store has.
    Cache,
}

impl Family {
    /// How copies in so many clusters are kept alike, as a scenario has it, and in words. `None` for a cache, which is
    /// another store's, and for a single copy.
    pub(super) fn replication(self, copies: usize) -> Option<(String, &'static str)> {
        if copies < 2 {
            return None;
        }
        let others = copies / 2;
        Some(match self {
            Self::Leader => {
                ("{ async = { lag = \"1s\" } }".to_owned(), "assumed: the first cluster leads and the others follow")
            }
            Self::Majority => (
                format!("{{ semi-sync = {{ acks = {others}, lag = \"1s\", degrade = false }} }}"),
                "assumed: a majority of the clusters has each write",
            ),
            Self::Quorum => (
                format!("{{ quorum = {{ read = {0}, write = {0} }} }}", others + 1),
                "assumed: a majority of the clusters answers",
            ),
            Self::Everywhere => (
                "{ multi-leader = { lag = \"1s\" } }".to_owned(),
                "assumed: every cluster takes writes, and the later one stays",
            ),
            Self::Queue => {
                ("{ async = { lag = \"5s\" } }".to_owned(), "assumed: messages are mirrored to the other clusters")
            }
            Self::Cache => return None,
        })
    }

    /// How long one access takes, and from whence it is read.
    pub(super) const fn usual(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Leader | Self::Everywhere => ("2ms", Some("local")),
            Self::Queue | Self::Majority | Self::Quorum => ("5ms", None),
            Self::Cache => ("500us", None),
        }
    }
}

/// Images whose name holds one of these. The first that fits counts.
const IMAGES: [(&str, Family); 38] = [
    ("cockroach", Family::Majority),
    ("yugabyte", Family::Majority),
    ("tidb", Family::Majority),
    ("tikv", Family::Majority),
    ("etcd", Family::Majority),
    ("zookeeper", Family::Majority),
    ("mongo", Family::Majority),
    ("rqlite", Family::Majority),
    ("cassandra", Family::Quorum),
    ("scylla", Family::Quorum),
    ("riak", Family::Quorum),
    ("couchbase", Family::Everywhere),
    ("couchdb", Family::Everywhere),
    ("minio", Family::Everywhere),
    ("kafka", Family::Queue),
    ("redpanda", Family::Queue),
    ("rabbitmq", Family::Queue),
    ("activemq", Family::Queue),
    ("pulsar", Family::Queue),
    ("nats", Family::Queue),
    ("redis", Family::Cache),
    ("valkey", Family::Cache),
    ("keydb", Family::Cache),
    ("dragonfly", Family::Cache),
    ("memcache", Family::Cache),
    ("postgres", Family::Leader),
    ("postgis", Family::Leader),
    ("mysql", Family::Leader),
    ("mariadb", Family::Leader),
    ("percona", Family::Leader),
    ("vitess", Family::Leader),
    ("timescale", Family::Leader),
    ("mssql", Family::Leader),
    ("elasticsearch", Family::Leader),
    ("opensearch", Family::Leader),
    ("clickhouse", Family::Leader),
    ("neo4j", Family::Leader),
    ("influxdb", Family::Leader),
];
/// And these only talk to one.
const NO_STORES: [&str; 14] = [
    "exporter",
    "operator",
    "admin",
    "-ui",
    "express",
    "commander",
    "proxy",
    "bouncer",
    "backup",
    "manager",
    "insight",
    "-connect",
    "migrat",
    "client",
];

/// The family of an image that is a store's.
pub(super) fn of_image(image: &str) -> Option<Family> {
    let name = bare_image(image).to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or(&name);
    if NO_STORES.iter().any(|no| last.contains(no)) {
        return None;
    }
    // Short names only as whole words: `minnats` is no queue.
    let is_in = |word: &str| {
        if word.len() > 4 { last.contains(word) } else { last.split(['-', '_']).any(|part| part == word) }
    };
    IMAGES.iter().find(|(word, _)| is_in(word)).map(|(_, family)| *family)
}

/// The family of a workload that is named like a store: `orders-db`, `database`, `session-cache`.
pub(super) fn of_name(name: &str) -> Option<Family> {
    if NO_STORES.iter().any(|no| name.contains(no)) {
        return None;
    }
    let is_part = |word: &&str| name.split(['-', '_']).any(|part| part == *word);
    if ["db", "database"].iter().any(is_part) {
        return Some(Family::Leader);
    }
    ["redis", "memcached"].iter().any(is_part).then_some(Family::Cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_stores() {
        for (image, family) in [
            ("postgres:16", Family::Leader),
            ("registry.example.com:5000/bitnami/redis-cluster@sha256:0", Family::Cache),
            ("confluentinc/cp-kafka", Family::Queue),
            ("nats:2", Family::Queue),
            ("etcd", Family::Majority),
            ("bitnami/etcd:3", Family::Majority),
            ("mongo", Family::Majority),
            ("cockroachdb/cockroach:v24.1.0", Family::Majority),
            ("scylladb/scylla", Family::Quorum),
            ("quay.io/minio/minio", Family::Everywhere),
            ("memcached", Family::Cache),
        ] {
            assert_eq!(of_image(image), Some(family), "{image}");
        }
        for other in ["quay.io/prometheuscommunity/postgres-exporter", "nginx", "redis/shop-web", "dpage/pgadmin4"] {
            assert_eq!(of_image(other), None, "{other}");
        }
    }

    #[test]
    fn majorities_of_clusters() {
        let of = |family: Family, copies| family.replication(copies).map(|(text, _)| text);
        assert_eq!(of(Family::Majority, 1), None);
        // Of 3 clusters the leader and one more are a majority, of 5 the leader and two more.
        assert_eq!(
            of(Family::Majority, 3).as_deref(),
            Some("{ semi-sync = { acks = 1, lag = \"1s\", degrade = false } }")
        );
        assert_eq!(
            of(Family::Majority, 5).as_deref(),
            Some("{ semi-sync = { acks = 2, lag = \"1s\", degrade = false } }")
        );
        assert_eq!(of(Family::Quorum, 3).as_deref(), Some("{ quorum = { read = 2, write = 2 } }"));
        assert_eq!(of(Family::Quorum, 4).as_deref(), Some("{ quorum = { read = 3, write = 3 } }"));
    }
}
