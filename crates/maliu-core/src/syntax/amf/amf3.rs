//! AMF3 values (AMF3 specification §3): references to texts and traits are followed, references to containers are not.

use alloc::{string::String, vec::Vec};

use super::{Cursor, Fault, MAX_DEPTH, MAX_TEXT, MAX_VALUES, Read, Value};

/// Most bytes of text that one value copies: one text may be referred to any number of times.
pub const MAX_COPIED: usize = 4 << 20;

/// Reads one value with reference tables of its own.
pub fn read(cursor: &mut Cursor<'_>) -> Read {
    let mut tables = Tables::default();
    match value(cursor, &mut tables, 0) {
        Ok(value) => Read::whole(value),
        Err(fault) => Read::broken(fault),
    }
}

/// References to earlier parts of a value.
#[derive(Default)]
struct Tables<'a> {
    texts: Vec<&'a [u8]>,
    traits: Vec<Traits<'a>>,
    copied: usize,
}

impl Tables<'_> {
    fn owned(&mut self, text: &[u8]) -> Parsed<String> {
        self.copied = self.copied.saturating_add(text.len());
        if text.len() > MAX_TEXT {
            return Err(Fault::Long);
        }
        if self.copied > MAX_COPIED {
            return Err(Fault::Many);
        }
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}

#[derive(Clone)]
struct Traits<'a> {
    members: Vec<&'a [u8]>,
    dynamic: bool,
}

type Parsed<T> = Result<T, Fault>;

fn value<'a>(cursor: &mut Cursor<'a>, tables: &mut Tables<'a>, depth: usize) -> Parsed<Value> {
    if depth > MAX_DEPTH {
        return Err(Fault::Deep);
    }
    cursor.count()?;
    Ok(match cursor.u8().ok_or(Fault::Short)? {
        0x00 | 0x01 => Value::Nothing,
        0x02 => Value::Bool(false),
        0x03 => Value::Bool(true),
        0x04 => Value::Number(f64::from(signed(u29(cursor)?))),
        0x05 => Value::Number(cursor.f64().ok_or(Fault::Short)?),
        0x06 => {
            let text = text(cursor, tables)?;
            Value::Text(tables.owned(text)?)
        }
        0x08 => match length(cursor)? {
            Some(_) => Value::Date(cursor.f64().ok_or(Fault::Short)?),
            None => Value::Nothing,
        },
        0x09 => array(cursor, tables, depth)?,
        0x0a => object(cursor, tables, depth)?,
        // XML documents, XML and byte arrays carry nothing that is used.
        0x07 | 0x0b | 0x0c => {
            if let Some(size) = length(cursor)? {
                cursor.take(size).ok_or(Fault::Short)?;
            }
            Value::Nothing
        }
        other => return Err(Fault::Marker(other)),
    })
}

/// U29: seven bits a byte, the fourth byte carries eight.
fn u29(cursor: &mut Cursor<'_>) -> Parsed<u32> {
    let mut value = 0;
    for _ in 0..3 {
        let byte = cursor.u8().ok_or(Fault::Short)?;
        value = value << 7 | u32::from(byte & 0x7f);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Ok(value << 8 | u32::from(cursor.u8().ok_or(Fault::Short)?))
}

fn signed(value: u32) -> i32 {
    ((value << 3) as i32) >> 3
}

/// A length that stands inline; `None` when it is a reference to an earlier value.
fn length(cursor: &mut Cursor<'_>) -> Parsed<Option<usize>> {
    let coded = u29(cursor)?;
    Ok((coded & 1 == 1).then_some((coded >> 1) as usize))
}

fn text<'a>(cursor: &mut Cursor<'a>, tables: &mut Tables<'a>) -> Parsed<&'a [u8]> {
    let coded = u29(cursor)?;
    let (inline, number) = (coded & 1 == 1, (coded >> 1) as usize);
    if !inline {
        return tables.texts.get(number).copied().ok_or(Fault::Reference);
    }
    let text = cursor.take(number).ok_or(Fault::Short)?;
    // The empty text is never sent by reference.
    if !text.is_empty() {
        tables.texts.push(text);
    }
    Ok(text)
}

/// Named members up to an empty name, appended to `members`.
fn dynamic<'a>(
    cursor: &mut Cursor<'a>,
    tables: &mut Tables<'a>,
    depth: usize,
    members: &mut Vec<(String, Value)>,
) -> Parsed<()> {
    loop {
        let name = text(cursor, tables)?;
        if name.is_empty() {
            return Ok(());
        }
        members.push((tables.owned(name)?, value(cursor, tables, depth + 1)?));
    }
}

fn array<'a>(cursor: &mut Cursor<'a>, tables: &mut Tables<'a>, depth: usize) -> Parsed<Value> {
    let Some(count) = length(cursor)? else { return Ok(Value::Nothing) };
    let mut members = Vec::new();
    dynamic(cursor, tables, depth, &mut members)?;
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(value(cursor, tables, depth + 1)?);
    }
    Ok(if members.is_empty() { Value::Array(values) } else { Value::Object(members) })
}

fn object<'a>(cursor: &mut Cursor<'a>, tables: &mut Tables<'a>, depth: usize) -> Parsed<Value> {
    let coded = u29(cursor)?;
    if coded & 1 == 0 {
        return Ok(Value::Nothing);
    }
    let traits = if coded & 2 == 0 {
        tables.traits.get((coded >> 2) as usize).cloned().ok_or(Fault::Reference)?
    } else if coded & 4 != 0 {
        // Externalizable: only its own class knows where it ends.
        return Err(Fault::Marker(0x0a));
    } else {
        let _class = text(cursor, tables)?;
        let mut members = Vec::new();
        for _ in 0..coded >> 4 {
            cursor.count()?;
            members.push(text(cursor, tables)?);
        }
        let traits = Traits { members, dynamic: coded & 8 != 0 };
        if tables.traits.len() >= MAX_VALUES {
            return Err(Fault::Many);
        }
        tables.traits.push(traits.clone());
        traits
    };
    let mut members = Vec::new();
    for name in traits.members {
        members.push((tables.owned(name)?, value(cursor, tables, depth + 1)?));
    }
    if traits.dynamic {
        dynamic(cursor, tables, depth, &mut members)?;
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Read {
        read(&mut Cursor::new(bytes))
    }

    #[test]
    fn an_object_with_a_text_by_reference_is_read() {
        // Dynamic object without class name: width = 320, encoder = "ab", again = the same text.
        let bytes = b"\x0a\x0b\x01\x0bwidth\x04\x82\x40\x0fencoder\x06\x05ab\x0bagain\x06\x04\x01";
        let read = parse(bytes);
        assert_eq!(read.fault, None);
        assert_eq!(read.value.member("width"), Some(&Value::Number(320.0)));
        assert_eq!(read.value.member("encoder").and_then(Value::text), Some("ab"));
        assert_eq!(read.value.member("again").and_then(Value::text), Some("ab"));
    }

    #[test]
    fn integers_are_29_bits_with_a_sign() {
        assert_eq!(parse(b"\x04\xff\xff\xff\xff").value, Value::Number(-1.0));
        assert_eq!(parse(b"\x04\xc0\x80\x80\x00").value, Value::Number(-268_435_456.0));
    }

    #[test]
    fn short_and_unknown_bytes_are_faults() {
        assert_eq!(parse(b"\x09\xff\xff").fault, Some(Fault::Short));
        assert_eq!(parse(b"\x0d").fault, Some(Fault::Marker(0x0d)));
        assert_eq!(parse(b"\x06\x04").fault, Some(Fault::Reference));
        assert_eq!(parse(&b"\x09\x03\x01".repeat(40)).fault, Some(Fault::Deep));
    }
}
