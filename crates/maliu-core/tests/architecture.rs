//! The rules of the house, checked on the source text: who may use whom, and what every file must have.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every `.rs` file below `folder`, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|_| panic!("{}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

/// The modules of core in the order of lib.rs, which is the order of dependency.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(root().join("crates/maliu-core/src/lib.rs")).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// Names that a text uses right below a `root` such as `crate::`, also inside braces.
fn below(text: &str, root: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for (at, _) in text.match_indices(root) {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &text[at + root.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut name) = (0, String::new());
            for c in group.chars() {
                match c {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => parts.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            parts.push(name);
        } else {
            parts.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    let first = |part: &String| part.trim().split("::").next().unwrap_or_default().trim().to_owned();
    parts.iter().map(first).filter(|name| !name.is_empty()).collect()
}

/// Names of core modules that a text uses.
fn used<'a>(text: &str, modules: &'a [String]) -> Vec<&'a str> {
    let names = below(text, "crate::");
    modules.iter().map(String::as_str).filter(|m| names.iter().any(|n| n == m)).collect()
}

#[test]
fn a_module_of_core_uses_only_those_above_it() {
    let modules = modules();
    assert!(modules.len() > 10, "lib.rs lists the modules");
    let base = root().join("crates/maliu-core/src");
    for (path, text) in sources(&base) {
        let inside = path.strip_prefix(&base).unwrap();
        let own = inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let Some(rank) = modules.iter().position(|m| *m == own) else { continue };
        for name in used(&text, &modules) {
            let other = modules.iter().position(|m| m == name).unwrap();
            assert!(other <= rank, "{} uses {name}, which stands below {own} in lib.rs", inside.display());
        }
    }
}

#[test]
fn formats_know_neither_each_other_nor_who_drives_them() {
    let base = root().join("crates/maliu-core/src/formats");
    // Every folder at the top and, inside those that several formats share, every one that has a row of its own.
    let folders: Vec<PathBuf> = sources(&base)
        .into_iter()
        .filter(|(path, _)| path.ends_with("mod.rs"))
        .map(|(path, text)| (path.parent().unwrap().strip_prefix(&base).unwrap().to_owned(), text))
        .filter(|(folder, text)| folder.components().count() == 1 || text.contains(": Format ="))
        .map(|(folder, _)| folder)
        .collect();
    assert!(folders.contains(&"framed/mp3".into()) && folders.contains(&"flv".into()), "{folders:?}");
    for (path, text) in sources(&base) {
        let inside = path.strip_prefix(&base).unwrap();
        if inside == Path::new("mod.rs") {
            continue;
        }
        let own = inside.parent().unwrap().to_owned();
        for other in folders.iter().filter(|other| !inside.starts_with(other)) {
            let other = other.file_name().unwrap().to_string_lossy();
            for way in [format!("formats::{other}"), format!("super::{other}::"), format!("super::super::{other}")] {
                let known = text.contains(&way)
                    && !(way.starts_with("super::") && base.join(&own).join(format!("{other}.rs")).exists());
                assert!(!known, "{} names the format {other}", inside.display());
            }
        }
    }
}

#[test]
fn every_format_folder_is_in_the_list() {
    let base = root().join("crates/maliu-core/src/formats");
    let list = fs::read_to_string(base.join("mod.rs")).unwrap();
    for entry in fs::read_dir(&base).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "mod" {
            assert!(
                list.contains(&format!("mod {name};")) && list.contains(&format!("{name}::")),
                "{name} is not in formats::ALL"
            );
        }
    }
}

#[test]
fn crates_depend_downwards_only() {
    let allowed: &[(&str, &[&str])] = &[
        ("maliu-aac", &[]),
        ("maliu-mpa", &[]),
        ("maliu-core", &[]),
        ("maliu-decode", &["maliu-core", "maliu-aac", "maliu-mpa"]),
        ("maliu", &["maliu-core"]),
        ("maliu-cli", &["maliu", "maliu-decode"]),
    ];
    for (name, below) in allowed {
        let text = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let sections = text.split("\n[").filter(|section| section.starts_with("dependencies"));
        let lines: Vec<&str> = sections.flat_map(str::lines).collect();
        for (other, _) in allowed.iter().filter(|(other, _)| other != name && !below.contains(other)) {
            let named = lines.iter().any(|line| line.split(['.', '=', ' ']).next() == Some(other));
            assert!(!named, "{name} depends on {other}");
        }
    }
}

/// Modules and types of `maliu` that commands may use: engines (`check`, `copy`, `repair`), doors to streams, and what
/// packets, streams and errors are made of.
const FOR_COMMANDS: &[&str] = &[
    "Error",
    "MediaError",
    "StreamInfo",
    "TimeBase",
    "account",
    "check",
    "copy",
    "digest",
    "format",
    "formats",
    "input",
    "hls",
    "io",
    "layout",
    "net",
    "output",
    "packet",
    "pcm",
    "plain",
    "reader",
    "repair",
    "rtmp",
    "stream",
    "streams",
    "syntax",
    "time",
    "timing",
    "tokio",
    "wire",
];

/// Modules of `maliu::timing` that commands may use: facts for a report. Its rules are for the engines.
const TIMING_FOR_COMMANDS: &[&str] = &["samples", "stored_bits"];

/// Crates that commands may use beside `maliu`, `maliu_decode`, `std` and the other rooms of the command line.
const CRATES_FOR_COMMANDS: &[&str] =
    &["bytes", "clap_mangen", "indicatif", "maliu", "maliu_decode", "maliu_relay", "md5", "serde_json", "std", "tokio"];

/// A command opens, loops and prints: code that moves packets, judges files or mends times lives in `maliu` itself.
#[test]
fn commands_open_loop_and_print() {
    let base = root().join("crates/maliu-cli/src");
    for (path, text) in sources(&base) {
        let inside = path.strip_prefix(&base).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        assert!(code.len() <= 250, "{} is longer than 250 lines", inside.display());
        let code = code.join("\n");
        assert!(!code.contains("thread_local!"), "{}: pass it down in the Context", inside.display());
        if !inside.starts_with("commands") {
            continue;
        }
        for (root, allowed) in [("maliu::", FOR_COMMANDS), ("timing::", TIMING_FOR_COMMANDS)] {
            for name in below(&code, root) {
                assert!(allowed.contains(&&*name), "{} uses {root}{name}", inside.display());
            }
        }
        for line in code.lines().filter_map(|line| line.strip_prefix("use ")) {
            let name = line.split([':', ';']).next().unwrap_or_default();
            let known = ["crate", "self", "super"].contains(&name) || CRATES_FOR_COMMANDS.contains(&name);
            assert!(known, "{} uses the crate {name}", inside.display());
        }
    }
}

#[test]
fn core_depends_on_bytes_memchr_and_thiserror_and_on_little_else_by_features() {
    let by_features = ["crc32c", "aes", "cbc", "ctr", "hmac", "miniz_oxide", "sha2", "subtle"];
    let text = fs::read_to_string(root().join("crates/maliu-core/Cargo.toml")).unwrap();
    let section = text.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap();
    for line in section.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let name = line.split(['.', '=', ' ']).next().unwrap();
        let known = ["bytes", "memchr", "thiserror"].contains(&name);
        assert!(known || line.contains("optional = true") && by_features.contains(&name), "core depends on {name}");
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    for (path, text) in sources(&root().join("crates")) {
        if path.components().any(|part| part.as_os_str() == "target") {
            continue;
        }
        assert!(text.starts_with("//! "), "{}: line 1 must be //! and say what the file is", path.display());
        let table = text.lines().nth(1).is_some_and(|line| line.contains("generated"))
            || path.to_string_lossy().contains("table");
        assert!(table || text.lines().count() <= 500, "{} is longer than 500 lines: one idea each", path.display());
    }
}

/// Most lines of a function, from its name to its closing brace.
const FUNCTION: usize = 60;

#[test]
fn functions_stay_short() {
    for (path, text) in sources(&root().join("crates")) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let names =
                ["fn ", "pub fn ", "const fn ", "async fn ", "pub(super) fn ", "pub(crate) fn ", "pub async fn "];
            if !names.iter().any(|name| code.starts_with(name)) || line.ends_with('}') {
                continue;
            }
            let end = format!("{}}}", &line[..line.len() - code.len()]);
            // A declaration without a body ends before anything that is indented less.
            let body =
                lines[at + 1..].iter().take_while(|next| next.is_empty() || next.starts_with(&end[..end.len() - 1]));
            let length = body.take_while(|next| **next != end).count() + 2;
            let declared = line.ends_with(';');
            assert!(declared || length <= FUNCTION, "{}:{} is longer than {FUNCTION} lines", path.display(), at + 1);
        }
    }
}

#[path = "architecture/circles.rs"]
mod circles;

#[test]
fn modules_do_not_use_each_other_in_circles() {
    for name in ["maliu-core", "maliu-aac", "maliu-mpa"] {
        let base = root().join("crates").join(name).join("src");
        let files = sources(&base).into_iter().map(|(path, text)| (path.strip_prefix(&base).unwrap().to_owned(), text));
        assert_eq!(circles::of(files.collect()), [""; 0], "{name}");
    }
}

#[test]
fn no_program_is_documented_where_a_library_is() {
    let manifests = fs::read_dir(root().join("crates")).unwrap().map(|entry| {
        let folder = entry.unwrap().path();
        (
            folder.file_name().unwrap().to_string_lossy().into_owned(),
            fs::read_to_string(folder.join("Cargo.toml")).unwrap(),
        )
    });
    let manifests: Vec<(String, String)> = manifests.collect();
    let mut met = 0;
    for (folder, text) in &manifests {
        for table in text.split("\n[").filter_map(|table| table.strip_prefix("[bin]]")) {
            let name = table.lines().find_map(|line| line.strip_prefix("name = "));
            if manifests.iter().any(|(other, _)| name == Some(&format!("{other:?}"))) {
                met += 1;
                assert!(
                    table.lines().any(|line| line == "doc = false"),
                    "{folder}: two would write the same pages at a time"
                );
            }
        }
    }
    assert!(met > 0, "the program has the name of the library");
}
