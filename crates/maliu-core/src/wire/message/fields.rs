//! Fields of a body, big-endian: written to a vector, read from a slice.

use alloc::{string::String, vec::Vec};

use bytes::Bytes;

/// Bytes of a reason in words that are kept.
pub(super) const MAX_TEXT: usize = 1024;

/// Fields being written.
pub(super) struct Put<'a>(pub(super) &'a mut Vec<u8>);

impl Put<'_> {
    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    pub(super) fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Bytes behind their length in 4 bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.raw(bytes);
    }

    /// Puts the output of `write` behind its length in 4 bytes, so that a reader can pass over fields it does not know.
    pub(super) fn group(&mut self, write: impl FnOnce(&mut Put)) {
        let at = self.0.len();
        self.u32(0);
        write(self);
        let length = u32::try_from(self.0.len().saturating_sub(at).saturating_sub(4)).unwrap_or(u32::MAX);
        self.0.iter_mut().skip(at).zip(length.to_be_bytes()).for_each(|(to, from)| *to = from);
    }

    /// 1 and the value, or 0.
    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Fields being read; `None` when they end early.
#[derive(Clone)]
pub(super) struct Get<'a>(pub(super) &'a [u8]);

impl<'a> Get<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[value]| value)
    }
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// Bytes behind their length in 4 bytes.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Fields behind their length in 4 bytes.
    pub(super) fn group(&mut self) -> Option<Self> {
        self.bytes().map(Get)
    }

    pub(super) fn owned(&mut self) -> Option<Bytes> {
        self.bytes().map(Bytes::copy_from_slice)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        core::str::from_utf8(self.bytes()?).ok().map(String::from)
    }

    /// The first [`MAX_TEXT`] bytes of a text, whatever they are.
    pub(super) fn short_text(&mut self) -> Option<String> {
        let bytes = self.bytes()?;
        Some(String::from_utf8_lossy(bytes.get(..MAX_TEXT).unwrap_or(bytes)).into_owned())
    }

    /// Fields behind a 1; nothing behind a 0.
    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.u8()? == 0 { Some(None) } else { read(self).map(Some) }
    }
}
