//! The muxer: access units behind start codes, as they come.

use alloc::boxed::Box;
use core::marker::PhantomData;

use super::Raw;
use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::Output,
    packet::Packet,
    settings::Settings,
    stream::{Metadata, StreamInfo},
    time::TimeBase,
};

/// Makes the muxer of a codec. The format's settings are about reading.
///
/// # Errors
/// [`Error::Setting`] for any other name.
pub(super) fn make<C: Raw>(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, C::FORMAT.settings);
    settings.text("strict");
    settings.finish()?;
    Ok(Box::new(Units::<C> { base: TimeBase::SECONDS, codec: PhantomData }))
}

struct Units<C> {
    base: TimeBase,
    codec: PhantomData<C>,
}

impl<C: Raw> Muxer for Units<C> {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        match streams {
            [stream] if stream.codec == C::CODEC => {
                self.base = stream.time_base;
                Ok(())
            }
            _ => Err(Error::mux(C::FORMAT.name, C::TAKES)),
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
