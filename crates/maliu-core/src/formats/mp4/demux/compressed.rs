//! A movie whose boxes are compressed (`cmov`, QuickTime File Format, "Compressed movie resources").
//!
//! ```text
//!   moov ─ cmov ┬ dcom: zlib
//!               └ cmvd: size, zlib stream ─▶ moov ─ mvhd, trak … ─▶ Movie
//! ```

use alloc::{format, vec::Vec};

use crate::{
    error::{Error, Result},
    input::Input,
    syntax::isobmff::{
        boxes::{self, Boxes, Kind, Role},
        fields::Fields,
    },
};

use super::{
    super::{MAX_FRONT, movie::MAX_TRACKS},
    MAX_BOX, Mp4,
};

/// Deepest nesting of boxes that is followed.
const MAX_DEPTH: u8 = 12;

impl Mp4 {
    /// Reads the body of a `cmov` box that stands at `at`.
    pub(super) fn compressed(&mut self, body: &[u8], at: u64, input: &mut Input) -> Result<()> {
        let method = Boxes::new(body).body_of(b"dcom").and_then(|body| Fields::new(body).kind());
        match method {
            Some(method) if &method == b"zlib" => {}
            Some(method) => {
                let what = format!("mp4: a moov box compressed by {}; zlib is expected", boxes::text(method));
                return Err(Error::unsupported(what));
            }
            None => return Err(Error::malformed("mp4", "a cmov box without a dcom box", at)),
        }
        let fault = || Error::malformed("mp4", "a cmov box whose cmvd box cannot be read", at);
        let mut fields = Fields::new(Boxes::new(body).body_of(b"cmvd").ok_or_else(fault)?);
        let size = fields.u32().ok_or_else(fault)? as usize;
        if size > MAX_BOX {
            return Err(Error::Limit {
                what: "bytes of a moov box that is compressed (MAX_BOX)",
                limit: MAX_BOX as u64,
            });
        }
        let movie = inflate(fields.rest(), size, at)?;
        self.inside(&movie, [0; 4], 0, input)
    }

    /// Reads boxes that stand in memory, as the walker does in the file.
    fn inside(&mut self, body: &[u8], parent: Kind, depth: u8, input: &mut Input) -> Result<()> {
        for (kind, body) in Boxes::new(body) {
            match boxes::role(kind, parent) {
                Some(Role::Holds(front)) if depth < MAX_DEPTH => {
                    if &kind == b"trak" && !self.movie.begin_track() {
                        return Err(Error::Limit { what: "tracks of a file (MAX_TRACKS)", limit: MAX_TRACKS as u64 });
                    }
                    // QuickTime's `meta` has no version in front.
                    let plain = &kind == b"meta" && body.get(4..8) == Some(b"hdlr");
                    let front = if plain { 0 } else { front.into() };
                    self.inside(body.get(front..).unwrap_or_default(), kind, depth + 1, input)?;
                    self.movie.leave(kind);
                }
                Some(Role::Read) => self.movie.read(kind, parent, body, body.len() as u64, input),
                Some(Role::Front) => {
                    let front = body.get(..MAX_FRONT).unwrap_or(body);
                    self.movie.read(kind, parent, front, body.len() as u64, input);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The bytes of a zlib stream, of which at most `size` are believed.
#[cfg(feature = "deflate")]
fn inflate(bytes: &[u8], size: usize, at: u64) -> Result<Vec<u8>> {
    miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(bytes, size)
        .map_err(|_| Error::malformed("mp4", "a compressed moov box that does not inflate to its stated size", at))
}

#[cfg(not(feature = "deflate"))]
fn inflate(_: &[u8], _: usize, _: u64) -> Result<Vec<u8>> {
    Err(Error::unsupported("mp4: a compressed moov box (cmov); this build lacks the feature deflate"))
}
