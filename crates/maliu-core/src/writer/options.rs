//! The settings that every written file has, whatever its format (WF-5).

use alloc::{format, vec::Vec};

use crate::{
    error::{Error, Result},
    format::Format,
    settings::{self, Help, Settings},
    time::Ticks,
    timing::{order, shift::Avoid},
};

/// The settings of every writer.
pub const SETTINGS: &[Help] = &[
    help("output_ts_offset", "time", "0", "Added to all timestamps."),
    help("avoid_negative_ts", "auto|disabled|make_non_negative|make_zero", "auto", "Treatment of negative times."),
    help("max_interleave_delta", "µs", "10000000", "Longest wait for a stream without packets; 0 waits without limit."),
    help("audio_preload", "µs", "0", "By how much audio is written ahead of video."),
    help("chunk_duration", "µs", "0", "Longest chunk of one stream; 0 for none."),
    help("chunk_size", "bytes", "0", "Largest chunk of one stream; 0 for none."),
    help(
        "flush_packets",
        "-1|0|1",
        "-1",
        "1: what is written is handed on after each packet; 0 and -1: as the output gathers it.",
    ),
    help("shortest", "0|1", "0", "Stop with the stream that ends first."),
    help("bitexact", "0|1", "0", "Write nothing that names this program or its version."),
    help("packaging", "0|1", "1", "Repackage AAC, H.264 and H.265 as the format wants them."),
    help(
        "strict",
        "-2…2|experimental|unofficial|normal|strict|very",
        "0",
        "Below 0 what a standard does not foresee is written too.",
    ),
    help(
        "fflags",
        "+bitexact-autobsf…",
        "",
        "Several at once: bitexact, shortest, flush_packets, autobsf (packaging).",
    ),
];

const fn help(name: &'static str, value: &'static str, default: &'static str, what: &'static str) -> Help {
    Help { name, value, default, what }
}

/// [`SETTINGS`], typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Added to all timestamps, in µs.
    pub offset: Ticks,
    /// Treatment of negative times.
    pub avoid: Avoid,
    /// How streams are interleaved.
    pub order: order::Options,
    /// Nothing names this program.
    pub bitexact: bool,
    /// Packets are repackaged as the muxer declares.
    pub packaging: bool,
    /// Below 0 what a standard does not foresee is written too.
    pub strict: i64,
    /// Output is handed on after each packet.
    pub flush: bool,
}

/// Flags of `fflags`, and the settings of ours that they are.
const FFLAGS: [(&str, &str); 4] =
    [("bitexact", "bitexact"), ("shortest", "shortest"), ("flush_packets", "flush_packets"), ("autobsf", "packaging")];

impl Options {
    /// The writer's settings, and those left for the format. A name that both know goes to both.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that does not fit.
    pub(super) fn split<'a>(pairs: &[(&'a str, &'a str)], format: &Format) -> Result<(Self, Vec<(&'a str, &'a str)>)> {
        let known = |list: &[Help], name: &str| list.iter().any(|help| help.name == name);
        let mut ours: Vec<_> = pairs.iter().copied().filter(|(name, _)| known(SETTINGS, name)).collect();
        for (_, text) in pairs.iter().filter(|(name, _)| *name == "fflags") {
            for (flag, on) in settings::flags(text) {
                let Some((_, name)) = FFLAGS.iter().find(|(name, _)| *name == flag) else {
                    let why = format!("{flag:?} is none of bitexact, shortest, flush_packets, autobsf");
                    return Err(Error::Setting { name: "fflags".into(), why });
                };
                // A flag that is not set says nothing about flushing.
                if on == "1" || flag != "flush_packets" {
                    ours.push((*name, on));
                }
            }
        }
        let theirs = |name: &str| !known(SETTINGS, name) || known(format.settings, name);
        let own: Vec<_> = pairs.iter().copied().filter(|(name, _)| theirs(name)).collect();
        if let Some((name, _)) = own.iter().find(|(name, _)| !known(format.settings, name)) {
            return Err(settings::unknown(name, &[format.settings, SETTINGS].concat()));
        }
        let mut ours = Settings::new(&ours, SETTINGS);
        ours.text("fflags");
        let mut order = order::Options::default();
        let most = i64::from(i32::MAX);
        order.max_delta = ours.number("max_interleave_delta", 0, i64::MAX)?.unwrap_or(order.max_delta);
        order.audio_preload = ours.number("audio_preload", 0, most)?.unwrap_or(0);
        order.chunk_duration = ours.number("chunk_duration", 0, most)?.unwrap_or(0);
        order.chunk_size = ours.number("chunk_size", 0, most)?.unwrap_or(0);
        order.shortest = ours.flag("shortest")?.unwrap_or(false);
        let options = Self {
            offset: ours.duration("output_ts_offset")?.unwrap_or_default(),
            avoid: avoid(ours.choice("avoid_negative_ts", AVOID)?),
            order,
            bitexact: ours.flag("bitexact")?.unwrap_or(false),
            packaging: ours.flag("packaging")?.unwrap_or(true),
            strict: ours.choice("strict", settings::STRICT)?.unwrap_or(0),
            flush: ours.number("flush_packets", -1, 1)? == Some(1),
        };
        ours.finish()?;
        Ok((options, own))
    }
}

const AVOID: &[(&str, i64)] = &[("auto", -1), ("disabled", 0), ("make_non_negative", 1), ("make_zero", 2)];

fn avoid(choice: Option<i64>) -> Avoid {
    match choice {
        Some(0) => Avoid::Off,
        Some(1) => Avoid::NonNegative,
        Some(2) => Avoid::Zero,
        _ => Avoid::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<Options> {
        Options::split(pairs, &crate::formats::null::FORMAT).map(|(options, _)| options)
    }

    #[test]
    fn settings_take_the_names_and_values_of_the_reference() {
        let options = options(&[
            ("fflags", "+bitexact+shortest-autobsf"),
            ("flush_packets", "1"),
            ("strict", "unofficial"),
            ("avoid_negative_ts", "2"),
            ("output_ts_offset", "1.5"),
            ("max_interleave_delta", "5"),
            ("audio_preload", "6"),
            ("chunk_duration", "7"),
            ("chunk_size", "8"),
        ])
        .unwrap();
        let order = options.order;
        assert!(options.bitexact && order.shortest && !options.packaging && options.flush);
        assert_eq!((options.strict, options.avoid, options.offset), (-1, Avoid::Zero, Ticks(1_500_000)));
        assert_eq!((order.max_delta, order.audio_preload, order.chunk_duration, order.chunk_size), (5, 6, 7, 8));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for (name, value) in [
            ("flush_packets", "2"),
            ("fflags", "+genpts"),
            ("strict", "3"),
            ("avoid_negative_ts", "zero"),
            ("max_interleave_delta", "-1"),
            ("chunk_size", "x"),
        ] {
            assert!(matches!(options(&[(name, value)]), Err(Error::Setting { .. })), "{name}={value}");
        }
    }
}
