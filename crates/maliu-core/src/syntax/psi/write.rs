//! Sections being written: the long head, a body, and the checksum (ISO/IEC 13818-1 §2.4.4, EN 300 468 §5.2.3).

use alloc::{string::String, vec::Vec};

use super::{Descriptor, Pat, Pmt, Sdt, crc32};

/// Most bytes of a section of PAT, PMT or SDT behind its length (§2.4.4.4).
pub(super) const MAX_LENGTH: usize = 1021;

/// The only section of a table. `flags` are the bits in front of its length.
fn section(table_id: u8, flags: u8, id: u16, version: u8, body: &[u8]) -> Option<Vec<u8>> {
    // Five bytes of head behind the length, four of checksum.
    let length = body.len() + 9;
    if length > MAX_LENGTH {
        return None;
    }
    let mut out = Vec::with_capacity(3 + length);
    out.extend_from_slice(&[table_id, flags | (length >> 8) as u8, length as u8]);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&[0xc1 | (version & 31) << 1, 0, 0]);
    out.extend_from_slice(body);
    let checksum = crc32(&out);
    out.extend_from_slice(&checksum.to_be_bytes());
    Some(out)
}

/// Appends a descriptor; a body above 255 bytes is cut.
pub fn put_descriptor(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    let body = body.get(..255).unwrap_or(body);
    out.extend_from_slice(&[tag, body.len() as u8]);
    out.extend_from_slice(body);
}

impl Pat {
    /// The table as one section of the transport stream `id`; `None` when it does not fit.
    pub fn build(&self, id: u16, version: u8) -> Option<Vec<u8>> {
        let mut body = Vec::with_capacity(4 * self.programs.len());
        for (number, pid) in &self.programs {
            body.extend_from_slice(&number.to_be_bytes());
            body.extend_from_slice(&(0xe000 | pid).to_be_bytes());
        }
        section(Self::TABLE, 0xb0, id, version, &body)
    }
}

impl Pmt {
    /// The table as one section; `None` when it does not fit.
    pub fn build(&self, version: u8) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        body.extend_from_slice(&(0xe000 | self.pcr_pid).to_be_bytes());
        put_list(&mut body, &self.descriptors)?;
        for stream in &self.streams {
            body.push(stream.stream_type);
            body.extend_from_slice(&(0xe000 | stream.pid).to_be_bytes());
            put_list(&mut body, &stream.descriptors)?;
        }
        section(Self::TABLE, 0xb0, self.program, version, &body)
    }
}

impl Sdt {
    /// The table as one section of the transport stream `id` of a network; `None` when it does not fit.
    pub fn build(&self, id: u16, network: u16, version: u8) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        body.extend_from_slice(&network.to_be_bytes());
        body.push(0xff);
        for service in &self.services {
            body.extend_from_slice(&service.id.to_be_bytes());
            // No schedule, no present and following events.
            body.push(0xfc);
            let mut names = alloc::vec![service.kind];
            put_text(&mut names, &service.provider);
            put_text(&mut names, &service.name);
            let mut list = Vec::new();
            put_descriptor(&mut list, Descriptor::SERVICE, &names);
            // running_status 4: it runs; not scrambled.
            let length = u16::try_from(list.len()).ok()?;
            body.extend_from_slice(&(0x8000 | length).to_be_bytes());
            body.extend_from_slice(&list);
        }
        section(Self::TABLE, 0xf0, id, version, &body)
    }
}

/// A list of descriptors behind its length of 12 bits.
fn put_list(out: &mut Vec<u8>, list: &[u8]) -> Option<()> {
    let length = u16::try_from(list.len()).ok().filter(|length| *length < 0x400)?;
    out.extend_from_slice(&(0xf000 | length).to_be_bytes());
    out.extend_from_slice(list);
    Some(())
}

/// Most bytes of a name: two and the type fit in a descriptor.
const MAX_NAME: usize = 120;

/// A text behind its length: as it is if it is ASCII, else marked as UTF-8 (EN 300 468 Annex A).
fn put_text(out: &mut Vec<u8>, text: &str) {
    let mut short = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if short.len() + letter.len_utf8() > MAX_NAME {
            break;
        }
        short.push(letter);
    }
    let marked = !short.is_ascii();
    out.push(short.len() as u8 + u8::from(marked));
    if marked {
        out.push(0x15);
    }
    out.extend_from_slice(short.as_bytes());
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::syntax::psi::{Elementary, LongSection, Service};

    #[test]
    fn tables_read_back_as_written() {
        let pat = Pat { programs: vec![(1, 0x1000)] };
        let bytes = pat.build(1, 0).unwrap();
        assert_eq!(Pat::parse(&LongSection::parse(&bytes).unwrap()), pat);
        let streams = vec![
            Elementary { stream_type: 0x1b, pid: 0x100, descriptors: vec![] },
            Elementary { stream_type: 6, pid: 0x101, descriptors: vec![5, 4, b'O', b'p', b'u', b's'] },
        ];
        let pmt = Pmt { program: 7, pcr_pid: 0x100, descriptors: vec![], streams };
        let bytes = pmt.build(3).unwrap();
        let section = LongSection::parse(&bytes).unwrap();
        assert_eq!((section.version, section.current), (3, true));
        assert_eq!(Pmt::parse(&section), Some(pmt));
        let service = Service { id: 7, kind: 1, provider: "码流".into(), name: "One".into() };
        let sdt = Sdt { services: vec![service] };
        assert_eq!(Sdt::parse(&LongSection::parse(&sdt.build(1, 0xff01, 0).unwrap()).unwrap()), sdt);
    }

    #[test]
    fn a_table_that_does_not_fit_is_none() {
        let streams = vec![Elementary { descriptors: vec![0; 200], ..Elementary::default() }; 6];
        assert_eq!(Pmt { streams, ..Pmt::default() }.build(0), None);
    }
}
