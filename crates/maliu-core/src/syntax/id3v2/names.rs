//! Names of ID3v2 text frames as ffprobe shows them, and what a genre frame means.

use alloc::string::{String, ToString};

use crate::syntax::id3v1;

/// (id in 2.3 and 2.4, id in 2.2, key).
const KEYS: &[(&str, &str, &str)] = &[
    ("TALB", "TAL", "album"),
    ("TCOM", "TCM", "composer"),
    ("TCOP", "TCR", "copyright"),
    ("TCMP", "TCP", "compilation"),
    ("TDEN", "", "creation_time"),
    ("TDRC", "", "date"),
    ("TDRL", "", "date"),
    ("TENC", "TEN", "encoded_by"),
    ("TIT1", "TT1", "grouping"),
    ("TIT2", "TT2", "title"),
    ("TLAN", "TLA", "language"),
    ("TPE1", "TP1", "artist"),
    ("TPE2", "TP2", "album_artist"),
    ("TPE3", "TP3", "performer"),
    ("TPOS", "TPA", "disc"),
    ("TPUB", "TPB", "publisher"),
    ("TRCK", "TRK", "track"),
    ("TSOA", "TSA", "album-sort"),
    ("TSOP", "TSP", "artist-sort"),
    ("TSOT", "TST", "title-sort"),
    ("TSSE", "TSS", "encoder"),
];

/// The key of a text frame; its own id when it has no other name.
pub(super) fn key_of(id: &str) -> &str {
    let row = KEYS.iter().find(|(long, short, _)| id == *long || id == *short);
    row.map_or(id, |(_, _, key)| key)
}

/// The id, in 2.3 and 2.4, of the text frame that a key is written to; `None` when it has none of its own.
pub(super) fn id_of(key: &str) -> Option<&'static str> {
    if key.eq_ignore_ascii_case("genre") {
        return Some("TCON");
    }
    KEYS.iter().find(|(_, _, known)| known.eq_ignore_ascii_case(key)).map(|(id, _, _)| *id)
}

/// `(17)`, `17` and `Rock` are the same genre.
pub(super) fn genre_of(text: &str) -> String {
    let inner = text.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(text, |(number, _)| number);
    let named = inner.parse().ok().and_then(id3v1::genre);
    named.unwrap_or(text).to_string()
}
