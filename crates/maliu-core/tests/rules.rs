//! Rule ids lead somewhere: every id that code, errors, tests or documents cite is defined in docs/rules, and every id that
//! is defined there is cited.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Prefixes of ids, and the file that defines them.
const FILES: [(&str, &str); 5] =
    [("WF", "write-frame.md"), ("IO", "io.md"), ("FLD", "flv-read.md"), ("FLV", "flv-write.md"), ("PAR", "parsers.md")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The ids in a text, each with the offset behind it: letters, a hyphen, digits, nothing that makes it part of a word.
fn ids(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (prefix, _) in FILES {
        for (at, _) in text.match_indices(&format!("{prefix}-")) {
            let within = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || c == '-');
            let digits = at + prefix.len() + 1;
            let count = text[digits..].chars().take_while(char::is_ascii_digit).count();
            if !within && count > 0 {
                found.push((text[at..digits + count].to_owned(), digits + count));
            }
        }
    }
    found
}

/// The ids of a text and those of its ranges, written with both ids or with the last number alone.
fn ids_and_ranges(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (id, end) in ids(text) {
        let (prefix, first) = id.split_once('-').expect("an id");
        let behind = &text[end..];
        let last = ["…", " to "].iter().find_map(|mark| behind.strip_prefix(mark)).map(|rest| {
            let number = rest.strip_prefix(&format!("{prefix}-")).unwrap_or(rest);
            number.chars().take_while(char::is_ascii_digit).collect::<String>()
        });
        let first: u32 = first.parse().expect("a number");
        let last = last.and_then(|last| last.parse().ok()).unwrap_or(first);
        all.extend((first..=last).map(|number| format!("{prefix}-{number}")));
    }
    all
}

/// Ids that stand in bold at the start of a paragraph of the rules: there they are defined.
fn defined() -> BTreeSet<String> {
    let mut defined = BTreeSet::new();
    for (prefix, file) in FILES {
        let path = root().join("docs/rules").join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("**")) {
            let Some((id, _)) = ids(line).into_iter().find(|(id, _)| line.starts_with(id)) else { continue };
            assert!(id.starts_with(&format!("{prefix}-")), "{file} defines {id}");
            assert!(defined.insert(id.clone()), "{id} is defined twice");
        }
    }
    defined
}

/// Ids that are cited outside the rules, each with a file that does.
fn cited(defined: &BTreeSet<String>) -> BTreeMap<String, PathBuf> {
    let mut cited = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["crates", "docs", "fuzz", ".ci"].iter().map(|name| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap_or_default();
            if path.is_dir() {
                folders.extend(Some(path).filter(|_| !["target", "rules", "corpus", "artifacts"].contains(&&*name)));
            } else if [".rs", ".md", ".jsonl", ".py"].iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                cited.extend(ids(&text).into_iter().map(|(id, _)| (id, path.clone())));
                // Ranges may have gaps.
                let ranges = ids_and_ranges(&text).into_iter().filter(|id| defined.contains(id));
                cited.extend(ranges.map(|id| (id, path.clone())));
            }
        }
    }
    cited
}

#[test]
fn every_cited_rule_is_defined_and_every_defined_rule_is_cited() {
    let defined = defined();
    let cited = cited(&defined);
    let missing: Vec<_> = cited.iter().filter(|(id, _)| !defined.contains(*id)).collect();
    assert!(missing.is_empty(), "cited but not defined in docs/rules: {missing:#?}");
    let unused: Vec<_> = defined.iter().filter(|id| !cited.contains_key(*id)).collect();
    assert!(unused.is_empty(), "defined but cited nowhere: {unused:?}");
    assert!(defined.len() > 200, "{} rules", defined.len());
}

/// An error that cites a rule says what is wrong without it.
#[test]
fn errors_that_cite_a_rule_are_understood_without_it() {
    use maliu_core::error::PacketError;
    let errors = [
        PacketError::NoSuchStream,
        PacketError::Attachment,
        PacketError::DtsOrder { last: Some(2), dts: Some(1) },
        PacketError::PtsBeforeDts { pts: 1, dts: 2 },
        PacketError::NoDts,
    ];
    for error in errors {
        let text = error.to_string();
        let plain = text.split(" (").next().unwrap_or_default();
        assert!(ids(plain).is_empty() && plain.split(' ').count() >= 3, "{text:?} needs its rule to be understood");
    }
}
