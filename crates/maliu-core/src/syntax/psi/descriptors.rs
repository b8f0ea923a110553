//! Descriptors: short records that say more of a program, a stream, a service (ISO/IEC 13818-1 §2.6, EN 300 468 §6).

use alloc::string::String;

/// One descriptor, uninterpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// descriptor_tag.
    pub tag: u8,
    /// Bytes behind its length.
    pub body: &'a [u8],
}

impl Descriptor<'_> {
    /// registration_descriptor.
    pub const REGISTRATION: u8 = 0x05;
    /// ISO_639_language_descriptor.
    pub const LANGUAGE: u8 = 0x0a;
    /// service_descriptor.
    pub const SERVICE: u8 = 0x48;
    /// short_event_descriptor.
    pub const SHORT_EVENT: u8 = 0x4d;
    /// teletext_descriptor.
    pub const TELETEXT: u8 = 0x56;
    /// subtitling_descriptor.
    pub const SUBTITLING: u8 = 0x59;
    /// AC-3_descriptor.
    pub const AC3: u8 = 0x6a;
    /// enhanced_AC-3_descriptor.
    pub const EAC3: u8 = 0x7a;
    /// DTS_descriptor.
    pub const DTS: u8 = 0x7b;
    /// AAC_descriptor.
    pub const AAC: u8 = 0x7c;
    /// extension_descriptor; its first byte says of what.
    pub const EXTENSION: u8 = 0x7f;
}

/// The descriptors of a list; ends at one that is cut.
pub fn descriptors(bytes: &[u8]) -> impl Iterator<Item = Descriptor<'_>> + Clone {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let (&[tag, length], behind) = rest.split_first_chunk::<2>()?;
        let (body, next) = behind.split_at_checked(usize::from(length))?;
        rest = next;
        Some(Descriptor { tag, body })
    })
}

/// The language of a stream: of an ISO 639 language, teletext or subtitling descriptor, whichever comes first.
pub fn language(bytes: &[u8]) -> Option<[u8; 3]> {
    let tags = [Descriptor::LANGUAGE, Descriptor::TELETEXT, Descriptor::SUBTITLING];
    let letters = descriptors(bytes).filter(|it| tags.contains(&it.tag)).find_map(|it| it.body.first_chunk::<3>());
    letters.copied().filter(|letters| letters.iter().all(u8::is_ascii_alphabetic))
}

/// audio_type of the ISO 639 language descriptor: 1 clean effects, 2 hearing impaired, 3 visual impaired commentary.
pub fn audio_type(bytes: &[u8]) -> Option<u8> {
    descriptors(bytes).find(|it| it.tag == Descriptor::LANGUAGE)?.body.get(3).copied()
}

/// Type, provider and name of a service descriptor.
pub(super) fn service(body: &[u8]) -> Option<(u8, String, String)> {
    let (&kind, rest) = body.split_first()?;
    let (provider, rest) = sized(rest)?;
    let (name, _) = sized(rest)?;
    Some((kind, text(provider), text(name)))
}

/// Language, name and text of a short event descriptor.
pub(super) fn short_event(body: &[u8]) -> Option<(String, String, String)> {
    let (language, rest) = body.split_first_chunk::<3>()?;
    let (name, rest) = sized(rest)?;
    let (short, _) = sized(rest)?;
    Some((text(language), text(name), text(short)))
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// The characters of a DVB text (EN 300 468 Annex A). Tables other than Latin and UTF-8 come out as U+FFFD.
fn text(bytes: &[u8]) -> String {
    match bytes {
        [0x15, utf8 @ ..] => String::from_utf8_lossy(utf8).into_owned(),
        [0x11, wide @ ..] => {
            let units = wide.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>());
            char::decode_utf16(units.map(|pair| u16::from_be_bytes(*pair)))
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        [0x10, _, 1 | 15, latin @ ..] => latin1(latin),
        [0x01..=0x1f, other @ ..] => other
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER })
            .collect(),
        plain => match core::str::from_utf8(plain) {
            // Many multiplexers write UTF-8 without its mark.
            Ok(utf8) => utf8.chars().filter(|letter| !letter.is_control()).collect(),
            Err(_) => latin1(plain),
        },
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().filter(|byte| !(0x80..0xa0).contains(*byte) && **byte >= 0x20).map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn descriptors_end_at_a_cut_one() {
        let got: Vec<_> = descriptors(&[5, 1, 7, 10, 0, 9, 3, 1]).map(|it| (it.tag, it.body.len())).collect();
        assert_eq!(got, [(5, 1), (10, 0)]);
    }

    #[test]
    fn languages_come_from_several_descriptors() {
        assert_eq!(language(&[0x0a, 4, b'e', b'n', b'g', 3]), Some(*b"eng"));
        assert_eq!(audio_type(&[0x0a, 4, b'e', b'n', b'g', 3]), Some(3));
        assert_eq!(language(&[0x59, 8, b'd', b'e', b'u', 0x10, 0, 1, 0, 1]), Some(*b"deu"));
        assert_eq!(language(&[0x0a, 4, 0, 0, 0, 0]), None);
    }

    #[test]
    fn texts_of_several_tables_are_read() {
        assert_eq!(text(b"\x15M\xc3\xbcnchen"), "M\u{fc}nchen");
        assert_eq!(text(b"M\xfcnchen"), "M\u{fc}nchen");
        assert_eq!(text(b"\x10\x00\x01caf\xe9"), "caf\u{e9}");
        assert_eq!(text(b"\x05a\xe9"), "a\u{fffd}");
        assert_eq!(text(b"\x11\x4e\x2d"), "\u{4e2d}");
        assert_eq!(service(b"\x01\x02ab\x03cde"), Some((1, "ab".into(), "cde".into())));
    }
}
