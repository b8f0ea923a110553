//! Writes packets by a layout: the preamble once, then a message a packet.

use alloc::{boxed::Box, format, string::ToString, vec::Vec};

use bytes::Bytes;
use memchr::memmem;

use super::{
    BodyKind, Fault, Field, Fragment, Head, Layout, Meaning, RangeStart, Role, extent,
    facts::as_annexb,
    message::{self, Part},
    payload,
    place::Packer,
};
use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging},
    output::{Edit, Mark, Output, Reach},
    packet::Packet,
    stream::{Codec, Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

mod fill;

const NAME: &str = "layout";

/// A muxer for a layout.
pub struct Writer {
    layout: Layout,
    streams: Vec<StreamInfo>,
    sequence: u64,
    /// Where the header's fields stand in the message being written.
    starts: Part,
    /// Writes the messages inside the bodies.
    inner: Option<Box<Self>>,
}

/// Values that fill the fields of one message.
#[derive(Clone, Copy, Default)]
struct Source<'a> {
    stream: usize,
    info: Option<&'a StreamInfo>,
    pts: Option<Ticks>,
    dts: Option<Ticks>,
    key: bool,
    config: bool,
    sequence: u64,
    fragment: Fragment,
    part: u64,
    parts: u64,
}

impl Writer {
    /// A writer of `layout`.
    ///
    /// # Errors
    /// The layout's first [`Fault`]; program streams and fields inside of bodies are only read.
    pub fn new(layout: Layout) -> core::result::Result<Self, Fault> {
        layout.check()?;
        Self::of(layout)
    }

    /// A writer of a layout that is sound.
    fn of(layout: Layout) -> core::result::Result<Self, Fault> {
        let inner = match &layout.body.kind {
            BodyKind::Nested(inner) => Some(Box::new(Self::of((**inner).clone())?)),
            BodyKind::ProgramStream => {
                let (what, hint) = ("a body of kind mpegps is only read", "write kind = \"annexb\"");
                return Err(Fault { part: "body", field: None, what: what.to_string(), hint: hint.to_string() });
            }
            _ => None,
        };
        Ok(Self { layout, streams: Vec::new(), sequence: 0, starts: Part::default(), inner })
    }

    /// The units of the times that fields hold, of layouts inside, too.
    fn base(&self) -> Option<TimeBase> {
        let own = self.layout.header.iter().filter_map(|field| match &field.role {
            Some(Role::Dts(clock) | Role::Pts(clock)) => Some(clock.base),
            _ => None,
        });
        own.chain(self.inner.as_ref().and_then(|inner| inner.base())).reduce(message::finer)
    }

    /// The kind of the innermost bodies.
    fn kind(&self) -> &BodyKind {
        self.inner.as_ref().map_or(&self.layout.body.kind, |inner| inner.kind())
    }

    /// Writes the preambles of this layout and of those inside.
    fn open(&mut self, streams: &[StreamInfo], out: &mut Output) -> Result<()> {
        self.streams = streams.to_vec();
        let first = self.streams.iter().find(|info| info.codec.kind() == Kind::Video).or(self.streams.first()).cloned();
        let source = Source { info: first.as_ref(), ..Source::default() };
        let preamble = self.fill(&Head::Bits, &self.layout.preamble, 0, 0, &source)?.0;
        out.append(Mark::Header, [Bytes::from(preamble)]);
        let Some(mut inner) = self.inner.take() else { return Ok(()) };
        let mut messages = Output::new(Reach::Append);
        let opened = inner.open(streams, &mut messages);
        self.inner = Some(inner);
        opened?;
        self.wrap(messages, source, Mark::Header, out)
    }

    /// Puts messages of the layout inside into bodies, one into each.
    fn wrap(&mut self, mut messages: Output, source: Source<'_>, mark: Mark, out: &mut Output) -> Result<()> {
        while let Some(Edit::Append(piece)) = messages.next_edit() {
            let body = Bytes::from(piece.parts.concat());
            if !body.is_empty() {
                self.message(&body, Source { fragment: Fragment::Whole, part: 0, parts: 1, ..source }, mark, out)?;
            }
        }
        Ok(())
    }

    /// A packet in one message, or in as many as its length needs where a field says which part each is.
    fn send(&mut self, body: &Bytes, source: Source<'_>, mark: Mark, out: &mut Output) -> Result<()> {
        if let Some(mut inner) = self.inner.take() {
            let mut messages = Output::new(Reach::Append);
            let sent = inner.send(body, source, mark, &mut messages);
            self.inner = Some(inner);
            sent?;
            return self.wrap(messages, source, mark, out);
        }
        let most = self.layout.limits.part.map_or(usize::MAX, |part| part as usize).min(self.longest());
        if body.len() <= most || most == 0 || !self.has_parts() {
            return self.message(body, Source { parts: 1, ..source }, mark, out);
        }
        if body.len() > self.layout.limits.body as usize {
            return Err(too_long(body.len(), self.layout.limits.body));
        }
        let (mut from, parts) = (0, body.len().div_ceil(most) as u64);
        while from < body.len() {
            let to = body.len().min(from.saturating_add(most));
            let fragment = match (from, to) {
                (0, _) => Fragment::First,
                (_, to) if to == body.len() => Fragment::Last,
                _ => Fragment::Middle,
            };
            let part_mark = if from == 0 { mark } else { Mark::Body { time: None } };
            let part = (from / most) as u64;
            self.message(&body.slice(from..to), Source { fragment, part, parts, ..source }, part_mark, out)?;
            from = to;
        }
        Ok(())
    }

    /// Whether packets may go in parts.
    fn has_parts(&self) -> bool {
        let numbered = |field: &Field| matches!(field.role, Some(Role::Part { .. } | Role::First));
        if self.layout.header.iter().any(numbered) {
            return true;
        }
        let parts = [Fragment::First, Fragment::Middle, Fragment::Last];
        let fields = || self.layout.header.iter().filter(|field| field.role == Some(Role::Fragment));
        parts.into_iter().all(|part| fields().any(|field| self.value_of(field, part).is_some()))
    }

    /// The value that says which part it is. Where only last parts are marked, a first one is like those in the middle
    /// and a whole one is a last one.
    fn value_of(&self, field: &Field, part: Fragment) -> Option<u64> {
        let value = |part| {
            let is = |(_, meaning): &&(u64, Meaning)| *meaning == Meaning::Fragment(part);
            field.map.iter().find(is).map(|(value, _)| *value)
        };
        let like = match part {
            Fragment::First => Fragment::Middle,
            Fragment::Whole => Fragment::Last,
            other => other,
        };
        value(part).or_else(|| value(like).filter(|_| self.layout.marks_ends()))
    }

    /// The longest body whose length its field holds, whatever else that counts.
    fn longest(&self) -> usize {
        let bits = |fields: &[Field]| fields.iter().map(|field| field.kind.bits()).sum::<usize>();
        let around = (bits(&self.layout.header) + bits(&self.layout.tail)).div_ceil(8);
        let of = |field: &Field| match &field.role {
            Some(Role::Length { unit, plus, .. }) => {
                let most = u64::MAX >> 64u8.saturating_sub(field.kind.room()).min(63);
                let bytes = most.saturating_mul((*unit).into()).saturating_add_signed((*plus).into());
                Some(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(around))
            }
            _ => None,
        };
        // A longer length may stand behind a shorter one.
        self.layout.header.iter().filter_map(of).max().unwrap_or(usize::MAX)
    }

    /// One message around `body`.
    fn message(&mut self, body: &Bytes, mut source: Source<'_>, mark: Mark, out: &mut Output) -> Result<()> {
        if body.len() > self.layout.limits.body as usize {
            return Err(too_long(body.len(), self.layout.limits.body));
        }
        source.sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        let transforms = self.layout.body.transforms.iter().rev();
        let body = &transforms.fold(body.clone(), |body, transform| Bytes::from(transform.apply(&body)));
        self.check_end(body)?;
        let (mut header, mut tail, mut fill) = (Vec::new(), Vec::new(), Vec::new());
        // The length depends on the header's own size, which conditions and lengths in digits decide: later passes know it.
        for _ in 0..4 {
            let (filled, starts) =
                self.fill(&self.layout.head, &self.layout.header, body.len(), header.len(), &source)?;
            let stands = header == filled && starts.at == self.starts.at;
            (header, self.starts) = (filled, starts);
            fill = self.behind(header.len(), body.len());
            tail = self.fill(&Head::Bits, &self.layout.tail, body.len(), header.len(), &source)?.0;
            if stands {
                break;
            }
        }
        let mut whole: Vec<u8> = [&header[..], body, &fill, &tail].concat();
        self.sums(&mut whole, header.len(), body.len(), fill.len());
        let behind = header.len() + body.len();
        let part = |range: core::ops::Range<usize>| Bytes::copy_from_slice(whole.get(range).unwrap_or_default());
        out.append(mark, [part(0..header.len()), body.clone(), part(behind..whole.len())]);
        Ok(())
    }

    /// The bytes between a body and its tail: those that end it, or zeros that fill it.
    fn behind(&self, header: usize, body: usize) -> Vec<u8> {
        let filling = |field: &Field| match &field.role {
            Some(Role::Length { from, align, .. }) => {
                Some(extent::filling(header.saturating_sub(self.begin(*from, header)) + body, *align))
            }
            _ => None,
        };
        match &self.layout.body.until {
            Some(end) => end.clone(),
            None => alloc::vec![0; self.layout.header.iter().find_map(filling).unwrap_or(0)],
        }
    }

    /// Refuses a body that would end early.
    fn check_end(&self, body: &Bytes) -> Result<()> {
        let Some(end) = &self.layout.body.until else { return Ok(()) };
        let last = body.get(body.len().saturating_sub(end.len().saturating_sub(1))..).unwrap_or_default();
        let ends = memmem::find(&[last, end].concat(), end);
        match memmem::find(body, end).or(ends.filter(|at| *at < last.len())) {
            Some(_) => Err(Error::mux(NAME, format!("a body that holds the bytes {end:02x?}, which would end it"))),
            None => Ok(()),
        }
    }

    /// First byte of what a length counts, in a header of `header` bytes.
    fn begin(&self, from: RangeStart, header: usize) -> usize {
        match from {
            RangeStart::Start => 0,
            RangeStart::Field(_) | RangeStart::Behind(_) => extent::start(from, &self.starts, header),
            RangeStart::Body => header,
        }
    }

    /// Puts the checksums into a whole message.
    fn sums(&self, whole: &mut [u8], header: usize, body: usize, behind: usize) {
        let mut facts = message::Facts::default();
        let head = message::head(&self.layout, whole, None, &mut facts).unwrap_or_default();
        let tail =
            message::part(&self.layout.tail, whole, header + body + behind, None, &mut facts).unwrap_or_default();
        let range = header..header + body;
        let fields = self.layout.header.iter().zip(&head.at).chain(self.layout.tail.iter().zip(&tail.at));
        for (field, at) in fields {
            let (Some(Role::Checksum { algorithm, from, to }), Some(bit)) = (&field.role, at) else { continue };
            let covered = message::covered(*from, *to, &head, &range, bit / 8);
            let sum = algorithm.of(whole.get(covered).unwrap_or_default());
            let mut packer = Packer::default();
            packer.write(field, sum, b"");
            let target = whole.get_mut(bit / 8..bit / 8 + packer.len());
            target.into_iter().for_each(|target| target.copy_from_slice(&packer.bytes));
        }
    }

    /// Whether a field marks messages that carry a configuration.
    fn says_config(&self) -> bool {
        self.layout.header.iter().any(|field| field.role == Some(Role::Config))
            || self.inner.as_ref().is_some_and(|inner| inner.says_config())
    }

    fn config(&mut self, stream: usize, time: Option<Ticks>, out: &mut Output) -> Result<()> {
        let Some(info) = self.streams.get(stream).filter(|info| self.says_config() && !info.config.is_empty()).cloned()
        else {
            return Ok(());
        };
        let source = Source { stream, info: Some(&info), pts: time, dts: time, config: true, ..Source::default() };
        let config = match self.kind() {
            BodyKind::AnnexB => as_annexb(info.codec, &info.config),
            _ => info.config.clone(),
        };
        self.send(&config, source, Mark::Header, out)
    }
}

fn too_long(bytes: usize, limit: u32) -> Error {
    Error::mux(NAME, format!("a body of {bytes} bytes, at most {limit}"))
}

impl Muxer for Writer {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, out: &mut Output) -> Result<()> {
        let base = self.base();
        if streams.len() > 1 && !self.layout.tells_streams() {
            return Err(Error::mux(
                NAME,
                format!(
                    "{} streams, but no field says which stream a message belongs to; it carries one",
                    streams.len()
                ),
            ));
        }
        for info in streams.iter_mut() {
            info.time_base = base.unwrap_or(info.time_base);
        }
        self.open(streams, out)?;
        (0..self.streams.len()).try_for_each(|stream| self.config(stream, None, out))
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let changed = packet.side.new_config().cloned();
        if let (Some(config), Some(info)) = (changed, self.streams.get_mut(packet.stream))
            && info.config != config
        {
            info.config = config;
            self.config(packet.stream, packet.dts, out)?;
        }
        let info = self.streams.get(packet.stream).cloned();
        let time = packet.dts.or(packet.pts);
        let time =
            time.zip(info.as_ref()).map(|(time, info)| info.time_base.rescale(time, TimeBase::MICROS, Rounding::Near));
        let mark = if packet.is_key() { Mark::Key { time } } else { Mark::Body { time } };
        let source = Source {
            stream: packet.stream,
            info: info.as_ref(),
            pts: packet.pts,
            dts: packet.dts,
            key: packet.is_key(),
            ..Source::default()
        };
        match (self.kind(), info.as_ref()) {
            (BodyKind::Adts, Some(info)) if info.codec == Codec::Aac => {
                let framed = payload::pack_adts(&info.config, &packet.data);
                let framed = framed.ok_or_else(|| Error::mux(NAME, "this AAC does not fit an ADTS frame"))?;
                self.send(&framed, source, mark, out)
            }
            _ => self.send(&packet.data, source, mark, out),
        }
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        match (self.kind(), stream.codec) {
            (BodyKind::AnnexB, Codec::H264 | Codec::H265) => Packaging::AnnexB,
            // Without a field for a configuration the parameter sets go in the packets.
            (BodyKind::Raw, Codec::H264 | Codec::H265) if !self.says_config() => Packaging::AnnexB,
            (BodyKind::Avcc(4), Codec::H264 | Codec::H265) => Packaging::LengthPrefixed,
            (_, Codec::Aac) => Packaging::RawAac,
            _ => Packaging::AsIs,
        }
    }
}
