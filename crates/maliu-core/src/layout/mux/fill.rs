//! Values of the fields of a message: lengths, times, counts, meanings.

use alloc::{format, vec::Vec};

use super::{NAME, Source, Writer};
use crate::{
    error::{Error, Result},
    layout::{
        Clock, Comparison, Constant, Field, Fragment, Head, Kind, MAX_HEADER_BITS, Meaning, Role,
        head::Text,
        message::{self, Part},
        place::{self, Packer},
    },
    stream::StreamInfo,
    time::{Rounding, Ticks, TimeBase},
};

impl Writer {
    /// The fields of a part, and where they stand.
    pub(super) fn fill(
        &self,
        form: &Head,
        fields: &[Field],
        body: usize,
        header: usize,
        source: &Source<'_>,
    ) -> Result<(Vec<u8>, Part)> {
        if *form != Head::Bits {
            return self.fill_text(form, fields, body, header, source);
        }
        let mut packer = Packer::default();
        let (mut at, mut behind): (Vec<Option<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut bit = 0usize;
        for field in fields {
            if !message::holds(fields, &at, &packer.bytes, field) {
                at.push(None);
                behind.push(bit);
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
            let bits = u32::from(field.kind.room());
            if matches!(field.role, Some(Role::Length { .. })) && bits < 64 && raw >> bits != 0 {
                return Err(Error::mux(NAME, format!("a length of {raw} does not fit field {}", field.name)));
            }
            packer.write(field, raw, text);
            let bits = place::width(field, bit, fields, &at, &packer.bytes);
            if bits > MAX_HEADER_BITS {
                return Err(Error::mux(NAME, format!("field {} would be longer than any header", field.name)));
            }
            if matches!(field.kind, Kind::Counted { .. }) {
                packer.zeros(bits / 8);
            }
            at.push(Some(bit));
            bit += bits;
            behind.push(bit);
        }
        Ok((packer.bytes, Part { at, behind, end: 0 }))
    }

    /// A header that is text.
    fn fill_text(
        &self,
        form: &Head,
        fields: &[Field],
        body: usize,
        header: usize,
        source: &Source<'_>,
    ) -> Result<(Vec<u8>, Part)> {
        let (mut text, mut part) = (Text::new(form), Part::default());
        for field in fields {
            if message::holds(fields, &part.at, &text.bytes, field) {
                let value = self.value(field, body, header, source)?;
                part.at.push(Some(text.add(field, value) * 8));
            } else {
                part.at.push(None);
            }
            part.behind.push(text.bytes.len() * 8);
        }
        Ok((text.finish(), part))
    }

    /// The content of a length field: its own value, or that which says that a longer one follows.
    fn length(&self, field: &Field, value: u64) -> u64 {
        let index = self.layout.header.iter().position(|other| other.name == field.name);
        let follows = |other: &&Field| {
            matches!(other.role, Some(Role::Length { .. }))
                && other
                    .when
                    .iter()
                    .any(|condition| Some(condition.field) == index && condition.comparison == Comparison::Equal)
        };
        let mark = |other: &Field| {
            let condition = other.when.iter().find(|condition| Some(condition.field) == index);
            condition.map_or(0, |condition| condition.value.cast_unsigned())
        };
        let longer: Vec<&Field> = self.layout.header.iter().filter(follows).collect();
        let own = longer.iter().map(|other| mark(other)).min().unwrap_or(u64::MAX);
        if value < own {
            return value;
        }
        let holds = |other: &&&Field| other.kind.room() >= 64 || value >> other.kind.room() == 0;
        longer.iter().find(holds).map_or(value, |other| mark(other))
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
                self.length(field, (bytes / unit).cast_unsigned())
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
            Role::Sequence { .. } => source.sequence,
            Role::Part { first } => source.part.saturating_add((*first).into()),
            Role::Parts => source.parts,
            Role::First => flag(matches!(source.fragment, Fragment::Whole | Fragment::First)),
            Role::Last => flag(matches!(source.fragment, Fragment::Whole | Fragment::Last)),
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
        (ticks >> clock.shift.min(63)).cast_unsigned() << u8::from(clock.halves)
    }
}

/// A time of a stream as the bits that one field holds.
fn stamp(time: Option<Ticks>, info: Option<&StreamInfo>, clock: Clock) -> u64 {
    let base = info.map_or(TimeBase::MICROS, |info| info.time_base);
    let ticks = base.rescale(time.unwrap_or_default(), clock.base, Rounding::Near);
    (ticks.0 >> clock.shift.min(63)).cast_unsigned() << u8::from(clock.halves)
}
