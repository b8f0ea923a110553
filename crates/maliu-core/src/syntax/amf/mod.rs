//! Action Message Format: values of AMF0 and AMF3 read into one tree, and AMF0 written (AMF0 and AMF3 specifications,
//! Adobe).
//!
//! ```text
//!  bytes ─▶ amf0::read ─┐                       Value ─▶ amf0::Writer ─▶ bytes
//!                       ├─▶ Read { value, fault }
//!  bytes ─▶ amf3::read ─┘   what was understood before a fault stays in the tree
//! ```

use alloc::{string::String, vec::Vec};

pub mod amf0;
pub mod amf3;

/// Deepest nesting of values that is followed (FLD-14).
pub const MAX_DEPTH: usize = 16;

/// Most values of one tree; numbers in arrays of numbers do not count.
pub const MAX_VALUES: usize = 1 << 18;

/// Longest text value or member name that is accepted, in bytes (FLD-14).
pub const MAX_TEXT: usize = 1023;

/// A value of either version.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number; AMF3 integers too.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// A text; bytes that are not UTF-8 are replaced.
    Text(String),
    /// Named members in order: objects and mixed arrays.
    Object(Vec<(String, Value)>),
    /// Values in order.
    Array(Vec<Value>),
    /// Values in order, all of them numbers.
    Numbers(Vec<f64>),
    /// An instant in milliseconds since 1970-01-01 UTC.
    Date(f64),
    /// Null, undefined and everything that carries nothing of use here.
    Nothing,
}

impl Value {
    /// The members, if it has names for them.
    pub fn members(&self) -> &[(String, Value)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Why reading stopped before the end of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes end inside the value.
    Short,
    /// Nesting passes [`MAX_DEPTH`].
    Deep,
    /// The tree passes [`MAX_VALUES`].
    Many,
    /// A text passes [`MAX_TEXT`].
    Long,
    /// A type marker that is not understood here.
    Marker(u8),
    /// The end marker of an object is missing.
    NoEnd,
    /// A reference names nothing that was read.
    Reference,
}

/// Part of a value that was read, and why it stopped early if it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// As much of the value as was understood.
    pub value: Value,
    /// The fault behind it.
    pub fault: Option<Fault>,
}

impl Read {
    fn whole(value: Value) -> Self {
        Self { value, fault: None }
    }

    fn broken(fault: Fault) -> Self {
        Self { value: Value::Nothing, fault: Some(fault) }
    }
}

/// A cursor over bytes that remembers how much it was asked to build.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor on the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, values: 0 }
    }

    /// Bytes taken since the start.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes left.
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..n)?;
        self.at += n;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.rest().first_chunk()?;
        self.at += N;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    fn u16(&mut self) -> Option<usize> {
        self.array().map(|b| usize::from(u16::from_be_bytes(b)))
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// Counts one more value of the tree.
    fn count(&mut self) -> Result<(), Fault> {
        self.values += 1;
        if self.values > MAX_VALUES { Err(Fault::Many) } else { Ok(()) }
    }
}
