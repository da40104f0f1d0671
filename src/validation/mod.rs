//! Layer 8: cases whose answer is known, and whether what was simulated holds to them.
//!
//! `validation/` has the scenarios and `cases.toml` the answers with their sources, all embedded, so that an installed
//! program can show that it is right (`regionsim validate-engine`). A case is simulated by both engines where both
//! apply. The verdict is on the whole suite: see [`mod@judge`].

pub mod judge;
pub mod suite;
pub mod table;

pub use judge::{Judged, Measured, Verdict, judge, measure};
pub use suite::{Case, Engine, Figure, Suite};

use crate::scenario::load::Reader;
use std::io;
use std::path::Path;

/// `files!["a", "b"]`: names in `validation/`, each with its text.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../validation/", $name)))),*]
    };
}

/// The files of `validation/` by name.
pub const FILES: &[(&str, &str)] = files![
    "base.toml",
    "batches.toml",
    "begun-anew.toml",
    "breakdown-1.toml",
    "breakdown-3.toml",
    "cases.toml",
    "common-cause.toml",
    "crews.toml",
    "dns.toml",
    "erlang-a.toml",
    "failover.toml",
    "fork-join.toml",
    "hedging.toml",
    "interrupted.toml",
    "md1.toml",
    "mg1.toml",
    "mh4.toml",
    "mm1.toml",
    "mm100.toml",
    "mm4.toml",
    "mmc.toml",
    "mmck.toml",
    "pbs.toml",
    "quorum.toml",
    "replay.csv",
    "replay.toml",
    "retrial.toml",
    "retries.toml",
    "sharing.toml",
    "sla-one.toml",
    "sla-two.toml",
    "storm-ends.toml",
    "storm.toml",
    "surge.toml",
    "tandem.toml",
    "wave.toml",
];

/// Reads embedded files.
pub struct Embedded;

impl Reader for Embedded {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let file = FILES.iter().find(|(name, _)| Path::new(name) == path);
        let (_, text) = file.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it isn't embedded"))?;
        Ok(text.bytes().take(limit).collect())
    }
}
