//! What a scenario says of traffic: populations, journeys, services and external dependencies.

use crate::base::{Bytes, Money, Probability, Rate, Span};
use crate::dist::Dist;
use core::fmt;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Users in one place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PopulationSpec {
    /// The population's name.
    pub name: String,
    /// Where it is: a city ("Frankfurt") or a catalogue region's code. Or give `lat` and `lon`.
    #[serde(default)]
    pub at: Option<String>,
    /// Latitude in degrees, where `at` isn't given.
    #[serde(default)]
    pub lat: Option<f64>,
    /// Longitude in degrees, where `at` isn't given.
    #[serde(default)]
    pub lon: Option<f64>,
    /// Requests per second, all journeys together: the mean over a week.
    pub rate: Rate,
    /// How the rate moves through the week, in local time.
    #[serde(default)]
    pub profile: Profile,
    /// Offset of local time from UTC, such as "+01:00"; the catalogue's where it has one.
    #[serde(default)]
    pub utc_offset: Option<UtcOffset>,
    /// How requests come.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// Growth of the rate per year: 0.3 is 30 % more after 365 days, compounded weekly.
    #[serde(default)]
    pub growth: f64,
    /// Where this population's requests and data may go.
    #[serde(default)]
    pub residency: Option<Residency>,
    /// Round trip of the users' own access network, added to every RTT.
    #[serde(default = "default_access")]
    pub access: Span,
    /// This population's own shares of the journeys; theirs where it is left out.
    #[serde(default)]
    pub journeys: Option<IndexMap<String, Probability>>,
}

fn default_access() -> Span {
    Span::from_nanos(10_000_000)
}

/// How requests come, at the rate that the profile gives. It matters to requests one by one; rates have no noise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// One by one, each whatever the others do.
    Poisson {},
    /// So many at once: a page that makes many calls, a queue that is emptied now and then.
    Batch(Batch),
    /// As recorded: a CSV file beside the scenario with the column `at_s`, seconds from the start of the horizon, rising,
    /// and perhaps `count`, requests spread evenly from then until the next line's time. Rates ignore it.
    Replay(String),
}

impl Default for Arrivals {
    fn default() -> Self {
        Self::Poisson {}
    }
}

/// So many requests at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    /// How many.
    pub size: u32,
}

/// A rule on where requests and data may go. Jurisdictions are those of the catalogue: "EU" is the Union,
/// neither the UK nor EFTA.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Residency {
    /// Hard: routing, fail-open and promotion never leave these jurisdictions.
    MustStayIn(Vec<String>),
    /// Soft: each request that leaves these jurisdictions is counted as a violation.
    Prefer(Vec<String>),
}

/// How a rate moves through the week: 168 hourly multipliers, normalised to mean 1.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The same rate at every hour.
    #[default]
    Flat,
    /// A public web site: requests to the 1998 World Cup site in its quiet weeks.
    Web,
    /// Office hours, Monday to Friday.
    Business,
    /// 168 numbers, Monday 00:00 local time first.
    Hourly(Vec<f64>),
    /// A CSV file beside the scenario with the columns `hour_of_week` and `load`.
    Csv(String),
}

/// An offset from UTC in whole minutes, written "+05:30".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UtcOffset(i32);

impl UtcOffset {
    /// An offset in minutes, if it is within a day.
    pub fn from_minutes(minutes: i32) -> Option<Self> {
        (-14 * 60..=14 * 60).contains(&minutes).then_some(Self(minutes))
    }
    /// Minutes east of UTC.
    pub const fn minutes(self) -> i32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for UtcOffset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = UtcOffset;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an offset such as \"+01:00\" or \"-05:00\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<UtcOffset, E> {
                let parse = || {
                    let sign = match text.as_bytes().first()? {
                        b'+' => 1,
                        b'-' => -1,
                        _ => return None,
                    };
                    let (hours, minutes) = text[1..].split_once(':')?;
                    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
                    if minutes >= 60 || minutes % 15 != 0 {
                        return None;
                    }
                    UtcOffset::from_minutes(sign * (i32::from(hours) * 60 + i32::from(minutes)))
                };
                parse().ok_or_else(|| {
                    E::custom("expected an offset such as \"+01:00\" or \"-05:00\", in quarters of an hour")
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for UtcOffset {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (sign, minutes) = if self.0 < 0 { ('-', -self.0) } else { ('+', self.0) };
        serializer.collect_str(&format_args!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    }
}

impl JsonSchema for UtcOffset {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UtcOffset".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[+-][0-9]{2}:(00|15|30|45)$", "examples": ["+01:00"] })
    }
}

/// A kind of request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JourneySpec {
    /// The journey's name.
    pub name: String,
    /// Its share of every population's requests. Shares add up to 1.
    #[serde(default = "one")]
    pub share: Probability,
    /// The client gives up after this; a later answer is not good. No limit where it is left out, but that nobody
    /// waits for more than half a minute in the backlog of an overloaded service.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// A client leaves a queue in which it has waited so long, and takes its call along; it fails then. Of requests one by
    /// one. What has been begun is finished; no limit where it is left out.
    #[serde(default)]
    pub patience: Option<Dist>,
    /// A client that has no answer after so long asks once more, and takes whichever comes first. Of requests one by one.
    #[serde(default)]
    pub hedge: Option<Span>,
    /// How a client tries again.
    #[serde(default)]
    pub retries: Option<Retries>,
    /// Bytes of the request, per attempt.
    #[serde(default)]
    pub request: Bytes,
    /// Bytes of the response, per attempt: internet egress.
    #[serde(default)]
    pub response: Bytes,
    /// What it does, in order: a service's name, or a table with one of `call`, `read`, `write`,
    /// `dependency`, `parallel`.
    pub path: Vec<Step>,
    /// Where capacity is short the lowest numbers are shed first.
    #[serde(default)]
    pub priority: u32,
    /// What one failed request costs the business.
    #[serde(default)]
    pub loss_per_failure: Money,
    /// The share of failed requests that come back later and are not lost to the business.
    #[serde(default)]
    pub recaptured: Probability,
}

fn one() -> Probability {
    Probability::ONE
}

/// How long a client without a timeout waits in a backlog: a browser's user, a load balancer's idle timeout.
pub const PATIENCE: Span = Span::from_whole_secs(30);

/// How a client tries again: up to `max` more tries, `backoff` apart, doubling.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retries {
    /// Tries after the first.
    pub max: u32,
    /// Wait before the first retry.
    #[serde(default)]
    pub backoff: Span,
    /// What each later wait is multiplied by.
    #[serde(default = "two")]
    pub factor: f64,
    /// The longest wait; no limit where it is left out.
    #[serde(default)]
    pub max_backoff: Option<Span>,
    /// Share of each wait that is drawn, evenly from 0 on: 1 for full jitter, 0.5 for equal jitter.
    #[serde(default)]
    pub jitter: Probability,
    /// Whether the waits above are means of exponential ones: a client comes back at random, whenever it left. Without
    /// `jitter`.
    #[serde(default)]
    pub memoryless: bool,
    /// Most retries for each request, over all clients: 0.1 lets one in ten be retried, whatever fails. No limit where
    /// it is left out.
    #[serde(default)]
    pub budget: Option<Probability>,
    /// Clients that give up on a path that fails, for a while.
    #[serde(default)]
    pub breaker: Option<Breaker>,
}

/// Clients that give up on a path that fails: above a share of failures they send only some requests, as probes, and
/// fail the others at once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaker {
    /// Share of tries that fail or come too late at which it opens.
    #[serde(default = "half")]
    pub opens_at: Probability,
    /// Share of requests that are sent while it is open: time of the probes over time between them.
    #[serde(default = "tenth")]
    pub probes: Probability,
}

fn two() -> f64 {
    2.0
}
fn half() -> Probability {
    Probability::new(0.5).expect("a half is a probability")
}
fn tenth() -> Probability {
    Probability::new(0.1).expect("a tenth is a probability")
}

/// One step of a journey's path.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Calls a service in the cluster that serves the request.
    Call(String),
    /// Calls these services at once and waits for the slowest.
    Parallel(Vec<String>),
    /// Reads from a store; bytes of the answer.
    Read(String, Bytes),
    /// Writes to a store; bytes written.
    Write(String, Bytes),
    /// Calls something outside the platform.
    Dependency(String),
    /// Goes one of several ways; none of them with the share that is left over.
    Branch(Vec<BranchSpec>),
    /// With this probability goes this way, then asks again.
    Again(Probability, Vec<Self>),
}

impl Step {
    /// The steps without branches and loops, in the order in which they are written.
    pub fn plain(steps: &[Self]) -> Vec<&Self> {
        let mut plain = Vec::new();
        for step in steps {
            match step {
                Self::Branch(ways) => plain.extend(ways.iter().flat_map(|way| Self::plain(&way.path))),
                Self::Again(_, path) => plain.extend(Self::plain(path)),
                Self::Call(_) | Self::Parallel(_) | Self::Read(..) | Self::Write(..) | Self::Dependency(_) => {
                    plain.push(step);
                }
            }
        }
        plain
    }
}

/// One of several ways that a request may go.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BranchSpec {
    /// The share of the requests that goes this way.
    pub share: Probability,
    /// What it does, in order.
    pub path: Vec<Step>,
}

#[derive(Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parallel: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    write: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dependency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<Vec<BranchSpec>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Probability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<Vec<Step>>,
}

/// What a step may be.
const STEP: &str = "a service's name, or a table with one of call, parallel, read, write, dependency, branch, or with \
                    again and path";

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Step;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(STEP)
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Step, E> {
                Ok(Step::Call(name.to_owned()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
                let table = StepTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let bytes = table.bytes.unwrap_or_default();
                let of_store = |step: fn(String, Bytes) -> Step| move |store| step(store, bytes);
                let mut steps: Vec<Step> = [
                    table.call.map(Step::Call),
                    table.parallel.map(Step::Parallel),
                    table.read.map(of_store(Step::Read)),
                    table.write.map(of_store(Step::Write)),
                    table.dependency.map(Step::Dependency),
                    table.branch.map(Step::Branch),
                ]
                .into_iter()
                .flatten()
                .collect();
                match (table.again, table.path) {
                    (Some(again), Some(path)) => steps.push(Step::Again(again, path)),
                    (None, None) => {}
                    (Some(_), None) | (None, Some(_)) => {
                        return Err(de::Error::custom("`again` and `path` go together"));
                    }
                }
                match <[Step; 1]>::try_from(steps) {
                    Ok([step]) => Ok(step),
                    Err(_) => Err(de::Error::custom(format!("a step is {STEP}"))),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Step {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = |bytes: &Bytes| (bytes.get() > 0.0).then_some(*bytes);
        let table = match self {
            Self::Call(name) => return serializer.serialize_str(name),
            Self::Parallel(names) => StepTable { parallel: Some(names.clone()), ..StepTable::default() },
            Self::Read(store, size) => {
                StepTable { read: Some(store.clone()), bytes: bytes(size), ..StepTable::default() }
            }
            Self::Write(store, size) => {
                StepTable { write: Some(store.clone()), bytes: bytes(size), ..StepTable::default() }
            }
            Self::Dependency(name) => StepTable { dependency: Some(name.clone()), ..StepTable::default() },
            Self::Branch(ways) => StepTable { branch: Some(ways.clone()), ..StepTable::default() },
            Self::Again(again, path) => {
                StepTable { again: Some(*again), path: Some(path.clone()), ..StepTable::default() }
            }
        };
        table.serialize(serializer)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<StepTable>();
        schemars::json_schema!({
            "description": format!("{}{}.", STEP[..1].to_uppercase(), &STEP[1..]),
            "anyOf": [{ "type": "string" }, table]
        })
    }
}

/// How a station queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Station {
    /// M/M/c, or M/M/c/K with a queue limit, with the Allen–Cunneen factor on the wait. Above saturation everything
    /// is worked through in order: the backlog grows until `queue` sheds, what is served after its client gave up is
    /// wasted work, and what is left is still to be done when the load has fallen.
    #[default]
    Mmc,
    /// Sheds what exceeds capacity, never waits: for checks by hand and sketches of capacity.
    Fluid,
    /// Processor sharing: every call has an equal part of the servers, at most one. Nothing waits, everything slows down.
    Ps,
}

/// Something outside the platform that a journey needs: an identity provider, a payment service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DependencySpec {
    /// The dependency's name.
    pub name: String,
    /// How long it takes to answer.
    #[serde(default)]
    pub time: Option<Dist>,
}

fn all() -> crate::domain::Selection {
    crate::domain::Selection::All
}

/// A surge of traffic: a sale, a match, a flash crowd.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SurgeSpec {
    /// The surge's name.
    pub name: String,
    /// When it begins, from the start of the horizon.
    pub at: Span,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// What the rates are multiplied by.
    pub factor: f64,
    /// The populations it touches.
    #[serde(default = "all")]
    pub populations: crate::domain::Selection,
}
