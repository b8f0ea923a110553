//! Bare samples, channels interleaved, no header: one row per sample format.
//!
//! Written: packets and uncoded frames, as they come. Read: not; bare samples say nothing about themselves.

use crate::{
    error::{Error, Result},
    format::{Format, Muxer, Rules, Score, mark},
    output::Output,
    packet::Packet,
    settings::Settings,
    stream::{Codec, Metadata, StreamInfo},
    time::TimeBase,
};

macro_rules! rows {
    ($($constant:ident $name:literal $codec:ident $extensions:expr;)*) => {
        $(
            #[doc = concat!("Samples of ", $name, ".")]
            pub const $constant: Format = Format {
                name: $name,
                long_name: concat!("bare PCM samples, ", $name),
                mime: &[],
                extensions: $extensions,
                probe: |_| Score::No("bare samples cannot be recognised"),
                demuxer: None,
                muxer: Some(|pairs| {
                    Settings::new(pairs, &[]).finish()?;
                    Ok(alloc::boxed::Box::new(Samples { format: $name, codec: Codec::$codec, base: TimeBase::SECONDS }))
                }),
                settings: &[],
                rules: Rules { no_timestamps: true, ..Rules::STRICT },
                default_codecs: (Some(Codec::$codec), None),
            };
        )*
    };
}

rows! {
    U8 "u8" PcmU8 &["ub"];
    S8 "s8" PcmS8 &["sb"];
    S16LE "s16le" PcmS16Le &["sw"];
    S16BE "s16be" PcmS16Be &[];
    S24LE "s24le" PcmS24Le &[];
    S24BE "s24be" PcmS24Be &[];
    S32LE "s32le" PcmS32Le &[];
    S32BE "s32be" PcmS32Be &[];
    F32LE "f32le" PcmF32Le &[];
    F32BE "f32be" PcmF32Be &[];
    F64LE "f64le" PcmF64Le &[];
    ALAW "alaw" PcmALaw &["al"];
    MULAW "mulaw" PcmMuLaw &["ul"];
}

struct Samples {
    format: &'static str,
    codec: Codec,
    base: TimeBase,
}

impl Muxer for Samples {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        match streams {
            [stream] if stream.codec == self.codec => {
                self.base = stream.time_base;
                Ok(())
            }
            _ => Err(Error::mux(self.format, alloc::format!("takes one stream, of {}", self.codec))),
        }
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        out.append(mark(packet, self.base, false, false), [packet.data.clone()]);
        Ok(())
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        output::{Edit, Reach},
        stream::{Audio, Media},
    };

    #[test]
    fn frames_and_packets_come_out_as_bare_samples() {
        let media = Media::Audio(Audio::new(8000, 1));
        let mut streams = [StreamInfo::new(Codec::PcmS16Le, TimeBase::hz(8000), media)];
        let (mut out, tags) = (Output::new(Reach::Append), Metadata::default());
        let mut muxer = S16LE.muxer.unwrap()(&[]).unwrap();
        muxer.start(&mut streams, &tags, &mut out).unwrap();
        let packet = Packet { data: Bytes::from_static(&[1, 2, 3, 4]), ..Packet::default() };
        muxer.frame(&packet, 2, &mut out).unwrap();
        muxer.packet(&packet, &mut out).unwrap();
        muxer.finish(&mut out).unwrap();
        for _ in 0..2 {
            assert!(matches!(out.next_edit(), Some(Edit::Append(piece)) if piece.parts == [packet.data.clone()]));
        }
        assert!(U8.muxer.unwrap()(&[]).unwrap().start(&mut streams, &tags, &mut out).is_err());
    }
}
