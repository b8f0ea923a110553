//! ID3v2 tags in front of, between and behind frames: size, and frames → metadata (ID3v2.2, 2.3, 2.4).
//!
//! ```text
//!   "ID3" major revision flags size(4 × 7 bits)  [extended header]  frame frame … [padding]  ["3DI" footer]
//!   frame (2.2): id(3) size(24)    (2.3): id(4) size(32) flags(16)    (2.4): id(4) size(4 × 7 bits) flags(16)
//! ```

use alloc::{borrow::Cow, vec::Vec};

use crate::stream::Metadata;

mod frames;
mod names;
mod text;
mod write;

pub use write::build;

/// How long a tag at the start of some bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// There is no tag.
    None,
    /// Too few bytes to say.
    Unknown,
    /// The tag's size in bytes, with header and footer.
    Known(usize),
}

/// Bytes of a tag's header.
pub const HEADER: usize = 10;

/// The size of the tag at the start of `bytes`.
pub fn tag_size(bytes: &[u8]) -> Size {
    let known = bytes.len().min(3);
    if bytes.get(..known) != b"ID3".get(..known) {
        return Size::None;
    }
    let Some(&[_, _, _, major, revision, flags, s0, s1, s2, s3]) = bytes.first_chunk() else { return Size::Unknown };
    if major == 0xff || revision == 0xff || [s0, s1, s2, s3].iter().any(|b| *b >= 0x80) {
        return Size::None;
    }
    let body = [s0, s1, s2, s3].iter().fold(0, |size, b| size << 7 | usize::from(*b));
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Size::Known(10 + body + footer)
}

const UNSYNCHRONISED: u8 = 0x80;
const EXTENDED_HEADER: u8 = 0x40;

/// Adds what a tag says to `metadata`; keys that are set already stay as they are. `tag` may be cut behind any byte.
pub fn read(tag: &[u8], metadata: &mut Metadata) {
    let Some(&[b'I', b'D', b'3', major @ 2..=4, _, flags, ..]) = tag.first_chunk::<HEADER>() else { return };
    let body = tag.get(HEADER..).unwrap_or_default();
    let body = if flags & UNSYNCHRONISED != 0 && major < 4 { synchronised(body) } else { Cow::Borrowed(body) };
    let mut rest: &[u8] = &body;
    if flags & EXTENDED_HEADER != 0 {
        let skipped = match (major, rest.first_chunk()) {
            (3, Some(size)) => u32::from_be_bytes(*size).saturating_add(4) as usize,
            (4, Some(size)) => syncsafe(*size) as usize,
            _ => return, // In 2.2 the bit says that the whole tag is compressed in an undefined way.
        };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    let mut tags = frames::Tags { metadata, date: frames::Date::default() };
    while let Some((frame, behind)) = frames::Frame::split(rest, major) {
        tags.add(&frame, flags & UNSYNCHRONISED != 0);
        rest = behind;
    }
    tags.finish();
}

/// The bytes without the zeros that unsynchronisation put behind each 0xff.
fn synchronised(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, &[0xff, 0]).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for &byte in bytes {
        if last != 0xff || byte != 0 {
            out.push(byte);
        }
        last = byte;
    }
    Cow::Owned(out)
}

fn syncsafe(bytes: [u8; 4]) -> u32 {
    bytes.iter().fold(0, |size, b| size << 7 | u32::from(b & 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(major: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let size = body.len() as u32;
        let mut tag = alloc::vec![b'I', b'D', b'3', major, 0, flags];
        tag.extend([21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8));
        tag.extend_from_slice(body);
        tag
    }

    fn frame(major: u8, id: &str, data: &[u8]) -> Vec<u8> {
        let size = (data.len() as u32).to_be_bytes();
        let mut frame = id.as_bytes().to_vec();
        frame.extend_from_slice(if major == 2 { &size[1..] } else { &size });
        frame.extend_from_slice(if major == 2 { &[] } else { &[0, 0] });
        frame.extend_from_slice(data);
        frame
    }

    fn check(tag: &[u8], expected: &[(&str, &str)]) {
        let mut metadata = Metadata::default();
        read(tag, &mut metadata);
        let got: Vec<_> = metadata.entries().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn text_frames_of_every_version_and_encoding_get_their_names() {
        for (major, id) in [(2, "TT2"), (3, "TIT2"), (4, "TIT2")] {
            check(&tag(major, 0, &frame(major, id, b"\x00h\xe9\x00")), &[("title", "h\u{e9}")]);
            check(&tag(major, 0, &frame(major, id, b"\x01\xff\xfeh\x00\xe9\x00")), &[("title", "h\u{e9}")]);
            check(&tag(major, 0, &frame(major, id, b"\x02\x00h\x00\xe9\x00\x00")), &[("title", "h\u{e9}")]);
            check(&tag(major, 0, &frame(major, id, b"\x03h\xc3\xa9")), &[("title", "h\u{e9}")]);
        }
    }

    #[test]
    fn user_text_comments_genres_and_dates_are_told_apart() {
        let body = [
            frame(3, "TXXX", b"\x00mood\x00calm"),
            frame(3, "COMM", b"\x00eng\x00nice"),
            frame(3, "COMM", b"\x00engwho\x00me"),
            frame(3, "TCON", b"\x00(17)"),
            frame(3, "TYER", b"\x002024"),
            frame(3, "TDAT", b"\x003112"),
            frame(3, "TIME", b"\x002359"),
            frame(3, "TRCK", b"\x003/9"),
            frame(3, "PRIV", b"a.b\x00\x01z\\"),
        ];
        let expected = [
            ("mood", "calm"),
            ("comment", "nice"),
            ("who", "me"),
            ("genre", "Rock"),
            ("track", "3/9"),
            ("id3v2_priv.a.b", "\\x01z\\x5c"),
            ("date", "2024-12-31 23:59"),
        ];
        check(&tag(3, 0, &body.concat()), &expected);
    }

    #[test]
    fn unsynchronised_tags_and_frames_are_undone() {
        check(&tag(3, 0x80, &frame(3, "TIT2", b"\x01\xff\xfea\x00")), &[("title", "a")]);
        let mut plain = frame(3, "TIT2", b"\x00\xff.");
        plain.splice(12..12, [0]);
        check(&tag(3, 0x80, &plain), &[("title", "\u{ff}.")]);
        let mut four = frame(4, "TIT2", b"\x00\xff\x00.");
        four[9] = 0x02;
        check(&tag(4, 0x80, &four), &[("title", "\u{ff}.")]);
    }

    #[test]
    fn a_picture_counts_its_bytes_even_when_it_is_cut() {
        let picture = frame(3, "APIC", &[b"\x00image/png\x00\x03front\x00".as_slice(), &[7; 300]].concat());
        let tag = tag(3, 0, &picture);
        for cut in [tag.len(), 60] {
            let mut metadata = Metadata::default();
            read(&tag[..cut], &mut metadata);
            assert_eq!((metadata.pictures()[0].mime.as_str(), metadata.pictures()[0].size), ("image/png", 300));
        }
    }

    #[test]
    fn sizes_of_2_4_that_are_not_syncsafe_are_followed() {
        let long = [b"\x03".as_slice(), &[b'x'; 199]].concat();
        let body = [frame(4, "TIT2", &long), frame(4, "TPE1", b"\x03me")].concat();
        let mut metadata = Metadata::default();
        read(&tag(4, 0, &body), &mut metadata);
        assert_eq!(metadata.value("artist"), Some("me"));
    }
}
