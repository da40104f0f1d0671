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
    (text(&output.stdout), said.replace("\n  ", " "))
}

/// The scenario that this fixture gives, as a table.
fn scenario(name: &str) -> toml::Table {
    k8s(&fixture(name)).0.parse().unwrap()
}

/// The entry of this name in a list of the scenario.
fn entry<'t>(scenario: &'t toml::Table, list: &str, name: &str) -> &'t toml::Value {
    let entries = scenario[list].as_array().unwrap();
    entries.iter().find(|entry| entry["name"].as_str() == Some(name)).unwrap()
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
        "region = \"us-west-2\"  # from clusters/us-west/config.yaml:8\n",
        "replicas = 4  # from clusters/eu-west/web-app.yaml:7\n",
        "override.\"us-east\".replicas = 6  # from clusters/us-east/web-app.yaml:7\n",
        "concurrency = 8  # assumed\n",
        "# PodDisruptionBudget: minAvailable = 2 (clusters/eu-west/web-app.yaml:",
        "self-heal = true  # from argocd/eu-west.yaml:18\n",
        "# prune = true  # from argocd/eu-west.yaml:17\n",
        "poll = \"120s\"  # assumed: Argo CD's default\n",
        "name = \"payments.example.com\"  # from clusters/eu-west/mesh.yaml:1\n",
        "{ dependency = \"payments.example.com\" }]  # assumed\n",
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
        "replicas = 7  # from apps/web/overlays/prod-eu-west-1/kustomization.yaml:9\n",
        "cpu = 0.75  # from apps/web/overlays/prod-eu-west-1/cpu.yaml:9\n",
        "override.\"prod-us-east-1\".replicas = 5  # from apps/web/overlays/prod-us-east-1/kustomization.yaml:8\n",
    ];
    holds(&toml, &lines);
}

#[test]
fn flux_is_followed_and_callees_are_on_the_path() {
    let (toml, said) = k8s(&fixture("flux"));
    holds(
        &said,
        &["found: 2 clusters, 2 services, 0 stores\n", "left out, as these namespaces serve no users: `flux-system`"],
    );
    holds(&toml, &["path = [\"api\", \"cart\"]", "# On the path: `cart` (assumed: `api` is told its address)\n"]);
}

#[test]
fn an_application_set_makes_clusters_of_its_list() {
    let (toml, said) = k8s(&fixture("applicationset"));
    holds(&said, &["found: 2 clusters, 1 service, 0 stores\n"]);
    holds(
        &toml,
        &[
            "name = \"eu-west-1\"  # from bootstrap/set.yaml:1\n",
            "replicas = 1  # assumed: Kubernetes' default\n",
            "self-heal = false  # from bootstrap/set.yaml:15\n# prune = true  # from bootstrap/set.yaml:15\n",
        ],
    );
}

#[test]
fn a_chart_is_named_and_of_its_release_the_values_are_read() {
    let (toml, said) = k8s(&fixture("helm"));
    let named = ["chart/templates/deployment.yaml:4:", "helm template", "of these Helm releases are read: `web`"];
    holds(&said, &named);
    holds(&toml, &["replicas = 2  # from chart/values.yaml:1\n"]);
    let output = regionsim(&["import", "k8s", fixture("helm/chart").to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    holds(&text(&output.stderr), &["templates/deployment.yaml:4:", "no Deployment"]);
}

#[test]
fn releases_of_flux_and_argo_are_services_and_staging_serves_nobody() {
    let (toml, said) = k8s(&fixture("releases"));
    holds(&said, &["found: 2 clusters, 2 services, 1 store\n", "as it belongs to the cluster itself: `cert-manager`"]);
    let lines = [
        "serves = false  # assumed from its name\n",
        "replicas = 6  # from clusters/production/web.yaml:12\n",
        "autoscale = { target = 0.6, min = 1, max = 12 }  # from clusters/production/web.yaml:18\n",
        // The chart's values, then the file of values that the Application names, then its parameters.
        "replicas = 5  # from charts/api/values-production.yaml:1\n",
        "override.\"staging\".replicas = 2  # from charts/api/values.yaml:1\n",
        "cpu = 0.3  # from clusters/production/web.yaml:55\n",
        "# On the path: `web` (Ingress, clusters/production/web.yaml:21)\n",
    ];
    holds(&toml, &lines);
    let scenario = scenario("releases");
    assert_eq!(entry(&scenario, "store", "cache")["clusters"].as_array().unwrap().len(), 1);
    // 30 % of 5 pods × 8 at a time / 50 ms: `api` is full before `web`, and staging has no users.
    assert_eq!(scenario["population"].as_array().unwrap().len(), 1);
    assert_eq!(scenario["population"][0]["rate"].as_str(), Some("240/s"));
}

#[test]
fn a_mesh_is_a_connection_over_which_other_clusters_are_called() {
    let (toml, said) = k8s(&fixture("joined"));
    holds(&said, &["found: 3 clusters, 2 services, 0 stores\n"]);
    let lines = [
        "[[connection]]\nname = \"mesh\"  # locality load balancing, from clusters/us-east-1/mesh.yaml:10\n",
        "via.mesh.errors = 3  # from clusters/us-east-1/mesh.yaml:15\n",
        "via.mesh.interval = \"5s\"  # from clusters/us-east-1/mesh.yaml:16\n",
        "via.mesh.ejection = \"90s\"  # from clusters/us-east-1/mesh.yaml:17\n",
        "# Istio: from us-west-2 over to us-east-1; a mesh here takes the nearest that is well (",
        "path = [\"web\", \"stock\"]",
    ];
    holds(&toml, &lines);
    let scenario = scenario("joined");
    assert_eq!(entry(&scenario, "cluster", "eu-west-1")["serves"].as_bool(), Some(false));
    assert_eq!(entry(&scenario, "service", "stock")["clusters"][0].as_str(), Some("eu-west-1"));
    // 30 % of half of 6 pods × 8 at a time / 50 ms: two clusters share what runs in the third.
    assert_eq!(scenario["population"][0]["rate"].as_str(), Some("144/s"));
}

#[test]
fn without_a_mesh_what_exposes_a_service_says_how_it_is_called() {
    let read = |path: &str| fs::read(fixture(path)).unwrap();
    let (web, stock) = (read("joined/clusters/us-east-1/web.yaml"), read("joined/clusters/eu-west-1/stock.yaml"));
    for (note, kind) in
        [("", "public-lb"), ("\n  annotations: {networking.gke.io/load-balancer-type: Internal}", "peering")]
    {
        let open = text(&stock).replace("spec:\n  selector", "spec:\n  type: LoadBalancer\n  selector");
        let open = open.replace(
            "kind: Service\nmetadata:\n  name: stock",
            &format!("kind: Service\nmetadata:\n  name: stock{note}"),
        );
        let both = [web.as_slice(), b"---\n", open.as_bytes()].concat();
        let (imported, _) = imported(&[("clusters/us-west-2/a.yaml", &web), ("clusters/us-east-1/a.yaml", &both)]);
        let scenario: toml::Table = imported.unwrap().toml.parse().unwrap();
        let connection = &scenario["connection"][0];
        assert!(connection["via"].get(kind).is_some(), "{connection}");
        assert_eq!(connection["from"][0].as_str(), Some("us-west-2"));
        assert_eq!(connection["to"][0].as_str(), Some("us-east-1"));
    }
}

#[test]
fn each_kind_of_store_has_its_usual_replication() {
    let (toml, _) = k8s(&fixture("stores"));
    let scenario: toml::Table = toml.parse().unwrap();
    let of = |name: &str| entry(&scenario, "store", name)["replication"].to_string();
    assert_eq!(of("orders"), r#"{ async = { lag = "1s" } }"#);
    assert_eq!(of("carts"), "{ quorum = { read = 2, write = 2 } }");
    assert!(of("ledger").contains("acks = 1") && of("ledger").contains("degrade = false"), "{}", of("ledger"));
    assert_eq!(of("events"), r#"{ async = { lag = "5s" } }"#);
    let cached = |name: &str| entry(&scenario, "store", name)["replication"]["cache"]["of"].as_str();
    // `web` is told of `sessions` together with `ledger` and `orders`; nobody is told of `pages`.
    assert_eq!((cached("sessions"), cached("pages")), (Some("ledger"), Some("carts")));
    holds(&toml, &["# assumed: that it is a cache, of what, and for how long\n"]);
    let lines = [
        // A queue is only written; what is cached is read through its cache where it is plain what that caches.
        r#"path = ["web", { read = "carts" }, { read = "orders" }, { read = "pages" }, { read = "sessions" }]"#,
        r#"path = ["web", { write = "carts" }, { write = "events" }, { write = "ledger" }, { write = "orders" }]"#,
    ];
    holds(&toml, &lines);
}

#[test]
fn a_component_changes_what_its_caller_has_gathered_once() {
    let (toml, _) = k8s(&fixture("component"));
    let lines = [
        "name = \"shop-web\"  # from base/web.yaml:1\n",
        "replicas = 7  # from components/edge/kustomization.yaml:11\n",
        "# Deployment of image mirror.example.com/web:1\n",
        "override.\"staging\".replicas = 1  # from overlays/staging/kustomization.yaml:5\n",
        "autoscale = { target = 0.8, min = 1, max = 9 }",
        // Its replicas are removed by a JSON patch.
        "name = \"shop-edge\"  # from components/edge/edge.yaml:1\nreplicas = 1  # assumed",
        // The Ingress names `web`, and both have the component's prefix.
        "# On the path: `shop-web` (Ingress, base/web.yaml:",
    ];
    holds(&toml, &lines);
    assert!(!toml.contains("shop-shop-"), "{toml}");
    let scenario = scenario("component");
    assert_eq!(entry(&scenario, "service", "shop-web").get("cpu"), None, "the container that asks for 4 is deleted");
    assert_eq!(entry(&scenario, "service", "shop-worker")["clusters"][0].as_str(), Some("staging"));
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
    holds(&toml, &["name = \"worker\"  # from clusters/us-west/web.yaml:12\n"]);
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
    assert!(imported.unwrap().toml.contains("replicas = 3  # from clusters/us-west/web.yaml:4\n"));
}

#[test]
fn a_rollout_runs_the_deployment_that_it_refers_to_and_keda_scales_it() {
    let text = b"apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 0
  template: {spec: {containers: [{image: 'shop/api:1', resources: {requests: {cpu: 500m}}}]}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: api}
spec: {replicas: 3, workloadRef: {apiVersion: apps/v1, kind: Deployment, name: api}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: api}
spec:
  scaleTargetRef: {kind: Rollout, name: api}
  minReplicaCount: 2
  maxReplicaCount: 9
  triggers: [{type: prometheus, metadata: {threshold: '10'}}, {type: cpu, metricType: Utilization, metadata: {value: '65'}}]
";
    let (imported, problems) = imported(&[("clusters/us-west/api.yaml", text)]);
    assert_eq!(problems, "");
    let imported = imported.unwrap();
    assert_eq!(imported.services, 1, "{}", imported.toml);
    for line in [
        "replicas = 3  # from clusters/us-west/api.yaml:11",
        "cpu = 0.5",
        "autoscale = { target = 0.65, min = 2, max = 9 }",
        "# Rollout of image shop/api:1",
    ] {
        assert!(imported.toml.contains(line), "no {line:?} in\n{}", imported.toml);
    }
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

#[test]
fn lists_json_anchors_and_merges_are_read_and_tabs_are_named() {
    let json = br#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"apps/v1","kind":"Deployment",
        "metadata":{"name":"web"},"spec":{"replicas":4,"template":{"spec":{"containers":[{"image":"w"}]}}}}]}"#;
    let merged = b"base: &base {replicas: 2}\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: &n api}\nspec:\n  <<: *base\n  serviceName: *n\n";
    let tabs = b"kind: Deployment\nspec:\n\treplicas: 1\n";
    let (imported, problems) =
        imported(&[("clusters/a/web.json", json), ("clusters/a/api.yaml", merged), ("clusters/a/tabs.yaml", tabs)]);
    assert!(problems.contains("clusters/a/tabs.yaml:3:"), "{problems}");
    let toml = imported.unwrap().toml;
    holds(&toml, &["replicas = 2  # from clusters/a/api.yaml:1\n", "replicas = 4  # from clusters/a/web.json:2\n"]);
}

#[test]
fn a_host_without_a_name_is_none() {
    let entry = b"kind: ServiceEntry\napiVersion: networking.istio.io/v1\nmetadata: {name: e}\nspec: {hosts: ['', ' ', \"a\\tb\", pay.example]}\n";
    let (imported, _) = imported(&[("clusters/us-west/web.yaml", WEB), ("clusters/us-west/e.yaml", entry)]);
    let toml = imported.unwrap().toml;
    assert_eq!(toml.matches("[[dependency]]").count(), 1, "{toml}");
    holds(&toml, &["name = \"pay.example\""]);
}

#[test]
fn one_way_of_many_versions_and_what_plays_users() {
    let pod = |name: &str, app: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: 2, template: {{metadata: {{labels: {{app: {app}}}}}, spec: {{containers: [{{image: i}}]}}}}}}\n---\n"
        )
    };
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {type: NodePort, selector: {app: reviews}}\n";
    let all =
        [&pod("reviews-v1", "reviews"), &pod("reviews-v2", "reviews"), &pod("loadgenerator", "load"), service].concat();
    let (imported, _) = imported(&[("manifests/all.yaml", all.as_bytes())]);
    let imported = imported.unwrap();
    assert_eq!(imported.services, 1);
    let lines =
        ["name = \"reviews\"  #", "replicas = 4  #", "# Counted as one: reviews-v1, reviews-v2\n", "of type NodePort"];
    holds(&imported.toml, &lines);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn no_setting_makes_a_wrong_key(errors in ".{0,12}", interval in "[0-9.a-z]{0,8}", poll in "[0-9.hms-]{0,8}", host in "[ -~]{0,30}", heal in "[a-z0-9]{0,5}") {
        let quoted = |text: &str| format!("{text:?}");
        let (errors, interval, poll, host) = (quoted(&errors), quoted(&interval), quoted(&poll), quoted(&host));
        let mesh = format!("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: m}}\nspec:\n  host: web\n  trafficPolicy:\n    outlierDetection: {{consecutive5xxErrors: {errors}, interval: {interval}, baseEjectionTime: {interval}}}\n    loadBalancer: {{localityLbSetting: {{enabled: true}}}}\n---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e}}\nspec: {{hosts: [{host}]}}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\nspec: {{syncPolicy: {{automated: {{selfHeal: {heal}}}}}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm}}\ndata: {{timeout.reconciliation: {poll}}}\n");
        let (imported, _) = imported(&[("clusters/us-west/a.yaml", WEB), ("clusters/us-east/a.yaml", WEB), ("clusters/us-west/m.yaml", mesh.as_bytes()), ("clusters/us-east/m.yaml", mesh.as_bytes())]);
        let toml = imported.unwrap().toml;
        let parsed: Result<toml::Table, _> = toml.parse();
        proptest::prop_assert!(parsed.is_ok(), "{toml}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        fs::write(&file, &toml).unwrap();
        let output = regionsim(&["validate", file.to_str().unwrap()]);
        proptest::prop_assert!(output.status.code() == Some(0), "{}\n{toml}", text(&output.stderr));
    }
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
