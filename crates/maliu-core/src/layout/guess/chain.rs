//! Chains of messages: a length at each, which leads to the next.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use super::{COLUMNS, MAX_OFFSET, evidence::Background};

/// Where the first length stands, where nothing comes in front of the messages but a short preamble.
const NEAR_START: usize = 160;
/// Where the first length may stand, at most.
const MAX_START: usize = 8192;
/// Shortest and longest message, in bytes.
const LEAST: i64 = 3;
const MOST: i64 = 8 << 20;
/// Bytes of a message that a length may leave out, or count twice.
const PLUS: core::ops::RangeInclusive<i64> = -8..=136;
/// Messages that are followed at first.
const GLANCE: usize = 24;
/// Most places that are looked at closer, and most chains that are followed.
const MAX_GLANCES: usize = 20_000;
const MAX_FOLLOWS: usize = 400;
/// Most messages that are followed.
const MESSAGES: usize = 1 << 16;
/// Bits that a glance must prove.
const GLANCE_BITS: u64 = 24;
/// Messages whose common bytes are expected in those behind them.
const LEARNT: usize = 8;
/// Farthest the next message is looked for where one is not where it should be.
const MAX_GAP: usize = 1 << 18;
/// Longest value of 16 bits that is believed without common bytes.
const SHORT: u64 = 4096;

/// How a length leads from message to message: `value · unit + plus` bytes from length to length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) width: usize,
    pub(super) little: bool,
    pub(super) unit: u32,
    pub(super) plus: i64,
}

/// Lengths of a capture that lead from one to the next.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) rule: Rule,
    /// Where the lengths stand.
    pub(super) places: Vec<usize>,
    /// Where the length behind the last one would stand, if nothing was missing there.
    pub(super) end: Option<usize>,
    /// Bytes of the messages.
    pub(super) covered: usize,
    /// Bits that prove them.
    pub(super) bits: u64,
}

impl Rule {
    pub(super) fn value(self, bytes: &[u8], at: usize) -> Option<u64> {
        let field = bytes.get(at..at.checked_add(self.width)?)?;
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.little { field.iter().rev().fold(0, join) } else { field.iter().fold(0, join) })
    }

    /// Where the next length stands, behind one of this value.
    fn step(self, value: u64, at: usize) -> Option<usize> {
        let step = i64::try_from(value).ok()?.checked_mul(self.unit.into())?.checked_add(self.plus)?;
        (LEAST..=MOST).contains(&step).then_some(())?;
        at.checked_add(usize::try_from(step).ok()?)
    }

    fn next(self, bytes: &[u8], at: usize) -> Option<usize> {
        self.step(self.value(bytes, at)?, at)
    }

    /// Whether three messages from `at` on may be ones.
    fn may_be(self, bytes: &[u8], at: usize, value: u64) -> bool {
        let Some(second) = self.step(value, at) else { return false };
        let Some(third) = self.next(bytes, second) else { return false };
        let (Some(b), Some(c)) = (self.value(bytes, second), self.value(bytes, third)) else { return false };
        if value == 0 && b == 0 || self.step(c, third).is_none() {
            return false;
        }
        let short = match self.width {
            1 => 0,
            2 => SHORT / u64::from(self.unit),
            3 => 1 << 20,
            _ => MOST.unsigned_abs(),
        };
        if [value, b, c].iter().all(|value| *value < short) {
            return true;
        }
        let byte = |at: usize, offset: isize| bytes.get(at.checked_add_signed(offset)?);
        let same = |offset: &isize| match byte(at, *offset) {
            Some(one) => byte(second, *offset) == Some(one) && byte(third, *offset) == Some(one),
            None => false,
        };
        (-8..16).filter(same).nth(1).is_some()
    }

    /// The first messages from `at` on.
    fn glance(self, bytes: &[u8], at: usize) -> Vec<usize> {
        let next = |place: &usize| self.next(bytes, *place).filter(|next| *next < bytes.len());
        core::iter::successors(Some(at), next).take(GLANCE).collect()
    }
}

/// The rules that are tried.
fn rules() -> impl Iterator<Item = (usize, bool, u32)> {
    let widths =
        [(4, false), (4, true), (2, false), (2, true), (3, false), (3, true), (1, false), (8, false), (8, true)];
    let units = |(width, little): (usize, bool)| {
        let units: &[u32] = if width < 3 { &[1, 4] } else { &[1] };
        units.iter().map(move |unit| (width, little, *unit))
    };
    widths.into_iter().flat_map(units)
}

/// The chains of a capture that are proven, each once. Those that begin near its start suffice, if one covers it.
pub(super) fn all(bytes: &[u8], background: &Background) -> Vec<Chain> {
    let mut found = Vec::new();
    for starts in [0..NEAR_START, NEAR_START..MAX_START] {
        let mut budget = Budget { glances: MAX_GLANCES, follows: MAX_FOLLOWS };
        for (width, little, unit) in rules() {
            for plus in PLUS {
                let rule = Rule { width, little, unit, plus };
                let starts = starts.start..starts.end.min(bytes.len());
                from(rule, starts, bytes, background, &mut budget, &mut found);
            }
        }
        if found.iter().any(|chain| chain.covered * 20 >= bytes.len() * 19) {
            break;
        }
    }
    found
}

/// Places that may still be looked at.
struct Budget {
    glances: usize,
    follows: usize,
}

/// The chains of a rule from these places on.
fn from(
    rule: Rule,
    starts: Range<usize>,
    bytes: &[u8],
    background: &Background,
    budget: &mut Budget,
    found: &mut Vec<Chain>,
) {
    // A chain from one of its own places is the same.
    let mut seen = vec![false; starts.end];
    for at in starts {
        let Some(value) = rule.value(bytes, at) else { return };
        if seen.get(at) == Some(&true) || !rule.may_be(bytes, at, value) {
            continue;
        }
        if budget.glances == 0 || budget.follows == 0 {
            return;
        }
        budget.glances -= 1;
        let places = rule.glance(bytes, at);
        for place in &places {
            seen.get_mut(*place).into_iter().for_each(|seen| *seen = true);
        }
        if places.len() >= super::LEAST_MESSAGES && background.around(bytes, &places) >= GLANCE_BITS {
            budget.follows -= 1;
            found.extend(follow(rule, bytes, at, background));
        }
    }
}

/// Follows a chain to the end of the capture, over gaps; `None` when it is not one.
fn follow(rule: Rule, bytes: &[u8], start: usize, background: &Background) -> Option<Chain> {
    let (mut places, mut common, mut covered) = (Vec::new(), Vec::new(), 0usize);
    let (mut at, mut end, mut found_again) = (start, None, false);
    while places.len() < MESSAGES {
        let next = rule.next(bytes, at).filter(|_| alike(&common, bytes, at));
        match next {
            Some(next) if next <= bytes.len().saturating_add(MAX_OFFSET) => {
                let place = at;
                places.push(place);
                covered += next - at;
                if places.len() == LEARNT {
                    common = learn(bytes, &places);
                } else if found_again {
                    // Some of what the first messages have in common is not in all of them.
                    let kept: Vec<(isize, u8)> =
                        common.iter().copied().filter(|one| stands(one, bytes, place)).collect();
                    common = if kept.len() < 3 { common } else { kept };
                }
                found_again = false;
                at = next;
                if at.saturating_add(rule.width) > bytes.len() {
                    end = Some(at);
                    break;
                }
            }
            _ => {
                let behind = places.last().map_or(start, |last| last + 1);
                match again(rule, bytes, at, behind, &common) {
                    Some(place) => (at, found_again) = (place, true),
                    None => break,
                }
            }
        }
    }
    proven(Chain { rule, places, end, covered, bits: 0 }, bytes, background)
}

/// A chain without what only leads to it; `None` when too little proves it.
fn proven(chain: Chain, bytes: &[u8], background: &Background) -> Option<Chain> {
    let Chain { rule, mut places, end, mut covered, .. } = chain;
    // Bytes in front of the first message may lead to it by chance.
    let usual = learn_most(bytes, &places);
    let led = |place: &usize| {
        let alike = matches(&usual, bytes, *place) * 8 / usual.len().max(1);
        alike < 2 || alike < 7 && rule.value(bytes, *place).is_some_and(|value| value < 4)
    };
    let first = places.iter().take_while(|place| led(place)).count();
    for place in places.drain(..first) {
        covered -= rule.next(bytes, place).map_or(0, |next| next - place);
    }
    let bits = background.around(bytes, &places);
    let mut values: Vec<u64> = places.iter().take(4096).filter_map(|place| rule.value(bytes, *place)).collect();
    let empty = values.iter().filter(|value| **value == 0).count();
    values.sort_unstable();
    values.dedup();
    let enough = places.len() >= super::LEAST_MESSAGES
        && values.len() >= 3
        && empty * 5 <= places.len()
        && bits >= super::LEAST_BITS;
    (enough && covered.saturating_mul(10) >= bytes.len().saturating_mul(super::LEAST_TENTHS)).then_some(Chain {
        rule,
        places,
        end,
        covered: covered.min(bytes.len()),
        bits,
    })
}

/// The bytes that messages have in common.
fn learn(bytes: &[u8], places: &[usize]) -> Vec<(isize, u8)> {
    let byte = |place: usize, offset: isize| bytes.get(place.checked_add_signed(offset)?).copied();
    let common = |offset: isize| {
        let first = places.iter().find_map(|place| byte(*place, offset))?;
        places.iter().all(|place| byte(*place, offset).is_none_or(|byte| byte == first)).then_some((offset, first))
    };
    COLUMNS.filter_map(common).collect()
}

/// The bytes that nine of ten messages have in common.
fn learn_most(bytes: &[u8], places: &[usize]) -> Vec<(isize, u8)> {
    let sample = || places.iter().take(512);
    let byte = |place: &usize, offset: isize| bytes.get(place.checked_add_signed(offset)?).copied();
    let usual = |offset: isize| {
        let mut column: Vec<u8> = sample().filter_map(|place| byte(place, offset)).collect();
        column.sort_unstable();
        let run = column.chunk_by(|a, b| a == b).max_by_key(|run| run.len())?;
        (run.len() * 10 >= column.len() * 9).then_some((offset, *run.first()?))
    };
    COLUMNS.filter_map(usual).collect()
}

/// Whether most of what messages have in common is at `at`, too.
fn alike(common: &[(isize, u8)], bytes: &[u8], at: usize) -> bool {
    matches(common, bytes, at) * 2 >= common.len()
}

/// Whether a byte that messages have in common is at `at`.
fn stands((offset, byte): &(isize, u8), bytes: &[u8], at: usize) -> bool {
    at.checked_add_signed(*offset).and_then(|at| bytes.get(at)) == Some(byte)
}

/// How many of the bytes are at `at`, or not in the capture.
fn matches(common: &[(isize, u8)], bytes: &[u8], at: usize) -> usize {
    let is = |(offset, byte): &&(isize, u8)| {
        at.checked_add_signed(*offset).is_none_or(|at| bytes.get(at).is_none_or(|found| found == byte))
    };
    common.iter().filter(is).count()
}

/// The next message behind a place where none is: one with most of what messages have in common.
fn again(rule: Rule, bytes: &[u8], at: usize, behind: usize, common: &[(isize, u8)]) -> Option<usize> {
    if common.len() < 3 {
        return None;
    }
    let whole = |at: &usize| {
        let same = common.iter().filter(|one| stands(one, bytes, *at)).count();
        same * 4 >= common.len() * 3 && rule.next(bytes, *at).is_some_and(|next| next <= bytes.len() + MAX_OFFSET)
    };
    // A message may be shorter than was thought: the search begins a little in front of where the next one should be.
    let from = at.saturating_sub(MAX_OFFSET).max(behind);
    (from..at.saturating_add(MAX_GAP).min(bytes.len())).filter(|place| *place != at).find(whole)
}
