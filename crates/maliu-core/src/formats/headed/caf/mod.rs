//! Core Audio Format: chunks with sizes of 64 bits, one of facts, one of samples or packets (Apple, CAF 1.0).
//!
//! ```text
//!   "caff" 1(16) 0(16) { type(32) size(64) body }…
//!   desc: rate(f64) format(32) flags(32) bytes/packet(32) frames/packet(32) channels(32) bits(32)
//!   pakt: packets(64) valid frames(64) priming(32) remainder(32) { size [frames], 7 bits a byte }…
//!   data: edits(32) │ samples or packets …
//! ```
//!
//! Packets of PCM hold whole blocks of at most 4096 bytes; others are those of the packet table. A table behind the data needs
//! an input that can go back. Priming and remainder become trims of the first and last packets, `info` becomes tags. Written:
//! PCM, G.711 and IMA ADPCM to any output; AAC, ALAC and MPEG audio in an output whose front can be written again, with their
//! table in front of the data where bytes can be put in, else behind them.

use alloc::boxed::Box;

use crate::{
    format::{Format, Rules, Score},
    settings::Settings,
    stream::Codec,
};

mod demuxer;
mod muxer;
mod table;

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "caf",
    long_name: "Apple CAF (Core Audio Format)",
    mime: &["audio/x-caf"],
    extensions: &["caf"],
    probe,
    demuxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(demuxer::Caf::default()))
    }),
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(muxer::Writing::default()))
    }),
    settings: &[],
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::PcmS16Be), None),
};

fn probe(bytes: &[u8]) -> Score {
    const MARK: &[u8] = b"caff\0\x01";
    match bytes.iter().zip(MARK).all(|(byte, mark)| byte == mark) {
        false => Score::No("no CAF mark"),
        true if bytes.len() < MARK.len() => Score::More("the start of a CAF mark"),
        true => Score::Sure("a CAF mark of version 1"),
    }
}

/// Linear PCM: float, little endian.
const FLOAT: u32 = 1;
const LITTLE: u32 = 2;

/// Formats other than linear PCM, and their codecs.
const FORMATS: &[(&[u8; 4], Codec)] = &[
    (b"alaw", Codec::PcmALaw),
    (b"ulaw", Codec::PcmMuLaw),
    (b"ima4", Codec::AdpcmImaQt),
    (b"aac ", Codec::Aac),
    (b"alac", Codec::Alac),
    (b".mp3", Codec::Mp3),
    (b".mp2", Codec::Mp2),
    (b".mp1", Codec::Mp1),
    (b"ac-3", Codec::Ac3),
    (b"ilbc", Codec::Ilbc),
    (b"samr", Codec::AmrNb),
];

/// Linear PCM by bits, whether it is float, and whether it is little endian.
const LINEAR: &[(u32, u32, Codec)] = &[
    (8, 0, Codec::PcmS8),
    (8, LITTLE, Codec::PcmS8),
    (16, 0, Codec::PcmS16Be),
    (16, LITTLE, Codec::PcmS16Le),
    (24, 0, Codec::PcmS24Be),
    (24, LITTLE, Codec::PcmS24Le),
    (32, 0, Codec::PcmS32Be),
    (32, LITTLE, Codec::PcmS32Le),
    (32, FLOAT, Codec::PcmF32Be),
    (32, FLOAT | LITTLE, Codec::PcmF32Le),
    (64, FLOAT, Codec::PcmF64Be),
    (64, FLOAT | LITTLE, Codec::PcmF64Le),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_known_by_its_version() {
        assert_eq!(probe(b"caff\0\x01\0\0").level(), 3);
        assert_eq!(probe(b"caf").level(), 1);
        assert_eq!(probe(b"caff\0\x02").level(), 0);
    }
}
