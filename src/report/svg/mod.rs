//! Charts: one file per chart, drawn through [`canvas::Canvas`] on plotters' SVG backend.

mod availability;
mod axis;
mod bill;
mod canvas;
mod connections;
mod explain;
mod exposure;
mod labels;
mod latency;
mod lost;
mod map;
mod sweep;
mod timeline;
mod tradeoff;

pub(super) use explain::picture as explain;
pub(super) use sweep::charts as sweep_charts;

use super::text::slug;
use crate::experiment::results::Results;
use rayon::prelude::*;

/// What kind of picture it is: where the page puts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// One for all variants.
    Whole,
    /// One of several maps.
    Map,
    /// One of several timelines.
    Timeline,
}

/// A finished chart.
pub(super) struct Chart {
    /// File name without extension.
    pub file: String,
    /// Where it goes.
    pub kind: Kind,
    /// The question that it answers.
    pub title: String,
    /// How to read it, and by what convention.
    pub caption: String,
    /// The `<svg>` element, to be put into a page; colours follow the page's text colour.
    pub svg: String,
}

impl Chart {
    /// As a file of its own, light or dark as the viewer prefers.
    pub(super) fn standalone(&self) -> String {
        let style = "<style>svg{color:#1c2026;background:#fff}@media(prefers-color-scheme:dark)\
                     {svg{color:#e6e8eb;background:#15181c}}</style>";
        let at = self.svg.find('>').map_or(0, |at| at + 1);
        format!("{}{style}{}\n", &self.svg[..at], &self.svg[at..])
    }
}

/// A variant's colour, as CSS: the page's style sheet has the same.
#[cfg(test)]
pub(super) fn variant_colour(place: usize) -> String {
    let colour = canvas::PALETTE[place % canvas::PALETTE.len()];
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

/// Every chart that the results have figures for, in the order of the page.
pub(super) fn charts(results: &Results) -> Vec<Chart> {
    let whole: [fn(&Results) -> Option<Chart>; 8] = [
        lost::chart,
        availability::chart,
        tradeoff::chart,
        bill::chart,
        connections::chart,
        exposure::chart,
        latency::quantiles,
        latency::curves,
    ];
    let whole = whole.par_iter().filter_map(|chart| chart(results));
    let variants = || results.variants.par_iter();
    let timelines =
        variants().filter_map(|variant| timeline::chart(variant, &format!("timeline-{}", slug(&variant.name))));
    let maps = variants().filter_map(|variant| map::chart(variant, &format!("map-{}", slug(&variant.name))));
    whole.chain(timelines).chain(maps).collect()
}
