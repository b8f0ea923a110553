//! Drives any demuxer: finds out which one fits, then hands on its events.
//!
//! ```text
//!   Input.peek() ─▶ probe(prefix of 64, 80, 96, … bytes) ─▶ Verdict ─▶ Demuxer.poll(Input) ─▶ Event
//! ```

use alloc::{borrow::Cow, boxed::Box, format, string::String, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use crate::{
    account::{Sieve, Weigh},
    error::{Error, Result},
    format::{Declared, Demuxer, Event, Format, Score},
    input::{Input, MAX_WINDOW},
    stream::{StreamInfo, limits::MAX_DESCRIPTIONS},
    syntax::{
        foreign, id3v2,
        psi::Multiplex,
        tags::{Step, Tags},
    },
    time::{Ticks, TimeBase},
};

/// Bytes that are looked at before an input counts as unrecognised, unless set otherwise.
pub const PROBE_BUDGET: usize = 1 << 20;

/// Largest leading ID3v2 tags that are passed over in probing, in bytes together; a larger size is taken for no tag.
pub const MAX_LEADING_TAG: usize = 16 << 20;

/// Most streams that one input may open.
pub const MAX_STREAMS: usize = 1024;

/// Which formats scored what, and why.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// Bytes that were looked at, from the start of the input.
    pub looked_at: usize,
    /// Bytes of them that were passed over as an ID3v2 tag.
    pub tag: usize,
    /// Format name and score, in the order of the list.
    pub scores: Vec<(&'static str, Score)>,
    /// The format that was chosen.
    pub chosen: Option<&'static str>,
}

impl Verdict {
    /// The highest level that a format scored.
    fn best(&self) -> Option<u8> {
        self.scores.iter().map(|(_, score)| score.level()).max()
    }
}

/// Settings for formats that may be recognised: a format's name, then name and value.
type Presets = Vec<(&'static str, &'static str, String)>;

/// Bytes in, packets out, whatever the format.
pub struct PacketReader {
    state: State,
    streams: Vec<StreamInfo>,
    verdict: Verdict,
    sieve: Sieve,
    /// Where the demuxer stood after the last packet.
    behind: u64,
    audit: bool,
    /// Settings for a format that may be recognised: its name, then name and value.
    presets: Option<Box<Presets>>,
}

enum State {
    Probing {
        formats: &'static [&'static Format],
        budget: usize,
        next: usize,
    },
    /// `leading`: what tags in front have said, while some may follow that the demuxer does not read itself.
    Reading {
        format: &'static Format,
        demuxer: Box<dyn Demuxer>,
        leading: Option<Tags>,
    },
}

impl PacketReader {
    /// A reader that finds out by content which of `formats` it is given. Loses no byte, works on a pipe.
    pub fn detect(formats: &'static [&'static Format]) -> Self {
        Self::detect_within(formats, PROBE_BUDGET)
    }

    /// As [`PacketReader::detect`], looking at no more than `budget` bytes.
    pub fn detect_within(formats: &'static [&'static Format], budget: usize) -> Self {
        Self::in_state(State::Probing { formats, budget, next: FIRST_LOOK })
    }

    /// A reader of this format; nothing is probed.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the format is only written, [`Error::Setting`] for its settings.
    pub fn of(format: &'static Format, settings: &[(&str, &str)]) -> Result<Self> {
        Ok(Self::in_state(State::begin(format, settings)?))
    }

    /// A reader over a demuxer of the caller's own, presented as `format`.
    pub fn with(format: &'static Format, demuxer: Box<dyn Demuxer>) -> Self {
        Self::in_state(State::Reading { format, demuxer, leading: None })
    }

    fn in_state(state: State) -> Self {
        let (verdict, sieve) = (Verdict::default(), Sieve::default());
        Self { state, streams: Vec::new(), verdict, sieve, behind: 0, audit: false, presets: None }
    }

    /// Makes the demuxer keep what the header declares ([`PacketReader::declared`]) and remark on configurations that
    /// come late or again, where the format knows of such things. To be called before the first byte is fed.
    pub fn auditing(mut self) -> Self {
        self.audit = true;
        if let State::Reading { format, demuxer, .. } = &mut self.state
            && let Ok(audited) = open(format, audit(format, true))
            && !audit(format, true).is_empty()
        {
            *demuxer = audited;
        }
        self
    }

    /// Facts that the header has declared so far, with [`PacketReader::auditing`]; `None` where the format declares
    /// nothing.
    pub fn declared(&self) -> Option<&Declared> {
        match &self.state {
            State::Reading { demuxer, .. } => demuxer.declared(),
            State::Probing { .. } => None,
        }
    }

    /// Gives settings to the demuxer if the input turns out to be of this format. To be called before the first byte is
    /// fed; a reader of a declared format has its settings already.
    pub fn with_settings_of(mut self, format: &'static Format, settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (format.name, *name, (*value).into()));
        self.presets.get_or_insert_default().extend(settings);
        self
    }

    /// Facts of a transport stream as a whole, as far as it was read, with [`PacketReader::auditing`] or the setting
    /// `audit`; `None` for other formats.
    pub fn multiplex(&self) -> Option<Multiplex> {
        match &self.state {
            State::Reading { demuxer, .. } => demuxer.multiplex(),
            State::Probing { .. } => None,
        }
    }

    /// Lines for people on how the input is laid out, as far as it was read; none where the format shows nothing.
    pub fn layout(&self) -> Vec<String> {
        match &self.state {
            State::Reading { demuxer, .. } => demuxer.layout(),
            State::Probing { .. } => Vec::new(),
        }
    }

    /// Returns the next event; [`Poll::Pending`] when more bytes must be fed first. Poll and feed in any order.
    ///
    /// Packets carry the time base of their stream.
    ///
    /// # Errors
    /// [`Error::Unrecognized`], [`Error::Limit`], or those of the demuxer.
    #[inline]
    pub fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        match &self.state {
            State::Reading { leading: None, .. } => self.next(input),
            _ => self.begin(input),
        }
    }

    /// Finds the format, and passes on the tags in front.
    #[cold]
    fn begin(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        if let State::Probing { .. } = self.state {
            match self.probe(input)? {
                Some(format) => {
                    let presets = self
                        .presets
                        .iter()
                        .flat_map(|presets| presets.iter())
                        .filter(|(name, ..)| *name == format.name);
                    let presets = presets.map(|(_, name, value)| (*name, value.as_str()));
                    let settings: Vec<_> = presets.chain(audit(format, self.audit).iter().copied()).collect();
                    self.state = State::begin(format, &settings)?;
                }
                None => return Ok(Poll::Pending),
            }
        }
        let State::Reading { leading, .. } = &mut self.state else { return Ok(Poll::Pending) };
        match take_tags(leading, input) {
            Some(polled) => {
                let mut polled = Ok(polled);
                self.pass_on(&mut polled, input);
                polled
            }
            None => self.next(input),
        }
    }

    /// The demuxer's next event.
    #[inline]
    fn next(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        let mut polled = match &mut self.state {
            State::Reading { demuxer, .. } => demuxer.poll(input),
            State::Probing { .. } => Ok(Poll::Pending),
        };
        self.pass_on(&mut polled, input);
        polled
    }

    /// Completes an event, in its place: a packet is not moved for it.
    #[inline]
    fn pass_on(&mut self, polled: &mut Result<Poll<Event>>, input: &mut Input) {
        match polled {
            Ok(Poll::Ready(Event::Packet(packet))) => {
                if let Some(stream) = self.streams.get(packet.stream) {
                    packet.time_base = stream.time_base;
                }
                let at = input.offset();
                self.sieve.pass(usize::try_from(at.saturating_sub(self.behind)).unwrap_or(usize::MAX));
                self.behind = at;
                self.sieve.keep(packet);
            }
            Ok(Poll::Ready(Event::Stream(index, info))) => {
                if let Err(error) = note(&mut self.streams, *index, info) {
                    *polled = Err(error);
                }
            }
            Ok(Poll::Pending) if input.peek().len() > MAX_WINDOW => {
                *polled = Err(Error::Limit { what: "unread bytes (MAX_WINDOW)", limit: MAX_WINDOW as u64 });
            }
            Ok(Poll::Pending) => input.rest(),
            // A size that lies takes a demuxer past the end: what it misses is missing there.
            Err(Error::Malformed { at, .. }) => *at = (*at).min(input.known_end()),
            _ => {}
        }
    }

    /// Goes to the last packet at which decoding can start at or before `to` (in `base`).
    ///
    /// # Errors
    /// [`Error::NotSeekable`], [`Error::Unsupported`].
    pub fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        match &mut self.state {
            State::Reading { demuxer, .. } => demuxer.seek(to, base, input),
            State::Probing { .. } => Err(Error::unsupported("seeking before the format is known")),
        }
    }

    /// The carrier knows that what was fed so far ends a unit: it is out at the next poll, not at the next start code.
    pub fn finish_unit(&mut self) {
        if let State::Reading { demuxer, .. } = &mut self.state {
            demuxer.finish_unit();
        }
    }

    /// The streams met so far, as last described.
    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// The format, once it is known.
    pub fn format(&self) -> Option<&'static Format> {
        match self.state {
            State::Reading { format, .. } => Some(format),
            State::Probing { .. } => None,
        }
    }

    /// Last scores of the probes; empty when the format was declared.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Length of the whole input, when it is known.
    pub fn duration(&self) -> Option<(Ticks, TimeBase)> {
        match &self.state {
            State::Reading { demuxer, .. } => demuxer.duration(),
            State::Probing { .. } => None,
        }
    }

    /// Looks at growing prefixes whose lengths do not depend on how the bytes came, so that every split of an input
    /// gives the same verdict.
    fn probe(&mut self, input: &Input) -> Result<Option<&'static Format>> {
        let State::Probing { formats, budget, next } = &mut self.state else { return Ok(None) };
        let (seen, ended) = (input.peek(), input.ended());
        let Some(tag) = leading_tags(seen, ended) else { return Ok(None) };
        let budget = budget.saturating_add(tag).min(MAX_WINDOW);
        loop {
            let length = tag.saturating_add(*next).min(budget);
            let at_end = ended && length >= seen.len();
            let last = at_end || length >= budget;
            let length = if at_end { seen.len() } else { length };
            let Some(prefix) = seen.get(..length) else { return Ok(None) };
            let body = prefix.get(tag.min(length)..).unwrap_or_default();
            self.verdict = look(formats, body, tag, length);
            if let Some(format) = choose(formats, &self.verdict.scores, last) {
                self.verdict.chosen = Some(format.name);
                return Ok(Some(format));
            }
            if let Some(container) = foreign::container(body).filter(|_| self.verdict.best() < Some(2)) {
                let why = Cow::Owned(format!("{container} is not supported by this build"));
                return Err(Error::Unrecognized { looked_at: length as u64, why });
            }
            if last || self.verdict.scores.iter().all(|(_, score)| score.level() == 0) {
                return Err(unrecognized(&self.verdict));
            }
            *next = next.saturating_add((*next / 8).max(16));
        }
    }
}

const FIRST_LOOK: usize = 16;

impl State {
    fn begin(format: &'static Format, settings: &[(&str, &str)]) -> Result<Self> {
        let demuxer = open(format, settings)?;
        let leading = (!demuxer.reads_tags()).then(Tags::default);
        Ok(Self::Reading { format, demuxer, leading })
    }
}

/// ID3v2 tags stand in front of any format and are returned first; those of the format then replace them (IO-44).
fn take_tags(leading: &mut Option<Tags>, input: &mut Input) -> Option<Poll<Event>> {
    let tags = leading.as_mut()?;
    loop {
        match id3v2::tag_size(input.peek()) {
            id3v2::Size::Unknown if !input.ended() => return Some(Poll::Pending),
            id3v2::Size::Known(_) => match tags.poll(input) {
                Step::Taken => {}
                Step::NeedBytes => return Some(Poll::Pending),
                Step::None => break,
            },
            _ => break,
        }
    }
    let metadata = leading.take()?.metadata().clone();
    (!metadata.entries().is_empty()).then(|| Poll::Ready(Event::Metadata(Box::new(metadata))))
}

/// Bytes of the ID3v2 tags in front (IO-40); `None` while more bytes must tell.
fn leading_tags(seen: &[u8], ended: bool) -> Option<usize> {
    let mut all = 0;
    loop {
        all = match id3v2::tag_size(seen.get(all..).unwrap_or_default()) {
            id3v2::Size::Known(size) if all + size <= MAX_LEADING_TAG => all + size,
            id3v2::Size::Unknown if !ended => return None,
            _ => return Some(all),
        };
    }
}

/// The settings of an audit, if one is wanted and the format has them.
fn audit(format: &Format, wanted: bool) -> &'static [(&'static str, &'static str)] {
    if wanted && format.settings.iter().any(|help| help.name == "audit") { &[("audit", "1")] } else { &[] }
}

fn open(format: &'static Format, settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let make = format.demuxer.ok_or_else(|| Error::unsupported(format!("reading {}", format.name)))?;
    make(settings)
}

/// Keeps what was last said of a stream, within limits. Its configuration outlives the buffer that it was read into.
fn note(streams: &mut Vec<StreamInfo>, index: usize, info: &mut StreamInfo) -> Result<()> {
    info.check()?;
    if index >= MAX_STREAMS {
        return Err(Error::Limit { what: "streams (MAX_STREAMS)", limit: MAX_STREAMS as u64 });
    }
    info.config = match streams.get(index) {
        Some(known) if known.config == info.config => known.config.clone(),
        _ if info.config.is_empty() => Bytes::new(),
        _ => Bytes::copy_from_slice(&info.config),
    };
    let others = streams.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, known)| known.weight());
    if others.fold(info.weight(), usize::saturating_add) > MAX_DESCRIPTIONS {
        let limit = MAX_DESCRIPTIONS as u64;
        return Err(Error::Limit { what: "descriptions of streams (MAX_DESCRIPTIONS)", limit });
    }
    match streams.get_mut(index) {
        Some(known) => *known = info.clone(),
        None => {
            streams.reserve_exact(index + 1 - streams.len());
            streams.resize_with(index, StreamInfo::undescribed);
            streams.push(info.clone());
        }
    }
    Ok(())
}

fn look(formats: &[&'static Format], body: &[u8], tag: usize, looked_at: usize) -> Verdict {
    let readable = formats.iter().filter(|format| format.demuxer.is_some());
    // They stay with the reader: in no more room than they need.
    let mut scores: Vec<_> = readable.map(|format| (format.name, (format.probe)(body))).collect();
    scores.shrink_to_fit();
    Verdict { looked_at, tag, scores, chosen: None }
}

/// A sure format at once; the best `Maybe`, the earlier one in the list on a tie, when nothing follows.
fn choose(formats: &[&'static Format], scores: &[(&'static str, Score)], last: bool) -> Option<&'static Format> {
    let enough = if last { 2 } else { 3 };
    let best = scores.iter().map(|(_, score)| score.level()).max().filter(|level| *level >= enough)?;
    let (name, _) = scores.iter().find(|(_, score)| score.level() == best)?;
    formats.iter().copied().find(|format| format.name == *name)
}

fn unrecognized(verdict: &Verdict) -> Error {
    let mut open: Vec<_> = verdict.scores.iter().filter(|(_, score)| score.level() > 0).map(|it| it.1.why()).collect();
    // H.264 and H.265, ADTS and MP3 wait for much the same.
    open.dedup();
    let why = match (verdict.looked_at, verdict.tag, open.as_slice()) {
        (0, ..) => Cow::Borrowed("the input is empty"),
        (all, tag, _) if all <= tag => Cow::Borrowed("nothing behind an ID3v2 tag"),
        (.., []) => Cow::Borrowed("no format fits"),
        (.., open) => Cow::Owned(format!("no format fits: {}", open.join("; "))),
    };
    Error::Unrecognized { looked_at: verdict.looked_at as u64, why }
}
