//! APE tags, version 1 (items, footer) and 2 (header, items, footer), as they stand behind MP3 and AAC frames.

use alloc::string::{String, ToString};

use crate::stream::{Metadata, Picture};

/// Bytes of a header or footer.
pub const FOOTER: usize = 32;

/// First bytes of a header and a footer.
pub const PREAMBLE: &[u8; 8] = b"APETAGEX";

const IS_HEADER: u32 = 1 << 29;
/// Bits 1 and 2 of an item's flags: not text.
const BINARY: u32 = 6;

/// Size of the tag whose header (or lone footer) stands at the start of `bytes`, in bytes; `None` when there is none
/// or it is cut.
pub fn size(bytes: &[u8]) -> Option<u64> {
    let (size, flags) = (u32_at(bytes, 12)?, u32_at(bytes, 20)?);
    bytes.starts_with(PREAMBLE).then(|| FOOTER as u64 + if flags & IS_HEADER != 0 { u64::from(size) } else { 0 })
}

/// Bytes behind the items at the start of `bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// These are no items.
    None,
    /// They go on behind the last byte.
    Unknown,
    /// The footer begins at this byte.
    Footer(usize),
}

/// Where a row of items that starts with `bytes` meets its footer.
pub fn items(bytes: &[u8]) -> Items {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let head = rest.len().min(PREAMBLE.len());
        if at > 0 && rest.get(..head) == PREAMBLE.get(..head) {
            return if head == PREAMBLE.len() { Items::Footer(at) } else { Items::Unknown };
        }
        match Item::split(rest) {
            Split::Item(item) => at += item.size,
            Split::More => return Items::Unknown,
            Split::No => return Items::None,
        }
    }
}

/// Adds what a tag (from its header, or from its first item) says to `metadata`; keys that are set already stay as
/// they are. `tag` may be cut.
pub fn read(tag: &[u8], metadata: &mut Metadata) {
    let mut rest = if tag.starts_with(PREAMBLE) { tag.get(FOOTER..).unwrap_or_default() } else { tag };
    while let Split::Item(item) = Item::split(rest) {
        rest = rest.get(item.size..).unwrap_or_default();
        if item.flags & BINARY != 0 {
            picture(&item, metadata);
        } else if metadata.value(&key_of(item.key)).is_none() && !item.value.is_empty() {
            metadata.set(key_of(item.key), String::from_utf8_lossy(item.value).replace('\0', "; "));
        }
    }
}

/// A cover: a file name, a zero, the picture.
fn picture(item: &Item, metadata: &mut Metadata) {
    if let Some(name) = memchr::memchr(0, item.value).filter(|_| item.key.to_ascii_lowercase().starts_with("cover art"))
    {
        let data = item.value.get(name + 1..).unwrap_or_default();
        let mime = if data.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
        let kind = if item.key.to_ascii_lowercase().contains("back") { 4 } else { Picture::FRONT };
        metadata.add_picture(Picture::new(mime, data.len() as u64).with_kind(kind).with_data(data));
    }
}

fn key_of(key: &str) -> String {
    match key.to_ascii_lowercase().as_str() {
        "year" => "date".to_string(),
        common @ ("title" | "artist" | "album" | "comment" | "genre" | "track" | "composer" | "disc" | "copyright") => {
            common.to_string()
        }
        "album artist" => "album_artist".to_string(),
        _ => key.to_string(),
    }
}

struct Item<'a> {
    key: &'a str,
    value: &'a [u8],
    flags: u32,
    size: usize,
}

enum Split<'a> {
    Item(Item<'a>),
    More,
    No,
}

impl<'a> Item<'a> {
    /// The item at the start of `bytes`: size(32) flags(32) key 0 value.
    fn split(bytes: &'a [u8]) -> Split<'a> {
        let (Some(size), Some(flags)) = (u32_at(bytes, 0), u32_at(bytes, 4)) else { return Split::More };
        if size > MAX_VALUE || flags & 0x1fff_fff8 != 0 {
            return Split::No;
        }
        let keyed = bytes.get(8..).unwrap_or_default();
        let keyed = keyed.get(..MAX_KEY).unwrap_or(keyed);
        let end = keyed.iter().position(|byte| !(0x20..0x7f).contains(byte));
        let key = match end.map(|end| (end, keyed.get(end))) {
            Some((2.., Some(0))) => keyed.get(..end.unwrap_or(0)).unwrap_or_default(),
            None if keyed.len() < MAX_KEY => return Split::More,
            _ => return Split::No,
        };
        let from = 8 + key.len() + 1;
        match (bytes.get(from..from + size as usize), core::str::from_utf8(key)) {
            (Some(value), Ok(key)) => Split::Item(Self { key, value, flags, size: from + size as usize }),
            _ => Split::More,
        }
    }
}

/// Most bytes of an item's key, with its zero.
const MAX_KEY: usize = 256;

/// Most bytes of an item's value.
const MAX_VALUE: u32 = 128 << 10;

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|value| u32::from_le_bytes(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, value: &[u8], flags: u32) -> alloc::vec::Vec<u8> {
        [&(value.len() as u32).to_le_bytes(), &flags.to_le_bytes(), key.as_bytes(), &[0], value].concat()
    }

    fn edge(size: usize, flags: u32) -> alloc::vec::Vec<u8> {
        [
            PREAMBLE.as_slice(),
            &2000u32.to_le_bytes(),
            &(size as u32).to_le_bytes(),
            &[2, 0, 0, 0],
            &flags.to_le_bytes(),
            &[0; 8],
        ]
        .concat()
    }

    #[test]
    fn items_become_tags_and_covers_pictures() {
        let items = [item("Year", b"1999", 0), item("Cover Art (front)", b"a.png\0\x89PNG12", 2)].concat();
        let tag =
            [edge(items.len() + 32, 1 << 31 | IS_HEADER), items.clone(), edge(items.len() + 32, 1 << 31)].concat();
        assert_eq!(size(&tag), Some(tag.len() as u64));
        let mut metadata = Metadata::default();
        read(&tag, &mut metadata);
        assert_eq!((metadata.value("date"), metadata.pictures()[0].size), (Some("1999"), 6));
    }

    #[test]
    fn items_without_a_header_are_found_by_their_footer() {
        let row = item("Title", b"x", 0);
        let tag = [row.clone(), edge(row.len() + 32, 0)].concat();
        assert_eq!(items(&tag), Items::Footer(row.len()));
        (0..row.len() + 7).for_each(|cut| assert_eq!(items(&tag[..cut]), Items::Unknown, "{cut}"));
        assert_eq!(items(&[0xff; 20]), Items::None);
    }
}
