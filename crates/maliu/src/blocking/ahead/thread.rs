//! The thread of a reader, and the batches of events that go to and fro.

use std::{
    collections::VecDeque,
    mem,
    sync::mpsc::{Receiver, Sender, channel},
    task::Poll,
    thread,
};

use maliu_core::format::Event;

use super::gone;
use crate::{blocking::Reader, error::Result, io::Source, log::Remarks, threads};

/// Batches of events that are read before they are wanted, at most; each holds what one read of the source brought.
pub(super) const BATCHES: usize = 3;

/// Events in a batch, at most.
pub(super) const MAX_EVENTS: usize = 1024;

/// Bytes of the input that the batches stand for, at most, but for the last one.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// A thread with a reader, as its caller sees it. It ends when its caller is gone.
pub(super) struct Thread {
    asks: Sender<Ask>,
    answers: Receiver<Batch>,
    batch: Batch,
}

enum Ask {
    /// Fill this.
    Fill(Batch),
    /// Go on behind an end or an error.
    Again,
}

/// Events in a row.
#[derive(Default)]
struct Batch {
    events: VecDeque<Event>,
    /// With the number of events in front of them.
    remarks: VecDeque<(usize, Remarks)>,
    taken: usize,
    /// Outcome in place of a further event.
    failed: Option<crate::Error>,
    /// An end or an error: nothing is read before that was seen.
    last: bool,
    /// Where the demuxer stands behind it.
    offset: u64,
    /// Bytes that the demuxer took for it.
    bytes: u64,
}

impl Thread {
    /// Gives a reader a thread.
    ///
    /// # Errors
    /// The reader, when the system has no thread left; nothing if the thread ended at once.
    pub(super) fn with<S: Source + Send + 'static>(reader: Box<Reader<S>>) -> Result<Self, Option<Box<Reader<S>>>> {
        let (asks, asked) = channel();
        let (answer, answers) = channel();
        let batch = Batch { offset: reader.offset(), ..Batch::default() };
        threads::spawn("demuxer", reader, move |reader| Filler::new(reader).work(&asked, &answer))?;
        for _ in 0..BATCHES {
            asks.send(Ask::Fill(Batch::default())).map_err(|_| None)?;
        }
        Ok(Self { asks, answers, batch })
    }

    /// The next event, if it has come already.
    #[inline(always)]
    pub(super) fn at_hand(&mut self) -> Option<Event> {
        self.batch.next()
    }

    /// The next event.
    pub(super) fn next_event(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.batch.next() {
                return Ok(event);
            }
            if let Some(error) = self.batch.failed.take() {
                return Err(error);
            }
            self.exchange()?;
        }
    }

    /// Where the demuxer stands behind the events that are being handed out.
    pub(super) fn offset(&self) -> u64 {
        self.batch.offset
    }

    /// Gives the batch that was worked on for the next one.
    fn exchange(&mut self) -> Result<()> {
        if mem::take(&mut self.batch.last) {
            self.asks.send(Ask::Again).map_err(|_| gone())?;
        }
        let next = self.answers.recv().map_err(|_| gone())?;
        let done = mem::replace(&mut self.batch, next);
        self.asks.send(Ask::Fill(done)).map_err(|_| gone())
    }
}

impl Batch {
    #[inline(always)]
    fn next(&mut self) -> Option<Event> {
        if !self.remarks.is_empty() {
            self.remark();
        }
        self.taken += 1;
        self.events.pop_front()
    }

    /// Logs what was noted before the next event.
    fn remark(&mut self) {
        while self.remarks.front().is_some_and(|(before, _)| *before <= self.taken) {
            self.remarks.pop_front().into_iter().for_each(|(_, remarks)| remarks.log());
        }
    }

    #[inline(always)]
    fn put(&mut self, event: Event) {
        self.last = matches!(event, Event::End);
        self.events.push_back(event);
    }

    fn clear(&mut self) {
        (self.taken, self.failed, self.last, self.bytes) = (0, None, false, 0);
        self.events.clear();
        self.remarks.clear();
    }
}

/// The reader on its thread.
struct Filler<S> {
    reader: Box<Reader<S>>,
    /// More bytes are needed.
    hungry: bool,
    /// Bytes of the batches that are not back yet.
    out: u64,
}

impl<S: Source> Filler<S> {
    fn new(mut reader: Box<Reader<S>>) -> Self {
        reader.drive.remarks = Some(Vec::new());
        if thread::available_parallelism().is_ok_and(|cores| cores.get() <= 2) {
            reader.settle();
        }
        Self { reader, hungry: false, out: 0 }
    }

    fn work(mut self, asked: &Receiver<Ask>, answer: &Sender<Batch>) {
        let (mut empty, mut resting) = (Vec::new(), false);
        for ask in asked {
            match ask {
                Ask::Again => resting = false,
                Ask::Fill(mut batch) => {
                    self.out = self.out.saturating_sub(batch.bytes);
                    batch.clear();
                    empty.push(batch);
                }
            }
            while let Some(mut batch) = empty.pop_if(|_| !resting && self.out < MAX_BYTES) {
                self.fill(&mut batch);
                resting = batch.last;
                if answer.send(batch).is_err() {
                    return;
                }
            }
        }
    }

    fn fill(&mut self, batch: &mut Batch) {
        let from = self.reader.offset();
        batch.failed = self.read(batch).err();
        batch.last |= batch.failed.is_some();
        batch.offset = self.reader.offset();
        batch.bytes = batch.offset.saturating_sub(from);
        self.out = self.out.saturating_add(batch.bytes);
    }

    /// Reads until there is something and the source would have to be asked for more.
    fn read(&mut self, batch: &mut Batch) -> Result<()> {
        while !batch.last && batch.events.len() < MAX_EVENTS {
            if let Some(event) = self.reader.drive.held.pop_front() {
                batch.put(event);
                continue;
            }
            if self.hungry {
                if !batch.events.is_empty() {
                    break;
                }
                self.reader.feed()?;
                self.hungry = false;
            }
            let polled = self.reader.drive.poll();
            if let Some(noted) = self.reader.drive.remarks.as_mut().filter(|noted| !noted.is_empty()) {
                batch.remarks.extend(noted.drain(..).map(|remarks| (batch.events.len(), remarks)));
            }
            match polled? {
                Poll::Pending => self.hungry = true,
                Poll::Ready(event) => batch.put(event),
            }
        }
        Ok(())
    }
}
