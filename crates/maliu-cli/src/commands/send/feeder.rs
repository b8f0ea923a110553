//! Reads an input in batches of events: its streams first, packets at their time when live.

use std::{collections::BTreeMap, thread, time::Duration};

use maliu::{
    account::{Account, Weigh},
    copy::Pace,
    format::Event,
    stream::StreamInfo,
    time::{Rounding, TimeBase},
};

use crate::{
    context::Context,
    failure::Result,
    input::{self, Opened},
};

/// Packets that are read ahead, at most, to find streams that begin late; fewer when live.
const LOOK: usize = 512;
const LOOK_LIVE: usize = 64;

/// Bytes of memory that are read ahead at most.
const LOOK_BYTES: usize = 4 << 20;

/// Events, and bytes of memory, of a batch.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 256 << 10;

/// An input being read.
pub(super) struct Feeder {
    opened: Opened,
    pace: Option<Pace>,
    streams: BTreeMap<usize, StreamInfo>,
    /// Events in front, and the end if it came.
    front: Option<(Vec<Event>, Option<Result>)>,
}

impl Feeder {
    /// Opens an input. Nothing is read yet.
    pub(super) fn open(input: &input::Args, live: bool, context: &Context) -> Result<Self> {
        let (opened, pace) = (input.open(context)?, live.then(Pace::default));
        Ok(Self { opened, pace, streams: BTreeMap::new(), front: None })
    }

    /// Reads the beginning of a file, which brings no surprises later; others may take long to begin.
    ///
    /// # Errors
    /// Nothing in it can be read.
    pub(crate) fn look(&mut self) -> Result {
        if self.opened.is_live() {
            return Ok(());
        }
        let (front, end) = self.look_ahead();
        match end {
            Some(Err(failure)) if !front.iter().any(|event| matches!(event, Event::Packet(_))) => Err(failure),
            end => {
                self.front = Some((front, end));
                Ok(())
            }
        }
    }

    /// Gives batches to `give`, with the bytes of the input read so far, until it refuses one or the input ends. An input
    /// that fails gives what was good, and its end.
    pub(super) fn run(&mut self, mut give: impl FnMut(Vec<Event>, u64) -> bool) -> Result {
        let (mut batch, mut end) = match self.front.take() {
            Some(front) => front,
            None => self.look_ahead(),
        };
        let mut bytes = 0;
        loop {
            while end.is_none() && batch.len() < BATCH && bytes < BATCH_BYTES {
                match self.opened.next() {
                    Ok(Some(event)) => {
                        bytes += event.weight();
                        let wait = self.wait(&event);
                        if !wait.is_zero() {
                            if !batch.is_empty() && !give(std::mem::take(&mut batch), self.opened.position()) {
                                return Ok(());
                            }
                            thread::sleep(wait);
                        }
                        batch.push(event);
                        if self.pace.is_some() {
                            break;
                        }
                    }
                    Ok(None) => end = Some(Ok(())),
                    Err(failure) => end = Some(Err(failure)),
                }
            }
            if end.is_some() {
                batch.push(Event::End);
            }
            if !give(std::mem::take(&mut batch), self.opened.position()) {
                return Ok(());
            }
            bytes = 0;
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Streams, as they are described when all that are expected have shown, before the first packet.
    fn look_ahead(&mut self) -> (Vec<Event>, Option<Result>) {
        let (mut tags, mut packets, mut end) = (None, Vec::new(), None);
        let mut account = Account::default();
        let most = if self.pace.is_some() { LOOK_LIVE } else { LOOK };
        while packets.len() < most && account.bytes() < LOOK_BYTES && (packets.is_empty() || !self.complete()) {
            match self.opened.next() {
                Ok(Some(Event::Stream(index, info))) => {
                    self.streams.insert(index, *info);
                }
                Ok(Some(event @ Event::Packet(_))) => {
                    account.add(&event);
                    packets.push(event);
                }
                // Those before say less.
                Ok(Some(event @ Event::Metadata(_))) => tags = Some(event),
                Ok(Some(_)) => {}
                Ok(None) => end = Some(Ok(())),
                Err(failure) => end = Some(Err(failure)),
            }
            if end.is_some() {
                break;
            }
        }
        let streams = self.streams.iter().map(|(index, info)| Event::Stream(*index, Box::new(info.clone())));
        (streams.chain(tags).chain(packets).collect(), end)
    }

    /// Whether no further stream is expected.
    fn complete(&self) -> bool {
        !self.streams.is_empty() && self.opened.shows_all(self.opened.reader.streams())
    }

    /// How long an event is to be held back.
    fn wait(&mut self, event: &Event) -> Duration {
        if let Event::Stream(index, info) = event {
            self.streams.insert(*index, (**info).clone());
        }
        let (Some(pace), Event::Packet(packet)) = (&mut self.pace, event) else { return Duration::ZERO };
        let Some(stream) = self.streams.get(&packet.stream) else { return Duration::ZERO };
        let Some(time) = packet.dts.or(packet.pts) else { return Duration::ZERO };
        pace.wait(stream.time_base.rescale(time, TimeBase::MICROS, Rounding::Near).0)
    }
}
