//! Whether the front of a source shows that it must be read twice.

use maliu_core::syntax::isobmff::boxes::{self, Parsed};

/// Answer to the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// They do not show it yet.
    More,
    /// Media stand in front of the index.
    Spool,
    /// It can be read forward, or is of another kind.
    No,
}

/// Bytes of boxes in front of media and index that are read at most; an MP4 file with more of them is spooled.
const MAX_FRONT: usize = 1 << 20;

/// Looks at the boxes at the front.
pub(super) fn of(bytes: &[u8]) -> Need {
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let header = match boxes::parse(rest) {
            Parsed::Header(header) => header,
            Parsed::Invalid => return Need::No,
            Parsed::More if at > MAX_FRONT => return Need::Spool,
            // The name is known before a 64-bit size is.
            Parsed::More => match rest.get(4..8) {
                Some(kind) if at == 0 && !is_front(kind) && kind != b"mdat" => return Need::No,
                _ => return Need::More,
            },
        };
        match &header.kind {
            b"mdat" => return Need::Spool,
            kind if !is_front(kind) && at == 0 => return Need::No,
            b"moov" | b"moof" | b"sidx" => return Need::No,
            _ => {}
        }
        let Some(size) = header.size else { return Need::No };
        at = at.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
    }
}

/// Boxes that an MP4 file or a segment begins with.
fn is_front(kind: &[u8]) -> bool {
    matches!(kind, b"ftyp" | b"styp" | b"moov" | b"moof" | b"sidx" | b"free" | b"skip" | b"wide" | b"pnot" | b"uuid")
}
