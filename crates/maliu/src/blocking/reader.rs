//! A source and a packet reader, pumped: iterate over packets, or ask for events.

use std::{collections::VecDeque, io as std_io};

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::{PacketReader, Verdict},
    stream::StreamInfo,
    time::{Ticks, TimeBase},
};

use crate::{
    error::{Error, MediaError, Result},
    io::{Source, overclaimed, uninterrupted},
};

/// Events that [`Reader::start`] holds back at most.
const MAX_HELD: usize = 4096;

/// Packets from a source.
///
/// After a `WouldBlock` ("not yet"), and after every other error of the source, the same call can be made again and goes
/// on where it stopped.
pub struct Reader<S> {
    source: S,
    input: Input,
    reader: PacketReader,
    block_size: usize,
    held: VecDeque<Event>,
    /// The iterator has said its last word.
    over: bool,
}

impl<S: Source> Reader<S> {
    /// A reader that finds out by content which format it is given. Nothing is read yet.
    pub fn new(source: S) -> Self {
        Self::with(source, PacketReader::detect(formats::ALL))
    }

    /// A reader of this format; nothing is probed.
    ///
    /// # Errors
    /// When the format is only written, or for its settings.
    pub fn of(source: S, format: &'static Format, settings: &[(&str, &str)]) -> Result<Self> {
        Ok(Self::with(source, PacketReader::of(format, settings)?))
    }

    /// A reader over a packet reader of the caller's choice.
    pub fn with(mut source: S, reader: PacketReader) -> Self {
        let input = if source.seekable() { Input::seekable(source.size()) } else { Input::new() };
        let block_size = source.block_size();
        Self { source, input, reader, block_size, held: VecDeque::new(), over: false }
    }

    /// Reads this many bytes at a time.
    pub fn with_block_size(mut self, bytes: usize) -> Self {
        self.block_size = bytes.max(1);
        self
    }

    /// Reads until the first packet is at hand, so that [`Reader::streams`] tells what is there. Loses nothing.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn start(&mut self) -> Result<()> {
        while self.held.len() < MAX_HELD && !matches!(self.held.back(), Some(Event::Packet(_) | Event::End)) {
            let event = self.read_event()?;
            self.held.push_back(event);
        }
        Ok(())
    }

    /// What comes next; never [`Event::NeedBytes`]. After [`Event::End`] it is the end again, unless the source grew.
    ///
    /// # Errors
    /// Those of the source and of the demuxer. [`Error::is_not_yet`] when a non-blocking source has nothing.
    pub fn next_event(&mut self) -> Result<Event> {
        match self.held.pop_front() {
            Some(event) => Ok(event),
            None => self.read_event(),
        }
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn next_packet(&mut self) -> Result<Option<Packet>> {
        loop {
            match self.next_event()? {
                Event::Packet(packet) => return Ok(Some(packet)),
                Event::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// Goes to the last packet at which decoding can start at or before `to` (in `base`).
    ///
    /// # Errors
    /// `NotSeekable` when the source only moves forward, and as [`Reader::next_event`].
    pub fn seek(&mut self, to: Ticks, base: TimeBase) -> Result<()> {
        self.start()?;
        self.reader.seek(to, base, &mut self.input)?;
        self.held.retain(|event| !matches!(event, Event::Packet(_) | Event::End));
        self.over = false;
        Ok(())
    }

    /// The streams met so far, as last described.
    pub fn streams(&self) -> &[StreamInfo] {
        self.reader.streams()
    }

    /// The format, once it is known.
    pub fn format(&self) -> Option<&'static Format> {
        self.reader.format()
    }

    /// What the probes said.
    pub fn verdict(&self) -> &Verdict {
        self.reader.verdict()
    }

    /// Length of the whole input, when it is known.
    pub fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.reader.duration()
    }

    /// Offset of the first byte not yet taken by the demuxer.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }

    fn read_event(&mut self) -> Result<Event> {
        loop {
            let polled = self.reader.poll(&mut self.input);
            log_warnings(&mut self.input, &self.reader);
            match polled? {
                Event::NeedBytes if self.input.ended() => return Err(stuck(&self.reader, &self.input)),
                Event::NeedBytes => feed(&mut self.source, &mut self.input, self.block_size)?,
                event => return Ok(event),
            }
        }
    }
}

/// Packets until the end. An error of the media is the last item; after one of the source the next call asks again.
impl<S: Source> Iterator for Reader<S> {
    type Item = Result<Packet>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.next_packet().transpose();
        self.over = matches!(item, None | Some(Err(Error::Media(_))));
        item
    }
}

/// Feeds `input` once.
fn feed(source: &mut impl Source, input: &mut Input, block_size: usize) -> std_io::Result<()> {
    let at = input.next_read();
    if let Some(bytes) = source.share(at) {
        input.push_bytes(bytes);
        input.end();
        return Ok(());
    }
    let got = uninterrupted(|| {
        input.fill(block_size, |at, buf| {
            let got = source.read_at(at, buf)?;
            if got > buf.len() { Err(overclaimed(got, buf.len())) } else { Ok(got) }
        })
    })?;
    if got == 0 {
        input.end();
    }
    Ok(())
}

/// Hands the remarks of the demuxer to the log.
pub(crate) fn log_warnings(input: &mut Input, reader: &PacketReader) {
    let (warnings, more) = input.take_warnings();
    if warnings.is_empty() {
        return;
    }
    let format = reader.format().map_or("probe", |format| format.name);
    for warning in warnings {
        tracing::warn!(at = warning.at, "{format}: {} at byte {}", warning.what, warning.at);
    }
    if more > 0 {
        tracing::warn!("{format}: {more} further remarks");
    }
}

/// The error of a demuxer that asks for bytes beyond the end, which would otherwise be asked for ever.
pub(crate) fn stuck(reader: &PacketReader, input: &Input) -> Error {
    let format = reader.format().map_or("probe", |format| format.name);
    MediaError::malformed(format, "more bytes are needed after the end", input.offset()).into()
}
