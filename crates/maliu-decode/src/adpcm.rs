//! ADPCM: each sample as a few bits of correction to a prediction. Blocks are decoded one by one, the last one even if it is cut.

use maliu_core::{
    error::Result,
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use crate::{AudioFrame, Fault, Samples, Unit, pcm};

mod ima;
mod microsoft;
mod swf;
mod yamaha;

pub(crate) const CODECS: &[Codec] = &[Codec::AdpcmImaWav, Codec::AdpcmMs, Codec::AdpcmSwf, Codec::AdpcmYamaha];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let shell = pcm::shell(info)?;
    let block = info.as_audio().map_or(0, |audio| audio.block_align as usize);
    let block = if block == 0 { usize::MAX } else { block };
    Ok(match info.codec {
        Codec::AdpcmYamaha => Box::new(yamaha::Yamaha::new(shell)),
        Codec::AdpcmSwf => Box::new(Blocks { shell, block: usize::MAX, decode: swf::block }),
        Codec::AdpcmMs => Box::new(Blocks { shell, block, decode: microsoft::block }),
        _ => Box::new(Blocks { shell, block, decode: ima::block }),
    })
}

/// A codec whose blocks start anew.
struct Blocks {
    shell: AudioFrame,
    /// Bytes of a block.
    block: usize,
    decode: DecodeBlock,
}

/// Appends the interleaved samples of a block of `channels` channels; returns its fault.
type DecodeBlock = fn(&[u8], usize, &mut Vec<i32>) -> std::result::Result<(), &'static str>;

impl Unit for Blocks {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let mut samples = Vec::with_capacity(packet.data.len().saturating_mul(2));
        for block in packet.data.chunks(self.block) {
            let done = (self.decode)(block, usize::from(self.shell.channels), &mut samples);
            done.map_err(|why| Fault::Damaged(why.to_owned()))?;
        }
        Ok(frame(&self.shell, samples))
    }
}

fn frame(shell: &AudioFrame, mut samples: Vec<i32>) -> AudioFrame {
    samples.iter_mut().for_each(|sample| *sample <<= 16);
    AudioFrame { samples: Samples::I32(samples), ..shell.clone() }
}

/// The nearest 16-bit value.
fn clip(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

fn i16_le(bytes: [u8; 2]) -> i32 {
    i32::from(i16::from_le_bytes(bytes))
}

/// The two halves of each byte, the low one first.
fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|byte| [byte & 15, byte >> 4])
}
