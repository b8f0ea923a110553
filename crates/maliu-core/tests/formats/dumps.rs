//! Every sample is read as its `.dump` beside it says. `UPDATE=1` rewrites the dumps.

use std::{env, fs};

use crate::{
    samples::samples,
    trace::{Feed, Open, trace},
};

#[test]
fn samples_read_as_their_dumps_say() {
    let update = env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for (_, path, bytes) in samples() {
        let text = trace(Open::Detect, &bytes, Feed::Whole).text();
        let dump = path.with_extension(format!("{}.dump", path.extension().unwrap().to_string_lossy()));
        if update {
            fs::write(&dump, &text).unwrap();
        } else if fs::read_to_string(&dump).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", dump.display()));
        }
    }
    assert!(wrong.is_empty(), "not as dumped (UPDATE=1 rewrites):\n{}", wrong.join("\n"));
}
