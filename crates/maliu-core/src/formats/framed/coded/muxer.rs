//! Packets, as they are, behind each other.

use alloc::boxed::Box;
use core::marker::PhantomData;

use super::codings::Coding;
use crate::{
    error::{Error, Result},
    format::{Muxer, mark},
    output::Output,
    packet::Packet,
    settings::Settings,
    stream::{Metadata, StreamInfo},
    time::TimeBase,
};

/// Makes the muxer of a codec.
///
/// # Errors
/// [`Error::Setting`] for any setting.
pub(super) fn make<C: Coding>(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    Settings::new(pairs, &[]).finish()?;
    Ok(Box::new(Frames::<C> { base: TimeBase::SECONDS, codec: PhantomData }))
}

struct Frames<C> {
    base: TimeBase,
    codec: PhantomData<C>,
}

impl<C: Coding> Muxer for Frames<C> {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        match streams {
            [stream] if stream.codec == C::CODEC => {
                self.base = stream.time_base;
                Ok(())
            }
            _ => Err(Error::mux(C::NAME, C::TAKES)),
        }
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        out.append(mark(packet, self.base, false, false), [packet.data.clone()]);
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}
