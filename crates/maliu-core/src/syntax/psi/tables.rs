//! The tables in sections: programs, their streams, services and events.

use alloc::{string::String, vec::Vec};

use super::{
    crc32,
    descriptors::{Descriptor, descriptors, service, short_event},
};

/// A section with the long head: one part of one version of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongSection<'a> {
    /// table_id.
    pub table_id: u8,
    /// table_id_extension: transport stream, program or service number.
    pub id: u16,
    /// version_number, 0 to 31.
    pub version: u8,
    /// current_next_indicator: it holds now.
    pub current: bool,
    /// section_number.
    pub number: u8,
    /// last_section_number.
    pub last_number: u8,
    /// Bytes between the head and the checksum.
    pub body: &'a [u8],
}

impl<'a> LongSection<'a> {
    /// The section in `bytes`; `None` when it is short, cut or its checksum is wrong.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let (body, _) = rest.split_last_chunk::<4>()?;
        let [table_id, syntax, _, id_high, id_low, flags, number, last_number] = *head;
        (syntax & 0x80 != 0 && crc32(bytes) == 0).then_some(Self {
            table_id,
            id: u16::from_be_bytes([id_high, id_low]),
            version: flags >> 1 & 31,
            current: flags & 1 != 0,
            number,
            last_number,
            body,
        })
    }
}

/// Program association: which programs there are (§2.4.4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pat {
    /// program_number and the PID of its map. Number 0 (the network PID) is left out.
    pub programs: Vec<(u16, u16)>,
}

impl Pat {
    /// table_id.
    pub const TABLE: u8 = 0x00;

    /// The programs of one section.
    pub fn parse(section: &LongSection) -> Self {
        let rows = section.body.chunks_exact(4).filter_map(|row| row.first_chunk::<4>());
        let programs = rows.map(|[a, b, c, d]| (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c & 0x1f, *d])));
        Self { programs: programs.filter(|(number, _)| *number != 0).collect() }
    }
}

/// Program map: the streams of one program (§2.4.4.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pmt {
    /// program_number.
    pub program: u16,
    /// PID of the packets with the program's clock.
    pub pcr_pid: u16,
    /// Descriptors of the program, uninterpreted.
    pub descriptors: Vec<u8>,
    /// Its streams in order.
    pub streams: Vec<Elementary>,
}

/// A stream of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elementary {
    /// stream_type.
    pub stream_type: u8,
    /// elementary_PID.
    pub pid: u16,
    /// Its descriptors, uninterpreted.
    pub descriptors: Vec<u8>,
}

impl Pmt {
    /// table_id.
    pub const TABLE: u8 = 0x02;

    /// The map in a section; `None` when it is cut.
    pub fn parse(section: &LongSection) -> Option<Self> {
        let (&[p0, p1, i0, i1], rest) = section.body.split_first_chunk::<4>()?;
        let info = usize::from(i0 & 0x0f) << 8 | usize::from(i1);
        let (descriptors, mut rest) = rest.split_at_checked(info)?;
        let mut streams = Vec::new();
        while let Some((&[stream_type, e0, e1, l0, l1], behind)) = rest.split_first_chunk::<5>() {
            let length = (usize::from(l0 & 0x0f) << 8 | usize::from(l1)).min(behind.len());
            let (descriptors, next) = behind.split_at_checked(length)?;
            let pid = u16::from_be_bytes([e0 & 0x1f, e1]);
            streams.push(Elementary { stream_type, pid, descriptors: descriptors.to_vec() });
            rest = next;
        }
        let pcr_pid = u16::from_be_bytes([p0 & 0x1f, p1]);
        Some(Self { program: section.id, pcr_pid, descriptors: descriptors.to_vec(), streams })
    }

    /// The four letters of the program's registration descriptor (§2.6.8).
    pub fn registration(&self) -> Option<[u8; 4]> {
        registration(&self.descriptors)
    }
}

impl Elementary {
    /// The four letters of the stream's registration descriptor (§2.6.8).
    pub fn registration(&self) -> Option<[u8; 4]> {
        registration(&self.descriptors)
    }

    /// Its descriptor of a tag.
    pub fn descriptor(&self, tag: u8) -> Option<&[u8]> {
        descriptors(&self.descriptors).find(|descriptor| descriptor.tag == tag).map(|descriptor| descriptor.body)
    }
}

fn registration(bytes: &[u8]) -> Option<[u8; 4]> {
    descriptors(bytes).find(|it| it.tag == Descriptor::REGISTRATION).and_then(|it| it.body.first_chunk().copied())
}

/// Service description: what the programs are called (EN 300 468 §5.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdt {
    /// One entry for each service that has a name.
    pub services: Vec<Service>,
}

/// The name of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// service_id: the program_number.
    pub id: u16,
    /// service_type: 1 television, 2 radio, ….
    pub kind: u8,
    /// service_provider_name.
    pub provider: String,
    /// service_name.
    pub name: String,
}

impl Sdt {
    /// table_id of the stream's own services.
    pub const TABLE: u8 = 0x42;

    /// The services of one section.
    pub fn parse(section: &LongSection) -> Self {
        let mut rest = section.body.get(3..).unwrap_or_default();
        let mut services = Vec::new();
        while let Some((&[i0, i1, _, l0, l1], behind)) = rest.split_first_chunk::<5>() {
            let length = (usize::from(l0 & 0x0f) << 8 | usize::from(l1)).min(behind.len());
            let Some((list, next)) = behind.split_at_checked(length) else { break };
            let named = descriptors(list).find(|it| it.tag == Descriptor::SERVICE).and_then(|it| service(it.body));
            if let Some((kind, provider, name)) = named {
                services.push(Service { id: u16::from_be_bytes([i0, i1]), kind, provider, name });
            }
            rest = next;
        }
        Self { services }
    }
}

/// Event information: what is on (EN 300 468 §5.2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eit {
    /// service_id: the program_number.
    pub service: u16,
    /// Its events in order: the present and the following one.
    pub events: Vec<Event>,
}

/// An event of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// event_id.
    pub id: u16,
    /// ISO 639-2 code of its texts.
    pub language: String,
    /// event_name.
    pub name: String,
    /// Its short description.
    pub text: String,
}

impl Eit {
    /// table_id of what is on in this stream's services.
    pub const TABLE: u8 = 0x4e;

    /// The events of one section.
    pub fn parse(section: &LongSection) -> Self {
        let mut rest = section.body.get(6..).unwrap_or_default();
        let mut events = Vec::new();
        while let Some((&[i0, i1, .., l0, l1], behind)) = rest.split_first_chunk::<12>() {
            let length = (usize::from(l0 & 0x0f) << 8 | usize::from(l1)).min(behind.len());
            let Some((list, next)) = behind.split_at_checked(length) else { break };
            let short = descriptors(list).find(|it| it.tag == Descriptor::SHORT_EVENT);
            if let Some((language, name, text)) = short.and_then(|it| short_event(it.body)) {
                events.push(Event { id: u16::from_be_bytes([i0, i1]), language, name, text });
            }
            rest = next;
        }
        Self { service: section.id, events }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_map_lists_its_streams_with_their_descriptors() {
        let body = [0xe1, 0x00, 0xf0, 0x02, 9, 0, 0x1b, 0xe1, 0, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 3, 5, 1, 7];
        let section =
            LongSection { table_id: 2, id: 1, version: 0, current: true, number: 0, last_number: 0, body: &body };
        let pmt = Pmt::parse(&section).unwrap();
        assert_eq!((pmt.program, pmt.pcr_pid, &pmt.descriptors[..]), (1, 0x100, &[9, 0][..]));
        let video = Elementary { stream_type: 0x1b, pid: 0x100, descriptors: vec![] };
        let audio = Elementary { stream_type: 0x0f, pid: 0x101, descriptors: vec![5, 1, 7] };
        assert_eq!(pmt.streams, [video, audio]);
    }

    #[test]
    fn a_section_with_a_wrong_checksum_is_none() {
        let mut pat = [0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xf0, 0x00, 0x2a, 0xb1, 0x04, 0xb2];
        let section = LongSection::parse(&pat).unwrap();
        assert_eq!((section.id, section.version, section.current), (1, 0, true));
        assert_eq!(Pat::parse(&section).programs, [(1, 0x1000)]);
        pat[9] = 2;
        assert_eq!(LongSection::parse(&pat), None);
    }
}
