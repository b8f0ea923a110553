//! Facts in the data that `fmt ` does not declare: how 24 bits lie in 4 bytes, and AC-3 or DTS under the name of PCM.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{stream::Codec, syntax::riff::WaveFormat};

/// Bytes of data that are looked at.
pub(super) const LOOK: usize = 8 << 10;

/// How the data differs from what the format names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Kind of the data.
    pub codec: Codec,
    /// The highest byte of 4 repeats the sign and is left out of packets.
    pub drop_sign: bool,
    /// The remark about it.
    pub remark: &'static str,
}

/// Whether the data of this format has to be looked at.
pub(super) fn is_doubtful(format: &WaveFormat) -> bool {
    matches!(format.codec(), Codec::PcmF24Le) || may_be_compressed(format)
}

/// The kind of `data`, the front of the data; `None` when it is the one that the format names.
pub(super) fn of(format: &WaveFormat, data: &[u8]) -> Option<Content> {
    if format.codec() == Codec::PcmF24Le {
        return Some(twenty_four(data));
    }
    let compressed = may_be_compressed(format).then(|| compressed(data)).flatten()?;
    Some(Content { drop_sign: false, ..compressed })
}

/// Two channels of 16 bits: as a disc, and the digital output that AC-3 and DTS are made to pass through.
fn may_be_compressed(format: &WaveFormat) -> bool {
    format.codec() == Codec::PcmS16Le && format.channels == 2
}

/// 24 bits in 4 bytes of plain PCM: the bytes that carry nothing tell where they lie.
fn twenty_four(data: &[u8]) -> Content {
    let mut samples = data.as_chunks::<4>().0.iter();
    let sign = |high: u8| if high & 0x80 == 0 { 0 } else { 0xff };
    if samples.clone().all(|[_, _, high, top]| *top == sign(*high)) {
        let remark = "24 bits in 4 bytes, the sign in the highest byte: read as 24-bit integers";
        return Content { codec: Codec::PcmS24Le, drop_sign: true, remark };
    }
    let remark = match samples.all(|[low, ..]| *low == 0) {
        true => "24 bits in 4 bytes, the lowest byte empty: read as 32-bit integers",
        false => "24 bits in 4 bytes that use all four: read as 32-bit integers",
    };
    Content { codec: Codec::PcmS32Le, drop_sign: false, remark }
}

/// Sync words of DTS: 16 and 14 bits a word, each in both orders (ETSI TS 102 114 §6.1).
const DTS: [[u8; 4]; 4] =
    [[0x7f, 0xfe, 0x80, 0x01], [0xfe, 0x7f, 0x01, 0x80], [0x1f, 0xff, 0xe8, 0x00], [0xff, 0x1f, 0x00, 0xe8]];

/// Preamble of a burst, and the data types in it (IEC 61937-1 §6.1, -2 §4.2).
const BURST: [u8; 4] = [0x72, 0xf8, 0x1f, 0x4e];

/// Compressed audio that repeats its mark: silence of any length may stand in front.
fn compressed(data: &[u8]) -> Option<Content> {
    let start = data.iter().position(|byte| *byte != 0)?;
    let body = data.get(start..)?;
    let content = |codec, remark| Some(Content { codec, drop_sign: false, remark });
    if let Some([kind, ..]) = body.strip_prefix(&BURST) {
        return match kind & 0x1f {
            1 => content(Codec::Ac3, "AC-3 in bursts of IEC 61937 under the name of PCM"),
            11..=13 => content(Codec::Dts, "DTS in bursts of IEC 61937 under the name of PCM"),
            _ => None,
        };
    }
    let mark = body.first_chunk::<4>()?;
    if DTS.contains(mark) && repeats(body, mark) {
        return content(Codec::Dts, "DTS under the name of PCM");
    }
    let ac3 = [[0x0b, 0x77], [0x77, 0x0b]].into_iter().find(|mark| body.starts_with(mark))?;
    let times = |distance: usize| body.get(distance..).is_some_and(|rest| rest.starts_with(&ac3));
    // A frame has as many bytes as its rate code says; the second must begin there (ETSI TS 102 366 Table 4.13).
    let code = if ac3 == [0x0b, 0x77] { body.get(4)? } else { body.get(5)? };
    let words = frame_words(*code)?;
    times(words * 2).then(|| content(Codec::Ac3, "AC-3 under the name of PCM")).flatten()
}

/// Whether `mark` stands at the start and again where frames are as long as there.
fn repeats(body: &[u8], mark: &[u8]) -> bool {
    let found: Vec<usize> = memchr::memmem::find_iter(body, mark).take(3).collect();
    matches!(*found, [0, second, third] if third == second * 2)
        || matches!(*found, [0, second] if second * 3 > body.len())
}

/// Words of 16 bits in a frame of AC-3.
fn frame_words(code: u8) -> Option<usize> {
    const KBPS: [usize; 19] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let kbps = *KBPS.get(usize::from(code & 0x3f) / 2)?;
    Some(match code >> 6 {
        0 => kbps * 2,
        1 => kbps * 320 / 147 + usize::from(code & 1),
        2 => kbps * 3,
        _ => return None,
    })
}

/// The samples without their highest byte.
pub(super) fn without_sign(data: &[u8]) -> Bytes {
    data.as_chunks::<4>().0.iter().flat_map(|[low, middle, high, _]| [*low, *middle, *high]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(channels: u16, block_align: u16, bits_per_sample: u16) -> WaveFormat {
        WaveFormat { tag: 1, channels, block_align, bits_per_sample, sample_rate: 48_000, ..WaveFormat::default() }
    }

    #[test]
    fn bytes_tell_where_24_bits_lie_in_4() {
        let cases: [(&[u8], Codec, bool); 4] = [
            (&[1, 2, 3, 0, 1, 2, 0x83, 0xff], Codec::PcmS24Le, true),
            (&[0, 2, 3, 4, 0, 2, 3, 0x84], Codec::PcmS32Le, false),
            (&[9, 2, 3, 4, 9, 2, 3, 0x84], Codec::PcmS32Le, false),
            (&[0; 8], Codec::PcmS24Le, true),
        ];
        for (data, codec, drop_sign) in cases {
            let content = of(&format(1, 4, 24), data).unwrap();
            assert_eq!((content.codec, content.drop_sign), (codec, drop_sign), "{data:?}");
        }
        assert_eq!(&without_sign(&[1, 2, 3, 0, 4, 5, 0x86, 0xff])[..], [1, 2, 3, 4, 5, 0x86]);
    }

    #[test]
    fn ac3_and_dts_under_the_name_of_pcm_are_recognised() {
        let frames = |mark: &[u8], size: usize| {
            let mut frame = alloc::vec![0x55; size];
            frame[..mark.len()].copy_from_slice(mark);
            [&[0; 32][..], &frame, &frame, &frame].concat()
        };
        let stereo = format(2, 4, 16);
        let codec = |data: &[u8]| of(&stereo, data).map(|content| content.codec);
        assert_eq!(codec(&frames(&[0xfe, 0x7f, 0x01, 0x80], 1006)), Some(Codec::Dts));
        assert_eq!(codec(&frames(&[0xff, 0x1f, 0x00, 0xe8], 4096)), Some(Codec::Dts));
        // 192 kbit/s at 48 kHz: 768 bytes, in both orders.
        assert_eq!(codec(&frames(&[0x0b, 0x77, 0, 0, 0x14], 768)), Some(Codec::Ac3));
        assert_eq!(codec(&frames(&[0x77, 0x0b, 0, 0, 0, 0x14], 768)), Some(Codec::Ac3));
        assert_eq!(codec(&frames(&[0x72, 0xf8, 0x1f, 0x4e, 1, 0], 6144)), Some(Codec::Ac3));
        assert_eq!(codec(&frames(&[0x0b, 0x77, 0, 0, 0x14], 770)), None);
        assert_eq!(codec(&frames(&[1, 2, 3, 4], 100)), None);
        assert!(!is_doubtful(&format(1, 2, 16)));
    }
}
