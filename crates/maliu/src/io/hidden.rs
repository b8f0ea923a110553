//! Names of files that stand hidden beside another one, short enough for every file system.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use maliu_core::digest::{Digest, Kind};

/// Most bytes of a file name on the usual file systems.
pub const MAX_FILE_NAME: usize = 255;

/// The path of a hidden file beside `path`: `.NAME` and `suffix`, which starts with a dot. Where that is longer than
/// [`MAX_FILE_NAME`], the end of the name is replaced by `~` and 16 digits of its SHA-256, so that names that differ
/// stay different.
pub fn hidden_beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let room = MAX_FILE_NAME.saturating_sub(".".len() + suffix.len());
    let mut hidden = OsString::from(".");
    if name.len() <= room {
        hidden.push(name);
    } else {
        let mut digest = Digest::new(Kind::Sha256);
        digest.update(name.as_encoded_bytes());
        hidden.push(beginning(name, room.saturating_sub(1 + DIGITS)));
        hidden.push("~");
        hidden.push(digest.finish().get(..DIGITS).unwrap_or_default());
    }
    hidden.push(suffix);
    path.with_file_name(hidden)
}

/// Digits that stand for the end of a name.
const DIGITS: usize = 16;

/// At most `most` bytes of a name, cut between characters; of one that is not Unicode, as much as is.
fn beginning(name: &OsStr, bytes: usize) -> String {
    let text = name.to_string_lossy();
    text.chars()
        .scan(0, |used, c| {
            *used += c.len_utf8();
            (*used <= bytes && c != char::REPLACEMENT_CHARACTER).then_some(c)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_length_and_alphabet_have_a_hidden_one_of_their_own() {
        let hidden = |name: &str| hidden_beside(Path::new("a/b").join(name).as_path(), ".part");
        assert_eq!(hidden("film.flv"), Path::new("a/b/.film.flv.part"));
        assert_eq!(hidden(&"x".repeat(249)), Path::new("a/b").join(format!(".{}.part", "x".repeat(249))));
        for long in ["x".repeat(250), "x".repeat(255), "码".repeat(85), format!("{}é", "x".repeat(253))] {
            let place = hidden(&long);
            assert!(place.file_name().unwrap().len() <= MAX_FILE_NAME && place.starts_with("a/b"), "{place:?}");
            let mut other = long.clone();
            other.pop();
            assert_ne!(hidden(&(other + "y")), place);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_unicode_has_one_too() {
        use std::os::unix::ffi::OsStrExt;
        let name = [&b"a\xff"[..], &[b'b'; 253]].concat();
        let place = hidden_beside(Path::new(OsStr::from_bytes(&name)), ".part");
        assert!(place.file_name().unwrap().len() <= MAX_FILE_NAME);
        let short = OsStr::from_bytes(b"a\xff.flv");
        assert_eq!(hidden_beside(Path::new(short), ".part").as_os_str().as_bytes(), b".a\xff.flv.part");
    }
}
