//! A capture in words: one line per field, body or stretch of garbage, for an annotated hex dump.

use alloc::{format, string::String, vec::Vec};

use super::{
    Constant, Field, Kind, Layout, Meaning, Role,
    message::{self, Facts, Lack, Part, Steady},
    place::{self, Value},
};

/// Meaning of some bytes of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// Offset of the first byte.
    pub at: usize,
    /// Number of bytes that hold it; bit fields of one byte each name that byte.
    pub len: usize,
    /// Number of the message from 0; `None` in the preamble.
    pub message: Option<usize>,
    /// The field's name, `body`, or `garbage`.
    pub name: String,
    /// Its value and what that means.
    pub value: String,
}

/// Every field of `capture`, in order, up to `most` lines. Garbage is named and passed over.
pub fn explain(layout: &Layout, capture: &[u8], most: usize) -> Vec<Line> {
    let (mut lines, mut facts, mut at) = (Vec::new(), Facts::default(), 0);
    if let Ok(part) = message::part(&layout.preamble, capture, 0, None, &mut facts) {
        fields(&layout.preamble, &part, capture, 0, None, &mut lines);
        at = part.end;
    }
    let (mut steady, mut number, mut garbage) = (Steady::new(), 0, None);
    while lines.len() < most {
        let Some(rest) = capture.get(at..).filter(|rest| !rest.is_empty()) else { break };
        match message::look(layout, rest, &steady, &facts) {
            Ok(found) if found.total() > 0 => {
                close_garbage(&mut garbage, at, &mut lines);
                message::hold(layout, &found, rest, &mut steady);
                fields(&layout.header, &found.header, rest, at, Some(number), &mut lines);
                let value = format!("{} bytes", found.body.len());
                let (start, len) = (at + found.body.start, found.body.len());
                lines.push(Line { at: start, len, message: Some(number), name: "body".into(), value });
                let (start, len) = (at + found.body.end, found.behind - found.body.end);
                if len > 0 {
                    let (name, value) = (String::from("end"), String::from("of the body"));
                    lines.push(Line { at: start, len, message: Some(number), name, value });
                }
                fields(&layout.inside, &found.inside, rest, at, Some(number), &mut lines);
                fields(&layout.tail, &found.tail, rest, at, Some(number), &mut lines);
                at += found.total();
                number += 1;
            }
            Err(Lack::Bad(why) | Lack::Other(why)) => {
                garbage.get_or_insert((at, format!("{why}")));
                at += 1;
            }
            _ => {
                garbage.get_or_insert((at, "a message that is cut short".into()));
                at += 1;
            }
        }
    }
    close_garbage(&mut garbage, at.min(capture.len()), &mut lines);
    lines.truncate(most);
    lines
}

fn close_garbage(garbage: &mut Option<(usize, String)>, end: usize, lines: &mut Vec<Line>) {
    if let Some((at, value)) = garbage.take() {
        lines.push(Line { at, len: end.saturating_sub(at), message: None, name: "garbage".into(), value });
    }
}

fn fields(fields: &[Field], part: &Part, bytes: &[u8], base: usize, message: Option<usize>, lines: &mut Vec<Line>) {
    for (field, bit) in fields.iter().zip(&part.at) {
        let Some((bit, value)) = bit.and_then(|bit| Some((bit, place::read(field, bytes, bit)?))) else { continue };
        let width = place::width(field, bit, fields, &part.at, bytes);
        let end = bit.saturating_add(width).div_ceil(8);
        let value = match field.kind {
            Kind::Counted { .. } => words(field, Value::Bytes(bytes.get(bit / 8..end).unwrap_or_default())),
            _ => words(field, value),
        };
        lines.push(Line { at: base + bit / 8, len: end - bit / 8, message, name: field.name.clone(), value });
    }
}

/// A value as a person reads it.
fn words(field: &Field, value: Value<'_>) -> String {
    let text = match (field.kind, value) {
        (Kind::Number { signed: true, .. } | Kind::Bcd { .. } | Kind::Digits { .. }, Value::Number(value, _)) => {
            format!("{value}")
        }
        (_, Value::Number(_, raw)) if raw < 10 => format!("{raw}"),
        (_, Value::Number(_, raw)) => format!("{raw} ({raw:#x})"),
        (Kind::Text { .. } | Kind::Word, Value::Bytes(bytes)) => {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            format!("{:?}", String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()))
        }
        (_, Value::Bytes(bytes)) => bytes.iter().take(16).map(|b| format!("{b:02x}")).collect(),
    };
    let meaning = match message::meaning(field, value) {
        Some(Meaning::Codec(codec)) => format!(" = {codec}"),
        Some(Meaning::Flag(true)) => " = yes".into(),
        Some(Meaning::Flag(false)) => " = no".into(),
        Some(Meaning::Fragment(part)) => format!(" = {}", format!("{part:?}").to_lowercase()),
        Some(Meaning::Number(number)) => format!(" = {number}"),
        Some(Meaning::Media(kind)) => format!(" = {}", kind.name()),
        Some(Meaning::Skip) => " = passed over".into(),
        None => String::new(),
    };
    let role = match &field.role {
        Some(Role::Pts(clock) | Role::Dts(clock)) if clock.shift == 0 => {
            // A signed field may be in front of the start; halves are those of the clock.
            let ticks = value.signed().unwrap_or_default();
            let ticks =
                crate::time::Ticks(if clock.halves { value.raw().cast_signed() >> 1 & i64::MAX } else { ticks });
            format!(", {:.6} s", clock.base.seconds(ticks))
        }
        _ if matches!(field.constant, Some(Constant::Number(_) | Constant::Bytes(_))) => ", constant".into(),
        _ => String::new(),
    };
    format!("{text}{meaning}{role}")
}
