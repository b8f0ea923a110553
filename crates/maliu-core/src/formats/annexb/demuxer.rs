//! The demuxer: access units as packets.

use alloc::boxed::Box;
use core::task::Poll;

use super::Raw;
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    settings::Settings,
    syntax::annexb::{RawEvent, RawStream},
};

/// Makes the demuxer of a codec from its settings.
///
/// # Errors
/// [`crate::error::Error::Setting`].
pub(super) fn make<C: Raw>(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, C::FORMAT.settings);
    let rate = settings.fraction("framerate")?;
    let strict = settings.flag("strict")?.unwrap_or(false);
    settings.finish()?;
    Ok(Box::new(Units(RawStream::new(C::new(strict), rate))))
}

struct Units<C: Raw>(RawStream<C>);

impl<C: Raw> Demuxer for Units<C> {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        Ok(match self.0.poll(input)? {
            RawEvent::Stream(info) => Poll::Ready(Event::Stream(0, Box::new(info))),
            RawEvent::Packet(packet) => Poll::Ready(Event::Packet(packet)),
            RawEvent::NeedBytes => Poll::Pending,
            RawEvent::End => Poll::Ready(Event::End),
        })
    }

    fn finish_unit(&mut self) {
        self.0.finish_unit();
    }
}
