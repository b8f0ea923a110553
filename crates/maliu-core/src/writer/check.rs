//! Checks and completion of the streams before a muxer sees them (WF-6…WF-10).

use alloc::{format, string::String, vec::Vec};
use core::num::NonZeroU32;

use crate::{
    error::{Error, Result},
    format::Format,
    stream::{Codec, Media, Metadata, StreamInfo},
    timing::samples::stored_bits,
};

/// Checks the streams in order and gives them the format's codec tags; the first fault is the result.
///
/// # Errors
/// [`Error::Mux`].
pub(super) fn streams(format: &Format, streams: &mut [StreamInfo], strict: i64) -> Result<()> {
    let refused = |why: String| Err(Error::mux(format.name, why));
    if streams.is_empty() && !format.rules.no_streams {
        return refused("there is no stream to write (WF-6)".into());
    }
    for (index, stream) in streams.iter_mut().enumerate() {
        match &mut stream.media {
            Media::Audio(audio) if audio.sample_rate.is_none() => {
                return refused(format!("stream {index}: audio without a sample rate (WF-6)"));
            }
            Media::Audio(audio) if audio.block_align == 0 => {
                audio.block_align = u32::from(audio.channel_count()) * stored_bits(stream.codec) / 8;
            }
            Media::Video(video) if (video.width.is_none() || video.height.is_none()) && !format.rules.no_dimensions => {
                return refused(format!("stream {index}: video without a width and a height (WF-6)"));
            }
            _ => {}
        }
        let tag = tag(format, stream, strict).map_err(|error| match error {
            Error::Mux { format, why } => Error::mux(format, format!("stream {index}: {why}")),
            other => other,
        })?;
        stream.codec_tag = NonZeroU32::new(tag);
    }
    Ok(())
}

/// WF-8. Tags compare as four characters without case.
fn tag(format: &Format, stream: &StreamInfo, strict: i64) -> Result<u32> {
    let tags = format.rules.codec_tags;
    let wanted = stream.codec_tag.map_or(0, NonZeroU32::get);
    let of_codec = |codec: Codec| tags.iter().find(move |(c, _)| *c == codec).map(|(_, tag)| *tag);
    if tags.is_empty() || wanted == 0 {
        return Ok(if tags.is_empty() { wanted } else { of_codec(stream.codec).unwrap_or(0) });
    }
    let same = |tag: u32| tag.to_le_bytes().eq_ignore_ascii_case(&wanted.to_le_bytes());
    let users: Vec<Codec> = tags.iter().filter(|(_, tag)| same(*tag)).map(|(codec, _)| *codec).collect();
    let listed = of_codec(stream.codec);
    let fits = users.contains(&stream.codec) || (users.is_empty() && (listed.is_none() || strict < 0));
    if fits {
        return Ok(wanted);
    }
    Err(Error::mux(format.name, format!("codec tag {wanted:#x} is not one of {} (WF-8)", stream.codec)))
}

/// WF-10: who wrote the file is said by us alone, or not at all.
pub(super) fn metadata(given: &Metadata, bitexact: bool) -> Metadata {
    let mut metadata = given.clone();
    if bitexact {
        metadata.remove("encoder");
    } else {
        metadata.set("encoder", concat!("maliu ", env!("CARGO_PKG_VERSION")));
    }
    let prefixed = |key: &str| key.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("encoder-"));
    let stale: Vec<String> =
        metadata.entries().iter().map(|(key, _)| key).filter(|key| prefixed(key)).cloned().collect();
    for key in stale {
        metadata.remove(&key);
    }
    metadata
}
