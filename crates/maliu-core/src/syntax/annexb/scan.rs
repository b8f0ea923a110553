//! Start codes in a slice, found at the speed of memory, and the NAL units between them (PAR-12, PAR-13).

use memchr::memmem;

/// A search for 00 00 01 that is prepared once.
#[derive(Clone, Debug)]
pub struct StartCodes {
    finder: memmem::Finder<'static>,
}

impl Default for StartCodes {
    fn default() -> Self {
        Self { finder: memmem::Finder::new(&[0, 0, 1]) }
    }
}

impl StartCodes {
    /// Index of the first 00 00 01 at or behind `from`.
    pub fn find(&self, data: &[u8], from: usize) -> Option<usize> {
        let found = self.finder.find(data.get(from..)?)?;
        Some(from + found)
    }
}

/// One NAL unit between start codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Index of its first byte, the NAL header, in the slice that was walked.
    pub at: usize,
    /// Bytes of the start code before it, with all zeros that lead it.
    pub start_code: usize,
    /// Its bytes. Zeros behind it are here, except those that belong to the start code that follows.
    pub data: &'a [u8],
}

impl<'a> Unit<'a> {
    /// Its bytes without trailing zeros: a NAL unit never ends in one.
    pub fn trimmed(&self) -> &'a [u8] {
        trimmed(self.data)
    }
}

/// `nal` without the zeros at its end.
pub fn trimmed(nal: &[u8]) -> &[u8] {
    let end = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    nal.get(..end).unwrap_or_default()
}

/// The NAL units of `data`, which is whole. Bytes before the first start code belong to none; an empty unit between
/// two codes is left out. Of the zeros before a code one belongs to it, more stay at the end of the unit before
/// (PAR-5, PAR-12).
pub fn units(data: &[u8]) -> impl Iterator<Item = Unit<'_>> + Clone {
    units_with_empty(data).filter(|unit| !unit.data.is_empty())
}

/// As [`units`], with the empty ones between two codes.
fn units_with_empty(data: &[u8]) -> Units<'_> {
    let codes = StartCodes::default();
    let next = codes.find(data, 0);
    Units { codes, data, next }
}

#[derive(Clone, Debug)]
struct Units<'a> {
    codes: StartCodes,
    data: &'a [u8],
    /// Index of the next 00 00 01.
    next: Option<usize>,
}

impl<'a> Iterator for Units<'a> {
    type Item = Unit<'a>;

    fn next(&mut self) -> Option<Unit<'a>> {
        let code = self.next?;
        let at = code + 3;
        self.next = self.codes.find(self.data, at);
        let end = match self.next {
            Some(next) => code_start(self.data, next, at),
            // A code that ends the data has no unit.
            None if at == self.data.len() => return None,
            None => self.data.len(),
        };
        let zeros = self.data.get(..code).unwrap_or_default().iter().rev().take_while(|byte| **byte == 0).count();
        Some(Unit { at, start_code: zeros + 3, data: self.data.get(at..end).unwrap_or_default() })
    }
}

/// Where the start code whose 00 00 01 stands at `code` begins: one zero before it is taken along, not before `from`.
pub(super) fn code_start(data: &[u8], code: usize, from: usize) -> usize {
    match code.checked_sub(1) {
        Some(before) if before >= from && data.get(before) == Some(&0) => before,
        _ => code,
    }
}

/// Whether `data` begins with 00 00 01 or 00 00 00 01.
pub fn starts_with_code(data: &[u8]) -> bool {
    data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn zeros_before_a_code_are_divided_as_the_reference_does() {
        let data = [9, 0, 0, 1, 0x67, 5, 0, 0, 0, 0, 1, 0x68, 0, 0, 1, 0, 0, 1, 0x65, 7, 0];
        let got: Vec<_> = units(&data).map(|unit| (unit.at, unit.start_code, unit.data, unit.trimmed())).collect();
        let expected: &[(usize, usize, &[u8], &[u8])] =
            &[(4, 3, &[0x67, 5, 0], &[0x67, 5]), (11, 5, &[0x68], &[0x68]), (18, 3, &[0x65, 7, 0], &[0x65, 7])];
        assert_eq!(got, expected);
        assert_eq!(units(&[0, 0, 2, 0, 0]).count(), 0);
        assert_eq!(units(&[0, 0, 0, 1]).count(), 0);
    }
}
