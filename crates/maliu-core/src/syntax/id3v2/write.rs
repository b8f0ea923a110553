//! Tags → an ID3v2 tag of version 2.3 or 2.4 (id3v2.4.0-structure §3, §4).

use alloc::vec::Vec;

use super::names::id_of;
use crate::stream::Metadata;

/// Most bytes a tag can say that it has.
const MAX: usize = (1 << 28) - 1;

/// The tag; empty when there is nothing to say. `version` is 3 or 4.
pub fn build(metadata: &Metadata, version: u8) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in metadata.entries() {
        let frame = frame(key, value, version);
        if body.len() + frame.len() <= MAX {
            body.extend_from_slice(&frame);
        }
    }
    if body.is_empty() {
        return body;
    }
    let mut tag = Vec::with_capacity(body.len() + 10);
    tag.extend_from_slice(&[b'I', b'D', b'3', version, 0, 0]);
    tag.extend_from_slice(&synchsafe(body.len()));
    tag.extend_from_slice(&body);
    tag
}

/// A text frame; of a key that has none, a TXXX frame that names it.
fn frame(key: &str, value: &str, version: u8) -> Vec<u8> {
    let (id, named) = match id_of(key) {
        Some(id) => (id, false),
        None => ("TXXX", true),
    };
    let (encoding, zero): (u8, &[u8]) = if version >= 4 { (3, &[0]) } else { (1, &[0, 0]) };
    let mut text = alloc::vec![encoding];
    if named {
        put(&mut text, key, version);
        text.extend_from_slice(zero);
    }
    put(&mut text, value, version);
    text.extend_from_slice(zero);
    let size = if version >= 4 { synchsafe(text.len()) } else { (text.len() as u32).to_be_bytes() };
    let mut frame = id.as_bytes().to_vec();
    frame.extend_from_slice(&size);
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(&text);
    frame
}

/// UTF-8 in 2.4; UTF-16 with its mark in 2.3.
fn put(out: &mut Vec<u8>, text: &str, version: u8) {
    if version >= 4 {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.extend_from_slice(&[0xff, 0xfe]);
    text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
}

/// Seven bits a byte, so that no size looks like a frame of sound.
fn synchsafe(size: usize) -> [u8; 4] {
    let size = size.min(MAX) as u32;
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_written_are_tags_read() {
        let mut metadata = Metadata::default();
        metadata.set("title", "Grüße");
        metadata.set("genre", "Rock");
        metadata.set("mood", "码流");
        for version in [3, 4] {
            let tag = build(&metadata, version);
            assert_eq!(super::super::tag_size(&tag), super::super::Size::Known(tag.len()));
            let mut again = Metadata::default();
            super::super::read(&tag, &mut again);
            assert_eq!(again, metadata, "version 2.{version}");
        }
        assert!(build(&Metadata::default(), 4).is_empty());
    }
}
