//! Encryption of whole segments: AES-128 in chained blocks with padding at the end (RFC 8216bis §4.4.4.4).

use alloc::vec::Vec;

use aes::{
    Aes128, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};

/// Bytes of a block.
const BLOCK: usize = 16;

/// A segment on its way: bytes in any pieces give the same result.
pub struct Encryptor {
    cipher: Aes128,
    /// The encrypted block before.
    vector: [u8; BLOCK],
    /// The start of the next block, and its bytes so far.
    open: [u8; BLOCK],
    len: usize,
}

impl Encryptor {
    /// A segment with this key and initialization vector, which is the number of the segment where a playlist gives none.
    pub fn new(key: &[u8; 16], iv: [u8; 16]) -> Self {
        Self { cipher: Aes128::new(key.into()), vector: iv, open: [0; BLOCK], len: 0 }
    }

    /// Appends the next bytes to `out`, encrypted; up to 15 wait for those that follow.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<u8>) {
        out.reserve(data.len().saturating_add(BLOCK));
        for byte in data {
            if let Some(place) = self.open.get_mut(self.len) {
                *place = *byte;
            }
            self.len += 1;
            if self.len == BLOCK {
                self.block(out);
            }
        }
    }

    /// Appends what waits, padded to a whole block.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let padding = BLOCK - self.len;
        self.open.iter_mut().skip(self.len).for_each(|byte| *byte = padding as u8);
        self.block(out);
    }

    fn block(&mut self, out: &mut Vec<u8>) {
        let mut block = Block::from(self.open);
        block.iter_mut().zip(self.vector).for_each(|(byte, before)| *byte ^= before);
        self.cipher.encrypt_block(&mut block);
        self.vector = block.into();
        out.extend_from_slice(&self.vector);
        self.len = 0;
    }
}

impl core::fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Encryptor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_what_openssl_makes_of_them_whatever_the_pieces() {
        // printf 'twenty bytes of text' | openssl enc -aes-128-cbc -K 000102…0f -iv 0…07 | xxd -p
        let key: [u8; 16] = core::array::from_fn(|at| at as u8);
        let expected = EXPECTED;
        for size in 1..=20 {
            let mut encryptor = Encryptor::new(&key, 7_u128.to_be_bytes());
            let mut out = Vec::new();
            b"twenty bytes of text".chunks(size).for_each(|piece| encryptor.push(piece, &mut out));
            encryptor.finish(&mut out);
            assert_eq!(out, expected, "{size}");
        }
        let mut whole = Vec::new();
        Encryptor::new(&key, [0; 16]).finish(&mut whole);
        assert_eq!(whole.len(), 16, "an empty segment is padding");
    }

    const EXPECTED: [u8; 32] = [
        85, 58, 89, 142, 180, 51, 1, 50, 223, 97, 189, 52, 236, 185, 7, 63, 18, 207, 75, 77, 102, 190, 240, 18, 17,
        248, 255, 234, 184, 141, 219, 139,
    ];
}
