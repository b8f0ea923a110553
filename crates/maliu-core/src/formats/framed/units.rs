//! The demuxer of formats that are nothing but frames: each format says what a frame holds, the rest is the same.
//!
//! ```text
//!   Walk ─▶ frame ─▶ Units: stream, packets ─▶ pending ─▶ Event
//! ```

use alloc::boxed::Box;
use core::task::Poll;

use bytes::Bytes;

use super::walk::{Met, Walk};
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet},
    stream::StreamInfo,
    syntax::framing::{Frame, Frames},
    time::{Ticks, TimeBase},
};

/// Ticks of all rates: the least common multiple of those of ADTS but 7350 Hz, which divides it too.
pub const TIME_BASE: TimeBase = TimeBase::hz(28_224_000);

/// Turns frames of a format into packets.
pub(super) trait Units: Default + Send {
    /// How its frames are found.
    type Frames: Frames<Header: Send> + Default + Send;

    /// Takes the frame at the front and queues what it means.
    fn frame(
        &mut self,
        frame: Frame<<Self::Frames as Frames>::Header>,
        walk: &mut Walk<Self::Frames>,
        input: &mut Input,
    );

    /// The input has ended.
    fn end(&mut self, _: &mut Input) {}
}

/// The demuxer of a format of frames.
pub(super) struct Framed<U: Units> {
    walk: Walk<U::Frames>,
    units: U,
    end: Option<Ticks>,
}

impl<U: Units> Default for Framed<U> {
    fn default() -> Self {
        Self { walk: Walk::new(U::Frames::default(), TIME_BASE), units: U::default(), end: None }
    }
}

impl<U: Units> Demuxer for Framed<U> {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            match self.walk.poll(input) {
                Met::Event(event) => return Ok(Poll::Ready(event)),
                Met::Pending => return Ok(Poll::Pending),
                Met::Frame(frame) => self.units.frame(frame, &mut self.walk, input),
                // Framing leaves cut frames out.
                Met::Cut(_) => {}
                Met::End => {
                    self.units.end(input);
                    let end = self.walk.time;
                    self.end = Some(end);
                    if !self.walk.goes_back(input) {
                        return Ok(Poll::Ready(Event::End));
                    }
                    // Of several units in the frame, too, the last one.
                    self.walk.seek = Some(end - Ticks(1));
                }
            }
        }
    }

    fn reads_tags(&self) -> bool {
        true
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.walk.seek(to, base, input).map(|_| ())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.end.map(|end| (end, TIME_BASE))
    }
}

/// Units of one frame on their way to the queue.
pub(super) struct Emit {
    /// Offset of the frame.
    pub at: u64,
    /// How long each unit lasts.
    pub duration: Ticks,
    /// The configuration that replaces another with the first unit.
    pub new_config: Option<Bytes>,
    /// Units that end at or before this time were sought past.
    wanted: Ticks,
}

impl Emit {
    /// Of the frame at `at`, which ends what a seek passes over.
    pub(super) fn of<F: Frames>(walk: &mut Walk<F>, at: u64, duration: Ticks) -> Self {
        let wanted = walk.seek.take().unwrap_or(Ticks(i64::MIN));
        Self { at, duration, new_config: None, wanted }
    }

    /// Queues a unit, unless it was sought past; time goes on.
    pub(super) fn unit<F: Frames>(&mut self, data: Bytes, walk: &mut Walk<F>) {
        let mut packet = Packet {
            pts: Some(walk.time),
            dts: Some(walk.time),
            duration: Some(self.duration),
            flags: Flags::KEY,
            position: Some(self.at),
            data,
            ..Packet::default()
        };
        if let Some(config) = self.new_config.take() {
            packet.side.set_new_config(config);
        }
        walk.time += self.duration;
        if walk.time > self.wanted {
            walk.pending.push_back(Event::Packet(packet));
        }
    }
}

/// Queues the description of the only stream.
pub(super) fn describe<F: Frames>(mut stream: StreamInfo, walk: &mut Walk<F>) -> StreamInfo {
    stream.start = Some(Ticks(0));
    walk.pending.push_back(Event::Stream(0, Box::new(stream.clone())));
    stream
}
