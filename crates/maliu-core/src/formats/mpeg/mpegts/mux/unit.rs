//! One packet on its PID: a PES packet, or a section (ISO/IEC 13818-1 §2.4.3.6).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{
    super::super::payload::Payload,
    describe::Described,
    packets::{Counter, Parts},
};
use crate::{
    error::{Error, Result},
    packet::Packet,
    stream::Kind,
    syntax::pes::time_field,
};

/// Ticks of 90 kHz after which times begin anew.
const WRAP: i64 = 1 << 33;

/// A stream on its way out.
#[derive(Debug)]
pub(super) struct Lane {
    pub counter: Counter,
    pub kind: Kind,
    pub described: Described,
    pub payload: Payload,
}

/// A PES packet or a section, not yet cut into transport packets.
#[derive(Debug)]
pub(super) struct Unit {
    /// Header and what stands in front of the data.
    pub head: Vec<u8>,
    pub data: Bytes,
    pub tail: &'static [u8],
    /// When it is decoded, in 90 kHz.
    pub dts: i64,
    /// Decoding can start here.
    pub key: bool,
    /// Bytes that were sent.
    pub sent: usize,
}

impl Unit {
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.data.len() + self.tail.len()
    }

    /// Bytes that are not sent yet.
    pub(super) fn parts(&self) -> Parts<'_> {
        Parts([&self.head, &self.data, self.tail]).behind(self.sent)
    }
}

/// The times of a packet in 90 kHz, as they are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub pts: i64,
    pub dts: i64,
}

impl Lane {
    /// Makes a packet a unit; `head` is room for what stands in front of it.
    ///
    /// # Errors
    /// [`Error::Mux`] for a packet that cannot be carried.
    pub(super) fn unit(&mut self, packet: &Packet, times: Times, mut head: Vec<u8>) -> Result<Unit> {
        head.clear();
        if let Some(config) = packet.side.new_config() {
            self.payload.configure(config, self.payload.is_loas()).map_err(refused)?;
        }
        let sections = self.described.sections;
        if !sections {
            pes_header(&mut head, &self.described, times);
        }
        let start = head.len();
        let shaped = self.payload.shape(packet, &mut head).map_err(refused)?;
        let length = head.len() + shaped.data.len() + shaped.tail.len();
        let shown = u16::try_from(length.saturating_sub(6)).ok();
        match shown {
            _ if sections => {}
            Some(shown) => {
                if let Some(field) = head.get_mut(4..6) {
                    field.copy_from_slice(&shown.to_be_bytes());
                }
            }
            // Only video may leave its length open.
            None if self.kind == Kind::Video => {}
            None => {
                let length = length - start;
                return Err(refused(alloc::format!("a packet of {length} bytes does not fit in a PES packet").into()));
            }
        }
        let key = packet.is_key();
        Ok(Unit { head, data: shaped.data, tail: shaped.tail, dts: times.dts, key, sent: 0 })
    }
}

/// The header with a length of 0.
fn pes_header(out: &mut Vec<u8>, described: &Described, times: Times) {
    let Times { pts, dts } = times;
    let wrapped = |time: i64| time.rem_euclid(WRAP) as u64;
    let split = pts != dts;
    let extended: &[u8] = match described.extension {
        // PES_extension_flag_2 alone: one byte, the stream_id_extension.
        Some(id) => &[0x0f, 0x81, id],
        None => &[],
    };
    let flags = 0x80 | u8::from(split) << 6 | u8::from(described.extension.is_some());
    let size = if split { 10 } else { 5 } + extended.len() as u8;
    out.extend_from_slice(&[0, 0, 1, described.stream_id, 0, 0, 0x84, flags, size]);
    out.extend_from_slice(&time_field(if split { 3 } else { 2 }, wrapped(pts)));
    if split {
        out.extend_from_slice(&time_field(1, wrapped(dts)));
    }
    out.extend_from_slice(extended);
}

/// The error for a stream or packet that cannot be carried.
pub(super) fn refused(why: alloc::borrow::Cow<'static, str>) -> Error {
    Error::mux("mpegts", why)
}
