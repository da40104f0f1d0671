//! Connections: what they join exists, their numbers are in range, and what a mesh looks for can be found.

use super::Found;
use super::failures::one_of;
use super::references::selection;
use crate::base::Span;
use crate::diag::Diagnostic;
use crate::dist::Dist;
use crate::network::connection::{ConnectionKind, ConnectionSpec, Mesh};
use crate::scenario::lookup::Model;

/// Errors in a row that a mesh waits for at most.
const ERRORS: u32 = 1000;

pub(super) fn check(model: &Model<'_>, found: &mut Found<'_>) {
    for connection in &model.spec.connection {
        one(model, connection, found);
    }
}

fn one(model: &Model<'_>, connection: &ConnectionSpec, found: &mut Found<'_>) {
    let name = &*connection.name;
    let path = |key: &'static str| ["connection", name, key];
    selection("cluster", &connection.from, &model.cluster_names, &path("from"), false, found);
    selection("cluster", &connection.to, &model.cluster_names, &path("to"), false, found);
    if let Some(hub) = &connection.hub {
        one_of("hub", hub, model.spec.hub.iter().map(|hub| &*hub.name), &path("hub"), found);
    }
    if let Some(latency) = &connection.latency {
        finite(latency, &path("latency"), found);
    }
    let (from, to) = (model.selected_clusters(&connection.from), model.selected_clusters(&connection.to));
    // What names nobody was refused.
    let joins = from.is_empty() || to.is_empty() || from.iter().any(|from| to.iter().any(|to| to != from));
    if !joins {
        let message = format!("the connection `{name}` joins no two clusters");
        found.push(&path("to"), Diagnostic::error(message).help("name a cluster that isn't in `from`"));
    }
    let via = |tag: &'static str, key: &'static str| ["connection", name, "via", tag, key];
    match &connection.via {
        ConnectionKind::PublicLb(own)
        | ConnectionKind::Vpn(own)
        | ConnectionKind::Peering(own)
        | ConnectionKind::ApiGateway(own) => {
            if let Some(change) = &own.change {
                finite(change, &via(connection.via.tag(), "change"), found);
            }
        }
        ConnectionKind::Mesh(mesh) => of_mesh(mesh, |key| via("mesh", key), found),
    }
}

fn of_mesh<'n>(mesh: &Mesh, path: impl Fn(&'static str) -> [&'n str; 5], found: &mut Found<'_>) {
    found.require((1..=ERRORS).contains(&mesh.errors), &path("errors"), || {
        (format!("`errors` is {}; expected 1 to {ERRORS}", mesh.errors), "Istio's default is 5")
    });
    for (key, span) in [("interval", mesh.interval), ("ejection", mesh.ejection)] {
        found.require(!span.is_zero() && span <= Span::HOUR, &path(key), || {
            (format!("`{key}` is {span}; expected more than 0s and at most an hour"), "Istio looks every \"10s\"")
        });
    }
    found.require(mesh.cpu.is_finite() && mesh.cpu >= 0.0, &path("cpu"), || {
        (format!("`cpu` is {}; expected at least 0", mesh.cpu), "Istio's proxies take 0.2 vCPUs for 1000 calls/s")
    });
    finite(&mesh.proxies, &path("proxies"), found);
}

fn finite(dist: &Dist, path: &[&str], found: &mut Found<'_>) {
    found.require(dist.mean().is_finite(), path, || {
        ("this duration has no finite mean".to_owned(), "a pareto's shape must be above 1")
    });
}
