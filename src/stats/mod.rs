//! Layer 1: statistics of results: intervals across seeds, paired comparison, tallies, histogram.
//!
//! Sums run in the given order, so the same values in the same order give the same bits. Quantiles of
//! Student's t and of the normal are `statrs`'s, the only numbers here that use the platform's maths.

pub mod column;
pub mod histogram;
pub mod holm;
pub mod paired;
pub mod pareto;
pub mod quantile;
pub mod recorder;
pub mod shelf;
pub mod shift;
pub mod summary;
pub mod tally;

pub use column::Column;
pub use histogram::Histogram;
pub use holm::{holm, two_sided_p};
pub use paired::{Direction, Paired, Verdict};
pub use pareto::pareto_front;
pub use quantile::{normal_quantile, quantile_ci, quantile_of_sorted, t_quantile, wilson};
pub use recorder::Recorder;
pub use shelf::Shelf;
pub use shift::{Shift, values_to_tell};
pub use summary::{Summary, t_bound};
pub use tally::{Level, Tally};
