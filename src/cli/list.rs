//! `regionsim list`: what can be named in a scenario or found in a result.

use super::args::Format;
use super::failure::Failure;
use super::{scenario, terminal};
use crate::base::catalogue::Kind;
use crate::catalog::{Catalog, FILES, Region};
use crate::diag::Diagnostic;
use crate::dist::Dist;
use crate::domain::Stage;
use crate::metric::catalogue;
use crate::routing::policy::Policy;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

/// List what a scenario can name or a result can hold
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim list metrics\n  regionsim list regions --provider aws\n  \
                        regionsim list instance-types --provider gcp --format json")]
pub(super) struct List {
    /// What to list
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
    /// Of this provider only: aws, azure or gcp
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// What is printed: a table, or a list of objects
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum What {
    /// Metrics: names in summary.json and in objectives
    Metrics,
    /// Cloud providers
    Providers,
    /// Cloud regions
    Regions,
    /// Cities where users may live
    Cities,
    /// Machine types of nodes
    InstanceTypes,
    /// Kinds of distributions
    Distributions,
    /// Routing policies
    Policies,
    /// Stages of a failure in which requests are lost
    Stages,
    /// Weekly profiles of traffic
    Profiles,
    /// Defaults and rates with their sources
    Figures,
    /// Data files: where figures come from
    Sources,
}

/// A table: headings, and rows of as many cells.
struct Listing {
    headings: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl List {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let of_providers = matches!(self.what, What::Regions | What::InstanceTypes | What::Providers);
        if let Some(name) = &self.provider {
            let known = Catalog::get().providers().iter().map(|provider| provider.name);
            if !of_providers {
                let diagnostic = Diagnostic::error("`--provider` is for regions, instance-types and providers");
                return Err(Failure::usage(diagnostic.help("leave it out")));
            }
            if !known.clone().any(|known| known == name) {
                let diagnostic = Diagnostic::error(format!("unknown provider `{name}`")).suggest(name, known.clone());
                let known: Vec<_> = known.collect();
                return Err(Failure::usage(diagnostic.note(format!("the providers are {}", known.join(", ")))));
            }
        }
        let listing = self.what.listing(self.provider.as_deref());
        match self.format {
            Format::Human => {
                let rows = listing.rows.iter().map(|row| row.iter().zip(listing.headings).map(text));
                terminal::print(terminal::table(listing.headings, rows))
            }
            Format::Json => terminal::print(scenario::json(&listing.objects())),
        }
    }
}

/// A cell for people. Of a source they see the file; the rest of it is long, and among the data.
fn text((value, heading): (&Value, &&str)) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if *heading == "source" => text.split(" (").next().unwrap_or_default().to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

impl Listing {
    fn objects(&self) -> Vec<Map<String, Value>> {
        let object = |row: &Vec<Value>| {
            self.headings.iter().map(|heading| heading.replace(' ', "_")).zip(row.iter().cloned()).collect()
        };
        self.rows.iter().map(object).collect()
    }
}

impl What {
    fn listing(self, provider: Option<&str>) -> Listing {
        let catalog = Catalog::get();
        let is_wanted = |name: &str| provider.is_none_or(|provider| provider == name);
        let (headings, rows): (&[_], Vec<Vec<Value>>) = match self {
            Self::Metrics => {
                let row = |metric: &&crate::metric::Metric| {
                    vec![json!(metric.name), json!(metric.unit), json!(metric.better), json!(metric.doc)]
                };
                (&["metric", "unit", "better", "what it is"], catalogue::ALL.iter().map(row).collect())
            }
            Self::Providers => {
                let wanted = catalog.providers().iter().filter(|provider| is_wanted(provider.name));
                let row = |provider: &crate::catalog::Provider| {
                    let regions = catalog.regions(provider.name).count();
                    vec![json!(provider.name), json!(provider.title), json!(regions), json!(provider.home)]
                };
                (&["provider", "name", "regions", "home"], wanted.map(row).collect())
            }
            Self::Regions => {
                let wanted = catalog.all_regions().iter().filter(|region| is_wanted(region.provider));
                (&["provider", "code", "name", "country", "law", "zones"], wanted.map(region).collect())
            }
            Self::Cities => {
                let row = |city: &crate::catalog::City| {
                    let offset = json!(city.utc_offset_minutes);
                    vec![json!(city.name), json!(city.country), json!(city.jurisdiction), offset]
                };
                (&["city", "country", "law", "utc offset minutes"], catalog.cities().iter().map(row).collect())
            }
            Self::InstanceTypes => {
                let wanted = catalog.providers().iter().filter(|provider| is_wanted(provider.name));
                (&["provider", "type", "vcpu", "memory gib", "usd per hour", "in"], wanted.flat_map(machines).collect())
            }
            Self::Distributions => kinds(Dist::KINDS),
            Self::Policies => kinds(Policy::KINDS),
            Self::Stages => {
                let row = |stage: &Stage| vec![json!(stage.name()), json!(stage.label())];
                (&["stage", "requests lost to"], Stage::ALL.iter().map(row).collect())
            }
            Self::Profiles => {
                let profiles = crate::catalog::PROFILES.iter().filter_map(|name| catalog.profile(name));
                let row = |profile: &crate::catalog::Profile| {
                    let Source { from, date } = source(&profile.hourly);
                    let peak = (profile.peak() * 100.0).round() / 100.0;
                    vec![json!(profile.name), json!(peak), from, date, json!(profile.hourly.note)]
                };
                (&["profile", "peak over mean", "source", "date", "note"], profiles.map(row).collect())
            }
            Self::Figures => {
                let row = |figure: &crate::catalog::Figure| {
                    let Source { from, date } = source(&figure.text);
                    vec![json!(figure.key), json!(figure.text.value), json!(figure.unit), from, date]
                };
                (&["figure", "value", "unit", "source", "date"], catalog.figures().map(row).collect())
            }
            Self::Sources => {
                let row = |file: &&crate::catalog::DataFile| {
                    vec![json!(file.path), json!(file.origin), json!(file.date), json!(file.licence)]
                };
                (&["file", "origin", "date", "licence"], FILES.iter().map(row).collect())
            }
        };
        Listing { headings, rows }
    }
}

struct Source {
    from: Value,
    date: Value,
}

fn source<T>(cited: &crate::catalog::Cited<T>) -> Source {
    Source { from: json!(cited.source), date: json!(cited.date) }
}

fn region(region: &Region) -> Vec<Value> {
    vec![
        json!(region.provider),
        json!(region.code),
        json!(region.name),
        json!(region.country),
        json!(region.jurisdiction),
        json!(region.zones),
    ]
}

/// Machine types, each with its price at home, or in the first region that has it.
fn machines(provider: &crate::catalog::Provider) -> Vec<Vec<Value>> {
    let catalog = Catalog::get();
    let home = catalog.region(provider.home);
    let row = |name: &str| {
        let mut regions = home.into_iter().chain(catalog.regions(provider.name));
        let (region, price) = regions.find_map(|region| Some((region, catalog.compute(region, name)?)))?;
        let price = price.value;
        let vcpu = json!(price.vcpu);
        let memory = json!(price.memory_gib);
        Some(vec![json!(provider.name), json!(name), vcpu, memory, json!(price.usd_per_hour), json!(region.code)])
    };
    catalog.instance_types(provider.name).into_iter().filter_map(row).collect()
}

fn kinds(kinds: &[Kind]) -> (&'static [&'static str], Vec<Vec<Value>>) {
    let row = |kind: &Kind| vec![json!(kind.name), json!(kind.doc), json!(kind.example)];
    (&["kind", "what it is", "example"], kinds.iter().map(row).collect())
}
