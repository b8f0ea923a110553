//! Extent of a body: by its length field, a fixed length, or the bytes that end it.

use alloc::{borrow::Cow, vec::Vec};
use core::ops::Range;

use memchr::memmem;

use super::{Layout, RangeStart, Role, place};

/// Why there is no whole message at the start of some bytes.
#[derive(Debug)]
pub(super) enum Lack {
    /// So many bytes, from the start, are needed to say more.
    Need(usize),
    /// No message starts here.
    Bad(Cow<'static, str>),
    /// It is another protocol, in the words of the layout.
    Other(Cow<'static, str>),
}

/// Where the fields of a part stand: first bit of each one that is there, and the first byte behind them.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) at: Vec<Option<usize>>,
    /// First bit behind each field, or where it would stand.
    pub(super) behind: Vec<usize>,
    pub(super) end: usize,
}

/// A length as its field gives it.
struct Length {
    value: u64,
    unit: u32,
    plus: i32,
    from: RangeStart,
    tail: bool,
    align: u32,
}

/// Where the body stands, and the first byte behind what ends or fills it; `Bad` when that cannot be, `None` when there is
/// no body. The first `known` bytes hold no end.
pub(super) fn of(
    layout: &Layout,
    bytes: &[u8],
    known: usize,
    header: &Part,
) -> Result<Option<(Range<usize>, usize)>, Lack> {
    // Of several fields the last one that is there counts: a short length may say that a long one follows.
    let found = layout.header.iter().zip(&header.at).rev().find_map(|(field, at)| match &field.role {
        Some(Role::Length { unit, plus, from, tail, align }) => {
            let value = place::read(field, bytes, (*at)?)?.raw();
            Some(Length { value, unit: *unit, plus: *plus, from: *from, tail: *tail, align: *align })
        }
        _ => None,
    });
    if layout.body.rest {
        let tail = layout.tail.iter().map(|field| field.kind.bits()).sum::<usize>() / 8;
        let length = bytes.len() as i128 - header.end as i128 - tail as i128;
        return within(layout, length, header).map(|body| Some((body.clone(), body.end)));
    }
    match (found, layout.body.length, &layout.body.until) {
        (Some(length), ..) => told(layout, &length, header).map(Some),
        (None, Some(length), _) => {
            within(layout, i128::from(length), header).map(|body| Some((body.clone(), body.end)))
        }
        (None, None, Some(end)) => until(layout, bytes, known, end, header).map(Some),
        (None, None, None) => Ok(None),
    }
}

fn told(layout: &Layout, length: &Length, header: &Part) -> Result<(Range<usize>, usize), Lack> {
    let counted = i128::from(length.value) * i128::from(length.unit) + i128::from(length.plus);
    let before = header.end.saturating_sub(start(length.from, header, header.end));
    let behind = if length.tail { layout.tail.iter().map(|field| field.kind.bits()).sum::<usize>() / 8 } else { 0 };
    let body = within(layout, counted - before as i128 - behind as i128, header)?;
    let end = body.end.saturating_add(filling(before.saturating_add(body.len()), length.align));
    Ok((body, end))
}

/// Bytes that fill `counted` up to a multiple of `align`.
pub(super) fn filling(counted: usize, align: u32) -> usize {
    let align = align.max(1) as usize;
    counted.next_multiple_of(align).saturating_sub(counted)
}

fn within(layout: &Layout, length: i128, header: &Part) -> Result<Range<usize>, Lack> {
    match usize::try_from(length) {
        Ok(length) if length <= layout.limits.body as usize => Ok(header.end..header.end.saturating_add(length)),
        Ok(_) => Err(TOO_LONG),
        Err(_) => Err(Lack::Bad(Cow::Borrowed("the length is less than what it counts"))),
    }
}

const TOO_LONG: Lack = Lack::Bad(Cow::Borrowed("the body is longer than the limit"));

/// The body in front of the first `end`.
fn until(
    layout: &Layout,
    bytes: &[u8],
    known: usize,
    end: &[u8],
    header: &Part,
) -> Result<(Range<usize>, usize), Lack> {
    let from = header.end.max(known.saturating_sub(end.len().saturating_sub(1)));
    let found = memmem::find(bytes.get(from..).unwrap_or_default(), end).map(|at| from.saturating_add(at));
    // The first place where an end might still begin.
    let open = bytes.len().saturating_sub(end.len().saturating_sub(1)).max(header.end);
    if found.unwrap_or(open) > header.end.saturating_add(layout.limits.body as usize) {
        return Err(TOO_LONG);
    }
    match found {
        Some(at) => Ok((header.end..at, at.saturating_add(end.len()))),
        None => Err(Lack::Need(bytes.len().saturating_add(1))),
    }
}

/// First byte of a range; `body` is where the body starts.
pub(super) fn start(from: RangeStart, header: &Part, body: usize) -> usize {
    let stands = |index: usize| header.at.get(index).copied().flatten();
    match from {
        RangeStart::Start => 0,
        RangeStart::Field(index) => stands(index).or(header.behind.get(index).copied()).map_or(body, |bit| bit / 8),
        RangeStart::Behind(index) => header.behind.get(index).map_or(body, |bit| bit / 8),
        RangeStart::Body => body,
    }
}
