//! MPEG audio (RFC 2250 §3.5): whole frames, or one in fragments, behind 16 bits of zero and the fragment's offset.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Out, Part, Unit, Unpack};
use crate::syntax::mpeg_audio::Header;

/// Reads frames.
#[derive(Debug)]
pub(super) struct Frames {
    clock: i64,
    /// A frame in fragments, and its time.
    fragment: Option<(i64, usize, Vec<u8>)>,
    lost: bool,
}

impl Frames {
    pub(super) fn new(clock: i64) -> Self {
        Self { clock, fragment: None, lost: false }
    }

    fn unit(&self, time: i64, samples: u64, header: &Header, data: Bytes) -> (Unit, u64) {
        let rate = u64::from(header.sample_rate().max(1));
        let at = |samples: u64| (samples.saturating_mul(self.clock as u64) / rate) as i64;
        let after = samples + u64::from(header.samples());
        let duration = Some(at(after) - at(samples));
        (Unit { time: time.saturating_add(at(samples)), duration, key: true, data, ..Unit::default() }, after)
    }
}

impl Unpack for Frames {
    fn push(&mut self, part: &Part, out: &mut Out) {
        let Some(&[_, _, high, low]) = part.payload.first_chunk::<4>() else { return };
        let offset = usize::from(u16::from_be_bytes([high, low]));
        let mut data = part.payload.slice(4..);
        let lost = core::mem::take(&mut self.lost);
        if offset > 0 {
            let Some((time, size, mut bytes)) =
                self.fragment.take().filter(|(.., bytes)| !lost && bytes.len() == offset)
            else {
                return;
            };
            bytes.extend_from_slice(&data);
            match Header::parse(&bytes) {
                _ if bytes.len() < size => self.fragment = Some((time, size, bytes)),
                Some(header) => {
                    bytes.truncate(size);
                    out.units.push_back(self.unit(time, 0, &header, bytes.into()).0);
                }
                None => {}
            }
            return;
        }
        self.fragment = None;
        let mut samples = 0;
        while !data.is_empty() {
            let Some((header, size)) = Header::parse(&data).and_then(|header| Some((header, header.frame_length()?)))
            else {
                out.remark("bytes that are not an MPEG audio frame left out");
                return;
            };
            if size > data.len() {
                self.fragment = Some((part.time, size, data.to_vec()));
                return;
            }
            let (unit, after) = self.unit(part.time, samples, &header, data.split_to(size.max(1)));
            samples = after;
            out.units.push_back(unit);
        }
    }

    fn lost(&mut self) {
        self.lost = true;
    }
}
