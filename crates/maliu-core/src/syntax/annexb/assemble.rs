//! Access units cut out of bytes that still arrive: one search for start codes, one decision a NAL unit.
//!
//! ```text
//!   window:  [junk] 00 00 01 nal … 00 00 01 nal … 00 00 01 na
//!            └─ unit begins       judged, whole     │       └ head decides: does it begin the next unit?
//!                                                   └ if so the unit ends here, one zero before the code left to the next
//! ```

use bytes::Bytes;

use super::scan::{StartCodes, code_start, trimmed};
use crate::{
    error::{Error, Result},
    input::Input,
    remark::Remark,
};

/// Most bytes of one access unit.
pub const MAX_UNIT: usize = 32 << 20;

/// Most bytes before the first start code that stay with the first unit, as in the reference; more are dropped.
pub const MAX_JUNK: usize = 64 << 10;

/// Judgement of access units of one codec. Fed with every NAL unit in order.
pub trait Coding {
    /// Facts of a unit once it is whole.
    type Picture;

    /// Of the zeros before 00 00 01 one belongs to the unit that the code begins (PAR-5); else all stay with the one
    /// before.
    const ZERO_IS_NEXT: bool = true;

    /// Whether the NAL unit of which `head` is the front begins a new access unit. `None`: more of it decides, which
    /// must not happen when it is `whole` or has 64 bytes.
    fn begins(&mut self, head: &[u8], whole: bool) -> Option<bool>;

    /// A whole NAL unit of the current access unit, without zeros at its end. `at` is its offset in the input.
    fn nal(&mut self, nal: &[u8], at: u64);

    /// The access unit ends behind the NAL units so far, whatever follows.
    fn nothing_follows(&mut self);

    /// The access unit is whole.
    fn end(&mut self) -> Self::Picture;
}

/// Cuts an [`Input`] into access units. Every byte is searched once, however the bytes come.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    codes: StartCodes,
    /// Bytes of the window behind which the search goes on.
    searched: usize,
    /// The first 00 00 01 behind the current NAL unit, once found.
    next_code: Option<usize>,
    /// The current NAL unit.
    nal: Option<Current>,
    /// Bytes before the first start code were dropped because they were too many.
    junk_dropped: bool,
    /// The feeder said that a unit ends where the bytes end.
    finish: bool,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    /// Index of its header in the window.
    start: usize,
    /// It is known whether it begins an access unit.
    judged: bool,
}

/// Answer of [`Assembler::poll`].
#[derive(Debug)]
pub enum Assembled<P> {
    /// The next access unit, shared with the input, and what its coding says of it.
    Unit(u64, Bytes, P),
    /// More bytes decide.
    NeedBytes,
    /// There is no further unit.
    End,
}

impl Assembler {
    /// The bytes fed so far end a unit: it is out at the next poll.
    pub fn finish_unit(&mut self) {
        self.finish = true;
    }

    /// Whether a unit of which the front was fed waits for its end.
    pub fn waiting(&self) -> bool {
        self.nal.is_some()
    }

    /// The next unit.
    ///
    /// # Errors
    /// [`Error::Limit`] for a unit beyond [`MAX_UNIT`].
    pub fn poll<C: Coding>(&mut self, input: &mut Input, coding: &mut C) -> Result<Assembled<C::Picture>> {
        loop {
            let Some(nal) = self.nal else {
                if self.find_first(input) {
                    continue;
                }
                return Ok(if input.ended() { Assembled::End } else { Assembled::NeedBytes });
            };
            self.search(nal.start, input.peek());
            let window = input.peek();
            let whole = self.next_code.is_some() || input.ended() || self.finish;
            let end = self.next_code.map_or(window.len(), |code| code_start(window, code, nal.start));
            let body = window.get(nal.start..end).unwrap_or_default();
            if !nal.judged {
                let code = nal.start - START_CODE;
                let code = if C::ZERO_IS_NEXT { code_start(window, code, 0) } else { code };
                let Some(begins) = coding.begins(body, whole) else { return need(code) };
                self.nal = Some(Current { judged: true, ..nal });
                if begins && code > 0 {
                    return self.cut(code, input, coding);
                }
            } else if whole {
                coding.nal(trimmed(body), input.offset().saturating_add(nal.start as u64));
                let Some(code) = self.next_code.take() else {
                    let rest = window.len();
                    self.finish = false;
                    coding.nothing_follows();
                    return self.cut(rest, input, coding);
                };
                self.nal = Some(Current { start: code + START_CODE, judged: false });
                self.searched = code + START_CODE;
            } else {
                return need(self.searched);
            }
        }
    }

    /// Looks for the first start code; what stands before it stays, unless it is too much.
    fn find_first(&mut self, input: &mut Input) -> bool {
        let window = input.peek();
        match self.codes.find(window, self.searched) {
            Some(code) => {
                let begin = code_start(window, code, 0);
                let dropped = self.junk_dropped || begin > MAX_JUNK;
                if dropped || window.get(..begin).unwrap_or_default().iter().any(|byte| *byte != 0) {
                    input.remark(Remark::Junk { bytes: None }, "bytes before the first start code");
                }
                let start = if dropped { code - input.skip(begin) } else { code } + START_CODE;
                (self.nal, self.searched, self.junk_dropped) = (Some(Current { start, judged: false }), start, false);
                true
            }
            None => {
                self.searched = window.len().saturating_sub(START_CODE);
                if self.searched > MAX_JUNK {
                    self.searched -= input.skip(self.searched);
                    self.junk_dropped = true;
                }
                if input.ended() && !input.peek().is_empty() {
                    input.remark(Remark::Junk { bytes: None }, "no start code in the bytes that follow");
                    input.skip(usize::MAX);
                    self.searched = 0;
                }
                self.finish = false;
                false
            }
        }
    }

    /// Looks for the start code behind the current unit.
    fn search(&mut self, start: usize, window: &[u8]) {
        if self.next_code.is_none() {
            self.next_code = self.codes.find(window, self.searched);
            // The last two bytes may begin a code.
            self.searched = window.len().saturating_sub(2).max(start).max(self.searched);
        }
    }

    /// Gives the first `length` bytes as a unit.
    fn cut<C: Coding>(&mut self, length: usize, input: &mut Input, coding: &mut C) -> Result<Assembled<C::Picture>> {
        check(length)?;
        let at = input.offset();
        let data = input.take(length).unwrap_or_default();
        self.searched = self.searched.saturating_sub(length);
        self.next_code = self.next_code.map(|code| code.saturating_sub(length));
        self.nal = self.nal.map(|nal| Current { start: nal.start.saturating_sub(length), ..nal });
        if input.peek().is_empty() {
            (self.nal, self.searched) = (None, 0);
        }
        Ok(Assembled::Unit(at, data, coding.end()))
    }
}

/// Bytes of 00 00 01.
const START_CODE: usize = 3;

/// More bytes decide, unless the unit, which has `length` bytes at least, is too long already.
fn need<P>(length: usize) -> Result<Assembled<P>> {
    check(length).map(|()| Assembled::NeedBytes)
}

fn check(length: usize) -> Result<()> {
    if length > MAX_UNIT {
        return Err(Error::Limit { what: "bytes of an access unit (MAX_UNIT)", limit: MAX_UNIT as u64 });
    }
    Ok(())
}
