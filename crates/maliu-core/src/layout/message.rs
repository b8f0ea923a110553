//! One message at the start of some bytes: is it there, is it whole, where are its parts, what do its fields say.

use alloc::{borrow::Cow, format, vec::Vec};
use core::{cmp::Ordering, ops::Range};

pub(super) use super::extent::{Lack, Part};
use super::{
    BodyKind, Clock, Comparison, Constant, Field, Fragment, Head, Kind, Layout, MAX_HEADER_BITS, Meaning, RangeEnd,
    RangeStart, Role,
    extent::{self, start},
    place::{self, Value},
};
use crate::{
    stream::Codec,
    time::{Rounding, Ticks, TimeBase},
};

/// A whole message: its extent and what its fields say.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) header: Part,
    pub(super) body: Range<usize>,
    /// First byte behind what ends or fills the body.
    pub(super) behind: usize,
    /// Whether its length field is there.
    pub(super) has_body: bool,
    pub(super) inside: Part,
    pub(super) tail: Part,
    pub(super) facts: Facts,
}

impl Message {
    /// Length of header, body and tail in bytes.
    pub(super) fn total(&self) -> usize {
        self.tail.end
    }
}

/// Values of fields with a role.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) pts: Option<Stamp>,
    pub(super) dts: Option<Stamp>,
    pub(super) cts: Option<(i64, Clock)>,
    pub(super) stream: Option<u64>,
    pub(super) media: Option<crate::stream::Kind>,
    /// The mapped codec; `Some(None)` when the field has a value that the map lacks.
    pub(super) codec: Option<Option<Codec>>,
    pub(super) key: Option<bool>,
    pub(super) config: bool,
    pub(super) skip: bool,
    /// The count of messages, its bits, and whether each stream has its own.
    pub(super) sequence: Option<(u64, u8, bool)>,
    pub(super) fragment: Option<Fragment>,
    /// Which part of how many, from 0, and whether it is the first and the last.
    pub(super) part: Option<u64>,
    pub(super) parts: Option<u64>,
    pub(super) first: Option<bool>,
    pub(super) last: Option<bool>,
    pub(super) sample_rate: Option<u32>,
    pub(super) channels: Option<u16>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
}

impl Facts {
    /// Concludes from numbers and flags which part of a packet a body is.
    fn settle(&mut self) {
        let first = self.first.or(self.part.map(|part| part == 0));
        let counted = self.part.zip(self.parts).map(|(part, parts)| part.saturating_add(1) >= parts);
        if let (Some(first), Some(last)) = (first, self.last.or(counted)) {
            self.fragment = Some(match (first, last) {
                (true, true) => Fragment::Whole,
                (true, false) => Fragment::First,
                (false, true) => Fragment::Last,
                (false, false) => Fragment::Middle,
            });
        }
    }
}

/// A timestamp as it stands: its bits, how many there are, and their unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) value: u64,
    pub(super) bits: u8,
    pub(super) clock: Clock,
}

/// Values that fields marked `steady` had in the messages so far, by number.
pub(super) type Steady = Vec<Option<u64>>;

/// Notes the steady values of a message of `bytes` that are not known yet.
pub(super) fn hold(layout: &Layout, message: &Message, bytes: &[u8], steady: &mut Steady) {
    let header = layout.header.iter().zip(&message.header.at);
    for (field, bit) in header.chain(layout.inside.iter().zip(&message.inside.at)) {
        let (Some(group), Some(bit)) = (field.steady.map(usize::from), bit) else { continue };
        if steady.len() <= group {
            steady.resize(group + 1, None);
        }
        if let Some(held @ None) = steady.get_mut(group) {
            *held = place::read(field, bytes, *bit).map(Value::raw);
        }
    }
}

/// Looks for a message at the start of `bytes`. Says `Bad` as early as the bytes allow.
pub(super) fn look(layout: &Layout, bytes: &[u8], steady: &Steady, preamble: &Facts) -> Result<Message, Lack> {
    look_behind(layout, bytes, 0, steady, preamble)
}

/// As [`look`], where the first `known` bytes were looked at before, and do not hold the end of the body.
pub(super) fn look_behind(
    layout: &Layout,
    bytes: &[u8],
    known: usize,
    steady: &Steady,
    preamble: &Facts,
) -> Result<Message, Lack> {
    let mut facts = preamble.clone();
    let header = head(layout, bytes, Some(steady), &mut facts)?;
    let Some((body, behind)) = extent::of(layout, bytes, known, &header)? else {
        let (body, inside, behind) = (header.end..header.end, Part::default(), header.end);
        let tail = part(&layout.tail, bytes, body.end, None, &mut facts)?;
        return agreeing(layout, bytes, Message { header, body, behind, has_body: false, inside, tail, facts });
    };
    let seen = bytes.get(body.start..bytes.len().min(body.end));
    facts.settle();
    let plain = layout.body.transforms.is_empty();
    if let Some(why) = seen.filter(|_| plain).and_then(|seen| refuse_body(layout, &facts, seen)) {
        return Err(Lack::Bad(Cow::Borrowed(why)));
    }
    // Fields inside the body are checked as far as they have arrived.
    let seen = bytes.get(..bytes.len().min(body.end)).unwrap_or_default();
    let inside = match part(&layout.inside, seen, body.start, Some(steady), &mut facts) {
        Err(Lack::Need(n)) if n > body.end => {
            return Err(Lack::Bad(Cow::Borrowed("the body is too short for its fields")));
        }
        other => other?,
    };
    if bytes.len() < behind {
        let early = body.start.saturating_add(least_body(&layout.body.kind).min(body.len()));
        return Err(Lack::Need(if bytes.len() < early { early } else { behind }));
    }
    let tail = part(&layout.tail, bytes, behind, None, &mut facts)?;
    agreeing(layout, bytes, Message { header, body, behind, has_body: true, inside, tail, facts })
}

/// The message, if its lengths and sums agree.
fn agreeing(layout: &Layout, bytes: &[u8], message: Message) -> Result<Message, Lack> {
    match wrong_length(layout, bytes, &message).or_else(|| wrong_sum(layout, bytes, &message)) {
        Some(why) => Err(Lack::Bad(why)),
        None => Ok(message),
    }
}

/// The fields of one part, which starts at byte `start`.
pub(super) fn part(
    fields: &[Field],
    bytes: &[u8],
    start: usize,
    steady: Option<&Steady>,
    facts: &mut Facts,
) -> Result<Part, Lack> {
    let (mut at, mut behind) = (Vec::with_capacity(fields.len()), Vec::with_capacity(fields.len()));
    let mut bit = start.saturating_mul(8);
    for field in fields {
        if !holds(fields, &at, bytes, field) {
            at.push(None);
            behind.push(bit);
            continue;
        }
        let end = bit.saturating_add(place::width(field, bit, fields, &at, bytes));
        if end.saturating_sub(start.saturating_mul(8)) > MAX_HEADER_BITS {
            return Err(Lack::Bad(Cow::Owned(format!("field {} is longer than any header", field.name))));
        }
        if matches!(field.kind, Kind::Counted { .. }) && bytes.len() < end.div_ceil(8) {
            return Err(Lack::Need(end.div_ceil(8)));
        }
        let open = matches!(field.kind, Kind::Digits { .. } | Kind::Word) && end.div_ceil(8) >= bytes.len();
        let Some(value) = place::read(field, bytes, bit).filter(|_| !open) else {
            // Digits go on as long as there are any; what is none of them is no number.
            let bad = match field.kind {
                Kind::Digits { .. } => !open,
                Kind::Varint => end.div_ceil(8) <= bytes.len(),
                _ => false,
            };
            let why = || Cow::Owned(format!("field {} is no number", field.name));
            return Err(if bad { Lack::Bad(why()) } else { Lack::Need(end.div_ceil(8).max(bytes.len() + 1)) });
        };
        accept(field, value, steady, facts)?;
        at.push(Some(bit));
        behind.push(end);
        bit = end;
    }
    Ok(Part { at, behind, end: bit.div_ceil(8) })
}

/// The fields of a header, of whatever form.
pub(super) fn head(layout: &Layout, bytes: &[u8], steady: Option<&Steady>, facts: &mut Facts) -> Result<Part, Lack> {
    match &layout.head {
        Head::Bits => part(&layout.header, bytes, 0, steady, facts),
        form => text_head(form, &layout.header, bytes, steady, facts),
    }
}

/// The fields of a header that is text.
fn text_head(
    form: &Head,
    fields: &[Field],
    bytes: &[u8],
    steady: Option<&Steady>,
    facts: &mut Facts,
) -> Result<Part, Lack> {
    let (text, end) = super::head::extent(form, bytes)?;
    let head = bytes.get(..end).unwrap_or_default();
    let mut part = Part { end, ..Part::default() };
    for field in fields {
        let found = super::head::find(form, head, text.clone(), &field.name);
        let Some(place) = found.filter(|_| holds(fields, &part.at, bytes, field)) else {
            if field.constant.is_some() && field.when.is_empty() {
                return Err(Lack::Bad(Cow::Owned(format!("the header has no {}", field.name))));
            }
            part.at.push(None);
            part.behind.push(end.saturating_mul(8));
            continue;
        };
        let bit = place.saturating_mul(8);
        let no_number = || Lack::Bad(Cow::Owned(format!("field {} is no number", field.name)));
        accept(field, place::read(field, head, bit).ok_or_else(no_number)?, steady, facts)?;
        part.behind.push(bit.saturating_add(place::width(field, bit, fields, &part.at, head)));
        part.at.push(Some(bit));
    }
    Ok(part)
}

/// Notes what a field says, if it may say that.
pub(super) fn accept(field: &Field, value: Value<'_>, steady: Option<&Steady>, facts: &mut Facts) -> Result<(), Lack> {
    let expected = field.steady.and_then(|group| steady?.get(usize::from(group)).copied().flatten());
    if let Some(why) = refuse(field, value, expected) {
        return Err(match &field.otherwise {
            Some(otherwise) => Lack::Other(Cow::Owned(format!("{why}: {otherwise}"))),
            None => Lack::Bad(why),
        });
    }
    note(field, value, facts);
    Ok(())
}

pub(super) fn holds(fields: &[Field], at: &[Option<usize>], bytes: &[u8], field: &Field) -> bool {
    field.when.iter().all(|condition| {
        let other = fields.get(condition.field).zip(at.get(condition.field).copied().flatten());
        let value = other.and_then(|(other, bit)| place::read(other, bytes, bit)?.signed());
        value.is_some_and(|value| compare(value, condition.comparison, condition.value))
    })
}

/// Whether `value comparison other` holds.
pub(super) fn compare(value: i64, comparison: Comparison, other: i64) -> bool {
    match comparison {
        Comparison::Equal => value == other,
        Comparison::NotEqual => value != other,
        Comparison::Less => value < other,
        Comparison::LessOrEqual => value <= other,
        Comparison::Greater => value > other,
        Comparison::GreaterOrEqual => value >= other,
        Comparison::Mask => value & other != 0,
    }
}

fn refuse(field: &Field, value: Value<'_>, steady: Option<u64>) -> Option<Cow<'static, str>> {
    let fits = match (&field.constant, value) {
        (Some(Constant::Number(wanted)), Value::Number(_, raw)) => *wanted == raw,
        (Some(Constant::Bytes(wanted)), Value::Bytes(bytes)) if field.kind == Kind::Word => bytes == wanted,
        (Some(Constant::Bytes(wanted)), Value::Bytes(bytes)) => bytes.starts_with(wanted),
        (None, _) => true,
        _ => false,
    };
    let inside = field.range.is_none_or(|(low, high)| value.signed().is_none_or(|value| (low..=high).contains(&value)));
    let same = steady.is_none_or(|steady| steady == value.raw());
    if fits && inside && same {
        return None;
    }
    Some(Cow::Owned(format!("field {} is {:#x}, not as the layout says", field.name, value.raw())))
}

/// Meaning of a value of a mapped field.
pub(super) fn meaning(field: &Field, value: Value<'_>) -> Option<Meaning> {
    let named = field.map.iter().find(|(from, _)| *from == value.raw()).map(|(_, meaning)| *meaning);
    named.or(field.others)
}

fn note(field: &Field, value: Value<'_>, facts: &mut Facts) {
    let Some(role) = &field.role else { return };
    let meaning = meaning(field, value);
    let number = match meaning {
        Some(Meaning::Number(number)) => number,
        _ => value.raw(),
    };
    let flag = match meaning {
        Some(Meaning::Flag(flag)) => flag,
        _ if field.map.is_empty() => value.raw() != 0,
        _ => false,
    };
    facts.skip |= meaning == Some(Meaning::Skip);
    let small = u32::try_from(number).ok();
    match role {
        Role::Pts(clock) => add(&mut facts.pts, number, field, *clock),
        Role::Dts(clock) => add(&mut facts.dts, number, field, *clock),
        Role::Cts(clock) => facts.cts = value.signed().map(|value| (value, *clock)),
        Role::Stream => facts.stream = Some(number),
        Role::Media => {
            if let Some(Meaning::Media(kind)) = meaning {
                facts.media = Some(kind);
            }
        }
        Role::Codec => {
            facts.codec = Some(match meaning {
                Some(Meaning::Codec(codec)) => Some(codec),
                _ => None,
            });
        }
        Role::Key => facts.key = Some(flag),
        Role::Config => facts.config |= flag,
        Role::Skip => facts.skip |= flag,
        Role::Sequence { per_stream } => facts.sequence = Some((number, field.kind.room(), *per_stream)),
        Role::Fragment => {
            facts.fragment = match meaning {
                Some(Meaning::Fragment(fragment)) => Some(fragment),
                _ => None,
            };
        }
        Role::SampleRate => facts.sample_rate = small,
        Role::Channels => facts.channels = u16::try_from(number).ok(),
        Role::Width => facts.width = small,
        Role::Height => facts.height = small,
        Role::Part { first } => facts.part = Some(number.saturating_sub(u64::from(*first))),
        Role::Parts => facts.parts = Some(number),
        Role::First => facts.first = Some(flag),
        Role::Last => facts.last = Some(flag),
        Role::Length { .. } | Role::Checksum { .. } => {}
    }
}

fn add(stamp: &mut Option<Stamp>, number: u64, field: &Field, clock: Clock) {
    let shift = clock.shift.min(63);
    let bits = field.kind.room().saturating_add(shift).min(64);
    let (number, bits) = if clock.halves { (number >> 1, bits.saturating_sub(1)) } else { (number, bits) };
    let own = Stamp { value: number << shift, bits, clock };
    *stamp = Some(match *stamp {
        None => own,
        Some(before) if before.clock.base == clock.base => {
            Stamp { value: before.value.wrapping_add(own.value), bits: before.bits.max(bits), clock }
        }
        Some(before) => before.with_fraction(own),
    });
}

impl Stamp {
    /// Both together, in the shorter of their units.
    fn with_fraction(self, other: Self) -> Self {
        let base = finer(self.clock.base, other.clock.base);
        let ticks = |stamp: Self| stamp.clock.base.rescale(Ticks(stamp.value.cast_signed()), base, Rounding::Near);
        let value = (ticks(self) + ticks(other)).0.cast_unsigned();
        Self { value, bits: 64, clock: Clock { base, shift: 0, halves: false } }
    }
}

/// The shorter of two units.
pub(super) fn finer(a: TimeBase, b: TimeBase) -> TimeBase {
    if TimeBase::compare(Ticks(1), a, Ticks(1), b) == Ordering::Less { a } else { b }
}

/// Body bytes that `refuse_body` needs to be sure.
fn least_body(kind: &BodyKind) -> usize {
    match kind {
        BodyKind::AnnexB => 4,
        BodyKind::Adts => 2,
        BodyKind::Raw | BodyKind::Avcc(_) | BodyKind::ProgramStream | BodyKind::Nested(_) => 0,
    }
}

/// Why what is seen of a body cannot be one of this kind.
fn refuse_body(layout: &Layout, facts: &Facts, seen: &[u8]) -> Option<&'static str> {
    // A middle part of a packet starts anywhere, and sound may share the framing of pictures.
    let first = matches!(facts.fragment, None | Some(Fragment::Whole | Fragment::First));
    let pictures =
        facts.codec.flatten().or(layout.body.codec).is_none_or(|codec| codec.kind() == crate::stream::Kind::Video);
    match layout.body.kind {
        BodyKind::AnnexB if first && pictures && !facts.skip => {
            let long = [0, 0, 0, 1];
            let fits = seen.starts_with(&[0, 0, 1])
                || seen.starts_with(&long)
                || long.starts_with(seen)
                || [0, 0, 1].starts_with(seen);
            (!fits).then_some("the body does not start with a start code")
        }
        BodyKind::Adts if first && seen.len() >= 2 => (!matches!(seen, [0xff, b, ..] if b & 0xf6 == 0xf0))
            .then_some("the body does not start with an ADTS header"),
        _ => None,
    }
}

/// A length in the tail that does not say what the header's said.
fn wrong_length(layout: &Layout, bytes: &[u8], message: &Message) -> Option<Cow<'static, str>> {
    layout.tail.iter().zip(&message.tail.at).find_map(|(field, at)| {
        let Some(Role::Length { unit, plus, from, tail, .. }) = &field.role else { return None };
        let said = i128::from(place::read(field, bytes, (*at)?)?.raw()) * i128::from(*unit) + i128::from(*plus);
        let end = if *tail { message.total() } else { message.body.end };
        let counted = end.saturating_sub(start(*from, &message.header, message.body.start));
        (said != counted as i128)
            .then(|| Cow::Owned(format!("length {} in the tail is {said}, not {counted}", field.name)))
    })
}

fn wrong_sum(layout: &Layout, bytes: &[u8], message: &Message) -> Option<Cow<'static, str>> {
    let parts = [(&layout.header, &message.header), (&layout.tail, &message.tail)];
    let fields = parts.into_iter().flat_map(|(fields, part)| fields.iter().zip(&part.at));
    for (field, at) in fields {
        let (Some(Role::Checksum { algorithm, from, to }), Some(bit)) = (&field.role, at) else { continue };
        let (stands, width) = (bit / 8, field.kind.bits() / 8);
        let covered = bytes.get(covered(*from, *to, &message.header, &message.body, stands))?;
        let offset = start(*from, &message.header, message.body.start);
        let mut copy;
        let covered = match stands.checked_sub(offset) {
            // A checksum among the bytes it covers counts as zeros.
            Some(hole) if hole < covered.len() => {
                copy = covered.to_vec();
                copy.iter_mut().skip(hole).take(width).for_each(|byte| *byte = 0);
                &copy[..]
            }
            _ => covered,
        };
        let said = place::read(field, bytes, *bit)?.raw();
        let sum = algorithm.of(covered);
        if sum != said {
            return Some(Cow::Owned(format!(
                "checksum {} is {said:#x}, that of its {} bytes {sum:#x}",
                field.name,
                covered.len()
            )));
        }
    }
    None
}

/// The bytes a checksum at byte `stands` covers.
pub(super) fn covered(
    from: RangeStart,
    to: RangeEnd,
    header: &Part,
    body: &Range<usize>,
    stands: usize,
) -> Range<usize> {
    let end = match to {
        RangeEnd::Header => body.start,
        RangeEnd::Body => body.end,
        RangeEnd::Here => stands,
    };
    start(from, header, body.start).min(end)..end
}
