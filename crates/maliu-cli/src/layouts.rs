//! Layouts by name: a preset, or a file.

use std::{
    fs::File,
    io::{self, Read},
};

use maliu::layout::{self, Layout, MAX_TEXT};

use crate::failure::{Failure, Result};

/// The layout that `name` means: a preset of that name, else the file of that name.
pub(crate) fn load(name: &str) -> Result<Layout> {
    let text = text(name)?;
    layout::parse(&text).map_err(|fault| Failure::Failed(format!("{name}: {fault}")))
}

/// The text of a preset or a file.
pub(crate) fn text(name: &str) -> Result<String> {
    if let Some(preset) = layout::named(name) {
        return Ok(preset.text.to_owned());
    }
    let mut text = String::new();
    // One byte too many shows that a text is too long.
    let read = File::open(name).and_then(|file| file.take(MAX_TEXT as u64 + 1).read_to_string(&mut text));
    read.map(|_| text).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let names: Vec<&str> = layout::PRESETS.iter().map(|preset| preset.name).collect();
            let names = names.join(", ");
            Failure::Usage(format!("layout {name}: {error}, and no preset has that name; presets: {names}"))
        }
        io::ErrorKind::InvalidData => Failure::Usage(format!("layout {name}: not a text in UTF-8")),
        _ => Failure::Usage(format!("layout {name}: {error}")),
    })
}
