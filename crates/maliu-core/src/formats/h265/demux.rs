//! The demuxer: access units as packets.

use alloc::boxed::Box;

use super::SETTINGS;
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    settings::Settings,
    syntax::{
        annexb::{RawEvent, RawStream},
        h265::Pictures,
    },
};

struct Raw(RawStream<Pictures>);

/// Makes the demuxer from its settings.
///
/// # Errors
/// [`crate::error::Error::Setting`].
pub fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let rate = settings.fraction("framerate")?;
    let strict = settings.flag("strict")?.unwrap_or(false);
    settings.finish()?;
    Ok(Box::new(Raw(RawStream::new(Pictures::new(strict), rate))))
}

impl Demuxer for Raw {
    fn poll(&mut self, input: &mut Input) -> Result<Event> {
        Ok(match self.0.poll(input)? {
            RawEvent::Stream(info) => Event::Stream(0, Box::new(info)),
            RawEvent::Packet(packet) => Event::Packet(packet),
            RawEvent::NeedBytes => Event::NeedBytes,
            RawEvent::End => Event::End,
        })
    }

    fn finish_unit(&mut self) {
        self.0.finish_unit();
    }
}
