//! A report's folder, written whole or not at all.
//!
//! The files go to a temporary folder beside it, which then takes its place. A folder that is there already is
//! replaced if it is empty or holds nothing but a report of ours.

use super::{failure::Failure, interrupt, shelf::Shelf};
use crate::experiment::results::Results;
use crate::report::{self, Mode, render};
use anyhow::{Context, Error, anyhow, bail};
use rayon::prelude::*;
use std::fs::{self, File};
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, SyncSender};
use std::thread::ScopedJoinHandle;

/// What a report has in its folder, besides `scenario.*.toml`.
const OURS: [&str; 16] = [
    "report.html",
    "summary.json",
    "seeds.csv",
    "latency.csv",
    "cost.csv",
    "outages.csv",
    "revisions.csv",
    "sweep.csv",
    "drill.csv",
    "drill.json",
    "story.md",
    "timeline.svg",
    "trace.json",
    "events.csv",
    "explain.json",
    "charts",
];

/// How many threads wait for the disk at once.
const MOST_ASKED: usize = 32;

/// Says whether a report could be written to the folder, as far as that shows before. Nothing stays behind.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    let probe = || {
        let place = Place::find(folder)?;
        let nearest = place.folder.ancestors().skip(1).find(|folder| folder.exists());
        temporary(nearest.ok_or_else(|| anyhow!("it has no parent folder"))?).map(|_| ())
    };
    probe().map_err(|error| Failure::Write(explain(error, folder)))
}

fn temporary(parent: &Path) -> Result<tempfile::TempDir, Error> {
    Ok(tempfile::Builder::new().prefix(".regionsim-").tempdir_in(parent)?)
}

/// Writes the files, their paths relative to the folder.
pub(super) fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let _ctrl_c_waits = interrupt::writing();
    write_files(folder, &|new| put(new, files)).map_err(|error| Failure::Write(explain(error, folder)))
}

/// Writes the report of results, of which some figures may be on a shelf: what is large goes to the disk while all
/// else is rendered.
pub(super) fn report(folder: &Path, results: &Results, mode: Mode, shelf: Option<&Shelf>) -> Result<(), Failure> {
    let _ctrl_c_waits = interrupt::writing();
    let one = |new: &Path, file: &report::Large| -> io::Result<Written> {
        let large = Large::begin(File::create(new.join(file.name))?)?;
        let mut out = BufWriter::with_capacity(1 << 16, large);
        (file.write)(results, &mut out)?;
        let Large { file: written, .. } = out.into_inner().map_err(IntoInnerError::into_error)?;
        Ok((file.name.to_owned(), written))
    };
    let large = |new: &Path| -> Result<Vec<Written>, Error> {
        report::large(results).par_iter().map(|file| one(new, file).context(file.name)).collect()
    };
    let fill = |new: &Path| {
        let (large, files) = rayon::join(|| large(new), || render(results, mode));
        let mut written = put(new, &files)?;
        written.extend(large?);
        shelf.map_or(Ok(()), Shelf::check)?;
        Ok(written)
    };
    write_files(folder, &fill).map_err(|error| Failure::Write(explain(error, folder)))
}

/// A large file, whose writing ends when the run is to. The disk begins with what is there while more is written: whether
/// it has kept all is asked in the end, as of the others.
struct Large {
    file: File,
    /// Bytes since the disk was asked last.
    more: usize,
    disk: SyncSender<()>,
}

/// Bytes of a large file that the disk is asked to begin with at once.
const AT_ONCE: usize = 4 << 20;

impl Large {
    fn begin(file: File) -> io::Result<Self> {
        let (disk, asked) = mpsc::sync_channel(1);
        let begins = file.try_clone()?;
        // Where there are too many threads all is left to the end.
        let _ = std::thread::Builder::new().spawn(move || asked.iter().try_for_each(|()| begins.sync_data()));
        Ok(Self { file, more: 0, disk })
    }
}

impl Write for Large {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if stopped() {
            // Not the kind that is called `Interrupted`, after which it would be tried again.
            return Err(io::Error::other("interrupted"));
        }
        let written = self.file.write(bytes)?;
        self.more += written;
        // It may still be at what it was asked for before.
        if self.more >= AT_ONCE && self.disk.try_send(()).is_ok() {
            self.more = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn stopped() -> bool {
    interrupt::stop().load(Ordering::Relaxed)
}

/// A file of a report that the disk wasn't asked to keep yet, and its path.
type Written = (String, File);

/// Writes all that is in a new folder.
type Fill<'a> = &'a dyn Fn(&Path) -> Result<Vec<Written>, Error>;

/// Writes one file, whole or not at all; a file that is there is replaced.
pub(super) fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let _ctrl_c_waits = interrupt::writing();
    let whole = || {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // In a folder of its own, so that the file has the permissions that any new file has.
        let temporary = temporary(folder)?;
        let new = temporary.path().join("new");
        let mut out = File::create(&new)?;
        out.write_all(bytes).and_then(|()| out.sync_data())?;
        fs::rename(&new, path)?;
        Ok::<(), Error>(())
    };
    whole().map_err(|error| Failure::Write(error.context(format!("can't write {}", path.display()))))
}

fn explain(error: Error, folder: &Path) -> Error {
    error.context(format!("can't write the report to {}", folder.display()))
}

/// Where a report goes.
struct Place {
    /// An absolute path without links.
    folder: PathBuf,
    /// It is there, and may be replaced.
    is_there: bool,
}

impl Place {
    fn find(folder: &Path) -> Result<Self, Error> {
        let remedy = "name another folder with --out";
        match fs::metadata(folder) {
            Ok(about) if !about.is_dir() => bail!("it is a file; {remedy}"),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { folder: std::path::absolute(folder)?, is_there: false });
            }
            Err(error) => return Err(error.into()),
        }
        let folder = fs::canonicalize(folder)?;
        if std::env::current_dir().is_ok_and(|here| here.starts_with(&folder)) {
            bail!("the program runs in it; name a folder within it with --out");
        }
        if folder.parent().is_none() {
            bail!("it is the root of the file system; {remedy}");
        }
        let mut is_report = false;
        let mut stranger = None;
        for entry in fs::read_dir(&folder)? {
            let name = entry?.file_name();
            let text = name.to_string_lossy();
            let is_scenario = text.starts_with("scenario.")
                && Path::new(&name).extension().is_some_and(|extension| extension == "toml");
            is_report |= ["summary.json", "drill.json", "explain.json"].contains(&&*text);
            if !OURS.contains(&&*text) && !is_scenario {
                stranger = Some(text.into_owned());
            }
        }
        match stranger {
            Some(name) => bail!("it holds `{name}`, which is no part of a report; move that away, or {remedy}"),
            None if !is_report && fs::read_dir(&folder)?.next().is_some() => {
                bail!("it holds files and no summary.json, so it is no report; {remedy}")
            }
            None => Ok(Self { folder, is_there: true }),
        }
    }
}

fn write_files(folder: &Path, fill: Fill) -> Result<(), Error> {
    let place = Place::find(folder)?;
    let parent = place.folder.parent().ok_or_else(|| anyhow!("it has no parent folder"))?;
    let made = Made::folders(parent)?;
    let result = staged(&place, parent, fill);
    if result.is_ok() {
        made.keep();
    }
    result
}

/// Writes beside the folder and puts the result in its place.
fn staged(place: &Place, parent: &Path, fill: Fill) -> Result<(), Error> {
    // Whatever happens, this goes when it goes out of scope, with all that is in it.
    let temporary = temporary(parent)?;
    // The report itself has the permissions that any new folder has, unlike a temporary one.
    let (new, old) = (temporary.path().join("new"), temporary.path().join("old"));
    fs::create_dir(&new)?;
    keep(&fill(&new)?)?;
    if place.is_there {
        fs::rename(&place.folder, &old).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
                anyhow!("it can't be replaced ({error}); name a folder within it with --out")
            }
            _ => error.into(),
        })?;
    }
    fs::rename(&new, &place.folder).inspect_err(|_| {
        if place.is_there {
            // What was there comes back; if even that fails, the first error is the one to tell.
            let _ = fs::rename(&old, &place.folder);
        }
    })?;
    // A large file takes as long to go as all the others. What stays goes with the folder.
    let files: Vec<_> = fs::read_dir(&old).into_iter().flatten().flatten().collect();
    files.par_iter().for_each(|file| drop(fs::remove_file(file.path())));
    Ok(())
}

/// Writes files, their paths relative to a folder.
fn put(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<Written>, Error> {
    let one = |(path, bytes): &(String, Vec<u8>)| {
        if stopped() {
            bail!("interrupted");
        }
        let is_within = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(is_within && !path.is_empty(), "a report's files are within its folder: {path}");
        let file = folder.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut out = File::create(&file).context(path.clone())?;
        out.write_all(bytes).context(path.clone())?;
        Ok((path.clone(), out))
    };
    files.par_iter().map(one).collect()
}

/// Waits until the disk has all of them: some file systems say that they are full only when asked to keep what they were
/// given. It is asked for many at once, however few cores there are, since that takes hardly longer than one.
fn keep(files: &[Written]) -> Result<(), Error> {
    let ask = |(path, file): &Written| file.sync_data().context(path.clone());
    std::thread::scope(|scope| {
        let some = files.chunks(files.len().div_ceil(MOST_ASKED).max(1));
        let asked: Vec<_> = some
            .map(|some| {
                let thread = std::thread::Builder::new().spawn_scoped(scope, move || some.iter().try_for_each(ask));
                (some, thread)
            })
            .collect();
        asked.into_iter().try_for_each(|(some, thread)| match thread.map(ScopedJoinHandle::join) {
            Ok(Ok(kept)) => kept,
            // There are too many threads.
            Err(_) => some.iter().try_for_each(ask),
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
        })
    })
}

/// Folders that were made on the way; those that are still empty go again unless they are kept.
struct Made(Vec<PathBuf>);

impl Made {
    fn folders(folder: &Path) -> io::Result<Self> {
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        // The innermost first.
        let made = Self(missing.map(Path::to_owned).collect());
        fs::create_dir_all(folder)?;
        Ok(made)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.0 {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<(String, Vec<u8>)> {
        names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
    }

    fn written(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        write_files(folder, &|new| put(new, files))
    }

    #[test]
    fn a_failure_in_the_middle_leaves_everything_as_it_was() {
        let here = tempfile::tempdir().unwrap();
        // No file system of ours has names as long as that.
        let long = "x".repeat(5000);
        let broken = files(&["report.html", "charts/a.svg", &long]);
        let folder = here.path().join("a/b");
        assert!(written(&folder, &broken).is_err());
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0, "the folders on the way are gone too");
        written(&folder, &files(&["summary.json", "charts/a.svg"])).unwrap();
        assert!(written(&folder, &broken).is_err());
        assert_eq!(fs::read(folder.join("summary.json")).unwrap(), b"summary.json");
        assert!(!folder.join("report.html").exists());
        assert_eq!(fs::read_dir(here.path().join("a")).unwrap().count(), 1, "no temporary folder stays");
    }

    #[test]
    #[should_panic(expected = "within its folder")]
    fn no_file_leaves_the_folder() {
        let here = tempfile::tempdir().unwrap();
        let _ = written(&here.path().join("r"), &files(&["../x"]));
    }
}
