//! Where a picture ends, from one start code to the next: what decides is the codes, as in the reference.

use super::{EXTENSION, SEQUENCE, SEQUENCE_END, VOP};

/// Follows the start codes of a stream and says where units end.
pub trait Ends: Default + Send {
    /// Takes the start code at the front of `bytes` (00 00 01 and what follows). `None`: more bytes decide, which must
    /// not happen when they are `whole`.
    fn code(&mut self, bytes: &[u8], whole: bool) -> Option<End>;
}

/// Meaning of a start code for the unit before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The unit goes on.
    No,
    /// The unit ends in front of the code, which is to be taken again.
    Before,
    /// The unit ends behind the code.
    Behind,
}

/// Bytes of a picture_coding_extension that tell whether a picture is a frame.
const STRUCTURE: usize = 7;

/// Units of MPEG-1 and MPEG-2: a frame, or both fields of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct PictureEnds {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Start,
    /// The first field was announced; its slices do not end the unit.
    FirstField,
    /// Slices were met.
    Slices,
}

impl Ends for PictureEnds {
    fn code(&mut self, bytes: &[u8], whole: bool) -> Option<End> {
        let Some(&code) = bytes.get(3) else { return whole.then_some(End::No) };
        let slice = (0x01..=0xaf).contains(&code);
        match (self.state, code) {
            (State::Slices, _) if !slice => {
                self.state = State::Start;
                return Some(End::Before);
            }
            (State::Start, _) if slice => self.state = State::Slices,
            (_, SEQUENCE_END) => {
                self.state = State::Start;
                return Some(End::Behind);
            }
            (State::FirstField, SEQUENCE) => self.state = State::Start,
            (State::Start | State::FirstField, EXTENSION) => {
                let Some(&kind) = bytes.get(4) else { return whole.then_some(End::No) };
                if kind & 0xf0 == 0x80 {
                    let Some(&structure) = bytes.get(STRUCTURE - 1) else { return whole.then_some(End::No) };
                    let frame = structure & 3 == 3;
                    self.state = match self.state {
                        State::Start if !frame => State::FirstField,
                        _ => State::Start,
                    };
                }
            }
            _ => {}
        }
        Some(End::No)
    }
}

/// Units of MPEG-4 part 2: a video object plane with what stands before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct VopEnds {
    found: bool,
}

impl Ends for VopEnds {
    fn code(&mut self, bytes: &[u8], whole: bool) -> Option<End> {
        let Some(&code) = bytes.get(3) else { return whole.then_some(End::No) };
        // Codes b7 and b8 stand inside pictures of studio profiles.
        if self.found && !matches!(code, 0xb7 | 0xb8) {
            self.found = false;
            return Some(End::Before);
        }
        self.found |= code == VOP;
        Some(End::No)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    fn ends(codes: &[&[u8]]) -> Vec<End> {
        let mut ends = PictureEnds::default();
        codes.iter().map(|code| ends.code(&[&[0, 0, 1], *code, &[0; 4]].concat(), true).unwrap()).collect()
    }

    #[test]
    fn a_frame_ends_before_what_follows_its_slices() {
        use End::{Before, Behind, No};
        assert_eq!(ends(&[&[0xb3], &[0], &[1], &[2], &[0]]), vec![No, No, No, No, Before]);
        assert_eq!(ends(&[&[0], &[1], &[0xb7], &[0xb7]]), vec![No, No, Before, Behind]);
    }

    #[test]
    fn both_fields_of_a_frame_are_one_unit() {
        use End::{Before, No};
        let field = [0xb5, 0x80, 0, 1];
        let codes: [&[u8]; 7] = [&[0], &field, &[1], &[0], &field, &[1], &[0]];
        assert_eq!(ends(&codes), vec![No, No, No, No, No, No, Before]);
    }

    #[test]
    fn a_cut_code_waits_for_more() {
        assert_eq!(PictureEnds::default().code(&[0, 0, 1, 0xb5, 0x80], false), None);
        assert_eq!(VopEnds::default().code(&[0, 0, 1], false), None);
    }
}
