//! Vorbis comments: tags as `NAME=value` in UTF-8, pictures and chapters among them (Vorbis I §5, RFC 9639 §8.6, §8.8).
//!
//! ```text
//!   length vendor │ count │ { length "ARTIST=…" }…         lengths and the count are 32 bits, little-endian
//! ```

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use bytes::BufMut;

use super::base64;
use crate::{
    stream::{Chapter, MAX_CHAPTERS, Metadata, Picture, limits::MAX_TAG_BYTES},
    time::{Ticks, TimeBase},
};

/// Names of fields and the keys that their tags have everywhere, which are the reference's.
const KEYS: &[(&str, &str)] =
    &[("ALBUMARTIST", "album_artist"), ("DESCRIPTION", "comment"), ("DISCNUMBER", "disc"), ("TRACKNUMBER", "track")];

/// The field that holds a picture block in base64.
const PICTURE: &str = "METADATA_BLOCK_PICTURE";

/// Most base64 digits of a picture block that are read: of the largest picture that is kept, behind its description.
const PICTURE_DIGITS: usize = (MAX_TAG_BYTES + (8 << 10)) / 3 * 4;

/// Adds the tags in comments; a further value of a name is joined to the first by `;`, as in the reference. Whether all of
/// the comments were there: what is cut is left out.
pub fn read(comments: &[u8], metadata: &mut Metadata) -> bool {
    let mut fields = Fields { metadata, chapters: Vec::new() };
    let whole = fields.read(comments).is_some();
    for (_, start, title) in fields.chapters {
        metadata.add_chapter(Chapter { start, end: None, base: TimeBase::MILLIS, title });
    }
    whole
}

struct Fields<'a> {
    metadata: &'a mut Metadata,
    /// Number, start in ms, and title.
    chapters: Vec<(u16, Ticks, String)>,
}

impl Fields<'_> {
    fn read(&mut self, comments: &[u8]) -> Option<()> {
        let (_, rest) = counted(comments)?;
        let (count, mut rest) = rest.split_first_chunk()?;
        for _ in 0..u32::from_le_bytes(*count) {
            let (field, behind) = counted(rest)?;
            rest = behind;
            self.field(field);
        }
        Some(())
    }

    fn field(&mut self, field: &[u8]) -> Option<()> {
        let (name, value) = field.split_at_checked(field.iter().position(|byte| *byte == b'=')?)?;
        let (name, value) = (String::from_utf8_lossy(name), value.get(1..).filter(|value| !value.is_empty())?);
        if name.eq_ignore_ascii_case(PICTURE) {
            let block = base64::decode(value.get(..PICTURE_DIGITS).unwrap_or(value));
            self.metadata.add_picture(picture(&block)?);
            return Some(());
        }
        let value = String::from_utf8_lossy(value);
        if let Some(row) = chapter(&name) {
            return self.chapter(row, &value);
        }
        let row = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        let key = row.map_or_else(|| name.to_ascii_lowercase(), |(_, key)| (*key).to_owned());
        let joined = self.metadata.value(&key).map(|before| format!("{before};{value}"));
        self.metadata.set(key, joined.unwrap_or_else(|| value.into_owned()));
        Some(())
    }

    /// `CHAPTER001=00:00:05.000`, or the `NAME` of one whose time stands before it.
    fn chapter(&mut self, (number, attribute): (u16, &str), value: &str) -> Option<()> {
        if attribute.is_empty() && self.chapters.len() < MAX_CHAPTERS {
            let parts = value.split(':').map(str::parse::<f64>).collect::<Result<Vec<_>, _>>().ok()?;
            let seconds = parts.iter().fold(0.0, |sum, part| sum * 60.0 + part);
            let millis = (0.0..1e12).contains(&seconds).then_some((seconds * 1000.0 + 0.5) as i64)?;
            self.chapters.push((number, Ticks(millis), String::new()));
        } else if attribute.eq_ignore_ascii_case("NAME") {
            let (_, _, title) = self.chapters.iter_mut().find(|(known, ..)| *known == number)?;
            value.clone_into(title);
        }
        Some(())
    }
}

/// Number and attribute in the name of a chapter's field.
fn chapter(name: &str) -> Option<(u16, &str)> {
    let rest = name.get(7..).filter(|_| name.get(..7).is_some_and(|front| front.eq_ignore_ascii_case("CHAPTER")))?;
    let (number, attribute) = rest.split_at_checked(3)?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then_some((number.parse().ok()?, attribute))
}

/// A part behind its length, and what stands behind it.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// The picture in a picture block, which may be cut behind its MIME type and size (RFC 9639 §8.8).
pub fn picture(block: &[u8]) -> Option<Picture> {
    let part = |bytes: &'_ [u8]| bytes.first_chunk().map(|word| u32::from_be_bytes(*word) as usize);
    let rest = block.get(4..)?;
    let (mime, rest) = rest.get(4..)?.split_at_checked(part(rest)?)?;
    let rest = rest.get(part(rest)?.checked_add(4 + 16)?..)?;
    let (kind, data) = (part(block)?, rest.get(4..)?);
    let picture = Picture::new(String::from_utf8_lossy(mime), part(rest)? as u64);
    Some(picture.with_kind(u8::try_from(kind).unwrap_or(0)).with_data(data))
}

/// A picture block (RFC 9639 §8.8), without the width, height and colors that decoding would tell.
pub fn picture_block(picture: &Picture) -> Vec<u8> {
    let mut out = Vec::with_capacity(picture.data.len() + picture.mime.len() + 32);
    out.put_u32(picture.kind.into());
    out.put_u32(picture.mime.len() as u32);
    out.put_slice(picture.mime.as_bytes());
    out.put_bytes(0, 20);
    out.put_u32(picture.data.len() as u32);
    out.put_slice(&picture.data);
    out
}

/// As [`write()`], with the pictures that are at hand among the tags, as Ogg has them.
pub fn write_with_pictures(vendor: &str, metadata: &Metadata) -> Vec<u8> {
    let pictures = metadata.pictures().iter().filter(|picture| !picture.data.is_empty());
    let field = |picture| format!("{PICTURE}={}", base64::encode(&picture_block(picture)));
    put_fields(vendor, fields(metadata).into_iter().chain(pictures.map(field)))
}

/// Comments that hold these tags, written by `vendor`.
pub fn write(vendor: &str, metadata: &Metadata) -> Vec<u8> {
    put_fields(vendor, fields(metadata).into_iter())
}

/// Tags and chapters as `NAME=value`.
fn fields(metadata: &Metadata) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for (key, value) in metadata.entries() {
        let row = KEYS.iter().find(|(_, known)| known.eq_ignore_ascii_case(key));
        let name = row.map_or_else(|| key.to_ascii_uppercase(), |(name, _)| (*name).to_owned());
        // Names are ASCII from space to }, without =.
        if name.bytes().all(|byte| (0x20..=0x7d).contains(&byte) && byte != b'=') {
            fields.push(format!("{name}={value}"));
        }
    }
    for (n, chapter) in metadata.chapters().iter().take(1000).enumerate() {
        let millis = chapter.base.rescale(chapter.start, TimeBase::MILLIS, crate::time::Rounding::Near).0.max(0);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        fields.push(format!("CHAPTER{n:03}={hours:02}:{minutes:02}:{seconds:02}.{millis:03}"));
        if !chapter.title.is_empty() {
            fields.push(format!("CHAPTER{n:03}NAME={}", chapter.title));
        }
    }
    fields
}

fn put_fields(vendor: &str, fields: impl Iterator<Item = String>) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u32_le(vendor.len() as u32);
    out.put_slice(vendor.as_bytes());
    let (mut all, mut count) = (Vec::new(), 0);
    for field in fields {
        all.put_u32_le(field.len() as u32);
        all.put_slice(field.as_bytes());
        count += 1;
    }
    out.put_u32_le(count);
    out.append(&mut all);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_chapters_read_back_as_written() {
        let mut tags = Metadata::default();
        for (key, value) in [("title", "码流"), ("album_artist", "a"), ("odd=key", "left out"), ("track", "3/12")] {
            tags.set(key, value);
        }
        let chapter = |start, title: &str| Chapter {
            start: Ticks(start),
            end: None,
            base: TimeBase::MILLIS,
            title: title.into(),
        };
        tags.add_chapter(chapter(0, "one"));
        tags.add_chapter(chapter(3_723_004, ""));
        let comments = write("maliu", &tags);
        let mut back = Metadata::default();
        assert!(read(&comments, &mut back));
        assert_eq!(back.entries().len(), 3);
        assert_eq!((back.value("title"), back.value("TRACK")), (Some("码流"), Some("3/12")));
        assert_eq!(back.chapters(), tags.chapters());
        for cut in 0..comments.len() {
            assert!(!read(&comments[..cut], &mut Metadata::default()), "{cut}");
        }
    }

    #[test]
    fn pictures_read_back_as_written_in_comments_and_in_blocks() {
        for length in [1, 2, 3, 1000] {
            let picture = Picture::new("image/png", length)
                .with_kind(4)
                .with_data(&[7, 255, 0][..].repeat(1000)[..length as usize]);
            assert_eq!(super::picture(&picture_block(&picture)), Some(picture.clone()));
            let (mut tags, mut back) = (Metadata::default(), Metadata::default());
            tags.add_picture(picture);
            tags.add_picture(Picture::new("image/jpeg", 5));
            assert!(read(&write_with_pictures("maliu", &tags), &mut back));
            assert_eq!(back.pictures(), &tags.pictures()[..1]);
        }
    }

    #[test]
    fn values_of_one_name_are_joined_and_pictures_described() {
        let mut block = b"\0\0\0\x03\0\0\0\x09image/png\0\0\0\0".to_vec();
        block.extend_from_slice(&[0; 16]);
        block.extend_from_slice(&[0, 0, 0, 67, 1, 2]);
        let expected = Picture::new("image/png", 67);
        assert_eq!((picture(&block), picture(&block[..40])), (Some(expected), None));
        let mut comments = b"\0\0\0\0\x02\0\0\0".to_vec();
        for field in ["ARTIST=a", "artist=b"] {
            comments.extend_from_slice(&(field.len() as u32).to_le_bytes());
            comments.extend_from_slice(field.as_bytes());
        }
        let mut tags = Metadata::default();
        assert!(read(&comments, &mut tags));
        assert_eq!(tags.value("artist"), Some("a;b"));
    }
}
