//! The 11 bytes before every tag's body (FLD-5, FLV-28).

/// Bytes of a tag before its body.
pub const HEAD: usize = 11;

/// Bytes behind a tag's body: PreviousTagSize.
pub const TAIL: usize = 4;

/// Largest body that the 24-bit size field can say.
pub const MAX_BODY: usize = 0xff_ffff;

/// Content of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Type 8.
    Audio,
    /// Type 9.
    Video,
    /// Type 18: AMF0 data.
    Script,
    /// Type 15: AMF3 data, which the reference passes over.
    Script3,
    /// Anything else.
    Other(u8),
}

/// A tag's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its content.
    pub kind: Kind,
    /// The filter bit: the body may be encrypted.
    pub filtered: bool,
    /// The two bits above it, which must be 0.
    pub reserved: u8,
    /// Bytes of the body.
    pub size: usize,
    /// Milliseconds, unsigned: the extended byte's sign bit counts as a value bit (FLD-28).
    pub time: u32,
    /// Stream id, which should be 0.
    pub stream_id: u32,
}

impl Head {
    /// The head at the start of `bytes`; `None` when they are too few.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [kind, s2, s1, s0, t2, t1, t0, t3, i2, i1, i0] = *bytes.first_chunk()?;
        Some(Self {
            kind: match kind & 0x1f {
                8 => Kind::Audio,
                9 => Kind::Video,
                18 => Kind::Script,
                15 => Kind::Script3,
                other => Kind::Other(other),
            },
            filtered: kind & 0x20 != 0,
            reserved: kind >> 6,
            size: u32::from_be_bytes([0, s2, s1, s0]) as usize,
            time: u32::from_be_bytes([t3, t2, t1, t0]),
            stream_id: u32::from_be_bytes([0, i2, i1, i0]),
        })
    }

    /// Whether this can be trusted to be a tag where nothing but its own bytes tells.
    pub fn is_likely(&self) -> bool {
        !matches!(self.kind, Kind::Other(_)) && self.reserved == 0 && self.stream_id == 0
    }

    /// Bytes of head and body.
    pub fn length(&self) -> usize {
        HEAD + self.size
    }
}

/// The bytes of a head with stream id `id`; of `time` 31 bits are kept, as the reference writes it (FLV-28).
pub fn head(kind: u8, size: usize, time: u32, id: u32) -> [u8; HEAD] {
    let [_, s2, s1, s0] = (size as u32).to_be_bytes();
    let [t3, t2, t1, t0] = time.to_be_bytes();
    let [_, i2, i1, i0] = id.to_be_bytes();
    [kind, s2, s1, s0, t2, t1, t0, t3 & 0x7f, i2, i1, i0]
}

/// The big-endian u32 at the start of `bytes`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_but_for_the_top_bit_of_its_time() {
        let bytes = head(9, 0x12_3456, 0x89ab_cdef, 5);
        let parsed = Head::parse(&bytes).unwrap();
        assert_eq!((parsed.kind, parsed.size, parsed.time, parsed.stream_id), (Kind::Video, 0x12_3456, 0x09ab_cdef, 5));
        assert_eq!(Head::parse(&bytes[..10]), None);
    }

    #[test]
    fn the_filter_bit_does_not_change_the_kind() {
        let parsed = Head::parse(&head(0x28, 1, 0, 0)).unwrap();
        assert_eq!((parsed.kind, parsed.filtered), (Kind::Audio, true));
    }
}
