//! The settings of the demuxer and the muxer, as data and as typed options.

use crate::{
    error::Result,
    settings::{Help, Settings},
};

/// All settings, those for reading first.
pub const ALL: &[Help] = &[
    Help { name: "ignore_prevtag", value: "0|1", default: "0", what: "Reading: never look at PreviousTagSize." },
    Help {
        name: "full_metadata",
        value: "0|1",
        default: "0",
        what: "Reading: make tags of structural metadata (width, duration, …) too.",
    },
    Help {
        name: "recover",
        value: "0|1",
        default: "0",
        what: "Reading: look for tags also where the reference gives up: behind junk whose size passes the end, and \
               behind another file header, whose times then follow.",
    },
];

/// Options of the demuxer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Never look at PreviousTagSize.
    pub ignore_sizes: bool,
    /// Structural metadata become tags too.
    pub full_metadata: bool,
    /// Look for tags behind junk whose size passes the end, and behind a second file header.
    pub recover: bool,
}

impl Reading {
    /// Reads the pairs.
    ///
    /// # Errors
    /// [`crate::error::Error::Setting`].
    pub fn parse(pairs: &[(&str, &str)]) -> Result<Self> {
        let mut settings = Settings::new(pairs, ALL);
        let options = Self {
            ignore_sizes: settings.flag("ignore_prevtag")?.unwrap_or(false),
            full_metadata: settings.flag("full_metadata")?.unwrap_or(false),
            recover: settings.flag("recover")?.unwrap_or(false),
        };
        settings.finish()?;
        Ok(options)
    }
}
