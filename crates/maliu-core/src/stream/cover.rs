//! Pictures carried in tags: covers and the like.

use alloc::string::String;

use bytes::Bytes;

/// A picture carried in tags.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Picture {
    /// MIME type as the tag says, e.g. `image/jpeg`.
    pub mime: String,
    /// Size of the picture, in bytes.
    pub size: u64,
    /// Its role as ID3v2 and FLAC number it (RFC 9639 §8.8): 3 is the front cover, 4 the back.
    pub kind: u8,
    /// The picture itself; empty where it was not kept, as one of more than
    /// [`MAX_TAG_BYTES`](super::limits::MAX_TAG_BYTES), or not all there.
    pub data: Bytes,
}

impl Picture {
    /// The front cover.
    pub const FRONT: u8 = 3;

    /// A front cover of `size` bytes whose tag declares this MIME type; the picture itself is not at hand.
    pub fn new(mime: impl Into<String>, size: u64) -> Self {
        Self { mime: mime.into(), size, kind: Self::FRONT, data: Bytes::new() }
    }

    /// With a copy of the picture itself, if `data` is all of it.
    #[must_use]
    pub fn with_data(mut self, data: &[u8]) -> Self {
        if data.len() as u64 == self.size && data.len() <= super::limits::MAX_TAG_BYTES {
            self.data = Bytes::copy_from_slice(data);
        }
        self
    }

    /// With another role.
    #[must_use]
    pub fn with_kind(mut self, kind: u8) -> Self {
        self.kind = kind;
        self
    }

    /// End of a file's name for a picture of its type, after the dot.
    pub(crate) fn extension(&self) -> &'static str {
        match self.mime.as_str() {
            "image/png" => "png",
            "image/gif" => "gif",
            "image/bmp" => "bmp",
            "image/webp" => "webp",
            _ => "jpg",
        }
    }
}
