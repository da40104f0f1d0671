//! Why a command didn't do what it was asked, and the exit code of each reason.

use super::terminal;
use crate::diag::{Diagnostic, harmless};
use std::io;
use std::process::ExitCode;

/// Why a command didn't do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// An argument is wrong.
    Usage(Box<Diagnostic>),
    /// The scenarios are wrong; what is wrong with them has been said.
    Mistakes,
    /// What was checked doesn't hold: an expectation, a baseline, a figure that is known; which has been printed.
    Refused,
    /// A result couldn't be written.
    Write(anyhow::Error),
    /// Ctrl-C.
    Interrupted,
    /// Whoever reads the output has read enough.
    Closed,
}

impl Failure {
    /// Says it on standard error, unless that was done, and gives the exit code.
    pub(super) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::Usage(diagnostic) => {
                terminal::diagnostic(&diagnostic);
                return ExitCode::from(2);
            }
            Self::Mistakes => return ExitCode::from(2),
            Self::Refused => return ExitCode::from(1),
            Self::Interrupted => return ExitCode::from(130),
            Self::Closed => return ExitCode::SUCCESS,
            Self::Write(error) => (format!("{error:#}"), 3),
        };
        terminal::diagnostic(&Diagnostic::error(harmless(&message)));
        ExitCode::from(code)
    }

    /// An argument is wrong.
    pub(super) fn usage(diagnostic: Diagnostic) -> Self {
        Self::Usage(Box::new(diagnostic))
    }

    /// Standard output can't be written.
    pub(super) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Write(anyhow::Error::new(error).context("can't write to standard output")),
        }
    }
}
