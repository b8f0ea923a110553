//! File names for transfers: what a sender calls itself is a wish of a stranger, and never leads out of the folder.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use maliu::{formats, io::MAX_FILE_NAME};

use super::journal;

/// File name for a sender without a usable name.
const NAMELESS: &str = "stream";

/// Most transfers of one name in a folder.
const MAX_NUMBER: u32 = 100_000;

/// Names of the files in a folder that are being written, in lower case: not all file systems tell case apart.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A file for a transfer of this name: `NAME.EXTENSION`, or `NAME-2.EXTENSION` and so on. No file that is there, or
    /// that another transfer will become, is ever chosen. `None` when all are taken.
    pub(super) fn choose(&mut self, folder: &Path, name: &str, extension: &str) -> Option<PathBuf> {
        let name = safe(name);
        let numbered = |number| match number {
            1 => fitting(&name, &format!(".{extension}")),
            _ => fitting(&name, &format!("-{number}.{extension}")),
        };
        (1..=MAX_NUMBER).map(numbered).find_map(|file| {
            let path = folder.join(&file);
            let there = |path: &Path| path.symlink_metadata().is_ok();
            (!there(&path) && !there(&journal::place(&path)) && self.claim(&path)).then_some(path)
        })
    }

    /// Keeps others from a file; false when one has it.
    pub(super) fn claim(&mut self, path: &Path) -> bool {
        self.0.insert(key(path))
    }

    /// Others may have it again.
    pub(super) fn release(&mut self, path: &Path) {
        self.0.remove(&key(path));
    }
}

/// A name with what follows it, cut between characters to the length that file systems take.
fn fitting(name: &str, end: &str) -> String {
    let most = MAX_FILE_NAME.saturating_sub(end.len());
    let cut = name.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last();
    format!("{}{end}", name.get(..cut.unwrap_or(0)).unwrap_or_default().trim_end_matches(['.', ' ', '-']))
}

fn key(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// One component of a path, not hidden, not special to any system, without the extension of a media file.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = match last.rsplit_once('.') {
        Some((stem, extension)) if formats::named(&extension.to_ascii_lowercase()).is_some() => stem,
        _ => last,
    };
    let plain = |c: char| if c.is_alphanumeric() || "-_.+@() ".contains(c) { c } else { '_' };
    let name: String = stem.chars().map(plain).collect();
    let name = name.trim_matches(['.', ' ', '-']);
    let device = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    match device.as_str() {
        _ if name.is_empty() => NAMELESS.to_owned(),
        "con" | "prn" | "aux" | "nul" => format!("_{name}"),
        port if port.len() == 4 && (port.starts_with("com") || port.starts_with("lpt")) => format!("_{name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_stay_in_the_folder() {
        for (name, expected) in [
            ("camera 1", "camera 1"),
            ("/home/me/film.flv", "film"),
            ("film.FLV", "film"),
            ("v1.2", "v1.2"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("..", "stream"),
            ("", "stream"),
            ("a/", "stream"),
            (".hidden", "hidden"),
            ("-rf", "rf"),
            ("a\0b\nc\u{202e}d:e*f?g", "a_b_c_d_e_f_g"),
            ("码流", "码流"),
            ("NUL", "_NUL"),
            ("com1.x", "_com1.x"),
        ] {
            assert_eq!(safe(name), expected, "{name:?}");
        }
    }

    #[test]
    fn names_are_cut_to_what_file_systems_take() {
        let folder = std::env::temp_dir().join(format!("maliu-long-names-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut names = Names::default();
        for name in ["x".repeat(251), "x".repeat(500), "码".repeat(84), "é".repeat(126), "𠀀".repeat(100)] {
            for extension in ["flv", "framemd5"] {
                let path = names.choose(&folder, &name, extension).unwrap();
                std::fs::write(&path, "").unwrap();
                std::fs::write(journal::place(&path), "").unwrap();
                let file = path.file_name().unwrap().to_str().unwrap();
                assert!(file.len() <= MAX_FILE_NAME && file.len() > 240, "{file}");
            }
        }
        assert_eq!(fitting("码流.", ".flv"), "码流.flv");
        assert_eq!(fitting(&"x".repeat(251), ".flv"), "x".repeat(251) + ".flv");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn two_transfers_never_get_one_file() {
        let folder = std::env::temp_dir().join(format!("maliu-names-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("cam.flv"), "").unwrap();
        std::fs::write(folder.join(".cam-2.flv.maliu-journal"), "").unwrap();
        let mut names = Names::default();
        let mut choose = |name| names.choose(&folder, name, "flv").unwrap().file_name().unwrap().to_owned();
        assert_eq!([choose("cam"), choose("CAM-3"), choose("cam")], ["cam-3.flv", "CAM-3-2.flv", "cam-4.flv"]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
