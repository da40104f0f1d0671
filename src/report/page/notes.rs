//! What the figures rest on: the designs, the method, assumptions, limits and sources.

use crate::experiment::results::{NoteKind, Results};
use crate::report::text::{plain, short};

pub(super) fn notes(results: &Results) -> Vec<(&'static str, Vec<String>)> {
    let of = |kind: NoteKind| {
        results.notes.iter().filter(move |n| n.kind == kind).map(|n| plain(&n.text)).collect::<Vec<_>>()
    };
    let designs = results
        .variants
        .iter()
        .filter_map(|v| Some(format!("{}: {}", short(&v.name, 60), plain(v.summary.as_deref()?))));
    let mut method = of(NoteKind::Method);
    method.extend([
        "Each seed is one horizon with its own faults; every variant lives through the same faults, so differences are paired by seed.".to_owned(),
        "Intervals are 95 %: Student t for means, Wilson for shares. The spread from year to year is wider than they are: see the 5th and 95th percentiles.".into(),
    ]);
    [
        ("The designs", designs.collect()),
        ("Method", method),
        ("Assumptions nobody measured", of(NoteKind::Assumption)),
        ("Not modelled", of(NoteKind::Limit)),
        ("Sources", of(NoteKind::Source)),
    ]
    .into_iter()
    .filter(|(_, items)| !items.is_empty())
    .collect()
}
