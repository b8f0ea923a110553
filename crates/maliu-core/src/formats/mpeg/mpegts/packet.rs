//! The header and adaptation field of a transport packet (ISO/IEC 13818-1 §2.4.3.2, §2.4.3.4).

/// Bytes of a transport packet.
pub(super) const SIZE: usize = 188;

/// First byte of every transport packet.
pub(super) const SYNC: u8 = 0x47;

/// PID of null packets.
pub(super) const NULL: u16 = 0x1fff;

/// A transport packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct TsPacket<'a> {
    /// transport_error_indicator.
    pub error: bool,
    /// payload_unit_start_indicator.
    pub start: bool,
    pub pid: u16,
    /// transport_scrambling_control is not 0.
    pub scrambled: bool,
    /// continuity_counter.
    pub counter: u8,
    /// adaptation_field_control has no reserved value.
    pub valid: bool,
    /// discontinuity_indicator.
    pub discontinuity: bool,
    /// random_access_indicator.
    pub random_access: bool,
    /// Program clock reference in 27 MHz.
    pub pcr: Option<u64>,
    /// Whether it carries payload, if only none.
    pub has_payload: bool,
    pub payload: &'a [u8],
}

impl<'a> TsPacket<'a> {
    /// Reads the packet in `bytes`, which begin with its sync byte.
    #[inline]
    pub(super) fn parse(bytes: &'a [u8; SIZE]) -> Self {
        let &[_, b1, b2, b3, ref rest @ ..] = bytes;
        let control = b3 >> 4 & 3;
        let mut packet = Self {
            error: b1 & 0x80 != 0,
            start: b1 & 0x40 != 0,
            pid: u16::from_be_bytes([b1 & 0x1f, b2]),
            scrambled: b3 & 0xc0 != 0,
            counter: b3 & 15,
            valid: control != 0,
            discontinuity: false,
            random_access: false,
            pcr: None,
            has_payload: control & 1 != 0,
            payload: if control == 1 { rest } else { &[] },
        };
        if control & 2 != 0 {
            packet.field(rest);
        }
        packet
    }

    fn field(&mut self, rest: &'a [u8]) {
        let Some((&length, rest)) = rest.split_first() else { return };
        let Some((field, payload)) = rest.split_at_checked(usize::from(length)) else {
            self.valid = false;
            return;
        };
        if self.has_payload {
            self.payload = payload;
        }
        let Some((&flags, field)) = field.split_first() else { return };
        self.discontinuity = flags & 0x80 != 0;
        self.random_access = flags & 0x40 != 0;
        if flags & 0x10 != 0
            && let Some(&[a, b, c, d, e, f]) = field.first_chunk()
        {
            let base = u64::from(u32::from_be_bytes([a, b, c, d])) << 1 | u64::from(e >> 7);
            self.pcr = Some(base * 300 + (u64::from(e & 1) << 8 | u64::from(f)));
        }
    }

    /// Enough of the payload to know it again.
    #[inline]
    pub(super) fn print(&self) -> [u64; 2] {
        let ends = [self.payload.first_chunk(), self.payload.last_chunk()];
        ends.map(|end| end.map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_where_the_standard_puts_them() {
        let mut bytes = [0xff; SIZE];
        bytes[..12].copy_from_slice(&[0x47, 0x41, 0x00, 0x35, 7, 0xd0, 0, 0, 0, 1, 0x80, 5]);
        let packet = TsPacket::parse(&bytes);
        assert_eq!((packet.pid, packet.start, packet.counter, packet.payload.len()), (0x100, true, 5, 176));
        assert_eq!((packet.pcr, packet.discontinuity, packet.random_access), (Some(905), true, true));
        bytes[4] = 184;
        assert!(!TsPacket::parse(&bytes).valid);
        bytes[3] = 0x15;
        assert_eq!(TsPacket::parse(&bytes).payload.len(), 184);
    }
}
