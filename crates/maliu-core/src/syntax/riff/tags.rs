//! Tags in RIFF files: LIST/INFO and `bext` (EBU Tech 3285 §2.3).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{CHUNK_HEADER, Order};
use crate::{stream::Metadata, syntax::latin1::latin1};

/// INFO ids and their keys; others keep their id.
const KEYS: &[(&[u8; 4], &str)] = &[
    (b"IART", "artist"),
    (b"ICMT", "comment"),
    (b"ICOP", "copyright"),
    (b"ICRD", "date"),
    (b"IGNR", "genre"),
    (b"ILNG", "language"),
    (b"INAM", "title"),
    (b"IPRD", "album"),
    (b"IPRT", "track"),
    (b"ISFT", "encoder"),
    (b"ISMP", "timecode"),
    (b"ITCH", "encoded_by"),
    (b"ITRK", "track"),
];

/// Adds the tags of a LIST chunk's body, if it is an INFO list. The body may be cut.
pub fn read_list(body: &[u8], order: Order, metadata: &mut Metadata) {
    let Some(mut rest) = body.strip_prefix(b"INFO") else { return };
    while let Some((id, size)) = order.chunk(rest) {
        let value = rest.get(CHUNK_HEADER..).unwrap_or_default();
        let value = value.get(..size as usize).unwrap_or(value);
        let key = KEYS.iter().find(|(known, _)| **known == id).map_or_else(|| latin1(&id), |(_, key)| key.to_string());
        let text = text(value);
        if !text.is_empty() {
            metadata.set(key, text);
        }
        let behind = CHUNK_HEADER.saturating_add(size as usize).saturating_add(size as usize & 1);
        rest = rest.get(behind..).unwrap_or_default();
    }
}

/// The LIST chunk that says as much of `metadata` as INFO has ids for, in their order; empty when that is nothing.
pub fn build_list(metadata: &Metadata) -> Vec<u8> {
    let mut values: Vec<_> = metadata.entries().iter().filter_map(|(key, value)| Some((id(key)?, value))).collect();
    values.sort_by_key(|(id, _)| *id);
    let mut body = b"INFO".to_vec();
    for (id, value) in values {
        let Ok(size) = u32::try_from(value.len() + 1) else { continue };
        body.extend_from_slice(&id);
        body.extend_from_slice(&size.to_le_bytes());
        body.extend_from_slice(value.as_bytes());
        body.push(0);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let Some(size) = u32::try_from(body.len()).ok().filter(|size| *size > 4) else { return Vec::new() };
    [b"LIST", &size.to_le_bytes()[..], &body].concat()
}

/// The INFO id of a key: the one that it stands for, or the key itself where it is one (IENG, ISRC…).
fn id(key: &str) -> Option<[u8; 4]> {
    let known = KEYS.iter().find(|(_, known)| known.eq_ignore_ascii_case(key)).map(|(id, _)| **id);
    let own = || <[u8; 4]>::try_from(key.as_bytes()).ok().filter(|id| id[0] == b'I' && is_id(id));
    known.or_else(own)
}

fn is_id(id: &[u8]) -> bool {
    id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Adds what a `bext` chunk's body says.
pub fn read_bext(body: &[u8], metadata: &mut Metadata) {
    const FIELDS: [(&str, usize, usize); 5] = [
        ("comment", 0, 256),
        ("encoded_by", 256, 32),
        ("originator_reference", 288, 32),
        ("date", 320, 10),
        ("creation_time", 330, 8),
    ];
    for (key, at, size) in FIELDS {
        let value = text(body.get(at..at + size).unwrap_or_default());
        if !value.is_empty() {
            metadata.set(key, value);
        }
    }
    if let Some(samples) = Order::Little.u64(body, 338) {
        metadata.set("time_reference", samples.to_string());
    }
    let history = text(body.get(602..).unwrap_or_default());
    if !history.is_empty() {
        metadata.set("coding_history", history);
    }
}

/// Text up to its first zero: UTF-8, else ISO 8859-1.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    core::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_written_are_tags_read() {
        let mut metadata = Metadata::default();
        metadata.set("artist", "even");
        metadata.set("IENG", "an id itself");
        metadata.set("title", "odd");
        metadata.set("mood", "has no id");
        let list = build_list(&metadata);
        let mut again = Metadata::default();
        read_list(&list[CHUNK_HEADER..], Order::Little, &mut again);
        metadata.remove("mood");
        assert_eq!((again, list.len() % 2), (metadata, 0));
        assert!(build_list(&Metadata::default()).is_empty());
    }

    #[test]
    fn odd_values_are_padded_and_unknown_ids_kept() {
        let mut metadata = Metadata::default();
        read_list(b"INFOINAM\x03\0\0\0ab\0\0IXYZ\x02\0\0\0\xe9!ISFT\x09\0\0\0cut", Order::Little, &mut metadata);
        let expected = [("title", "ab"), ("IXYZ", "\u{e9}!"), ("encoder", "cut")];
        assert_eq!(metadata.entries(), expected.map(|(k, v)| (k.to_string(), v.to_string())));
    }
}
