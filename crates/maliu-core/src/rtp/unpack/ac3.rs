//! AC-3 (RFC 4184) and E-AC-3 (RFC 4598): whole frames, or one in fragments, behind a header of two bytes.

use alloc::vec::Vec;

use super::{Out, Part, Unit, Unpack};
use crate::syntax::ac3::Header;

/// Reads frames.
#[derive(Debug)]
pub(super) struct Frames {
    clock: i64,
    fragment: Option<(i64, Vec<u8>)>,
    lost: bool,
}

/// Largest frame, in bytes.
const MAX_FRAME: usize = 4096;

impl Frames {
    pub(super) fn new(clock: i64) -> Self {
        Self { clock, fragment: None, lost: false }
    }
}

impl Unpack for Frames {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if part.payload.len() < 2 {
            return;
        }
        let mut data = part.payload.slice(2..);
        if core::mem::take(&mut self.lost) || self.fragment.as_ref().is_some_and(|(time, _)| *time != part.time) {
            self.fragment = None;
        }
        if let Some((_, bytes)) = &mut self.fragment {
            bytes.extend_from_slice(data.get(..data.len().min(MAX_FRAME)).unwrap_or_default());
            data = bytes.clone().into();
        }
        let mut time = part.time;
        while !data.is_empty() {
            let Some(header) = Header::parse(&data) else {
                self.fragment = None;
                out.remark("bytes that are not an AC-3 frame left out");
                return;
            };
            if header.length > data.len() {
                self.fragment = Some((part.time, data.to_vec()));
                return;
            }
            let lasts = i64::from(header.samples) * self.clock / i64::from(header.sample_rate.max(1));
            let unit = data.split_to(header.length.max(1));
            out.units.push_back(Unit { time, duration: Some(lasts), key: true, data: unit, ..Unit::default() });
            time = time.saturating_add(lasts);
        }
        self.fragment = None;
    }

    fn lost(&mut self) {
        self.lost = true;
    }
}
