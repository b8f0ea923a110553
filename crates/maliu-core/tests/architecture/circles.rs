//! Which modules of a crate use each other: a module and those below it are one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

type Path = Vec<String>;

/// Pairs of modules that use each other, directly or through others, as text.
pub(super) fn of(files: Vec<(PathBuf, String)>) -> Vec<String> {
    let modules: BTreeMap<Path, String> = files
        .into_iter()
        .map(|(file, text)| (module(&file), text))
        .filter(|(module, _)| !module.is_empty() && module.last().is_some_and(|name| name != "tests"))
        .collect();
    let mut uses: BTreeMap<Path, BTreeSet<Path>> = BTreeMap::new();
    for (module, text) in &modules {
        for named in paths(text) {
            if let Some(used) = resolve(module, &named, &modules)
                && !used.starts_with(module)
                && !module.starts_with(&used)
            {
                // A use between children of siblings is an edge between the siblings.
                let same = module.iter().zip(&used).take_while(|(a, b)| a == b).count();
                uses.entry(module[..=same].to_vec()).or_default().insert(used[..=same].to_vec());
            }
        }
    }
    let mut found = Vec::new();
    for (module, direct) in &uses {
        for other in direct.iter().filter(|other| reaches(other, module, &uses)) {
            found.push(format!("{} <-> {}", module.join("::"), other.join("::")));
        }
    }
    found
}

fn module(file: &std::path::Path) -> Path {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "mod" && name != "lib").collect()
}

fn reaches(from: &Path, to: &Path, uses: &BTreeMap<Path, BTreeSet<Path>>) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            next.extend(uses.get(module).into_iter().flatten());
        }
    }
    false
}

/// Every path of a text that begins with `crate`, `super`, `self`, or stands in a `use`.
fn paths(text: &str) -> Vec<Path> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for part in code.split("use ").skip(1) {
        tree(part.split(';').next().unwrap_or_default(), &[], &mut found);
    }
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let path: String =
                code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
            found.push(path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect());
        }
    }
    found
}

/// The paths of a `use`: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn tree(text: &str, before: &[String], found: &mut Vec<Path>) {
    let text = text.trim();
    let (head, group) = match text.split_once('{') {
        Some((head, group)) => (head, group.rsplit_once('}').map(|(group, _)| group)),
        None => (text.split(" as ").next().unwrap_or_default(), None),
    };
    let names = head.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    let path: Path = before.iter().cloned().chain(names).collect();
    let Some(group) = group else { return found.push(path) };
    let (mut depth, mut part) = (0, String::new());
    for c in group.chars().chain([',']) {
        match c {
            ',' if depth == 0 => tree(&std::mem::take(&mut part), &path, found),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                part.push(c);
            }
        }
    }
}

/// The module that a path names or names something of, as seen from `module`.
fn resolve(module: &Path, path: &Path, modules: &BTreeMap<Path, String>) -> Option<Path> {
    let up = path.iter().take_while(|name| *name == "super").count();
    let mut full: Path = match path.first()?.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => module.iter().chain(&path[1..]).cloned().collect(),
        "super" => module[..module.len().checked_sub(up)?].iter().chain(&path[up..]).cloned().collect(),
        first => {
            let child: Path = module.iter().cloned().chain([first.to_owned()]).collect();
            modules.contains_key(&child).then(|| module.iter().chain(path).cloned().collect())?
        }
    };
    while !full.is_empty() && !modules.contains_key(&full) {
        full.pop();
    }
    (!full.is_empty()).then_some(full)
}
