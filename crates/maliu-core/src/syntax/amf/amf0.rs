//! AMF0 values, read with the reference's limits and written in its forms (AMF0 specification §2; FLD-14, FLV-12).

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use super::{Cursor, Fault, MAX_DEPTH, MAX_TEXT, Read, Value, amf3};

const NUMBER: u8 = 0x00;
const BOOL: u8 = 0x01;
const TEXT: u8 = 0x02;
const OBJECT: u8 = 0x03;
const NULL: u8 = 0x05;
const UNDEFINED: u8 = 0x06;
const MIXED_ARRAY: u8 = 0x08;
const END: u8 = 0x09;
const ARRAY: u8 = 0x0a;
const DATE: u8 = 0x0b;
const UNSUPPORTED: u8 = 0x0d;
const AVMPLUS: u8 = 0x11;

/// Reads one value.
pub fn read(cursor: &mut Cursor<'_>) -> Read {
    value(cursor, 0)
}

/// Reads one text value with its marker; `None`, with nothing taken, when there is none.
pub fn read_text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let mut ahead = cursor.clone();
    if ahead.u8()? != TEXT {
        return None;
    }
    let size = ahead.u16()?;
    let text = ahead.take(size)?;
    *cursor = ahead;
    Some(text)
}

/// Where the text of the member `name` of an object or mixed array stands, or the first text of an array. Names longer
/// than `longest` end the search.
pub fn find_text(cursor: &mut Cursor<'_>, name: &[u8], longest: usize) -> Option<Range<usize>> {
    let marker = cursor.u8()?;
    match marker {
        ARRAY | MIXED_ARRAY => cursor.u32().map(|_count| ())?,
        OBJECT => {}
        _ => return None,
    }
    loop {
        let mut wanted = marker == ARRAY;
        if !wanted {
            let size = cursor.u16().filter(|size| (1..=longest).contains(size))?;
            wanted = cursor.take(size)? == name;
        }
        if wanted && cursor.rest().first() == Some(&TEXT) {
            let size = read_text(cursor)?.len();
            return Some(cursor.position() - size..cursor.position());
        }
        if read(cursor).fault.is_some() {
            return None;
        }
    }
}

fn value(cursor: &mut Cursor<'_>, depth: usize) -> Read {
    if depth > MAX_DEPTH {
        return Read::broken(Fault::Deep);
    }
    if let Err(fault) = cursor.count() {
        return Read::broken(fault);
    }
    let Some(marker) = cursor.u8() else { return Read::broken(Fault::Short) };
    let scalar = match marker {
        NUMBER => cursor.f64().map(Value::Number),
        BOOL => cursor.u8().map(|b| Value::Bool(b != 0)),
        TEXT => return text(cursor),
        NULL | UNDEFINED | UNSUPPORTED => Some(Value::Nothing),
        DATE => cursor.f64().and_then(|ms| cursor.u16().map(|_zone| Value::Date(ms))),
        OBJECT => return members(cursor, depth),
        MIXED_ARRAY => match cursor.u32() {
            // The count lies in many files; the end marker tells.
            Some(_count) => return members(cursor, depth),
            None => None,
        },
        ARRAY => match cursor.u32() {
            Some(count) => return array(cursor, count, depth),
            None => None,
        },
        AVMPLUS => return amf3::read(cursor),
        other => return Read::broken(Fault::Marker(other)),
    };
    scalar.map_or(Read::broken(Fault::Short), Read::whole)
}

fn text(cursor: &mut Cursor<'_>) -> Read {
    let Some(size) = cursor.u16() else { return Read::broken(Fault::Short) };
    match cursor.take(size) {
        _ if size > MAX_TEXT => Read::broken(Fault::Long),
        Some(text) => Read::whole(Value::Text(owned(text))),
        None => Read::broken(Fault::Short),
    }
}

/// Key and value pairs up to an empty or overlong key, then the end marker.
fn members(cursor: &mut Cursor<'_>, depth: usize) -> Read {
    let mut members = Vec::new();
    let fault = loop {
        if cursor.left() <= 2 {
            break end(cursor);
        }
        let Some(size) = cursor.u16().filter(|size| *size > 0) else { break end(cursor) };
        let Some(key) = cursor.take(size) else { break Some(Fault::Short) };
        if size > MAX_TEXT {
            break end(cursor);
        }
        let member = value(cursor, depth + 1);
        members.push((owned(key), member.value));
        if member.fault.is_some() {
            break member.fault;
        }
    };
    Read { value: Value::Object(members), fault }
}

fn end(cursor: &mut Cursor<'_>) -> Option<Fault> {
    (cursor.u8() != Some(END)).then_some(Fault::NoEnd)
}

fn array(cursor: &mut Cursor<'_>, count: u32, depth: usize) -> Read {
    let mut numbers = Vec::new();
    while numbers.len() < count as usize {
        let Some([NUMBER, a @ .., _]) = cursor.rest().first_chunk::<10>() else { break };
        numbers.push(f64::from_be_bytes(*a));
        cursor.at += 9;
    }
    if numbers.len() == count as usize {
        return Read::whole(Value::Numbers(numbers));
    }
    let mut values: Vec<Value> = numbers.into_iter().map(Value::Number).collect();
    let mut fault = None;
    while values.len() < count as usize && cursor.left() > 1 && fault.is_none() {
        let element = value(cursor, depth + 1);
        values.push(element.value);
        fault = element.fault;
    }
    Read { value: Value::Array(values), fault }
}

fn owned(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Appends AMF0 to bytes.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// The value that was written.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// A number with its marker.
    pub fn number(&mut self, value: f64) {
        self.bytes.push(NUMBER);
        self.bytes.extend(value.to_be_bytes());
    }

    /// A truth value with its marker.
    pub fn bool(&mut self, value: bool) {
        self.bytes.extend([BOOL, u8::from(value)]);
    }

    /// A text with its marker.
    pub fn text(&mut self, text: &[u8]) {
        self.bytes.push(TEXT);
        self.key(text);
    }

    /// Null with its marker.
    pub fn null(&mut self) {
        self.bytes.push(NULL);
    }

    /// Any value, with its marker: members become an object, lists a strict array.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Number(number) => self.number(*number),
            Value::Bool(is) => self.bool(*is),
            Value::Text(text) => self.text(text.as_bytes()),
            Value::Nothing => self.null(),
            Value::Numbers(numbers) => self.numbers(numbers.iter().copied()),
            Value::Date(ms) => {
                self.bytes.push(DATE);
                self.bytes.extend(ms.to_be_bytes());
                self.bytes.extend([0, 0]);
            }
            Value::Array(values) => {
                self.bytes.push(ARRAY);
                self.bytes.extend((values.len() as u32).to_be_bytes());
                values.iter().for_each(|value| self.value(value));
            }
            Value::Object(members) => {
                self.object();
                for (name, value) in members {
                    self.key(name.as_bytes());
                    self.value(value);
                }
                self.end();
            }
        }
    }

    /// The name of a member. Beyond 65 535 bytes the length field wraps, as in the reference (FLV-12).
    pub fn key(&mut self, name: &[u8]) {
        self.bytes.extend((name.len() as u16).to_be_bytes());
        self.bytes.extend(name);
    }

    /// The start of an object; members follow, then [`Writer::end`].
    pub fn object(&mut self) {
        self.bytes.push(OBJECT);
    }

    /// The start of a mixed array of `count` members, ended by [`Writer::end`]. Returns where the count stands.
    pub fn mixed_array(&mut self, count: u32) -> usize {
        self.bytes.push(MIXED_ARRAY);
        let at = self.bytes.len();
        self.bytes.extend(count.to_be_bytes());
        at
    }

    /// An array of numbers.
    pub fn numbers(&mut self, numbers: impl ExactSizeIterator<Item = f64>) {
        self.bytes.push(ARRAY);
        self.bytes.extend((numbers.len() as u32).to_be_bytes());
        numbers.for_each(|number| self.number(number));
    }

    /// The end of an object or mixed array.
    pub fn end(&mut self) {
        self.bytes.extend([0, 0, END]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Read {
        read(&mut Cursor::new(bytes))
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut out = Writer::default();
        out.mixed_array(3);
        out.key(b"a");
        out.number(1.5);
        out.key(b"keyframes");
        out.object();
        out.key(b"times");
        out.numbers([0.0, 2.0].into_iter());
        out.end();
        out.key(b"t");
        out.text("é".as_bytes());
        out.end();
        let read = parse(&out.bytes);
        assert_eq!(read.fault, None);
        assert_eq!(read.value.member("a"), Some(&Value::Number(1.5)));
        let times = read.value.member("keyframes").and_then(|k| k.member("times"));
        assert_eq!(times, Some(&Value::Numbers(alloc::vec![0.0, 2.0])));
        assert_eq!(read.value.member("t").and_then(Value::text), Some("é"));
    }

    #[test]
    fn trees_read_back_as_they_were_written() {
        let text = |text: &str| Value::Text(text.into());
        let tree = Value::Object(alloc::vec![
            ("n".into(), Value::Numbers(alloc::vec![1.0, 2.0])),
            ("l".into(), Value::Array(alloc::vec![text("*"), Value::Bool(true), Value::Nothing])),
            ("d".into(), Value::Date(5.0)),
            ("o".into(), Value::Object(alloc::vec![("t".into(), text("x"))])),
        ]);
        let mut out = Writer::default();
        out.value(&tree);
        assert_eq!(parse(&out.bytes), Read::whole(tree));
    }

    #[test]
    fn what_stands_before_a_fault_is_kept() {
        let read = parse(b"\x08\0\0\0\x02\0\x01a\x01\x01\0\x01b\x02\xff\xff");
        assert_eq!(
            read.value,
            Value::Object(alloc::vec![("a".into(), Value::Bool(true)), ("b".into(), Value::Nothing)])
        );
        assert_eq!(read.fault, Some(Fault::Long));
        assert_eq!(parse(b"\x03\0\0\0").fault, Some(Fault::NoEnd));
        assert_eq!(parse(b"\x0c\0\0\0\0").fault, Some(Fault::Marker(0x0c)));
    }

    #[test]
    fn nesting_is_limited() {
        let nested = [3, 0, 1, b'o'].repeat(100);
        let mut read = parse(&nested);
        assert_eq!(read.fault, Some(Fault::Deep));
        let mut depth = 0;
        while let Value::Object(mut members) = read.value {
            depth += 1;
            read.value = members.pop().map_or(Value::Nothing, |(_, value)| value);
        }
        assert_eq!(depth, MAX_DEPTH + 1);
    }

    #[test]
    fn counts_promise_nothing() {
        assert_eq!(parse(b"\x0a\xff\xff\xff\xff\0\0\0").value, Value::Array(alloc::vec![Value::Nothing]));
    }
}
