//! Packets → ADTS frames: a header in front of each raw data block (PAR-35).

use alloc::{boxed::Box, format};

use bytes::Bytes;

use crate::{
    bits::BitWriter,
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::Output,
    packet::Packet,
    settings::{Help, Settings},
    stream::{Codec, Metadata, StreamInfo},
    syntax::aac::{
        AdtsHeader, AudioSpecificConfig,
        adts::{HEADER, MAX_FRAME, VARIABLE_RATE},
        pce::ID_PCE,
        rate_index,
    },
    time::{Rounding, TimeBase},
};

/// The settings of writing.
pub const SETTINGS: &[Help] = &[Help {
    name: "write_mpeg2",
    value: "0|1",
    default: "0",
    what: "Writing: headers that say MPEG-2 instead of MPEG-4.",
}];

/// Makes the muxer.
pub fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let mpeg2 = settings.flag("write_mpeg2")?.unwrap_or(false);
    settings.finish()?;
    Ok(Box::new(Adts { mpeg2, head: None, base: TimeBase::SECONDS }))
}

struct Adts {
    mpeg2: bool,
    /// `None`: nothing is known of the stream, packets are written as they are.
    head: Option<Head>,
    base: TimeBase,
}

/// Header in front of every frame.
struct Head {
    header: AdtsHeader,
    /// A program config element that is still to be written, as the start of a raw data block.
    element: Bytes,
}

impl Muxer for Adts {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(refused("takes one stream, of AAC")) };
        if stream.codec != Codec::Aac {
            return Err(refused("takes one stream, of AAC"));
        }
        self.base = stream.time_base;
        self.head = head(&stream.config, self.mpeg2)?;
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        if let Some(config) = packet.side.new_config() {
            self.head = head(config, self.mpeg2)?;
        }
        let mark = mark(packet, self.base, false, false);
        let Some(head) = self.head.as_mut().filter(|_| !packet.data.is_empty()) else {
            out.append(mark, [packet.data.clone()]);
            return Ok(());
        };
        let frame_length = HEADER + head.element.len() + packet.data.len();
        if frame_length > MAX_FRAME {
            return Err(Error::mux("adts", format!("a frame of {frame_length} bytes, at most {MAX_FRAME} fit")));
        }
        let header = AdtsHeader { frame_length, blocks: blocks(packet, self.base, head.header), ..head.header }.build();
        let element = core::mem::take(&mut head.element);
        out.append(mark, [Bytes::copy_from_slice(&header), element, packet.data.clone()]);
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }

    /// With a configuration the frames get headers here, so that they must not have any yet.
    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        if stream.config.is_empty() { Packaging::AsIs } else { Packaging::RawAac }
    }
}

/// Raw data blocks in a packet, which only its duration tells: of what holds 2 to 4 times 1024 samples, so many.
fn blocks(packet: &Packet, base: TimeBase, header: AdtsHeader) -> u8 {
    let samples =
        base.rescale(packet.duration.unwrap_or_default(), TimeBase::hz(header.sample_rate()), Rounding::Near).0;
    (2..=4).find(|blocks| samples == i64::from(*blocks) * 1024).unwrap_or(1)
}

/// Header in front of frames of this configuration.
fn head(config: &[u8], mpeg2: bool) -> Result<Option<Head>> {
    if config.is_empty() {
        return Ok(None);
    }
    let config = AudioSpecificConfig::parse(config).ok_or_else(|| refused("the configuration cannot be read"))?;
    let AudioSpecificConfig { object_type, sample_rate, channel_config, .. } = config;
    if !(1..=4).contains(&object_type) {
        return Err(Error::mux("adts", format!("object type {object_type}, only 1 to 4 fit")));
    }
    let Some(rate_index) = rate_index(sample_rate) else {
        return Err(Error::mux("adts", format!("{sample_rate} Hz is not a rate of the table")));
    };
    if config.short_frames || config.core_coder_delay.is_some() || config.extension_flag {
        return Err(refused("frames of 960 samples, core coders and extensions do not fit"));
    }
    if channel_config > 7 {
        return Err(Error::mux("adts", format!("channel configuration {channel_config}, only 0 to 7 fit")));
    }
    let mut element = Bytes::new();
    if channel_config == 0 {
        let pce = config.pce.ok_or_else(|| refused("no channel configuration"))?;
        let mut bits = BitWriter::new();
        bits.write(3, ID_PCE);
        pce.write(&mut bits);
        element = Bytes::from(bits.finish());
    }
    let header = AdtsHeader {
        mpeg2,
        crc: false,
        profile: object_type - 1,
        rate_index,
        channel_config,
        frame_length: 0,
        fullness: VARIABLE_RATE,
        blocks: 1,
    };
    Ok(Some(Head { header, element }))
}

fn refused(why: &'static str) -> Error {
    Error::mux("adts", why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        output::{Edit, Reach},
        stream::{Audio, Media},
    };

    fn written(config: &'static [u8], data: &[u8]) -> Result<alloc::vec::Vec<u8>> {
        let mut stream = StreamInfo::new(Codec::Aac, TimeBase::hz(44100), Media::Audio(Audio::default()));
        stream.config = Bytes::from_static(config);
        let mut out = Output::new(Reach::Append);
        let mut muxer = make(&[])?;
        muxer.start(&mut [stream], &Metadata::default(), &mut out)?;
        muxer.packet(&Packet { data: Bytes::copy_from_slice(data), ..Packet::default() }, &mut out)?;
        let Some(Edit::Append(piece)) = out.next_edit() else { return Ok(alloc::vec![]) };
        Ok(piece.parts.concat())
    }

    #[test]
    fn frames_get_headers_and_what_cannot_have_one_is_refused() {
        assert_eq!(written(&[0x12, 0x10], &[1, 2, 3]).unwrap(), [0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc, 1, 2, 3]);
        assert_eq!(written(&[0x12, 0x10], &[]).unwrap(), []);
        assert_eq!(written(&[], &[1, 2]).unwrap(), [1, 2]);
        assert!(written(&[0x12, 0x10], &[0; MAX_FRAME - 6]).is_err(), "one byte too long");
        assert!(written(&[0x12, 0x14], &[1]).is_err(), "960 samples");
    }
}
