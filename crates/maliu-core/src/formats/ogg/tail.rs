//! The end of a seekable input, read first: the last position of each logical stream says how long it is.

use alloc::vec::Vec;

use crate::{
    error::Result,
    input::Input,
    syntax::ogg::{self, CAPTURE, FIRST, Front, MAX_PAGE},
};

/// Bytes at the end that are looked through.
const REACH: usize = 2 * MAX_PAGE;

/// Most logical streams whose end is noted.
const MAX_ENDS: usize = 64;

/// Where the reading of the end stands.
#[derive(Debug)]
pub(super) enum Tail {
    /// Nothing was read.
    Unread,
    /// The end is being read; the start of the input stands here.
    Reading(u64),
    /// Serial numbers and last positions, and whether a link of a chain begins there.
    Read(Vec<(u32, u64)>, bool),
}

impl Tail {
    /// Goes on with the reading. Whether it is done, and the input stands at its start.
    pub(super) fn read(&mut self, input: &mut Input) -> Result<bool> {
        if let Self::Unread = self {
            let size = input.size().filter(|size| input.is_seekable() && *size > input.offset());
            let Some(size) = size else {
                *self = Self::Read(Vec::new(), false);
                return Ok(true);
            };
            let start = input.offset();
            let from = size.saturating_sub(REACH as u64).max(start);
            *self = Self::Reading(start);
            input.goto(from)?;
        }
        let Self::Reading(start) = *self else { return Ok(true) };
        let whole = input.size().is_some_and(|size| input.offset().saturating_add(input.peek().len() as u64) >= size);
        if !whole && !input.ended() {
            return Ok(false);
        }
        let (ends, chained) = ends(input.peek());
        *self = Self::Read(ends, chained);
        input.goto(start)?;
        Ok(true)
    }

    /// The last position of a logical stream; `None` also in a chain.
    pub(super) fn last(&self, serial: u32) -> Option<u64> {
        match self {
            Self::Read(ends, false) => ends.iter().find(|(known, _)| *known == serial).map(|(_, granule)| *granule),
            _ => None,
        }
    }

    /// Whether the input ends with other logical streams than these.
    pub(super) fn is_foreign(&self, serials: impl Iterator<Item = u32> + Clone) -> bool {
        let Self::Read(ends, chained) = self else { return false };
        *chained || ends.iter().any(|(known, _)| !serials.clone().any(|serial| serial == *known))
    }
}

fn ends(bytes: &[u8]) -> (Vec<(u32, u64)>, bool) {
    let (mut ends, mut at): (Vec<(u32, u64)>, _) = (Vec::new(), 0);
    let (mut in_data, mut chained) = (false, false);
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, CAPTURE)) {
        at += next;
        let Front::Page(page) = ogg::front(bytes.get(at..).unwrap_or_default()) else {
            at += 1;
            continue;
        };
        at += page.length;
        if page.flags & FIRST != 0 && core::mem::take(&mut in_data) {
            // Positions of a further link say nothing of those before it.
            chained = true;
        }
        in_data |= page.flags & FIRST == 0;
        let Some(granule) = page.granule else { continue };
        let known = ends.iter().position(|(serial, _)| *serial == page.serial).unwrap_or(ends.len());
        match ends.get_mut(known) {
            Some(end) => end.1 = granule,
            None if known < MAX_ENDS => ends.push((page.serial, granule)),
            None => {}
        }
    }
    (ends, chained)
}
