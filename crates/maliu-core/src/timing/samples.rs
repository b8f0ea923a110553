//! How many samples per channel an audio packet holds, as far as its codec and size tell (WF-30).

use crate::stream::{Audio, Codec};

/// Samples per channel in a packet of `size` bytes; 0 when that cannot be known.
pub fn samples(codec: Codec, audio: &Audio, bit_rate: Option<u64>, size: usize) -> i64 {
    let size = i64::try_from(size).unwrap_or(i64::MAX / 64);
    let channels = i64::from(audio.channel_count());
    let exact = exact_bits(codec);
    if exact > 0 && (1..32768).contains(&channels) && size > 0 {
        return size.saturating_mul(8) / (exact * channels);
    }
    let counted = fixed(codec)
        .or_else(|| by_rate(codec, i64::from(audio.rate())))
        .or_else(|| by_size(codec, audio, size))
        .unwrap_or_else(|| declared(codec, audio, bit_rate, size));
    counted.max(0)
}

/// Bits of one sample of one channel, for codecs that store each sample alone; else 0.
pub(crate) fn exact_bits(codec: Codec) -> i64 {
    match codec {
        Codec::PcmU8 | Codec::PcmS8 | Codec::PcmALaw | Codec::PcmMuLaw => 8,
        Codec::PcmS16Le | Codec::PcmS16Be => 16,
        Codec::PcmS24Le | Codec::PcmS24Be => 24,
        Codec::PcmS32Le | Codec::PcmS32Be | Codec::PcmF32Le | Codec::PcmF32Be | Codec::PcmF24Le => 32,
        Codec::PcmS64Le | Codec::PcmF64Le | Codec::PcmF64Be => 64,
        Codec::AdpcmYamaha | Codec::AdpcmImaOki | Codec::AdpcmCt | Codec::G722 => 4,
        _ => 0,
    }
}

/// Bits of one sample of one channel, block headers aside; 0 when that is not constant. Used for the size of a block
/// when the stream does not say (WF-6).
pub fn stored_bits(codec: Codec) -> u32 {
    match codec {
        Codec::AdpcmImaWav | Codec::AdpcmMs | Codec::AdpcmSwf => 4,
        _ => exact_bits(codec) as u32,
    }
}

/// Codecs whose packets hold one number of samples.
fn fixed(codec: Codec) -> Option<i64> {
    Some(match codec {
        Codec::Mp1 => 384,
        Codec::Mp2 => 1152,
        Codec::Ac3 => 1536,
        Codec::AmrNb | Codec::Gsm => 160,
        Codec::AmrWb | Codec::GsmMs => 320,
        _ => return None,
    })
}

fn by_rate(codec: Codec, rate: i64) -> Option<i64> {
    match codec {
        Codec::Mp3 if rate > 0 => Some(if rate <= 24000 { 576 } else { 1152 }),
        _ => None,
    }
}

/// Codecs of whole blocks. A packet shorter than a block counts 0 samples, and no other rule is tried.
fn by_size(codec: Codec, audio: &Audio, size: i64) -> Option<i64> {
    if size <= 0 {
        return None;
    }
    let (channels, bits) = (i64::from(audio.channel_count()), i64::from(audio.bits_per_sample));
    let align = i64::from(audio.block_align);
    match codec {
        Codec::TrueSpeech => Some(240 * (size / 32)),
        Codec::Nellymoser => Some(256 * (size / 64)),
        Codec::G726 if bits > 0 => Some(size.saturating_mul(8) / bits),
        Codec::AdpcmImaWav if channels > 0 && align > 0 => Some(match bits {
            2..=5 => (size / align).saturating_mul(1 + (align - 4 * channels) / (bits * channels) * 8),
            _ => 0,
        }),
        Codec::AdpcmImaDk3 if channels > 0 && align > 0 => {
            Some((size / align).saturating_mul((align - 16) * 2 / 3 * 4 / channels))
        }
        Codec::AdpcmImaDk4 if channels > 0 && align > 0 => {
            Some((size / align).saturating_mul(1 + (align - 4 * channels) * 2 / channels))
        }
        Codec::Atrac3 if align > 0 => Some(1024 * (size / align)),
        Codec::AdpcmMs if channels > 0 && align > 0 => {
            Some((size / align).saturating_mul(2 + (align - 7 * channels) * 2 / channels))
        }
        _ => None,
    }
}

/// Declared facts of the stream: a constant frame size, or a constant bit rate.
fn declared(codec: Codec, audio: &Audio, bit_rate: Option<u64>, size: i64) -> i64 {
    if audio.frame_size > 1 && size > 0 {
        return i64::from(audio.frame_size);
    }
    let bit_rate = bit_rate.and_then(|rate| i64::try_from(rate).ok()).unwrap_or(0);
    match codec {
        Codec::WmaV1 | Codec::WmaV2 if bit_rate > 0 && audio.block_align > 1 => {
            size.saturating_mul(8).saturating_mul(i64::from(audio.rate())) / bit_rate
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_codec_and_size() {
        let audio = |channels, block_align, bits_per_sample, frame_size| Audio {
            block_align,
            bits_per_sample,
            frame_size,
            ..Audio::new(44_100, channels)
        };
        for (codec, audio, size, expected) in [
            (Codec::PcmS16Le, audio(2, 0, 16, 0), 4096, 1024),
            (Codec::PcmS16Le, audio(2, 0, 16, 0), 5, 1),
            (Codec::PcmS16Le, audio(0, 0, 16, 64), 5, 64),
            (Codec::Mp3, audio(2, 0, 0, 0), 0, 1152),
            (Codec::Nellymoser, audio(1, 64, 0, 256), 63, 0),
            (Codec::Nellymoser, audio(1, 64, 0, 256), 128, 512),
            (Codec::AdpcmImaWav, audio(2, 1024, 4, 0), 2050, 2 * 1017),
            (Codec::AdpcmMs, audio(1, 256, 4, 0), 256, 500),
            (Codec::Aac, audio(2, 0, 0, 1024), 7, 1024),
            (Codec::Aac, audio(2, 0, 0, 1024), 0, 0),
            (Codec::AdpcmSwf, audio(1, 0, 4, 0), 100, 0),
        ] {
            assert_eq!(samples(codec, &audio, None, size), expected, "{codec} of {size} bytes");
        }
        assert_eq!(samples(Codec::WmaV2, &audio(2, 1024, 0, 0), Some(128_000), 1024), 2822);
    }
}
