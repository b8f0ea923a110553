//! Whether bytes are a WAV file: by the marks at its start.

use super::container::{Container, Start};
use crate::format::Score;

pub(super) fn probe(bytes: &[u8]) -> Score {
    match Container::of(bytes) {
        Start::Known(..) => Score::Sure("RIFF and WAVE marks"),
        Start::More => Score::More("the start of a RIFF mark"),
        Start::None => Score::No("no RIFF and WAVE marks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_sure_as_soon_as_they_are_whole() {
        let cases: [(&[u8], u8); 5] = [
            (b"RIFF\0\0\0\0WAVE", 3),
            (b"BW64\0\0\0\0WAVE", 3),
            (b"RIFF\0\0\0\0WA", 1),
            (b"RIFF\0\0\0\0AVI ", 0),
            (b"", 1),
        ];
        for (bytes, level) in cases {
            assert_eq!(probe(bytes).level(), level, "{bytes:?}");
        }
    }
}
