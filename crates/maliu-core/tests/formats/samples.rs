//! The sample files of every format that is read.

use std::{fs, path::PathBuf};

use maliu_core::{format::Format, formats};

/// The sample files of every format that can be read: (format, path, bytes), by name.
pub(crate) fn samples() -> Vec<(&'static Format, PathBuf, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut found = Vec::new();
    for format in formats::ALL.iter().copied().filter(|format| format.demuxer.is_some()) {
        let folder = root.join(format.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("samples/{} is missing", format.name));
        let mut paths: Vec<_> = files.map(|file| file.expect("readable folder").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e != "dump"));
        paths.sort();
        assert!(!paths.is_empty(), "samples/{} is empty", format.name);
        found.extend(paths.into_iter().map(|path| {
            let bytes = fs::read(&path).expect("readable sample");
            (format, path, bytes)
        }));
    }
    found
}
