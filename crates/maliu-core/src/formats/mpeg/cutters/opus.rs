//! Opus packets behind control headers.

use alloc::boxed::Box;

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
    syntax::opus::{self, Control},
};

pub(super) struct Packets {
    facts: Option<Facts>,
    /// Bytes are passed over.
    junk: bool,
}

/// Most bytes of a packet; more are no length.
const MAX_PACKET: usize = 1 << 16;

impl Packets {
    /// `config`: the identification header, which the container's descriptor says.
    pub(super) fn new(config: &[u8]) -> Self {
        let audio = Audio::new(opus::RATE, opus::channels(config));
        let config = Bytes::copy_from_slice(config);
        Self {
            facts: Some(Facts { codec: Codec::Opus, media: Media::Audio(audio), config, profile: None }),
            junk: false,
        }
    }
}

impl Cutter for Packets {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        loop {
            let window = input.peek();
            let control = match Control::parse(window) {
                Some(Some(control)) if control.packet <= MAX_PACKET => control,
                Some(None) if !input.ended() && window.len() < MAX_PACKET / 128 => return Ok(Cut::NeedBytes),
                _ if window.is_empty() => return Ok(if input.ended() { Cut::End } else { Cut::NeedBytes }),
                _ => {
                    self.skip(input);
                    continue;
                }
            };
            if window.len() < control.size + control.packet {
                if !input.ended() {
                    return Ok(Cut::NeedBytes);
                }
                input.skip(usize::MAX);
                continue;
            }
            self.junk = false;
            let at = input.offset();
            input.skip(control.size);
            let data = input.take(control.packet).unwrap_or_default();
            let end = input.offset();
            let samples = (opus::samples(&data), opus::RATE);
            let trim = (control.start_trim.into(), control.end_trim.into());
            let facts = self.facts.take().map(Box::new);
            return Ok(Cut::Unit(Unit { at, end, data, key: true, samples, trim, facts, ..Unit::default() }));
        }
    }
}

impl Packets {
    fn skip(&mut self, input: &mut Input) {
        if !core::mem::replace(&mut self.junk, true) {
            input.warn("bytes without an Opus control header skipped");
        }
        let next = memchr::memchr(0x7f, input.peek().get(1..).unwrap_or_default());
        input.skip(next.map_or(usize::MAX, |at| at + 1));
    }
}
