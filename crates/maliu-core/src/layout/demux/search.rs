//! Finds the next message after garbage: of all places where one could start, the one proven by the earliest byte.
//!
//! The proof of a place is the whole message there and, for layouts without strong constants, the headers of the next
//! two. Which byte completes a proof depends on the content only, so every split of the input finds the same message.

use alloc::{borrow::Cow, format, vec::Vec};

use super::super::{
    BodyKind, Constant, Head, Layout,
    message::{self, Facts, Lack, Steady},
};
use crate::{input::Input, remark::Remark};

/// Bits of constants in a message from which no further proof is asked.
const STRONG: usize = 24;
/// Messages behind the first one whose headers are asked for as proof when constants are weak.
const CONFIRM: usize = 2;
/// A place with new steady values wins only when none with the known ones is proven within this many bytes.
const PATIENCE: u64 = 64 << 10;
/// Longest message that is waited for when constants are weak, in bytes.
const MAX_WEAK: usize = 1 << 20;

/// A search under way. Offsets are absolute.
pub(super) struct Search {
    start: u64,
    why: Cow<'static, str>,
    /// The first place of all.
    first: u64,
    /// First place not looked at yet.
    next: u64,
    /// Places that wait for a byte to arrive: (place, offset behind that byte).
    waiting: Vec<(u64, u64)>,
    /// The best place so far: (offset that completed its proof, place, whether with new steady values).
    best: Option<(u64, u64, bool)>,
}

pub(super) enum Step {
    NeedBytes,
    /// The input is now at a message; `anew` when its steady values are not the ones known.
    Found {
        anew: bool,
    },
    /// The input ended without one; all of it is passed over.
    Nothing,
}

impl Search {
    /// A search from the first unread byte on. The first `given_back` bytes are a message that was read already, so
    /// none starts at its first byte.
    pub(super) fn within(input: &Input, given_back: u64, why: Cow<'static, str>) -> Self {
        let start = input.offset();
        let next = start.saturating_add(u64::from(given_back > 0));
        Self { start: start.saturating_add(given_back), why, first: next, next, waiting: Vec::new(), best: None }
    }

    pub(super) fn step(&mut self, layout: &Layout, steady: &Steady, preamble: &Facts, input: &mut Input) -> Step {
        let end = input.offset().saturating_add(input.peek().len() as u64);
        let judge = Judge { layout, steady, preamble, ended: input.ended(), weak: strength(layout, steady) < STRONG };
        let mut places: Vec<u64> = Vec::new();
        self.waiting.retain(|(place, wake)| {
            let due = *wake <= end || judge.ended;
            if due {
                places.push(*place);
            }
            !due
        });
        let due = places.len();
        let fresh = core::mem::replace(&mut self.next, end)..end;
        for (n, place) in places.into_iter().chain(fresh).enumerate() {
            // A proof ends behind its place: from here on none can be earlier than the best.
            if n >= due && self.best.is_some_and(|(by, ..)| by <= place) {
                self.next = place;
                break;
            }
            let from = usize::try_from(place.saturating_sub(input.offset())).unwrap_or(usize::MAX);
            if place != self.first && !judge.may_begin(input.peek().get(..from).unwrap_or_default()) {
                continue;
            }
            match judge.prove(input.peek().get(from..).unwrap_or_default()) {
                Proof::Not => {}
                Proof::By(bytes, anew) => {
                    let by = place.saturating_add(bytes as u64).saturating_add(if anew { PATIENCE } else { 0 });
                    let proven = (by, place, anew);
                    self.best = Some(self.best.map_or(proven, |best| best.min(proven)));
                }
                Proof::Wait(bytes) => self.waiting.push((place, place.saturating_add(bytes as u64))),
            }
        }
        let before = layout.body.until.as_ref().map_or(0, Vec::len);
        self.conclude(input, end, judge.ended, before)
    }

    /// The best place wins once no byte that could prove another one earlier is missing.
    /// `before`: bytes in front of a place that must be seen.
    fn conclude(&mut self, input: &mut Input, end: u64, ended: bool, before: usize) -> Step {
        match self.best {
            Some((by, place, anew)) if by <= end || ended => {
                let skipped = place.saturating_sub(self.start);
                let ahead = usize::try_from(place.saturating_sub(input.offset())).unwrap_or(usize::MAX);
                let what = format!("{}; {skipped} bytes skipped", self.why);
                input.remark_at(self.start, Remark::Junk { bytes: Some(skipped) }, what);
                input.skip(ahead);
                Step::Found { anew }
            }
            None if ended => {
                let skipped = self.next.saturating_sub(self.start);
                let what = format!("{}; {skipped} bytes skipped, no message follows", self.why);
                input.remark_at(self.start, Remark::Junk { bytes: Some(skipped) }, what);
                input.skip(input.peek().len());
                Step::Nothing
            }
            best => {
                // Bytes before the first place that still waits are of no use.
                let waiting = self.waiting.iter().map(|(place, _)| *place).chain(best.map(|(_, place, _)| place));
                let keep = waiting.min().unwrap_or(self.next).saturating_sub(before as u64);
                let ahead = usize::try_from(keep.saturating_sub(input.offset())).unwrap_or(usize::MAX);
                input.skip(ahead);
                Step::NeedBytes
            }
        }
    }
}

enum Proof {
    Not,
    /// Proven by this many bytes from the place on; the flag marks new steady values.
    By(usize, bool),
    /// So many bytes from the place on are needed to say more.
    Wait(usize),
}

struct Judge<'a> {
    layout: &'a Layout,
    steady: &'a Steady,
    preamble: &'a Facts,
    ended: bool,
    weak: bool,
}

impl Judge<'_> {
    /// Whether a message may begin behind these bytes: anywhere, but where bodies have an end that shows, behind one.
    fn may_begin(&self, before: &[u8]) -> bool {
        self.layout.body.until.as_ref().is_none_or(|end| before.ends_with(end))
    }

    fn prove(&self, bytes: &[u8]) -> Proof {
        match self.chain(bytes, self.steady, if self.weak { CONFIRM } else { 0 }) {
            Proof::Not if self.steady.iter().any(Option::is_some) => match self.chain(bytes, &Steady::new(), CONFIRM) {
                Proof::By(bytes, _) => Proof::By(bytes, true),
                other => other,
            },
            other => other,
        }
    }

    /// A whole message, and the headers of this number of others behind it.
    fn chain(&self, bytes: &[u8], steady: &Steady, more: usize) -> Proof {
        let mut held = steady.clone();
        let mut at = 0usize;
        for n in 0..=more {
            let rest = bytes.get(at..).unwrap_or_default();
            match message::look(self.layout, rest, &held, self.preamble) {
                Err(Lack::Bad(_) | Lack::Other(_)) => return Proof::Not,
                Ok(message) if message.total() == 0 => return Proof::Not,
                Ok(message) => {
                    message::hold(self.layout, &message, rest, &mut held);
                    at = at.saturating_add(message.total());
                }
                Err(Lack::Need(_)) if self.ended && n > 0 && rest.is_empty() => return Proof::By(at, false),
                Err(Lack::Need(_)) if self.ended => return Proof::Not,
                Err(Lack::Need(wanted)) if more > 0 && wanted > MAX_WEAK => return Proof::Not,
                Err(Lack::Need(wanted)) => return Proof::Wait(at.saturating_add(wanted)),
            }
        }
        Proof::By(at, false)
    }
}

/// Bits of a message that are known beforehand.
fn strength(layout: &Layout, steady: &Steady) -> usize {
    let fixed = |field: &super::super::Field| match &field.constant {
        Some(Constant::Bytes(bytes)) => bytes.len() * 8,
        Some(Constant::Number(_)) => field.kind.bits(),
        None => 0,
    };
    let fields: usize = layout.header.iter().chain(&layout.inside).chain(&layout.tail).map(fixed).sum();
    let sums = layout
        .header
        .iter()
        .chain(&layout.tail)
        .filter(|field| matches!(field.role, Some(super::super::Role::Checksum { .. })));
    let is_held = |field: &&super::super::Field| {
        field.steady.is_some_and(|group| matches!(steady.get(usize::from(group)), Some(Some(_))))
    };
    let held = layout.header.iter().chain(&layout.inside).filter(is_held).map(|field| field.kind.bits());
    let body = match layout.body.kind {
        BodyKind::AnnexB => 16,
        BodyKind::Adts => 12,
        _ => 0,
    };
    let first = match &layout.head {
        Head::Lines { first } => first.len() * 8 + 16,
        Head::Json => 16,
        Head::Pairs => 8,
        Head::Bits => 0,
    };
    first + fields + sums.map(|field| field.kind.bits()).sum::<usize>() + held.sum::<usize>() + body
}
