//! Which codecs each format carries, found by asking its muxer.

use std::{io::Write, num::NonZeroU32};

use maliu::{
    format::Format,
    formats,
    output::{Output, Reach},
    stream::{Codec, Kind, Media, Metadata, StreamInfo},
    syntax::{opus, xiph},
    time::TimeBase,
    timing,
    writer::Plan,
};
use serde_json::json;

use crate::failure::Result;

/// Prints a Markdown table: a line for each codec with the formats that are written with it.
pub(crate) fn text(out: &mut dyn Write) -> Result {
    let rows = rows();
    let width = |cells: &mut dyn Iterator<Item = usize>| cells.max().unwrap_or(0).max(5);
    let first = width(&mut rows.iter().map(|(codec, _)| codec.name().len()));
    writeln!(out, "| {:first$} | kind | decoded | formats that carry it |", "codec")?;
    writeln!(out, "|{:-<first$}--|---|---|---|", "")?;
    for (codec, formats) in &rows {
        let decoded = if is_decoded(*codec) { "yes" } else { "" };
        writeln!(out, "| {:first$} | {} | {decoded} | {} |", codec.name(), codec.kind().name(), formats.join(" "))?;
    }
    Ok(())
}

/// The same as a JSON array.
pub(crate) fn json(out: &mut dyn Write) -> Result {
    let row = |(codec, formats): &(Codec, Vec<&str>)| {
        json!({
            "codec": codec.name(),
            "kind": codec.kind().name(),
            "decodes": is_decoded(*codec),
            "formats": formats,
        })
    };
    let rows: Vec<_> = rows().iter().map(row).collect();
    Ok(writeln!(out, "{}", serde_json::Value::from(rows))?)
}

fn is_decoded(codec: Codec) -> bool {
    maliu_decode::decodes(codec) || codec == Codec::H264
}

/// Each codec that some format carries, with the names of those formats. Checksums and the empty format take anything
/// and are left out.
fn rows() -> Vec<(Codec, Vec<&'static str>)> {
    let containers: Vec<&Format> = formats::ALL
        .iter()
        .copied()
        .filter(|format| format.muxer.is_some() && !Codec::ALL.iter().all(|codec| carries(format, *codec)))
        .collect();
    let row = |codec: &Codec| {
        let formats = containers.iter().filter(|format| carries(format, *codec));
        (*codec, formats.map(|format| format.name).collect::<Vec<_>>())
    };
    Codec::ALL.iter().map(row).filter(|(_, formats)| !formats.is_empty()).collect()
}

/// Whether a file of this format begins with a stream of this codec, with or without its configuration.
fn carries(format: &'static Format, codec: Codec) -> bool {
    streams(codec).into_iter().any(|stream| {
        let metadata = Metadata::default();
        Plan::new(format, &[], &metadata).start(&[stream], &mut Output::new(Reach::Insert)).is_ok()
    })
}

/// Streams as usual as can be, at the rates that some format insists on.
fn streams(codec: Codec) -> Vec<StreamInfo> {
    let millis = TimeBase::MILLIS;
    let mut bare = match codec.kind() {
        Kind::Audio => [8000, 16_000, 48_000].map(|rate| sound(codec, rate)).to_vec(),
        Kind::Video => vec![StreamInfo::video(codec, 320, 240)],
        Kind::Subtitle => vec![StreamInfo::new(codec, millis, Media::Subtitle)],
        Kind::Data | Kind::Attachment => vec![StreamInfo::new(codec, millis, Media::Data)],
    };
    if codec == Codec::ProRes {
        bare[0].codec_tag = NonZeroU32::new(u32::from_le_bytes(*b"apcn"));
    }
    let config = config(codec);
    let described = bare.clone().into_iter().map(|stream| stream.with_config(config.clone()));
    bare.iter().cloned().chain(described).collect()
}

fn sound(codec: Codec, rate: u32) -> StreamInfo {
    let mut stream = StreamInfo::audio(codec, rate, 1);
    if let Media::Audio(audio) = &mut stream.media {
        audio.bits_per_sample = timing::stored_bits(codec).max(4) as u16;
        audio.block_align = 64;
    }
    stream
}

/// A configuration as small as can be; empty for codecs that have none.
fn config(codec: Codec) -> Vec<u8> {
    match codec {
        // AAC LC, 8 kHz, one channel.
        Codec::Aac | Codec::AacLatm => vec![0x15, 0x88],
        Codec::Opus => opus::head(1).unwrap_or_default(),
        // 8 kHz, one channel, 16 bits.
        Codec::Flac => [&[16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xf4, 0x00, 0xf0][..], &[0; 20]].concat(),
        Codec::Alac => [&[0, 0, 16, 0, 0, 16, 40, 10, 14, 1, 0, 255][..], &[0; 8], &8000u32.to_be_bytes()].concat(),
        Codec::Vorbis => {
            let identification =
                [&b"\x01vorbis\0\0\0\0\x01"[..], &8000u32.to_le_bytes(), &[0; 12], &[0xb8, 1]].concat();
            // One mode, of short blocks, at the end of the setup.
            xiph::lace([&identification, b"\x03vorbis\0\0\0\0\0\0\0\0\x01", b"\x05vorbis\0\0\0\0\0\x80"])
        }
        Codec::Theora => {
            let identification = [&b"\x80theora\x03\x02\x01\0\x14\0\x0f"[..], &[0; 30]].concat();
            xiph::lace([&identification, b"\x81theora\0\0\0\0\0\0\0\0", b"\x82theora\0"])
        }
        Codec::Speex => [&b"Speex   "[..], &[0; 72]].concat(),
        Codec::Av1 => vec![0x81, 0, 12, 0],
        _ => vec![0; 8],
    }
}
