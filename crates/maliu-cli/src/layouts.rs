//! Layouts by name: a preset, or a file.

use maliu::layout::{self, Layout};

use crate::failure::{Failure, Result};

/// The layout that `name` means: a preset of that name, else the file of that name.
pub fn load(name: &str) -> Result<Layout> {
    let text = text(name)?;
    layout::parse(&text).map_err(|fault| Failure::Usage(format!("{name}: {fault}")))
}

/// The text of a preset or a file.
pub fn text(name: &str) -> Result<String> {
    if let Some(preset) = layout::named(name) {
        return Ok(preset.text.to_owned());
    }
    std::fs::read_to_string(name).map_err(|error| {
        let names: Vec<&str> = layout::PRESETS.iter().map(|preset| preset.name).collect();
        Failure::Usage(format!("layout {name}: {error}, and no preset has that name; presets: {}", names.join(", ")))
    })
}
