//! Remarks of demuxers and muxers on their way to the log.

use maliu_core::{
    input::{Input, Warning},
    output::Output,
    reader::PacketReader,
};

/// Logs what the demuxer noted on its input.
pub(crate) fn remarks_of_input(input: &mut Input, reader: &PacketReader) {
    let (warnings, more) = input.take_warnings();
    if !warnings.is_empty() {
        log(name(reader), warnings, more);
    }
}

fn log(format: &str, warnings: Vec<Warning>, more: u64) {
    for warning in warnings {
        tracing::warn!(at = warning.at, "{format}: {} at byte {}", warning.what, warning.at);
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

/// Who speaks: the format, or the probe before it is known.
pub(crate) fn name(reader: &PacketReader) -> &'static str {
    reader.format().map_or("probe", |format| format.name)
}
