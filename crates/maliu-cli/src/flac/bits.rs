//! Bits written in order, the highest first, and the checksums of FLAC.

/// Bytes being filled with bits.
#[derive(Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// Bits that fill no byte yet, at the low end.
    held: u64,
    count: u32,
}

impl Bits {
    /// Appends the low `count` bits of `value`, at most 32.
    pub(super) fn put(&mut self, value: u64, count: u32) {
        self.held = self.held << count | value & ((1 << count) - 1);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.held >> self.count) as u8);
        }
    }

    /// Appends the low `count` bits, at most 64, of a signed number.
    pub(super) fn signed(&mut self, value: i64, count: u32) {
        if count > 32 {
            self.put((value >> 32) as u64, count - 32);
        }
        self.put(value as u64, count.min(32));
    }

    /// Appends `zeros` zeros and a one.
    pub(super) fn unary(&mut self, mut zeros: u64) {
        while zeros >= 32 {
            self.put(0, 32);
            zeros -= 32;
        }
        self.put(1, zeros as u32 + 1);
    }

    /// Fills up the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.put(0, (8 - self.count % 8) % 8);
    }

    /// The whole bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}

/// CRC-8 of a frame header (RFC 9639 §9.1.8).
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 })
    })
}

/// CRC-16 of a frame (RFC 9639 §9.3).
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = {
        let (mut table, mut at) = ([0; 256], 0);
        while at < 256 {
            let (mut crc, mut bit) = ((at as u16) << 8, 0);
            while bit < 8 {
                crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 };
                bit += 1;
            }
            table[at] = crc;
            at += 1;
        }
        table
    };
    bytes.iter().fold(0, |crc, byte| crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}
