//! EBML: elements of an identifier, a size and a body, nested in each other (RFC 8794).
//!
//! ```text
//!   id (1 to 4 bytes, its marker kept) │ size (1 to 8 bytes; all ones: unknown) │ body
//! ```

pub mod ids;
mod values;
mod write;

pub use values::{float, signed, text, unsigned};
pub use write::{Writer, size_bytes};

/// Most bytes of an element's head: identifier and size.
pub const MAX_HEAD: usize = 12;

/// The head of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its identifier, with the marker of its length.
    pub id: u32,
    /// Bytes of its body; `None` when it is unknown.
    pub size: Option<u64>,
    /// Bytes of the head itself, 2 to [`MAX_HEAD`].
    pub length: usize,
}

/// The outcome of reading a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is whole.
    Head(Head),
    /// It goes on behind the bytes there are.
    Short,
    /// No element begins here.
    Invalid,
}

/// Reads the head at the start of `bytes`.
pub fn head(bytes: &[u8]) -> Found {
    let Some(first) = bytes.first() else { return Found::Short };
    let id_length = first.leading_zeros() as usize + 1;
    if id_length > 4 {
        return Found::Invalid;
    }
    let Some(id) = bytes.get(..id_length) else { return Found::Short };
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    match bytes.get(id_length..).map(vint) {
        None | Some(Vint::Short) => Found::Short,
        Some(Vint::Invalid) => Found::Invalid,
        Some(Vint::Value(value, length)) => {
            let size = (value != unknown(length)).then_some(value);
            Found::Head(Head { id, size, length: id_length + length })
        }
    }
}

/// The outcome of reading a variable-size integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vint {
    /// Its value without the marker, and its length in bytes.
    Value(u64, usize),
    /// It goes on behind the bytes there are.
    Short,
    /// More than eight bytes.
    Invalid,
}

/// Reads the variable-size integer at the start of `bytes` (RFC 8794 §4).
pub fn vint(bytes: &[u8]) -> Vint {
    let Some(first) = bytes.first() else { return Vint::Short };
    let length = first.leading_zeros() as usize + 1;
    if length > 8 {
        return Vint::Invalid;
    }
    let Some(all) = bytes.get(..length) else { return Vint::Short };
    let value = all.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Vint::Value(value & unknown(length), length)
}

/// The value of all ones in `length` bytes, which stands for an unknown size.
fn unknown(length: usize) -> u64 {
    (1 << (7 * length.min(8))) - 1
}

/// The elements in the body of a master element that is in memory: identifier and body. An element that is cut ends them.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements in `body`.
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    /// The body of the first element of this identifier.
    pub fn body_of(mut self, id: u32) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == id).map(|(_, body)| body)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Found::Head(head) = head(self.rest) else { return None };
        let body = self.rest.get(head.length..)?;
        let size = head.size.map_or(body.len(), |size| usize::try_from(size).unwrap_or(usize::MAX));
        let (body, rest) = body.split_at_checked(size)?;
        self.rest = rest;
        Some((head.id, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_lengths() {
        let head = |id, size, length| Found::Head(Head { id, size, length });
        for (bytes, expected) in [
            (&[0xec, 0x81, 0][..], head(0xec, Some(1), 2)),
            (&[0x42, 0x86, 0x40, 0x02], head(0x4286, Some(2), 4)),
            (&[0x1a, 0x45, 0xdf, 0xa3, 0xff], head(ids::EBML, None, 5)),
            (&[0x18, 0x53, 0x80, 0x67, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], head(ids::SEGMENT, None, 12)),
            (&[0xec, 1, 0, 0, 0, 0, 0, 0, 5], head(0xec, Some(5), 9)),
            (&[0x18, 0x53], Found::Short),
            (&[0xec], Found::Short),
            (&[], Found::Short),
            (&[0x08, 0, 0, 0], Found::Invalid),
            (&[0xec, 0], Found::Invalid),
        ] {
            assert_eq!(super::head(bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut writer = Writer::default();
        writer.unsigned(ids::TRACK_NUMBER, 0);
        writer.unsigned(ids::TRACK_UID, 0x1234_5678_9abc);
        writer.master(ids::VIDEO, |video| {
            video.unsigned(ids::PIXEL_WIDTH, 300);
            video.text(ids::CODEC_ID, "V_VP9");
        });
        writer.float(ids::DURATION, 1.5);
        writer.void(11);
        let bytes = writer.finish();
        let found: alloc::vec::Vec<_> = Elements::new(&bytes).collect();
        assert_eq!(found.len(), 5);
        assert_eq!((found[0].0, unsigned(found[0].1)), (ids::TRACK_NUMBER, 0));
        assert_eq!(unsigned(found[1].1), 0x1234_5678_9abc);
        assert_eq!(Elements::new(found[2].1).body_of(ids::CODEC_ID).map(text).as_deref(), Some("V_VP9"));
        assert_eq!(float(found[3].1), Some(1.5));
        assert_eq!((found[4].0, found[4].1.len()), (ids::VOID, 2));
    }
}
