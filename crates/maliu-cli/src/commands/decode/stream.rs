//! Facts of a stream that decoding depends on.

use maliu::{
    stream::StreamInfo,
    time::{Rounding, Ticks, TimeBase},
};
use maliu_decode::{AudioFrame, Report, Samples};

use crate::{
    failure::{Failure, Result},
    input::Opened,
};

/// Whether a decoder for stream `a` can continue with stream `b`.
pub(super) fn same_sound(a: &StreamInfo, b: &StreamInfo) -> bool {
    let sound = |info: &StreamInfo| info.as_audio().map(|audio| (audio.rate(), audio.channel_count()));
    (a.codec, &a.config, a.time_base, sound(a)) == (b.codec, &b.config, b.time_base, sound(b))
}

/// The error text for an input without the wanted stream.
pub(super) fn no_stream(opened: &Opened, wanted: Option<usize>) -> String {
    match wanted {
        Some(wanted) => format!("reading {}: there is no stream {wanted}", opened.name),
        None => format!("reading {}: there is no audio stream", opened.name),
    }
}

/// A frame without samples, for the head of a file without sound.
pub(super) fn silent(info: &StreamInfo) -> Result<AudioFrame> {
    match info.as_audio() {
        Some(audio) if audio.rate() > 0 && audio.channel_count() > 0 => {
            Ok(AudioFrame::new(audio.rate(), audio.channel_count(), Samples::F32(Vec::new()))
                .with_channel_mask(audio.channel_mask))
        }
        _ => Err(Failure::Failed(format!("the {} stream holds no sound", info.codec))),
    }
}

/// Length of the input in µs, when it is known.
pub(super) fn length(opened: &Opened) -> Option<Ticks> {
    opened.reader.duration().map(|(time, base)| base.rescale(time, TimeBase::MICROS, Rounding::Near))
}

/// Warns of the damage that a decoder met.
pub(super) fn warn_of(report: &Report) {
    if let Some(why) = &report.first_damage {
        let packets = if report.damaged == 1 { "packet" } else { "packets" };
        tracing::warn!("replaced {} damaged {packets} with silence; the first: {why}", report.damaged);
    }
    if report.clamped > 0 {
        let samples = if report.clamped == 1 { "sample" } else { "samples" };
        tracing::warn!("clipped {} {samples} far beyond full scale", report.clamped);
    }
}
