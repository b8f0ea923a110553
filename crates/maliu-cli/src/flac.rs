//! PCM to a FLAC file (RFC 9639): frames of 4096 samples, fixed and linear prediction, stereo decorrelation.

use bytes::Bytes;
use maliu::{
    MediaError,
    digest::{Digest, Kind as Checksum},
    formats::flac,
    output::Output,
    packet::Packet,
    stream::{Audio, Codec, Media, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
    writer::{PacketWriter, Plan},
};
use maliu_decode::SampleFormat;

use self::frame::{BLOCK, Kind};

mod bits;
mod frame;
mod predict;
mod rice;

/// A FLAC file being written.
pub(crate) struct FlacWriter {
    writer: PacketWriter,
    kind: Kind,
    format: SampleFormat,
    /// Interleaved samples that fill no frame yet.
    held: Vec<i32>,
    /// The last frame: the one that ends the file carries the checksum of all samples.
    waiting: Option<Packet>,
    frames: u64,
    samples: u64,
    digest: Digest,
}

impl FlacWriter {
    /// Begins a file of samples stored as `format`, which are whole numbers.
    pub(crate) fn start(
        format: SampleFormat,
        audio: Audio,
        tags: &Metadata,
        out: &mut Output,
    ) -> Result<Self, MediaError> {
        let kind = Kind { rate: audio.rate(), channels: audio.channel_count(), bits: 8 * format.bytes() as u32 };
        if kind.channels > 8 || kind.rate >> 20 > 0 {
            let why = format!("FLAC of {} channels at {} Hz; up to 8 at up to 1048575 do", kind.channels, kind.rate);
            return Err(MediaError::unsupported(why));
        }
        let mut info = StreamInfo::new(Codec::Flac, TimeBase::hz(kind.rate), Media::Audio(audio));
        info.config = stream_info(kind, 0, &[0; 16]);
        let writer = Plan::new(&flac::FORMAT, &[("bitexact", "1")], tags).start(&[info], out)?;
        let digest = Digest::new(Checksum::Md5);
        Ok(Self { writer, kind, format, held: Vec::new(), waiting: None, frames: 0, samples: 0, digest })
    }

    /// Writes interleaved samples, as bytes of the format.
    pub(crate) fn write(&mut self, bytes: &[u8], out: &mut Output) -> Result<(), MediaError> {
        let width = self.format.bytes();
        // 8 bits are signed in FLAC.
        let sign = if width == 1 { 0x80 } else { 0 };
        for sample in bytes.chunks_exact(width) {
            let mut wide = [0; 4];
            wide[4 - width..].copy_from_slice(sample);
            wide[3] ^= sign;
            self.held.push(i32::from_le_bytes(wide) >> (32 - self.kind.bits));
        }
        match sign {
            0 => self.digest.update(bytes),
            sign => self.digest.update(&bytes.iter().map(|byte| byte ^ sign).collect::<Vec<_>>()),
        }
        let full = BLOCK * usize::from(self.kind.channels);
        let held = std::mem::take(&mut self.held);
        let mut blocks = held.chunks_exact(full);
        blocks.by_ref().try_for_each(|block| self.frame(block, out))?;
        self.held = blocks.remainder().to_vec();
        Ok(())
    }

    fn frame(&mut self, samples: &[i32], out: &mut Output) -> Result<(), MediaError> {
        let length = (samples.len() / usize::from(self.kind.channels)) as u64;
        let data = frame::encode(self.kind, self.frames, samples);
        let mut packet = Packet::new(0, Ticks(self.samples as i64), TimeBase::hz(self.kind.rate), data);
        packet.duration = Some(Ticks(length as i64));
        self.frames += 1;
        self.samples += length;
        match self.waiting.replace(packet) {
            Some(before) => self.writer.write(before, out),
            None => Ok(()),
        }
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, out: &mut Output) -> Result<(), MediaError> {
        let rest = std::mem::take(&mut self.held);
        if !rest.is_empty() {
            self.frame(&rest, out)?;
        }
        if let Some(mut last) = self.waiting.take() {
            let digits = self.digest.finish();
            let md5 = std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap_or(0));
            last.side.set_new_config(stream_info(self.kind, self.samples, &md5));
            self.writer.write(last, out)?;
        }
        self.writer.finish(out)
    }
}

/// The body of STREAMINFO (RFC 9639 §8.2).
fn stream_info(kind: Kind, samples: u64, md5: &[u8; 16]) -> Bytes {
    let mut bits = bits::Bits::default();
    (0..2).for_each(|_| bits.put(BLOCK as u64, 16));
    (0..2).for_each(|_| bits.put(0, 24));
    bits.put(kind.rate.into(), 20);
    bits.put(u64::from(kind.channels) - 1, 3);
    bits.put(u64::from(kind.bits) - 1, 5);
    bits.put(samples >> 32, 4);
    bits.put(samples, 32);
    [bits.into_bytes(), md5.to_vec()].concat().into()
}
