//! Ctrl-C: the program ends at once with exit code 130 and leaves no partial report.
//!
//! While a report is being written, the writer is asked to stop and takes away what it has written; it looks between
//! files, so that takes no time.

use super::terminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static STOP: AtomicBool = AtomicBool::new(false);
static WRITING: Mutex<()> = Mutex::new(());

/// Watches for Ctrl-C from now on.
pub(super) fn watch() {
    // Without a handler, Ctrl-C ends the program as it ends any other.
    let _ = ctrlc::set_handler(|| {
        STOP.store(true, Ordering::SeqCst);
        let _no_report_is_half_written = writing();
        terminal::say("\ninterrupted: no report was written\n");
        std::process::exit(130);
    });
}

/// Set by Ctrl-C.
pub(super) fn stop() -> &'static AtomicBool {
    &STOP
}

/// While it is held, Ctrl-C waits.
pub(super) fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}
