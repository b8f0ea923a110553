//! Many inputs on one command line: files, folders, patterns.

use std::path::Path;

use crate::{
    failure::{self, Failure, Result},
    paths,
};

/// Inputs of a command that takes many.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Args {
    /// Files, or folders with --recursive; - is standard input. A * or ? in a name that is no file stands for any characters.
    #[arg(value_name = "IN", required = true, value_parser = paths::parser())]
    pub inputs: Vec<String>,
    /// Take all files below folders, in the order of their names; hidden ones are left out.
    #[arg(long)]
    pub recursive: bool,
}

/// Most files of one command line.
const MAX_FILES: usize = 1_000_000;

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 64;

impl Args {
    /// All files that are meant.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        files(&self.inputs, self.recursive)
    }
}

/// All files that `inputs` mean.
pub(crate) fn files(inputs: &[String], recursive: bool) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for input in inputs {
        let path = paths::of(input);
        match path.metadata() {
            Ok(about) if about.is_dir() && recursive => below(&path, 0, &mut files)?,
            Ok(about) if about.is_dir() => {
                return Err(Failure::Failed(format!("{input} is a directory: --recursive takes the files in it")));
            }
            Err(_) if input.contains(['*', '?']) && !input.contains("://") => matching(input, recursive, &mut files)?,
            _ => files.push(input.clone()),
        }
        if files.len() > MAX_FILES {
            return Err(Failure::Usage(format!("more than {MAX_FILES} files")));
        }
    }
    match files.is_empty() {
        true => Err(Failure::Failed(format!("{}: there is no file", inputs.join(", ")))),
        false => Ok(files),
    }
}

/// Runs a command for each input. With several inputs, one that fails is reported and does not stop the others.
pub(crate) fn each(inputs: &[String], mut run: impl FnMut(&str) -> Result) -> Result {
    if let [only] = inputs {
        return run(only);
    }
    let mut failed = 0;
    for input in inputs {
        match run(input) {
            Ok(()) => {}
            Err(Failure::Failed(why) | Failure::Unread(why)) => {
                failed += 1;
                failure::say(&why);
            }
            Err(other) => return Err(other),
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} inputs failed", inputs.len()))),
    }
}

fn below(folder: &Path, depth: usize, files: &mut Vec<String>) -> Result {
    let name = paths::text(folder.as_os_str().to_owned());
    let failed = |error| Failure::while_("reading", &name, error);
    let mut entries =
        std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>).map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        match entry.file_type().map_err(failed)? {
            kind if kind.is_dir() && depth < MAX_DEPTH => below(&path, depth + 1, files)?,
            kind if kind.is_dir() => {
                return Err(Failure::Failed(format!("{name}: more than {MAX_DEPTH} folders deep")));
            }
            // A link to a folder may lead back here.
            _ if path.is_file() && files.len() <= MAX_FILES => files.push(paths::text(path.into_os_string())),
            _ => {}
        }
    }
    Ok(())
}

/// The files, and with `recursive` the folders, whose name fits a pattern in its last part.
fn matching(pattern: &str, recursive: bool, files: &mut Vec<String>) -> Result {
    let (folder, pattern_of_name) = match pattern.rfind('/') {
        Some(at) => pattern.split_at(at + 1),
        None => ("", pattern),
    };
    let place = paths::of(if folder.is_empty() { "." } else { folder });
    let entries = std::fs::read_dir(&place).map_err(|error| Failure::while_("opening", pattern, error))?;
    let mut names: Vec<String> = entries.flatten().map(|entry| paths::text(entry.file_name())).collect();
    names.retain(|name| fits(pattern_of_name.as_bytes(), name.as_bytes()) && !name.starts_with('.'));
    names.sort();
    let before = files.len();
    for name in names {
        let path = format!("{folder}{name}");
        match paths::of(&path).is_dir() {
            true if recursive => below(&paths::of(&path), 0, files)?,
            true => {}
            false => files.push(path),
        }
    }
    match files.len() == before {
        true => Err(Failure::Failed(format!("opening {pattern}: no such file"))),
        false => Ok(()),
    }
}

/// Whether a name fits a pattern of `*` and `?`.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last star stands, and how much of the name it covers.
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(letter) if *letter == b'?' || *letter == name[of] => (at, of) = (at + 1, of + 1),
            _ => match &mut star {
                Some((place, covered)) => {
                    *covered += 1;
                    (at, of) = (*place + 1, *covered);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, wanted) in [
            ("*.mp3", "a.mp3", true),
            ("*.mp3", "a.mp4", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), wanted, "{pattern} {name}");
        }
    }
}
