//! The segments of a window as one body without end: initializations where they change, then part after part.

use alloc::vec::Vec;

use bytes::Bytes;

use super::window::{Kept, Window};

/// The place of a reader in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the segment, and index of the part that comes next.
    segment: u64,
    part: usize,
    /// Number of the initialization that holds.
    init: Option<u64>,
}

impl Window {
    /// The bytes behind a place, which moves on; from the last keyframe on where there is none. A place whose segment is gone
    /// goes on at the last keyframe, too. Nothing while there is nothing new.
    pub fn follow(&self, place: &mut Option<Place>) -> Vec<Bytes> {
        let mut bytes = Vec::new();
        let lost = place.is_some_and(|place| place.segment < self.first);
        if place.is_none() || lost {
            let init = place.and_then(|place| place.init);
            let Some(segment) = self.last_key() else { return bytes };
            *place = Some(Place { segment, part: 0, init });
        }
        let Some(place) = place else { return bytes };
        while let Some((parts, init)) = self.parts_of(place.segment) {
            for part in parts.get(place.part..).unwrap_or_default() {
                if place.init != init {
                    bytes.extend(
                        self.inits.iter().find(|(number, _)| Some(*number) == init).map(|(_, data)| data.clone()),
                    );
                    place.init = init;
                }
                bytes.push(part.data.clone());
                place.part = place.part.saturating_add(1);
            }
            if place.segment >= self.under_way() {
                break;
            }
            (place.segment, place.part) = (place.segment.saturating_add(1), 0);
        }
        bytes
    }

    /// Number of the last segment that begins with a keyframe.
    fn last_key(&self) -> Option<u64> {
        if self.parts.first().is_some_and(|part| part.independent) {
            return Some(self.under_way());
        }
        let index = self.segments.iter().rposition(|segment| segment.independent)?;
        Some(self.first.saturating_add(index as u64))
    }

    /// The parts of a segment, and the number of its initialization.
    fn parts_of(&self, number: u64) -> Option<(&[Kept], Option<u64>)> {
        if number == self.under_way() {
            return Some((&self.parts, self.inits.back().map(|(number, _)| *number)));
        }
        let segment = self.segments.get(usize::try_from(number.checked_sub(self.first)?).ok()?)?;
        let has_init = !self.inits.is_empty();
        Some((&segment.parts, Some(segment.init).filter(|_| has_init)))
    }
}
