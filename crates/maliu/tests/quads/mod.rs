//! A format for tests of I/O: every four bytes are a packet, what is left at the end is a shorter one.

use std::task::Poll;

use maliu::{
    Codec, Event, Format, MediaError, StreamInfo, Ticks, TimeBase,
    format::{Demuxer, Score},
    input::Input,
    packet::Packet,
    reader::PacketReader,
    stream::Media,
    timing::Rules,
};

pub(crate) static QUADS: Format = Format {
    name: "quads",
    long_name: "four bytes a packet",
    mime: &[],
    extensions: &[],
    probe: |_| Score::Sure("a test"),
    demuxer: Some(|_| Ok(Box::new(Quads::default()))),
    muxer: None,
    settings: &[],
    rules: Rules::STRICT,
    default_codecs: (None, None),
};

#[derive(Default)]
struct Quads {
    started: bool,
}

impl Demuxer for Quads {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>, MediaError> {
        if !self.started {
            self.started = true;
            return Ok(Poll::Ready(Event::Stream(
                0,
                StreamInfo::new(Codec::Data, TimeBase::SECONDS, Media::Data).into(),
            )));
        }
        let (at, size) = (input.offset(), input.peek().len().min(4));
        match (size, input.ended()) {
            (0, true) => Ok(Poll::Ready(Event::End)),
            (0..4, false) => Ok(Poll::Pending),
            _ => {
                let pts = Some(Ticks(at as i64 / 4));
                let data = input.take(size).unwrap_or_default();
                Ok(Poll::Ready(Event::Packet(Packet::of(0, data).at(pts).with_position(at))))
            }
        }
    }

    fn seek(&mut self, to: Ticks, _: TimeBase, input: &mut Input) -> Result<(), MediaError> {
        input.goto(to.0 as u64 * 4)
    }
}

pub(crate) fn reader() -> PacketReader {
    PacketReader::of(&QUADS, &[]).unwrap()
}
