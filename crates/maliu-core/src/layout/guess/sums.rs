//! Tails of messages: a checksum, the length again, or the same bytes each time.

use alloc::vec::Vec;

use super::columns::Columns;
use crate::layout::Algorithm;

/// Messages whose sums are computed.
const SAMPLE: usize = 24;

/// A tail.
#[derive(Clone, Debug)]
pub(super) enum Tail {
    /// A checksum from the body's `from`th byte before its end on; from the start of the message when `whole`.
    Sum { algorithm: Algorithm, little: bool, whole: bool },
    /// The length of the message, plus `plus`.
    Length { width: usize, little: bool, plus: i64 },
    /// The same bytes.
    Constant(Vec<u8>),
    /// This many bytes.
    Unknown(usize),
}

impl Tail {
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Sum { algorithm, .. } => algorithm.bits() / 8,
            Self::Length { width, .. } | Self::Unknown(width) => *width,
            Self::Constant(bytes) => bytes.len(),
        }
    }
}

/// The tail of messages whose lengths stand `offset` behind their starts, of at most `most` bytes.
pub(super) fn tail(columns: &Columns<'_>, offset: usize, most: usize) -> Option<Tail> {
    let messages: Vec<&[u8]> = messages(columns, offset).collect();
    let first = messages.first()?;
    let length = again(&messages, most);
    if length.is_some() {
        return length;
    }
    let body = columns.chain.rule.width + offset;
    if let Some(sum) = sum(&messages, body, most) {
        return Some(sum);
    }
    let same = |behind: usize| {
        let byte = |message: &[u8]| message.len().checked_sub(behind).and_then(|at| message.get(at)).copied();
        byte(first).is_some_and(|one| messages.iter().all(|message| byte(message) == Some(one)))
    };
    let constant = (1..=most).take_while(|behind| same(*behind)).count();
    let bytes = first.get(first.len().saturating_sub(constant)..)?;
    // Zeros fill a body up, or end a NAL unit.
    bytes.iter().any(|byte| *byte != 0).then(|| Tail::Constant(bytes.to_vec()))
}

/// Whole messages that follow one another.
fn messages<'a>(columns: &Columns<'a>, offset: usize) -> impl Iterator<Item = &'a [u8]> {
    let (bytes, rule) = (columns.bytes, columns.chain.rule);
    columns.chain.places.iter().take(SAMPLE * 8).filter_map(move |place| {
        let value = i64::try_from(rule.value(bytes, *place)?).ok()?;
        let total = usize::try_from(value * i64::from(rule.unit) + rule.plus).ok()?;
        let start = place.checked_sub(offset)?;
        bytes.get(start..start.checked_add(total)?)
    })
}

/// Whether messages end with their length in 4 bytes: more than 2 bytes hold.
pub(super) fn again_in_four(columns: &Columns<'_>, offset: usize) -> bool {
    matches!(again(&messages(columns, offset).collect::<Vec<_>>(), 4), Some(Tail::Length { width: 4, .. }))
}

fn number(bytes: &[u8], little: bool) -> i64 {
    let join = |value: i64, byte: &u8| value << 8 | i64::from(*byte);
    if little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) }
}

/// The length of the message at its end.
fn again(messages: &[&[u8]], most: usize) -> Option<Tail> {
    [(4, false), (4, true), (2, false), (2, true)].into_iter().filter(|(width, _)| *width <= most).find_map(
        |(width, little)| {
            let plus = |message: &&[u8]| {
                let (_, end) = message.split_at_checked(message.len().checked_sub(width)?)?;
                Some(message.len() as i64 - number(end, little))
            };
            let first = plus(messages.first()?)?;
            (messages.iter().all(|message| plus(message) == Some(first)) && (-64..=64).contains(&first))
                .then_some(Tail::Length { width, little, plus: first })
        },
    )
}

/// A checksum at the end of messages: over all of them, or from one of the places behind the length.
fn sum(messages: &[&[u8]], body: usize, most: usize) -> Option<Tail> {
    let sample = messages.get(..messages.len().min(SAMPLE)).unwrap_or_default();
    let fits = |algorithm: Algorithm, little: bool, whole: bool| {
        let width = algorithm.bits() / 8;
        let right = |message: &&[u8]| {
            let (covered, end) = message.split_at_checked(message.len().checked_sub(width)?)?;
            let covered = if whole { covered } else { covered.get(body..)? };
            Some(algorithm.of(covered) == number(end, little).cast_unsigned())
        };
        sample.len() >= super::LEAST_MESSAGES && sample.iter().all(|message| right(message) == Some(true))
    };
    let algorithms = Algorithm::NAMES.iter().map(|(_, algorithm)| *algorithm);
    let ways = [(false, true), (true, true), (false, false), (true, false)];
    algorithms.filter(|algorithm| algorithm.bits() / 8 <= most).find_map(|algorithm| {
        let way = ways.into_iter().find(|(little, whole)| fits(algorithm, *little, *whole))?;
        Some(Tail::Sum { algorithm, little: way.0, whole: way.1 })
    })
}
