//! Guards the layers: a module imports strictly lower layers only, and ARCHITECTURE.md says which layer a folder is.
//!
//! Comments, texts and `#[cfg(test)]` items are blanked out; what is left is read for paths that begin with `crate`
//! or `super`, groups in braces included. Sub-modules of one folder may use one another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Exported macros are named at the crate's root: where each is at home.
const MACROS: [(&str, &str); 2] = [("catalogue", "base"), ("path", "scenario")];

/// Layer by folder.
type Layers = BTreeMap<String, u32>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The table of ARCHITECTURE.md: rows `| 3 | `traffic/` `network/` | … |`.
fn layers(page: &str) -> Layers {
    let mut layers = Layers::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(layer), Some(folders)) = (cells.next().and_then(|cell| cell.parse().ok()), cells.next()) else {
            continue;
        };
        for folder in folders.split('`').filter_map(|word| word.strip_suffix('/')) {
            assert!(layers.insert(folder.to_owned(), layer).is_none(), "`{folder}/` is in the table twice");
        }
    }
    layers
}

/// The source with comments, texts and characters blanked out, its lines kept.
fn bare(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    let blank = |out: &mut String, piece: &[char]| out.extend(piece.iter().map(|&c| if c == '\n' { c } else { ' ' }));
    while at < chars.len() {
        let rest = &chars[at..];
        let end = match rest {
            ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => text(rest),
            ['r', '"' | '#', ..] if !at.checked_sub(1).is_some_and(|i| is_word(chars[i])) => {
                let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
                if rest.get(1 + hashes) == Some(&'"') { raw_text(rest, hashes) } else { 0 }
            }
            ['\'', '\\', ..] => rest[3..].iter().position(|&c| c == '\'').map_or(rest.len(), |i| i + 4),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if end == 0 {
            out.push(chars[at]);
            at += 1;
        } else {
            blank(&mut out, &rest[..end]);
            at += end;
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn text(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn raw_text(rest: &[char], hashes: usize) -> usize {
    let start = hashes + 2;
    (start..rest.len())
        .find(|&at| rest[at] == '"' && rest[at + 1..].iter().take_while(|&&c| c == '#').count() >= hashes)
        .map_or(rest.len(), |at| at + 1 + hashes)
}

/// Bare source as words, `::` and single signs, each with its line from 1.
fn tokens(bare: &str) -> Vec<(String, usize)> {
    let mut tokens: Vec<(String, usize)> = Vec::new();
    for (number, line) in bare.lines().enumerate() {
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let mut token = String::from(c);
            if is_word(c) {
                while let Some(next) = chars.next_if(|&next| is_word(next)) {
                    token.push(next);
                }
            } else if c == ':' && chars.next_if_eq(&':').is_some() {
                token.push(':');
            } else if c.is_whitespace() {
                continue;
            }
            tokens.push((token, number + 1));
        }
    }
    tokens
}

/// Without items under `#[cfg(test)]`: up to the `;` or the closing brace of the item.
fn without_tests(tokens: &[(String, usize)]) -> Vec<(String, usize)> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_mark = tokens[at..].iter().map(|(token, _)| token.as_str()).take(MARK.len()).eq(MARK);
        if !is_mark {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += MARK.len();
        let mut depth = 0_usize;
        while at < tokens.len() {
            let token = tokens[at].0.as_str();
            at += 1;
            match token {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token, ";" | "}") {
                break;
            }
        }
    }
    kept
}

/// Every absolute path, as its segments after `crate`; `module` is where the file's items live (`["sim", "world"]`).
fn paths(source: &str, module: &[&str]) -> Vec<(Vec<String>, usize)> {
    let tokens = without_tests(&tokens(&bare(source)));
    let mut found = Vec::new();
    let mut inner: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < tokens.len() {
        let (token, line) = &tokens[at];
        let next = tokens.get(at + 1).map(|(token, _)| token.as_str());
        match token.as_str() {
            "mod" if tokens.get(at + 2).is_some_and(|(token, _)| token == "{") => {
                inner.push((tokens[at + 1].0.clone(), depth));
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inner.pop_if(|(_, opened)| *opened == depth);
            }
            "crate" | "super" if next == Some("::") => {
                let base = if token == "crate" {
                    Vec::new()
                } else {
                    let mut base: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
                    base.extend(inner.iter().map(|(name, _)| name.clone()));
                    base.pop();
                    base
                };
                let end = follow(&tokens, at + 2, &base, *line, &mut found);
                // A group's braces are not a block's.
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Follows a path after its `::`, into groups; gives where it ends.
fn follow(
    tokens: &[(String, usize)],
    mut at: usize,
    base: &[String],
    line: usize,
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut path = base.to_vec();
    while let Some((token, here)) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                at += 1;
                while let Some((token, _)) = tokens.get(at) {
                    match token.as_str() {
                        "}" => return at + 1,
                        "," => at += 1,
                        _ => at = follow(tokens, at, &path, *here, found),
                    }
                }
                return at;
            }
            "super" => {
                path.pop();
            }
            "self" => {}
            word if word.chars().all(is_word) => path.push(word.to_owned()),
            _ => {
                // `*`, or the end of a group's member.
                at += usize::from(token == "*");
                break;
            }
        }
        at += 1;
        if tokens.get(at).is_some_and(|(token, _)| token == "::") {
            at += 1;
        } else {
            // `as name`
            if tokens.get(at).is_some_and(|(token, _)| token == "as") {
                at += 2;
            }
            break;
        }
    }
    found.push((path, line));
    at
}

/// What a file imports against the rule.
fn violations(file: &str, source: &str, layers: &Layers) -> Vec<String> {
    let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let folder = parts[0];
    if matches!(folder, "lib" | "main") {
        return Vec::new();
    }
    let Some(layer) = layers.get(folder) else {
        return vec![format!("{file}: `{folder}/` is in no layer of ARCHITECTURE.md")];
    };
    let mut found = BTreeSet::new();
    for (path, line) in paths(source, &parts) {
        let Some(target) = path.first() else { continue };
        let target = MACROS.iter().find(|(name, _)| name == target).map_or(target.as_str(), |(_, home)| home);
        if target == folder {
            continue;
        }
        match layers.get(target) {
            None => drop(found.insert((line, format!("{file}:{line}: `{target}` is in no layer")))),
            Some(other) if other < layer => {}
            Some(other) => {
                let why = format!("{file}:{line}: `{folder}/` (layer {layer}) imports `{target}/` (layer {other})");
                found.insert((line, why));
            }
        }
    }
    found.into_iter().map(|(_, why)| why).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Files that only tests include: modules declared under `#[cfg(test)]` in the `mod.rs` beside them.
fn is_test_only(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let parent = fs::read_to_string(path.with_file_name("mod.rs")).unwrap_or_default();
    let all = tokens(&bare(&parent));
    let declares = |tokens: &[(String, usize)]| tokens.windows(2).any(|pair| pair[0].0 == "mod" && pair[1].0 == name);
    declares(&all) && !declares(&without_tests(&all))
}

#[test]
fn modules_import_strictly_lower_layers_only() {
    let layers = layers(&fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap());
    let src = root().join("src");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in sources(&src) {
        let file = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        seen.extend(file.split_once('/').map(|(folder, _)| folder.to_owned()));
        if !is_test_only(&path) {
            wrong.extend(violations(&file, &fs::read_to_string(&path).unwrap(), &layers));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let listed: BTreeSet<_> = layers.into_keys().collect();
    assert_eq!(seen, listed, "the folders of src/ are those of ARCHITECTURE.md");
}

#[test]
fn planted_violations_are_found() {
    let layers = layers("| 0 | `base/` | |\n| 3 | `traffic/` `routing/` | |\n| 4 | `scenario/` | |\n| 6 | `sim/` | |");
    let found = |file: &str, source: &str| violations(file, source, &layers).len();
    // Allowed: down, and within a folder.
    assert_eq!(found("sim/world.rs", "use crate::traffic::spec::Station;\nuse super::memo::Memo;"), 0);
    assert_eq!(found("traffic/spec.rs", "use crate::base::{Rate, Span}; fn f() -> crate::base::Span { todo!() }"), 0);
    // Up, and sideways.
    assert_eq!(found("traffic/spec.rs", "use crate::sim::World;"), 1);
    assert_eq!(found("traffic/spec.rs", "use crate::routing::policy::Policy;"), 1);
    assert_eq!(found("traffic/spec.rs", "fn f() { let x = crate::sim::world::run(); }"), 1);
    assert_eq!(found("traffic/spec.rs", "use super::super::sim::World;"), 1);
    assert_eq!(found("traffic/mod.rs", "use super::routing::Policy;"), 1);
    assert_eq!(found("traffic/spec.rs", "use crate::{base::Span, routing as r, sim::{self, world::World}};"), 2);
    assert_eq!(found("traffic/spec.rs", "mod inner { use super::super::super::routing::Policy; }"), 1);
    assert_eq!(found("traffic/spec.rs", "mod inner { use super::Station; }"), 0);
    assert_eq!(found("traffic/spec.rs", "pub(in crate::sim) fn f() {}"), 1);
    // A macro counts where it is at home.
    assert_eq!(found("traffic/spec.rs", "crate::catalogue! { }"), 0);
    assert_eq!(found("traffic/spec.rs", "fn f() { crate::path!() }"), 1);
    // A folder that nobody placed.
    assert_eq!(found("gossip/mod.rs", ""), 1);
    assert_eq!(found("sim/world.rs", "use crate::gossip::Rumour;"), 1);
    // Comments, texts and tests don't count; what follows them does.
    let hidden = "/* crate::sim::A /* nested */ */ // crate::sim::B\nconst C: &str = \"crate::sim::C \\\" \";\n\
                  const R: &str = r#\"crate::sim::R\"#; const Q: char = '\"';\n\
                  #[cfg(test)]\nmod tests { use crate::sim::World; fn f() { { } } }";
    assert_eq!(found("traffic/spec.rs", hidden), 0);
    assert_eq!(found("traffic/spec.rs", &format!("{hidden}\nuse crate::sim::World;")), 1);
    assert_eq!(found("traffic/spec.rs", "fn f<'a>(x: &'a str) { crate::sim::g(x) }"), 1);
}
