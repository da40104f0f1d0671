//! Ctrl-C: the program ends at once with exit code 130 and leaves no partial report.
//!
//! While a report is being written, the writer is asked to stop and takes away what it has written; it looks between
//! files, so that takes no time.

use super::terminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static STOP: AtomicBool = AtomicBool::new(false);
static WRITING: Mutex<()> = Mutex::new(());

/// What is said of it.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Watches for Ctrl-C from now on.
pub(super) fn watch() {
    watch_and_say("no report was written");
}

/// The same for a command that writes something else.
pub(super) fn watch_and_say(what: &str) {
    say_too(what);
    // Without a handler, Ctrl-C ends the program as it ends any other.
    let _ = ctrlc::set_handler(|| {
        STOP.store(true, Ordering::SeqCst);
        let _no_report_is_half_written = writing();
        terminal::say(&format!("\ninterrupted: {}\n", SAID.lock().unwrap_or_else(PoisonError::into_inner)));
        std::process::exit(130);
    });
}

/// Adds to what Ctrl-C makes the program say.
pub(super) fn say_too(what: &str) {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).push_str(what);
}

/// Set by Ctrl-C.
pub(super) fn stop() -> &'static AtomicBool {
    &STOP
}

/// While it is held, Ctrl-C waits.
pub(super) fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}
