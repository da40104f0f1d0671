//! The page in a real browser: opened from disk by a headless Chromium, loudly skipped where there is none.
//!
//! axe-core (tests/fixtures/axe, MPL-2.0) looks for what shuts readers out: Deque's rules after WCAG 2.2.

mod devtools;

use devtools::{Browser, url};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const AXE: &str = include_str!("../fixtures/axe/axe.min.js");

/// Reports of several kinds, in a folder of their own.
struct Reports(TempDir);

impl Reports {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a report and returns its folder.
    fn write(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let folder = self.0.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).args(["--quiet", "--out"]).arg(&folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder
    }

    fn page(&self, name: &str, arguments: &[&str]) -> PathBuf {
        self.write(name, arguments).join("report.html")
    }

    /// Four designs with populations, journeys, outages and stores.
    fn shop(&self) -> PathBuf {
        self.page("shop", &["compare", "scenarios/ecommerce.toml", "--seeds", "3", "--horizon", "90d"])
    }
}

/// Nothing is wider than the page, and nothing was said, asked for or refused.
fn assert_sound(browser: &mut Browser, page: &Path, what: &str) {
    let root = "document.documentElement";
    let (is, may) = (browser.value(&format!("{root}.scrollWidth")), browser.value(&format!("{root}.clientWidth")));
    assert!(is.as_u64().unwrap() <= may.as_u64().unwrap(), "{what}: {is} px wide on {may}");
    let troubles = browser.troubles(&url(page));
    assert!(troubles.is_empty(), "{what}: {troubles:#?}");
}

/// The serious and the critical violations that axe finds.
fn violations(browser: &mut Browser) -> Vec<String> {
    if browser.value("typeof axe") == "undefined" {
        browser.value(AXE);
    }
    let found = browser.value(
        "axe.run().then(r => [r.passes.length, r.violations.filter(v => ['serious', 'critical'].includes(v.impact))\
         .map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 300)).join(' … ')}`)])",
    );
    assert!(found[0].as_u64().unwrap() > 15, "axe looked: {found}");
    found[1].as_array().unwrap().iter().map(Value::to_string).collect()
}

/// At both widths and in both schemes a page is sound; axe looks at each of them once.
fn assert_good(browser: &mut Browser, page: &Path) {
    for (width, scheme) in [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")] {
        let what = format!("{} at {width} px, {scheme}", page.display());
        browser.open(page, width, scheme);
        assert_sound(browser, page, &what);
        if (width == 1280) == (scheme == "light") {
            let found = violations(browser);
            assert!(found.is_empty(), "{what}: {found:#?}");
            assert_sound(browser, page, &what);
        }
    }
}

#[test]
fn a_comparison_is_quiet_fits_and_shuts_nobody_out() {
    let Some(mut browser) = Browser::start() else { return };
    let reports = Reports::new();
    assert_good(&mut browser, &reports.shop());
}

#[test]
fn so_is_every_other_kind_of_page() {
    let Some(mut browser) = Browser::start() else { return };
    let reports = Reports::new();
    let hostile = reports.page("hostile", &["compare", "tests/fixtures/hostile.toml"]);
    for page in [
        &reports.page("one", &["run", "scenarios/quickstart.toml", "--seeds", "3", "--horizon", "90d"]),
        &reports.page("sweep", &["sweep", "scenarios/headroom.toml", "--seeds", "2", "--horizon", "30d"]),
        &reports.page("drill", &["drill", "scenarios/quickstart.toml"]),
        &hostile,
    ] {
        assert_good(&mut browser, page);
    }
    // The checks see what they are there for.
    browser.value("document.querySelector('svg[role=img]').removeAttribute('aria-label')");
    let found = violations(&mut browser);
    assert!(found.iter().any(|one| one.contains("svg-img-alt")), "{found:?}");
    browser.value("document.body.append(Object.assign(new Image(), { src: 'http://192.0.2.1/x.png' }))");
    browser.value("document.body.setAttribute('style', 'color: red')");
    browser.value("new Promise(done => setTimeout(done, 200))");
    let troubles = browser.troubles(&url(&hostile));
    assert!(troubles.iter().any(|one| one.contains("img-src") || one.contains("default-src")), "{troubles:?}");
    assert!(troubles.iter().any(|one| one.contains("style-src")), "{troubles:?}");
}

/// The table of populations.
const TABLE: &str =
    "[...document.querySelectorAll('table')].find(t => t.caption.innerText.startsWith('By population'))";

#[test]
fn tables_sort_and_charts_tell_their_values() {
    let Some(mut browser) = Browser::start() else { return };
    let reports = Reports::new();
    let page = reports.shop();
    browser.open(&page, 1280, "light");
    let button = |column: usize| format!("{TABLE}.tHead.rows[0].cells[{column}].querySelector('button')");
    let texts = |browser: &mut Browser, column: usize| -> Vec<String> {
        let rows = format!("[...{TABLE}.tBodies[0].rows].map(r => r.cells[{column}].firstElementChild.innerText)");
        serde_json::from_value(browser.value(&rows)).unwrap()
    };
    let keys = |browser: &mut Browser, column: usize| -> Vec<f64> {
        let rows = format!("[...{TABLE}.tBodies[0].rows].map(r => Number(r.cells[{column}].dataset.key))");
        serde_json::from_value(browser.value(&rows)).unwrap()
    };
    let order = |browser: &mut Browser| {
        browser.value(&format!("[...{TABLE}.tHead.rows[0].cells].map(c => c.getAttribute('aria-sort'))"))
    };
    let before = keys(&mut browser, 6);
    assert!(before.len() >= 20 && !before.is_sorted(), "{before:?}");
    assert!(order(&mut browser).as_array().unwrap().iter().all(Value::is_null));
    browser.click(&button(6));
    let after = keys(&mut browser, 6);
    assert!(after.is_sorted() && after.len() == before.len(), "{after:?}");
    assert_eq!(order(&mut browser)[6], "ascending");
    // By keyboard: the same button turns the order, another column's sorts by words.
    browser.value(&format!("{}.focus()", button(6)));
    browser.press("Enter");
    assert!(keys(&mut browser, 6).iter().rev().is_sorted());
    assert_eq!(order(&mut browser)[6], "descending");
    browser.value(&format!("{}.focus()", button(0)));
    browser.press("Enter");
    assert!(texts(&mut browser, 0).is_sorted());
    assert_eq!((&order(&mut browser)[0], &order(&mut browser)[6]), (&json!("ascending"), &Value::Null));
    // Charts: each step of an arrow key tells another value.
    let tip = "document.querySelector('.tip').textContent";
    browser.value("document.querySelector('.chart svg').focus()");
    assert_eq!(browser.value(tip), "");
    let mut told = json!("");
    for _ in 0..3 {
        browser.press("ArrowRight");
        // A busy machine takes a while to hand on a key.
        let mut looks = (0..100).map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            browser.value(tip)
        });
        let next = looks.find(|text| text != "" && *text != told);
        told = next.unwrap_or_else(|| panic!("an arrow key tells nothing beyond {told}"));
    }
    browser.value("document.activeElement.blur()");
    assert_eq!(browser.value(tip), "");
    assert_sound(&mut browser, &page, "after all that");
}

#[test]
fn all_of_it_is_there_without_javascript() {
    let Some(mut browser) = Browser::start() else { return };
    let reports = Reports::new();
    let page = reports.shop();
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    for width in [1280, 390] {
        browser.open(&page, width, "light");
        assert_sound(&mut browser, &page, "without JavaScript");
        assert_eq!(browser.value("document.querySelectorAll('th button, .tip').length"), 0, "no script ran");
        let count = |browser: &mut Browser, what: &str| {
            browser.value(&format!("document.querySelectorAll('{what}').length")).as_u64().unwrap()
        };
        assert!(count(&mut browser, ".chart svg title") > 100, "values to point at");
        assert!(count(&mut browser, "tbody tr") > 100);
        let hidden = "[...document.querySelectorAll('.chart svg, .lead')].filter(e => e.getBoundingClientRect().height < 20).length";
        assert_eq!(browser.value(hidden), 0);
    }
}

/// A4 with the page's margins: 186 mm by 269 mm, at 96 pixels an inch.
const PAPER: (u32, f64) = (703, 1016.0);

#[test]
fn print_cuts_no_chart_off() {
    let Some(mut browser) = Browser::start() else { return };
    let reports = Reports::new();
    for page in [
        reports.shop(),
        reports.page("sweep", &["sweep", "scenarios/headroom.toml", "--seeds", "2", "--horizon", "30d"]),
    ] {
        browser.open(&page, PAPER.0, "dark");
        browser.media("print", "dark");
        assert_eq!(browser.value("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)", "on paper");
        let figures = browser.value(
            "[...document.querySelectorAll('figure')].map(f => { const b = f.querySelector('svg').getBoundingClientRect(); \
             return [b.left, b.right, f.getBoundingClientRect().height, getComputedStyle(f).breakInside]; })",
        );
        let figures = figures.as_array().unwrap();
        assert!(!figures.is_empty());
        for figure in figures {
            assert!(
                figure[0].as_f64().unwrap() >= 0.0 && figure[1].as_f64().unwrap() <= f64::from(PAPER.0),
                "{figure}"
            );
            assert!(figure[2].as_f64().unwrap() <= PAPER.1 && figure[3] == "avoid", "{figure} on {PAPER:?}");
        }
        let wide = "[...document.querySelectorAll('table')].filter(t => t.getBoundingClientRect().right > innerWidth + 0.5)\
                    .map(t => t.caption.innerText)";
        assert_eq!(browser.value(wide), json!([]));
        let pdf = browser.call("Page.printToPDF", &json!({ "preferCSSPageSize": true }));
        let pdf = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, pdf["data"].as_str().unwrap()).unwrap();
        let sheets = String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count();
        assert!(sheets > 0, "{} bytes", pdf.len());
    }
}

#[test]
fn hostile_names_are_text_in_a_browser_too() {
    let Some(mut browser) = Browser::start() else { return };
    let reports = Reports::new();
    let folder = reports.write("hostile", &["compare", "tests/fixtures/hostile.toml"]);
    let page = folder.join("report.html");
    browser.open(&page, 390, "light");
    assert_sound(&mut browser, &page, "hostile");
    assert_eq!(browser.value("document.querySelector('h1').textContent"), "<script>alert(1)</script>");
    assert_eq!(browser.value("document.scripts.length"), 1);
    let handlers =
        "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))";
    assert_eq!(browser.value(handlers), json!([]));
    // A parser of XML reads every picture, and finds nothing in it that runs or loads.
    let mut pictures = 0;
    for file in fs::read_dir(folder.join("charts")).unwrap() {
        let svg = json!(fs::read_to_string(file.unwrap().path()).unwrap());
        let found = browser.value(&format!(
            "(d => [d.documentElement.nodeName, d.querySelectorAll('parsererror, script, image, a, foreignObject').length])\
             (new DOMParser().parseFromString({svg}, 'image/svg+xml'))"
        ));
        assert_eq!(found, json!(["svg", 0]));
        pictures += 1;
    }
    assert!(pictures >= 8, "{pictures}");
}
