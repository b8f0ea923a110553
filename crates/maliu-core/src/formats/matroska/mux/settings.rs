//! The settings of writing.

use crate::{
    error::Result,
    settings::{Help, Settings},
};

/// Which of the two formats is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Brand {
    Matroska,
    WebM,
}

impl Brand {
    /// The format's name in messages, and its DocType.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Matroska => "matroska",
            Self::WebM => "webm",
        }
    }
}

/// The settings of both formats.
pub(in super::super) const ALL: &[Help] = &[
    Help::new("cluster_time_limit", "MS", "5000", "Writing: longest cluster, in milliseconds."),
    Help::new("cluster_size_limit", "BYTES", "5242880", "Writing: largest cluster."),
    Help::new(
        "cues_to_front",
        "0|1",
        "0",
        "Writing: move the index in front of the clusters when the file is finished.",
    ),
    Help::new(
        "reserve_index_space",
        "BYTES",
        "0",
        "Writing: keep this much room in front for the index; one that is larger goes behind.",
    ),
    AUDIT,
    Help::new("live", "0|1", "0", "Writing: sizes stay unknown and no index is written, as on a pipe."),
];

/// The settings of reading.
pub(in super::super) const READING: &[Help] = &[AUDIT];

const AUDIT: Help =
    Help::new("audit", "0|1", "0", "Reading: keep duration and index as declared, to be compared with the content.");

/// [`ALL`], typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub brand: Brand,
    /// Milliseconds.
    pub cluster_time: i64,
    /// Bytes.
    pub cluster_size: u64,
    pub cues_to_front: bool,
    /// Bytes.
    pub reserve: usize,
    pub live: bool,
}

/// Most bytes of room for an index in front.
const MAX_RESERVE: i64 = 64 << 20;

impl Options {
    pub(super) fn parse(brand: Brand, pairs: &[(&str, &str)]) -> Result<Self> {
        let mut settings = Settings::new(pairs, ALL);
        let options = Self {
            brand,
            cluster_time: settings.number("cluster_time_limit", 1, 32_000)?.unwrap_or(5000),
            cluster_size: settings.number("cluster_size_limit", 1, 1 << 30)?.unwrap_or(5 << 20).unsigned_abs(),
            cues_to_front: settings.flag("cues_to_front")?.unwrap_or(false),
            reserve: settings.number("reserve_index_space", 0, MAX_RESERVE)?.unwrap_or(0) as usize,
            live: settings.flag("live")?.unwrap_or(false),
        };
        settings.finish()?;
        Ok(options)
    }
}
