//! The settings of the demuxer and the muxer, as data and as typed options.

use alloc::format;

use crate::{
    error::{Error, Result},
    settings::{self, Help, Settings},
};

/// All settings, those for reading first.
pub(super) const ALL: &[Help] = &[
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
    Help {
        name: "audit",
        value: "0|1",
        default: "0",
        what: "Reading: keep what onMetaData declares, and remark on sequence headers that come late or again.",
    },
    Help {
        name: "aac_seq_header_detect",
        value: "0|1",
        default: "0",
        what: "Writing: make an AudioSpecificConfig from rate and channels when the stream has none.",
    },
    Help { name: "no_sequence_end", value: "0|1", default: "0", what: "Writing: leave out the end of sequence." },
    Help { name: "no_metadata", value: "0|1", default: "0", what: "Writing: leave out onMetaData." },
    Help {
        name: "no_duration_filesize",
        value: "0|1",
        default: "0",
        what: "Writing: leave duration and filesize out of onMetaData.",
    },
    Help {
        name: "add_keyframe_index",
        value: "0|1",
        default: "0",
        what: "Writing: insert an index of key frames into onMetaData at the end; the output must allow it.",
    },
    Help {
        name: "duration",
        value: "µs",
        default: "0",
        what: "Writing: the duration that stands in onMetaData until the end is known.",
    },
    Help {
        name: "flvflags",
        value: "+add_keyframe_index…",
        default: "",
        what: "Writing: several at once: aac_seq_header_detect, no_sequence_end, no_metadata, no_duration_filesize, \
               add_keyframe_index.",
    },
    Help { name: "strict", value: "-2…2", default: "0", what: "Writing: below 0, H.263 and MPEG-4 are written too." },
    Help {
        name: "compat",
        value: "5.1|new",
        default: "new",
        what: "Writing: byte for byte as FFmpeg 5.1 does it, without what later versions corrected or added.",
    },
];

const FLVFLAGS: [&str; 5] =
    ["aac_seq_header_detect", "no_sequence_end", "no_metadata", "no_duration_filesize", "add_keyframe_index"];

/// Options of the demuxer.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Reading {
    /// Never look at PreviousTagSize.
    pub ignore_sizes: bool,
    /// Structural metadata become tags too.
    pub full_metadata: bool,
    /// Look for tags behind junk whose size passes the end, and behind a second file header.
    pub recover: bool,
    /// Keep what is declared, and remark on configurations that come late or again.
    pub audit: bool,
}

impl Reading {
    /// Reads the pairs.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn parse(pairs: &[(&str, &str)]) -> Result<Self> {
        let mut settings = Settings::new(pairs, ALL);
        let options = Self {
            ignore_sizes: settings.flag("ignore_prevtag")?.unwrap_or(false),
            full_metadata: settings.flag("full_metadata")?.unwrap_or(false),
            recover: settings.flag("recover")?.unwrap_or(false),
            audit: settings.flag("audit")?.unwrap_or(false),
        };
        settings.finish()?;
        Ok(options)
    }
}

/// Options of the muxer.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Writing {
    /// Make up a missing AudioSpecificConfig.
    pub detect_aac: bool,
    /// Leave out the end of sequence.
    pub no_sequence_end: bool,
    /// Leave out onMetaData.
    pub no_metadata: bool,
    /// Leave out duration and filesize.
    pub no_totals: bool,
    /// Insert an index of keyframes; the output must allow insertions.
    pub index: bool,
    /// Duration that onMetaData declares until the end is known, in µs.
    pub duration: i64,
    /// Below 0 what the specification does not foresee is written too.
    pub strict: i64,
    /// As FFmpeg 5.1, mistakes included.
    pub compat: bool,
}

impl Writing {
    /// Reads the pairs.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn parse(pairs: &[(&str, &str)]) -> Result<Self> {
        let mut pairs = pairs.to_vec();
        for (_, text) in pairs.clone().iter().filter(|(name, _)| *name == "flvflags") {
            for flag in settings::flags(text) {
                if !FLVFLAGS.contains(&flag.0) {
                    let why = format!("{:?} is none of {}", flag.0, FLVFLAGS.join(", "));
                    return Err(Error::Setting { name: "flvflags".into(), why });
                }
                pairs.push(flag);
            }
        }
        let mut typed = Settings::new(&pairs, ALL);
        typed.text("flvflags");
        let mut flag = |name| typed.flag(name).map(|flag| flag.unwrap_or(false));
        let mut options = Self {
            detect_aac: flag("aac_seq_header_detect")?,
            no_sequence_end: flag("no_sequence_end")?,
            no_metadata: flag("no_metadata")?,
            no_totals: flag("no_duration_filesize")?,
            index: flag("add_keyframe_index")?,
            ..Self::default()
        };
        options.duration = typed.number("duration", i64::MIN, i64::MAX)?.unwrap_or(0);
        options.strict = typed.choice("strict", settings::STRICT)?.unwrap_or(0);
        options.compat = match typed.text("compat") {
            None | Some("new") => false,
            Some("5.1") => true,
            Some(other) => {
                return Err(Error::Setting { name: "compat".into(), why: format!("{other:?} is neither 5.1 nor new") });
            }
        };
        typed.finish()?;
        Ok(options)
    }
}
