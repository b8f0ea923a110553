//! Writes packets by a layout: the preamble once, then a message a packet.

use alloc::{format, string::ToString, vec::Vec};

use bytes::Bytes;
use memchr::memmem;

use super::{
    BodyKind, Clock, Constant, Fault, Field, Fragment, Layout, MAX_HEADER_BITS, Meaning, RangeStart, Role, extent,
    facts::as_annexb,
    message::{self, Part},
    payload,
    place::{self, Packer},
};
use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging},
    output::{Mark, Output},
    packet::Packet,
    stream::{Codec, Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

const NAME: &str = "layout";

/// A muxer for a layout.
pub struct Writer {
    layout: Layout,
    streams: Vec<StreamInfo>,
    sequence: u64,
    /// First bits of the header's fields in the message being written.
    starts: Vec<Option<usize>>,
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
}

impl Writer {
    /// A writer of `layout`.
    ///
    /// # Errors
    /// The layout's first [`Fault`]; a nested body is only read.
    pub fn new(layout: Layout) -> core::result::Result<Self, Fault> {
        layout.check()?;
        let only_read = match layout.body.kind {
            BodyKind::Nested(_) => Some(("a nested body is only read", "write the inner layout alone")),
            BodyKind::ProgramStream => Some(("a body of kind mpegps is only read", "write kind = \"annexb\"")),
            _ => None,
        };
        if let Some((what, hint)) = only_read {
            return Err(Fault { part: "body", field: None, what: what.to_string(), hint: hint.to_string() });
        }
        Ok(Self { layout, streams: Vec::new(), sequence: 0, starts: Vec::new() })
    }

    /// A packet in one message, or in as many as its length needs where a field says which part each is.
    fn send(&mut self, body: &Bytes, source: Source<'_>, mark: Mark, out: &mut Output) -> Result<()> {
        let most = self.layout.limits.part.map_or(usize::MAX, |part| part as usize).min(self.longest());
        if body.len() <= most || most == 0 || !self.has_parts() {
            return self.message(body, source, mark, out);
        }
        if body.len() > self.layout.limits.body as usize {
            return Err(too_long(body.len(), self.layout.limits.body));
        }
        let mut from = 0;
        while from < body.len() {
            let to = body.len().min(from.saturating_add(most));
            let fragment = match (from, to) {
                (0, _) => Fragment::First,
                (_, to) if to == body.len() => Fragment::Last,
                _ => Fragment::Middle,
            };
            let part_mark = if from == 0 { mark } else { Mark::Body { time: None } };
            self.message(&body.slice(from..to), Source { fragment, ..source }, part_mark, out)?;
            from = to;
        }
        Ok(())
    }

    /// Whether packets may go in parts.
    fn has_parts(&self) -> bool {
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
                let most = u64::MAX >> 64usize.saturating_sub(field.kind.bits()).min(63);
                let bytes = most.saturating_mul((*unit).into()).saturating_add_signed((*plus).into());
                Some(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(around))
            }
            _ => None,
        };
        self.layout.header.iter().filter_map(of).min().unwrap_or(usize::MAX)
    }

    /// One message around `body`.
    fn message(&mut self, body: &Bytes, mut source: Source<'_>, mark: Mark, out: &mut Output) -> Result<()> {
        if body.len() > self.layout.limits.body as usize {
            return Err(too_long(body.len(), self.layout.limits.body));
        }
        source.sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        self.check_end(body)?;
        let (mut header, mut tail, mut fill) = (Vec::new(), Vec::new(), Vec::new());
        // The length depends on the header's own size, which conditions decide: the second pass knows it.
        for _ in 0..2 {
            let (filled, starts) = self.fill(&self.layout.header, body.len(), header.len(), &source)?;
            (header, self.starts) = (filled, starts);
            fill = self.behind(header.len(), body.len());
            tail = self.fill(&self.layout.tail, body.len(), header.len(), &source)?.0;
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
            RangeStart::Field(index) | RangeStart::Behind(index) => {
                let part = self.starts.get(index).copied().flatten();
                let behind = self.layout.header.get(index).filter(|_| matches!(from, RangeStart::Behind(_)));
                part.map_or(header, |bit| (bit + behind.map_or(0, |field| field.kind.bits())) / 8)
            }
            RangeStart::Body => header,
        }
    }

    fn fill(
        &self,
        fields: &[Field],
        body: usize,
        header: usize,
        source: &Source<'_>,
    ) -> Result<(Vec<u8>, Vec<Option<usize>>)> {
        let mut packer = Packer::default();
        let mut at: Vec<Option<usize>> = Vec::new();
        let mut bit = 0usize;
        for field in fields {
            let there = field.when.iter().all(|condition| {
                let other = fields.get(condition.field).zip(at.get(condition.field).copied().flatten());
                let value = other.and_then(|(other, bit)| place::read(other, &packer.bytes, bit)?.signed());
                value.is_some_and(|value| message::compare(value, condition.comparison, condition.value))
            });
            if !there {
                at.push(None);
                continue;
            }
            let text: &[u8] = match &field.constant {
                Some(Constant::Bytes(bytes)) => bytes,
                _ => &[],
            };
            let raw = match &field.constant {
                Some(Constant::Number(number)) => *number,
                _ => self.value(field, body, header, source)?,
            };
            let bits = field.kind.bits();
            if matches!(field.role, Some(Role::Length { .. })) && bits < 64 && raw >> bits != 0 {
                return Err(Error::mux(NAME, format!("a length of {raw} does not fit field {}", field.name)));
            }
            packer.write(field, raw, text);
            let bits = place::width(field, fields, &at, &packer.bytes);
            if bits > MAX_HEADER_BITS {
                return Err(Error::mux(NAME, format!("field {} would be longer than any header", field.name)));
            }
            packer.zeros(bits.saturating_sub(field.kind.bits()) / 8);
            at.push(Some(bit));
            bit += bits;
        }
        Ok((packer.bytes, at))
    }

    /// The value of a field without a constant.
    fn value(&self, field: &Field, body: usize, header: usize, source: &Source<'_>) -> Result<u64> {
        let Some(role) = &field.role else { return Ok(field.default) };
        let mapped =
            |wanted: Meaning| field.map.iter().find(|(_, meaning)| *meaning == wanted).map(|(value, _)| *value);
        let flag = |yes: bool| {
            mapped(Meaning::Flag(yes)).unwrap_or(if field.map.is_empty() { u64::from(yes) } else { field.default })
        };
        let info = source.info;
        let audio = info.and_then(StreamInfo::as_audio);
        let video = info.and_then(StreamInfo::as_video);
        Ok(match role {
            Role::Length { unit, plus, from, tail, .. } => {
                let start = self.begin(*from, header);
                let behind =
                    if *tail { self.layout.tail.iter().map(|field| field.kind.bits()).sum::<usize>() / 8 } else { 0 };
                let bytes = (header.saturating_sub(start) + body + behind) as i64 - i64::from(*plus);
                let unit = i64::from(*unit);
                if bytes % unit != 0 || bytes < 0 {
                    return Err(Error::mux(
                        NAME,
                        format!("{bytes} bytes are no multiple of the unit {unit} of {}", field.name),
                    ));
                }
                (bytes / unit).cast_unsigned()
            }
            Role::Pts(clock) => self.share(source.pts.or(source.dts), role, *clock, info),
            Role::Dts(clock) => self.share(source.dts.or(source.pts), role, *clock, info),
            Role::Cts(clock) => {
                let ticks = source.pts.zip(source.dts).map(|(pts, dts)| pts - dts);
                stamp(ticks, info, *clock)
            }
            Role::Stream => mapped(Meaning::Number(source.stream as u64)).unwrap_or(source.stream as u64),
            Role::Media => info.and_then(|info| mapped(Meaning::Media(info.codec.kind()))).unwrap_or(field.default),
            Role::Codec => match info.and_then(|info| mapped(Meaning::Codec(info.codec))) {
                Some(value) => value,
                None if info.is_none() => field.default,
                None => return Err(Error::mux(NAME, format!("{} has no value for this codec", field.name))),
            },
            Role::Key => flag(source.key),
            Role::Config => flag(source.config),
            Role::Skip => flag(false),
            Role::Sequence => source.sequence,
            Role::Fragment => self.value_of(field, source.fragment).unwrap_or(field.default),
            Role::Checksum { .. } => 0,
            Role::SampleRate => audio.map_or(field.default, |audio| u64::from(audio.rate())),
            Role::Channels => audio.map_or(field.default, |audio| u64::from(audio.channel_count())),
            Role::Width => video.map_or(field.default, |video| u64::from(video.size().0)),
            Role::Height => video.map_or(field.default, |video| u64::from(video.size().1)),
        })
    }

    /// The share of a time that a field of this role holds: what is left of those of longer units, as microseconds of
    /// seconds.
    fn share(&self, time: Option<Ticks>, role: &Role, clock: Clock, info: Option<&StreamInfo>) -> u64 {
        let others = self.layout.header.iter().filter_map(|field| match (&field.role, role) {
            (Some(Role::Pts(other)), Role::Pts(_)) | (Some(Role::Dts(other)), Role::Dts(_)) => Some(other.base),
            _ => None,
        });
        let mut units: Vec<TimeBase> = others.filter(|base| *base != clock.base).collect();
        units.sort_by(|a, b| TimeBase::compare(Ticks(1), *a, Ticks(1), *b));
        let is_longer = |unit: &&TimeBase| message::finer(**unit, clock.base) == clock.base;
        let from = info.map_or(TimeBase::MICROS, |info| info.time_base);
        let (time, longer) = (time.unwrap_or_default(), units.iter().find(is_longer));
        let rounding = if units.iter().any(|unit| !is_longer(&unit)) { Rounding::Down } else { Rounding::Near };
        let ticks = from.rescale(time, clock.base, rounding).0;
        let ticks = longer
            .map_or(ticks, |longer| ticks.rem_euclid(longer.rescale(Ticks(1), clock.base, Rounding::Near).0.max(1)));
        (ticks >> clock.shift.min(63)).cast_unsigned()
    }

    /// Puts the checksums into a whole message.
    fn sums(&self, whole: &mut [u8], header: usize, body: usize, behind: usize) {
        let mut facts = message::Facts::default();
        let parse = |fields: &[Field], start: usize, bytes: &[u8], facts: &mut message::Facts| {
            message::part(fields, bytes, start, None, facts).unwrap_or_else(|_| Part::default())
        };
        let head = parse(&self.layout.header, 0, whole, &mut facts);
        let tail = parse(&self.layout.tail, header + body + behind, whole, &mut facts);
        let range = header..header + body;
        let fields = self.layout.header.iter().zip(&head.at).chain(self.layout.tail.iter().zip(&tail.at));
        for (field, at) in fields {
            let (Some(Role::Checksum { algorithm, from, to }), Some(bit)) = (&field.role, at) else { continue };
            let covered = message::covered(&self.layout, *from, *to, &head, &range, bit / 8);
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
    }

    fn config(&mut self, stream: usize, time: Option<Ticks>, out: &mut Output) -> Result<()> {
        let Some(info) = self.streams.get(stream).filter(|info| self.says_config() && !info.config.is_empty()).cloned()
        else {
            return Ok(());
        };
        let source = Source { stream, info: Some(&info), pts: time, dts: time, config: true, ..Source::default() };
        let config = match self.layout.body.kind {
            BodyKind::AnnexB => as_annexb(info.codec, &info.config),
            _ => info.config.clone(),
        };
        self.message(&config, source, Mark::Header, out)
    }
}

fn too_long(bytes: usize, limit: u32) -> Error {
    Error::mux(NAME, format!("a body of {bytes} bytes, at most {limit}"))
}

/// A time of a stream as the bits that one field holds.
fn stamp(time: Option<Ticks>, info: Option<&StreamInfo>, clock: Clock) -> u64 {
    let base = info.map_or(TimeBase::MICROS, |info| info.time_base);
    let ticks = base.rescale(time.unwrap_or_default(), clock.base, Rounding::Near);
    (ticks.0 >> clock.shift.min(63)).cast_unsigned()
}

impl Muxer for Writer {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, out: &mut Output) -> Result<()> {
        let bases = self.layout.header.iter().filter_map(|field| match &field.role {
            Some(Role::Dts(clock) | Role::Pts(clock)) => Some(clock.base),
            _ => None,
        });
        let base = bases.reduce(message::finer);
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
        self.streams = streams.to_vec();
        let first = self.streams.iter().find(|info| info.codec.kind() == Kind::Video).or(self.streams.first()).cloned();
        let source = Source { info: first.as_ref(), ..Source::default() };
        let preamble = self.fill(&self.layout.preamble, 0, 0, &source)?.0;
        out.append(Mark::Header, [Bytes::from(preamble)]);
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
        match (&self.layout.body.kind, info.as_ref()) {
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
        match (&self.layout.body.kind, stream.codec) {
            (BodyKind::AnnexB, Codec::H264 | Codec::H265) => Packaging::AnnexB,
            // Without a field for a configuration the parameter sets go in the packets.
            (BodyKind::Raw, Codec::H264 | Codec::H265) if !self.says_config() => Packaging::AnnexB,
            (BodyKind::Avcc(4), Codec::H264 | Codec::H265) => Packaging::LengthPrefixed,
            (_, Codec::Aac) => Packaging::RawAac,
            _ => Packaging::AsIs,
        }
    }
}
