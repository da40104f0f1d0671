//! Requests one by one: as CSV, and in the trace event format that Perfetto and Chrome's tracing page open.
//!
//! The format is JSON: a request is a pair of asynchronous events (`b`, `e`) with an id of its own, in the process of its
//! cluster, times in microseconds (Google, *Trace Event Format*, 2016).

use super::csv::{name, table};
use super::text::plain;
use crate::domain::traced::TracedRequest;
use crate::plan::Plan;
use serde_json::{Value, json};

/// A line for each request.
pub fn csv(plan: &Plan, requests: &[TracedRequest]) -> Vec<u8> {
    let head =
        ["begun_s", "ended_s", "population", "journey", "cluster", "tries", "waited_s", "outcome", "stage", "root"];
    let row = |request: &TracedRequest| {
        let why = request.lost.map(|(stage, root)| (stage.name().to_owned(), name(&plan.roots[root].label())));
        let (stage, root) = why.unwrap_or_default();
        [
            request.begun.to_string(),
            request.ended.to_string(),
            name(&plan.populations[request.population].name),
            name(&plan.journeys[request.journey].name),
            name(&plan.clusters[request.cluster].name),
            request.tries.to_string(),
            request.waited.to_string(),
            if request.lost.is_some() { "lost" } else { "good" }.to_owned(),
            stage,
            root,
        ]
    };
    table(head, requests.iter().map(row))
}

/// A trace that Perfetto opens.
///
/// # Panics
/// Never: memory takes every byte.
pub fn perfetto(plan: &Plan, requests: &[TracedRequest]) -> Vec<u8> {
    let process = |cluster: usize| cluster as u64 + 1;
    let mut bytes = b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[".to_vec();
    let mut first = true;
    let mut push = |event: &Value| {
        if !core::mem::take(&mut first) {
            bytes.push(b',');
        }
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, event).expect("plain data into memory");
    };
    for (id, cluster) in plan.clusters.iter_enumerated() {
        push(&json!({
            "ph": "M", "name": "process_name", "pid": process(id.index()), "args": { "name": plain(&cluster.name) }
        }));
    }
    for (number, request) in requests.iter().enumerate() {
        let journey = plain(&plan.journeys[request.journey].name);
        let pid = process(request.cluster.index());
        let event = |ph: &str, at: f64| {
            json!({
                "ph": ph, "cat": "request", "name": journey, "id": number, "pid": pid, "tid": pid, "ts": at * 1e6
            })
        };
        let mut begins = event("b", request.begun);
        begins["args"] = json!({
            "population": plain(&plan.populations[request.population].name),
            "tries": request.tries,
            "waited_ms": request.waited * 1e3,
            "lost": request.lost.map(|(stage, root)| {
                format!("{}: {}", stage.label(), plain(&plan.roots[root].label()))
            }),
        });
        push(&begins);
        push(&event("e", request.ended));
    }
    bytes.extend(b"\n]}\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Id;
    use crate::domain::Stage;
    use crate::metric::fixture;

    #[test]
    fn a_request_is_a_row_and_a_pair_of_events() {
        let plan = fixture::plan();
        let good = TracedRequest {
            begun: 1.5,
            ended: 1.75,
            population: Id::new(1),
            journey: Id::new(0),
            cluster: Id::new(0),
            tries: 1,
            waited: 0.01,
            lost: None,
        };
        let lost = TracedRequest { lost: Some((Stage::Overload, Id::new(1))), tries: 3, ..good };
        let text = String::from_utf8(csv(&plan, &[good, lost])).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[1], "1.5,1.75,eu,browse,a,1,0.01,good,,");
        assert!(rows[2].starts_with("1.5,1.75,eu,browse,a,3,0.01,lost,overload,outage: "), "{}", rows[2]);
        let trace: Value = serde_json::from_slice(&perfetto(&plan, &[good, lost])).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        // Two clusters, then two events each.
        assert_eq!(events.len(), 2 + 4);
        assert_eq!((events[2]["ph"].as_str(), events[2]["ts"].as_f64()), (Some("b"), Some(1_500_000.0)));
        assert_eq!((events[3]["ph"].as_str(), events[3]["id"].as_u64()), (Some("e"), Some(0)));
        assert!(events[2]["args"]["lost"].is_null() && events[4]["args"]["lost"].is_string());
    }
}
