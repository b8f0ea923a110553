//! SEI messages in a NAL unit, one by one, uninterpreted (ISO/IEC 14496-10 §7.3.2.3.1, 23008-2 §7.3.5).

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeiMessage<'a> {
    /// payloadType.
    pub kind: u32,
    /// Its payload, emulation prevention removed.
    pub payload: &'a [u8],
}

/// payloadType of user data with an ITU-T T.35 country code: closed captions, HDR10+, ….
pub const USER_DATA_T35: u32 = 4;

/// payloadType of user data with a UUID: encoder settings, ….
pub const USER_DATA_UNREGISTERED: u32 = 5;

/// The messages in `rbsp`: an SEI unit without its NAL header and emulation prevention. A message that is cut short ends
/// the walk.
pub fn sei_messages(rbsp: &[u8]) -> SeiMessages<'_> {
    SeiMessages { rest: rbsp }
}

/// Iterator of [`sei_messages`].
#[derive(Clone, Debug)]
pub struct SeiMessages<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for SeiMessages<'a> {
    type Item = SeiMessage<'a>;

    fn next(&mut self) -> Option<SeiMessage<'a>> {
        // rbsp_trailing_bits are one byte: a message takes two at least.
        let (kind, rest) = coded(self.rest)?;
        let (size, rest) = coded(rest)?;
        let (payload, rest) = rest.split_at_checked(size as usize)?;
        self.rest = rest;
        Some(SeiMessage { kind, payload })
    }
}

/// A number as repeated FF and a last byte.
fn coded(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let full = bytes.iter().take_while(|byte| **byte == 0xff).count();
    let last = *bytes.get(full)?;
    let value = u32::try_from(full).ok()?.checked_mul(255)?.checked_add(u32::from(last))?;
    Some((value, bytes.get(full + 1..)?))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn messages_follow_each_other_and_a_cut_one_ends_the_walk() {
        let rbsp = [0xff, 1, 2, 7, 8, 5, 1, 9, 6, 4, 0x80];
        let got: Vec<_> = sei_messages(&rbsp).map(|message| (message.kind, message.payload)).collect();
        assert_eq!(got, [(256, &[7u8, 8][..]), (5, &[9][..])]);
    }
}
