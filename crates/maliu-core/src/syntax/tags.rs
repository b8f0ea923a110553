//! Tags that stand in front of, between and behind audio frames, whatever their kind.

use super::{
    apev2::{self, Items},
    id3v1,
    id3v2::{self, Size},
    lyrics3,
};
use crate::{input::Input, remark::Remark, stream::Metadata};

/// Most bytes of one tag that are kept in memory and read; the rest of a longer one is passed over.
pub const MAX_TAG: usize = 256 << 10;

/// Tags of an input, collected so far.
#[derive(Debug, Default)]
pub struct Tags {
    metadata: Metadata,
}

/// Kind of the front of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No tag.
    None,
    /// It may be a tag: more bytes will tell.
    NeedBytes,
    /// A tag stood there and was taken.
    Taken,
}

enum Tag {
    Id3v2(usize),
    Id3v1(usize),
    Ape { items: usize, size: u64 },
    Lyrics(usize),
}

impl Tags {
    /// Everything known so far; a later tag adds keys and never replaces one.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Takes the tag at the front of `input`, if there is one.
    pub fn poll(&mut self, input: &mut Input) -> Step {
        let (bytes, ended) = (input.peek(), input.ended());
        let tag = match find(bytes, ended) {
            Found::Tag(tag) => tag,
            Found::More if !ended => return Step::NeedBytes,
            _ => return Step::None,
        };
        let size = match tag {
            Tag::Id3v2(size) | Tag::Id3v1(size) | Tag::Lyrics(size) => size as u64,
            Tag::Ape { size, .. } => size,
        };
        let kept = size.min(MAX_TAG as u64) as usize;
        let Some(kept) = bytes.get(..kept).or(ended.then_some(bytes)) else { return Step::NeedBytes };
        match tag {
            Tag::Id3v2(_) => id3v2::read(kept, &mut self.metadata),
            Tag::Id3v1(size) => id3v1::read(kept.get(size - id3v1::SIZE..).unwrap_or_default(), &mut self.metadata),
            Tag::Ape { items, .. } => apev2::read(kept.get(..items).unwrap_or(kept), &mut self.metadata),
            Tag::Lyrics(_) => lyrics3::read(kept, &mut self.metadata),
        }
        if ended && size > bytes.len() as u64 {
            input.remark(Remark::Cut { missing: None }, "tag cut short by the end of the input");
        }
        // Forward always works.
        let _ = input.goto(input.offset().saturating_add(size));
        Step::Taken
    }
}

/// Whether the first bytes are those of a tag. Three bytes are enough to tell.
pub fn begins(bytes: &[u8]) -> bool {
    [b"ID3", b"TAG", b"APE", b"LYR"].into_iter().any(|mark| bytes.starts_with(mark))
}

enum Found {
    None,
    More,
    Tag(Tag),
}

fn find(bytes: &[u8], ended: bool) -> Found {
    match bytes.first() {
        // Other versions or flags than these are not in use; in junk they would pass over all that follows.
        Some(b'I') if matches!(bytes, [_, b'D', b'3', 0 | 10..=255, ..]) => Found::None,
        Some(b'I') if matches!(bytes, [_, b'D', b'3', _, _, flags, ..] if flags & 15 != 0) => Found::None,
        Some(b'I') => match id3v2::tag_size(bytes) {
            Size::None => unheaded(bytes),
            Size::Unknown => Found::More,
            Size::Known(size) => Found::Tag(Tag::Id3v2(size)),
        },
        Some(b'T') if begin_alike(bytes, b"TAG") => id3v1_tag(bytes, ended),
        Some(b'A') if begin_alike(bytes, apev2::PREAMBLE) => match apev2::size(bytes) {
            Some(size) => Found::Tag(Tag::Ape { items: usize::MAX, size }),
            None => Found::More,
        },
        Some(b'L') if begin_alike(bytes, lyrics3::BEGIN) => {
            let seen = bytes.get(..MAX_TAG).unwrap_or(bytes);
            match lyrics3::size(seen) {
                Some(size) => Found::Tag(Tag::Lyrics(size)),
                None if seen.len() < MAX_TAG => Found::More,
                None => Found::None,
            }
        }
        Some(_) => unheaded(bytes),
        None => Found::None,
    }
}

/// "TAG+" is the extended tag when a plain one follows it; else a title that starts with a plus.
fn id3v1_tag(bytes: &[u8], ended: bool) -> Found {
    let both = id3v1::EXTENDED_SIZE + id3v1::SIZE;
    if bytes.len() < id3v1::SIZE {
        return Found::More;
    }
    if bytes.get(3) == Some(&b'+') {
        match bytes.get(id3v1::EXTENDED_SIZE..both) {
            Some(plain) if plain.starts_with(b"TAG") => return Found::Tag(Tag::Id3v1(both)),
            None if !ended => return Found::More,
            _ => {}
        }
    }
    Found::Tag(Tag::Id3v1(id3v1::SIZE))
}

/// An APE tag of version 1 has no header: its items stand first.
fn unheaded(bytes: &[u8]) -> Found {
    let seen = bytes.get(..MAX_TAG).unwrap_or(bytes);
    match apev2::items(seen) {
        Items::Footer(items) => Found::Tag(Tag::Ape { items, size: (items + apev2::FOOTER) as u64 }),
        Items::Unknown if seen.len() < MAX_TAG => Found::More,
        Items::Unknown | Items::None => Found::None,
    }
}

fn begin_alike(bytes: &[u8], mark: &[u8]) -> bool {
    let common = bytes.len().min(mark.len());
    bytes.get(..common) == mark.get(..common)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: &[u8]) -> (Step, u64) {
        let mut input = Input::new();
        input.push(bytes);
        input.end();
        let step = Tags::default().poll(&mut input);
        (step, input.offset())
    }

    #[test]
    fn each_kind_is_taken_whole() {
        let ape = |flags: u8| {
            [b"APETAGEX\xd0\x07\0\0".as_slice(), &[40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, flags], &[0; 8]].concat()
        };
        let cases: [(alloc::vec::Vec<u8>, u64); 7] = [
            ([b"ID3\x04\0\0\0\0\0\x05".as_slice(), &[0; 9]].concat(), 15),
            ([b"TAG".as_slice(), &[0; 200]].concat(), 128),
            ([b"TAG+".as_slice(), &[0; 223], b"TAG", &[0; 130]].concat(), 355),
            ([ape(0xa0), alloc::vec![0; 50]].concat(), 72),
            (ape(0x80), 32),
            (b"LYRICSBEGINaLYRICSENDx".to_vec(), 21),
            ([b"\x01\0\0\0\0\0\0\0Title\0x".as_slice(), &ape(0)].concat(), 47),
        ];
        for (bytes, size) in cases {
            assert_eq!(taken(&bytes), (Step::Taken, size), "{bytes:?}");
        }
        assert_eq!(taken(b"TAG and too little"), (Step::None, 0));
        assert_eq!(taken(b"\0\0\0\0\0\0\0\0\0\0"), (Step::None, 0));
    }

    #[test]
    fn a_tag_over_the_limit_is_passed_over_without_being_kept() {
        let mut input = Input::new();
        let mut tags = Tags::default();
        input.push(b"ID3\x03\0\0\x01\0\0\0TIT2\0\0\0\x03\0\0\0hi");
        assert_eq!(tags.poll(&mut input), Step::NeedBytes);
        input.push(&alloc::vec![0; MAX_TAG]);
        assert_eq!(tags.poll(&mut input), Step::Taken);
        assert_eq!((input.offset(), input.peek().len()), (10 + (1 << 21), 0));
        assert_eq!(tags.metadata().value("title"), Some("hi"));
    }
}
