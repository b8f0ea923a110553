//! Pages of Ogg: a header, the lengths of the segments of its packets, the segments (RFC 3533 §6).
//!
//! ```text
//!   "OggS" 0 flags(8) granule(64) serial(32) sequence(32) crc(32) n(8) │ n lengths │ segments …      little-endian
//!   lengths: 255 255 17 │ 40 │ 255     a packet of 527 bytes, one of 40, the first 255 bytes of a third
//! ```

use alloc::vec::Vec;

use bytes::{BufMut, Bytes};

use super::crc;

/// Bytes of a header without segment lengths.
pub const HEADER: usize = 27;

/// Most bytes of a page.
pub const MAX_PAGE: usize = HEADER + 255 + 255 * 255;

/// First bytes of every page.
pub const CAPTURE: &[u8; 4] = b"OggS";

/// Flag: the first packet began on an earlier page.
pub const CONTINUED: u8 = 1;
/// Flag: the first page of a logical stream.
pub const FIRST: u8 = 2;
/// Flag: the last page of a logical stream.
pub const LAST: u8 = 4;

/// The header of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// [`CONTINUED`], [`FIRST`], [`LAST`].
    pub flags: u8,
    /// Position behind the last packet that ends on the page, in the codec's own unit; `None` when none ends on it.
    pub granule: Option<u64>,
    /// Number of the logical stream.
    pub serial: u32,
    /// Number of the page in its stream.
    pub sequence: u32,
    /// Bytes in front of the segments.
    pub header: usize,
    /// Bytes of the whole page.
    pub length: usize,
}

/// The page at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// A whole page with a right checksum.
    Page(Page),
    /// A whole page with a wrong checksum.
    Damaged(Page),
    /// So far it is the start of a page.
    More,
    /// It is no page.
    None,
}

/// Reads the front of `bytes`.
pub fn front(bytes: &[u8]) -> Front {
    if bytes.iter().zip(b"OggS\0").any(|(byte, mark)| byte != mark) {
        return Front::None;
    }
    let Some(page) = header(bytes) else { return Front::More };
    match bytes.get(..page.length) {
        None => Front::More,
        Some(whole) if checksum(whole) == stored(whole) => Front::Page(page),
        Some(_) => Front::Damaged(page),
    }
}

/// The header at the start of `bytes`, when all of it is there. Its mark is not looked at.
pub fn header(bytes: &[u8]) -> Option<Page> {
    let (head, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [_, _, _, _, _, flags, numbers @ .., count] = head;
    let word = |at: usize| numbers.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word));
    let granule = u64::from(word(0)?) | u64::from(word(4)?) << 32;
    let lengths = rest.get(..usize::from(*count))?;
    let header = HEADER + lengths.len();
    Some(Page {
        flags: *flags,
        granule: (granule != u64::MAX).then_some(granule),
        serial: word(8)?,
        sequence: word(12)?,
        header,
        length: header + lengths.iter().map(|length| usize::from(*length)).sum::<usize>(),
    })
}

fn stored(page: &[u8]) -> u32 {
    page.get(22..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
}

/// The checksum of a whole page, for which its own field counts as 0.
fn checksum(page: &[u8]) -> u32 {
    let (front, rest) = page.split_at(page.len().min(22));
    crc::update(crc::update(crc::update(0, front), &[0; 4]), rest.get(4..).unwrap_or_default())
}

/// The packets on a whole page: each part, and whether the packet ends with it.
pub fn parts(page: &Bytes, head: &Page) -> Vec<(Bytes, bool)> {
    let lengths = page.get(HEADER..head.header).unwrap_or_default();
    let (mut parts, mut at) = (Vec::new(), head.header);
    let mut take = |size: usize, ends: bool| {
        let end = (at + size).min(page.len());
        parts.push((page.slice(at.min(end)..end), ends));
        at = end;
    };
    let mut size = 0;
    for length in lengths {
        size += usize::from(*length);
        if *length < 255 {
            take(core::mem::take(&mut size), true);
        }
    }
    if lengths.last() == Some(&255) {
        take(size, false);
    }
    parts
}

/// A page to be written.
#[derive(Debug, Default)]
pub struct Building {
    lengths: Vec<u8>,
    body: Vec<u8>,
}

impl Building {
    /// Whether nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Bytes of its packets.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// Puts as much of a packet, which is to end behind `packet`, on the page as fits; returns what does not fit, to which
    /// an empty rest counts when the packet's end does not fit: `None` when the packet ends here.
    pub fn add<'a>(&mut self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let free = 255 - self.lengths.len();
        let full = (packet.len() / 255).min(free);
        let ends = full == packet.len() / 255 && full < free;
        let (now, later) = packet.split_at(if ends { packet.len() } else { full * 255 });
        self.lengths.resize(self.lengths.len() + full, 255);
        if ends {
            self.lengths.push((packet.len() % 255) as u8);
        }
        self.body.extend_from_slice(now);
        (!ends).then_some(later)
    }

    /// The bytes of the page; it is then empty.
    pub fn finish(&mut self, flags: u8, granule: Option<u64>, serial: u32, sequence: u32) -> Vec<u8> {
        let mut page = Vec::with_capacity(HEADER + self.lengths.len() + self.body.len());
        page.put_slice(CAPTURE);
        page.put_slice(&[0, flags]);
        page.put_u64_le(granule.unwrap_or(u64::MAX));
        page.put_u32_le(serial);
        page.put_u32_le(sequence);
        page.put_u32_le(0);
        page.put_u8(self.lengths.len() as u8);
        page.append(&mut self.lengths);
        page.append(&mut self.body);
        let sum = checksum(&page).to_le_bytes();
        if let Some(field) = page.get_mut(22..26) {
            field.copy_from_slice(&sum);
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn pages_read_back_as_they_were_built() {
        let packets = [vec![1; 527], vec![], vec![2; 255], vec![3; 254]];
        let mut building = Building::default();
        assert!(packets.iter().all(|packet| building.add(packet).is_none()));
        assert_eq!(building.add(&[4; 255 * 250]).map(<[u8]>::len), Some(510));
        let page = Bytes::from(building.finish(FIRST, Some(7), 9, 3));
        let Front::Page(head) = front(&page) else { panic!("{:?}", front(&page)) };
        assert_eq!((head.flags, head.granule, head.serial, head.sequence, head.length), (2, Some(7), 9, 3, page.len()));
        let parts = parts(&page, &head);
        for ((part, ends), packet) in parts.iter().zip(&packets) {
            assert!(*ends && part == packet);
        }
        assert_eq!((parts.len(), parts[4].0.len(), parts[4].1), (5, 255 * 248, false));
        let mut damaged = page.to_vec();
        damaged[40] ^= 1;
        assert!(matches!(front(&damaged), Front::Damaged(_)));
        assert!((0..page.len()).all(|cut| front(&page[..cut]) == Front::More));
    }

    #[test]
    fn a_packet_that_ends_with_a_full_page_ends_on_the_next_one() {
        let mut building = Building::default();
        let packet = vec![0; 255 * 255];
        let rest = building.add(&packet);
        assert_eq!(rest, Some(&[][..]));
        building.finish(0, None, 0, 0);
        assert_eq!(building.add(&[]), None);
        assert_eq!(building.finish(CONTINUED, Some(1), 0, 1).len(), HEADER + 1);
    }
}
