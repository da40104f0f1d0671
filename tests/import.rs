//! `regionsim import k8s` on repositories of several layouts, broken ones and hostile ones.

use assert_cmd::Command;
use regionsim::diag::Look;
use regionsim::import::{Imported, Repository, import};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn regionsim(arguments: &[&str]) -> Output {
    Command::cargo_bin("regionsim").unwrap().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The scenario and what was said about it; the exit code is 0, so the tool's own check has accepted it.
fn k8s(folder: &Path) -> (String, String) {
    let output = regionsim(&["import", "k8s", folder.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    (text(&output.stdout), said)
}

fn holds(text: &str, all: &[&str]) {
    for one in all {
        assert!(text.contains(one), "no {one:?} in\n{text}");
    }
}

#[test]
fn the_textbooks_layout_is_a_scenario_that_runs() {
    let (toml, said) = k8s(&fixture("gitops"));
    holds(&said, &["found: 3 clusters, 1 service, 1 store\n", "ServiceAccount ×1"]);
    let lines = [
        "name = \"us-east\"  # clusters/us-east\n",
        "region = \"us-west-2\"  # clusters/us-west/config.yaml:8\n",
        "replicas = 4  # clusters/eu-west/web-app.yaml:7\n",
        "override.\"us-east\".replicas = 6  # clusters/us-east/web-app.yaml:7\n",
        "concurrency = 8  # assumed\n",
        "# PodDisruptionBudget: minAvailable = 2 (clusters/eu-west/web-app.yaml:",
        "# gitops: Application `shop-us-west` to us-west: automated, prune = true, self-heal = true (argocd/us-west.yaml:1)\n",
        "# connection: DestinationRule `payments` for payments.example.com, outlier detection: consecutive5xxErrors = 5, ",
        "# On the path: `web-app` (Service of type LoadBalancer, clusters/eu-west/web-app.yaml:",
    ];
    holds(&toml, &lines);
    let scenario: toml::Table = toml.parse().unwrap();
    let regions: Vec<_> =
        scenario["cluster"].as_array().unwrap().iter().map(|one| one["region"].as_str().unwrap()).collect();
    assert_eq!(regions, ["eu-west-1", "us-east-1", "us-west-2"]);
    let web = &scenario["service"][0];
    assert_eq!((web["cpu"].as_float(), web["memory"].as_str()), (Some(0.5), Some("1073741824B")));
    let scaler = &web["autoscale"];
    assert_eq!(
        (scaler["min"].as_integer(), scaler["max"].as_integer(), scaler["target"].as_float()),
        (Some(3), Some(20), Some(0.7))
    );
    assert_eq!(scenario["store"][0]["size"].as_str(), Some("107374182400B"));
    // 30 % of 6 pods × 8 at a time / 50 ms.
    assert_eq!(scenario["population"][1]["rate"].as_str(), Some("288/s"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    let (file, out) = (file.to_str().unwrap(), folder.path().join("report"));
    let gitops = fixture("gitops");
    let import = ["import", "k8s", gitops.to_str().unwrap(), "-o", file];
    assert_eq!(regionsim(&import).status.code(), Some(0));
    assert_eq!(fs::read_to_string(file).unwrap(), toml);
    let again = regionsim(&import);
    assert_eq!(again.status.code(), Some(2));
    holds(&text(&again.stderr), &["is there already", "--force"]);
    assert_eq!(regionsim(&[&import[..], &["--force"]].concat()).status.code(), Some(0));
    assert_eq!(regionsim(&["validate", file]).status.code(), Some(0));
    let run = regionsim(&["run", file, "--seeds", "2", "--out", out.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
}

#[test]
fn overlays_of_kustomize_are_clusters() {
    let (toml, said) = k8s(&fixture("kustomize"));
    holds(&said, &["found: 2 clusters, 1 service, 0 stores\n", "github.com/example/shared//base?ref=v1` is elsewhere"]);
    let lines = [
        "region = \"us-east-1\"  # the cluster's name\n",
        "replicas = 7  # apps/web/overlays/prod-eu-west-1/kustomization.yaml:9\n",
        "cpu = 0.75  # apps/web/overlays/prod-eu-west-1/cpu.yaml:9\n",
        "override.\"prod-us-east-1\".replicas = 5  # apps/web/overlays/prod-us-east-1/kustomization.yaml:8\n",
    ];
    holds(&toml, &lines);
}

#[test]
fn flux_is_followed_and_callees_are_on_the_path() {
    let (toml, said) = k8s(&fixture("flux"));
    holds(&said, &["found: 2 clusters, 2 services, 0 stores\n", "namespace `flux-system` serves no users"]);
    holds(&toml, &["path = [\"api\", \"cart\"]", "# On the path: `cart` (assumed: `api` is told its address)\n"]);
}

#[test]
fn an_application_set_makes_clusters_of_its_list() {
    let (toml, said) = k8s(&fixture("applicationset"));
    holds(&said, &["found: 2 clusters, 1 service, 0 stores\n"]);
    holds(
        &toml,
        &[
            "name = \"eu-west-1\"  # bootstrap/set.yaml:1\n",
            "replicas = 1  # Kubernetes' default\n",
            "automated, prune = true, self-heal = false",
        ],
    );
}

#[test]
fn a_chart_is_named_and_not_rendered() {
    let folder = fixture("helm");
    let output = regionsim(&["import", "k8s", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    holds(
        &text(&output.stderr),
        &["chart/templates/deployment.yaml:4:", "helm template", "HelmRelease ×1", "no Deployment"],
    );
}

#[test]
fn what_is_broken_is_named_by_file_and_line_and_the_rest_is_read() {
    let (toml, said) = k8s(&fixture("broken"));
    let all = [
        "found: 1 cluster, 2 services",
        "clusters/us-west/web.yaml:10:",
        "clusters/us-west/indent.yaml:4:",
        "clusters/us-west/latin.yaml: is not UTF-8 text",
        "clusters/us-west/web.yaml:15: `replicas` is no number",
        "clusters/us-west/twice.yaml:3:",
        "the key `kind` is there twice",
    ];
    holds(&said, &all);
    holds(&toml, &["name = \"worker\"  # clusters/us-west/web.yaml:12\n"]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("repository/clusters/us-west"), folder.path().join("outside"));
    fs::create_dir_all(&inside).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(inside.join("web.yaml"), WEB).unwrap();
    fs::write(outside.join("secret.yaml"), text(WEB).replace("name: web", "name: secret")).unwrap();
    symlink(&outside, inside.join("out")).unwrap();
    symlink(outside.join("secret.yaml"), inside.join("secret.yaml")).unwrap();
    symlink(&inside, inside.join("round")).unwrap();
    let escape = "resources: [../../../../outside/secret.yaml]\n";
    fs::create_dir(inside.join("escape")).unwrap();
    fs::write(inside.join("escape/kustomization.yaml"), escape).unwrap();
    let (toml, said) = k8s(&folder.path().join("repository"));
    assert!(!toml.contains("secret"), "{toml}");
    holds(&said, &["3 links not followed", "there is no `../../../../outside/secret.yaml`"]);
}

#[test]
fn shells_are_helped_and_the_manual_names_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = regionsim(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        holds(&text(&output.stdout), &["regionsim", "validate", "import"]);
    }
    holds(&text(&regionsim(&["man"]).stdout), &[".TH regionsim 1", "regionsim\\-run(1)", "regionsim\\-import(1)"]);
}

struct Texts(Vec<String>, BTreeMap<String, Vec<u8>>);

impl Repository for Texts {
    fn paths(&self) -> &[String] {
        &self.0
    }
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.1.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes[..bytes.len().min(limit)].to_vec())
    }
}

fn imported(files: &[(&str, &[u8])]) -> (Option<Imported>, String) {
    let texts: BTreeMap<_, _> = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let repository = Texts(texts.keys().cloned().collect(), texts);
    let (mut sources, mut found, mut skipped) = Default::default();
    let imported = import("test", &repository, &mut sources, &mut found, &mut skipped);
    (imported, found.render(&sources, Look::Plain))
}

const WEB: &[u8] = b"apiVersion: apps/v1\r\nkind: Deployment\r\nmetadata: {name: web}\r\nspec: {replicas: '3'}\r\n";

#[test]
fn windows_line_ends_a_byte_order_mark_and_numbers_in_quotes_are_read() {
    let marked = [b"\xef\xbb\xbf", WEB].concat();
    let (imported, problems) = imported(&[("clusters/us-west/web.yaml", &marked)]);
    assert_eq!(problems, "");
    assert!(imported.unwrap().toml.contains("replicas = 3  # clusters/us-west/web.yaml:4\n"));
}

#[test]
fn a_bomb_of_aliases_is_refused_at_its_line() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..30 {
        let list = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.extend([format!("a{i}: &a{i} [{list}]\n")]);
    }
    let (imported, problems) =
        imported(&[("clusters/us-west/bomb.yaml", bomb.as_bytes()), ("clusters/us-west/web.yaml", WEB)]);
    assert!(problems.contains("clusters/us-west/bomb.yaml:6:") && problems.contains("aliases stand for"), "{problems}");
    assert_eq!(imported.unwrap().services, 1);
}

#[test]
fn names_cannot_leave_their_quotes_or_comments() {
    let evil = b"kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: \"a\\\"\\n[evil]\\nx = 1 #\"\nspec:\n  template: {spec: {containers: [{image: \"x\\n[evil]\"}]}}\n";
    let (imported, _) = imported(&[("clusters/c\n[evil]/a.yaml", evil)]);
    let toml: toml::Table = imported.unwrap().toml.parse().unwrap();
    assert!(!toml.contains_key("evil"));
    assert_eq!(toml["service"][0]["name"].as_str(), Some("a\"\\n[evil]\\nx = 1 #"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), text in "[-a-z0-9:{}\\[\\]&*!<>|#%'\" \\n]{0,300}") {
        let _ = imported(&[("clusters/a/x.yaml", &bytes), ("clusters/a/y.yaml", text.as_bytes()), ("kustomization.yaml", text.as_bytes())]);
    }

    #[test]
    fn no_manifest_panics(place in 0_usize..400, with in "[-a-z0-9:{}\\[\\]&* \\n]{0,12}") {
        let whole = include_str!("fixtures/gitops/clusters/us-west/web-app.yaml");
        let at = (0..=place.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
        let broken = format!("{}{with}{}", &whole[..at], &whole[at..]);
        if let (Some(imported), _) = imported(&[("clusters/us-west/a.yaml", broken.as_bytes()), ("clusters/us-west/web.yaml", WEB)]) {
            let parsed: Result<toml::Table, _> = imported.toml.parse();
            proptest::prop_assert!(parsed.is_ok(), "{}", imported.toml);
        }
    }
}
