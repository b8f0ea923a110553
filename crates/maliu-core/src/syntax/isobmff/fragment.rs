//! Movie fragments: runs of samples in file form, and a cursor that walks them (ISO/IEC 14496-12 §8.8).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{boxes::Boxes, fields::Fields, protection, samples::Sample};

/// Most runs of one fragment.
pub const MAX_RUNS: usize = 4096;

/// Defaults of the samples of a track: the fields of `trex`, or those that `tfhd` sets in their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Index of the sample description, from 0.
    pub entry: u32,
    /// Ticks.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// sample_flags.
    pub flags: u32,
}

/// Track number and defaults in the body of a `trex` box.
pub fn trex(body: &[u8]) -> Option<(u32, Defaults)> {
    let mut fields = Fields::new(body);
    fields.version()?;
    let track = fields.u32()?;
    let entry = fields.u32()?.saturating_sub(1);
    Some((track, Defaults { entry, duration: fields.u32()?, size: fields.u32()?, flags: fields.u32()? }))
}

/// A part of a fragment that belongs to one track.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// track_ID.
    pub track: u32,
    /// baseMediaDecodeTime, when stated.
    pub time: Option<u64>,
    /// Its runs in order.
    pub runs: Vec<Run>,
    /// Bodies of `senc` (or of the PIFF box of the same meaning), `saiz` and `saio`, when there are any.
    pub auxiliary: Auxiliary,
    /// Sample groups of encryption.
    pub groups: protection::Groups,
}

/// Where per-sample encryption information is.
#[derive(Clone, Debug, Default)]
pub struct Auxiliary {
    /// Body of `senc`.
    pub senc: Option<Bytes>,
    /// Body of `saiz`.
    pub saiz: Option<Bytes>,
    /// Offset in the file of the first entry, from `saio`.
    pub saio: Option<u64>,
}

/// A run of samples whose data stand behind each other.
#[derive(Clone, Debug)]
pub struct Run {
    /// Rows in file form.
    rows: Bytes,
    /// tr_flags.
    flags: u32,
    /// Whether composition offsets are signed.
    first_flags: Option<u32>,
    defaults: Defaults,
    /// Samples that are there.
    pub count: u32,
    /// Offset in the file of its data.
    pub offset: u64,
}

/// A place in a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunCursor {
    /// Number of the sample in the run.
    pub sample: u32,
    /// Offset in the file of its data.
    pub offset: u64,
    /// Its decoding time.
    pub dts: i64,
}

const DATA_OFFSET: u32 = 1;
const FIRST_FLAGS: u32 = 4;
const DURATION: u32 = 0x100;
const SIZE: u32 = 0x200;
const FLAGS: u32 = 0x400;
const COMPOSITION: u32 = 0x800;
const NON_SYNC: u32 = 0x1_0000;
/// sample_depends_on 1: depends on others.
const DEPENDS: u32 = 0x0100_0000;

/// Number of the fragment, and its parts, of the body of a `moof` box that stands at `at` in the file. `defaults` gives
/// those of a track.
pub fn parse(body: &[u8], at: u64, defaults: impl Fn(u32) -> Defaults) -> (Option<u32>, Vec<Part>) {
    let (mut sequence, mut parts, mut room) = (None, Vec::new(), MAX_RUNS);
    // Without a base of its own a part's data follow those of the part before.
    let mut behind = None;
    for (kind, body) in Boxes::new(body) {
        match &kind {
            b"mfhd" => sequence = Fields::new(body.get(4..).unwrap_or_default()).u32(),
            b"traf" => {
                if let Some(part) = traf(body, at, &mut behind, &mut room, &defaults) {
                    parts.push(part);
                }
            }
            _ => {}
        }
    }
    (sequence, parts)
}

fn traf(
    body: &[u8],
    at: u64,
    behind: &mut Option<u64>,
    room: &mut usize,
    defaults: &impl Fn(u32) -> Defaults,
) -> Option<Part> {
    let (mut part, header) = tfhd(Boxes::new(body).body_of(b"tfhd")?, defaults)?;
    let base = header.base.unwrap_or(if header.from_moof { at } else { behind.unwrap_or(at) });
    let mut next = base;
    for (kind, body) in Boxes::new(body) {
        match &kind {
            b"tfdt" => {
                let mut fields = Fields::new(body);
                let (version, _) = fields.version()?;
                part.time = fields.number(version == 1);
            }
            b"trun" if *room > 0 => {
                if let Some(run) = trun(body, base, next, header.defaults) {
                    next = run.end();
                    part.runs.push(run);
                    *room -= 1;
                }
            }
            b"senc" => part.auxiliary.senc = Some(Bytes::copy_from_slice(body)),
            b"uuid" => {
                part.auxiliary.senc = body.strip_prefix(&PIFF_SENC).map(Bytes::copy_from_slice).or(part.auxiliary.senc);
            }
            b"sgpd" => part.groups.descriptions(body),
            b"sbgp" => part.groups.samples(body),
            b"saiz" => part.auxiliary.saiz = Some(Bytes::copy_from_slice(body)),
            b"saio" => part.auxiliary.saio = saio(body).map(|offset| base.saturating_add(offset)),
            _ => {}
        }
    }
    *behind = Some(next);
    Some(part)
}

/// The user type of the PIFF box that `senc` was made from.
const PIFF_SENC: [u8; 16] =
    [0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4];

struct Head {
    base: Option<u64>,
    from_moof: bool,
    defaults: Defaults,
}

fn tfhd(body: &[u8], defaults: &impl Fn(u32) -> Defaults) -> Option<(Part, Head)> {
    let mut fields = Fields::new(body);
    let (_, flags) = fields.version()?;
    let track = fields.u32()?;
    let mut head = Head { base: None, from_moof: flags & 0x2_0000 != 0, defaults: defaults(track) };
    if flags & 1 != 0 {
        head.base = Some(fields.u64()?);
    }
    if flags & 2 != 0 {
        head.defaults.entry = fields.u32()?.saturating_sub(1);
    }
    if flags & 8 != 0 {
        head.defaults.duration = fields.u32()?;
    }
    if flags & 0x10 != 0 {
        head.defaults.size = fields.u32()?;
    }
    if flags & 0x20 != 0 {
        head.defaults.flags = fields.u32()?;
    }
    Some((Part { track, ..Part::default() }, head))
}

fn trun(body: &[u8], base: u64, next: u64, defaults: Defaults) -> Option<Run> {
    let mut fields = Fields::new(body);
    let (_, flags) = fields.version()?;
    let count = fields.u32()?;
    let offset = match flags & DATA_OFFSET {
        0 => next,
        _ => base.checked_add_signed(fields.i32()?.into())?,
    };
    let first_flags = if flags & FIRST_FLAGS != 0 { Some(fields.u32()?) } else { None };
    let width = width(flags);
    // A run whose rows are empty is bounded by what its samples' bytes can be: each has at least one.
    let there = fields.rest().len().checked_div(width).map_or(MAX_EMPTY_ROWS, |rows| rows as u32);
    let count = count.min(there);
    let rows = Bytes::copy_from_slice(fields.rest().get(..count as usize * width)?);
    Some(Run { rows, flags, first_flags, defaults, count, offset })
}

/// Most samples of a run that states nothing about each of them.
const MAX_EMPTY_ROWS: u32 = 1 << 20;

fn width(flags: u32) -> usize {
    (flags & (DURATION | SIZE | FLAGS | COMPOSITION)).count_ones() as usize * 4
}

/// Offset of the first entry in the body of a `saio` box.
pub fn saio(body: &[u8]) -> Option<u64> {
    let mut fields = Fields::new(body);
    let (version, flags) = fields.version()?;
    if flags & 1 != 0 {
        fields.skip(8)?;
    }
    fields.u32()?;
    fields.number(version == 1)
}

/// Facts in a row.
struct Stated {
    duration: u32,
    size: u32,
    flags: u32,
    composition: i32,
}

impl Run {
    /// A cursor on its first sample, which is decoded at `dts`.
    pub fn start(&self, dts: i64) -> RunCursor {
        RunCursor { sample: 0, offset: self.offset, dts }
    }

    /// Offset in the file behind its data.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.sum(|row| row.size))
    }

    /// Ticks from its first sample to behind its last one.
    pub fn duration(&self) -> i64 {
        i64::try_from(self.sum(|row| row.duration)).unwrap_or(i64::MAX)
    }

    fn sum(&self, field: impl Fn(&Stated) -> u32) -> u64 {
        if width(self.flags) == 0 {
            return self.row(0).map_or(0, |row| u64::from(field(&row)) * u64::from(self.count));
        }
        (0..self.count).filter_map(|index| self.row(index)).fold(0, |sum, row| sum + u64::from(field(&row)))
    }

    /// The lowest composition offset, at most 0.
    pub fn lowest(&self) -> i64 {
        if self.flags & COMPOSITION == 0 {
            return 0;
        }
        let offsets = (0..self.count).filter_map(|index| self.row(index)).map(|row| i64::from(row.composition));
        offsets.fold(0, i64::min)
    }

    fn row(&self, index: u32) -> Option<Stated> {
        if index >= self.count {
            return None;
        }
        let at = index as usize * width(self.flags);
        let mut fields = Fields::new(self.rows.get(at..)?);
        let mut field = |flag, default| if self.flags & flag != 0 { fields.u32() } else { Some(default) };
        let (duration, size) = (field(DURATION, self.defaults.duration)?, field(SIZE, self.defaults.size)?);
        let flags = field(FLAGS, self.defaults.flags)?;
        // Offsets of version 0 are unsigned, but no writer means more than half of the range.
        let composition = field(COMPOSITION, 0)? as i32;
        let flags = self.first_flags.filter(|_| index == 0).unwrap_or(flags);
        Some(Stated { duration, size, flags, composition })
    }

    /// The sample at `cursor`, with `shift` added to its times and `lead` to its presentation time; `None` behind the
    /// last one.
    pub fn sample(&self, cursor: &RunCursor, shift: i64, lead: i64) -> Option<Sample> {
        let row = self.row(cursor.sample)?;
        let dts = cursor.dts.saturating_add(shift);
        Some(Sample {
            offset: cursor.offset,
            size: row.size,
            dts,
            pts: dts.saturating_add(lead).saturating_add(row.composition.into()),
            duration: row.duration.into(),
            sync: row.flags & (NON_SYNC | DEPENDS) == 0,
            entry: self.defaults.entry,
            disposable: false,
        })
    }

    /// Moves on by one sample.
    pub fn advance(&self, cursor: &mut RunCursor) {
        if let Some(row) = self.row(cursor.sample) {
            cursor.sample += 1;
            cursor.offset = cursor.offset.saturating_add(row.size.into());
            cursor.dts = cursor.dts.saturating_add(row.duration.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn runs_follow_each_other_and_defaults_fill_in() {
        let tfhd = boxed(b"tfhd", &numbers(&[0x02_0018, 1, 512, 100]));
        let tfdt = boxed(b"tfdt", &numbers(&[0, 9000]));
        let first = boxed(b"trun", &numbers(&[0x0000_0205, 2, 200, 0x0200_0000, 10, 20]));
        let second = boxed(b"trun", &numbers(&[0x0100_0800, 1, -5_i32 as u32]));
        let traf = boxed(b"traf", &[tfhd, tfdt, first, second].concat());
        let body = [boxed(b"mfhd", &numbers(&[0, 7])), traf].concat();
        let defaults = |_| Defaults { flags: NON_SYNC, ..Defaults::default() };
        let (sequence, parts) = parse(&body, 1000, defaults);
        assert_eq!((sequence, parts.len(), parts[0].time), (Some(7), 1, Some(9000)));
        let mut found = vec![];
        let mut dts = 9000;
        for run in &parts[0].runs {
            let mut cursor = run.start(dts);
            while let Some(sample) = run.sample(&cursor, 0, 0) {
                found.push((sample.offset, sample.size, sample.dts, sample.pts, sample.sync));
                run.advance(&mut cursor);
            }
            dts += run.duration();
        }
        let expected =
            [(1200, 10, 9000, 9000, true), (1210, 20, 9512, 9512, false), (1230, 100, 10_024, 10_019, false)];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_count_that_is_not_there_is_not_believed() {
        let tfhd = boxed(b"tfhd", &numbers(&[0, 1]));
        let huge = boxed(b"trun", &numbers(&[0x0000_0200, u32::MAX, 1, 2]));
        let empty = boxed(b"trun", &numbers(&[0, u32::MAX]));
        let (_, parts) = parse(&boxed(b"traf", &[tfhd, huge, empty].concat()), 0, |_| Defaults::default());
        assert_eq!(parts[0].runs.iter().map(|run| run.count).collect::<Vec<_>>(), [2, MAX_EMPTY_ROWS]);
    }
}
