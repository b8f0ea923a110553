//! Fields of a guessed layout: constants, counters, clocks, kinds; what is not explained stays bytes.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    Chain, body,
    columns::Columns,
    extent::Extent,
    sums::Tail,
    times::{self, Motion},
};
use crate::{
    layout::{Body, BodyKind, Clock, Constant, Field, Kind, Layout, Meaning, RangeEnd, RangeStart, Role},
    time::TimeBase,
};

/// Longest step of a clock that is believed, in ticks: those of a nanosecond in a frame.
const MAX_STEP: u64 = 1 << 27;
/// Most values of a field that tells kinds of messages apart.
const KINDS: usize = 8;

/// A layout with remarks: on each field of the header, on each of the tail, on the rest.
type Described = (Layout, Vec<String>, Vec<String>, Vec<String>);

/// The layout of a chain's messages.
pub(super) fn layout(chain: &Chain, extent: &Extent, bytes: &[u8]) -> Described {
    let columns = Columns { chain, bytes };
    let framing = extent.framing;
    let mut writing = Writing { columns: &columns, extent, fields: Vec::new(), remarks: Vec::new(), clocks: 0 };
    let end = framing.offset + framing.width;
    writing.region(0, framing.offset);
    writing.length();
    writing.region(end, extent.header.max(end));
    let Writing { fields, remarks, .. } = writing;
    let (tail, tail_remarks) = tail(extent);
    let mut layout = Layout::new("guessed", fields);
    layout.about = format!("Guessed from a capture of {} messages", chain.places.len());
    layout.tail = tail;
    let mut rest = Vec::new();
    if framing.start > 0
        && let Ok(len) = u16::try_from(framing.start)
    {
        layout.preamble = alloc::vec![Field::new("start", Kind::Bytes { len })];
        rest.push(format!("{len} bytes stand in front of the first message: a preamble, or a message that was cut"));
    }
    if let Some(mark) = &extent.mark {
        let named = layout.header.iter().any(|field| field.role == Some(Role::Codec));
        if mark.all || named {
            // Frames of ADTS say themselves that they are AAC.
            let codec = (!named || mark.kind == BodyKind::Adts).then_some(mark.codec);
            layout.body = Body { kind: mark.kind.clone(), codec, ..Body::default() };
        } else {
            rest.push(format!("some bodies are {}, and no field tells which", mark.codec));
        }
    } else {
        rest.push("the kind of the bodies is not known: add body = { codec = \"…\" }".to_owned());
    }
    (layout, remarks, tail_remarks, rest)
}

struct Writing<'a> {
    columns: &'a Columns<'a>,
    extent: &'a Extent,
    fields: Vec<Field>,
    remarks: Vec<String>,
    clocks: usize,
}

impl Writing<'_> {
    fn add(&mut self, field: Field, remark: impl Into<String>) {
        self.fields.push(field);
        self.remarks.push(remark.into());
    }

    /// The bytes of each message at `at`, in messages in which they are there.
    fn column(&self, at: usize) -> impl Iterator<Item = u8> + '_ {
        self.columns.at(at as isize - self.extent.offset as isize)
    }

    fn constant(&self, at: usize) -> Option<u8> {
        let first = self.column(at).next()?;
        self.column(at).all(|byte| byte == first).then_some(first)
    }

    fn numbers(&self, at: usize, width: usize, little: bool) -> Vec<u64> {
        let (bytes, offset) = (self.columns.bytes, self.extent.offset);
        let value = |place: &usize| {
            let start = place.checked_sub(offset)?.checked_add(at)?;
            let field = bytes.get(start..start.checked_add(width)?)?;
            let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
            Some(if little { field.iter().rev().fold(0, join) } else { field.iter().fold(0, join) })
        };
        self.columns.chain.places.iter().take(2048).filter_map(value).collect()
    }

    /// The length field itself.
    fn length(&mut self) {
        let framing = self.extent.framing;
        let (header, tail) = (self.extent.header, self.extent.tail.as_ref().map_or(0, Tail::width));
        let (index, end) = (self.fields.len(), framing.offset + framing.width);
        let (from, plus, counts_tail) = match usize::try_from(framing.plus) {
            Ok(plus) if plus == header + tail => (RangeStart::Body, 0, false),
            Ok(plus) if plus == end + tail => (RangeStart::Behind(index), 0, false),
            Ok(plus) if plus == end => (RangeStart::Behind(index), 0, true),
            _ => (RangeStart::Start, i32::try_from(framing.plus).unwrap_or(0), true),
        };
        let mut field = Field::new("length", number(framing.width, framing.little));
        let unit = framing.unit;
        field.role = Some(Role::Length {
            unit,
            plus,
            from,
            tail: counts_tail && (tail > 0 || from == RangeStart::Start),
            align: 1,
        });
        let remark = format!("leads from message to message in {} of them", self.columns.chain.places.len());
        self.add(field, remark);
    }

    /// The fields of the bytes from `from` to `to` of messages.
    fn region(&mut self, from: usize, to: usize) {
        let (mut at, mut unknown) = (from, from);
        while at < to {
            let constants = (at..to).map_while(|at| self.constant(at)).collect::<Vec<u8>>();
            // Zeros may be the high bytes of what follows.
            let fixed = constants.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let taken = if fixed > 0 {
                self.unknown(unknown, at);
                self.constants(at, constants.get(..fixed).unwrap_or_default());
                fixed
            } else if let Some((field, width, remark)) = self.moving(at, to, true) {
                self.unknown(unknown, at);
                self.add(field, remark);
                width
            } else if constants.len() == to - at || constants.len() > 3 {
                self.unknown(unknown, at);
                self.constants(at, &constants);
                constants.len()
            } else if let Some((field, remark)) = self.kind(at) {
                self.unknown(unknown, at);
                self.add(field, remark);
                1
            } else if let Some((field, width, remark)) = self.moving(at, to, false) {
                self.unknown(unknown, at);
                self.add(field, remark);
                width
            } else {
                at += 1;
                continue;
            };
            at += taken;
            unknown = at;
        }
        self.unknown(unknown, to);
    }

    fn unknown(&mut self, from: usize, to: usize) {
        if let Ok(len) = u16::try_from(to.saturating_sub(from))
            && len > 0
        {
            self.add(Field::new(format!("unknown_{from}"), Kind::Bytes { len }), "not explained");
        }
    }

    fn constants(&mut self, at: usize, bytes: &[u8]) {
        if bytes.len() >= 3 && bytes.iter().all(u8::is_ascii_graphic) {
            let mut field = Field::new(format!("text_{at}"), Kind::Text { len: bytes.len() as u16 });
            field.constant = Some(Constant::Bytes(bytes.to_vec()));
            return self.add(field, "the same in all messages");
        }
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let width = [4, 2, 1].into_iter().find(|width| *width <= rest.len()).unwrap_or(1);
            let Some((bytes, behind)) = rest.split_at_checked(width) else { return };
            let value = bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
            let mut field = Field::new(format!("constant_{at}"), number(width, false));
            field.constant = Some(Constant::Number(value));
            self.add(field, "the same in all messages");
            (at, rest) = (at + width, behind);
        }
    }

    /// A counter or a clock at `at`; only one whose ticks are known if it must be `sure`.
    fn moving(&mut self, at: usize, to: usize, sure: bool) -> Option<(Field, usize, String)> {
        let ways = [8, 4, 3, 2, 1].into_iter().flat_map(|width| [(width, false), (width, true)]);
        for (width, little) in ways.filter(|(width, _)| at + width <= to) {
            // The lowest byte moves, and the highest one is no constant but zero.
            let (low, high) = if little { (at, at + width - 1) } else { (at + width - 1, at) };
            if self.constant(low).is_some() || self.constant(high).is_some_and(|byte| byte != 0 && width > 1) {
                continue;
            }
            let Some(motion) = times::motion(&self.numbers(at, width, little), width as u32 * 8) else { continue };
            let mut field = Field::new(format!("count_{at}"), number(width, little));
            return match motion {
                Motion::Counts => {
                    let counted = self.fields.iter().any(|field| matches!(field.role, Some(Role::Sequence { .. })));
                    field.role = (!counted).then_some(Role::Sequence { per_stream: false });
                    Some((field, width, "grows by 1 from message to message".into()))
                }
                // A byte is too little to be sure of a clock.
                Motion::Runs { .. } if width < 2 => continue,
                Motion::Runs { step } => {
                    let (ticks, known) = times::clock(step);
                    // Bits of another field below a clock look like one that runs fast.
                    if sure && !known || step > MAX_STEP {
                        continue;
                    }
                    field.name = format!("time_{at}");
                    let clock = Clock { base: TimeBase::hz(ticks), shift: 0, halves: false };
                    field.role = match self.clocks {
                        0 => Some(Role::Pts(clock)),
                        _ => None,
                    };
                    self.clocks += 1;
                    let doubt = if known { "" } else { ", its clock is not known" };
                    Some((field, width, format!("runs in steps of {step}{doubt}")))
                }
            };
        }
        None
    }

    /// A byte that tells kinds of messages apart, perhaps the codec.
    fn kind(&self, at: usize) -> Option<(Field, String)> {
        let mut values: Vec<u8> = self.column(at).collect();
        values.sort_unstable();
        values.dedup();
        if values.len() > KINDS {
            return None;
        }
        let mut field = Field::new(format!("kind_{at}"), number(1, false));
        let codec = self.fields.iter().all(|field| field.role != Some(Role::Codec));
        if let Some(marked) =
            self.extent.mark.as_ref().filter(|mark| codec && !mark.all).and_then(|mark| self.marked(at, &values, mark))
        {
            field.role = Some(Role::Codec);
            field.map = marked;
            field.others = Some(Meaning::Skip);
        }
        let shown: Vec<String> = values.iter().map(|value| format!("{value:#x}")).collect();
        Some((field, format!("has the values {}", shown.join(" "))))
    }

    /// The values of the byte at `at` with which bodies begin as marked, if it tells them from the others.
    fn marked(&self, at: usize, values: &[u8], mark: &body::Mark) -> Option<Vec<(u64, Meaning)>> {
        let mut map = Vec::new();
        for value in values {
            let has = |place: &&usize| {
                let start = place.checked_sub(self.extent.offset).and_then(|start| start.checked_add(at));
                start.and_then(|at| self.columns.bytes.get(at)) == Some(value)
            };
            let begins = |place: &&usize| {
                let body = place.checked_add(mark.offset).and_then(|at| self.columns.bytes.get(at..));
                body.is_some_and(|body| body::begins(mark, body))
            };
            let all = self.columns.chain.places.iter().filter(has).count();
            let hits = self.columns.chain.places.iter().filter(has).filter(begins).count();
            match (hits, all) {
                (0, _) => {}
                _ if hits * 20 >= all * 19 => map.push((u64::from(*value), Meaning::Codec(mark.codec))),
                _ => return None,
            }
        }
        (!map.is_empty() && map.len() < values.len()).then_some(map)
    }
}

/// The fields of the tail.
fn tail(extent: &Extent) -> (Vec<Field>, Vec<String>) {
    let Some(tail) = &extent.tail else { return Default::default() };
    let width = tail.width();
    let mut field = Field::new("end", Kind::Bytes { len: width as u16 });
    let remark = match tail {
        Tail::Sum { algorithm, little, whole } => {
            field = Field::new("checksum", number(width, *little));
            let from = if *whole { RangeStart::Start } else { RangeStart::Body };
            field.role = Some(Role::Checksum { algorithm: *algorithm, from, to: RangeEnd::Body });
            "is right in all messages that were looked at"
        }
        Tail::Length { little, plus, .. } => {
            field = Field::new("length_again", number(width, *little));
            let plus = i32::try_from(*plus).unwrap_or(0);
            field.role = Some(Role::Length { unit: 1, plus, from: RangeStart::Start, tail: true, align: 1 });
            "is the length again"
        }
        Tail::Constant(bytes) => {
            field.constant = Some(Constant::Bytes(bytes.clone()));
            "the same in all messages"
        }
        Tail::Unknown(_) => "not explained",
    };
    (alloc::vec![field], alloc::vec![remark.to_owned()])
}

fn number(width: usize, little: bool) -> Kind {
    Kind::Number { bits: (width * 8).min(64) as u8, signed: false, little: little && width > 1 }
}
