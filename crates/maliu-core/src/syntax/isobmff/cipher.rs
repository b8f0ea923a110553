//! Common encryption of samples: counter and chained modes of AES, whole or by pattern (ISO/IEC 23001-7 §9, §10).
//!
//! ```text
//!   cenc: counter, all bytes        cens: counter, by pattern
//!   cbc1: chained, whole blocks     cbcs: chained, by pattern, begun anew in each subsample
//! ```

use aes::{
    Aes128, Block,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};

/// Bytes of a block.
const BLOCK: usize = 16;

/// How the samples of a track are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Chained blocks; a counter otherwise.
    chained: bool,
    /// Begun anew in each subsample.
    restarts: bool,
    /// Blocks that are encrypted and blocks that are not; both 0 for all of them.
    pattern: (u8, u8),
}

impl Mode {
    /// The mode of a scheme with its pattern; `None` for a scheme that is not common encryption.
    pub fn of(scheme: [u8; 4], pattern: (u8, u8)) -> Option<Self> {
        let (chained, restarts, patterned) = match &scheme {
            b"cenc" | b"piff" => (false, false, false),
            b"cens" => (false, false, true),
            b"cbc1" => (true, false, false),
            b"cbcs" => (true, true, true),
            _ => return None,
        };
        Some(Self { chained, restarts, pattern: if patterned { pattern } else { (0, 0) } })
    }
}

/// Decrypts a sample in place with `key`. `parts` are its subsamples, each some clear bytes and then encrypted ones; all of
/// it is encrypted where there are none.
pub fn decrypt(key: &[u8; 16], iv: [u8; 16], mode: Mode, sample: &mut [u8], parts: impl Iterator<Item = (u16, u32)>) {
    let mut state = State { cipher: Aes128::new(key.into()), mode, iv, vector: iv, used: BLOCK, stream: [0; BLOCK] };
    let (mut rest, mut any) = (sample, false);
    for (clear, protected) in parts {
        any = true;
        let Some((_, behind)) = rest.split_at_mut_checked(clear.into()) else { return };
        let protected = (protected as usize).min(behind.len());
        let (part, behind) = behind.split_at_mut(protected);
        if mode.restarts {
            state.vector = state.iv;
        }
        state.part(part);
        rest = behind;
    }
    if !any {
        // A pattern is for subsamples, as in FFmpeg.
        state.mode.pattern = (0, 0);
        state.part(rest);
    }
}

/// A sample being decrypted.
struct State {
    cipher: Aes128,
    mode: Mode,
    iv: [u8; BLOCK],
    /// The counter, or the encrypted block before.
    vector: [u8; BLOCK],
    /// Bytes of `stream` that were used.
    used: usize,
    stream: [u8; BLOCK],
}

impl State {
    fn part(&mut self, mut part: &mut [u8]) {
        let (encrypted, clear) = self.mode.pattern;
        if encrypted == 0 && clear == 0 {
            return if self.mode.chained { self.chain(part) } else { self.count(part) };
        }
        while part.len() >= BLOCK {
            // The rest of a pattern holds as far as whole blocks go.
            let blocks = usize::from(encrypted).min(part.len() / BLOCK);
            let (run, behind) = part.split_at_mut(blocks * BLOCK);
            if self.mode.chained {
                self.chain(run)
            } else {
                self.count(run)
            }
            let skip = (usize::from(clear) * BLOCK).min(behind.len());
            part = behind.split_at_mut(skip).1;
            if blocks == 0 && skip == 0 {
                return;
            }
        }
    }

    /// Whole blocks, each mixed with the encrypted one before; the bytes behind them are clear.
    fn chain(&mut self, run: &mut [u8]) {
        for bytes in run.chunks_exact_mut(BLOCK) {
            let mut block = Block::default();
            block.copy_from_slice(bytes);
            let encrypted = block;
            self.cipher.decrypt_block(&mut block);
            for ((byte, plain), before) in bytes.iter_mut().zip(block).zip(self.vector) {
                *byte = plain ^ before;
            }
            self.vector.copy_from_slice(&encrypted);
        }
    }

    /// Bytes mixed with the encrypted counter, whose last 64 bits count blocks.
    fn count(&mut self, run: &mut [u8]) {
        for byte in run {
            if self.used == BLOCK {
                let mut block = Block::default();
                block.copy_from_slice(&self.vector);
                self.cipher.encrypt_block(&mut block);
                self.stream.copy_from_slice(&block);
                self.used = 0;
                let counter = u128::from_be_bytes(self.vector);
                let (high, low) = (counter >> 64 << 64, (counter as u64).wrapping_add(1));
                self.vector = (high | u128::from(low)).to_be_bytes();
            }
            *byte ^= self.stream.get(self.used).copied().unwrap_or(0);
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// NIST SP 800-38A: key, plain text, and its encryption by counter (F.5.1) and by chaining (F.2.1).
    const KEY: [u8; 16] = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
    const PLAIN: [u128; 2] = [0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a, 0xae2d_8a57_1e03_ac9c_9eb7_6fac_45af_8e51];
    const COUNTED: [u128; 2] = [0x874d_6191_b620_e326_1bef_6864_990d_b6ce, 0x9806_f66b_7970_fdff_8617_187b_b9ff_fdff];
    const CHAINED: [u128; 2] = [0x7649_abac_8119_b246_cee9_8e9b_12e9_197d, 0x5086_cb9b_5072_19ee_95db_113a_9176_78b2];

    fn bytes(blocks: &[u128]) -> Vec<u8> {
        blocks.iter().flat_map(|block| block.to_be_bytes()).collect()
    }

    #[test]
    fn vectors_of_the_standard_are_decrypted() {
        let counter = 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff_u128.to_be_bytes();
        let vector = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes();
        for (scheme, iv, blocks) in [(b"cenc", counter, COUNTED), (b"cbc1", vector, CHAINED)] {
            let mode = Mode::of(*scheme, (0, 0)).unwrap();
            let mut sample = bytes(&blocks);
            decrypt(&KEY, iv, mode, &mut sample, core::iter::empty());
            assert_eq!(sample, bytes(&PLAIN));
            // Clear bytes in front and between do not count.
            let mut sample = [b"abc".to_vec(), bytes(&blocks[..1]), b"de".to_vec(), bytes(&blocks[1..])].concat();
            decrypt(&KEY, iv, mode, &mut sample, [(3, 16), (2, 16)].into_iter());
            assert_eq!(sample, [b"abc".to_vec(), bytes(&PLAIN[..1]), b"de".to_vec(), bytes(&PLAIN[1..])].concat());
        }
    }

    #[test]
    fn patterns_leave_blocks_and_ends_clear() {
        let vector = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes();
        let mode = Mode::of(*b"cbcs", (1, 1)).unwrap();
        let (clear, end) = ([7; 16], [9; 5]);
        let mut sample = [&CHAINED[0].to_be_bytes()[..], &clear, &CHAINED[1].to_be_bytes(), &end].concat();
        decrypt(&KEY, vector, mode, &mut sample, [(0, 53)].into_iter());
        assert_eq!(sample, [&PLAIN[0].to_be_bytes()[..], &clear, &PLAIN[1].to_be_bytes(), &end].concat());
        // A cut subsample and one that is not there end the work.
        let mut short = CHAINED[0].to_be_bytes().to_vec();
        decrypt(&KEY, vector, mode, &mut short, [(0, 400), (9, 1)].into_iter());
        assert_eq!(short, PLAIN[0].to_be_bytes());
    }
}
