//! The index of fragments at the end of a file (`mfra`), read when a seek first needs it.

use alloc::vec::Vec;

use crate::{
    error::Result,
    input::Input,
    syntax::isobmff::{boxes::Boxes, fields::Fields, index},
    time::{Rounding, Ticks, TimeBase},
};

use super::{super::movie::MAX_TRACKS, MAX_BOX, Mp4, State};

/// Bytes of `mfro`, the last box of a file with such an index, which states how long `mfra` is.
const OFFSET_BOX: usize = 16;

impl Mp4 {
    /// Goes to the end of the input to look for the index, unless it was looked for; the seek to `to` then waits for it.
    pub(super) fn looks_for_access(&mut self, to: Ticks, base: TimeBase, input: &Input) -> bool {
        let behind = input.size().and_then(|size| size.checked_sub(OFFSET_BOX as u64));
        match behind.filter(|_| self.fragments.access.is_none()) {
            Some(at) => {
                self.fragments.sought = Some((to, base));
                self.state = State::Access(at, OFFSET_BOX);
                true
            }
            None => false,
        }
    }

    /// Reads `mfro`, then `mfra` in front of it. Returns whether more bytes are needed.
    pub(super) fn access(&mut self, at: u64, size: usize, input: &mut Input) -> Result<bool> {
        if input.offset() != at {
            input.goto(at)?;
        }
        let bytes = input.peek().get(..size);
        if bytes.is_none() && !input.ended() {
            return Ok(true);
        }
        let found = bytes.and_then(|bytes| Boxes::new(bytes).next());
        let tables = match found {
            Some((kind, body)) if &kind == b"mfro" => {
                let end = at.saturating_add(OFFSET_BOX as u64);
                let size = Fields::new(body.get(4..).unwrap_or_default()).u32().unwrap_or(0);
                let start = end.checked_sub(size.into());
                if let Some(start) = start.filter(|_| (OFFSET_BOX + 8..=MAX_BOX).contains(&(size as usize))) {
                    self.state = State::Access(start, size as usize);
                    return Ok(false);
                }
                Vec::new()
            }
            Some((kind, body)) if &kind == b"mfra" => index::access(body).take(MAX_TRACKS).collect(),
            _ => Vec::new(),
        };
        self.fragments.access = Some(tables);
        self.state = State::Walk;
        match self.fragments.sought.take() {
            Some((to, base)) => self.search(to, base, input).map(|()| false),
            None => Ok(false),
        }
    }

    /// Offset of the fragment from which every track that the index lists can be played at `time` µs.
    pub(super) fn accessible(&self, time: Ticks) -> Option<u64> {
        let tables = self.fragments.access.iter().flatten();
        let before = tables.filter_map(|table| {
            let play = self.plays.iter().find(|play| play.id == table.track)?;
            let media = play.media_time(TimeBase::MICROS.rescale(time, play.base, Rounding::Down).0);
            table.before(u64::try_from(media).ok()?).map(|(_, at)| at)
        });
        before.min()
    }
}
