//! Packets → ADTS frames: a header in front of each raw data block (PAR-35).

use alloc::boxed::Box;

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::Output,
    packet::Packet,
    settings::{Help, Settings},
    stream::{Codec, Metadata, StreamInfo},
    syntax::aac::AdtsWriter,
    time::TimeBase,
};

/// The settings of writing.
pub(super) const SETTINGS: &[Help] = &[Help {
    name: "write_mpeg2",
    value: "0|1",
    default: "0",
    what: "Writing: headers that say MPEG-2 instead of MPEG-4.",
}];

/// Makes the muxer.
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let mpeg2 = settings.flag("write_mpeg2")?.unwrap_or(false);
    settings.finish()?;
    Ok(Box::new(Adts { mpeg2, head: None, base: TimeBase::SECONDS }))
}

struct Adts {
    mpeg2: bool,
    /// `None`: nothing is known of the stream, packets are written as they are.
    head: Option<AdtsWriter>,
    base: TimeBase,
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
        let (header, element) = head.head(packet, self.base).map_err(|why| Error::mux("adts", why))?;
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

/// Header in front of frames of this configuration.
fn head(config: &[u8], mpeg2: bool) -> Result<Option<AdtsWriter>> {
    let writer = (!config.is_empty()).then(|| AdtsWriter::new(config, mpeg2)).transpose();
    writer.map_err(|why| Error::mux("adts", why))
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
        syntax::aac::adts::MAX_FRAME,
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
        assert!(written(&[0x12, 0x10], &[]).unwrap().is_empty());
        assert_eq!(written(&[], &[1, 2]).unwrap(), [1, 2]);
        assert!(written(&[0x12, 0x10], &[0; MAX_FRAME - 6]).is_err(), "one byte too long");
        assert!(written(&[0x12, 0x14], &[1]).is_err(), "960 samples");
    }
}
