//! Tags: iTunes items, QuickTime user data and keys, 3GPP assets (QuickTime File Format, TS 26.244 §8).

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    boxes::{Boxes, Kind},
    fields::Fields,
};
use crate::stream::{Chapter, Metadata, Picture};
use crate::time::{Ticks, TimeBase};

/// Names of items and user data, as the reference names them. For writing the first row of a name counts.
pub const NAMES: &[(&Kind, &str)] = &[
    (b"\xa9nam", "title"),
    (b"\xa9ART", "artist"),
    (b"aART", "album_artist"),
    (b"\xa9alb", "album"),
    (b"\xa9day", "date"),
    (b"\xa9cmt", "comment"),
    (b"\xa9gen", "genre"),
    (b"\xa9wrt", "composer"),
    (b"\xa9too", "encoder"),
    (b"\xa9lyr", "lyrics"),
    (b"\xa9grp", "grouping"),
    (b"cprt", "copyright"),
    (b"desc", "description"),
    (b"ldes", "synopsis"),
    (b"tvsh", "show"),
    (b"tven", "episode_id"),
    (b"tvnn", "network"),
    (b"keyw", "keywords"),
    (b"catg", "category"),
    (b"purd", "purchase_date"),
    (b"soar", "sort_artist"),
    (b"soaa", "sort_album_artist"),
    (b"soal", "sort_album"),
    (b"sonm", "sort_name"),
    (b"soco", "sort_composer"),
    (b"sosn", "sort_show"),
    (b"\xa9des", "description"),
    (b"\xa9aut", "artist"),
    (b"\xa9swr", "encoder"),
    (b"\xa9enc", "encoder"),
    (b"\xa9cpy", "copyright"),
    (b"\xa9xyz", "location"),
    (b"loci", "location"),
    (b"\xa9mak", "make"),
    (b"\xa9mod", "model"),
    (b"\xa9dir", "director"),
    (b"\xa9prd", "producer"),
    (b"\xa9prf", "performers"),
    (b"\xa9fmt", "original_format"),
    (b"\xa9src", "original_source"),
    (b"\xa9inf", "comment"),
    (b"\xa9com", "composer"),
    (b"\xa9wrn", "warning"),
    (b"\xa9hst", "host_computer"),
    (b"\xa9url", "URL"),
    (b"titl", "title"),
    (b"auth", "author"),
    (b"perf", "performers"),
    (b"dscp", "description"),
    (b"albm", "album"),
    (b"yrrc", "date"),
    (b"gnre", "genre"),
];

/// The name of an item of text.
fn name(kind: &Kind) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

/// Most bytes of an item that are read; the rest, a picture's, is passed over.
pub const MAX_ITEM: usize = 64 << 10;

/// An item of `ilst`: its name (or, with `keys`, its number), and the front of its body. `size` is its whole length.
pub fn item(kind: Kind, body: &[u8], size: u64, keys: &[String], metadata: &mut Metadata) {
    if &kind == b"----" {
        freeform(body, metadata);
        return;
    }
    let key = (u32::from_be_bytes(kind) as usize).checked_sub(1).and_then(|index| keys.get(index));
    let mut fields = Fields::new(body);
    for _ in 0..16 {
        let Some(length) = fields.u32().filter(|length| *length >= 16) else { return };
        if fields.kind() != Some(*b"data") {
            return;
        }
        let Some((form, _)) = fields.u32().zip(fields.u32()) else { return };
        let length = length as usize - 16;
        let value = fields.bytes(length.min(fields.rest().len())).unwrap_or_default();
        if &kind == b"covr" {
            let size = (length as u64).min(size);
            metadata.add_picture(Picture::new(mime(form, value), size).with_data(value));
            continue;
        }
        one(kind, key.map(String::as_str), form & 0xff_ffff, value, metadata);
        return;
    }
}

/// The MIME type of a cover by its form, or by its first bytes.
fn mime(form: u32, value: &[u8]) -> &'static str {
    match (form & 0xff_ffff, value) {
        (_, [0x89, b'P', b'N', b'G', ..]) | (14, _) => "image/png",
        (_, [0xff, 0xd8, ..]) | (13, _) => "image/jpeg",
        (27, _) | (_, [b'B', b'M', ..]) => "image/bmp",
        _ => "application/octet-stream",
    }
}

fn one(kind: Kind, key: Option<&str>, form: u32, value: &[u8], metadata: &mut Metadata) {
    let mut fields = Fields::new(value);
    let pair = |value: &[u8]| {
        let mut fields = Fields::new(value.get(2..)?);
        let (number, of) = (fields.u16()?, fields.u16().unwrap_or(0));
        Some(if of > 0 { format!("{number}/{of}") } else { format!("{number}") })
    };
    let flag = |value: &[u8]| value.last().map(|byte| format!("{byte}"));
    let found = match (&kind, key) {
        (_, Some(key)) => text(form, value).map(|text| (key.strip_prefix("com.apple.quicktime.").unwrap_or(key), text)),
        (b"trkn", _) => pair(value).map(|text| ("track", text)),
        (b"disk", _) => pair(value).map(|text| ("disc", text)),
        (b"gnre", _) => fields.u16().and_then(genre).map(|genre| ("genre", genre.to_owned())),
        (b"cpil", _) => flag(value).map(|text| ("compilation", text)),
        (b"pgap", _) => flag(value).map(|text| ("gapless_playback", text)),
        (b"stik", _) => flag(value).map(|text| ("media_type", text)),
        (b"hdvd", _) => flag(value).map(|text| ("hd_video", text)),
        (b"rtng", _) => flag(value).map(|text| ("rating", text)),
        (b"pcst", _) => flag(value).map(|text| ("podcast", text)),
        (b"tvsn", _) => number(value).map(|number| ("season_number", format!("{number}"))),
        (b"tves", _) => number(value).map(|number| ("episode_sort", format!("{number}"))),
        (b"tmpo", _) => number(value).map(|number| ("tmpo", format!("{number}"))),
        (kind, _) => name(kind).zip(text(form, value)),
    };
    if let Some((name, value)) = found {
        metadata.set(name, value);
    }
}

/// ID3v1 genre numbers, from 1.
fn genre(number: u16) -> Option<&'static str> {
    crate::syntax::id3v1::genre(u8::try_from(number.checked_sub(1)?).ok()?)
}

fn number(value: &[u8]) -> Option<i64> {
    let negative = value.first().is_some_and(|byte| *byte & 0x80 != 0);
    (!value.is_empty() && value.len() <= 8)
        .then(|| value.iter().fold(if negative { -1 } else { 0 }, |number, byte| number << 8 | i64::from(*byte)))
}

/// A value of type UTF-8, UTF-16, or a number.
fn text(form: u32, value: &[u8]) -> Option<String> {
    match form {
        2 => Some(utf16(value)),
        21 | 22 | 65..=67 | 74..=78 => number(value).map(|number| format!("{number}")),
        23 => Fields::new(value).u32().map(|bits| format!("{}", f32::from_bits(bits))),
        24 => Fields::new(value).f64().map(|number| format!("{number}")),
        0 | 1 => Some(utf8(value)),
        _ => None,
    }
}

fn utf8(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end_matches('\0').to_owned()
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> =
        bytes.chunks_exact(2).filter_map(|unit| Some(u16::from_be_bytes(unit.try_into().ok()?))).collect();
    String::from_utf16_lossy(&units).trim_end_matches('\0').trim_start_matches('\u{feff}').to_owned()
}

/// A freeform item: mean, name, data.
fn freeform(body: &[u8], metadata: &mut Metadata) -> Option<()> {
    let name = utf8(Boxes::new(body).body_of(b"name")?.get(4..)?);
    let data = Boxes::new(body).body_of(b"data")?;
    let mut fields = Fields::new(data);
    let form = fields.u32()? & 0xff_ffff;
    fields.u32()?;
    if !name.is_empty() {
        metadata.set(name, text(form, fields.rest())?);
    }
    Some(())
}

/// The names in the body of a `keys` box.
pub fn keys(body: &[u8]) -> Vec<String> {
    let mut fields = Fields::new(body);
    fields.skip(8);
    let names = Boxes::new(fields.rest()).take(crate::stream::MAX_TAGS);
    names.map(|(_, name)| utf8(name)).collect()
}

/// An item of `udta`: QuickTime text, or a 3GPP asset.
pub fn user_data(kind: Kind, body: &[u8], metadata: &mut Metadata) -> Option<()> {
    let name = name(&kind)?;
    let mut fields = Fields::new(body);
    let value = match &kind {
        [0xa9, ..] => {
            let length = fields.u16()?;
            let language = fields.u16()?;
            let bytes = fields.bytes(usize::from(length).min(fields.rest().len()))?;
            // Below 0x400 it is a Macintosh language, whose text is Mac OS Roman; ASCII is the same in both.
            if language < 0x400 && !bytes.is_ascii() {
                bytes.iter().map(|byte| roman(*byte)).collect()
            } else {
                utf8(bytes)
            }
        }
        b"yrrc" => {
            fields.version()?;
            format!("{}", fields.u16()?)
        }
        b"loci" => location(body)?,
        b"titl" | b"auth" | b"perf" | b"gnre" | b"dscp" | b"albm" | b"cprt" => {
            fields.version()?;
            fields.u16()?;
            let text = fields.rest();
            if text.starts_with(&[0xfe, 0xff]) { utf16(text) } else { utf8(text.split(|byte| *byte == 0).next()?) }
        }
        _ => return None,
    };
    metadata.set(name, value);
    Some(())
}

/// Latitude and longitude as ISO 6709.
fn location(body: &[u8]) -> Option<String> {
    let mut fields = Fields::new(body);
    fields.version()?;
    fields.u16()?;
    let end = fields.rest().iter().position(|byte| *byte == 0)?;
    fields.skip(end + 2)?;
    let mut number = || fields.i32().map(|number| f64::from(number) / 65_536.0);
    let (longitude, latitude, altitude) = (number()?, number()?, number()?);
    let height = if altitude == 0.0 { String::new() } else { format!("{altitude:+.3}") };
    Some(format!("{latitude:+08.4}{longitude:+09.4}{height}/"))
}

/// Mac OS Roman above ASCII.
fn roman(byte: u8) -> char {
    const HIGH: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
    match byte.checked_sub(128) {
        None => char::from(byte),
        Some(index) => HIGH.chars().nth(index.into()).unwrap_or('\u{fffd}'),
    }
}

/// Samples to drop at the start and at the end, and samples in all, as iTunes states them.
pub fn itunes_gapless(text: &str) -> Option<(u32, u32, u64)> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let mut word = || words.next().and_then(|word| u64::from_str_radix(word, 16).ok());
    let (start, end, all) = (word()?, word()?, word().unwrap_or(0));
    Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?, all))
}

/// Nero chapters: the body of a `chpl` box.
pub fn nero_chapters(body: &[u8], metadata: &mut Metadata) -> Option<()> {
    let mut fields = Fields::new(body);
    let (version, _) = fields.version()?;
    if version == 1 {
        fields.u32()?;
    }
    let count = fields.u8()?;
    for _ in 0..count {
        let start = fields.u64()?;
        let length = fields.u8()?;
        let title = utf8(fields.bytes(length.into())?);
        let start = Ticks(i64::try_from(start).unwrap_or(i64::MAX));
        metadata.add_chapter(Chapter { start, end: None, base: TimeBase::hz(10_000_000), title });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &Kind, body: &[u8]) -> Metadata {
        let mut metadata = Metadata::default();
        item(*kind, body, body.len() as u64, &["com.apple.quicktime.make".to_owned()], &mut metadata);
        metadata
    }

    fn data(form: u8, value: &[u8]) -> Vec<u8> {
        [&(value.len() as u32 + 16).to_be_bytes()[..], b"data", &[0, 0, 0, form, 0, 0, 0, 0], value].concat()
    }

    #[test]
    fn items_of_all_forms_are_read() {
        let cases: [(&Kind, Vec<u8>, &str, &str); 6] = [
            (b"\xa9nam", data(1, "Lied".as_bytes()), "title", "Lied"),
            (b"trkn", data(0, &[0, 0, 0, 3, 0, 12, 0, 0]), "track", "3/12"),
            (b"disk", data(0, &[0, 0, 0, 1, 0, 0]), "disc", "1"),
            (b"tmpo", data(21, &[0, 120]), "tmpo", "120"),
            (b"gnre", data(0, &[0, 18]), "genre", "Rock"),
            (b"\0\0\0\x01", data(1, b"Apple"), "make", "Apple"),
        ];
        for (kind, body, name, value) in cases {
            assert_eq!(read(kind, &body).value(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_freeform_item_has_its_own_name() {
        let body =
            b"\0\0\0\x1cmean\0\0\0\0com.apple.iTunes\0\0\0\x14name\0\0\0\0iTunSMPB\0\0\0\x13data\0\0\0\x01\0\0\0\0 0 ";
        assert_eq!(read(b"----", body).value("iTunSMPB"), Some(" 0 "));
        assert_eq!(itunes_gapless(" 00000000 00000840 000001C0 0000000000001000"), Some((0x840, 0x1c0, 0x1000)));
    }

    #[test]
    fn pictures_are_kept() {
        let metadata = read(b"covr", &data(13, &[0xff, 0xd8, 1, 2]));
        assert_eq!(metadata.pictures(), [Picture::new("image/jpeg", 4).with_data(&[0xff, 0xd8, 1, 2])]);
    }
}
