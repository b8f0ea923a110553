//! Vorbis: its headers, and how long a packet lasts (Vorbis I §4.2, §4.3).
//!
//! ```text
//!   1 "vorbis" │ version channels rate bit rates block sizes      3 "vorbis" │ comments      5 "vorbis" │ setup … modes
//!   packet: 0 │ mode │ of a long block: is the one before long?, is the one behind? │ …       bits, the lowest first
//! ```

/// Facts of the identification header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification {
    /// Number of channels, 1 to 255.
    pub channels: u8,
    /// Samples per second and channel.
    pub rate: u32,
    /// Nominal bits per second; 0 or less when not stated.
    pub bit_rate: i32,
    /// Samples of a short and of a long block.
    pub blocks: [u32; 2],
}

impl Identification {
    /// Reads an identification header; `None` for anything else.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let body = header.strip_prefix(b"\x01vorbis")?.first_chunk::<23>()?;
        let [v0, v1, v2, v3, channels, r0, r1, r2, r3, _, _, _, _, n0, n1, n2, n3, _, _, _, _, blocks, framing] = *body;
        let [short, long] = [1 << (blocks & 15), 1u32 << (blocks >> 4)];
        let rate = u32::from_le_bytes([r0, r1, r2, r3]);
        let valid = [v0, v1, v2, v3] == [0; 4] && channels > 0 && rate > 0 && framing & 1 == 1;
        (valid && (64..=8192).contains(&short) && (short..=8192).contains(&long)).then_some(Self {
            channels,
            rate,
            bit_rate: i32::from_le_bytes([n0, n1, n2, n3]),
            blocks: [short, long],
        })
    }
}

/// Bits, the lowest of each byte first.
fn bit(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(*bytes.get(at / 8)? >> (at % 8) & 1))
}

/// `count` bits from `at` on, the lowest first.
fn bits(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    (0..count).rev().try_fold(0, |value, n| Some(value << 1 | bit(bytes, at + n)?))
}

/// Modes of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Modes {
    /// Bit n: mode n has long blocks.
    long: u64,
    /// Bits of a mode's number.
    bits: usize,
}

/// Bits of a mode: its block flag, window type, transform type and mapping.
const MODE: usize = 1 + 16 + 16 + 8;

impl Modes {
    /// The modes at the end of a setup header. All in front of them would have to be parsed to find their start, so they
    /// are read from the end: types are 0, and their number stands in front of them. The longest such row counts.
    fn parse(setup: &[u8]) -> Option<Self> {
        let setup = setup.strip_prefix(b"\x05vorbis")?;
        let last = (0..setup.len() * 8).rev().find(|at| bit(setup, *at) == Some(1))?;
        let (mut at, mut long, mut found) = (last, 0u64, None);
        for count in 1..=64u32 {
            let Some(start) = at.checked_sub(MODE) else { break };
            let mapping = bits(setup, start + 33, 8)?;
            if bits(setup, start + 1, 32) != Some(0) || mapping > 63 {
                break;
            }
            long = long << 1 | u64::from(bit(setup, start)?);
            at = start;
            if at.checked_sub(6).and_then(|at| bits(setup, at, 6)) == Some(count - 1) {
                let width = u32::BITS - (count - 1).leading_zeros();
                found = Some(Self { long, bits: width as usize });
            }
        }
        found
    }
}

/// How long packets last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    sizes: [u32; 2],
    modes: Modes,
    previous: u32,
}

impl Blocks {
    /// Blocks of a stream with this setup header; `None` when its modes cannot be found.
    pub fn new(identification: &Identification, setup: &[u8]) -> Option<Self> {
        let [short, _] = identification.blocks;
        Some(Self { sizes: identification.blocks, modes: Modes::parse(setup)?, previous: short })
    }

    /// The next packet does not follow the last one.
    pub fn restart(&mut self) {
        let [short, _] = self.sizes;
        self.previous = short;
    }

    /// As [`Blocks::samples`], of a packet of which the one in front is not known: a short block counts as that.
    pub fn alone(&self, packet: &[u8]) -> Option<u32> {
        let mut fresh = *self;
        fresh.restart();
        fresh.samples(packet)
    }

    /// Samples by which a packet takes the time on, which are those it completes; `None` for what is no audio packet. The
    /// first packet of all completes none but counts as if a short block were before it, as in the reference.
    pub fn samples(&mut self, packet: &[u8]) -> Option<u32> {
        if bit(packet, 0)? != 0 {
            return None;
        }
        let mode = bits(packet, 1, self.modes.bits)?;
        let [short, long] = self.sizes;
        let is_long = self.modes.long >> mode & 1 == 1;
        let size = if is_long { long } else { short };
        if is_long {
            let before = bit(packet, 1 + self.modes.bits)? == 1;
            self.previous = if before { long } else { short };
        }
        let samples = (self.previous + size) / 4;
        self.previous = size;
        Some(samples)
    }
}

/// Most entries of all codebooks, and most values of their vectors: several times what encoders write.
const MAX_ENTRIES: u64 = 1 << 18;
const MAX_VALUES: u64 = 1 << 21;

/// Whether the codebooks of a setup header are of a size that a decoder can hold (Vorbis I §3.2.1). Their counts alone would
/// take any memory.
pub fn are_codebooks_sane(setup: &[u8]) -> bool {
    let Some(count) = setup.strip_prefix(b"\x05vorbis").and_then(|books| books.first()) else { return false };
    let (mut at, mut entries, mut values) = (64, 0u64, 0u64);
    for _ in 0..=*count {
        let Some(book) = Book::read(setup, at) else { return false };
        at = book.end;
        entries += book.entries;
        values = values.saturating_add(book.entries.saturating_mul(book.dimensions));
        if entries > MAX_ENTRIES || values > MAX_VALUES {
            return false;
        }
    }
    true
}

/// A codebook: its size, and where it ends in bits.
struct Book {
    dimensions: u64,
    entries: u64,
    end: usize,
}

impl Book {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let get = |at: usize, count: usize| bits(bytes, at, count);
        let (dimensions, entries) = (u64::from(get(at + 24, 16)?), u64::from(get(at + 40, 24)?));
        if get(at, 24)? != 0x56_4342 || dimensions == 0 || entries > MAX_ENTRIES {
            return None;
        }
        let mut at = Self::lengths(bytes, at + 64, entries as u32)?;
        let kind = get(at, 4)?;
        at += 4;
        if matches!(kind, 1 | 2) {
            let width = u64::from(get(at + 64, 4)? + 1);
            let values = if kind == 1 { root(entries, dimensions) } else { entries.checked_mul(dimensions)? };
            at = at.checked_add(69)?.checked_add(usize::try_from(values.checked_mul(width)?).ok()?)?;
        }
        (at <= bytes.len() * 8).then_some(Self { dimensions, entries, end: at })
    }

    /// Where the lengths of codewords end.
    fn lengths(bytes: &[u8], at: usize, entries: u32) -> Option<usize> {
        if bit(bytes, at)? == 0 {
            let sparse = bit(bytes, at + 1)? == 1;
            let mut at = at + 2;
            for _ in 0..entries {
                let used = !sparse || bit(bytes, at)? == 1;
                at += usize::from(sparse) + if used { 5 } else { 0 };
            }
            return Some(at);
        }
        let (mut at, mut done) = (at + 6, 0);
        while done < entries {
            let width = (u32::BITS - (entries - done).leading_zeros()) as usize;
            done += bits(bytes, at, width)?;
            at += width;
        }
        (done == entries).then_some(at)
    }
}

/// The largest number whose `dimensions`th power is at most `entries`.
fn root(entries: u64, dimensions: u64) -> u64 {
    let power =
        |number: u64| (0..dimensions).try_fold(1u64, |all, _| all.checked_mul(number).filter(|all| *all <= entries));
    (1..=entries).take_while(|number| power(*number).is_some()).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn pack(fields: &[(u32, usize)]) -> Vec<u8> {
        let bits: Vec<u8> =
            fields.iter().flat_map(|(value, count)| (0..*count).map(move |n| (value >> n & 1) as u8)).collect();
        bits.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect()
    }

    #[test]
    fn packets_of_long_and_short_blocks() {
        let mut header = b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0".to_vec();
        header.extend_from_slice(&[0; 12]);
        header.extend_from_slice(&[0xb8, 1]);
        let id = Identification::parse(&header).unwrap();
        assert_eq!((id.channels, id.rate, id.blocks), (2, 44_100, [256, 2048]));
        let mut fields = Vec::from([(0xdead, 16), (1, 6)]);
        for (flag, mapping) in [(0, 0), (1, 1)] {
            fields.extend([(flag, 1), (0, 16), (0, 16), (mapping, 8)]);
        }
        fields.push((1, 1));
        let setup = [&b"\x05vorbis"[..], &pack(&fields)].concat();
        let mut blocks = Blocks::new(&id, &setup).unwrap();
        let packet = |mode, before, behind| pack(&[(0, 1), (mode, 1), (before, 1), (behind, 1), (0, 4)]);
        let row = [packet(0, 0, 0), packet(0, 0, 0), packet(1, 0, 1), packet(1, 1, 0), packet(0, 0, 0)];
        assert_eq!(row.map(|packet| blocks.samples(&packet)), [128, 128, 576, 1024, 576].map(Some));
        assert_eq!(blocks.samples(b"\x03vorbis"), None);
        assert_eq!(Blocks::new(&id, b"\x05vorbis\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }

    #[test]
    fn codebooks_that_would_take_any_memory_are_refused() {
        let book = |dimensions, entries, lookup: &[(u32, usize)]| {
            let mut fields = Vec::from([(0x56_4342, 24), (dimensions, 16), (entries, 24)]);
            // Ordered, all of one length.
            let width = (u32::BITS - u32::leading_zeros(entries)) as usize;
            fields.extend([(1, 1), (7, 5), (entries, width)]);
            fields.extend_from_slice(lookup);
            [&b"\x05vorbis\0"[..], &pack(&fields), &[0; 64]].concat()
        };
        assert!(are_codebooks_sane(&book(4, 81, &[(0, 4)])));
        assert!(are_codebooks_sane(&book(4, 81, &[(1, 4), (0, 32), (0, 32), (3, 4), (0, 1)])));
        assert!(!are_codebooks_sane(&book(60_000, 81, &[(0, 4)])), "too many values");
        assert!(!are_codebooks_sane(&book(0, 81, &[(0, 4)])), "no dimensions");
        assert!(!are_codebooks_sane(&book(4, 1 << 20, &[(0, 4)])), "too many entries");
        assert!(
            !are_codebooks_sane(&book(4, 81, &[(2, 4), (0, 32), (0, 32), (15, 4), (0, 1)])),
            "values that are not there"
        );
        assert_eq!((root(81, 4), root(80, 4), root(8, 1), root(0, 3)), (3, 2, 8, 0));
    }
}
