//! Cuts bytes into the 64-byte blocks of MD5, and pads the last one.

/// Bytes of a block.
pub(super) const SIZE: usize = 64;

/// The bytes of the block that is not full yet, and how many there were in all.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    open: [u8; SIZE],
    filled: usize,
    total: u64,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { open: [0; SIZE], filled: 0, total: 0 }
    }
}

impl Blocks {
    /// Gives every block that became full to `each`.
    pub(super) fn update(&mut self, mut data: &[u8], mut each: impl FnMut(&[u8; SIZE])) {
        self.total = self.total.wrapping_add(data.len() as u64);
        if self.filled > 0 {
            let (now, later) = data.split_at(data.len().min(SIZE - self.filled));
            self.keep(now);
            data = later;
            if self.filled < SIZE {
                return;
            }
            each(&self.open);
            self.filled = 0;
        }
        let (blocks, rest) = data.as_chunks::<SIZE>();
        blocks.iter().for_each(each);
        self.keep(rest);
    }

    /// Pads: a one bit, zeros, and the number of bits as `length` writes it.
    pub(super) fn finish(mut self, length: fn(u64) -> [u8; 8], mut each: impl FnMut(&[u8; SIZE])) {
        let bits = length(self.total.wrapping_mul(8));
        let zeros = (SIZE + SIZE - 8 - 1 - self.filled) % SIZE;
        self.update(&[0x80], &mut each);
        self.update([0; SIZE].get(..zeros).unwrap_or_default(), &mut each);
        self.update(&bits, &mut each);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(place) = self.open.get_mut(self.filled..self.filled + bytes.len()) {
            place.copy_from_slice(bytes);
            self.filled += bytes.len();
        }
    }
}
