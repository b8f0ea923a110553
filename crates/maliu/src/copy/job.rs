//! A copy step by step: the inputs with their chosen streams, then the packets one by one.

use std::{mem, thread};

use maliu_core::{
    error::Error as MediaError,
    packet::Packet,
    stream::{Metadata, StreamInfo},
    time::Ticks,
    writer::{PacketWriter, Plan},
};

use super::{Error, Feed, Jumps, Options, Pace, Report, To, lead::Lead, map, times::Times};
use crate::{
    blocking::Pump,
    error,
    io::{Sink, patiently},
};

/// Inputs that were read until their streams are known, and the streams that are wanted of them.
pub struct Inputs {
    feeds: Vec<Feed>,
    streams: Vec<StreamInfo>,
    to: To,
    options: Options,
}

impl Inputs {
    /// Reads until the streams are known, goes to the start where the inputs can, and chooses streams.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Map`], [`Error::NoStream`].
    pub fn open(
        inputs: impl IntoIterator<Item = impl Into<Feed>>,
        to: impl Into<To>,
        options: Options,
    ) -> Result<Self, Error> {
        let (mut feeds, to): (Vec<Feed>, To) = (inputs.into_iter().map(Into::into).collect(), to.into());
        for (index, feed) in feeds.iter_mut().enumerate() {
            feed.begin(options.start, options.low_latency, options.policy())
                .map_err(|error| Error::Read { index, error })?;
            feed.takes_others = to.format.rules.other_codecs;
        }
        let streams = map::choose(&options.map, &mut feeds, to.format)?;
        Ok(Self { feeds, streams, to, options })
    }

    /// The streams of the output, as the inputs describe them.
    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// Starts the output: checks the streams, writes what stands before the first packet.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn start<S: Sink>(self, sink: S) -> Result<Copy<S>, Error> {
        let Self { feeds, streams, mut to, options } = self;
        let mut pump = Pump::new(sink);
        let work = Work::start(&mut to, options, &feeds, &streams, &mut pump)?;
        Ok(Copy { feeds, work, pump })
    }
}

/// A copy under way.
pub struct Copy<S> {
    feeds: Vec<Feed>,
    work: Work,
    pump: Pump<S>,
}

/// Result of a step.
#[derive(Debug)]
pub enum Step {
    /// It wrote a packet, held one back, or left one out as the options want.
    Done,
    /// It left out a packet that the format cannot carry.
    Refused(MediaError),
    /// Every input has ended, or is past the end of the wanted part.
    End,
}

impl<S: Sink> Copy<S> {
    /// Copies one packet.
    ///
    /// # Errors
    /// [`Error::Read`] once, after the last packet that could be read; [`Error::Write`].
    #[inline]
    pub fn step(&mut self) -> Result<Step, Error> {
        self.work.step(&mut self.feeds, &mut self.pump)
    }

    /// The time of the packet last copied, in µs of its input.
    pub fn time(&self) -> Ticks {
        Ticks(self.work.time)
    }

    /// Bytes of all inputs that were read and understood.
    pub fn position(&self) -> u64 {
        self.feeds.iter().map(Feed::position).sum()
    }

    /// How much is to be copied, in µs, where it is known: the wanted duration, or that of the longest input.
    pub fn length(&self) -> Option<Ticks> {
        self.work.options.duration.or_else(|| self.feeds.iter().filter_map(Feed::length).max())
    }

    /// Changes and refusals by rules since the last call, one sentence each; nothing without [`Options::explain`].
    pub fn take_notes(&mut self) -> Vec<String> {
        mem::take(&mut self.work.notes)
    }

    /// Writes what stands behind the last packet and completes the sink, however reading ended: a failed input leaves a
    /// whole output of what was good. `end` is that of the last step, and is returned once the output is complete.
    ///
    /// # Errors
    /// [`Error::NoPacket`] and [`Error::EmptyWindow`], with the sink not finished; [`Error::Write`]; else `end`.
    pub fn finish(self, end: Result<(), Error>) -> (Report, Result<S, Error>) {
        let mut work = self.work;
        work.note(&self.feeds);
        work.finish(self.pump, end)
    }
}

impl Options {
    /// Policy where times jump.
    pub(super) fn policy(&self) -> Jumps {
        let kept = if self.copy_times { Jumps::Pass } else { Jumps::Restamp };
        self.jumps.unwrap_or(kept)
    }
}

/// Changes to every packet, and the writer of it.
pub(super) struct Work {
    options: Options,
    pub writer: PacketWriter,
    times: Times,
    lead: Lead,
    pace: Option<Pace>,
    /// Of the packet last copied, in µs.
    time: i64,
    refused: u64,
    strict: bool,
    cut: bool,
    notes: Vec<String>,
}

impl Work {
    pub(super) fn start<S: Sink>(
        to: &mut To,
        options: Options,
        feeds: &[Feed],
        streams: &[StreamInfo],
        pump: &mut Pump<S>,
    ) -> Result<Self, Error> {
        let metadata = without_times(feeds.first().map(|feed| feed.metadata.clone()).unwrap_or_default());
        let settings: Vec<_> = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let plan = Plan::new(to.format, &settings, &metadata);
        let started = match to.muxer.take() {
            None => plan.start(streams, pump.output()),
            Some(muxer) => plan.start_muxer(muxer, streams, pump.output()),
        };
        let mut writer = started.map_err(|error| Error::Write(error.into()))?;
        writer.explain(options.explain);
        let times = Times::new(&options, to.format, feeds, writer.streams());
        let lead = Lead::new(options.start, feeds);
        let pace = options.pace.then(Pace::default);
        Ok(Self {
            options,
            writer,
            times,
            lead,
            pace,
            time: 0,
            refused: 0,
            strict: to.strict,
            cut: false,
            notes: Vec::new(),
        })
    }

    /// Copies the earliest packet; of pushed inputs what is there.
    pub(super) fn step<S: Sink>(&mut self, feeds: &mut [Feed], pump: &mut Pump<S>) -> Result<Step, Error> {
        let times = feeds.iter_mut().enumerate().filter_map(|(index, feed)| Some((feed.next_time()?, index)));
        let Some((time, index)) = times.min() else {
            return match self.lead.end() {
                Some(index) => self.release(index, pump),
                None => ended(feeds),
            };
        };
        let Some(packet) = feeds.get_mut(index).and_then(Feed::take) else { return Ok(Step::Done) };
        self.time = time;
        if self.times.past(time, packet.stream) {
            return match self.times.all_past().then(|| self.lead.end()) {
                Some(Some(index)) => self.release(index, pump),
                Some(None) => ended(feeds),
                None => Ok(Step::Done),
            };
        }
        if !self.lead.is_before(index) {
            if self.lead.is_too_early(index, &packet) {
                self.writer.pass(packet.data.len());
                return Ok(Step::Done);
            }
            return self.write(packet, time, pump);
        }
        let shown = self.times.shown(&packet);
        if self.lead.hold(index, packet, shown) { self.release(index, pump) } else { Ok(Step::Done) }
    }

    /// Writes what was held until the start of an input.
    fn release<S: Sink>(&mut self, index: usize, pump: &mut Pump<S>) -> Result<Step, Error> {
        let mut step = Step::Done;
        while let Some(earlier) = self.lead.next(index) {
            let time = self.times.decoded(&earlier).unwrap_or(self.time);
            if let refused @ Step::Refused(_) = self.write(earlier, time, pump)? {
                step = refused;
            }
        }
        Ok(step)
    }

    /// Writes one packet, which is due at `time` in µs.
    fn write<S: Sink>(&mut self, mut packet: Packet, time: i64, pump: &mut Pump<S>) -> Result<Step, Error> {
        let bytes = packet.data.len();
        if !self.times.apply(&mut packet) {
            self.writer.pass(bytes);
            return Ok(Step::Done);
        }
        if let Some(wait) = self.pace.as_mut().map(|pace| pace.wait(time)).filter(|wait| !wait.is_zero()) {
            flush(pump)?;
            thread::sleep(wait);
        }
        let written = match self.options.interleave {
            true => self.writer.write_interleaved(packet, pump.output()),
            false => self.writer.write(packet, pump.output()),
        };
        if self.options.explain {
            self.explain();
        }
        let step = self.judge(written)?;
        if let Step::Refused(_) = step {
            self.writer.pass(bytes);
        }
        let moved = match self.writer.flushes_packets() || self.options.low_latency {
            true => flush(pump),
            false => {
                patiently(|| pump.pump().and_then(|()| pump.ready()), error::Error::is_not_yet).map_err(Error::Write)
            }
        };
        moved.map(|()| step)
    }

    /// A packet that the format cannot carry is left out and counted; the rest goes on.
    #[inline]
    fn judge(&mut self, written: Result<(), MediaError>) -> Result<Step, Error> {
        match written {
            Ok(()) => Ok(Step::Done),
            Err(error @ (MediaError::Packet { .. } | MediaError::Mux { .. })) if !self.strict => {
                self.refused += 1;
                Ok(Step::Refused(error))
            }
            Err(error) => Err(Error::Write(error.into())),
        }
    }

    fn explain(&mut self) {
        self.notes.append(&mut self.times.take_notes());
        while let Some(note) = self.writer.next_explanation() {
            self.notes.push(note.to_string());
        }
    }

    /// Notes what was done about jumps of time.
    pub(super) fn note(&mut self, feeds: &[Feed]) {
        for (jumps, cut) in feeds.iter().map(Feed::jumps) {
            jumps.for_each(|(output, count)| self.times.note_jumps(output, count));
            self.cut |= cut;
        }
    }

    /// Completes the output with what was good, however reading ended.
    pub(super) fn finish<S: Sink>(self, mut pump: Pump<S>, end: Result<(), Error>) -> (Report, Result<S, Error>) {
        let Self { writer, options, times, refused, cut, .. } = self;
        let report = Report { name: options.name, streams: times.report(), refused, cut };
        if let Err(Error::Write(error::Error::Io(_))) = end {
            return (report, end.map(|()| pump.into_sink()));
        }
        let written: u64 = writer.written().iter().sum::<u64>() + writer.waiting().0 as u64;
        let finished = writer.finish(pump.output()).map_err(|error| Error::Write(error.into()));
        let windowed = options.start.is_some() || options.duration.is_some();
        let end = match end {
            end if written > 0 => Ok(end),
            Err(error) => Err(error),
            Ok(()) if refused > 0 => Err(Error::NoPacket),
            Ok(()) if windowed => Err(Error::EmptyWindow),
            Ok(()) => Ok(Ok(())),
        };
        let end = end.and_then(|end| {
            patiently(|| pump.finish(), error::Error::is_not_yet).map_err(Error::Write)?;
            finished.and(end)
        });
        (report, end.map(|()| pump.into_sink()))
    }
}

fn flush<S: Sink>(pump: &mut Pump<S>) -> Result<(), Error> {
    patiently(|| pump.flush(), error::Error::is_not_yet).map_err(Error::Write)
}

/// The end, unless an input failed.
fn ended(feeds: &mut [Feed]) -> Result<Step, Error> {
    let failed = feeds.iter_mut().enumerate().find_map(|(index, feed)| Some((index, feed.failure()?)));
    failed.map_or(Ok(Step::End), |(index, error)| Err(Error::Read { index, error }))
}

/// Tags that describe the input file rather than its content are made anew by the muxer.
fn without_times(mut metadata: Metadata) -> Metadata {
    metadata.remove("duration");
    metadata.remove("filesize");
    metadata
}
