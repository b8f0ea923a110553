//! Packets → chunks.

use alloc::{format, vec::Vec};

use bytes::Bytes;

use super::{FORMATS, LINEAR, table::put_number};
use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::{Mark, Output, Reach},
    packet::Packet,
    stream::{Codec, Metadata, StreamInfo},
    time::TimeBase,
    timing::samples::exact_bits,
};

/// Most packets of a table.
const MAX_PACKETS: u64 = 1 << 24;

/// Writes a CAF file.
#[derive(Default)]
pub(super) struct Writing {
    base: TimeBase,
    /// Offset of the size of the data.
    place: u64,
    data: u64,
    patched: bool,
    /// The table, of packets that vary in size.
    table: Option<Rows>,
}

#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    packets: u64,
    frames: u64,
    priming: u64,
    remainder: u32,
    /// Frames of every packet.
    frame: u32,
}

impl Muxer for Writing {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(refused("takes one stream, of audio")) };
        let Some(audio) = stream.as_audio() else { return Err(refused("takes one stream, of audio")) };
        let (rate, channels) = (audio.rate(), u32::from(audio.channel_count()));
        if rate == 0 || channels == 0 {
            return Err(refused("the rate and the number of channels must be known"));
        }
        let bits = exact_bits(stream.codec) as u32;
        let linear = LINEAR.iter().find(|row| row.2 == stream.codec);
        let other = FORMATS.iter().find(|(_, codec)| *codec == stream.codec);
        let (kind, flags, bytes, frames) = match (linear, other) {
            (Some((_, flags, _)), _) => (b"lpcm", *flags, channels * bits / 8, 1),
            (None, Some((kind, Codec::PcmALaw | Codec::PcmMuLaw))) => (*kind, 0, channels, 1),
            (None, Some((kind, Codec::AdpcmImaQt))) => (*kind, 0, channels * 34, 64),
            (None, Some((kind, Codec::Aac | Codec::Alac | Codec::Mp1 | Codec::Mp2 | Codec::Mp3))) => {
                let frames = frames(stream, audio.frame_size);
                (*kind, 0, 0, frames.ok_or_else(|| refused("the number of samples of a packet must be known"))?)
            }
            _ => return Err(Error::mux("caf", format!("{} is not written", stream.codec))),
        };
        self.patched = out.reach() != Reach::Append;
        if bytes == 0 {
            if !self.patched {
                return Err(refused("a packet table needs an output that can be written again at its front"));
            }
            self.table = Some(Rows { frame: frames, ..Rows::default() });
        }
        self.base = TimeBase::hz(rate);
        let mut head = b"caff\0\x01\0\0".to_vec();
        let mut desc = f64::from(rate).to_be_bytes().to_vec();
        desc.extend_from_slice(kind);
        let shown = if linear.is_some() { bits } else { 0 };
        for word in [flags, bytes, frames, channels, shown] {
            desc.extend_from_slice(&word.to_be_bytes());
        }
        chunk(&mut head, b"desc", &desc);
        if let Some(cookie) = cookie(stream)? {
            chunk(&mut head, b"kuki", &cookie);
        }
        info(&mut head, metadata);
        head.extend_from_slice(b"data");
        self.place = head.len() as u64;
        head.extend_from_slice(&(-1i64).to_be_bytes());
        head.extend_from_slice(&[0; 4]);
        stream.time_base = self.base;
        out.append(Mark::Header, [Bytes::from(head)]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        if let Some(rows) = &mut self.table {
            if packet.data.is_empty() {
                return Ok(());
            }
            let size = u32::try_from(packet.data.len()).map_err(|_| refused("a packet above 4 GiB"))?;
            if rows.packets >= MAX_PACKETS {
                return Err(refused("more packets than a table takes"));
            }
            let trim = packet.side.trim();
            // Priming is what is dropped before the first sample that is heard.
            if rows.priming == rows.frames {
                rows.priming += u64::from(trim.start.min(rows.frame));
            }
            rows.remainder = trim.end.min(rows.frame);
            rows.packets += 1;
            rows.frames += u64::from(rows.frame);
            put_number(&mut rows.bytes, size);
        }
        self.data = self.data.saturating_add(packet.data.len() as u64);
        out.append(mark(packet, self.base, false, false), [packet.data.clone()]);
        Ok(())
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        if stream.codec == Codec::Aac { Packaging::RawAac } else { Packaging::AsIs }
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if let Some(rows) = self.table.take() {
            let mut body = rows.packets.to_be_bytes().to_vec();
            let valid = rows.frames.saturating_sub(rows.priming).saturating_sub(rows.remainder.into());
            body.extend_from_slice(&valid.to_be_bytes());
            body.extend_from_slice(&u32::try_from(rows.priming).unwrap_or(0).to_be_bytes());
            body.extend_from_slice(&rows.remainder.to_be_bytes());
            body.extend_from_slice(&rows.bytes);
            let mut table = Vec::new();
            chunk(&mut table, b"pakt", &body);
            self.patch(out);
            // In front of the data, where a pipe can read it, if the output allows.
            match out.reach() {
                Reach::Insert => out.insert(self.place.saturating_sub(4), Bytes::from(table)),
                _ => out.append(Mark::Trailer, [Bytes::from(table)]),
            }
            return Ok(());
        }
        self.patch(out);
        Ok(())
    }
}

impl Writing {
    /// Writes the size of the data; the count of edits is part of them.
    fn patch(&self, out: &mut Output) {
        if self.patched {
            let size = i64::try_from(self.data.saturating_add(4)).unwrap_or(-1);
            out.overwrite(self.place, Bytes::copy_from_slice(&size.to_be_bytes()));
        }
    }
}

/// Frames of every packet.
fn frames(stream: &StreamInfo, known: u32) -> Option<u32> {
    match stream.codec {
        _ if known > 0 => Some(known),
        Codec::Aac => Some(1024),
        Codec::Mp1 => Some(384),
        Codec::Mp2 => Some(1152),
        // Half as many at the lower rates of MPEG-2 and 2.5 (ISO/IEC 13818-3 §2.4.2.1).
        Codec::Mp3 if stream.as_audio().is_some_and(|audio| (1..32_000).contains(&audio.rate())) => Some(576),
        Codec::Mp3 => Some(1152),
        // frameLength of the configuration.
        Codec::Alac => alac(&stream.config)?.first_chunk().map(|frames| u32::from_be_bytes(*frames)),
        _ => None,
    }
}

/// The configuration of ALAC without the box around it.
fn alac(config: &[u8]) -> Option<&[u8]> {
    if config.get(4..8) == Some(b"alac") { config.get(12..36) } else { config.get(..24) }
}

/// The configuration of the decoder, as Core Audio keeps it.
fn cookie(stream: &StreamInfo) -> Result<Option<Vec<u8>>> {
    let config = &stream.config[..];
    match stream.codec {
        Codec::Aac if config.is_empty() => Err(refused("AAC without a configuration")),
        Codec::Aac => {
            let part = |tag: u8, body: &[u8]| {
                let length = body.len() as u32;
                let size = [21, 14, 7].map(|shift| (length >> shift & 0x7f) as u8 | 0x80);
                [&[tag][..], &size, &[(length & 0x7f) as u8], body].concat()
            };
            let specific = part(5, config);
            let decoder = [&[0x40, 0x15, 0, 0, 0][..], &[0; 8], &specific].concat();
            let es = [&[0, 0, 0][..], &part(4, &decoder), &part(6, &[2])].concat();
            Ok(Some(part(3, &es)))
        }
        Codec::Alac => match alac(config) {
            Some(bare) => Ok(Some(bare.to_vec())),
            None => Err(refused("ALAC without a configuration")),
        },
        _ => Ok(None),
    }
}

/// Tags as pairs of texts.
fn info(out: &mut Vec<u8>, metadata: &Metadata) {
    let entries = metadata.entries().iter().filter(|(key, value)| !key.contains('\0') && !value.contains('\0'));
    let (mut body, mut count) = (Vec::new(), 0u32);
    for (key, value) in entries {
        count += 1;
        for text in [key, value] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
    }
    if count > 0 {
        let body = [&count.to_be_bytes()[..], &body].concat();
        chunk(out, b"info", &body);
    }
}

fn chunk(out: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    out.extend_from_slice(id);
    out.extend_from_slice(&(body.len() as u64).to_be_bytes());
    out.extend_from_slice(body);
}

fn refused(why: &'static str) -> Error {
    Error::mux("caf", why)
}
