//! Lyrics3 tags, version 1 and 2, as they stand between the last frame and an ID3v1 tag.
//!
//! ```text
//!   v1: "LYRICSBEGIN" text "LYRICSEND"      v2: "LYRICSBEGIN" { id(3) size(5 digits) text }… size(6 digits) "LYRICS200"
//! ```

use super::latin1::latin1;
use crate::stream::Metadata;

/// First bytes of a tag.
pub const BEGIN: &[u8; 11] = b"LYRICSBEGIN";

/// Bytes of either end mark.
const END: usize = 9;

/// Size in bytes of the tag at the start of `bytes`; `None` when its end is not among them.
pub fn size(bytes: &[u8]) -> Option<usize> {
    let ends = [&b"LYRICSEND"[..], b"LYRICS200"].map(|mark| memchr::memmem::find(bytes, mark));
    ends.into_iter().flatten().min().map(|at| at + END)
}

/// Adds what a whole tag says to `metadata`; keys that are set already stay as they are.
pub fn read(tag: &[u8], metadata: &mut Metadata) {
    let body = tag.get(BEGIN.len()..tag.len().saturating_sub(END)).unwrap_or_default();
    let mut set = |key: &str, text: &[u8]| {
        if metadata.value(key).is_none() && !text.is_empty() {
            metadata.set(key, latin1(text));
        }
    };
    if tag.ends_with(b"LYRICSEND") {
        return set("lyrics", body);
    }
    let mut rest = body;
    while let Some((&[a, b, c, ref digits @ ..], behind)) = rest.split_first_chunk::<8>() {
        let size = core::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
        let Some((text, next)) = size.and_then(|size| behind.split_at_checked(size)) else { return };
        match &[a, b, c] {
            b"LYR" => set("lyrics", text),
            b"INF" => set("comment", text),
            b"AUT" => set("author", text),
            b"EAL" => set("album", text),
            b"EAR" => set("artist", text),
            b"ETT" => set("title", text),
            _ => {}
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read_whole() {
        let cases: [(&[u8], &str); 2] = [
            (b"LYRICSBEGINla la laLYRICSENDTAG", "la la la"),
            (b"LYRICSBEGININD0000200LYR00003abcETT00001t000040LYRICS200TAG", "abc"),
        ];
        for (bytes, lyrics) in cases {
            let size = size(bytes).unwrap();
            assert_eq!(&bytes[size..], b"TAG");
            let mut metadata = Metadata::default();
            read(&bytes[..size], &mut metadata);
            assert_eq!(metadata.value("lyrics"), Some(lyrics));
        }
        assert_eq!(size(b"LYRICSBEGIN and no end"), None);
    }
}
