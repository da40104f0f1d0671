//! A page to draw on: plotters' SVG backend with quarter-pixel coordinates, page-following ink and hover texts.
//!
//! plotters writes whole pixels and fixed colours, so drawing happens at [`FINE`] times the size, in the marker colour
//! [`INK`] that becomes `currentColor`, and a text in the marker colour [`HOVER`] becomes the `<title>` of the shape
//! before it. plotters escapes quotes in text, so no name can forge a marker.

use crate::report::text::plain;
use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, FontStyle, RGBAColor, ShapeStyle, TextStyle};

/// Backend pixels per unit of the view box.
const FINE: f64 = 4.0;
const HOVER: Colour = RGBAColor(2, 2, 2, 1.0);

/// A colour with its opacity.
pub(super) type Colour = RGBAColor;

/// The page's text colour.
pub(super) const INK: Colour = RGBAColor(1, 1, 1, 1.0);
/// For secondary text.
pub(super) const SOFT: Colour = RGBAColor(1, 1, 1, 0.65);
/// For axes.
pub(super) const AXIS: Colour = RGBAColor(1, 1, 1, 0.4);
/// For grids.
pub(super) const GRID: Colour = RGBAColor(1, 1, 1, 0.12);

/// Okabe and Ito's palette (2008), told apart by every common colour vision; without black, which a dark page hides.
pub(super) const PALETTE: [Colour; 7] = [
    RGBAColor(0, 114, 178, 1.0),
    RGBAColor(230, 159, 0, 1.0),
    RGBAColor(0, 158, 115, 1.0),
    RGBAColor(204, 121, 167, 1.0),
    RGBAColor(86, 180, 233, 1.0),
    RGBAColor(213, 94, 0, 1.0),
    RGBAColor(140, 140, 140, 1.0),
];
/// Dark on every colour of the palette, on a light page and on a dark one.
pub(super) const ON_COLOUR: Colour = RGBAColor(16, 16, 16, 1.0);
/// The palette's vermilion: loss, faults.
pub(super) const VERMILION: Colour = PALETTE[5];

/// The same colour, so opaque.
pub(super) const fn faded(colour: Colour, opacity: f64) -> Colour {
    RGBAColor(colour.0, colour.1, colour.2, opacity)
}

/// Which part of a text stands at its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// About how wide a text will be: without fonts nobody can measure it, so this is on the wide side.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c < '\u{1100}' { 0.58 } else { 1.05 }).sum::<f64>() * size
}

/// A drawing in progress.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

fn at(x: f64, y: f64) -> (i32, i32) {
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

fn style(colour: Colour, width: f64, filled: bool) -> ShapeStyle {
    ShapeStyle { color: colour, filled, stroke_width: (width * FINE).round() as u32 }
}

impl Canvas<'_> {
    /// A filled rectangle.
    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, colour: Colour) {
        let drawn =
            self.backend.draw_rect(at(x, y), at(x + width.max(0.25), y + height), &style(colour, 1.0, true), true);
        drawn.expect("a string takes every shape");
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, width: f64) {
        let drawn = self.backend.draw_line(at(from.0, from.1), at(to.0, to.1), &style(colour, width, false));
        drawn.expect("a string takes every shape");
    }

    /// A dashed line.
    pub(super) fn dashes(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, width: f64) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        let pieces = (length / 8.0).ceil().max(1.0);
        for i in 0..pieces as u32 {
            let (a, b) = (f64::from(i) / pieces, (f64::from(i) + 0.55) / pieces);
            self.line((from.0 + dx * a, from.1 + dy * a), (from.0 + dx * b, from.1 + dy * b), colour, width);
        }
    }

    /// A line through points.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: Colour, width: f64) {
        let drawn = self.backend.draw_path(points.iter().map(|p| at(p.0, p.1)), &style(colour, width, false));
        drawn.expect("a string takes every shape");
    }

    /// A filled area.
    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: Colour) {
        let drawn = self.backend.fill_polygon(points.iter().map(|p| at(p.0, p.1)), &style(colour, 1.0, true));
        drawn.expect("a string takes every shape");
    }

    /// A filled circle.
    pub(super) fn dot(&mut self, x: f64, y: f64, radius: f64, colour: Colour) {
        let radius = (radius * FINE).round() as u32;
        self.backend
            .draw_circle(at(x, y), radius, &style(colour, 0.0, true), true)
            .expect("a string takes every shape");
    }

    /// A circle's outline.
    pub(super) fn ring(&mut self, x: f64, y: f64, radius: f64, colour: Colour, width: f64) {
        let radius = (radius * FINE).round() as u32;
        self.backend
            .draw_circle(at(x, y), radius, &style(colour, width, false), false)
            .expect("a string takes every shape");
    }

    /// A text, its middle line at `y`.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, colour: Colour, text: &str) {
        self.write(x, y, anchor, size, colour, FontStyle::Normal, text);
    }

    /// The same, bold.
    pub(super) fn bold(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, colour: Colour, text: &str) {
        self.write(x, y, anchor, size, colour, FontStyle::Bold, text);
    }

    #[expect(clippy::too_many_arguments, reason = "a text has a place, a look and words")]
    fn write(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, colour: Colour, weight: FontStyle, text: &str) {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = (FontFamily::SansSerif, size * FINE, weight);
        let look = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.backend.draw_text(&plain(text), &look, at(x, y)).expect("a string takes every shape");
    }

    /// What a reader sees who points at the shape drawn last.
    pub(super) fn hover(&mut self, text: &str) {
        self.text(0.0, 0.0, Anchor::Start, 1.0, HOVER, text);
    }
}

/// Draws a chart of this size, with its description for who can't see it.
pub(super) fn draw(width: f64, height: f64, description: &str, paint: impl FnOnce(&mut Canvas<'_>)) -> String {
    let mut text = String::new();
    let size = at(width, height);
    {
        let mut canvas = Canvas { backend: SVGBackend::with_string(&mut text, (size.0 as u32, size.1 as u32)) };
        paint(&mut canvas);
        canvas.backend.present().expect("a string takes every shape");
    }
    finish(&text, size, description)
}

fn finish(text: &str, size: (i32, i32), description: &str) -> String {
    let body = text.find('>').map_or("", |end| &text[end + 1..]);
    let body = body
        .replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace("\"#010101\"", "\"currentColor\"");
    let label =
        askama::filters::escape(plain(description), askama::filters::Html).map(|x| x.to_string()).unwrap_or_default();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{label}\" \
         font-family=\"system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif\">",
        size.0, size.1
    );
    // A hover text is an element `<text …HOVER…>\nwords\n</text>` after its shape's `…/>`.
    let mut rest = body.as_str();
    while let Some(marker) = rest.find("fill=\"#020202\"") {
        let open = rest[..marker].rfind("<text").expect("the marker is a text's");
        let words_at = marker + rest[marker..].find('>').expect("plotters closes its tags") + 1;
        let close = words_at + rest[words_at..].find("</text>").expect("plotters closes its tags");
        let words = rest[words_at..close].trim_matches('\n');
        let before = rest[..open].trim_end();
        let shape = before.strip_suffix("/>").expect("a hover text follows a shape");
        let tag = shape.rfind('<').map_or("", |at| shape[at + 1..].split(' ').next().unwrap_or(""));
        for piece in [shape, "><title>", words, "</title></", tag, ">\n"] {
            out.push_str(piece);
        }
        rest = rest[close + "</text>".len()..].trim_start_matches('\n');
    }
    out + rest.trim_end()
}
