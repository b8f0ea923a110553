//! Content encodings: how the frames of a track, or its private data, are changed (RFC 9559 §5.1.4.1.31).

use alloc::{borrow::Cow, format, vec::Vec};

use bytes::Bytes;

use crate::syntax::{
    ebml::{Elements, ids, unsigned},
    lzo,
};

use super::MAX_BLOCK;

/// The encodings of one track that are undone.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoding {
    method: Method,
    /// Whether it holds for frames, and for private data.
    frames: bool,
    private: bool,
    /// The key of encrypted frames.
    pub key_id: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
enum Method {
    #[default]
    Plain,
    /// These bytes were taken off the start of each frame.
    Stripped(Bytes),
    Zlib,
    Lzo,
    /// One that is not undone; by its name.
    Foreign(&'static str),
}

impl Encoding {
    /// The encodings in the body of ContentEncodings. Of several the first compression counts.
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut found = Self::default();
        for (_, body) in Elements::new(body).filter(|(id, _)| *id == ids::CONTENT_ENCODING).take(8) {
            let elements = Elements::new(body);
            let number = |id, default| elements.body_of(id).map_or(default, unsigned);
            let scope = number(ids::CONTENT_ENCODING_SCOPE, 1);
            if number(ids::CONTENT_ENCODING_TYPE, 0) == 1 {
                let encryption = elements.body_of(ids::CONTENT_ENCRYPTION).unwrap_or_default();
                let key = Elements::new(encryption).body_of(ids::CONTENT_ENC_KEY_ID).unwrap_or_default();
                found.key_id = Some(key.get(..64).unwrap_or(key).to_vec());
                continue;
            }
            if !matches!(found.method, Method::Plain) {
                found.method = Method::Foreign("several compressions");
                continue;
            }
            // mkvmerge writes an encoding without anything in it where it finds nothing to strip.
            let Some(inside) = elements.body_of(ids::CONTENT_COMPRESSION).map(Elements::new) else { continue };
            found.method = match inside.body_of(ids::CONTENT_COMP_ALGO).map_or(0, unsigned) {
                0 => Method::Zlib,
                1 => Method::Foreign("bzlib"),
                2 => Method::Lzo,
                3 => {
                    let front = inside.body_of(ids::CONTENT_COMP_SETTINGS).unwrap_or_default();
                    Method::Stripped(Bytes::copy_from_slice(front.get(..MAX_FRONT).unwrap_or(front)))
                }
                _ => Method::Foreign("an unknown algorithm"),
            };
            (found.frames, found.private) = (scope & 1 != 0, scope & 2 != 0);
        }
        found
    }

    /// A frame as its codec has it.
    ///
    /// # Errors
    /// The reason why it cannot be had.
    pub(super) fn frame(&self, data: Bytes) -> Result<Bytes, Cow<'static, str>> {
        if !self.frames {
            return Ok(data);
        }
        match &self.method {
            Method::Plain => Ok(data),
            Method::Stripped(front) if front.is_empty() => Ok(data),
            Method::Stripped(front) => Ok([&front[..], &data].concat().into()),
            Method::Zlib => inflate(&data).map(Bytes::from),
            Method::Lzo => {
                let inflated = lzo::decompress(&data, MAX_BLOCK).map(Bytes::from);
                inflated.ok_or(Cow::Borrowed("a frame is not the LZO1X stream that its track declares"))
            }
            Method::Foreign(name) => Err(Cow::Owned(format!("frames compressed by {name} are not supported"))),
        }
    }

    /// Private data as the codec has it; what cannot be undone stays.
    pub(super) fn private<'a>(&self, data: &'a [u8]) -> Cow<'a, [u8]> {
        match &self.method {
            Method::Zlib if self.private => inflate(data).map_or(Cow::Borrowed(data), Cow::Owned),
            Method::Lzo if self.private => lzo::decompress(data, MAX_BLOCK).map_or(Cow::Borrowed(data), Cow::Owned),
            Method::Stripped(front) if self.private => Cow::Owned([&front[..], data].concat()),
            _ => Cow::Borrowed(data),
        }
    }
}

/// Most bytes that stand for the start of each frame.
const MAX_FRONT: usize = 4096;

/// The bytes of a zlib stream.
#[cfg(feature = "deflate")]
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Cow<'static, str>> {
    miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(bytes, MAX_BLOCK)
        .map_err(|_| Cow::Borrowed("a frame is not the zlib stream that its track declares"))
}

#[cfg(not(feature = "deflate"))]
fn inflate(_: &[u8]) -> Result<Vec<u8>, Cow<'static, str>> {
    let _ = MAX_BLOCK;
    Err(Cow::Borrowed("frames compressed by zlib are not supported: this build lacks the feature deflate"))
}
