//! Whether bytes are a transport stream.

use super::sync::{self, REACH};
use crate::format::Score;

/// Most bytes in front of the first packet.
const MAX_JUNK: usize = 32 << 10;

pub(super) fn probe(bytes: &[u8]) -> Score {
    let head = bytes.get(..MAX_JUNK + REACH).unwrap_or(bytes);
    match sync::find(head, true) {
        Some(row) if row.packets >= sync::ROW => Score::Sure("packets of a transport stream in a row"),
        Some(row) if row.packets >= 2 && row.start < row.step => Score::Maybe("a few packets of a transport stream"),
        _ if bytes.len() <= MAX_JUNK + REACH => Score::More("no row of packets so far"),
        _ => Score::No("no row of sync bytes"),
    }
}
