//! The pieces of work that are timed, each written once: `suite` gives them to criterion, `table` makes the README's table
//! of them and has their instructions counted. Every run asserts its result.

mod draws;
mod events;
mod loads;
mod pages;
mod queueing;
mod requests;
mod scenario;
mod worlds;
mod years;

/// Something to time.
pub(crate) struct Work {
    /// What it is called, in the table and on the command line.
    pub(crate) name: String,
    /// What it is made of: "event", "request".
    pub(crate) unit: &'static str,
    /// Makes it ready to run.
    pub(crate) set_up: Box<dyn Fn() -> Ready>,
}

/// Work that is ready to run, any number of times.
pub(crate) struct Ready {
    /// How many units a run has.
    pub(crate) units: u64,
    /// One run.
    pub(crate) run: Box<dyn FnMut()>,
}

impl Work {
    fn new(name: impl Into<String>, unit: &'static str, set_up: impl Fn() -> Ready + 'static) -> Self {
        Self { name: name.into(), unit, set_up: Box::new(set_up) }
    }
}

impl Ready {
    fn new(units: u64, run: impl FnMut() + 'static) -> Self {
        Self { units, run: Box::new(run) }
    }
}

/// All of it, or of each as small a share as one in `share`: counting instructions takes fifty times as long as running.
pub(crate) fn all(share: u64) -> Vec<Work> {
    [
        events::all(share),
        draws::all(share),
        queueing::all(),
        requests::all(share),
        years::all(share),
        loads::all(share),
        worlds::all(share),
        pages::all(share),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How far a mean over many runs may lie from its expectation, in standard deviations. Runs are thousands; draws are the
/// same each time.
const DEVIATIONS: f64 = 6.0;
