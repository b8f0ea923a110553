//! RTCP packets: reports and farewells read, receiver reports written (RFC 3550 §6).
//!
//! ```text
//!   compound: { V(2) P count(5) │ type(8) │ words(16) │ body }…      200 SR, 201 RR, 202 SDES, 203 BYE, 204 APP
//! ```

use alloc::vec::Vec;

/// A part of a compound packet that matters to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// A sender report: the same moment on two clocks.
    SenderReport(SenderReport),
    /// The source leaves.
    Bye {
        /// The source.
        ssrc: u32,
    },
}

/// A sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderReport {
    /// The source.
    pub ssrc: u32,
    /// The moment in NTP time: seconds since 1900 and their 2^32nd parts.
    pub ntp: u64,
    /// The moment on the clock of the RTP timestamps.
    pub timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Bytes of payload sent so far.
    pub octets: u32,
}

/// A block of a receiver report (RFC 3550 §6.4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source that is reported on.
    pub ssrc: u32,
    /// Packets lost since the last report, in 256ths of those expected.
    pub fraction_lost: u8,
    /// Packets lost since the start; duplicates count against it. 24 bits.
    pub lost: i32,
    /// Highest sequence number received, and above it how often it has wrapped.
    pub highest: u32,
    /// Mean deviation of transit times, in ticks of the RTP clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report; 0 when there was none.
    pub last_report: u32,
    /// Time since that report, in 65536ths of a second.
    pub since_report: u32,
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;

/// The messages of a compound packet, up to the first part that is cut.
pub fn parse(mut packet: &[u8]) -> impl Iterator<Item = Message> {
    core::iter::from_fn(move || {
        loop {
            let [head, kind, w0, w1] = *packet.first_chunk::<4>()?;
            let length = 4 + 4 * usize::from(u16::from_be_bytes([w0, w1]));
            let body = packet.get(4..length).filter(|_| head >> 6 == 2)?;
            packet = packet.get(length..).unwrap_or_default();
            let message = match kind {
                SENDER_REPORT => sender_report(body).map(Message::SenderReport),
                BYE if head & 31 > 0 => body.first_chunk().map(|ssrc| Message::Bye { ssrc: u32::from_be_bytes(*ssrc) }),
                _ => None,
            };
            if message.is_some() {
                return message;
            }
        }
    })
}

fn sender_report(body: &[u8]) -> Option<SenderReport> {
    let word =
        |n: usize| body.get(4 * n..4 * n + 4).and_then(<[u8]>::first_chunk).map(|word| u32::from_be_bytes(*word));
    Some(SenderReport {
        ssrc: word(0)?,
        ntp: u64::from(word(1)?) << 32 | u64::from(word(2)?),
        timestamp: word(3)?,
        packets: word(4)?,
        octets: word(5)?,
    })
}

/// A compound packet of a receiver: its report on one source, and its name (a canonical name, up to 255 bytes).
pub fn receiver_report(own: u32, block: &ReportBlock, name: &str) -> Vec<u8> {
    let mut out = Vec::from([0x81, RECEIVER_REPORT, 0, 7]);
    let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
    let words = [
        own,
        block.ssrc,
        u32::from(block.fraction_lost) << 24 | lost,
        block.highest,
        block.jitter,
        block.last_report,
        block.since_report,
    ];
    words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
    let name = name.as_bytes();
    let name = name.get(..255).unwrap_or(name);
    // An item, the end of the list, and zeros up to a whole word.
    let words = (2 + name.len() + 1).div_ceil(4);
    out.extend_from_slice(&[0x81, DESCRIPTION, 0, (1 + words) as u8]);
    out.extend_from_slice(&own.to_be_bytes());
    out.extend_from_slice(&[1, name.len() as u8]);
    out.extend_from_slice(name);
    out.resize(out.len() + 4 * words - 2 - name.len(), 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_packet_is_read_up_to_its_cut_part() {
        let mut packet = Vec::from([0x80, 200, 0, 6]);
        for word in [7u32, 3_900_000_000, 0x8000_0000, 90_000, 2, 300] {
            packet.extend_from_slice(&word.to_be_bytes());
        }
        packet.extend_from_slice(&[0x81, 202, 0, 1, 0, 0, 0, 7]);
        packet.extend_from_slice(&[0x81, 203, 0, 1, 0, 0, 0, 7]);
        packet.extend_from_slice(&[0x81, 203, 0, 9, 0]);
        let ntp = 3_900_000_000 << 32 | 0x8000_0000;
        let report = SenderReport { ssrc: 7, ntp, timestamp: 90_000, packets: 2, octets: 300 };
        assert!(parse(&packet).eq([Message::SenderReport(report), Message::Bye { ssrc: 7 }]));
    }

    #[test]
    fn a_report_is_whole_words_that_say_their_number() {
        for name in ["", "a", "maliu", "maliu@host"] {
            let block = ReportBlock { ssrc: 9, lost: -1, ..ReportBlock::default() };
            let packet = receiver_report(5, &block, name);
            assert_eq!(packet[12..16], [0, 0xff, 0xff, 0xff]);
            let mut rest = &packet[..];
            while let [_, _, high, low, ..] = *rest {
                rest = &rest[4 + 4 * usize::from(u16::from_be_bytes([high, low]))..];
            }
            assert!(rest.is_empty(), "{name}");
        }
    }
}
