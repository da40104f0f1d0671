//! Tests of the layer as a whole, on a small scenario of their own.

use super::decode::decode;
use super::load::{Reader, load, merge};
use super::patch::{set_argument, variants};
use super::path::{Path, error_at, get, locate, locate_key, warning_at};
use super::shape::Shape;
use super::sweep::{axes, points};
use super::tree::{MAX_BYTES, Node, Value, parse};
use crate::base::{Probability, Span};
use crate::diag::{Diagnostics, Look, Origin, Sources};
use crate::path;
use indexmap::IndexMap;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io;

#[derive(Deserialize, Serialize, JsonSchema, PartialEq, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Spec {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seeds: Option<u32>,
    #[serde(default)]
    routing: Routing,
    #[serde(default)]
    cluster: Vec<Cluster>,
    #[serde(default)]
    waves: Vec<Vec<String>>,
    #[serde(default)]
    labels: IndexMap<String, f64>,
}

#[derive(Deserialize, Serialize, JsonSchema, PartialEq, Debug, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Routing {
    via: Via,
    errors: Option<Probability>,
}

#[derive(Deserialize, Serialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "kebab-case")]
enum Via {
    Dns(Dns),
    Anycast { converge: Span },
    Direct,
}

impl Default for Via {
    fn default() -> Self {
        Self::Dns(Dns { ttl: Span::from_secs_test(60), stretched: None })
    }
}

trait TestSpan {
    fn from_secs_test(secs: u32) -> Span;
}

impl TestSpan for Span {
    fn from_secs_test(secs: u32) -> Span {
        serde_json::from_value(serde_json::json!(format!("{secs}s"))).unwrap()
    }
}

#[derive(Deserialize, Serialize, JsonSchema, PartialEq, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Dns {
    ttl: Span,
    #[serde(skip_serializing_if = "Option::is_none")]
    stretched: Option<f64>,
}

#[derive(Deserialize, Serialize, JsonSchema, PartialEq, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Cluster {
    name: String,
    region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standby_for: Option<String>,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    nodes: u32,
}

fn one() -> f64 {
    1.0
}

fn shape() -> schemars::Schema {
    schemars::schema_for!(Spec)
}

/// The tree and whatever was found.
fn tree(sources: &mut Sources, text: &str) -> Node {
    let mut found = Diagnostics::default();
    let node = parse(sources, "a.toml", text.as_bytes(), &mut found);
    assert!(found.is_empty(), "{}", found.render(sources, Look::Plain));
    node.unwrap()
}

/// `line:column message` for each mistake.
fn mistakes(sources: &Sources, found: &Diagnostics) -> Vec<String> {
    let place = |r: &crate::diag::Report| format!("{}:{}", r.line.unwrap_or(0), r.column.unwrap_or(0));
    found.reports(sources).iter().map(|r| format!("{} {}", place(r), r.message)).collect()
}

fn decoding(text: &str) -> (Option<Spec>, Vec<String>, String) {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let node = tree(&mut sources, text);
    let spec = decode(&node, &mut found).map(|decoded| decoded.value);
    (spec, mistakes(&sources, &found), found.render(&sources, Look::Plain))
}

fn syntax(bytes: &[u8]) -> Vec<String> {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    assert_eq!(parse(&mut sources, "a.toml", bytes, &mut found), None);
    let _ = found.render(&sources, Look::Plain);
    mistakes(&sources, &found)
}

#[test]
fn what_is_right_decodes() {
    let text = "
name = 'x'
seeds = 3
labels = { a = 1, b = 2.5 }
waves = [['a'], ['b', 'c']]
[routing]
via = { anycast = { converge = '5s' } }
errors = 0.5
[[cluster]]
name = 'a'
region = 'r'
scale = 2
";
    let (spec, found, _) = decoding(text);
    assert!(found.is_empty(), "{found:?}");
    let spec = spec.unwrap();
    assert_eq!(spec.routing.via, Via::Anycast { converge: Span::from_secs_test(5) });
    assert_eq!((spec.cluster[0].scale, spec.labels["a"], spec.seeds), (2.0, 1.0, Some(3)));
    for unit in ["via = 'direct'", "via = { direct = {} }"] {
        assert_eq!(decoding(&format!("name = 'x'\nrouting.{unit}")).0.unwrap().routing.via, Via::Direct);
    }
}

#[test]
fn all_mistakes_are_listed_at_their_places() {
    let text = "
name = 'x'
seeds = 'many'
[routing]
via = { dms = { ttl = '60s' } }
errors = 12
[[cluster]]
name = 'a'
regoin = 'r'
scale = 'x'
[[cluster]]
name = 'b'
region = 3
nodes = -1
bogus = 1
[[cluster]]
name = 'c'
";
    let (_, found, shown) = decoding(text);
    let expected = [
        "3:9 expected a whole number from 0 to 4294967295, found the string \"many\"",
        "5:9 unknown choice `dms`",
        "6:10 expected a share from 0 to 1, found 12 (for 12 % write 0.12)",
        "9:1 unknown key `regoin`",
        "10:9 expected a number, found the string \"x\"",
        "13:10 expected a string, found `3`",
        "14:9 expected a whole number from 0 to 4294967295, found `-1`",
        "15:1 unknown key `bogus`",
        "16:1 missing key `region`",
    ];
    assert_eq!(found, expected, "{shown}");
    for help in ["did you mean `region`?", "did you mean `dns`?", "the choices are: `dns`, `anycast`, `direct`"] {
        assert!(shown.contains(help), "{shown}");
    }
}

#[test]
fn tagged_choices_say_what_they_want() {
    let cases = [
        ("via = 'dns'", "1:15 `dns` needs a table: write { dns = { … } }"),
        ("via = { }", "1:15 expected one of `dns`, `anycast`, `direct`, found an empty table"),
        ("via = 3", "1:15 expected one of `dns`, `anycast`, `direct`, found a whole number"),
        ("via = 'dsn'", "1:15 unknown choice `dsn`"),
        ("via = { direct = { a = 1 } }", "1:26 `direct` has no settings: write \"direct\""),
        ("via = { dns = { ttl = 5 } }", "1:31 a duration needs a unit: write \"5s\" for seconds"),
        ("via = { dns = { } }", "1:23 missing key `ttl`"),
        ("via = { dns = { ttl = '1s', x = 1 } }", "1:37 unknown key `x`"),
        (
            "via = { dns = { ttl = '1s' }, direct = { } }",
            "1:39 expected one of `dns`, `anycast`, `direct`, found `dns`, `direct` together",
        ),
    ];
    for (via, expected) in cases {
        let (_, found, shown) = decoding(&format!("routing.{via}\nname = 'x'"));
        assert_eq!(found, [expected], "{shown}");
    }
}

#[test]
fn a_flood_of_mistakes_is_cut() {
    let text = (0..200).fold(String::new(), |text, i| text + &format!("zzz{i} = 1\n"));
    let (_, found, _) = decoding(&format!("name = 'x'\n{text}"));
    assert_eq!(found.len(), super::decode::MAX_MISTAKES + 1);
}

#[test]
fn several_syntax_errors_are_listed_at_once() {
    let found = syntax(b"a = \nb = 1\nc == 2\nd = 'x\n");
    let lines: Vec<_> = found.iter().map(|text| text.split(':').next().unwrap()).collect();
    assert!(["1", "3", "4"].iter().all(|line| lines.contains(line)), "{found:?}");
    assert_eq!(syntax(b"a = 1\na = 2\n"), ["2:1 not TOML: duplicate key"]);
    assert_eq!(syntax(b"a = nan"), ["1:5 the number is not finite"]);
    assert_eq!(syntax(b"a = 1\nb = 99999999999999999999"), ["2:5 the number is out of range"]);
    assert_eq!(syntax(b"a = 1e999"), ["1:5 the number is not finite"]);
}

#[test]
fn what_is_not_text_is_refused() {
    assert_eq!(syntax(b"\x7fELF\0\0"), ["1:1 the file is binary, not TOML"]);
    assert_eq!(syntax(b"a = 1\nb = '\xff'"), ["2:6 the file is not UTF-8 text"]);
    assert_eq!(syntax(b""), ["1:1 the file is empty"]);
    assert_eq!(syntax(b"\xef\xbb\xbf"), ["1:1 the file is empty"]);
    assert_eq!(syntax(b"\xef\xbb\xbfa = nan"), ["1:5 the number is not finite"]);
    assert_eq!(syntax(b" \n\t"), ["1:1 the file is empty"]);
    assert_eq!(syntax(&vec![b'a'; 50 << 20]), ["1:1 the file is larger than the limit of 1024 KiB"]);
}

#[test]
fn deep_and_wide_files_are_refused_without_a_crash() {
    let deep = |open: &str, close: &str| format!("a = {}{}", open.repeat(10_000), close.repeat(10_000));
    assert!(!syntax(deep("[", "]").as_bytes()).is_empty());
    assert!(!syntax(deep("{a=", "}").as_bytes()).is_empty());
    assert!(!syntax(format!("{}a = 1", "a.".repeat(10_000)).as_bytes()).is_empty());
    assert!(!syntax(format!("[{}a]\nx = 1", "a.".repeat(10_000)).as_bytes()).is_empty());
    let nested = format!("a = {}{}", "[".repeat(70), "]".repeat(70));
    assert!(syntax(nested.as_bytes()).contains(&"1:69 nested more than 64 deep".to_owned()));
    let wide = format!("a = [{}]", "1,".repeat(300_000));
    assert_eq!(syntax(wide.as_bytes()).len(), 1);
}

#[test]
fn a_long_line_is_shown_in_part() {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let text = format!("a = '{}'\nname = 3", "x".repeat(MAX_BYTES - 100));
    let node = tree(&mut sources, &text);
    assert!(decode::<Spec>(&node, &mut found).is_none());
    assert!(found.render(&sources, Look::Plain).len() < 10_000);
}

struct Files(&'static [(&'static str, &'static str)]);

impl Reader for Files {
    fn read(&self, path: &std::path::Path, limit: usize) -> io::Result<Vec<u8>> {
        let file = self.0.iter().find(|(name, _)| std::path::Path::new(name) == path);
        let (_, text) = file.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))?;
        Ok(text.bytes().take(limit).collect())
    }
}

fn loading(files: &'static [(&'static str, &'static str)]) -> (Sources, Option<Node>, Diagnostics) {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let node = load(files[0].0.as_ref(), &Files(files), &shape(), &mut sources, &mut found);
    (sources, node, found)
}

#[test]
fn bases_merge_deeply_and_by_name() {
    let (sources, node, found) = loading(&[
        (
            "s/a.toml",
            "extends = ['../base/b.toml', 'c.toml']\nname = 'a'\nwaves = [['z']]\nrouting.via = { anycast = { converge = '1s' } }\n\
             [[cluster]]\nname = 'y'\nscale = 3\n[[cluster]]\nname = 'new'\nregion = 'n'\n",
        ),
        (
            "base/b.toml",
            "seeds = 1\nwaves = [['x'], ['y']]\nrouting = { via = { dns = { ttl = '9s' } }, errors = 0.5 }\n\
             [[cluster]]\nname = 'x'\nregion = 'r'\n[[cluster]]\nname = 'y'\nregion = 'r'\nscale = 2\n",
        ),
        ("s/c.toml", "seeds = 2\nrouting.via.dns.stretched = 0.5\n"),
    ]);
    assert!(found.is_empty(), "{}", found.render(&sources, Look::Plain));
    let node = node.unwrap();
    let spec = decode::<Spec>(&node, &mut Diagnostics::default()).unwrap().value;
    assert_eq!((spec.name.as_str(), spec.seeds, spec.waves.len()), ("a", Some(2), 1));
    let names: Vec<_> = spec.cluster.iter().map(|c| (c.name.as_str(), c.region.as_str(), c.scale)).collect();
    assert_eq!(names, [("x", "r", 1.0), ("y", "r", 3.0), ("new", "n", 1.0)]);
    // Another tag replaces the choice, beside which the table still merges.
    assert_eq!(spec.routing.via, Via::Anycast { converge: Span::from_secs_test(1) });
    assert_eq!(spec.routing.errors.map(Probability::get), Some(0.5));
    let scale = |name| sources.describe(locate(&node, &path!("cluster", name, "scale")));
    assert_eq!((scale("y").as_str(), scale("x").as_str()), ("s/a.toml:7", "base/b.toml:4"));
    assert_eq!(sources.describe(locate(&node, &path!("seeds"))), "s/c.toml:1");
}

#[test]
fn the_same_tag_merges() {
    let mut sources = Sources::default();
    let base = tree(&mut sources, "name = 'a'\nrouting.via.dns = { ttl = '9s', stretched = 0.5 }");
    let over = tree(&mut sources, "routing.via.dns.ttl = '1s'");
    let spec = decode::<Spec>(&merge(base, over, &shape()), &mut Diagnostics::default()).unwrap().value;
    assert_eq!(spec.routing.via, Via::Dns(Dns { ttl: Span::from_secs_test(1), stretched: Some(0.5) }));
}

#[test]
fn circles_missing_files_and_wrong_names_are_errors() {
    let (sources, node, found) = loading(&[
        ("a.toml", "\nextends = 'b.toml'"),
        ("b.toml", "extends = './x/../c.toml'"),
        ("c.toml", "extends = 'b.toml'"),
    ]);
    assert_eq!(node, None);
    let expected = "1:11 `extends` goes in a circle: b.toml → c.toml → b.toml";
    assert_eq!(mistakes(&sources, &found), [expected]);
    let (sources, _, found) = loading(&[("a.toml", "extends = ['b.toml', 3]")]);
    assert_eq!(
        mistakes(&sources, &found),
        ["1:12 can't read b.toml: no such file", "1:22 expected the path of a file, found a whole number"]
    );
    // A base that is named twice is read twice; it is no circle, but 2^n of it is cut off.
    let (sources, _, found) = loading(&[
        ("a.toml", "extends = ['b.toml', 'b.toml', 'b.toml', 'b.toml', 'b.toml']"),
        ("b.toml", "extends = ['c.toml', 'c.toml', 'c.toml', 'c.toml', 'c.toml']"),
        ("c.toml", "extends = ['d.toml', 'd.toml', 'd.toml', 'd.toml', 'd.toml']"),
        ("d.toml", "seeds = 1"),
    ]);
    assert!(mistakes(&sources, &found)[0].ends_with("the scenario extends more than 64 files"));
}

#[test]
fn choices_are_found_in_the_schema() {
    let shape = shape();
    assert!(shape.is_choice(&["routing", "via"]));
    for path in [&["routing"][..], &[], &["cluster"], &["cluster", "a"], &["routing", "via", "dns"], &["no", "such"]] {
        assert!(!shape.is_choice(path), "{path:?}");
    }
}

const SHOP: &str = "
name = 'shop'
base = 'regional'
waves = [['a']]
[routing]
via = { dns = { ttl = '60s', stretched = 0.1 } }
[[cluster]]
name = 'us-west-2'
region = 'w'
standby-for = 'us-east-1'
scale = 0.2
[[cluster]]
name = 'us-east-1'
region = 'e'
";

fn varied(patch: &str) -> (Sources, Vec<super::patch::Variant>, Diagnostics) {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let node = tree(&mut sources, &format!("{SHOP}{patch}"));
    let list = variants(&node, &shape(), &mut found);
    (sources, list, found)
}

#[test]
fn variants_patch_add_and_remove() {
    let (sources, list, found) = varied(
        "[variant.active]
summary = 'all serve'
routing.via = { anycast = { converge = '1s' } }
cluster.us-east-1 = { nodes = 3 }
waves = [['x'], ['y']]
remove.keys = ['cluster.us-west-2.standby-for', 'cluster.us-west-2.scale']
[[variant.active.add.cluster]]
name = 'eu'
region = 'f'
[variant.small]
remove = { cluster = ['us-west-2'] }
routing.via.dns.ttl = '5s'
",
    );
    assert!(found.is_empty(), "{}", found.render(&sources, Look::Plain));
    let names: Vec<_> = list.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(names, ["regional", "active", "small"]);
    let spec = |i: usize| decode::<Spec>(&list[i].tree, &mut Diagnostics::default()).unwrap().value;
    assert_eq!(spec(0).cluster[0].scale, 0.2);
    assert_eq!(list[1].summary.as_deref(), Some("all serve"));
    let active = spec(1);
    assert_eq!(active.routing.via, Via::Anycast { converge: Span::from_secs_test(1) });
    assert_eq!((active.cluster[0].standby_for.as_ref(), active.cluster[0].scale), (None, 1.0));
    assert_eq!((active.cluster[1].nodes, active.cluster[2].name.as_str(), active.waves.len()), (3, "eu", 2));
    let small = spec(2);
    assert_eq!((small.cluster.len(), small.cluster[0].name.as_str()), (1, "us-east-1"));
    assert_eq!(small.routing.via, Via::Dns(Dns { ttl: Span::from_secs_test(5), stretched: Some(0.1) }));
}

#[test]
fn wrong_patches_are_errors() {
    let (sources, _, found) = varied(
        "[variant.a]
cluster.us-west-1.scale = 1
waves.x = 1
remove.keys = ['cluster.us-west-2.scael', '!', 'waves.0']
remove.cluster = ['nowhere']
summary = 3
[[variant.a.add.cluster]]
name = 'us-east-1'
[variant.b]
cluster = []
[variant.regional]
[variant]
c = 3
"
        .replace("[variant]\nc = 3\n", "")
        .as_str(),
    );
    let expected = [
        "18:16 there is no value `scael`",
        "18:43 a key can't hold `!` unless it is quoted",
        "18:48 a list whose elements have no names can't be patched",
        "19:19 there is no value `nowhere`",
        "16:9 there is no cluster `us-west-1`",
        "17:1 a list whose elements have no names can't be patched",
        "21:1 there is a cluster `us-east-1` already",
        "20:11 expected a sentence, found a whole number",
        "24:11 expected entries by name, found a list",
        "25:10 `regional` is the name of the unpatched variant",
    ];
    let shown = found.render(&sources, Look::Plain);
    let mut got = mistakes(&sources, &found);
    let mut expected = expected.map(str::to_owned).to_vec();
    got.sort();
    expected.sort();
    assert_eq!(got, expected, "{shown}");
    assert!(shown.contains("did you mean `us-west-2`?") && shown.contains("did you mean `scale`?"), "{shown}");
}

fn after_set(arguments: &[&str]) -> (Sources, Node, Diagnostics) {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let mut node = tree(&mut sources, SHOP);
    for argument in arguments {
        set_argument(&mut node, argument, &shape(), &mut sources, &mut found);
    }
    (sources, node, found)
}

#[test]
fn one_grammar_for_paths() {
    let (_, node, found) = after_set(&[
        "routing.via.dns.ttl=60s",
        "cluster.us-west-2.scale = 0.5",
        "seeds=7",
        "labels.\"a b\"=1",
        "cluster.us-east-1.nodes=2",
    ]);
    assert!(found.is_empty());
    let value = |path: &str| get(&node, &path.parse().unwrap()).map(|node| node.value.clone());
    assert_eq!(value("routing.via.dns.ttl"), Some(Value::String("60s".to_owned())));
    assert_eq!(value("cluster.us-west-2.scale"), Some(Value::Float(0.5)));
    assert_eq!(value("labels.'a b'"), Some(Value::Integer(1)));
    assert_eq!(value("waves.0.0"), Some(Value::String("a".to_owned())));
    assert_eq!(value("waves.1"), None);
    let (_, node, _) = after_set(&["routing.via.anycast.converge=2s"]);
    assert_eq!(get(&node, &path!("routing", "via")).unwrap().names(), ["anycast"]);
    for text in ["a.b-c", "fault.\"regional event\".every", "\"\".\"x\\\"y\"", "a.0"] {
        assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
    }
    for wrong in ["", "a.", ".a", "a b", "\"x", "a.=", "ü"] {
        assert!(wrong.parse::<Path>().is_err(), "{wrong}");
    }
}

#[test]
fn checks_point_at_the_value_or_at_what_would_hold_it() {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let node = tree(&mut sources, SHOP);
    let at = |name: &str, key: &str| path!("cluster", name, key);
    found.push(error_at(&node, &at("us-west-2", "scale"), "too small", ""));
    found.push(warning_at(&node, &at("us-east-1", "scale"), "no scale", ""));
    found.push(error_at(&node, &path!("waves", 0, 0), "no such cluster", "").path("waves"));
    assert_eq!(mistakes(&sources, &found), ["11:9 too small", "12:1 no scale", "4:11 no such cluster"]);
    assert_eq!((found.errors(), found.len()), (2, 3));
    let key = sources.position(locate_key(&node, &at("us-west-2", "scale")));
    assert_eq!((key.line, key.column), (11, 1));
}

#[test]
fn wrong_arguments_are_shown_with_a_caret() {
    let cases = [
        ("seeds", "1:6 expected `=` and a value after the path"),
        ("=3", "1:1 expected a key, as in `routing.via.dns.ttl`"),
        ("cluster.us-west-1.scale=1", "1:1 there is no cluster `us-west-1`"),
        ("waves.0=x", "1:1 a list whose elements have no names can't be patched"),
        ("name.x=1", "1:1 `name` is a string: there is no `x` within it"),
        ("seeds=nan", "1:7 the number is not finite"),
    ];
    for (argument, expected) in cases {
        let (sources, _, found) = after_set(&[argument]);
        assert_eq!(mistakes(&sources, &found), [expected]);
        assert!(found.render(&sources, Look::Plain).contains("--set"));
    }
    let (sources, node, mut found) = after_set(&["seeds=1 2", "routing.vai=3"]);
    decode::<Spec>(
        &{
            let mut node = node;
            if let Value::Table(t) = &mut node.value {
                t.shift_remove("base");
            }
            node
        },
        &mut found,
    );
    assert_eq!(
        mistakes(&sources, &found),
        ["1:1 unknown key `vai`", "1:7 expected a whole number from 0 to 4294967295, found the string \"1 2\"",]
    );
}

#[test]
fn sweeps_are_grids_with_the_last_axis_fastest() {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let text = "[sweep.a]\npath = 'seeds'\nvalues = [1, 2]\n[sweep.b.values]\n\
                short = { routing.via.dns.ttl = '30s' }\nanycast = { routing.via = { anycast = { converge = '1s' } } }\n";
    let node = tree(&mut sources, &format!("{SHOP}{text}"));
    let all = axes(&node, &mut found);
    let base = variants(&node, &shape(), &mut found).remove(0);
    let grid = points(&base.tree, &all, &shape(), &mut found);
    assert!(found.is_empty(), "{found:?}");
    let names: Vec<_> = grid.iter().map(|point| point.name.as_str()).collect();
    assert_eq!(names, ["a=1, b=short", "a=1, b=anycast", "a=2, b=short", "a=2, b=anycast"]);
    assert_eq!(get(&grid[2].tree, &path!("routing", "via", "dns", "ttl")).unwrap().text(), Some("30s"));
    assert!(get(&grid[2].tree, &path!("sweep")).is_none());
    // Another tag replaces a choice, as in a variant.
    assert!(get(&grid[3].tree, &path!("routing", "via", "dns")).is_none());
}

#[test]
fn what_is_shown_says_where_it_came_from_and_reads_back() {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let base = sources_tree(&mut sources, "base/b.toml", "seeds = 5\nrouting.via.dns.stretched = 0.5\n");
    let text = "name = 'x'\n[[cluster]]\nname = 'b \u{202e}'\nregion = 'r'\n";
    let over = sources_tree(&mut sources, "shop.toml", text);
    let mut node = merge(base, over, &shape());
    set_argument(&mut node, "routing.via.dns.ttl=60s", &shape(), &mut sources, &mut found);
    let spec = decode::<Spec>(&node, &mut found).unwrap().value;
    let others = IndexMap::from([(path!("cluster", "b \u{202e}", "nodes"), "catalogue: aws".to_owned())]);
    let shown = super::origin::show(&spec, &node, &others, &sources).unwrap();
    let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "name = \"x\" # shop.toml:1",
        "seeds = 5 # base/b.toml:1",
        "waves = [] # default",
        "",
        "[routing]",
        "via.dns.ttl = \"60s\" # --set routing.via.dns.ttl=60s",
        "via.dns.stretched = 0.5 # base/b.toml:2",
        "",
        "[[cluster]]",
        "name = \"b \\U0000202E\" # shop.toml:3",
        "region = \"r\" # shop.toml:4",
        "scale = 1.0 # default",
        "nodes = 0 # catalogue: aws",
        "",
        "[labels]",
    ];
    let expected: Vec<_> =
        expected.iter().map(|line| line.replace("60s\" #", &format!("{}\" #", Span::from_secs_test(60)))).collect();
    assert_eq!(lines, expected, "{shown}");
    let again = tree(&mut sources, &shown);
    assert_eq!(decode::<Spec>(&again, &mut found).map(|decoded| decoded.value), Some(spec));
    assert!(found.is_empty());
}

fn sources_tree(sources: &mut Sources, name: &str, text: &str) -> Node {
    parse(sources, name, text.as_bytes(), &mut Diagnostics::default()).unwrap()
}

#[test]
fn hostile_files_take_no_time_in_the_square_of_their_size() {
    let started = std::time::Instant::now();
    let named: String = (0..40_000_u32).fold(String::new(), |text, i| text + &format!("{{name='n{i}'}},"));
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let patches = (0..15_000_u32).fold(String::new(), |text, i| text + &format!("cluster.m{i}.x = 1\n"));
    let node = tree(&mut sources, &format!("name = 'x'\ncluster = [{named}]\n[variant.a]\n{patches}"));
    let merged = merge(node.clone(), node, &shape());
    variants(&merged, &shape(), &mut found);
    decode::<Spec>(&merged, &mut found);
    assert!(found.has_errors() && !found.render(&sources, Look::Plain).is_empty());
    for text in ["=\n", "[", "a=1\n", "a = '", "\"", "[[a]]\n", "[a.a.a.a.a.a]\n", "{", "\u{1b}"] {
        let bytes = text.repeat(1_000_000 / text.len()).into_bytes();
        let _ = parse(&mut sources, "b.toml", &bytes, &mut found);
        let _ = found.render(&sources, Look::Plain);
    }
    // In the square it would be minutes; it takes 3 s.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// A name alone, or a table: what a step of a journey looks like.
#[derive(PartialEq, Debug)]
struct Step(Dns);

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Step;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a duration or a table")
            }
            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Step, E> {
                Ok(Step(Dns { ttl: Span::from_secs_test(1), stretched: None }))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
                Dns::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Step)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[test]
fn a_name_or_a_table_keeps_the_places_of_its_mistakes() {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let node = tree(&mut sources, "path = ['a', { ttl = 'x' }, 3, { ttl = '1s', tll = 1 }, { ttl = '2s' }, { }]");
    let steps = decode::<IndexMap<String, Vec<Step>>>(&node, &mut found).unwrap().value;
    let expected =
        ["1:22", "1:29 expected a duration or a table, found `3`", "1:46 unknown key `tll`", "1:73 missing key `ttl`"];
    let got = mistakes(&sources, &found);
    assert_eq!(got.len(), expected.len(), "{got:?}");
    assert!(got.iter().zip(expected).all(|(got, expected)| got.starts_with(expected)), "{got:?}");
    assert_eq!(found.iter().next().unwrap().path.as_deref(), Some("path.1.ttl"));
    assert_eq!(steps["path"].len(), 3);
}

proptest! {
    #[test]
    fn nothing_that_is_read_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_anything(&bytes);
    }

    #[test]
    fn nothing_that_looks_like_toml_panics(words in prop::collection::vec(prop::sample::select(&[
        "name", "cluster", "variant", "extends", "region", "=", ".", "[", "]", "[[", "]]", "{", "}", ",", "\n", "\n",
        "\"", "'", "1", "nan", "1e999", "via", "dns", "ttl", "'x'", "-", "#", "\u{202e}", "\r", "add", "remove", "keys",
        "2026-01-05", "\\", "routing", "base", "name = 'x'\n", "[[cluster]]\n", "[variant.a]\n",
    ][..]), 0..60)) {
        read_anything(words.concat().as_bytes());
    }
}

fn read_anything(bytes: &[u8]) {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    if let Some(node) = parse(&mut sources, "a.toml", bytes, &mut found) {
        let shape = shape();
        for variant in variants(&node, &shape, &mut found) {
            let _ = decode::<Spec>(&variant.tree, &mut found);
        }
        let twice = merge(node.clone(), node, &shape);
        let _ = decode::<Spec>(&twice, &mut found);
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(path) = text.parse::<Path>() {
        assert_eq!(path.to_string().parse(), Ok(path));
    }
    let mut node = Node { value: Value::Table(super::tree::Table::new()), origin: origin(&mut sources) };
    set_argument(&mut node, &text, &(), &mut sources, &mut found);
    let _ = (found.render(&sources, Look::Colour), found.reports(&sources));
}

fn origin(sources: &mut Sources) -> Origin {
    let id = sources.file("x", "");
    sources.whole(id)
}
