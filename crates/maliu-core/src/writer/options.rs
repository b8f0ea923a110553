//! The settings that every written file has, whatever its format (WF-5).

use alloc::vec::Vec;

use crate::{
    error::{Error, Result},
    format::Format,
    settings::{Help, Settings},
    time::Ticks,
    timing::{order, shift::Avoid},
};

/// The settings of every writer.
pub const SETTINGS: &[Help] = &[
    help("output_ts_offset", "time", "0", "Added to all timestamps."),
    help(
        "avoid_negative_ts",
        "auto|disabled|make_non_negative|make_zero",
        "auto",
        "What is done about negative times.",
    ),
    help("max_interleave_delta", "µs", "10000000", "Longest wait for a stream without packets; 0 waits for ever."),
    help("audio_preload", "µs", "0", "By how much audio is written ahead of video."),
    help("chunk_duration", "µs", "0", "Longest chunk of one stream; 0 for none."),
    help("chunk_size", "bytes", "0", "Largest chunk of one stream; 0 for none."),
    help("shortest", "0|1", "0", "Stop with the stream that ends first."),
    help("bitexact", "0|1", "0", "Write nothing that names this program or its version."),
    help("packaging", "0|1", "1", "Repackage AAC, H.264 and H.265 as the format wants them."),
    help("strict", "-2…2", "0", "Below 0 what a standard does not foresee is written too."),
];

const fn help(name: &'static str, value: &'static str, default: &'static str, what: &'static str) -> Help {
    Help { name, value, default, what }
}

/// [`SETTINGS`], typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Added to all timestamps, in µs.
    pub offset: Ticks,
    /// What is done about negative times.
    pub avoid: Avoid,
    /// How streams are interleaved.
    pub order: order::Options,
    /// Nothing names this program.
    pub bitexact: bool,
    /// Packets are repackaged as the muxer declares.
    pub packaging: bool,
    /// Below 0 what a standard does not foresee is written too.
    pub strict: i64,
}

impl Options {
    /// The writer's settings, and those left for the format. A name that both know goes to both.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that does not fit.
    pub fn split<'a>(pairs: &[(&'a str, &'a str)], format: &Format) -> Result<(Self, Vec<(&'a str, &'a str)>)> {
        let known = |list: &[Help], name: &str| list.iter().any(|help| help.name == name);
        let ours: Vec<_> = pairs.iter().copied().filter(|(name, _)| known(SETTINGS, name)).collect();
        let theirs = |name: &str| !known(SETTINGS, name) || known(format.settings, name);
        let own = pairs.iter().copied().filter(|(name, _)| theirs(name)).collect();
        let mut settings = Settings::new(&ours, SETTINGS);
        let mut order = order::Options::default();
        let most = i64::from(i32::MAX);
        order.max_delta = settings.number("max_interleave_delta", 0, i64::MAX)?.unwrap_or(order.max_delta);
        order.audio_preload = settings.number("audio_preload", 0, most)?.unwrap_or(0);
        order.chunk_duration = settings.number("chunk_duration", 0, most)?.unwrap_or(0);
        order.chunk_size = settings.number("chunk_size", 0, most)?.unwrap_or(0);
        order.shortest = settings.flag("shortest")?.unwrap_or(false);
        let options = Self {
            offset: settings.duration("output_ts_offset")?.unwrap_or_default(),
            avoid: avoid(settings.text("avoid_negative_ts"))?,
            order,
            bitexact: settings.flag("bitexact")?.unwrap_or(false),
            packaging: settings.flag("packaging")?.unwrap_or(true),
            strict: settings.number("strict", -2, 2)?.unwrap_or(0),
        };
        settings.finish()?;
        Ok((options, own))
    }
}

fn avoid(text: Option<&str>) -> Result<Avoid> {
    Ok(match text {
        None | Some("auto" | "-1") => Avoid::Auto,
        Some("disabled" | "0") => Avoid::Off,
        Some("make_non_negative" | "1") => Avoid::NonNegative,
        Some("make_zero" | "2") => Avoid::Zero,
        Some(other) => {
            return Err(Error::Setting {
                name: "avoid_negative_ts".into(),
                why: alloc::format!("{other:?} is none of auto, disabled, make_non_negative, make_zero"),
            });
        }
    })
}
