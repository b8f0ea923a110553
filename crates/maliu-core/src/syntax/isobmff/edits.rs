//! Edit lists as stretches of a track on the timeline of the movie (ISO/IEC 14496-12 §8.6.6).

use alloc::vec::Vec;

use super::fields::Fields;
use crate::time::{Rounding, scale};

/// Most entries of one edit list.
pub const MAX_EDITS: usize = 4096;

/// One entry as the file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its length in the time scale of the movie; 0 is to the end of the media.
    pub duration: u64,
    /// Where it begins in the media; -1 for a stretch of nothing.
    pub media: i64,
    /// Speed, 16.16; 0 holds one picture.
    pub rate: i32,
}

/// The entries in the body of an `elst` box.
pub fn parse(body: &[u8]) -> Vec<Edit> {
    let mut fields = Fields::new(body);
    let Some(((version, _), count)) = fields.version().zip(fields.u32()) else { return Vec::new() };
    let mut edits = Vec::new();
    for _ in 0..count.min(MAX_EDITS as u32) {
        let long = version == 1;
        let edit = || {
            let duration = fields.number(long)?;
            let media = if long { fields.u64()? as i64 } else { fields.i32()?.into() };
            Some(Edit { duration, media, rate: fields.i32()? })
        };
        let mut edit = edit;
        let Some(edit) = edit() else { break };
        edits.push(edit);
    }
    edits
}

/// A stretch of the media and when it is presented, in ticks of the track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Presentation time in the media of its first instant.
    pub from: i64,
    /// Presentation time in the media behind its last instant; `i64::MAX` to the end.
    pub to: i64,
    /// Offset added to times of the media.
    pub shift: i64,
}

impl Stretch {
    /// The whole media, without a shift.
    pub const ALL: Self = Self { from: i64::MIN, to: i64::MAX, shift: 0 };
}

/// The stretches of an edit list. Without one, or with one that shows nothing, the whole media.
pub fn stretches(edits: &[Edit], movie: u32, track: u32) -> Vec<Stretch> {
    let (mut at, mut found) = (0_i64, Vec::new());
    for edit in edits {
        let length = i64::try_from(edit.duration).unwrap_or(i64::MAX);
        let length = scale(length, track.into(), movie.max(1).into(), Rounding::Near);
        if edit.media >= 0 {
            let to = if edit.duration == 0 { i64::MAX } else { edit.media.saturating_add(length) };
            found.push(Stretch { from: edit.media, to, shift: at.saturating_sub(edit.media) });
        }
        at = at.saturating_add(length);
    }
    if found.is_empty() {
        found.push(Stretch { shift: at, ..Stretch::ALL });
    }
    found
}

/// Offset added to the times of samples in fragments: the list as one start and one delay.
pub fn shift(edits: &[Edit], movie: u32, track: u32) -> i64 {
    stretches(edits, movie, track).first().map_or(0, |stretch| stretch.shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_follow_each_other_on_the_timeline() {
        let edit = |duration, media| Edit { duration, media, rate: 0x10000 };
        let list = [edit(500, -1), edit(1000, 90), edit(0, 270)];
        let expected = [Stretch { from: 90, to: 180, shift: -45 }, Stretch { from: 270, to: i64::MAX, shift: -135 }];
        assert_eq!(stretches(&list, 1000, 90), expected);
        assert_eq!(stretches(&[], 1000, 90), [Stretch::ALL]);
        assert_eq!(stretches(&[edit(1000, -1)], 1000, 90), [Stretch { shift: 90, ..Stretch::ALL }]);
        assert_eq!(shift(&list, 0, 0), -90);
    }

    #[test]
    fn both_versions_are_read_and_a_cut_entry_is_not() {
        let short = b"\0\0\0\0\0\0\0\x02\0\0\0\x05\xff\xff\xff\xff\0\x01\0\0\0\0";
        assert_eq!(parse(short), [Edit { duration: 5, media: -1, rate: 0x10000 }]);
        let long = b"\x01\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x05\xff\xff\xff\xff\xff\xff\xff\xff\0\x01\0\0";
        assert_eq!(parse(long), [Edit { duration: 5, media: -1, rate: 0x10000 }]);
        assert_eq!(parse(b"\0\0"), []);
    }
}
