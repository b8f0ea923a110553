//! The tags of an FLV file that comes in pieces.

use std::io;

use bytes::Bytes;
use maliu_core::{
    formats::flv::tag::{HEAD, Head, Kind, TAIL},
    input::Input,
    wire::rtmp::Tag,
};

/// Bytes of the file header, and of the size that stands before the first tag.
const FILE_HEAD: usize = 9 + TAIL;

/// Cuts the bytes of an FLV file into tags, as an RTMP publisher sends them.
#[derive(Default)]
pub struct Tags {
    /// Bytes that are not taken yet: less than a tag, unless tags wait.
    file: Input,
    begun: bool,
}

impl Tags {
    /// Of a file that begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, bytes: Bytes) {
        self.file.push_bytes(bytes);
    }

    /// The next whole tag; `None` while there is none. Tags of other kinds than audio, video and script data are passed over.
    ///
    /// # Errors
    /// `InvalidData` when the bytes do not begin as an FLV file does.
    pub fn next_tag(&mut self) -> io::Result<Option<Tag>> {
        if !self.begun {
            if self.file.peek().len() < FILE_HEAD {
                return Ok(None);
            }
            if !self.file.peek().starts_with(b"FLV") {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "RTMP carries FLV only"));
            }
            self.file.skip(FILE_HEAD);
            self.begun = true;
        }
        loop {
            let Some(head) = Head::parse(self.file.peek()) else { return Ok(None) };
            if self.file.peek().len() < head.length() + TAIL {
                return Ok(None);
            }
            self.file.skip(HEAD);
            let body = self.file.take(head.size).unwrap_or_default();
            self.file.skip(TAIL);
            if !matches!(head.kind, Kind::Other(_)) {
                return Ok(Some(Tag { kind: head.kind, time: head.time, body }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_whatever_the_split() {
        let tag = |kind, time, size| Tag { kind, time, body: vec![1; size].into() };
        let tags = [tag(Kind::Script, 0, 20), tag(Kind::Video, 40, 300), tag(Kind::Audio, u32::MAX, 0)];
        let other = tag(Kind::Other(3), 0, 5).encode();
        let [a, b, c] = tags.each_ref().map(Tag::encode);
        let file = [b"FLV\x01\x05\0\0\0\x09\0\0\0\0", &a[..], &other, &b, &c].concat();
        for step in [1, 7, file.len()] {
            let (mut cut, mut got) = (Tags::new(), Vec::new());
            for piece in file.chunks(step) {
                cut.push(Bytes::copy_from_slice(piece));
                got.extend(std::iter::from_fn(|| cut.next_tag().unwrap()));
            }
            assert_eq!(got, tags, "{step}");
        }
        let mut cut = Tags::new();
        cut.push(Bytes::from_static(b"RIFF and so on"));
        assert!(cut.next_tag().is_err());
    }
}
