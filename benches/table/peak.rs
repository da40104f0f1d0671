//! How much memory a command takes at most, as the kernel counts it.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// The most memory in bytes that a command, as in `run FILE --seeds N`, has had by when its report is written, and how many
/// metrics that has.
pub(crate) fn peak(program: &str, subcommand: &str, file: &Path, seeds: u32, folder: &Path) -> (f64, usize) {
    let mut command = Command::new(program);
    command.arg(subcommand).arg(file).args(["--seeds", &seeds.to_string(), "--threads", "2", "--format", "json"]);
    command.arg("--out").arg(folder).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let mut out = child.stdout.take().expect("it is piped");
    // It prints when its report is written, and more than a pipe holds: so it is still there.
    let mut text = vec![0];
    out.read_exact(&mut text).expect("it prints");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is still there");
    out.read_to_end(&mut text).expect("it prints");
    assert!(child.wait().expect("it ends").success(), "it succeeds");
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.expect("the kernel counts it").trim().parse().expect("a number");
    let metrics = String::from_utf8_lossy(&text).matches("\"p99\":").count();
    (kilobytes * 1024.0, metrics)
}

/// Writes a scenario's text with a sweep of its DNS records' time to live over so many points.
pub(crate) fn swept(text: &str, points: usize, to: &Path) {
    let values: Vec<String> = (0..points).map(|at| format!("\"{}s\"", 10 + at)).collect();
    let sweep = format!("\n[sweep.ttl]\npath = \"routing.via.dns.ttl\"\nvalues = [{}]\n", values.join(", "));
    fs::write(to, text.to_owned() + &sweep).expect("a folder for scenarios");
}
