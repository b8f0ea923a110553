//! Segments of HLS that are encrypted, with a key that is given: whole (AES-128, RFC 8216 §4.3.2.4), or sample by sample
//! (SAMPLE-AES, Apple "MPEG-2 Stream Encryption Format for HTTP Live Streaming").
//!
//! ```text
//!   AES-128:     blocks ─▶ decrypted ─▶ Transport
//!   SAMPLE-AES:  Transport ─▶ packets ─▶ decrypted
//!     H.264: units of types 1 and 5 above 48 bytes: 32 clear, then 1 of 10 blocks       audio frame: 16 clear, then all blocks
//! ```

use alloc::{boxed::Box, vec::Vec};
use core::task::Poll;

use super::{
    demuxer::Transport,
    sync::{self, REACH},
};
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    packet::Packet,
    stream::Codec,
    syntax::{
        ac3,
        annexb::{self, StartCodes},
        hex,
        isobmff::cipher::{Mode, decrypt},
        psi::Multiplex,
    },
    time::{Ticks, TimeBase},
};

/// Bytes of a block.
const BLOCK: usize = 16;

/// Clear bytes in front of the encrypted ones, of a slice and of an audio frame.
const SLICE_LEAD: usize = 32;
const FRAME_LEAD: usize = 16;

/// Slices up to this many bytes are clear.
const SHORT_SLICE: usize = 48;

/// A key and an initialization vector.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub iv: [u8; BLOCK],
    pub key: [u8; BLOCK],
}

impl Key {
    /// Reads `IV:KEY`, each 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn parse(text: &str) -> Result<Self> {
        let bytes = |text: &str| hex::exactly(text.strip_prefix("0x").unwrap_or(text));
        let parsed = text.split_once(':').and_then(|(iv, key)| Some(Self { iv: bytes(iv)?, key: bytes(key)? }));
        let why = "expected IV:KEY of 32 hexadecimal digits each";
        parsed.ok_or_else(|| Error::Setting { name: "key".into(), why: why.into() })
    }
}

/// Reads an encrypted stream.
pub(super) struct Decrypting {
    inner: Transport,
    key: Key,
    state: State,
}

enum State {
    /// The first bytes show which of the two it is.
    Unknown,
    Samples,
    /// The encrypted block before, and what was decrypted.
    Whole(Box<([u8; BLOCK], Input)>),
}

impl Decrypting {
    pub(super) fn new(inner: Transport, key: Key) -> Self {
        Self { inner, key, state: State::Unknown }
    }

    /// Decrypts blocks; the last one waits for the end, where its padding goes. Whether more bytes are needed.
    fn blocks(&mut self, input: &mut Input) -> bool {
        let State::Whole(whole) = &mut self.state else { return false };
        let (vector, plain) = &mut **whole;
        let (there, ended) = (input.peek().len(), input.ended());
        let count = (if ended { there } else { there.saturating_sub(1) }) / BLOCK * BLOCK;
        if count == 0 {
            if !ended {
                return true;
            }
            if there > 0 {
                input.warn("bytes behind the last block of an encrypted segment");
                input.skip(there);
            }
            plain.end();
            return false;
        }
        let Some(bytes) = input.take(count) else { return true };
        let mut data = bytes.to_vec();
        chained(&self.key.key, *vector, &mut data, core::iter::empty());
        if let Some(last) = bytes.last_chunk::<BLOCK>() {
            *vector = *last;
        }
        if ended && count == there {
            unpad(&mut data, input);
        }
        plain.push(&data);
        false
    }
}

/// Takes off the padding of the last block (RFC 5652 §6.3).
fn unpad(data: &mut Vec<u8>, input: &mut Input) {
    let size = usize::from(data.last().copied().unwrap_or(0));
    let kept = data.len().saturating_sub(size);
    let good = (1..=BLOCK).contains(&size)
        && data.get(kept..).is_some_and(|tail| tail.iter().all(|byte| usize::from(*byte) == size));
    if good {
        data.truncate(kept);
    } else {
        input.warn(
            "the last block of an encrypted segment has no padding: the key is wrong, or the segment is cut short",
        );
    }
}

fn chained(key: &[u8; BLOCK], iv: [u8; BLOCK], data: &mut [u8], parts: impl Iterator<Item = (u16, u32)>) {
    if let Some(mode) = Mode::of(*b"cbc1", (0, 0)) {
        decrypt(key, iv, mode, data, parts);
    }
}

impl Key {
    /// Decrypts a packet.
    fn packet(&self, codec: Codec, packet: &mut Packet) {
        let data = match codec {
            Codec::H264 => self.slices(&packet.data),
            Codec::Aac | Codec::Ac3 | Codec::Eac3 => {
                let mut data = packet.data.to_vec();
                let mut rest = data.as_mut_slice();
                while !rest.is_empty() {
                    // An access unit of E-AC-3 may hold several frames.
                    let length = match codec {
                        Codec::Aac => rest.len(),
                        _ => ac3::Header::parse(rest).map_or(rest.len(), |header| header.length.min(rest.len())),
                    };
                    let (frame, behind) = rest.split_at_mut(length.max(1).min(rest.len()));
                    let protected = frame.len().saturating_sub(FRAME_LEAD) / BLOCK * BLOCK;
                    if protected > 0 {
                        chained(&self.key, self.iv, frame, core::iter::once((FRAME_LEAD as u16, protected as u32)));
                    }
                    rest = behind;
                }
                data
            }
            _ => return,
        };
        packet.data = data.into();
    }

    /// An access unit with its slices decrypted.
    fn slices(&self, data: &[u8]) -> Vec<u8> {
        let codes = StartCodes::default();
        let mut out = Vec::with_capacity(data.len());
        let mut at = 0;
        while let Some(code) = codes.find(data, at) {
            let start = code + 3;
            let end = codes.find(data, start).unwrap_or(data.len());
            // A zero in front of a start code is not the unit's.
            let unit = data.get(start..end).unwrap_or_default();
            let trimmed = unit.len() - unit.iter().rev().take_while(|byte| **byte == 0).count();
            out.extend_from_slice(data.get(at..start).unwrap_or_default());
            let (nal, zeros) = unit.split_at_checked(trimmed).unwrap_or((unit, &[]));
            let is_slice = nal.first().is_some_and(|head| matches!(head & 31, 1 | 5)) && nal.len() > SHORT_SLICE;
            match is_slice {
                true => out.extend_from_slice(&self.slice(nal)),
                false => out.extend_from_slice(nal),
            }
            out.extend_from_slice(zeros);
            at = end;
        }
        out.extend_from_slice(data.get(at..).unwrap_or_default());
        out
    }

    fn slice(&self, nal: &[u8]) -> Vec<u8> {
        let mut raw = annexb::unescape(nal).into_owned();
        let mut protected = raw.len().saturating_sub(SLICE_LEAD);
        // A block is encrypted only if bytes follow it.
        if protected % (10 * BLOCK) == BLOCK {
            protected -= BLOCK;
        }
        if let Some(mode) = Mode::of(*b"cbcs", (1, 9)).filter(|_| protected > 0) {
            let part = (SLICE_LEAD as u16, protected as u32);
            decrypt(&self.key, self.iv, mode, &mut raw, core::iter::once(part));
        }
        annexb::escape(&raw).into_owned()
    }
}

impl Demuxer for Decrypting {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            match &mut self.state {
                State::Unknown => {
                    let (window, ended) = (input.peek(), input.ended());
                    if window.len() < REACH && !ended {
                        return Ok(Poll::Pending);
                    }
                    let head = window.get(..REACH).unwrap_or(window);
                    let clear = sync::find(head, ended).is_some_and(|row| row.start <= 4);
                    self.state = match clear {
                        true => State::Samples,
                        false => State::Whole(Box::new((self.key.iv, Input::new()))),
                    };
                }
                State::Samples => {
                    let mut polled = self.inner.poll(input)?;
                    if let Poll::Ready(Event::Packet(packet)) = &mut polled {
                        let track = self.inner.tracks.iter().find(|track| track.index == Some(packet.stream));
                        if let Some(codec) = track.map(|track| track.info.codec) {
                            self.key.packet(codec, packet);
                        }
                    }
                    return Ok(polled);
                }
                State::Whole(whole) => {
                    let polled = self.inner.poll(&mut whole.1);
                    whole.1.take_warnings().0.into_iter().for_each(|warning| input.pass_on(warning));
                    match polled? {
                        Poll::Ready(event) => return Ok(Poll::Ready(event)),
                        Poll::Pending if self.blocks(input) => return Ok(Poll::Pending),
                        Poll::Pending => {}
                    }
                }
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        match self.state {
            State::Samples => self.inner.seek(to, base, input),
            _ => Err(Error::unsupported("mpegts: seeking in a segment that is encrypted as a whole")),
        }
    }

    fn multiplex(&self) -> Option<Multiplex> {
        self.inner.multiplex()
    }
}

#[cfg(test)]
mod tests {
    use aes::{
        Aes128, Block,
        cipher::{BlockCipherEncrypt, KeyInit},
    };
    use bytes::Bytes;

    use super::{super::programs::Wanted, *};

    const KEY: Key = Key { iv: [7; 16], key: [9; 16] };

    /// Encrypts whole blocks.
    fn encrypt(data: &mut [u8], mut vector: [u8; 16]) {
        let cipher = Aes128::new(&KEY.key.into());
        for bytes in data.chunks_exact_mut(16) {
            let mut block = Block::default();
            block.iter_mut().zip(&*bytes).zip(vector).for_each(|((to, byte), mixed)| *to = byte ^ mixed);
            cipher.encrypt_block(&mut block);
            bytes.copy_from_slice(&block);
            vector.copy_from_slice(&block);
        }
    }

    fn sample() -> &'static [u8] {
        include_bytes!("../../../../../../samples/mpegts/h264_aac.ts")
    }

    fn read(file: &[u8], block: usize, encrypted: bool) -> Vec<(usize, Option<Ticks>, Bytes)> {
        let inner = Transport::new(Wanted::All, false);
        let mut demuxer: Box<dyn Demuxer> =
            if encrypted { Box::new(Decrypting::new(inner, KEY)) } else { Box::new(inner) };
        let (mut input, mut parts, mut out) = (Input::new(), file.chunks(block), Vec::new());
        loop {
            match demuxer.poll(&mut input).unwrap() {
                Poll::Ready(Event::Packet(packet)) => out.push((packet.stream, packet.pts, packet.data)),
                Poll::Ready(Event::End) => return out,
                Poll::Ready(_) => {}
                Poll::Pending => match parts.next() {
                    Some(part) => input.push(part),
                    None => input.end(),
                },
            }
        }
    }

    #[test]
    fn a_segment_that_is_encrypted_as_a_whole_is_read_as_the_clear_one() {
        let mut file = sample().to_vec();
        let padding = 16 - file.len() % 16;
        file.resize(file.len() + padding, padding as u8);
        encrypt(&mut file, KEY.iv);
        let clear = read(sample(), usize::MAX, false);
        assert!(clear.len() > 20);
        for block in [usize::MAX, 1000, 7] {
            assert!(read(&file, block, true) == clear, "{block}");
        }
    }

    #[test]
    fn samples_are_decrypted_behind_their_clear_bytes() {
        // Random bytes with zeros among them, so that units have bytes against emulation.
        let plain: Vec<u8> = (0..500u32).map(|n| if n % 7 < 3 { 0 } else { ((n * 37) >> 2) as u8 | 1 }).collect();
        for length in [48, 49, 64, 65, 192, 208, 209, 499] {
            let mut raw = [&[0x65][..], &plain[..length - 1]].concat();
            *raw.last_mut().unwrap() = 0x80;
            let clear = annexb::escape(&raw).into_owned();
            let mut at = SLICE_LEAD;
            if clear.len() > SHORT_SLICE {
                let mut vector = KEY.iv;
                while raw.len() - at.min(raw.len()) > 16 {
                    encrypt(&mut raw[at..at + 16], vector);
                    vector.copy_from_slice(&raw[at..at + 16]);
                    at += 160;
                }
            }
            let coded = |nal: &[u8]| [&[0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1][..], nal].concat();
            let secret = annexb::escape(&raw).into_owned();
            assert_eq!(KEY.slices(&coded(&secret)), coded(&clear), "{length}");
        }
        let mut frame = plain[..100].to_vec();
        encrypt(&mut frame[16..96], KEY.iv);
        let mut packet = Packet { data: frame.into(), ..Packet::default() };
        KEY.packet(Codec::Aac, &mut packet);
        assert_eq!(packet.data, plain[..100]);
    }

    #[test]
    fn keys_are_pairs_of_32_digits() {
        let key = Key::parse("000102030405060708090a0b0c0d0e0f:0xffffffffffffffffffffffffffffffff").unwrap();
        assert_eq!((key.iv[15], key.key[0]), (15, 0xff));
        assert!(Key::parse("00:11").is_err());
    }
}
