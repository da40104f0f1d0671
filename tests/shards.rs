//! Many machines, as one: whatever the shards, and whatever becomes of them, the merged report is that of a plain run.

mod place;

use place::Place;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const VARIABLES: [&str; 3] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX"];

/// Two regions, one standing by for the other; two variants, and a sweep of four points. It extends another file.
const SCENARIO: &str = r#"format = 1
extends = "base.toml"
name = "duo"

[simulation]
seeds = 5
horizon = "90d"

[[fault]]
name = "region lost"
of = { regions = "all" }
effect = { down = { } }
every = { exponential = { mean = "60d" } }
repair = { lognormal = { median = "4h", p95 = "14h" } }

[[expect]]
metric = "availability"
at-least = 0.9995

[variant.both]
summary = "both serve"
remove.keys = ["cluster.us-west-2.standby-for", "cluster.us-west-2.scale"]

[sweep.rate]
path = "population.us.rate"
values = ["50/s", "100/s"]

[sweep.replicas]
path = "service.web.replicas"
values = [8, 10]
"#;
const BASE: &str = r#"[[cluster]]
name = "us-east-1"
[[cluster]]
name = "us-west-2"
standby-for = "us-east-1"
scale = 0.2

[[service]]
name = "web"
replicas = 10
concurrency = 4
time = "55ms"

[[journey]]
name = "browse"
timeout = "3s"
path = ["web"]

[[population]]
name = "us"
at = "New York"
rate = "100/s"
"#;

/// A folder with the scenarios.
fn duo() -> Place {
    let place = Place::new();
    place.write("duo.toml", SCENARIO);
    place.write("base.toml", BASE);
    place
}

impl Place {
    fn line(&self, line: &str) -> Command {
        let mut command = self.command();
        command.args(line.split_whitespace());
        for name in VARIABLES {
            command.env_remove(name);
        }
        command
    }

    /// What it prints.
    fn succeeds(&self, line: &str) -> String {
        let output = self.line(line).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// It ends with exit code 2 and says all of this.
    fn refuses(&self, line: &str, says: &[&str]) {
        refused(&self.line(line).output().unwrap(), line, says);
    }

    /// The parts of a folder, in the order of their shards.
    fn parts(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut parts: Vec<_> = entries.filter(|path| name(path).starts_with("part-")).collect();
        parts.sort();
        parts
    }

    /// Every file of a folder, with its bytes.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.path(folder)];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    files.insert(path.to_str().unwrap().to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        let root = self.path(folder).to_str().unwrap().to_owned();
        files.into_iter().map(|(path, bytes)| (path[root.len()..].to_owned(), bytes)).collect()
    }

    fn same(&self, one: &str, other: &str) {
        let (one_files, other_files) = (self.files(one), self.files(other));
        assert!(one_files.contains_key("/report.html") && one_files.contains_key("/summary.json"));
        let names: Vec<_> = one_files.keys().collect();
        assert_eq!(names, other_files.keys().collect::<Vec<_>>());
        let unlike: Vec<_> = names.into_iter().filter(|name| one_files[*name] != other_files[*name]).collect();
        assert!(unlike.is_empty(), "{one} and {other} differ in {unlike:?}");
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(output: &Output, line: &str, says: &[&str]) {
    assert_eq!(output.status.code(), Some(2), "{line}\n{}", err(output));
    // Long messages are folded to the terminal's width or kept: words are what counts.
    let said = err(output).split_whitespace().collect::<Vec<_>>().join(" ");
    for text in says {
        assert!(said.contains(text), "{line}: no {text:?} in\n{said}");
    }
}

/// Everything that a report holds, and what is printed, is that of one machine; and the machines need no scenario.
#[test]
fn any_number_of_shards_is_one_machine() {
    for (command, arguments) in
        [("run", "--variant both"), ("compare", "--seed 7"), ("sweep", "--set simulation.seeds=3")]
    {
        let place = duo();
        let plain = place.succeeds(&format!("{command} duo.toml {arguments} --out plain"));
        for shards in [1, 3, 8] {
            let line = format!("plan duo.toml --as {command} {arguments} --shards {shards} --out plan-{shards}.json");
            place.succeeds(&line);
        }
        fs::remove_file(place.path("duo.toml")).unwrap();
        fs::remove_file(place.path("base.toml")).unwrap();
        for shards in [1, 3, 8] {
            let last = shards - 1;
            place.succeeds(&format!("shard plan-{shards}.json --out parts-{shards} --index 0-{last} --threads 2"));
            let merged = place.succeeds(&format!("merge parts-{shards} --out merged-{shards}"));
            assert_eq!(merged.replace(&format!("merged-{shards}"), "plain"), plain, "{command} {shards}");
            place.same("plain", &format!("merged-{shards}"));
        }
    }
}

/// Two scenarios, more shards than seeds, and parts in several folders.
#[test]
fn scenarios_share_a_plan_and_parts_come_from_several_folders() {
    let place = duo();
    fs::write(place.path("other.toml"), SCENARIO.replace("name = \"duo\"", "name = \"other\"")).unwrap();
    place.succeeds("run duo.toml other.toml --seeds 3 --out plain");
    place.succeeds("plan duo.toml other.toml --seeds 3 --shards 7 --out plan.json");
    place.succeeds("shard plan.json --out a --index 0-3,5");
    place.succeeds("shard plan.json --out b --index 4,6");
    place.refuses("merge plan.json a --out merged", &["2 of 7 parts are missing: 4, 6", "--index 4,6"]);
    place.succeeds("merge plan.json a b --out merged");
    place.same("plain/duo", "merged/duo");
    place.same("plain/other", "merged/other");
}

#[test]
fn a_plan_is_never_changed() {
    let place = duo();
    let told = place.succeeds("plan duo.toml --as compare --shards 3 --out plan.json");
    assert!(told.starts_with("duo: 2 variants × 5 seeds × 90 days\n"), "{told}");
    assert!(told.contains("plan.json, 3 shards of 3 or 4 simulated seeds each"), "{told}");
    let plan = fs::read_to_string(place.path("plan.json")).unwrap();
    place.succeeds("plan duo.toml --as compare --shards 3 --out plan.json");
    place
        .refuses("plan duo.toml --as compare --shards 4 --out plan.json", &["plan.json is there, and is another plan"]);
    assert_eq!(fs::read_to_string(place.path("plan.json")).unwrap(), plan);
    for (from, to, says) in [
        ("\"shards\": 3", "\"shards\": 2", "it was changed since it was made"),
        ("rate = \\\"100/s\\\"", "rate = \\\"200/s\\\"", "it was changed since it was made"),
        (concat!("\"version\": \"", env!("CARGO_PKG_VERSION")), "\"version\": \"99.0", "it was made by regionsim 99.0"),
        ("\"schema\": 1", "\"schema\": 9", "its schema is 9"),
        ("\"schema\"", "\"skema\"", "it is no plan"),
    ] {
        assert!(plan.contains(from), "{from}");
        fs::write(place.path("edited.json"), plan.replacen(from, to, 1)).unwrap();
        place.refuses("shard edited.json --out parts --index 0", &["edited.json is of no use", says]);
        place.refuses("merge edited.json --out merged", &["edited.json is of no use", says]);
    }
    place.refuses("shard none.json --out parts --index 0", &["can't read the plan none.json"]);
    assert!(!place.path("parts").exists() && !place.path("merged").exists());
    place.refuses("plan duo.toml --as compare --variant both --shards 2", &["nothing to compare"]);
    place.refuses("plan duo.toml --shards 0", &["--shards"]);
}

#[test]
fn the_index_comes_from_the_flag_or_the_scheduler() {
    let place = duo();
    place.succeeds("plan duo.toml --seeds 3 --shards 3 --out plan.json");
    let line = "shard plan.json --out parts";
    let with =
        |line: &str, variables: &[(&str, &str)]| place.line(line).envs(variables.iter().copied()).output().unwrap();
    for (index, variable) in VARIABLES.iter().enumerate() {
        let output = with(line, &[(variable, &index.to_string())]);
        assert!(output.status.success(), "{}", err(&output));
        assert_eq!(place.parts("parts").len(), index + 1);
    }
    let [kubernetes, slurm, batch] = VARIABLES;
    let output = with(line, &[(kubernetes, "1"), (slurm, "2")]);
    refused(&output, line, &["JOB_COMPLETION_INDEX is 1 and SLURM_ARRAY_TASK_ID is 2"]);
    // The flag is what the user says; and two that agree are one.
    let flagged = format!("{line} --index 0");
    for output in [
        with(&flagged, &[(kubernetes, "1"), (slurm, "2")]),
        with(line, &[(kubernetes, "1"), (slurm, "1"), (batch, "")]),
    ] {
        assert!(output.status.success(), "{}", err(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("is there already"));
    }
    refused(
        &with(line, &[(slurm, "3")]),
        line,
        &["SLURM_ARRAY_TASK_ID is 3, and the plan has 3 shards", "--array=0-2"],
    );
    refused(&with(line, &[(batch, "one")]), line, &["AWS_BATCH_JOB_ARRAY_INDEX is `one`, which is no index"]);
    place.refuses(line, &["which of the 3 shards?", "--index", "JOB_COMPLETION_INDEX"]);
    place.refuses("shard plan.json --out parts --index 1-3", &["--index is 3, and the plan has 3 shards"]);
    place.refuses("shard plan.json --out parts --index x", &["expected indices from 0"]);
    // A result that can't be written may be tried again.
    fs::write(place.path("file"), "").unwrap();
    let output = place.line("shard plan.json --out file/parts --index 0").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
}

#[test]
fn a_merge_takes_each_part_once_and_whole() {
    let place = duo();
    place.succeeds("run duo.toml --out plain");
    place.succeeds("plan duo.toml --shards 5 --out plan.json");
    place.succeeds("shard plan.json --out parts --index 0-4");
    place.succeeds("plan duo.toml --seed 9 --shards 5 --out foreign.json");
    place.succeeds("shard foreign.json --out foreign --index 1");
    let parts = place.parts("parts");
    let good: Vec<Vec<u8>> = parts.iter().map(|part| fs::read(part).unwrap()).collect();
    let merge = "merge parts --out merged";
    let restore = || parts.iter().zip(&good).for_each(|(part, bytes)| fs::write(part, bytes).unwrap());

    for gone in [&parts[0], &parts[2], &parts[3], &parts[4]] {
        fs::remove_file(gone).unwrap();
    }
    place.refuses(merge, &["4 of 5 parts are missing: 0, 2-4", "--index 0,2-4", "no report was written"]);
    restore();

    // In the header, in the body, in the checksum, and cut short in each: refused by name, and made anew by its shard.
    let (whole, head) = (good[1].len(), good[1].iter().take_while(|byte| **byte != b'}').count());
    for at in [3, 15, 40, head, head + 50, whole / 2, whole - 33, whole - 32, whole - 1] {
        let mut flipped = good[1].clone();
        flipped[at] ^= 1;
        for bytes in [&flipped[..], &good[1][..at]] {
            fs::write(&parts[1], bytes).unwrap();
            place.refuses(merge, &[&format!("{} is of no use", name(&parts[1])), "1 of 5 parts is missing: 1"]);
        }
    }
    let output = place.line("shard plan.json --out parts --index 1").output().unwrap();
    assert!(output.status.success() && err(&output).contains("is made anew"), "{}", err(&output));
    assert!(fs::read(&parts[1]).unwrap() == good[1]);

    let other = place.parts("foreign")[0].clone();
    let copy = place.path("parts").join(name(&other));
    fs::copy(&other, &copy).unwrap();
    place.refuses(merge, &[&name(&copy), "is of no use: it is of another plan"]);
    // Two plans beside each other: one has to be named, and the other's parts are still no part of it.
    fs::copy(place.path("foreign.json"), place.path("parts/plan-foreign.json")).unwrap();
    place.refuses(merge, &["are two plans"]);
    place.refuses("merge plan.json parts --out merged", &[&name(&copy), "another plan"]);
    fs::remove_file(&copy).unwrap();
    place.succeeds("merge plan.json parts --out merged");
    place.same("plain", "merged");
    fs::remove_file(place.path("parts/plan-foreign.json")).unwrap();
    fs::remove_dir_all(place.path("merged")).unwrap();

    let twice = place.path("parts").join("part-copy");
    fs::copy(&parts[3], &twice).unwrap();
    place.refuses(merge, &["part 3 is there twice", "part-copy"]);
    fs::remove_file(&twice).unwrap();
    // A part under another's name.
    fs::copy(&parts[3], &parts[4]).unwrap();
    place.refuses(merge, &["part 3 is there twice", "1 of 5 parts is missing: 4"]);
    place.succeeds("shard plan.json --out parts --index 4");
    fs::remove_file(place.path("parts").join(plan_of(&parts[0]))).unwrap();
    place.refuses(merge, &["there is no plan in the folder"]);
    assert!(!place.path("merged").exists());
    place.succeeds("merge plan.json parts --out merged");
    place.same("plain", "merged");
}

/// The name of a part's plan.
fn plan_of(part: &Path) -> String {
    format!("plan-{}.json", name(part).split('-').nth(1).unwrap())
}

/// Ten shards, each killed at another moment: done again, they are what they would have been.
#[cfg(unix)]
#[test]
fn killed_shards_are_done_again_and_nothing_counts_twice() {
    let place = duo();
    let arguments = "--seeds 800 --horizon 1440d";
    place.succeeds(&format!("compare duo.toml {arguments} --out plain"));
    place.succeeds(&format!("plan duo.toml --as compare {arguments} --shards 10 --out plan.json"));
    let (mut killed, mut random) = (0, 20_261_128_u64);
    for index in 0..10 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let line = format!("shard plan.json --out parts --threads 1 --index {index}");
        let mut child = place.line(&line).stdout(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis((random >> 33) % 120));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        // Whole, or not there.
        let there = place.path("parts").exists()
            && place.parts("parts").iter().any(|part| name(part).contains(&format!("-{index}of")));
        let told = place.succeeds(&line);
        assert_eq!(told.contains("is there already"), there, "{told}");
    }
    assert!(killed >= 3, "{killed} shards were killed before they were done: they are too short for this test");
    place.succeeds("merge parts --out merged");
    place.same("plain", "merged");
}

/// Killed with kill -9 or by Ctrl-C, a run goes on from what it kept; and another scenario doesn't.
#[cfg(unix)]
#[test]
fn an_interrupted_run_is_resumed() {
    let place = duo();
    let line = "compare duo.toml --seeds 1500 --horizon 720d --threads 1";
    place.succeeds(&format!("{line} --out plain"));
    let resumed = format!("{line} --resume --out again");
    let parts = || {
        let plans = fs::read_dir(place.path("again.parts")).into_iter().flatten().flatten();
        let plan = plans.map(|entry| format!("again.parts/{}", name(&entry.path()))).next();
        plan.map_or(0, |plan| place.parts(&plan).len())
    };
    let mut before = 0;
    for signal in ["-KILL", "-INT"] {
        let child = place.line(&resumed).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while parts() < before + 3 {
            assert!(start.elapsed().as_secs() < 60, "no part is written");
            sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        if signal == "-INT" {
            assert_eq!(output.status.code(), Some(130));
            assert!(err(&output).contains("the same command goes on from here"), "{}", err(&output));
        }
        assert!(!place.path("again").exists());
        before = parts();
    }
    let other = place.line("compare duo.toml --seeds 2 --resume --out again").output().unwrap();
    assert!(other.status.success() && err(&other).contains("it isn't used"), "{}", err(&other));
    assert_eq!(parts(), before, "they are kept");
    fs::remove_dir_all(place.path("again")).unwrap();
    let output = place.line(&resumed).output().unwrap();
    assert!(
        output.status.success() && err(&output).contains(&format!("{before} of 256 parts are there")),
        "{}",
        err(&output)
    );
    place.same("plain", "again");
    assert!(!place.path("again.parts").exists());
}
