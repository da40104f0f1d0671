//! Standard output and standard error. Colours go to terminals only, and not where `NO_COLOR` is set.

use super::failure::Failure;
use crate::diag::{Diagnostic, Diagnostics, Look, Sources};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What tables on a terminal are folded to, in columns.
const WIDTH: u16 = 80;

/// Prints to standard output.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_ref()).and_then(|()| out.flush()).map_err(Failure::output)
}

/// The same of what is too large to be held.
pub(super) fn print_as_made(make: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(anstream::stdout());
    make(&mut out).and_then(|()| out.flush()).map_err(Failure::output)
}

/// One of a report's files, to standard output.
pub(super) fn print_file(files: &[(String, Vec<u8>)], name: &str) -> Result<(), Failure> {
    let found = files.iter().find(|file| file.0 == name);
    print(found.map_or(&[][..], |(_, bytes)| bytes))
}

/// Says something on standard error. Nobody is left to be told if that fails.
pub(super) fn say(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

fn look() -> Look {
    match anstream::AutoStream::choice(&io::stderr()) {
        anstream::ColorChoice::Never => Look::Plain,
        _ => Look::Colour,
    }
}

/// Shows a diagnostic that is about no file.
pub(super) fn diagnostic(diagnostic: &Diagnostic) {
    say(&format!("{}\n", diagnostic.render(&Sources::default(), look())));
}

/// Shows all that was found.
pub(super) fn diagnostics(found: &Diagnostics, sources: &Sources) {
    say(&found.render(sources, look()));
}

/// An aligned table, its headings in capitals; folded on a terminal, and a line per row for other programs.
pub(super) fn table<C: Into<comfy_table::Cell>>(
    headings: &[&str],
    rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    }
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    for row in rows {
        table.add_row(row.into_iter().map(Into::into));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

/// A progress bar on standard error, if that is a terminal, from the second second on.
pub(super) struct Progress {
    is_shown: bool,
    start: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// A run begins now.
    pub(super) fn new(quiet: bool) -> Self {
        Self { is_shown: !quiet && io::stderr().is_terminal(), start: Instant::now(), bar: OnceLock::new() }
    }

    /// So many seeds of so many are done.
    pub(super) fn at(&self, done: u64, total: u64) {
        let elapsed = self.start.elapsed();
        if !self.is_shown || elapsed < Duration::from_secs(1) {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:40} {pos} of {len} seeds, {msg}");
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        // `--until` may add to them.
        bar.set_length(total);
        let left = elapsed.mul_f64((total - done) as f64 / done.max(1) as f64);
        bar.set_message(format!("{} s left", left.as_secs()));
        bar.set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
