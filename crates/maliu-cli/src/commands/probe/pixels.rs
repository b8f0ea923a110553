//! Names of pixel and sample formats as ffprobe prints them, and the shape of the picture.

use maliu::stream::Codec;

use super::facts::gcd;

/// The pixel format of decoded pictures, by chroma_format_idc, bits per sample and range.
pub(super) fn name(chroma: u8, depth: u8, full: bool) -> Option<String> {
    let sampling = ["gray", "yuv420p", "yuv422p", "yuv444p"].get(usize::from(chroma))?;
    Some(match (depth, full, chroma) {
        (8, true, 1..) => sampling.replacen("yuv", "yuvj", 1),
        (8, ..) => (*sampling).to_owned(),
        (depth, ..) => format!("{sampling}{depth}le"),
    })
}

/// The pixel format of codecs that have only one.
pub(super) fn usual(codec: Codec) -> Option<&'static str> {
    matches!(codec.name(), "flv1" | "vp6" | "vp6f" | "vp8").then_some("yuv420p")
}

/// The format of samples that FFmpeg's decoder of a codec gives; `bits` are those of a stored sample, 0 when unknown.
pub(super) fn sample_format(codec: Codec, bits: u32) -> Option<&'static str> {
    Some(match codec.name() {
        "aac" | "mp3" | "mp2" | "mp1" | "vorbis" | "opus" | "ac3" | "eac3" => "fltp",
        "pcm_u8" => "u8",
        "pcm_s16le" | "pcm_s16be" | "pcm_alaw" | "pcm_mulaw" => "s16",
        "pcm_s24le" | "pcm_s24be" | "pcm_s32le" | "pcm_s32be" => "s32",
        "pcm_f32le" | "pcm_f32be" => "flt",
        "pcm_f64le" | "pcm_f64be" => "dbl",
        "flac" if bits > 0 => {
            if bits > 16 {
                "s32"
            } else {
                "s16"
            }
        }
        "alac" if bits > 0 => {
            if bits > 16 {
                "s32p"
            } else {
                "s16p"
            }
        }
        _ => return None,
    })
}

/// Width to height of the shown picture, reduced.
pub(super) fn display_aspect(size: (u32, u32), pixel: (u32, u32)) -> Option<(u128, u128)> {
    let (wide, high) = (u128::from(size.0) * u128::from(pixel.0), u128::from(size.1) * u128::from(pixel.1));
    let divisor = gcd(wide, high);
    (wide > 0 && high > 0).then_some((wide / divisor, high / divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_ffprobe() {
        for (facts, wanted) in [
            ((1, 8, false), "yuv420p"),
            ((1, 8, true), "yuvj420p"),
            ((2, 10, false), "yuv422p10le"),
            ((0, 8, true), "gray"),
        ] {
            assert_eq!(name(facts.0, facts.1, facts.2).as_deref(), Some(wanted));
        }
        assert_eq!(name(4, 8, false), None);
        assert_eq!(display_aspect((720, 576), (16, 15)), Some((4, 3)));
        assert_eq!(display_aspect((0, 576), (1, 1)), None);
    }
}
