//! Frames → packets.

use super::{
    super::{
        units::{Emit, Framed, TIME_BASE, Units, describe},
        walk::Walk,
    },
    codings::Coding,
};
use crate::{
    input::Input,
    stream::{Media, StreamInfo},
    syntax::framing::{Frame, Frames},
    time::Ticks,
};

/// Reads frames of a coding.
pub(super) type Coded<C> = Framed<Whole<C>>;

/// Frames, each of which is a packet.
pub(super) struct Whole<C: Coding> {
    stream: Option<StreamInfo>,
    coding: core::marker::PhantomData<fn() -> C>,
}

impl<C: Coding> Default for Whole<C> {
    fn default() -> Self {
        Self { stream: None, coding: core::marker::PhantomData }
    }
}

impl<C: Coding> Units for Whole<C> {
    type Frames = C::Frames;

    fn frame(&mut self, frame: Frame<<C::Frames as Frames>::Header>, walk: &mut Walk<C::Frames>, input: &mut Input) {
        let (length, at) = (frame.length, input.offset());
        let Some(audio) = C::facts(input.peek().get(..length).unwrap_or_default()) else {
            input.warn("frame that cannot be read skipped");
            input.skip(length);
            return;
        };
        let rate = i64::from(audio.rate().max(1));
        let duration = Ticks(i64::from(audio.frame_size) * i64::from(TIME_BASE.den.get()) / rate);
        if walk.passes(length, duration, input) {
            return;
        }
        let mut emit = Emit::of(walk, at, duration);
        if self.stream.as_ref().and_then(StreamInfo::as_audio) != Some(&audio) {
            self.stream = Some(describe(StreamInfo::new(C::CODEC, TIME_BASE, Media::Audio(audio)), walk));
        }
        emit.unit(input.take(length).unwrap_or_default(), walk);
    }
}
