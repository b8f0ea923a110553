//! Bytes that are no tags: how they are passed over, and what is said of them (FLD-25, FLD-26).

use alloc::format;

use crate::{
    error::{Error, Result},
    input::Input,
    remark::Remark,
};

use super::{
    super::resync::{Found, Search},
    Flv, State, Step,
};

impl Flv {
    /// The bytes at `at` are no tag; the next one is looked for from `from` on.
    pub(super) fn lose(&mut self, at: u64, from: u64) {
        self.state = State::Lost { search: Search::new(from, self.options.recover), since: from, zeros: at };
    }

    /// FLD-25.
    pub(super) fn look(&mut self, input: &mut Input, mut search: Search, since: u64, zeros: u64) -> Result<Step> {
        let found = search.look(input.peek(), input.offset());
        match found {
            Found::Pair(start) => {
                let bytes = start.saturating_sub(since);
                input.remark_at(since, Remark::Junk { bytes: Some(bytes) }, format!("{bytes} bytes are not tags"));
                input.goto(start)?;
                self.state = State::Tags;
                return Ok(Step::Again);
            }
            Found::Header(_) => self.clock.next_file(),
            Found::Nothing => {}
        }
        let zeros_of = |seen: &[u8], before: u64| {
            let last = seen.iter().rposition(|byte| *byte != 0);
            last.map_or(before, |last| input.offset().saturating_add(last as u64).saturating_add(1))
        };
        let gone = usize::try_from(search.from.saturating_sub(input.offset())).unwrap_or(usize::MAX);
        let zeros = zeros_of(input.peek().get(..gone).unwrap_or(input.peek()), zeros);
        let last_zeros = if input.ended() { zeros_of(input.peek(), zeros) } else { zeros };
        // Bytes before the search cannot begin a tag any more.
        if search.from > input.offset() {
            input.goto(search.from)?;
        }
        self.state = State::Lost { search, since, zeros };
        if found != Found::Nothing {
            return Ok(Step::Again);
        }
        if !input.ended() {
            return Ok(Step::Need);
        }
        if !self.met {
            return Err(Error::malformed("flv", "no tags", since));
        }
        let end = input.offset().saturating_add(input.peek().len() as u64);
        let tail = end.saturating_sub(last_zeros);
        let is_tail = tail >= MIN_ZERO_TAIL || last_zeros < since;
        let junk = (if is_tail { last_zeros } else { end }).saturating_sub(since);
        if junk > 0 {
            let what = match is_tail {
                true => format!("{junk} bytes are not tags"),
                false => format!("the last {junk} bytes are not tags"),
            };
            input.remark_at(since, Remark::Junk { bytes: Some(junk) }, what);
        }
        if is_tail {
            zero_tail(input, last_zeros, tail);
        }
        self.state = State::Stopped;
        Ok(Step::Again)
    }
}

/// So many zeros at the end are what a crash or a full disk leaves.
const MIN_ZERO_TAIL: u64 = 64;

/// The input ends with `bytes` zeros from `at` on.
pub(super) fn zero_tail(input: &mut Input, at: u64, bytes: u64) {
    let what = format!("the last {bytes} bytes are zeros: the recording was cut");
    input.remark_at(at, Remark::ZeroTail { bytes }, what);
}
