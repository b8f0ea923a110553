//! Bits of one field at its place in a header: read and write, at any bit offset.

use alloc::{format, vec::Vec};

use super::{Field, Kind};
use crate::bits::Bits;

/// A field's value: a number, or the bytes it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(i64, u64),
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// The value for comparisons; texts and long BCD numbers have none.
    pub(super) fn signed(self) -> Option<i64> {
        match self {
            Self::Number(value, _) => Some(value),
            Self::Bytes(_) => None,
        }
    }

    /// The bits as an unsigned number.
    pub(super) fn raw(self) -> u64 {
        match self {
            Self::Number(_, raw) => raw,
            Self::Bytes(_) => 0,
        }
    }
}

/// The value of `field` at bit `at` of `bytes`; `None` when the bits are not there.
pub(super) fn read<'a>(field: &Field, bytes: &'a [u8], at: usize) -> Option<Value<'a>> {
    let whole = |len: usize| bytes.get(at / 8..(at / 8).checked_add(len)?);
    match field.kind {
        Kind::Number { bits, signed, little } => {
            let raw = if little && at.is_multiple_of(8) && bits.is_multiple_of(8) {
                whole(usize::from(bits / 8))?.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b))
            } else {
                let mut cursor = Bits::new(bytes);
                cursor.skip(at)?;
                cursor.read_u64(u32::from(bits))?
            };
            let unused = 64 - u32::from(bits).clamp(1, 64);
            let value = if signed { (raw << unused).cast_signed() >> unused } else { raw.cast_signed() };
            Some(Value::Number(value, raw))
        }
        Kind::Bcd { digits } if digits <= 18 => {
            let digit = |n: u64, b: &u8| n * 100 + u64::from(b >> 4) * 10 + u64::from(b & 15);
            let number = whole(usize::from(digits) / 2)?.iter().fold(0, digit);
            Some(Value::Number(number.cast_signed(), number))
        }
        Kind::Bcd { digits } => Some(Value::Bytes(whole(usize::from(digits) / 2)?)),
        Kind::Text { len } | Kind::Bytes { len } => Some(Value::Bytes(whole(usize::from(len))?)),
        Kind::Counted { .. } => Some(Value::Bytes(&[])),
        Kind::Varint => {
            let (mut number, mut bytes) = (0u64, bytes.get(at / 8..)?.iter());
            for group in 0..MAX_VARINT {
                let byte = bytes.next()?;
                number |= u64::from(byte & 0x7f).checked_shl(group as u32 * 7).unwrap_or(0);
                if byte & 0x80 == 0 {
                    return Some(Value::Number(number.cast_signed(), number));
                }
            }
            None
        }
        Kind::Digits { radix } => {
            let text = bytes.get(at / 8..)?;
            if let Some(flag) = [&b"false"[..], b"true"].iter().position(|word| text.starts_with(word)) {
                return Some(Value::Number(flag as i64, flag as u64));
            }
            let digits = text.iter().map_while(|byte| char::from(*byte).to_digit(radix.into())).take(MAX_DIGITS);
            let join = |number: Option<u64>, digit: u32| {
                number.unwrap_or(0).checked_mul(radix.into())?.checked_add(digit.into()).map(Some)
            };
            let number = digits.map(Some).try_fold(None, |number, digit| join(number, digit?))??;
            Some(Value::Number(number.cast_signed(), number))
        }
        Kind::Word => {
            let text = bytes.get(at / 8..)?;
            let ends = |byte: &u8| *byte <= b' ' || b"\",;}".contains(byte);
            Some(Value::Bytes(text.get(..text.iter().position(ends).unwrap_or(text.len()))?))
        }
    }
}

/// Most bytes of a varint, and most digits of a number.
const MAX_VARINT: usize = 10;
const MAX_DIGITS: usize = 20;

/// Bits of `field` at bit `own`, of which those in front of it begin at the bits `at`; a field that counts may say more than
/// there is room for. One that is not whole yet goes on behind the last byte.
pub(super) fn width(field: &Field, own: usize, fields: &[Field], at: &[Option<usize>], bytes: &[u8]) -> usize {
    let here = bytes.get(own / 8..).unwrap_or_default();
    let by = match field.kind {
        Kind::Counted { by } => by,
        Kind::Varint => {
            let whole = here.iter().take(MAX_VARINT).position(|byte| byte & 0x80 == 0);
            return whole.unwrap_or(here.len().min(MAX_VARINT)).saturating_add(1) * 8;
        }
        Kind::Digits { radix } => {
            let word = [&b"false"[..], b"true"].into_iter().find(|word| here.starts_with(word));
            let digits =
                here.iter().take(MAX_DIGITS).take_while(|byte| char::from(**byte).is_digit(radix.into())).count();
            return word.map_or(digits, <[u8]>::len) * 8;
        }
        Kind::Word => {
            return match read(field, bytes, own) {
                Some(Value::Bytes(word)) => word.len() * 8,
                _ => 0,
            };
        }
        kind => return kind.bits(),
    };
    let count = fields.get(by).zip(at.get(by).copied().flatten());
    let count = count.and_then(|(field, bit)| read(field, bytes, bit)).map_or(0, Value::raw);
    usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(8)
}

/// Appends bits to bytes; the last byte may be partly filled.
#[derive(Default)]
pub(super) struct Packer {
    pub(super) bytes: Vec<u8>,
    bits: usize,
}

impl Packer {
    /// Appends `field` with the value `raw`; bytes fields are filled from `text`, then with zeros.
    pub(super) fn write(&mut self, field: &Field, raw: u64, text: &[u8]) {
        match field.kind {
            Kind::Number { bits, little: true, .. } if bits.is_multiple_of(8) => {
                let bytes = raw.to_le_bytes();
                bytes.iter().take(usize::from(bits / 8)).for_each(|b| self.number(u64::from(*b), 8));
            }
            Kind::Number { bits, .. } => self.number(raw, bits),
            Kind::Bcd { digits } => {
                let mut rest = raw;
                let mut halves: Vec<u8> = (0..digits).map(|_| (rest % 10, rest /= 10).0 as u8).collect();
                halves.reverse();
                halves.iter().for_each(|half| self.number(u64::from(*half), 4));
            }
            Kind::Text { len } | Kind::Bytes { len } => {
                let padded = text.iter().copied().chain(core::iter::repeat(0)).take(usize::from(len));
                padded.for_each(|b| self.number(u64::from(b), 8));
            }
            Kind::Counted { .. } => {}
            Kind::Varint => {
                let mut rest = raw;
                while rest >= 0x80 {
                    self.number(rest & 0x7f | 0x80, 8);
                    rest >>= 7;
                }
                self.number(rest, 8);
            }
            Kind::Digits { radix: 16 } => self.text(format!("{raw:x}").as_bytes()),
            Kind::Digits { .. } => self.text(format!("{raw}").as_bytes()),
            Kind::Word => self.text(text),
        }
    }

    /// Appends bytes of zeros.
    pub(super) fn zeros(&mut self, bytes: usize) {
        (0..bytes).for_each(|_| self.number(0, 8));
    }

    /// Appends the bytes of a text.
    pub(super) fn text(&mut self, text: &[u8]) {
        text.iter().for_each(|byte| self.number(u64::from(*byte), 8));
    }

    /// Whole bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn number(&mut self, value: u64, bits: u8) {
        for bit in (0..bits).rev() {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.bits % 8);
            }
            self.bits += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let number = |bits, signed, little| Kind::Number { bits, signed, little };
        let cases = [
            (number(3, false, false), 5, 5),
            (number(5, true, false), 0b1_1110, -2),
            (number(16, false, true), 0x1234, 0x1234),
            (number(24, true, false), 0xff_ffff, -1),
            (Kind::Bcd { digits: 12 }, 13_800_138_000, 13_800_138_000),
            (number(64, false, false), u64::MAX, -1),
        ];
        let mut packer = Packer::default();
        for (kind, raw, _) in cases {
            packer.write(&Field::new("", kind), raw, b"");
        }
        let mut at = 0;
        for (kind, raw, value) in cases {
            assert_eq!(read(&Field::new("", kind), &packer.bytes, at), Some(Value::Number(value, raw)), "{kind:?}");
            at += kind.bits();
        }
        assert_eq!(read(&Field::new("", number(1, false, false)), &packer.bytes, at), None);
    }
}
