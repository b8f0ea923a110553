//! Program specific information: sections in the payloads of transport packets, and the tables in them
//! (ISO/IEC 13818-1 §2.4.4, ETSI EN 300 468).
//!
//! ```text
//!   payload: pointer │ rest of a section │ table_id syntax(1) length(12) … crc(32) │ table_id … │ ff ff ff
//!   long section: table_id length │ id(16) version(5) current_next(1) │ number last_number │ body │ crc
//! ```

pub mod descriptors;
mod multiplex;
mod sections;
mod tables;
mod write;

pub use descriptors::{Descriptor, descriptors};
pub use multiplex::{Breach, ClockFacts, Indicator, MAX_BREACHES, Multiplex, PidFacts, ProgramFacts};
pub use sections::{MAX_SECTION, Sections};
pub use tables::{Eit, Elementary, Event, LongSection, Pat, Pmt, Sdt, Service};
pub use write::put_descriptor;

/// CRC-32/MPEG-2 (ISO/IEC 13818-1 Annex A): 0 over a whole section with its checksum.
pub fn crc32(bytes: &[u8]) -> u32 {
    super::crc::update(u32::MAX, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0x0376_e6e7);
        let pat = [0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xf0, 0x00, 0x2a, 0xb1, 0x04, 0xb2];
        assert_eq!(crc32(&pat), 0);
    }
}
