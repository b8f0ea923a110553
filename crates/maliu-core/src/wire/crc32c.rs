//! CRC-32C (Castagnoli): the checksum of headers and bodies on the wire (RFC 3720 §B.4). With `std` the processor's own
//! instruction computes it where there is one; otherwise tables do, eight bytes at a time.

/// A checksum being computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc32c(u32);

impl Crc32c {
    pub(super) fn new() -> Self {
        Self(0)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        #[cfg(feature = "std")]
        let value = ::crc32c::crc32c_append(self.0, bytes);
        #[cfg(not(feature = "std"))]
        let value = tables::append(self.0, bytes);
        self.0 = value;
    }

    pub(super) fn value(self) -> u32 {
        self.0
    }
}

/// The checksum of all `bytes`.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(bytes);
    crc.value()
}

#[cfg(any(test, not(feature = "std")))]
mod tables {
    /// The reflected polynomial 0x1EDC6F41.
    const POLYNOMIAL: u32 = 0x82f6_3b78;

    /// `TABLES[k][b]`: what byte `b` contributes when `k` more bytes follow in the same step.
    static TABLES: [[u32; 256]; 8] = tables();

    #[allow(clippy::indexing_slicing)] // Computed by the compiler, which would refuse an index out of range.
    const fn tables() -> [[u32; 256]; 8] {
        let mut tables = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let (mut crc, mut bit) = (byte as u32, 0);
            while bit < 8 {
                crc = (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
                bit += 1;
            }
            tables[0][byte] = crc;
            byte += 1;
        }
        let mut step = 1;
        while step < 8 {
            let mut byte = 0;
            while byte < 256 {
                let before = tables[step - 1][byte];
                tables[step][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
                byte += 1;
            }
            step += 1;
        }
        tables
    }

    /// The checksum of what `before` is the checksum of, and `bytes` behind it.
    #[allow(clippy::indexing_slicing)] // Every index is a byte into 256 entries; constant ones are below 8.
    pub(super) fn append(before: u32, bytes: &[u8]) -> u32 {
        let mut crc = !before;
        let (chunks, rest) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in chunks {
            let [a, b, c, d] = (u32::from_le_bytes([a, b, c, d]) ^ crc).to_le_bytes();
            crc = TABLES[7][usize::from(a)]
                ^ TABLES[6][usize::from(b)]
                ^ TABLES[5][usize::from(c)]
                ^ TABLES[4][usize::from(d)]
                ^ TABLES[3][usize::from(e)]
                ^ TABLES[2][usize::from(f)]
                ^ TABLES[1][usize::from(g)]
                ^ TABLES[0][usize::from(h)];
        }
        for byte in rest {
            let [low, ..] = (crc ^ u32::from(*byte)).to_le_bytes();
            crc = (crc >> 8) ^ TABLES[0][usize::from(low)];
        }
        !crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_specification() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let up: alloc::vec::Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&up), 0x46dd_794e);
        let mut pieces = Crc32c::new();
        up.chunks(5).for_each(|piece| pieces.update(piece));
        assert_eq!(pieces.value(), 0x46dd_794e);
        assert_eq!(up.chunks(5).fold(0, tables::append), 0x46dd_794e);
    }
}
