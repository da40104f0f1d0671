//! What `check` found, for people, for pull requests and for machines.

mod annotations;
mod junit;
mod markdown;
mod terminal;
mod words;

pub use annotations::annotations;
pub use junit::junit;
pub(in crate::report) use markdown::escaped;
pub use markdown::markdown;
pub use terminal::table;

use crate::experiment::baseline::Since;
use crate::experiment::judge::{Judged, Judgement};
use serde::Serialize;

/// Everything that was checked.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// The version of the schema of the JSON.
    pub schema: u32,
    /// Whether nothing is breached, and nothing got worse.
    pub holds: bool,
    /// One entry per file.
    pub scenarios: Vec<ScenarioCheck>,
}

/// A file that was checked.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ScenarioCheck {
    /// The file, as it was named or found.
    pub file: String,
    /// The scenario's name: untrusted text.
    pub name: String,
    /// Seeds that were simulated.
    pub seeds: u32,
    /// Simulated seconds per seed.
    pub horizon_s: f64,
    /// Its variants that were checked.
    pub variants: Vec<VariantCheck>,
    /// The folder of its report, if one was written.
    pub report: Option<String>,
}

/// A variant that was checked.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct VariantCheck {
    /// Its name: untrusted text.
    pub name: String,
    /// Its expectations, in the order written.
    pub expectations: Vec<Expected>,
    /// What became of its figures.
    pub baseline: Baseline,
    /// Which settings differ from the baseline's.
    pub changes: Vec<Change>,
}

/// An expectation, and where it was written.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Expected {
    /// What can be said of it.
    #[serde(flatten)]
    pub judged: Judged,
    /// Where it was written.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// What the baseline says.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// There is none.
    None,
    /// There is one, and it can't be used: why.
    Unfit(String),
    /// It was compared with.
    Since(Since),
}

/// A setting that differs from the baseline's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// Its path, as `--set` takes it.
    pub path: String,
    /// What it was, as TOML; `None` if it wasn't there.
    pub was: Option<String>,
    /// What it is; `None` if it isn't there.
    pub is: Option<String>,
    /// Where it is written now.
    pub place: Option<Place>,
}

impl Report {
    /// Of these scenarios.
    pub fn of(scenarios: Vec<ScenarioCheck>) -> Self {
        let holds = scenarios.iter().flat_map(|scenario| &scenario.variants).all(VariantCheck::holds);
        Self { schema: 1, holds, scenarios }
    }

    /// As JSON, with a newline at the end.
    ///
    /// # Panics
    /// Never: plain data with string keys always serialises.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with string keys always serialises") + "\n"
    }
}

impl VariantCheck {
    /// Whether nothing is breached, and nothing got worse.
    pub fn holds(&self) -> bool {
        self.since().is_none_or(|since| since.worse.is_empty())
            && self.expectations.iter().all(|one| one.judged.judgement != Judgement::Breached)
    }

    /// What became of its figures, if they could be compared.
    pub fn since(&self) -> Option<&Since> {
        match &self.baseline {
            Baseline::Since(since) => Some(since),
            Baseline::None | Baseline::Unfit(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::baseline::Moved;
    use crate::experiment::results::Direction;
    use crate::metric::{Better, Dims, Unit};

    const HOSTILE: &str = "<script>alert(1)</script>=cmd()\u{202e}🦀\u{7}\n::error ::x";

    fn judged(judgement: Judgement) -> Judged {
        Judged {
            index: 0,
            metric: "availability".into(),
            dims: Dims { journey: Some(HOSTILE.into()), ..Dims::default() },
            unit: Unit::Share,
            direction: Direction::AtLeast,
            target: 0.9995,
            confidence: 0.95,
            n: 200,
            mean: Some(0.9991),
            bounds: Some([0.9990, 0.9992]),
            judgement,
            seeds_to_tell: (judgement == Judgement::Undecided).then_some(800),
        }
    }

    fn moved(metric: &str, unit: Unit, better: Better, was: f64, is: f64) -> Moved {
        let difference = is - was;
        let ci95 = [difference.min(difference * 0.9), difference.max(difference * 0.9)];
        Moved { metric: metric.into(), dims: Dims::default(), unit, better, was, is, difference, ci95, n: 200 }
    }

    /// One breached, one undecided, one that holds; two figures worse, one better; two settings changed.
    fn report() -> Report {
        let place = |line| Some(Place { file: format!("scenarios/{HOSTILE}.toml"), line });
        let expected = |judgement, line| Expected { judged: judged(judgement), place: place(line) };
        let since = Since {
            worse: vec![
                moved("availability", Unit::Share, Better::Higher, 0.99997, 0.99987),
                moved("latency.p99", Unit::Seconds, Better::Lower, 0.473, 0.612),
            ],
            better: vec![moved("cost.bill", Unit::Usd, Better::Lower, 4.2e6, 4.1e6)],
            is_paired: true,
        };
        let change = |path: &str, was: Option<&str>, is: Option<&str>, line| Change {
            path: path.into(),
            was: was.map(str::to_owned),
            is: is.map(str::to_owned),
            place: place(line),
        };
        let variant = VariantCheck {
            name: HOSTILE.into(),
            expectations: vec![
                expected(Judgement::Breached, 4),
                expected(Judgement::Undecided, 5),
                expected(Judgement::Holds, 6),
            ],
            baseline: Baseline::Since(since),
            changes: vec![
                change("routing.via.dns.ttl", Some("\"60s\""), Some("\"600s\""), 7),
                change("service.web.replicas", None, Some("7"), 8),
            ],
        };
        let bare =
            VariantCheck { name: "bare".into(), expectations: vec![], baseline: Baseline::None, changes: vec![] };
        let unfit = VariantCheck { baseline: Baseline::Unfit("the baseline is old".into()), ..bare.clone() };
        Report::of(vec![ScenarioCheck {
            file: format!("scenarios/{HOSTILE}.toml"),
            name: HOSTILE.into(),
            seeds: 200,
            horizon_s: 31_536_000.0,
            variants: vec![variant, bare, unfit],
            report: Some("reports/shop".into()),
        }])
    }

    #[test]
    fn every_form_says_what_is_worse_by_how_much_and_where() {
        let report = report();
        assert!(!report.holds);
        let (terminal, markdown, github) = (table(&report), markdown(&report), annotations(&report));
        for (form, text) in [("terminal", &terminal), ("markdown", &markdown), ("github", &github)] {
            for says in ["473 ms", "612 ms", "139 ms", "125 to 139 ms", "99.95 %", "routing.via.dns.ttl", "600s"] {
                assert!(text.contains(says), "{form}: {says} in\n{text}");
            }
            // A year of 0.0001 more.
            assert!(text.contains("53 min") && text.contains("a year"), "{form}:\n{text}");
        }
        assert!(terminal.contains("about 800 seeds would tell") && terminal.contains("no baseline"));
        assert!(terminal.contains("the baseline is old"), "{terminal}");
        assert!(github.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")), "{github}");
        assert!(github.contains("line=4,") && github.contains("line=7,"), "{github}");
    }

    #[test]
    fn hostile_names_stay_text() {
        let report = report();
        for text in [table(&report), markdown(&report), annotations(&report), junit(&report)] {
            assert!(!text.contains('\u{202e}') && !text.contains('\u{7}'), "{text}");
        }
        // Nothing is markup where markup is read.
        for text in [markdown(&report), junit(&report)] {
            assert!(text.contains("script") && !text.contains("<script>"), "{text}");
        }
        // A line break in a name would begin a command of its own.
        assert_eq!(annotations(&report).lines().count(), 4);
    }

    #[test]
    fn junit_has_a_case_for_each_question() {
        let text = junit(&report());
        let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
        assert_eq!((report.tests, report.failures, report.errors), (6, 2, 0));
        let suite = &report.test_suites[0];
        assert_eq!((suite.tests, suite.failures), (4, 2));
    }

    #[test]
    fn it_fits_eighty_columns() {
        let text = table(&report());
        for line in text.lines() {
            let plain = crate::report::terminal::unstyled(line);
            assert!(crate::report::terminal::columns(&plain) <= 80, "{plain}");
        }
    }
}
