//! Repackages packets as the muxer declares: ADTS → bare AAC, lengths → start codes, start codes → lengths
//! (WF-24…WF-26).
//!
//! Data that already is as the muxer wants it passes untouched, so that doing it twice changes nothing.

use bytes::{Buf, Bytes};

use crate::{
    bits::Bits,
    error::{Error, Result},
    format::Packaging,
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::{
        aac::{AdtsHeader, Pce, pce::ID_PCE},
        annexb::{self, Framing},
        h264, h265,
    },
};

/// How the packets of one stream are repackaged.
#[derive(Debug)]
pub(super) enum Package {
    /// Not at all.
    AsIs,
    /// AAC loses its ADTS headers; the first one becomes the stream's configuration.
    RawAac(RawAac),
    /// H.264 and H.265 with lengths get start codes, and their parameter sets before random access points.
    Codes(Codes),
    /// H.264 and H.265 with start codes get lengths.
    Lengths {
        /// The stream's configuration, which says how its packets are.
        config: Bytes,
    },
}

/// State of an AAC stream whose muxer wants bare frames.
#[derive(Debug)]
pub(super) struct RawAac {
    configured: bool,
    started: bool,
    described: bool,
}

/// State of an H.264 or H.265 stream whose muxer wants start codes.
#[derive(Debug)]
pub(super) struct Codes {
    codec: Codec,
    config: Bytes,
    converter: Option<Converter>,
    decided: bool,
}

#[derive(Debug)]
enum Converter {
    H264(h264::ToAnnexB),
    H265(h265::ToAnnexB),
}

impl Package {
    /// For a stream whose muxer wants `packaging`.
    pub(super) fn new(packaging: Packaging, stream: &StreamInfo) -> Self {
        match (packaging, stream.codec) {
            (Packaging::RawAac, Codec::Aac) => {
                Self::RawAac(RawAac { configured: !stream.config.is_empty(), started: false, described: false })
            }
            (Packaging::AnnexB, codec @ (Codec::H264 | Codec::H265)) => {
                Self::Codes(Codes { codec, config: stream.config.clone(), converter: None, decided: false })
            }
            (Packaging::LengthPrefixed, Codec::H264 | Codec::H265) => Self::Lengths { config: stream.config.clone() },
            _ => Self::AsIs,
        }
    }

    /// Repackages one packet; `true` when it was changed.
    ///
    /// # Errors
    /// [`Error::Mux`] for a packet that is not what it should be. Nothing is remembered of it.
    pub(super) fn apply(&mut self, packet: &mut Packet) -> Result<bool> {
        match self {
            Self::AsIs => Ok(false),
            Self::RawAac(state) => state.apply(packet),
            Self::Codes(state) => state.apply(packet),
            Self::Lengths { config } => {
                let changed = coded(config, &packet.data);
                if changed {
                    packet.data = annexb::to_lengths(&packet.data, Framing::AnnexB);
                }
                Ok(changed)
            }
        }
    }
}

impl RawAac {
    /// From the first packet with an ADTS header on, every packet must have one, unless the stream has a configuration
    /// of its own (PAR-33, PAR-34).
    fn apply(&mut self, packet: &mut Packet) -> Result<bool> {
        let framed = matches!(*packet.data, [0xff, b, ..] if b & 0xf0 == 0xf0);
        self.started |= framed && packet.data.len() > 2;
        if !self.started || (self.configured && !framed && packet.data.len() >= 2) {
            return Ok(false);
        }
        let fault = |why: &'static str| Error::mux("adts", why);
        let header =
            AdtsHeader::parse(&packet.data).ok_or_else(|| fault("a packet without an ADTS header (PAR-33)"))?;
        if header.crc && header.blocks > 1 {
            return Err(Error::unsupported("ADTS frames of several blocks with checksums (PAR-33)"));
        }
        let mut data = packet.data.clone();
        data.advance(header.size().min(data.len()));
        if data.is_empty() {
            return Err(fault("an ADTS header without data behind it (PAR-33)"));
        }
        if !self.described {
            let config = described(&header, &mut data).ok_or_else(|| fault("no channel configuration (PAR-34)"))?;
            packet.side.set_new_config(config);
            self.described = true;
        }
        packet.data = data;
        Ok(true)
    }
}

/// The configuration that a header stands for. Without a channel configuration the program config element that must
/// start the data moves into it.
fn described(header: &AdtsHeader, data: &mut Bytes) -> Option<Bytes> {
    let mut config = header.config();
    if header.channel_config == 0 {
        let size = {
            let mut bits = Bits::new(data);
            if bits.read(3)? != ID_PCE {
                return None;
            }
            config.pce = Some(Pce::read(&mut bits)?);
            bits.position().div_ceil(8)
        };
        data.advance(size.min(data.len()));
    }
    Some(Bytes::from(config.build()))
}

impl Codes {
    /// The first packet of five bytes or more decides for the stream, as in the reference (WF-24).
    fn apply(&mut self, packet: &mut Packet) -> Result<bool> {
        let fault = |why: &'static str| Error::mux(self.codec.name(), why);
        if !self.decided && packet.data.len() >= 5 {
            self.decided = true;
            let record = self.config.first() == Some(&1);
            let coded = packet.data.starts_with(&[0, 0, 0, 1]) || (annexb::starts_with_code(&packet.data) && !record);
            if !coded {
                let converter = Converter::new(self.codec, &self.config);
                self.converter =
                    Some(converter.ok_or_else(|| fault("the configuration record is cut short (PAR-20)"))?);
            }
        }
        let data = match &mut self.converter {
            None => return Ok(false),
            Some(Converter::H264(converter)) => converter.packet(&packet.data),
            Some(Converter::H265(converter)) => converter.packet(&packet.data),
        };
        packet.data = data.ok_or_else(|| fault("a NAL unit's length points past the end of its packet (PAR-21)"))?;
        Ok(true)
    }
}

impl Converter {
    fn new(codec: Codec, config: &Bytes) -> Option<Self> {
        match codec {
            Codec::H265 => h265::ToAnnexB::new(config).map(Self::H265),
            _ => h264::ToAnnexB::new(config).map(Self::H264),
        }
    }
}

/// Whether a packet of a stream of this configuration has start codes that must become lengths (FLV-32). A packet that
/// is whole as lengths stays, whatever the configuration says.
fn coded(config: &[u8], data: &[u8]) -> bool {
    let start_codes_said = !config.is_empty() && config.first() != Some(&1);
    if annexb::starts_with_code(data) || !start_codes_said {
        return Framing::guess(data) == Framing::AnnexB;
    }
    let mut units = annexb::lengths(data, 4);
    let whole = units.by_ref().all(|unit| unit.first().is_some_and(|head| head & 0x80 == 0)) && units.left() == 0;
    !whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        stream::{Audio, Media, Video},
        time::TimeBase,
    };

    fn stream(codec: Codec, config: &'static [u8]) -> StreamInfo {
        let media = match codec {
            Codec::Aac => Media::Audio(Audio::default()),
            _ => Media::Video(Video::default()),
        };
        StreamInfo { config: Bytes::from_static(config), ..StreamInfo::new(codec, TimeBase::MILLIS, media) }
    }

    fn packet(data: &[u8]) -> Packet {
        Packet { data: Bytes::copy_from_slice(data), ..Packet::default() }
    }

    #[test]
    fn adts_frames_become_bare_once_and_stay_bare() {
        let mut package = Package::new(Packaging::RawAac, &stream(Codec::Aac, &[]));
        let mut first = packet(&[0xff, 0xf1, 0x50, 0x80, 0x01, 0x3f, 0xfc, 0x21, 0x10]);
        let mut second = first.clone();
        assert_eq!(package.apply(&mut first), Ok(true));
        assert_eq!(
            (&first.data[..], first.side.new_config().map(|c| &c[..])),
            (&[0x21, 0x10][..], Some(&[0x12, 0x10][..]))
        );
        assert_eq!(package.apply(&mut second), Ok(true));
        assert!(second.side.is_empty(), "the configuration is said once");
        let mut again = Package::new(Packaging::RawAac, &stream(Codec::Aac, &[0x12, 0x10]));
        assert_eq!((again.apply(&mut first.clone()), &first.data[..]), (Ok(false), &[0x21, 0x10][..]));
        assert!(package.apply(&mut packet(&[0x21, 0x10])).is_err(), "no header and no configuration");
    }

    #[test]
    fn lengths_become_start_codes_once() {
        let record = &[1, 0x42, 0xc0, 0x0a, 0xff, 0xe1, 0, 2, 0x67, 0x42, 1, 0, 2, 0x68, 0xce];
        let mut package = Package::new(Packaging::AnnexB, &stream(Codec::H264, record));
        let mut idr = packet(&[0, 0, 0, 2, 0x65, 0x88]);
        assert_eq!(package.apply(&mut idr), Ok(true));
        assert_eq!(&idr.data[..], [0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 1, 0x65, 0x88]);
        let mut coded = Package::new(Packaging::AnnexB, &stream(Codec::H264, record));
        assert_eq!(coded.apply(&mut idr.clone()), Ok(false));
        assert!(package.apply(&mut packet(&[0, 0, 0, 9, 0x65])).is_err());
        let mut back = Package::new(Packaging::LengthPrefixed, &stream(Codec::H264, &[0, 0, 1, 0x67, 0x42]));
        assert_eq!(back.apply(&mut idr), Ok(true));
        assert_eq!(&idr.data[..], [0, 0, 0, 2, 0x67, 0x42, 0, 0, 0, 2, 0x68, 0xce, 0, 0, 0, 2, 0x65, 0x88]);
        assert_eq!(back.apply(&mut idr), Ok(false), "lengths stay lengths");
        assert_eq!(back.apply(&mut packet(&[7, 7, 0, 0, 1, 0x41, 9])), Ok(true), "junk before the first code");
    }
}
