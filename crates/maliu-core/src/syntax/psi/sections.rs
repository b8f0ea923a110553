//! Sections put together from the payloads of one PID (ISO/IEC 13818-1 §2.4.4.1).

use alloc::vec::Vec;

/// Most bytes of a section: 3 and a length of 12 bits.
pub const MAX_SECTION: usize = 4098;

/// Bytes in front of the body of every section: table_id and length.
const HEAD: usize = 3;

/// Collects the sections of one PID, whatever packets they are spread over.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    buffer: Vec<u8>,
    /// A section has begun in the bytes that are kept.
    begun: bool,
}

impl Sections {
    /// Takes the payload of a packet; `start` is its payload_unit_start_indicator. Each whole section goes to `each`.
    pub fn payload(&mut self, payload: &[u8], start: bool, mut each: impl FnMut(&[u8])) {
        if !start {
            if self.begun {
                self.buffer.extend_from_slice(payload);
                self.take(&mut each);
            }
            return;
        }
        let Some((&pointer, rest)) = payload.split_first() else { return };
        let (before, sections) = rest.split_at_checked(usize::from(pointer)).unwrap_or((rest, &[]));
        if self.begun {
            self.buffer.extend_from_slice(before);
            self.take(&mut each);
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(sections);
        self.begun = true;
        self.take(&mut each);
    }

    /// A packet was lost: the section under way is dropped.
    pub fn lost(&mut self) {
        self.buffer.clear();
        self.begun = false;
    }

    /// Whether a section has begun that is not whole.
    pub fn is_open(&self) -> bool {
        self.begun && !self.buffer.is_empty()
    }

    fn take(&mut self, each: &mut impl FnMut(&[u8])) {
        let mut from = 0;
        loop {
            let rest = self.buffer.get(from..).unwrap_or_default();
            let &[table, high, low, ..] = rest else { break };
            if table == 0xff {
                // Stuffing up to the end of the packet.
                self.begun = false;
                break;
            }
            let length = HEAD + (usize::from(high & 0x0f) << 8 | usize::from(low));
            let Some(section) = rest.get(..length) else { break };
            each(section);
            from += length;
        }
        if self.begun {
            self.buffer.drain(..from.min(self.buffer.len()));
        } else {
            self.buffer.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    fn read(payloads: &[(&[u8], bool)]) -> Vec<Vec<u8>> {
        let (mut sections, mut out) = (Sections::default(), vec![]);
        payloads.iter().for_each(|(payload, start)| sections.payload(payload, *start, |got| out.push(got.to_vec())));
        out
    }

    #[test]
    fn sections_span_packets_and_share_them() {
        let (a, b) = ([1, 0xb0, 2, 7, 8], [2, 0xb0, 1, 9]);
        assert_eq!(read(&[(&[&[0][..], &a, &b, &[0xff; 5]].concat(), true)]), [a.to_vec(), b.to_vec()]);
        let split =
            [(&[0, 1, 0xb0][..], true), (&[2, 7][..], false), (&[1, 8, 2, 0xb0, 1][..], true), (&[9][..], false)];
        assert_eq!(read(&split), [a.to_vec(), b.to_vec()]);
    }

    #[test]
    fn what_has_no_start_is_passed_over() {
        assert!(read(&[(&[1, 0xb0, 0], false)]).is_empty());
        assert!(read(&[(&[9, 1, 0xb0, 0], true)]).is_empty());
        assert!(read(&[(&[], true)]).is_empty());
    }
}
