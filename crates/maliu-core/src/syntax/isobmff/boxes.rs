//! Box headers, boxes inside a box, and the names that are known (ISO/IEC 14496-12 §4.2, QuickTime File Format).

use alloc::borrow::Cow;

/// The four characters that name a box.
pub type Kind = [u8; 4];

/// Bytes of the shortest header.
pub const HEADER: usize = 8;

/// A box header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name of the box.
    pub kind: Kind,
    /// Bytes of the header itself: 8, or 16 with a 64-bit size.
    pub header: usize,
    /// Bytes of the whole box; `None` when it goes on to the end of what holds it.
    pub size: Option<u64>,
}

/// Kind of the front of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A header.
    Header(Header),
    /// The start of a header.
    More,
    /// A size that is less than the header that states it.
    Invalid,
}

/// The header at the front of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    let Some((&[a, b, c, d, kind @ ..], rest)) = bytes.split_first_chunk::<8>() else { return Parsed::More };
    let header = |header, size| Parsed::Header(Header { kind, header, size });
    match u32::from_be_bytes([a, b, c, d]) {
        0 => header(HEADER, None),
        1 => match rest.first_chunk().copied().map(u64::from_be_bytes) {
            None => Parsed::More,
            Some(size) if size < 16 => Parsed::Invalid,
            Some(size) => header(16, Some(size)),
        },
        size if size < HEADER as u32 => Parsed::Invalid,
        size => header(HEADER, Some(size.into())),
    }
}

/// The boxes inside a body, in order; ends at the first invalid one. One that is longer than the rest is cut.
#[derive(Clone, Debug)]
pub struct Boxes<'a>(&'a [u8]);

impl<'a> Boxes<'a> {
    /// The boxes of `body`.
    pub fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The body of the first box of this name.
    pub fn body_of(self, kind: &Kind) -> Option<&'a [u8]> {
        let mut all = self;
        all.find(|(name, _)| name == kind).map(|(_, body)| body)
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = (Kind, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Parsed::Header(header) = parse(self.0) else { return None };
        let size = header.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let (this, rest) = self.0.split_at(size.min(self.0.len()));
        self.0 = rest;
        Some((header.kind, this.get(header.header..).unwrap_or_default()))
    }
}

/// Treatment of a box by a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Boxes stand in it, behind this many bytes.
    Holds(u8),
    /// Its whole body is read.
    Read,
    /// The front of its body is read; the rest, of any size, is passed over.
    Front,
    /// It is media data.
    Media,
}

/// A known box: its name, the box it stands in (`[0; 4]` is the file), and what is done with it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name of the box.
    pub kind: Kind,
    /// Name of the box it stands in.
    pub parent: Kind,
    /// Treatment of it by a reader.
    pub role: Role,
}

const FILE: Kind = [0; 4];

const fn row(kind: &Kind, parent: &Kind, role: Role) -> Row {
    Row { kind: *kind, parent: *parent, role }
}

/// Every box that is read. Others are passed over. `ilst` and `meta` are tried as QuickTime and as ISO boxes.
pub const BOXES: &[Row] = &[
    row(b"ftyp", &FILE, Role::Read),
    row(b"styp", &FILE, Role::Read),
    row(b"moov", &FILE, Role::Holds(0)),
    row(b"moof", &FILE, Role::Read),
    row(b"mdat", &FILE, Role::Media),
    row(b"sidx", &FILE, Role::Read),
    row(b"emsg", &FILE, Role::Read),
    row(b"prft", &FILE, Role::Read),
    row(b"mvhd", b"moov", Role::Read),
    row(b"cmov", b"moov", Role::Read),
    row(b"pssh", b"moov", Role::Front),
    row(b"mvex", b"moov", Role::Holds(0)),
    row(b"mehd", b"mvex", Role::Read),
    row(b"trex", b"mvex", Role::Read),
    row(b"trak", b"moov", Role::Holds(0)),
    row(b"tkhd", b"trak", Role::Read),
    row(b"tref", b"trak", Role::Read),
    row(b"edts", b"trak", Role::Holds(0)),
    row(b"elst", b"edts", Role::Read),
    row(b"mdia", b"trak", Role::Holds(0)),
    row(b"mdhd", b"mdia", Role::Read),
    row(b"hdlr", b"mdia", Role::Front),
    row(b"elng", b"mdia", Role::Read),
    row(b"minf", b"mdia", Role::Holds(0)),
    row(b"dinf", b"minf", Role::Holds(0)),
    row(b"dref", b"dinf", Role::Read),
    row(b"stbl", b"minf", Role::Holds(0)),
    row(b"stsd", b"stbl", Role::Read),
    row(b"stts", b"stbl", Role::Read),
    row(b"ctts", b"stbl", Role::Read),
    row(b"stsc", b"stbl", Role::Read),
    row(b"stsz", b"stbl", Role::Read),
    row(b"stz2", b"stbl", Role::Read),
    row(b"stco", b"stbl", Role::Read),
    row(b"co64", b"stbl", Role::Read),
    row(b"stss", b"stbl", Role::Read),
    row(b"stps", b"stbl", Role::Read),
    row(b"sdtp", b"stbl", Role::Read),
    row(b"sgpd", b"stbl", Role::Read),
    row(b"sbgp", b"stbl", Role::Read),
    row(b"saiz", b"stbl", Role::Read),
    row(b"saio", b"stbl", Role::Read),
    row(b"senc", b"stbl", Role::Read),
    row(b"udta", b"moov", Role::Holds(0)),
    row(b"udta", b"trak", Role::Holds(0)),
    row(b"meta", b"moov", Role::Holds(4)),
    row(b"meta", b"udta", Role::Holds(4)),
    row(b"meta", b"trak", Role::Holds(4)),
    row(b"chpl", b"udta", Role::Read),
    row(b"keys", b"meta", Role::Read),
    row(b"ilst", b"meta", Role::Holds(0)),
];

/// Treatment of a box of this name in that box.
pub fn role(kind: Kind, parent: Kind) -> Option<Role> {
    let known = BOXES.iter().find(|row| row.kind == kind && row.parent == parent).map(|row| row.role);
    known.or(match &parent {
        // Items of tags have names of their own.
        b"ilst" | b"udta" => Some(Role::Front),
        _ => None,
    })
}

/// A name as text for people: `avc1`, or its bytes in hexadecimal where they are no letters.
pub fn text(kind: Kind) -> Cow<'static, str> {
    let letter = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let name: alloc::string::String = match kind.iter().all(|byte| letter(*byte)) {
        true => kind.iter().map(|byte| char::from(*byte)).collect(),
        false => alloc::format!("{:#010x}", u32::from_be_bytes(kind)),
    };
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_all_three_forms() {
        let cases: [(&[u8], Parsed); 7] = [
            (b"\0\0\0", Parsed::More),
            (b"\0\0\0\x08free", Parsed::Header(Header { kind: *b"free", header: 8, size: Some(8) })),
            (b"\0\0\0\x07free", Parsed::Invalid),
            (b"\0\0\0\0mdat", Parsed::Header(Header { kind: *b"mdat", header: 8, size: None })),
            (b"\0\0\0\x01mdat\0\0", Parsed::More),
            (
                b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x10",
                Parsed::Header(Header { kind: *b"mdat", header: 16, size: Some(16) }),
            ),
            (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", Parsed::Invalid),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn boxes_end_where_the_body_does() {
        let body = b"\0\0\0\x09aaaax\0\0\0\x63bbbbyz";
        let all: alloc::vec::Vec<_> = Boxes::new(body).collect();
        assert_eq!(all, [(*b"aaaa", &b"x"[..]), (*b"bbbb", &b"yz"[..])]);
        assert_eq!(Boxes::new(b"\0\0\0\x02bad!").next(), None);
    }

    #[test]
    fn every_row_stands_in_a_known_holder() {
        for row in BOXES {
            let holder = |parent: &Row| parent.kind == row.parent && matches!(parent.role, Role::Holds(_));
            assert!(row.parent == FILE || BOXES.iter().any(holder), "{}", text(row.kind));
        }
    }
}
