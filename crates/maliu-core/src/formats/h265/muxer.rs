//! Packets → raw H.265: access units behind start codes, as they come.

use alloc::boxed::Box;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::Output,
    packet::Packet,
    settings::Settings,
    stream::{Codec, Metadata, StreamInfo},
    time::TimeBase,
};

/// Makes the muxer. The format's settings are about reading.
pub fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, super::SETTINGS);
    settings.text("strict");
    settings.finish()?;
    Ok(Box::new(Raw { base: TimeBase::SECONDS }))
}

struct Raw {
    base: TimeBase,
}

impl Muxer for Raw {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        match streams {
            [stream] if stream.codec == Codec::H265 => {
                self.base = stream.time_base;
                Ok(())
            }
            _ => Err(Error::mux("h265", "takes one stream, of H.265")),
        }
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        out.append(mark(packet, self.base, true, true), [packet.data.clone()]);
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packaging(&self, _: &StreamInfo) -> Packaging {
        Packaging::AnnexB
    }
}
