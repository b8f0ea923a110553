//! An input and the packet reader on it: all of a reader but who waits for its bytes.
//!
//! ```text
//!   Source ─ read(at, buffer) ─▶ feed() ─▶ Input ─▶ PacketReader ─▶ poll() ─▶ Event; Pending: feed again
//!                                                                     └ remarks ─▶ log
//! ```

use std::{collections::VecDeque, io, task::Poll, time::Duration};

use maliu_core::{
    format::Event,
    input::{Block, Input},
    reader::PacketReader,
    time::{Ticks, TimeBase},
};

use crate::{
    error::{MediaError, Result},
    io::{overclaimed, uninterrupted},
    log::{self, Remarks},
};

/// Where a seek has arrived: the packet that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Landing {
    /// Index of the packet's stream.
    pub stream: usize,
    /// When it is presented, or else decoded; `None` when its format does not say.
    pub time: Option<Ticks>,
    /// The unit of `time`.
    pub base: TimeBase,
}

impl Landing {
    /// The time from the start of the input; zero when it is not known.
    pub fn position(&self) -> Duration {
        self.time.map_or(Duration::ZERO, |time| self.base.duration(time))
    }
}

/// How far before the wanted time decoding starts to be exact there: more than the frames that any audio codec needs.
pub(crate) const PREROLL: Duration = Duration::from_secs(1);

/// Events that are held back at most while the first packet is looked for.
pub(crate) const MAX_HELD: usize = 4096;

pub(crate) struct Drive {
    pub input: Input,
    pub reader: PacketReader,
    /// Bytes that are asked for at a time.
    pub block_size: usize,
    /// Events that were read ahead of the one that was asked for.
    pub held: VecDeque<Event>,
    /// Remarks that wait to be logged in time; `None` when they are logged at once.
    pub remarks: Option<Vec<Remarks>>,
}

impl Drive {
    pub(crate) fn new(input: Input, reader: PacketReader, block_size: usize) -> Self {
        Self { input, reader, block_size, held: VecDeque::new(), remarks: None }
    }

    /// Returns the next event behind those that are held; [`Poll::Pending`]: feed first.
    #[inline]
    pub(crate) fn poll(&mut self) -> Result<Poll<Event>, MediaError> {
        let polled = self.reader.poll(&mut self.input);
        if let Some(remarks) = Remarks::of(&mut self.input, &self.reader) {
            match &mut self.remarks {
                Some(waiting) => waiting.push(remarks),
                None => remarks.log(),
            }
        }
        // A packet stays where the demuxer put it: only what is rare is looked at by value.
        if matches!(polled, Ok(Poll::Pending)) && self.input.ended() {
            return Err(self.stuck());
        }
        polled
    }

    /// The error of a demuxer that asks for bytes beyond the end, which would otherwise be asked again without end.
    #[cold]
    fn stuck(&self) -> MediaError {
        let format = log::name(&self.reader);
        MediaError::malformed(format, "more bytes are needed after the end", self.input.offset())
    }

    /// Whether enough is held: a packet, or the end.
    pub(crate) fn is_started(&self) -> bool {
        self.held.len() >= MAX_HELD || matches!(self.held.back(), Some(Event::Packet(_) | Event::End))
    }

    /// The packet that comes next, of those that are held.
    pub(crate) fn landing(&self) -> Option<Landing> {
        self.held.iter().find_map(|event| match event {
            Event::Packet(packet) => {
                let (stream, time, base) = (packet.stream, packet.pts.or(packet.dts), packet.time_base);
                Some(Landing { stream, time, base })
            }
            _ => None,
        })
    }

    /// Goes to `to` (in `base`): packets that are held are dropped, descriptions are not.
    pub(crate) fn seek(&mut self, to: Ticks, base: TimeBase) -> Result<()> {
        self.reader.seek(to, base, &mut self.input)?;
        self.held.retain(|event| !matches!(event, Event::Packet(_) | Event::End));
        Ok(())
    }
}

/// Feeds `input` once with what `read(at, buffer)` puts there, up to `block_size` bytes, and returns how many; none are
/// the end. Interruptions are passed over. For those who drive a demuxer themselves.
///
/// # Errors
/// Those of `read`, with nothing fed; the same call can be made again.
pub fn feed(
    input: &mut Input,
    block_size: usize,
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let got = uninterrupted(|| {
        input.fill(block_size, |at, buf| {
            let got = read(at, buf)?;
            if got > buf.len() { Err(overclaimed(got, buf.len())) } else { Ok(got) }
        })
    })?;
    if got == 0 {
        input.end();
    }
    Ok(got)
}

/// As [`feed`], with what `read(at, block)` puts into a block.
pub(crate) fn feed_block(
    input: &mut Input,
    block_size: usize,
    read: impl FnOnce(u64, &mut Block) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut block = input.block(block_size);
    let got = read(input.next_read(), &mut block)?;
    let room = block.room().len();
    if got > room {
        return Err(overclaimed(got, room));
    }
    input.attach(block, got);
    if got == 0 {
        input.end();
    }
    Ok(got)
}
