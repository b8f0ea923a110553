//! NAL units cut out of bytes that still arrive: every split of the input gives the same units.

use bytes::Bytes;

use super::scan::{StartCodes, code_start};
use crate::{
    error::{Error, Result},
    input::Input,
};

/// Most bytes of one NAL unit.
pub const MAX_NAL: usize = 32 << 20;

/// Cuts an [`Input`] into NAL units. Each byte is searched once, however the bytes come.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    codes: StartCodes,
    /// Bytes of the window that hold no further start code's begin.
    searched: usize,
    /// Index, in the window, of the unit's first byte, once its start code was passed.
    unit: Option<usize>,
}

/// Answer of [`Splitter::poll`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next unit.
    Unit {
        /// Offset of its first byte, the NAL header, in the input.
        at: u64,
        /// Bytes of its start code with all zeros that lead it, as far as they were not part of the unit before.
        start_code: usize,
        /// Its bytes with zeros behind it, shared with the input.
        data: Bytes,
    },
    /// More bytes decide.
    NeedBytes,
    /// There is no further unit.
    End,
}

impl Splitter {
    /// The next unit. Bytes before the first start code are passed over.
    ///
    /// # Errors
    /// [`Error::Limit`] for a unit beyond [`MAX_NAL`].
    pub fn poll(&mut self, input: &mut Input) -> Result<Step> {
        loop {
            let window = input.peek();
            let found = self.codes.find(window, self.searched);
            let from = self.unit.unwrap_or(0);
            let end = match found {
                Some(code) => code_start(window, code, from),
                None if input.ended() => window.len(),
                None if window.len() > MAX_NAL => {
                    return Err(Error::Limit { what: "bytes of a NAL unit (MAX_NAL)", limit: MAX_NAL as u64 });
                }
                None => {
                    // The last two bytes may begin a code.
                    self.searched = window.len().saturating_sub(2).max(from);
                    if self.unit.is_none() {
                        self.searched -= input.skip(self.searched.saturating_sub(LEADING_ZEROS));
                    }
                    return Ok(Step::NeedBytes);
                }
            };
            let unit = self.unit.map(|start| (start, end)).filter(|(start, end)| end > start);
            if let Some((start, end)) = unit {
                input.skip(start);
                let at = input.offset();
                let data = input.take(end - start).unwrap_or_default();
                (self.unit, self.searched) = (None, 0);
                return Ok(Step::Unit { at, start_code: start, data });
            }
            let Some(code) = found else {
                input.skip(end);
                return Ok(Step::End);
            };
            let before = input.peek().get(..code).unwrap_or_default().iter().rev();
            let zeros = before.take(LEADING_ZEROS).take_while(|byte| **byte == 0).count();
            input.skip(code - zeros);
            (self.unit, self.searched) = (Some(zeros + 3), zeros + 3);
        }
    }
}

/// Zeros that count as part of a start code; more of them are passed over.
const LEADING_ZEROS: usize = 8;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{super::units, *};

    fn split(data: &[u8], sizes: impl Iterator<Item = usize>) -> Vec<(u64, Vec<u8>)> {
        let (mut input, mut splitter, mut out) = (Input::new(), Splitter::default(), Vec::new());
        let (mut rest, mut sizes) = (data, sizes);
        loop {
            match splitter.poll(&mut input).unwrap() {
                Step::Unit { at, data, .. } => out.push((at, data.to_vec())),
                Step::End => return out,
                Step::NeedBytes if rest.is_empty() => input.end(),
                Step::NeedBytes => {
                    let (now, later) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
                    input.push(now);
                    rest = later;
                }
            }
        }
    }

    #[test]
    fn every_split_gives_the_units_of_the_whole() {
        let data = [9, 0, 0, 0, 0, 1, 0x67, 5, 0, 0, 0, 0, 1, 0x68, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0x65, 7, 0, 0];
        let whole: Vec<_> = units(&data).map(|unit| (unit.at as u64, unit.data.to_vec())).collect();
        assert_eq!(whole.len(), 3);
        for size in 1..=data.len() {
            assert_eq!(split(&data, core::iter::repeat(size)), whole, "pieces of {size}");
        }
    }
}
