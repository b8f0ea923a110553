//! ID3v2 tags: their size (ID3v2.4 §3.1).

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
