//! Which pictures the decoding library keeps for prediction, counted from outside (ISO/IEC 14496-10 §8.2.5).
//!
//! The library keeps whatever the stream marks, however much memory that takes, and does not report it. This follows the
//! marking of every picture as the library does it, so that a picture can be refused before it is decoded.

use maliu_core::syntax::h264::{Marking, MemoryOperation, SliceHeader, SliceStart, SliceType};

/// Part of a frame that a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Structure {
    Frame,
    Top,
    Bottom,
}

/// A picture as far as marking needs it.
#[derive(Clone, Debug)]
pub(super) struct Coded {
    pub header: SliceHeader,
    pub marking: Marking,
    /// 2^log2_max_frame_num.
    pub max_frame_num: u32,
    /// Bytes that the library keeps for it.
    pub bytes: u64,
}

impl Coded {
    /// An IDR frame.
    pub(super) fn idr(max_frame_num: u32, bytes: u64) -> Self {
        let start = SliceStart { first_mb_in_slice: 0, slice_type: SliceType::I, pic_parameter_set_id: 0 };
        let header = SliceHeader {
            start,
            nal_ref_idc: 3,
            idr: true,
            colour_plane_id: 0,
            frame_num: 0,
            field_pic_flag: false,
            bottom_field_flag: false,
            idr_pic_id: 0,
            pic_order_cnt_lsb: 0,
            delta_pic_order_cnt_bottom: 0,
            delta_pic_order_cnt: [0; 2],
            redundant_pic_cnt: 0,
        };
        Self { header, marking: Marking::default(), max_frame_num, bytes }
    }

    fn structure(&self) -> Structure {
        match (self.header.field_pic_flag, self.header.bottom_field_flag) {
            (false, _) => Structure::Frame,
            (true, false) => Structure::Top,
            (true, true) => Structure::Bottom,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    frame_num: u32,
    structure: Structure,
    /// Index of a long-term picture; `None` of a short-term one.
    long_term: Option<u32>,
    bytes: u64,
}

/// The pictures that are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct References {
    kept: Vec<Kept>,
    /// max_num_ref_frames of the last sequence parameter set.
    most: usize,
    previous: Option<u32>,
}

impl References {
    /// Bytes of all pictures that are kept.
    pub(super) fn bytes(&self) -> u64 {
        self.kept.iter().map(|kept| kept.bytes).sum()
    }

    /// Forgets all pictures.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.previous = None;
    }

    /// A sequence parameter set allows this many frames.
    pub(super) fn allow(&mut self, max_num_ref_frames: u8) {
        self.most = usize::from(max_num_ref_frames);
    }

    /// Bytes that [`References::begin`] would add.
    pub(super) fn filled(&self, picture: &Coded) -> u64 {
        let mut filled = self.clone();
        filled.begin(picture);
        filled.bytes().saturating_sub(self.bytes())
    }

    /// A picture begins: frame numbers that were skipped become copies of the last picture (§8.2.5.2).
    pub(super) fn begin(&mut self, picture: &Coded) {
        let (frame_num, modulo) = (picture.header.frame_num, picture.max_frame_num);
        let Some(previous) = self.previous.filter(|_| !picture.header.idr && modulo > 0) else { return };
        if frame_num >= modulo || frame_num == previous || frame_num == (previous + 1) % modulo {
            return;
        }
        let missing = (frame_num + modulo - previous - 1) % modulo;
        let skipped = missing.saturating_sub(self.most.max(1) as u32);
        let mut unused = (previous + 1 + skipped) % modulo;
        while unused != frame_num {
            let Some(bytes) = self.newest_frame() else { break };
            self.slide();
            self.kept.push(Kept { frame_num: unused, structure: Structure::Frame, long_term: None, bytes });
            unused = (unused + 1) % modulo;
        }
        self.previous = Some((frame_num + modulo - 1) % modulo);
    }

    /// A picture is complete: marks the others as it says, and keeps it if it is a reference.
    pub(super) fn complete(&mut self, picture: &Coded) {
        let (header, structure) = (&picture.header, picture.structure());
        if header.idr {
            self.kept.clear();
        }
        let operations = &picture.marking.operations;
        operations.iter().for_each(|operation| self.apply(*operation, picture));
        let frame_num = if picture.marking.restarts() { 0 } else { header.frame_num };
        if header.nal_ref_idc == 0 {
            return;
        }
        let completes_pair = structure != Structure::Frame
            && self.kept.iter().any(|kept| {
                kept.long_term.is_none()
                    && kept.frame_num == header.frame_num
                    && kept.structure != structure
                    && kept.structure != Structure::Frame
            });
        let long_term = (header.idr && picture.marking.long_term_reference_flag).then_some(0);
        if !picture.marking.adaptive && !header.idr && long_term.is_none() && !completes_pair {
            self.slide();
        }
        self.kept.push(Kept { frame_num: header.frame_num, structure, long_term, bytes: picture.bytes });
        self.previous = Some(frame_num);
        for operation in operations {
            if let MemoryOperation::CurrentToLongTerm { long_term_frame_idx } = *operation {
                self.current_to_long_term(long_term_frame_idx, frame_num);
            }
        }
    }

    fn apply(&mut self, operation: MemoryOperation, picture: &Coded) {
        let (fields, structure) = (picture.header.field_pic_flag, picture.structure());
        let current = i64::from(picture.header.frame_num);
        let current = if fields { 2 * current + 1 } else { current };
        // Of a picture number: the frame it names, and the field, in pictures that are fields (§8.2.4.1).
        let named = |number: i64| -> (u32, Option<Structure>) {
            let frame = if fields { number.div_euclid(2) } else { number };
            let opposite = if structure == Structure::Top { Structure::Bottom } else { Structure::Top };
            let field = if number.rem_euclid(2) == 1 { structure } else { opposite };
            (frame.rem_euclid(i64::from(picture.max_frame_num.max(1))) as u32, fields.then_some(field))
        };
        match operation {
            MemoryOperation::ShortTermUnused { difference_of_pic_nums_minus1 } => {
                let (frame_num, field) = named(current - i64::from(difference_of_pic_nums_minus1) - 1);
                self.kept.retain(|kept| !kept.is_short(frame_num, field));
            }
            MemoryOperation::LongTermUnused { long_term_pic_num } => {
                let index = if fields { long_term_pic_num / 2 } else { long_term_pic_num };
                let (_, field) = named(i64::from(long_term_pic_num));
                self.kept.retain(|kept| kept.long_term != Some(index) || !kept.is_part(field));
            }
            MemoryOperation::ToLongTerm { difference_of_pic_nums_minus1, long_term_frame_idx } => {
                let (frame_num, field) = named(current - i64::from(difference_of_pic_nums_minus1) - 1);
                self.keep_long_term(frame_num, field, long_term_frame_idx);
            }
            MemoryOperation::MaxLongTerm { max_long_term_frame_idx_plus1 } => {
                self.kept.retain(|kept| kept.long_term.is_none_or(|index| index < max_long_term_frame_idx_plus1));
            }
            MemoryOperation::Restart => self.kept.clear(),
            MemoryOperation::CurrentToLongTerm { .. } => {}
        }
    }

    fn keep_long_term(&mut self, frame_num: u32, field: Option<Structure>, index: u32) {
        let Some(first) = self.kept.iter().find(|kept| kept.is_short(frame_num, field)).copied() else { return };
        self.kept.retain(|kept| kept.long_term != Some(index) || first.is_paired(kept));
        let named = self.kept.iter_mut().filter(|kept| kept.is_short(frame_num, field));
        named.for_each(|kept| kept.long_term = Some(index));
    }

    fn current_to_long_term(&mut self, index: u32, frame_num: u32) {
        let Some(current) = self.kept.last().copied() else { return };
        self.kept.retain(|kept| kept.long_term != Some(index) || current.is_paired(kept));
        let mut newest = self.kept.iter_mut().rev();
        if let Some(kept) = newest.find(|kept| kept.long_term.is_none() && kept.frame_num == frame_num) {
            kept.long_term = Some(index);
        }
    }

    /// The sliding window (§8.2.5.3): makes place for one frame more.
    fn slide(&mut self) {
        while self.most > 0 && self.frames() >= self.most {
            let Some(oldest) = self.kept.iter().find(|kept| kept.long_term.is_none()).copied() else { return };
            self.kept.retain(|kept| !kept.is_short(oldest.frame_num, None));
        }
    }

    /// Frames that are kept; two fields of one count once.
    fn frames(&self) -> usize {
        let mut frames: Vec<_> = self.kept.iter().map(|kept| (kept.long_term, kept.frame())).collect();
        frames.sort_unstable();
        frames.dedup();
        frames.len()
    }

    /// Bytes of a short-term frame that can be copied.
    fn newest_frame(&self) -> Option<u64> {
        let short = self.kept.iter().filter(|kept| kept.long_term.is_none());
        short.map(|kept| if kept.structure == Structure::Frame { kept.bytes } else { kept.bytes * 2 }).max()
    }
}

impl Kept {
    fn is_part(&self, field: Option<Structure>) -> bool {
        field.is_none_or(|field| self.structure == field || self.structure == Structure::Frame)
    }

    fn is_short(&self, frame_num: u32, field: Option<Structure>) -> bool {
        self.long_term.is_none() && self.frame_num == frame_num && self.is_part(field)
    }

    /// Whether `other` is the other field of this one's frame.
    fn is_paired(&self, other: &Self) -> bool {
        let fields = [self, other].iter().all(|kept| kept.structure != Structure::Frame);
        fields && self.structure != other.structure && self.frame_num == other.frame_num
    }

    /// Key that distinguishes its frame from others of the same term.
    fn frame(&self) -> u32 {
        if self.long_term.is_some() { 0 } else { self.frame_num }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(frame_num: u32, idr: bool, operations: &[MemoryOperation]) -> Coded {
        let adaptive = !operations.is_empty();
        let marking = Marking { long_term_reference_flag: false, adaptive, operations: operations.to_vec() };
        let mut coded = Coded { marking, ..Coded::idr(16, 10) };
        (coded.header.frame_num, coded.header.idr) = (frame_num, idr);
        coded
    }

    fn after(most: u8, pictures: &[Coded]) -> u64 {
        let mut references = References::default();
        references.allow(most);
        for picture in pictures {
            references.begin(picture);
            references.complete(picture);
        }
        references.bytes()
    }

    #[test]
    fn the_window_slides_and_an_idr_picture_empties_it() {
        let row: Vec<_> = (0..9).map(|n| picture(n, n == 0, &[])).collect();
        assert_eq!((after(4, &row), after(16, &row)), (40, 90));
        assert_eq!(after(4, &[&row[..], &[picture(0, true, &[])]].concat()), 10);
    }

    #[test]
    fn operations_that_remove_nothing_let_the_buffer_grow() {
        let nothing = [MemoryOperation::MaxLongTerm { max_long_term_frame_idx_plus1: 0 }];
        let row: Vec<_> = (0..9).map(|n| picture(n, n == 0, if n == 0 { &[] } else { &nothing })).collect();
        assert_eq!(after(2, &row), 90);
        let one = [MemoryOperation::ShortTermUnused { difference_of_pic_nums_minus1: 0 }];
        let row: Vec<_> = (0..9).map(|n| picture(n, n == 0, if n == 0 { &[] } else { &one })).collect();
        assert_eq!(after(2, &row), 10);
        assert_eq!(after(2, &[&row[..], &[picture(9, false, &[MemoryOperation::Restart])]].concat()), 10);
    }

    #[test]
    fn long_term_pictures_stay_and_skipped_numbers_are_filled() {
        let keep = [MemoryOperation::CurrentToLongTerm { long_term_frame_idx: 0 }];
        let row: Vec<_> = (0..9).map(|n| picture(n, n == 0, if n == 1 { &keep } else { &[] })).collect();
        assert_eq!(after(3, &row), 30);
        assert_eq!(after(8, &[picture(0, true, &[]), picture(6, false, &[])]), 70);
        assert_eq!(after(4, &[picture(0, true, &[]), picture(6, false, &[])]), 40);
    }
}
