//! The probe: an EBML header whose DocType is Matroska's or WebM's (RFC 8794 §11.2).

use crate::{
    format::Score,
    syntax::ebml::{self, Elements, Found, ids},
};

/// Most bytes of an EBML header.
pub(super) const MAX_HEADER: u64 = 4096;

/// Whether `bytes` begin with an EBML header of WebM.
pub fn is_webm(bytes: &[u8]) -> bool {
    probe(bytes) == WEBM
}

const WEBM: Score = Score::Sure("an EBML header of WebM");

const MARK: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];

/// Looks at the first bytes.
pub(super) fn probe(bytes: &[u8]) -> Score {
    if !bytes.iter().zip(MARK).all(|(byte, mark)| byte == mark) {
        return Score::No("no EBML header");
    }
    let head = match ebml::head(bytes) {
        Found::Short => return Score::More("the start of an EBML header"),
        Found::Invalid => return Score::No("an EBML header without a size"),
        Found::Head(head) => head,
    };
    let Some(size) = head.size.filter(|size| *size <= MAX_HEADER) else {
        return Score::No("an EBML header over 4096 bytes");
    };
    let end = head.length.saturating_add(size as usize);
    let Some(body) = bytes.get(head.length..end) else { return Score::More("an EBML header that is not whole") };
    match Elements::new(body).body_of(ids::DOC_TYPE).map(ebml::text).as_deref() {
        Some("matroska") => Score::Sure("an EBML header of Matroska"),
        Some("webm") => WEBM,
        None => Score::Maybe("an EBML header without a DocType"),
        Some(_) => Score::No("an EBML header of another DocType"),
    }
}
