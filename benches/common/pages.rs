//! A report's files from results: the page, its charts, tables and `summary.json`.

use super::scenario::jobs;
use super::{Ready, Work};
use regionsim::experiment::results::{Results, ScenarioInfo, Tool};
use regionsim::experiment::{Control, Job, Simulate, run};
use regionsim::plan::Plan;
use regionsim::report::{Mode, render, write_summary};
use regionsim::sim::Simulator;
use std::hint::black_box;
use std::sync::atomic::AtomicBool;

pub(super) fn all(share: u64) -> Vec<Work> {
    vec![
        Work::new("the report of quickstart's run", "report", move || {
            pages(&jobs("scenarios/quickstart.toml"), 20 / share.min(10), Mode::Run)
        }),
        Work::new("the report of ecommerce's compare", "report", move || {
            pages(&jobs("scenarios/ecommerce.toml"), 20 / share.min(10), Mode::Compare)
        }),
    ]
}

fn pages(jobs: &[Job], seeds: u64, mode: Mode) -> Ready {
    let results = results(jobs, seeds as u32);
    let made = move |results: &Results| {
        let mut summary = Vec::new();
        write_summary(results, &mut summary).expect("a Vec takes every byte");
        let mut files = render(results, mode);
        files.push(("summary.json".to_owned(), summary));
        files
    };
    let first = made(&results);
    for name in ["report.html", "summary.json", "charts/availability.svg"] {
        assert!(first.iter().any(|(file, bytes)| file == name && bytes.len() > 1000), "{name} is in a report");
    }
    Ready::new(1, move || assert!(made(black_box(&results)) == first, "other bytes of the same results"))
}

fn results(jobs: &[Job], seeds: u32) -> Results {
    fn simulator(plan: &Plan) -> Box<dyn Simulate + '_> {
        Box::new(Simulator::new(plan))
    }
    let plan = &jobs[0].plan;
    let tool = Tool { name: "regionsim".into(), version: "0".into(), commit: None };
    let info = ScenarioInfo {
        name: jobs[0].scenario.spec.name.clone(),
        summary: None,
        hash: String::new(),
        horizon_s: plan.horizon.secs(),
        seeds,
        seed: 1,
    };
    let control = Control { progress: &|_, _| {}, stop: &AtomicBool::new(false), shelf: None };
    run(jobs, None, &tool, info, &control, &simulator).expect("every seed ends")
}
