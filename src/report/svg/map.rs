//! Where clusters and populations are, and who serves whom: an equirectangular map with coarse coasts.
//!
//! The coasts are drawn by hand from well-known places, to a few degrees: for orientation only.

use super::axis::Scale;
use super::canvas::{Anchor, Canvas, GRID, INK, PALETTE, SOFT, VERMILION, draw, faded};
use super::labels::{Labels, size_of};
use super::{Chart, Kind};
use crate::experiment::results::{Map, VariantResult};
use crate::report::text::{count, duration, percent, short};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 270.0;

/// Coasts as (longitude, latitude) in degrees.
const COASTS: &[&[(f64, f64)]] = &[
    // North and Central America.
    &[
        (-168.0, 66.0),
        (-156.0, 71.0),
        (-128.0, 70.0),
        (-110.0, 68.0),
        (-95.0, 69.0),
        (-82.0, 68.0),
        (-86.0, 64.0),
        (-94.0, 59.0),
        (-82.0, 55.0),
        (-79.0, 51.0),
        (-76.0, 62.0),
        (-65.0, 59.0),
        (-56.0, 53.0),
        (-66.0, 50.0),
        (-61.0, 46.0),
        (-70.0, 43.5),
        (-70.0, 41.5),
        (-74.0, 40.0),
        (-76.0, 35.0),
        (-81.0, 31.0),
        (-80.0, 25.5),
        (-82.5, 28.0),
        (-84.0, 30.0),
        (-90.0, 29.5),
        (-97.0, 27.5),
        (-97.5, 22.0),
        (-94.5, 18.0),
        (-90.5, 21.0),
        (-87.0, 21.0),
        (-88.5, 16.0),
        (-83.5, 15.0),
        (-83.0, 10.0),
        (-79.5, 9.5),
        (-77.5, 8.0),
        (-80.0, 7.5),
        (-85.5, 10.5),
        (-94.0, 16.0),
        (-105.5, 20.0),
        (-109.5, 25.5),
        (-113.0, 31.0),
        (-114.5, 29.5),
        (-110.0, 23.0),
        (-115.0, 29.5),
        (-117.0, 32.5),
        (-121.0, 35.0),
        (-124.0, 40.0),
        (-124.0, 47.5),
        (-130.0, 55.0),
        (-140.0, 60.0),
        (-152.0, 59.5),
        (-162.0, 55.0),
        (-157.0, 58.5),
        (-165.0, 62.0),
    ],
    // Greenland.
    &[
        (-45.0, 60.0),
        (-53.0, 67.0),
        (-60.0, 76.0),
        (-70.0, 78.5),
        (-35.0, 83.0),
        (-18.0, 80.0),
        (-22.0, 71.0),
        (-40.0, 65.0),
    ],
    // South America.
    &[
        (-77.5, 8.0),
        (-72.0, 12.0),
        (-62.0, 10.5),
        (-51.0, 4.0),
        (-50.0, 0.0),
        (-44.0, -2.5),
        (-35.0, -6.0),
        (-39.0, -14.0),
        (-41.0, -22.0),
        (-48.5, -26.0),
        (-54.0, -34.5),
        (-57.5, -38.0),
        (-65.0, -41.0),
        (-66.0, -46.0),
        (-69.0, -52.0),
        (-73.0, -53.0),
        (-75.0, -47.0),
        (-73.0, -37.0),
        (-70.5, -19.0),
        (-76.0, -14.0),
        (-81.0, -5.0),
        (-80.0, 1.0),
    ],
    // Africa.
    &[
        (-6.0, 35.8),
        (10.0, 37.3),
        (11.0, 33.5),
        (20.0, 31.0),
        (32.0, 31.0),
        (34.0, 27.0),
        (37.5, 20.5),
        (43.0, 12.0),
        (51.0, 11.8),
        (46.0, 2.0),
        (40.0, -4.0),
        (40.5, -14.5),
        (35.0, -20.0),
        (35.0, -24.5),
        (32.0, -28.5),
        (26.0, -34.0),
        (18.5, -34.3),
        (12.0, -17.5),
        (13.5, -11.0),
        (9.0, 0.0),
        (9.0, 4.0),
        (-4.0, 5.0),
        (-8.0, 4.5),
        (-17.0, 14.5),
        (-17.0, 21.5),
        (-10.0, 30.0),
    ],
    // Madagascar.
    &[(49.5, -12.5), (50.0, -16.0), (47.0, -25.0), (44.0, -23.0), (44.5, -16.5)],
    // Europe and Asia.
    &[
        (-9.5, 37.0),
        (-9.0, 43.3),
        (-1.5, 43.5),
        (-1.5, 47.0),
        (-4.5, 48.5),
        (2.0, 51.0),
        (8.0, 54.0),
        (8.5, 57.0),
        (10.5, 57.5),
        (11.0, 54.5),
        (19.0, 54.5),
        (22.0, 57.5),
        (29.0, 60.0),
        (22.5, 60.0),
        (25.5, 65.0),
        (21.5, 64.0),
        (17.5, 61.0),
        (18.5, 60.0),
        (16.0, 56.5),
        (12.5, 56.0),
        (10.5, 59.0),
        (7.0, 58.0),
        (5.0, 60.5),
        (14.0, 68.0),
        (25.0, 71.0),
        (41.0, 67.0),
        (34.0, 66.5),
        (38.0, 64.5),
        (44.0, 68.0),
        (60.0, 69.0),
        (68.0, 72.5),
        (80.0, 73.0),
        (104.0, 77.5),
        (113.0, 74.0),
        (140.0, 72.5),
        (170.0, 70.0),
        (180.0, 68.5),
        (180.0, 65.0),
        (170.0, 60.0),
        (162.0, 58.0),
        (157.0, 51.0),
        (156.0, 57.0),
        (163.0, 62.0),
        (143.0, 59.0),
        (136.0, 54.5),
        (141.0, 52.0),
        (139.0, 47.0),
        (131.0, 43.0),
        (128.0, 39.5),
        (129.3, 36.0),
        (126.5, 34.5),
        (125.0, 39.5),
        (121.5, 39.0),
        (118.0, 39.0),
        (122.0, 37.0),
        (119.5, 35.0),
        (122.0, 30.0),
        (118.0, 24.5),
        (110.5, 21.0),
        (106.0, 19.5),
        (109.3, 13.0),
        (105.0, 9.0),
        (100.5, 13.5),
        (99.5, 10.0),
        (103.5, 2.0),
        (100.5, 5.5),
        (98.5, 9.5),
        (97.5, 16.5),
        (94.5, 16.0),
        (91.5, 22.5),
        (87.0, 21.0),
        (80.3, 14.0),
        (77.5, 8.2),
        (73.0, 18.5),
        (72.5, 21.5),
        (67.0, 25.0),
        (57.0, 26.0),
        (50.0, 30.0),
        (51.5, 25.0),
        (56.0, 26.0),
        (59.5, 22.5),
        (52.5, 16.5),
        (43.5, 12.7),
        (39.0, 21.5),
        (35.0, 28.0),
        (34.5, 31.5),
        (36.0, 36.5),
        (28.0, 36.7),
        (27.0, 40.0),
        (36.0, 42.0),
        (41.5, 41.5),
        (37.5, 45.5),
        (33.5, 45.0),
        (30.5, 46.0),
        (28.0, 42.5),
        (26.0, 40.5),
        (23.0, 40.0),
        (23.5, 37.0),
        (21.5, 37.0),
        (19.5, 41.5),
        (13.5, 45.5),
        (12.5, 44.0),
        (18.5, 40.0),
        (16.0, 38.0),
        (10.5, 43.0),
        (4.0, 43.5),
        (-0.5, 38.5),
        (-5.5, 36.0),
    ],
    // Great Britain, Ireland, Iceland.
    &[(-5.5, 50.2), (1.0, 51.0), (1.5, 52.7), (-2.0, 56.0), (-3.0, 58.6), (-6.0, 57.0), (-3.0, 54.0), (-5.0, 52.0)],
    &[(-10.0, 51.7), (-6.3, 52.2), (-5.8, 54.7), (-8.0, 55.3), (-10.0, 54.0)],
    &[(-22.5, 64.0), (-14.0, 64.8), (-16.0, 66.4), (-23.5, 66.0)],
    // Japan, Taiwan, Philippines, Sri Lanka.
    &[
        (130.5, 31.3),
        (135.5, 33.6),
        (140.5, 35.5),
        (142.0, 39.5),
        (145.0, 43.5),
        (141.8, 45.4),
        (140.0, 41.0),
        (136.7, 37.0),
        (131.0, 34.3),
    ],
    &[(120.5, 22.5), (121.8, 25.0), (120.3, 23.8)],
    &[(120.5, 18.3), (122.2, 18.3), (124.0, 13.0), (126.0, 7.0), (122.0, 7.0), (120.5, 14.0)],
    &[(80.0, 9.5), (81.8, 7.0), (80.3, 6.0)],
    // Sumatra, Java, Borneo, Sulawesi, New Guinea.
    &[(95.5, 5.5), (103.5, -1.0), (106.0, -5.8), (102.0, -4.0)],
    &[(105.5, -6.5), (114.3, -7.5), (114.0, -8.6), (106.5, -7.4)],
    &[(109.0, 1.5), (117.0, 7.0), (119.0, 1.0), (116.0, -4.0), (110.5, -2.8)],
    &[(119.5, -5.0), (122.0, -1.0), (125.0, 1.5), (120.5, 0.5)],
    &[(131.0, -1.0), (141.0, -2.6), (150.5, -10.5), (143.0, -9.0), (138.0, -8.0)],
    // Australia, Tasmania, New Zealand.
    &[
        (114.0, -22.0),
        (122.0, -18.0),
        (130.5, -12.0),
        (136.5, -12.0),
        (136.0, -15.5),
        (141.0, -17.0),
        (142.5, -10.8),
        (146.0, -19.0),
        (153.0, -26.0),
        (150.5, -36.0),
        (146.5, -39.0),
        (140.0, -38.0),
        (137.5, -33.5),
        (131.0, -31.5),
        (124.0, -33.0),
        (115.5, -34.5),
    ],
    &[(144.8, -40.8), (148.3, -41.0), (147.0, -43.6)],
    &[(172.7, -34.5), (178.5, -37.8), (175.3, -41.6), (168.0, -46.6), (166.7, -45.8), (173.0, -40.0)],
];

/// A window on the world that holds every place, of the chart's shape.
struct Window {
    x: Scale,
    y: Scale,
}

fn window(map: &Map) -> Window {
    let places = || {
        let clusters = map.clusters.iter().map(|p| (p.lon, p.lat));
        clusters.chain(map.populations.iter().map(|p| (p.lon, p.lat)))
    };
    let range = |pick: fn((f64, f64)) -> f64| {
        let low = places().map(pick).fold(f64::INFINITY, f64::min);
        (low, places().map(pick).fold(f64::NEG_INFINITY, f64::max))
    };
    let ((west, east), (south, north)) = (range(|p| p.0), range(|p| p.1));
    // A margin for labels; never closer than a continent, where coarse coasts would mislead.
    let wide = ((east - west) * 1.3 + 16.0).max((north - south) * 1.5 * WIDTH / HEIGHT).clamp(70.0, 360.0);
    let tall = wide * HEIGHT / WIDTH;
    let (lon, lat) = (west.midpoint(east), south.midpoint(north));
    // Neither ice cap: nobody is there.
    let (lowest, highest) = (-60.0 + tall / 2.0, 84.0 - tall / 2.0);
    let lat = if lowest < highest { lat.clamp(lowest, highest) } else { 12.0 };
    Window {
        x: Scale { domain: (lon - wide / 2.0, lon + wide / 2.0), range: (0.0, WIDTH) },
        y: Scale { domain: (lat + tall / 2.0, lat - tall / 2.0), range: (0.0, HEIGHT) },
    }
}

impl Window {
    /// Where a place is, also outside: the picture's edge cuts it off.
    fn at(&self, lon: f64, lat: f64) -> (f64, f64) {
        let free =
            |s: Scale, v: f64| s.range.0 + (v - s.domain.0) / (s.domain.1 - s.domain.0) * (s.range.1 - s.range.0);
        (free(self.x, lon), free(self.y, lat))
    }
}

/// The map, where anything has a place.
pub(super) fn chart(variant: &VariantResult, file: &str) -> Option<Chart> {
    let map = &variant.map;
    if map.clusters.is_empty() {
        return None;
    }
    let window = window(map);
    let name = short(&variant.name, 60);
    let svg = draw(WIDTH, HEIGHT, &format!("Map of clusters and populations of {name}."), |c| paint(c, map, &window));
    Some(Chart {
        file: file.into(),
        kind: Kind::Map,
        title: name,
        caption:
            "Filled squares: clusters; hollow: standbys. Circles: populations, by request rate. Lines: who serves whom \
                  when all is well, with the round trip. Coasts are coarse."
                .into(),
        svg,
    })
}

fn paint(c: &mut Canvas<'_>, map: &Map, window: &Window) {
    for lon in (-180..=360).step_by(30) {
        let x = window.at(f64::from(lon), 0.0).0;
        c.line((x, 0.0), (x, HEIGHT), GRID, 0.5);
    }
    for lat in (-90..=90).step_by(30) {
        let y = window.at(0.0, f64::from(lat)).1;
        c.line((0.0, y), (WIDTH, y), GRID, 0.5);
    }
    for coast in COASTS {
        let points: Vec<(f64, f64)> = coast.iter().map(|(lon, lat)| window.at(*lon, *lat)).collect();
        c.area(&points, faded(INK, 0.1));
    }
    let mut labels = Labels::new([0.0, 0.0, WIDTH, HEIGHT]);
    let busiest = map.populations.iter().map(|p| p.rate).fold(f64::MIN_POSITIVE, f64::max);
    for p in &map.populations {
        let (x, y) = window.at(p.lon, p.lat);
        labels.keep_clear((x, y), 10.0);
    }
    for cluster in &map.clusters {
        let (x, y) = window.at(cluster.lon, cluster.lat);
        labels.keep_clear((x, y), 6.0);
    }
    for p in &map.populations {
        let from = window.at(p.lon, p.lat);
        for (name, share, rtt) in &p.served_by {
            let Some(cluster) = map.clusters.iter().find(|cluster| cluster.name == *name) else { continue };
            let to = window.at(cluster.lon, cluster.lat);
            c.line(from, to, faded(PALETTE[0], 0.25 + 0.55 * share.clamp(0.0, 1.0)), 1.0 + 2.0 * share.clamp(0.0, 1.0));
            c.hover(&format!(
                "{} to {}: {} of requests, {}",
                short(&p.name, 40),
                short(name, 40),
                percent(*share),
                duration(*rtt)
            ));
            let text = duration(*rtt);
            let middle = (from.0.midpoint(to.0), from.1.midpoint(to.1));
            let (x, y) = labels.place(middle, 3.0, size_of(&[(&text, 10.5)]));
            c.bold(x, y, Anchor::Start, 10.5, INK, &text);
        }
    }
    for p in &map.populations {
        let (x, y) = window.at(p.lon, p.lat);
        c.dot(x, y, 4.0 + 7.0 * (p.rate / busiest).max(0.0).sqrt(), faded(PALETTE[1], 0.75));
        c.hover(&format!("{}: {} requests/s", short(&p.name, 60), count(p.rate)));
    }
    for cluster in &map.clusters {
        let (x, y) = window.at(cluster.lon, cluster.lat);
        let corners =
            [(x - 5.0, y - 5.0), (x + 5.0, y - 5.0), (x + 5.0, y + 5.0), (x - 5.0, y + 5.0), (x - 5.0, y - 5.0)];
        if cluster.standby {
            c.path(&corners, VERMILION, 2.0);
        } else {
            c.area(&corners, VERMILION);
        }
        c.hover(&format!(
            "{} in {}{}",
            short(&cluster.name, 60),
            cluster.region,
            if cluster.standby { ", standby" } else { "" }
        ));
    }
    for cluster in &map.clusters {
        let text = short(&cluster.name, 18);
        let (x, y) = labels.place(window.at(cluster.lon, cluster.lat), 8.0, size_of(&[(&text, 11.5)]));
        c.bold(x, y, Anchor::Start, 11.5, INK, &text);
    }
    for p in &map.populations {
        let text = short(&p.name, 18);
        let (x, y) = labels.place(window.at(p.lon, p.lat), 13.0, size_of(&[(&text, 10.5)]));
        c.text(x, y, Anchor::Start, 10.5, SOFT, &text);
    }
}
