//! Adler-32 (RFC 1950 §8.2).

/// The sums so far.
#[derive(Clone, Debug)]
pub(super) struct Adler32 {
    a: u32,
    b: u32,
}

const MODULO: u32 = 65_521;

/// Bytes after which `b` may not yet have passed 32 bits.
const RUN: usize = 5552;

impl Default for Adler32 {
    fn default() -> Self {
        Self::from(1)
    }
}

impl From<u32> for Adler32 {
    fn from(value: u32) -> Self {
        Self { a: value & 0xffff, b: value >> 16 }
    }
}

impl Adler32 {
    pub(super) fn update(&mut self, data: &[u8]) {
        for run in data.chunks(RUN) {
            for byte in run {
                self.a = self.a.wrapping_add(u32::from(*byte));
                self.b = self.b.wrapping_add(self.a);
            }
            self.a %= MODULO;
            self.b %= MODULO;
        }
    }

    pub(super) fn value(&self) -> u32 {
        self.b << 16 | self.a
    }
}
