//! Remarks of demuxers and muxers on their way to the log.

use maliu_core::{
    input::{Input, Warning},
    output::Output,
    reader::PacketReader,
};

/// Remarks of a demuxer on its input, to be logged when their turn comes.
pub(crate) struct Remarks {
    format: &'static str,
    warnings: Vec<Warning>,
    /// How many more there were.
    more: u64,
}

impl Remarks {
    /// Remarks since the last call, if there were any.
    #[inline]
    pub(crate) fn of(input: &mut Input, reader: &PacketReader) -> Option<Self> {
        if input.is_quiet() {
            return None;
        }
        let (warnings, more) = input.take_warnings();
        Some(Self { format: name(reader), warnings, more })
    }

    /// As they are.
    pub(crate) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    pub(crate) fn log(self) {
        log(self.format, self.warnings, self.more);
    }
}

fn log(format: &str, warnings: Vec<Warning>, more: u64) {
    for warning in warnings {
        if warning.kind.is_notice() {
            continue;
        }
        tracing::warn!(at = warning.at, "{format}: {} at offset {}", warning.what, warning.at);
    }
    if more > 0 {
        tracing::warn!("{format}: {more} further remarks");
    }
}

/// Logs what the muxer noted on its output.
#[inline]
pub(crate) fn remarks_of_output(output: &mut Output) {
    let warnings = output.take_warnings();
    if !warnings.is_empty() {
        log("output", warnings, 0);
    }
}

/// Source of the remarks: the format, or the probe before it is known.
pub(crate) fn name(reader: &PacketReader) -> &'static str {
    reader.format().map_or("probe", |format| format.name)
}
