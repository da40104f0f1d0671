//! A check as `JUnit` XML: a suite for each design, a case for each expectation and one for the baseline.

use super::words::{expected, found, moved, place};
use super::{Baseline, Report, ScenarioCheck, VariantCheck};
use crate::experiment::judge::Judgement;
use crate::report::text::plain;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

/// The XML; empty if it can't be written, which only a bug can cause.
pub fn junit(report: &Report) -> String {
    let mut out = quick_junit::Report::new("regionsim check");
    for scenario in &report.scenarios {
        out.add_test_suites(scenario.variants.iter().map(|variant| suite(variant, scenario)));
    }
    out.to_string().unwrap_or_default()
}

fn suite(variant: &VariantCheck, scenario: &ScenarioCheck) -> TestSuite {
    let class = format!("{} ({})", plain(&scenario.file), plain(&variant.name));
    let mut suite = TestSuite::new(&*class);
    let mut case = |name: String, status: TestCaseStatus| {
        let mut case = TestCase::new(name, status);
        case.set_classname(&*class);
        suite.add_test_case(case);
    };
    for one in &variant.expectations {
        let sentence = found(&one.judged);
        let status = match one.judged.judgement {
            Judgement::Holds => TestCaseStatus::success(),
            Judgement::Undecided => skipped(sentence),
            Judgement::Breached => {
                let at = one.place.as_ref().map(place).unwrap_or_default();
                failure("breached", &sentence, format!("{}; {sentence}\n{at}", expected(&one.judged)))
            }
        };
        case(expected(&one.judged), status);
    }
    let status = match &variant.baseline {
        Baseline::None => skipped("there is no baseline".into()),
        Baseline::Unfit(why) => skipped(why.clone()),
        Baseline::Since(since) if since.worse.is_empty() => TestCaseStatus::success(),
        Baseline::Since(since) => {
            let sentences: Vec<_> = since.worse.iter().map(|one| moved(one, scenario)).collect();
            failure("worse", &sentences[0], sentences.join("\n"))
        }
    };
    case("no figure is worse than the baseline".into(), status);
    suite
}

fn failure(kind: &str, message: &str, description: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(message).set_description(description);
    status
}

fn skipped(why: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}
