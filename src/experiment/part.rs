//! What a shard came to, as a file: two lines that say what it is, the summaries of its seeds, and a checksum.
//!
//! ```text
//! regionsim part 1                      the version of the format
//! {"tool":…,"plan":…,"index":…,…}       the label
//! deflate(length, postcard summary, …)  in the order of the shard's blocks; lengths are u32, little-endian
//! SHA-256 of all before                 32 bytes
//! ```
//!
//! Numbers keep every bit. A file is read in two passes and never held whole: the checksum is found right before anything
//! of the rest is looked at. Neither the disk nor whoever wrote a part is trusted.

use super::results::Tool;
use super::work::{WorkPlan, version};
use crate::metric::RunSummary;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take, Write};

/// The version of the format.
pub const FORMAT: u32 = 1;
/// How every part begins.
const MAGIC: &str = "regionsim part ";
/// A longer first or second line is no label.
const MAX_LINE: u64 = 4096;
/// A longer summary is none.
const MAX_SUMMARY: u32 = 64 << 20;
/// Bytes of the checksum.
const CHECKSUM: u64 = 32;

/// What a part is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The program that ran.
    pub tool: Tool,
    /// The digest of its plan.
    pub plan: String,
    /// Which shard.
    pub index: u32,
    /// Of how many.
    pub shards: u32,
    /// Bytes that follow the label, without the checksum.
    pub bytes: u64,
}

/// Why a part is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It is something else.
    #[error("it is no part of a plan")]
    Foreign,
    /// It is written in another way.
    #[error("its format is {0}, and this version reads {FORMAT}")]
    Format(u32),
    /// It isn't whole.
    #[error("it is cut short: {is} of {whole} bytes are there")]
    Short {
        /// Bytes there.
        is: u64,
        /// Bytes that there should be.
        whole: u64,
    },
    /// A bit of it is another than when it was written.
    #[error("it is damaged: its checksum doesn't fit")]
    Damaged,
    /// Another version may come to other figures.
    #[error("it was made by {theirs}, and the plan by {ours}")]
    Tool {
        /// Which one made it.
        theirs: String,
        /// Which one made the plan.
        ours: String,
    },
    /// It is of another run.
    #[error("it is of another plan, {}", crate::diag::harmless(.0))]
    Plan(String),
    /// It is another shard's.
    #[error("it holds part {is} of {of}, unlike its name")]
    Other {
        /// Which one it says it is.
        is: u32,
        /// Of how many.
        of: u32,
    },
    /// It doesn't hold what its plan asks for.
    #[error("it doesn't hold what its plan asks for: {0}")]
    Content(&'static str),
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Read(#[from] io::Error),
}

/// The file of a shard, from its summaries in the order of its blocks.
///
/// # Panics
/// Never: memory takes every byte, and plain data always serialises.
pub fn encode<'s>(plan: &WorkPlan, index: u32, summaries: impl IntoIterator<Item = &'s RunSummary>) -> Vec<u8> {
    let mut body = DeflateEncoder::new(Vec::new(), Compression::fast());
    for summary in summaries {
        let record = postcard::to_stdvec(summary).expect("plain data always serialises");
        let length = u32::try_from(record.len()).expect("a summary is far below 4 GiB");
        body.write_all(&length.to_le_bytes()).and_then(|()| body.write_all(&record)).expect("memory takes every byte");
    }
    let body = body.finish().expect("memory takes every byte");
    let (tool, plan, shards) = (plan.tool.clone(), plan.digest.clone(), plan.shards);
    let label = Label { tool, plan, index, shards, bytes: body.len() as u64 };
    let label = serde_json::to_string(&label).expect("plain data with string keys always serialises");
    let mut file = format!("{MAGIC}{FORMAT}\n{label}\n").into_bytes();
    file.extend(body);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    file
}

/// A part whose label and checksum are right.
pub struct Part<R> {
    /// What it is.
    pub label: Label,
    body: DeflateDecoder<Take<BufReader<R>>>,
}

impl<R: Read + Seek> Part<R> {
    /// Reads a part's label, and all of it once for its checksum.
    ///
    /// # Errors
    /// If it isn't whole, or no part at all.
    pub fn open(mut file: R) -> Result<Self, PartError> {
        let size = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let mut file = BufReader::new(file);
        let first = line(&mut file)?;
        let format = first.strip_prefix(MAGIC).and_then(|format| format.parse().ok()).ok_or(PartError::Foreign)?;
        if format != FORMAT {
            return Err(PartError::Format(format));
        }
        let second = line(&mut file)?;
        let label: Result<Label, _> = serde_json::from_str(&second);
        let head = (first.len() + second.len()) as u64 + 2;
        if let Ok(label) = &label {
            let whole = head.saturating_add(label.bytes).saturating_add(CHECKSUM);
            if size < whole {
                return Err(PartError::Short { is: size, whole });
            }
        }
        file.rewind()?;
        let mut sum = Sha256::new();
        let mut rest = size.saturating_sub(CHECKSUM);
        while rest > 0 {
            let piece = file.fill_buf()?;
            let piece = &piece[..piece.len().min(usize::try_from(rest).unwrap_or(usize::MAX))];
            if piece.is_empty() {
                return Err(PartError::Damaged);
            }
            sum.update(piece);
            let taken = piece.len();
            file.consume(taken);
            rest -= taken as u64;
        }
        let mut said = Vec::new();
        file.by_ref().take(CHECKSUM + 1).read_to_end(&mut said)?;
        if said != sum.finalize().as_slice() {
            return Err(PartError::Damaged);
        }
        let label = label.map_err(|_| PartError::Foreign)?;
        if size != head + label.bytes + CHECKSUM {
            return Err(PartError::Damaged);
        }
        file.seek(SeekFrom::Start(head))?;
        let bytes = label.bytes;
        Ok(Self { label, body: DeflateDecoder::new(file.take(bytes)) })
    }

    /// Whether it is what the plan's shard `index` makes.
    ///
    /// # Errors
    /// If it isn't.
    pub fn is_of(&self, plan: &WorkPlan, index: u32) -> Result<(), PartError> {
        let label = &self.label;
        if label.tool != plan.tool {
            return Err(PartError::Tool { theirs: version(&label.tool), ours: version(&plan.tool) });
        }
        if label.plan != plan.digest {
            return Err(PartError::Plan(label.plan.chars().take(16).collect()));
        }
        if (label.index, label.shards) != (index, plan.shards) {
            return Err(PartError::Other { is: label.index, of: label.shards });
        }
        Ok(())
    }

    /// The next summary.
    ///
    /// # Errors
    /// If there is none, or it is none.
    pub fn summary(&mut self) -> Result<RunSummary, PartError> {
        let unfit = |_: io::Error| PartError::Content("it ends before its last seed");
        let mut length = [0; 4];
        self.body.read_exact(&mut length).map_err(unfit)?;
        let length = u32::from_le_bytes(length);
        if length > MAX_SUMMARY {
            return Err(PartError::Content("a seed is too long"));
        }
        let mut record = Vec::new();
        self.body.by_ref().take(length.into()).read_to_end(&mut record).map_err(unfit)?;
        if record.len() != length as usize {
            return Err(PartError::Content("it ends before its last seed"));
        }
        match postcard::take_from_bytes(&record) {
            Ok((summary, [])) => Ok(summary),
            Ok(_) | Err(_) => Err(PartError::Content("a seed can't be read")),
        }
    }

    /// Whether nothing is left.
    ///
    /// # Errors
    /// If something is.
    pub fn end(mut self) -> Result<(), PartError> {
        match self.body.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) | Err(_) => Err(PartError::Content("it goes on after its last seed")),
        }
    }
}

/// A line of text, without its end.
fn line(file: &mut impl BufRead) -> Result<String, PartError> {
    let mut bytes = Vec::new();
    file.take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    match bytes.pop() {
        Some(b'\n') => String::from_utf8(bytes).map_err(|_| PartError::Foreign),
        Some(_) | None => Err(PartError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::super::work::tests::plan;
    use super::*;
    use crate::metric::{Layout, fixture};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn summaries() -> Vec<RunSummary> {
        let plan = fixture::plan();
        let seed = |replication: u64| {
            let summary = Layout::new(&plan).summarise(&plan, &fixture::observations(replication as f64 / 3.0));
            RunSummary { replication, ..summary }
        };
        (0..3).map(seed).collect()
    }

    fn open(bytes: &[u8]) -> Result<Part<Cursor<&[u8]>>, PartError> {
        Part::open(Cursor::new(bytes))
    }

    /// A body of somebody else's, well sealed.
    fn sealed(body: &[u8]) -> Vec<u8> {
        let empty = encode(&plan(3), 1, []);
        let text = String::from_utf8_lossy(&empty).into_owned();
        let mut lines = text.lines();
        let (first, label) = (lines.next().unwrap(), lines.next().unwrap());
        let label = Label { bytes: body.len() as u64, ..serde_json::from_str(label).unwrap() };
        let mut file = format!("{first}\n{}\n", serde_json::to_string(&label).unwrap()).into_bytes();
        file.extend_from_slice(body);
        let sum = Sha256::digest(&file);
        file.extend_from_slice(&sum);
        file
    }

    #[test]
    fn every_bit_comes_back() {
        let mut written = summaries();
        let odd = [-0.0, 0.1 + 0.2, f64::MIN_POSITIVE / 3.0, f64::MAX, 1.0 / 3.0];
        written[1].values = odd.iter().map(|x| Some(*x)).chain([None]).collect();
        let file = encode(&plan(3), 1, &written);
        assert!(file.starts_with(b"regionsim part 1\n{\"tool\":"));
        let mut part = open(&file).unwrap();
        part.is_of(&plan(3), 1).unwrap();
        for summary in &written {
            let read = part.summary().unwrap();
            assert_eq!(read, *summary);
            let bits = |one: &RunSummary| one.values.iter().map(|x| x.map(f64::to_bits)).collect::<Vec<_>>();
            assert_eq!(bits(&read), bits(summary));
        }
        part.end().unwrap();
        assert!(open(&file).unwrap().end().is_err(), "three summaries are left");
        open(&encode(&plan(3), 1, [])).unwrap().end().unwrap();
    }

    #[test]
    fn a_part_says_what_it_is() {
        let file = encode(&plan(3), 1, &summaries());
        let part = open(&file).unwrap();
        let said = |plan: &WorkPlan, index| part.is_of(plan, index).unwrap_err().to_string();
        assert_eq!(said(&plan(3), 2), "it holds part 1 of 3, unlike its name");
        assert_eq!(said(&plan(4), 1), format!("it is of another plan, {}", plan(3).short()));
        let tool = Tool { version: "2".to_owned(), ..plan(3).tool };
        let newer = WorkPlan { tool, ..plan(3) }.sealed();
        assert_eq!(said(&newer, 1), "it was made by regionsim 1, and the plan by regionsim 2");
        let later = String::from_utf8_lossy(b"regionsim part 2\n").into_owned().into_bytes();
        assert!(matches!(open(&later), Err(PartError::Format(2))));
        for text in ["", "\n\n", "regionsim part \n", "regionsim part x\n", "%PDF-1.7\n"] {
            assert!(matches!(open(text.as_bytes()), Err(PartError::Foreign)), "{text:?}");
        }
        let mut longer = file.clone();
        longer.push(0);
        assert!(matches!(open(&longer), Err(PartError::Damaged)));
    }

    proptest! {
        /// In the header, the body or the checksum.
        #[test]
        fn a_part_with_another_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut file = encode(&plan(3), 1, &summaries());
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
            prop_assert!(open(&file).is_err());
        }

        #[test]
        fn a_part_that_is_cut_short_is_refused(length in any::<prop::sample::Index>()) {
            let file = encode(&plan(3), 1, &summaries());
            let length = length.index(file.len());
            let error = open(&file[..length]).err().map(|error| error.to_string()).unwrap_or_default();
            let head = file.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0;
            let says = if length > head { format!("it is cut short: {length} of {}", file.len()) } else { "no part".to_owned() };
            prop_assert!(error.contains(&says), "{}: {}", length, error);
        }

        /// Whatever somebody seals as a part, nothing panics, and what isn't a summary isn't one.
        #[test]
        fn a_forged_part_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_packed: bool) {
            let body = if is_packed {
                let mut body = DeflateEncoder::new(Vec::new(), Compression::fast());
                body.write_all(&bytes).unwrap();
                body.finish().unwrap()
            } else {
                bytes
            };
            let file = sealed(&body);
            let mut part = open(&file).unwrap();
            for _ in 0..200 {
                if part.summary().is_err() {
                    return Ok(());
                }
            }
            prop_assert!(false, "so few bytes hold no two hundred summaries");
        }
    }
}
