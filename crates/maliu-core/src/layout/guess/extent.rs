//! Where messages begin and end around their lengths, and how wide the length is.

use super::{Chain, Framing, MAX_OFFSET, Rule, columns::Columns, evidence::Background};

/// Widest tail that is looked for, in bytes.
const MAX_TAIL: usize = 16;

/// Extent of the parts of messages.
pub(super) struct Extent {
    pub(super) framing: Framing,
    /// Bytes of the header.
    pub(super) header: usize,
    /// The tail, if there is one.
    pub(super) tail: Option<super::sums::Tail>,
    /// Offset of the length by the chain's rule, in its message.
    pub(super) offset: usize,
    /// Offset of a start code or another mark of the body behind the length, if there is one.
    pub(super) mark: Option<super::body::Mark>,
}

impl Extent {
    /// The extent of the messages of `chain`.
    pub(super) fn of(chain: &Chain, bytes: &[u8], background: &Background) -> Self {
        let columns = Columns { chain, bytes };
        let first = chain.places.first().copied().unwrap_or(0);
        let room = usize::try_from(chain.rule.plus - chain.rule.width as i64).ok();
        let offset = offset(chain, bytes, background, room);
        let mark = super::body::mark(&columns, chain.rule.width);
        let start = first.saturating_sub(offset);
        let framing = widened(&columns, start, offset, mark.as_ref());
        let end = framing.offset + framing.width;
        let spare = usize::try_from(framing.plus - end as i64);
        // A length that counts all of a message counts its tail, too.
        let tail = super::sums::tail(&columns, offset, *spare.as_ref().unwrap_or(&MAX_TAIL).min(&MAX_TAIL));
        let spare = spare.unwrap_or(0);
        let width = tail.as_ref().map_or(0, super::sums::Tail::width);
        let alike = |at: usize| background.column(bytes, &chain.places, at as isize - offset as isize) > 0;
        let header = match &mark {
            Some(mark) => offset + mark.offset,
            None if framing.plus < end as i64 => end + (end..end + 24).take_while(|at| alike(*at)).count(),
            None => end + spare.saturating_sub(width),
        };
        // Bytes that a length does not count, and that are no header, stand behind the body.
        let tail = match tail {
            None if mark.is_some() && end + spare > header => Some(super::sums::Tail::Unknown(end + spare - header)),
            other => other,
        };
        Self { framing, header, tail, offset, mark }
    }
}

/// Offset of the length in its message: from the start of the capture, or its end, or what is alike in front of it.
fn offset(chain: &Chain, bytes: &[u8], background: &Background, room: Option<usize>) -> usize {
    let first = chain.places.first().copied().unwrap_or(0);
    let past = chain.end.and_then(|end| end.checked_sub(bytes.len()));
    if past == Some(first) && first <= MAX_OFFSET {
        return first;
    }
    let fits = |offset: usize| offset <= MAX_OFFSET && room.is_none_or(|room| offset <= room);
    let by_start = Some(first).filter(|offset| fits(*offset));
    let by_end = past.filter(|offset| fits(*offset) && *offset <= first);
    let alike = |offset: usize| background.column(bytes, &chain.places, -(offset as isize)) > 0;
    match (by_start, by_end) {
        (Some(start), Some(end)) if start != end => {
            // Either the end cuts a message, or something stands in front of the first one.
            let between = start.saturating_sub(end).max(1);
            let same = (end + 1..=start).filter(|offset| alike(*offset)).count();
            if same * 2 > between { start } else { end }
        }
        (Some(offset), _) | (None, Some(offset)) => offset,
        (None, None) => {
            let most = room.unwrap_or(MAX_OFFSET).min(MAX_OFFSET).min(first);
            (1..=most).rev().find(|offset| alike(*offset)).unwrap_or(0)
        }
    }
}

/// The length with the zeros beside it that belong to it: 4 bytes where 2 would do.
fn widened(columns: &Columns<'_>, start: usize, offset_of_rule: usize, mark: Option<&super::body::Mark>) -> Framing {
    let (Rule { width, little, unit, plus }, offset) = (columns.chain.rule, offset_of_rule);
    // Zeros inside of the rule's own width are no bytes in use.
    let zero = |offset: isize| columns.at(offset).all(|byte| byte == 0);
    let zeros_inside = if little {
        (0..width).rev().take_while(|at| zero(*at as isize)).count()
    } else {
        (0..width).take_while(|at| zero(*at as isize)).count()
    };
    let used = width.saturating_sub(zeros_inside).max(1);
    let (low, offset_low) = if little {
        (0isize, offset)
    } else {
        (zeros_inside.min(width - 1) as isize, offset + zeros_inside.min(width - 1))
    };
    let room = match (little, mark) {
        (true, Some(mark)) => mark.offset.saturating_sub(used),
        (true, None) => usize::try_from(plus - offset as i64 - used as i64).unwrap_or(8),
        (false, _) => offset_low,
    };
    let beside = |n: usize| if little { low + (used + n) as isize } else { low - 1 - n as isize };
    let zeros = (0..room.min(7)).take_while(|n| zero(beside(*n))).count();
    let whole = match used + zeros {
        _ if in_parts(columns) => used,
        8.. if used > 4 => 8,
        4.. if used <= 4 => 4,
        3.. if used <= 2 && super::sums::again_in_four(columns, offset_of_rule) => 3,
        3 if used == 3 => 3,
        2.. if used <= 2 => 2,
        _ => used,
    };
    let grown = whole.saturating_sub(used);
    let offset = if little { offset } else { offset_low.saturating_sub(grown) };
    Framing { start, offset, width: whole, little, unit, plus }
}

/// Whether many messages have the greatest length of all: packets in parts, whose lengths need no more bytes than they use.
fn in_parts(columns: &Columns<'_>) -> bool {
    let value = |place: &usize| columns.chain.rule.value(columns.bytes, *place);
    let most = columns.chain.places.iter().filter_map(value).max();
    let full = columns.chain.places.iter().filter(|place| value(place) == most).count();
    full * 4 >= columns.chain.places.len()
}
