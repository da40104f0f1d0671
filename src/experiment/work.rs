//! A run cut into shards that machines share without speaking to each other: what is to be done, and who does what.
//!
//! A plan is whole in itself: it holds the text of every file that its scenarios were read from. It is immutable: its
//! digest is of all its bytes, so that a plan which was edited isn't this plan any more. Every shard has the same number
//! of seeds to simulate, give or take one, and which they are follows from the plan alone.

use super::results::{ScenarioInfo, Tool};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::ops::Range;

/// The version of the file's schema.
pub const SCHEMA: u32 = 1;
/// The most shards of a plan.
pub const MAX_SHARDS: u32 = 100_000;
/// A simulator learns as it goes: what it has to learn is about as much work as fifty seeds, and should pay.
const WORTH_LEARNING: u32 = 100;

/// What a run's shards have to do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkPlan {
    /// The version of the file's schema.
    pub schema: u32,
    /// SHA-256 of the file with nothing in this place, hexadecimal.
    pub digest: String,
    /// The program that planned, which is the one that has to run.
    pub tool: Tool,
    /// Which command this is the run of.
    pub command: Command,
    /// Its arguments, as far as they change a result.
    pub arguments: Arguments,
    /// How many shards there are.
    pub shards: u32,
    /// How often the line of all seeds goes through all variants: see [`share`].
    pub rounds: u32,
    /// What is simulated.
    pub scenarios: Vec<Planned>,
}

/// The command whose report is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// `regionsim run`
    Run,
    /// `regionsim compare`
    Compare,
    /// `regionsim sweep`
    Sweep,
}

impl Command {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Compare => "compare",
            Self::Sweep => "sweep",
        }
    }
}

/// The arguments that change a result, as they were given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Arguments {
    /// `--variant`
    pub variant: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--seeds`
    pub seeds: Option<String>,
    /// `--seed`
    pub seed: Option<String>,
    /// `--horizon`
    pub horizon: Option<String>,
}

/// A scenario of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Planned {
    /// What it is, with its hash and its seeds.
    pub scenario: ScenarioInfo,
    /// The names of its variants, or of its sweep's points: untrusted text.
    pub variants: Vec<String>,
    /// The path that it was read from: untrusted text.
    pub file: String,
    /// Every file that it was read from, itself among them.
    pub sources: Vec<SourceText>,
}

/// A file's text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SourceText {
    /// The path that it was read from: untrusted text.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Why a file is no plan to follow.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// It is something else.
    #[error("it is no plan: {0}")]
    Foreign(String),
    /// It is written in another way.
    #[error("its schema is {0}, and this version reads {SCHEMA}")]
    Schema(u32),
    /// Another version may come to other figures.
    #[error("it was made by {theirs}, and this is {ours}")]
    Tool {
        /// Which one made it.
        theirs: String,
        /// Which one this is.
        ours: String,
    },
    /// Something in it is another than when it was made.
    #[error("it was changed since it was made: its digest doesn't fit")]
    Changed,
    /// So many shards can't be.
    #[error("it has {0} shards; there are from 1 to {MAX_SHARDS}")]
    Shards(u32),
    /// The line can't go through all variants so often.
    #[error("it has {0} rounds; there are from 1 to as many as shards")]
    Rounds(u32),
}

/// "regionsim 0.1.0 (commit)".
pub fn version(tool: &Tool) -> String {
    match &tool.commit {
        Some(commit) => format!("{} {} ({commit})", tool.name, tool.version),
        None => format!("{} {}", tool.name, tool.version),
    }
}

impl WorkPlan {
    /// The same, with its digest.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.digest.clear();
        self.digest = hex(&Sha256::digest(self.render()));
        self
    }

    /// The file.
    ///
    /// # Panics
    /// Never: plain data with string keys always serialises.
    pub fn render(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with string keys always serialises") + "\n"
    }

    /// Reads what [`WorkPlan::render`] wrote, to the byte.
    ///
    /// # Errors
    /// If that isn't it, or another program made it.
    pub fn parse(bytes: &[u8], tool: &Tool) -> Result<Self, PlanError> {
        /// What every schema has.
        #[derive(Deserialize)]
        struct Made {
            schema: u32,
            tool: Tool,
        }
        let foreign = |error: serde_json::Error| PlanError::Foreign(error.to_string());
        let made: Made = serde_json::from_slice(bytes).map_err(foreign)?;
        if made.schema != SCHEMA {
            return Err(PlanError::Schema(made.schema));
        }
        if made.tool != *tool {
            return Err(PlanError::Tool { theirs: version(&made.tool), ours: version(tool) });
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(foreign)?;
        if plan.clone().sealed().render().as_bytes() != bytes {
            return Err(PlanError::Changed);
        }
        if !(1..=MAX_SHARDS).contains(&plan.shards) {
            return Err(PlanError::Shards(plan.shards));
        }
        if !(1..=plan.shards).contains(&plan.rounds) {
            return Err(PlanError::Rounds(plan.rounds));
        }
        Ok(plan)
    }

    /// The beginning of the digest: enough to tell plans apart by name.
    pub fn short(&self) -> &str {
        self.digest.get(..16).unwrap_or(&self.digest)
    }

    /// What a shard's part is called.
    pub fn part_name(&self, index: u32) -> String {
        format!("part-{}-{index}of{}", self.short(), self.shards)
    }

    /// What a shard simulates, scenario by scenario.
    pub fn share(&self, index: u32) -> Vec<Vec<Block>> {
        let of = |planned: &Planned| {
            share(planned.variants.len(), planned.scenario.seeds, self.rounds, Piece { index, of: self.shards })
        };
        self.scenarios.iter().map(of).collect()
    }

    /// The same in one list, in which the variants of all scenarios are counted through.
    pub fn blocks(&self, index: u32) -> Vec<Block> {
        let mut before = 0;
        let mut blocks = Vec::new();
        for (share, planned) in self.share(index).into_iter().zip(&self.scenarios) {
            blocks.extend(share.into_iter().map(|block| Block { variant: before + block.variant, ..block }));
            before += planned.variants.len();
        }
        blocks
    }

    /// Seeds of variants in all.
    pub fn units(&self) -> u64 {
        let units = |planned: &Planned| planned.variants.len() as u64 * u64::from(planned.scenario.seeds);
        self.scenarios.iter().map(units).sum()
    }
}

/// Hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Seeds of a variant, one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The variant's position.
    pub variant: usize,
    /// Its replications.
    pub seeds: Range<u32>,
}

/// Which of how many.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// From 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

/// How many rounds suit so many shards of scenarios with so many seeds.
pub fn rounds(seeds: impl Iterator<Item = u32>, shards: u32) -> u32 {
    (seeds.min().unwrap_or(0) / WORTH_LEARNING).clamp(1, shards)
}

/// A piece of the work of so many variants under so many seeds.
///
/// All (variant, seed) are put in a line, which is cut into pieces of one length. In a round the line goes through all
/// variants with an equal part of the seeds. Variants differ in the work that they are: with as many rounds as pieces each
/// has its part of all of them; with one, a simulator gets as many seeds as there are. A variant's seeds come in order.
pub fn share(variants: usize, seeds: u32, rounds: u32, piece: Piece) -> Vec<Block> {
    let variants = variants as u64;
    let cut = |whole: u64, at: u64, of: u32| (u128::from(whole) * u128::from(at) / u128::from(of)) as u64;
    let all = variants * u64::from(seeds);
    let (from, to) = (cut(all, piece.index.into(), piece.of), cut(all, u64::from(piece.index) + 1, piece.of));
    let mut blocks = Vec::new();
    for round in 0..rounds.into() {
        let (first, last) = (cut(seeds.into(), round, rounds), cut(seeds.into(), round + 1, rounds));
        let length = last - first;
        let (start, end) = (first * variants, last * variants);
        let mut at = from.max(start);
        while at < to.min(end) {
            let (variant, seed) = ((at - start) / length, (at - start) % length);
            let next = (start + (variant + 1) * length).min(to);
            let seeds = (first + seed) as u32..(first + seed + next - at) as u32;
            blocks.push(Block { variant: variant as usize, seeds });
            at = next;
        }
    }
    blocks
}

/// "3, 7-9": numbers in rising order.
pub fn ranges(numbers: &[u32]) -> String {
    let mut out = String::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        let _ = match run {
            [first, .., last] => write!(out, "{first}-{last}"),
            _ => write!(out, "{}", run[0]),
        };
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::experiment) fn tool() -> Tool {
        Tool { name: "regionsim".to_owned(), version: "1".to_owned(), commit: None }
    }

    /// Two variants under ten seeds.
    pub(in crate::experiment) fn plan(shards: u32) -> WorkPlan {
        let scenario = ScenarioInfo {
            name: "shop".to_owned(),
            summary: None,
            hash: "0123".to_owned(),
            horizon_s: 86_400.1,
            seeds: 10,
            seed: u64::MAX,
        };
        let text = "name = \"shop\"\n".to_owned();
        let planned = Planned {
            scenario,
            variants: vec!["base".to_owned(), "other".to_owned()],
            file: "shop.toml".to_owned(),
            sources: vec![SourceText { path: "shop.toml".to_owned(), text }],
        };
        let plan = WorkPlan {
            schema: SCHEMA,
            digest: String::new(),
            tool: tool(),
            command: Command::Compare,
            arguments: Arguments::default(),
            shards,
            rounds: 1,
            scenarios: vec![planned],
        };
        plan.sealed()
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let made = plan(3);
        let text = made.render();
        assert_eq!(WorkPlan::parse(text.as_bytes(), &tool()), Ok(made.clone()));
        assert_eq!(made.part_name(2), format!("part-{}-2of3", &made.digest[..16]));
        for (from, to, error) in [
            ("\"seeds\": 10", "\"seeds\": 11", PlanError::Changed),
            ("  \"shards\"", " \"shards\"", PlanError::Changed),
            ("\"schema\": 1", "\"schema\": 2", PlanError::Schema(2)),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(WorkPlan::parse(text.replace(from, to).as_bytes(), &tool()), Err(error));
        }
        let other = Tool { commit: Some("abc".to_owned()), ..tool() };
        let error = WorkPlan::parse(text.as_bytes(), &other).unwrap_err().to_string();
        assert_eq!(error, "it was made by regionsim 1, and this is regionsim 1 (abc)");
        assert!(matches!(WorkPlan::parse(b"{}", &tool()), Err(PlanError::Foreign(_))));
        // Well sealed, and yet nothing that can be.
        let none = WorkPlan { shards: 0, ..made }.sealed();
        assert_eq!(WorkPlan::parse(none.render().as_bytes(), &tool()), Err(PlanError::Shards(0)));
        let many = WorkPlan { rounds: 4, ..plan(3) }.sealed();
        assert_eq!(WorkPlan::parse(many.render().as_bytes(), &tool()), Err(PlanError::Rounds(4)));
    }

    proptest! {
        #[test]
        fn a_plan_with_another_byte_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = plan(3).render().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(WorkPlan::parse(&bytes, &tool()).is_err());
        }

        /// Every seed of every variant is in one shard, in order, and shards have the same number of them.
        #[test]
        fn shards_share_the_work(variants in 1_usize..8, seeds in 0_u32..200, shards in 1_u32..300, rounds in 1_u32..9) {
            let mut next = vec![0; variants];
            let all = variants as u64 * u64::from(seeds);
            for index in 0..shards {
                let mut units = 0;
                for block in share(variants, seeds, rounds, Piece { index, of: shards }) {
                    prop_assert_eq!(block.seeds.start, next[block.variant]);
                    next[block.variant] = block.seeds.end;
                    units += block.seeds.len() as u64;
                }
                prop_assert!(units >= all / u64::from(shards) && units <= all.div_ceil(shards.into()));
            }
            prop_assert_eq!(next, vec![seeds; variants]);
        }
    }

    /// By hand: four variants of 200 seeds by two are 100 seeds of each; by 32, 25 seeds of one; ten variants of 3 seeds
    /// by 4 are 7 or 8 seeds in a row.
    #[test]
    fn a_shard_has_some_of_each_variant_if_it_can_learn_from_it() {
        let block = |variant, seeds| Block { variant, seeds };
        let planned =
            |variants, seeds, index, of| share(variants, seeds, rounds([seeds].into_iter(), of), Piece { index, of });
        assert_eq!(planned(4, 200, 1, 2), [0, 1, 2, 3].map(|variant| block(variant, 100..200)));
        assert_eq!(planned(4, 200, 5, 32), [block(1, 25..50)]);
        assert_eq!(planned(10, 3, 1, 4), [block(2, 1..3), block(3, 0..3), block(4, 0..3)]);
        assert_eq!(planned(1, 2, 0, 8), []);
    }

    #[test]
    fn numbers_in_a_row_are_a_range() {
        assert_eq!(ranges(&[3, 7, 8, 9]), "3, 7-9");
        assert_eq!((ranges(&[0, 1]), ranges(&[5]), ranges(&[])), ("0-1".to_owned(), "5".to_owned(), String::new()));
    }
}
