//! CRC-32 of IEEE 802.3, bits reversed, by a table of bytes.

/// The remainder so far, inverted.
#[derive(Clone, Debug)]
pub(super) struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc32 {
    pub(super) fn update(&mut self, data: &[u8]) {
        for byte in data {
            let [low, ..] = self.0.to_le_bytes();
            let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0);
            self.0 = self.0 >> 8 ^ entry;
        }
    }

    pub(super) fn value(&self) -> u32 {
        !self.0
    }
}

const TABLE: [u32; 256] = table();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut value, mut bit) = (byte as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}
