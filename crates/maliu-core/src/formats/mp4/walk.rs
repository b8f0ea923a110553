//! From box to box, without taking what may be needed later.
//!
//! ```text
//!   at ─▶ header ─▶ Box ─▶ enter: its body │ pass: behind it │ hold: media before its tables, on an input that cannot go back
//! ```

use alloc::vec::Vec;

use crate::{
    error::Result,
    input::Input,
    syntax::isobmff::boxes::{self, Kind, Parsed, Role},
};

/// Deepest nesting of boxes that is followed.
const MAX_DEPTH: usize = 12;

/// Largest offset of a box; what ends with the file ends behind it.
const MAX_OFFSET: u64 = i64::MAX as u64;

/// A box at the place of a [`Walker`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub kind: Kind,
    /// The box it stands in; all zero for the file.
    pub parent: Kind,
    /// Offset of its header in the file.
    pub start: u64,
    /// Offset of its body in the file.
    pub body: u64,
    /// Offset in the file behind it; `u64::MAX` when the end of the file ends it.
    pub end: u64,
    pub role: Option<Role>,
}

/// The next item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Box(Found),
    /// The box of this name, which was entered, is over.
    Up(Kind),
    /// More bytes are needed.
    More,
    /// No further box stands in the file.
    End,
}

#[derive(Debug, Default)]
pub(super) struct Walker {
    /// Offset of the next header in the file.
    pub at: u64,
    levels: Vec<(Kind, u64)>,
    /// Bytes from here on are kept unread.
    hold: Option<u64>,
}

impl Walker {
    /// The item at the walker's place. Stays there until the caller enters or passes it.
    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step> {
        if let Some((kind, end)) = self.levels.last().copied()
            && self.at.saturating_add(boxes::HEADER as u64) > end
        {
            self.levels.pop();
            self.at = end;
            return Ok(Step::Up(kind));
        }
        if self.at > MAX_OFFSET {
            return Ok(self.leave(Step::End));
        }
        if self.hold.is_none() && input.offset() != self.at {
            input.goto(self.at)?;
        }
        let seen = self.from(input, self.at);
        let short = if input.ended() { Step::End } else { Step::More };
        let header = match boxes::parse(seen) {
            Parsed::Header(header) => header,
            Parsed::More => return Ok(self.leave(short)),
            Parsed::Invalid => return Ok(self.invalid()),
        };
        let (parent, limit) = self.levels.last().copied().unwrap_or(([0; 4], u64::MAX));
        let end = header.size.map_or(limit, |size| self.at.saturating_add(size).min(limit));
        let mut role = boxes::role(header.kind, parent);
        if &header.kind == b"meta" && role.is_some() {
            // QuickTime's has no version in front.
            let Some(front) = seen.get(header.header..header.header + 8) else {
                return Ok(if input.ended() { self.leave(Step::End) } else { Step::More });
            };
            role = Some(Role::Holds(if front.ends_with(b"hdlr") { 0 } else { 4 }));
        }
        let body = self.at.saturating_add(header.header as u64);
        Ok(Step::Box(Found { kind: header.kind, parent, start: self.at, body, end, role }))
    }

    /// At the end of the input the levels are left one by one.
    fn leave(&mut self, step: Step) -> Step {
        match (step, self.levels.pop()) {
            (Step::End, Some((kind, _))) => Step::Up(kind),
            (step, Some(level)) => {
                self.levels.push(level);
                step
            }
            (step, None) => step,
        }
    }

    /// Bytes that are not a box end the level.
    fn invalid(&mut self) -> Step {
        match self.levels.pop() {
            Some((kind, end)) => {
                self.at = end;
                Step::Up(kind)
            }
            None => Step::End,
        }
    }

    /// Goes into a box whose boxes stand behind `front` bytes.
    pub(super) fn enter(&mut self, found: &Found, front: u8) {
        if self.levels.len() >= MAX_DEPTH {
            return self.pass(found);
        }
        self.levels.push((found.kind, found.end));
        self.at = found.body.saturating_add(front.into());
    }

    /// Goes behind a box.
    pub(super) fn pass(&mut self, found: &Found) {
        self.at = found.end;
    }

    /// Goes to another box of the file.
    pub(super) fn jump(&mut self, at: u64) {
        (self.at, self.hold) = (at, None);
        self.levels.clear();
    }

    /// Keeps all bytes from the start of a box on.
    pub(super) fn hold(&mut self, found: &Found) {
        self.hold.get_or_insert(found.start);
    }

    /// Lets go of them; returns where they began.
    pub(super) fn release(&mut self) -> Option<u64> {
        self.hold.take()
    }

    /// Up to `most` bytes of the body of a box; `None` while more must come.
    pub(super) fn body<'i>(&self, found: &Found, most: usize, input: &'i Input) -> Option<&'i [u8]> {
        let size = usize::try_from(found.end.saturating_sub(found.body)).unwrap_or(usize::MAX).min(most);
        let seen = self.from(input, found.body);
        match seen.get(..size) {
            Some(body) => Some(body),
            None => input.ended().then_some(seen),
        }
    }

    fn from<'i>(&self, input: &'i Input, at: u64) -> &'i [u8] {
        let ahead = at.checked_sub(input.offset()).and_then(|ahead| usize::try_from(ahead).ok());
        ahead.and_then(|ahead| input.peek().get(ahead..)).unwrap_or_default()
    }
}
