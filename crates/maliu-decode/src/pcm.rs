//! PCM of whole numbers and of floating point, exactly as stored.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use crate::{AudioFrame, Fault, Samples, Unit};

pub(crate) const CODECS: &[Codec] = &[
    Codec::PcmU8,
    Codec::PcmS8,
    Codec::PcmS16Le,
    Codec::PcmS16Be,
    Codec::PcmS24Le,
    Codec::PcmS24Be,
    Codec::PcmS32Le,
    Codec::PcmS32Be,
    Codec::PcmS64Le,
    Codec::PcmF24Le,
    Codec::PcmF32Le,
    Codec::PcmF32Be,
    Codec::PcmF64Le,
];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    Ok(Box::new(Pcm { shell: shell(info)?, codec: info.codec }))
}

/// A frame without samples, of a stream whose packets do not say their rate and channels.
pub(crate) fn shell(info: &StreamInfo) -> Result<AudioFrame> {
    let audio = info.as_audio().filter(|audio| audio.rate() > 0 && audio.channel_count() > 0);
    let Some(audio) = audio else {
        return Err(Error::unsupported(format!("{} without a sample rate or channels", info.codec)));
    };
    Ok(AudioFrame::new(audio.rate(), audio.channel_count(), Samples::I32(Vec::new()))
        .with_channel_mask(audio.channel_mask))
}

struct Pcm {
    shell: AudioFrame,
    codec: Codec,
}

impl Unit for Pcm {
    fn most_bytes(&self) -> usize {
        crate::MAX_PLAIN_PACKET
    }

    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let mut samples = samples(self.codec, &packet.data);
        // A cut last packet may end in the middle of a set of channels.
        let channels = usize::from(self.shell.channels);
        let whole = samples.len() / channels * channels;
        match &mut samples {
            Samples::I32(samples) => samples.truncate(whole),
            Samples::F32(samples) => samples.truncate(whole),
            Samples::F64(samples) => samples.truncate(whole),
        }
        Ok(AudioFrame { samples, ..self.shell.clone() })
    }
}

fn samples(codec: Codec, data: &[u8]) -> Samples {
    match codec {
        Codec::PcmU8 => Samples::I32(each(data, |[a]| i32::from_be_bytes([a ^ 0x80, 0, 0, 0]))),
        Codec::PcmS8 => Samples::I32(each(data, |[a]| i32::from_be_bytes([a, 0, 0, 0]))),
        Codec::PcmS16Le => Samples::I32(each(data, |[a, b]| i32::from_be_bytes([b, a, 0, 0]))),
        Codec::PcmS16Be => Samples::I32(each(data, |[a, b]| i32::from_be_bytes([a, b, 0, 0]))),
        Codec::PcmS24Le => Samples::I32(each(data, |[a, b, c]| i32::from_be_bytes([c, b, a, 0]))),
        Codec::PcmS24Be => Samples::I32(each(data, |[a, b, c]| i32::from_be_bytes([a, b, c, 0]))),
        Codec::PcmS32Le => Samples::I32(each(data, i32::from_le_bytes)),
        Codec::PcmS32Be => Samples::I32(each(data, i32::from_be_bytes)),
        // No output format holds more than 32 bits.
        Codec::PcmS64Le => Samples::I32(each(data, |bytes| (i64::from_le_bytes(bytes) >> 32) as i32)),
        // Floating point of the range of integers of 24 bits.
        Codec::PcmF24Le => Samples::F32(each(data, |bytes| f32::from_le_bytes(bytes) / 8_388_608.0)),
        Codec::PcmF32Be => Samples::F32(each(data, f32::from_be_bytes)),
        Codec::PcmF64Le => Samples::F64(each(data, f64::from_le_bytes)),
        _ => Samples::F32(each(data, f32::from_le_bytes)),
    }
}

fn each<const N: usize, T>(data: &[u8], sample: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks().0.iter().map(|bytes| sample(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floating_point_of_the_range_of_integers_comes_to_full_scale_1() {
        let of = |codec, value: f32| match samples(codec, &value.to_le_bytes()) {
            Samples::F32(samples) => samples,
            other => panic!("{other:?}"),
        };
        assert_eq!(of(Codec::PcmF24Le, 4_194_304.0), [0.5]);
        assert_eq!(of(Codec::PcmF32Le, 0.25), [0.25]);
    }
}
