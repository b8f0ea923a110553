//! Transport packets being written: head, adaptation field, payload, and what stands around them (ISO/IEC 13818-1 §2.4.3).

use bytes::{Bytes, BytesMut};

use super::parity::{PARITY, parity};

/// Bytes of a transport packet.
pub(super) const PACKET: usize = 188;

/// Bytes behind the head of 4.
const BODY: usize = 184;

/// 27 MHz between packets whose clock stands still: 48 Mbit/s, what recorders write.
const STEP: u64 = 846;

/// Ticks of 27 MHz after which a clock reference begins anew.
const PCR_WRAP: i64 = 300 << 33;

/// Content of an adaptation field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    /// Clock reference in 27 MHz.
    pub pcr: Option<i64>,
    pub discontinuity: bool,
    /// random_access_indicator.
    pub random: bool,
}

impl Field {
    fn flags(self) -> u8 {
        u8::from(self.discontinuity) << 7 | u8::from(self.random) << 6 | u8::from(self.pcr.is_some()) << 4
    }
}

/// The counter of a PID, and whether it is still to be marked as discontinuous.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    pub pid: u16,
    next: u8,
    pub discontinuity: bool,
}

impl Counter {
    pub(super) fn new(pid: u16, discontinuity: bool) -> Self {
        Self { pid, next: 0, discontinuity }
    }
}

/// Payload that is cut into packets: up to three slices in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a>(pub [&'a [u8]; 3]);

impl<'a> Parts<'a> {
    pub(super) fn left(&self) -> usize {
        self.0.iter().map(|part| part.len()).sum()
    }

    /// The same without its first `n` bytes.
    pub(super) fn behind(mut self, n: usize) -> Self {
        let mut left = n;
        for part in &mut self.0 {
            let (gone, rest) = part.split_at(left.min(part.len()));
            left -= gone.len();
            *part = rest;
        }
        self
    }

    /// The bodies of the next packets, as far as one slice fills them.
    fn straight(&mut self) -> Option<&'a [[u8; BODY]]> {
        let part = self.0.iter_mut().find(|part| !part.is_empty())?;
        let (bodies, rest) = part.as_chunks();
        *part = rest;
        (!bodies.is_empty()).then_some(bodies)
    }

    fn take(&mut self, mut n: usize, out: &mut BytesMut) {
        for part in &mut self.0 {
            let (taken, rest) = part.split_at(n.min(part.len()));
            out.extend_from_slice(taken);
            n -= taken.len();
            *part = rest;
        }
    }
}

/// Packets in a buffer.
#[derive(Debug)]
pub(super) struct Packets {
    buffer: BytesMut,
    size: usize,
    /// Arrival of the last packet in 27 MHz.
    arrival: u64,
    /// Packets written so far.
    pub count: u64,
}

impl Packets {
    /// Of `size` bytes: 188, 192 or 204.
    pub(super) fn new(size: usize) -> Self {
        Self { buffer: BytesMut::new(), size, arrival: 0, count: 0 }
    }

    /// Takes the bytes written since the last call.
    pub(super) fn take(&mut self) -> Bytes {
        self.buffer.split().freeze()
    }

    /// Reserves memory for the packets of `payload` bytes.
    pub(super) fn reserve(&mut self, payload: usize) {
        let room = (payload / BODY + 4).saturating_mul(self.size);
        if self.buffer.capacity() < room {
            self.buffer.reserve(room.max(64 << 10));
        }
    }

    /// The clock, in 27 MHz, that the next packet arrives at or behind.
    pub(super) fn at(&mut self, clock: i64) {
        self.arrival = self.arrival.max(u64::try_from(clock).unwrap_or(0));
    }

    /// One packet with as much of `parts` as fits. Gives the bytes taken.
    pub(super) fn put(&mut self, counter: &mut Counter, start: bool, field: Field, parts: &mut Parts) -> usize {
        let field =
            Field { discontinuity: field.discontinuity || core::mem::take(&mut counter.discontinuity), ..field };
        let left = parts.left();
        let flags = field.flags();
        let wanted = if flags == 0 { 0 } else { 2 + if field.pcr.is_some() { 6 } else { 0 } };
        let taken = left.min(BODY - wanted);
        let adaptation = BODY - taken;
        let control = u8::from(adaptation > 0) << 5 | u8::from(taken > 0) << 4;
        self.head(counter, start, control, taken > 0);
        if adaptation > 0 {
            self.buffer.extend_from_slice(&[(adaptation - 1) as u8]);
        }
        if adaptation > 1 {
            self.buffer.extend_from_slice(&[flags]);
            let mut used = 2;
            if let Some(pcr) = field.pcr {
                self.buffer.extend_from_slice(&pcr_field(pcr));
                used += 6;
            }
            let filled = self.buffer.len() + adaptation.saturating_sub(used);
            self.buffer.resize(filled, 0xff);
        }
        parts.take(taken, &mut self.buffer);
        self.close();
        taken
    }

    /// Packets full of payload, as long as one slice fills them.
    pub(super) fn put_full(&mut self, counter: &mut Counter, parts: &mut Parts) {
        while let Some(bodies) = parts.straight() {
            if self.size == PACKET {
                self.put_bodies(counter, bodies);
                continue;
            }
            for body in bodies {
                self.head(counter, false, 0x10, true);
                self.buffer.extend_from_slice(body);
                self.close();
            }
        }
    }

    /// Plain packets, of which everything has a fixed place.
    fn put_bodies(&mut self, counter: &mut Counter, bodies: &[[u8; BODY]]) {
        let from = self.buffer.len();
        self.buffer.resize(from + bodies.len() * PACKET, 0);
        let [high, low] = counter.pid.to_be_bytes();
        let room = self.buffer.get_mut(from..).unwrap_or_default().as_chunks_mut::<PACKET>().0;
        for (packet, body) in room.iter_mut().zip(bodies) {
            let Some((head, rest)) = packet.split_first_chunk_mut() else { return };
            *head = [0x47, high, low, 0x10 | counter.next];
            if let Some(place) = rest.first_chunk_mut() {
                *place = *body;
            }
            counter.next = (counter.next + 1) & 15;
        }
        self.count += bodies.len() as u64;
    }

    /// A section from the start of a packet on, the last one filled up.
    pub(super) fn put_section(&mut self, counter: &mut Counter, section: &[u8]) {
        let (mut rest, mut start) = (section, true);
        if counter.discontinuity {
            // A packet of its own says so: the field would move the section.
            self.put(counter, false, Field { discontinuity: true, ..Field::default() }, &mut Parts([&[]; 3]));
        }
        while start || !rest.is_empty() {
            let room = BODY - usize::from(start);
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.head(counter, start, 0x10, true);
            if start {
                self.buffer.extend_from_slice(&[0]);
            }
            self.buffer.extend_from_slice(now);
            let filled = self.buffer.len() + room - now.len();
            self.buffer.resize(filled, 0xff);
            self.close();
            (rest, start) = (later, false);
        }
    }

    /// A packet that carries nothing.
    pub(super) fn put_null(&mut self) {
        self.head(&mut Counter::new(0x1fff, false), false, 0x10, true);
        let filled = self.buffer.len() + BODY;
        self.buffer.resize(filled, 0xff);
        self.close();
    }

    fn head(&mut self, counter: &mut Counter, start: bool, control: u8, payload: bool) {
        if self.size == 192 {
            let arrival = (self.arrival & 0x3fff_ffff) as u32;
            self.buffer.extend_from_slice(&arrival.to_be_bytes());
            self.arrival += STEP;
        }
        let number = if payload { counter.next } else { counter.next.wrapping_sub(1) & 15 };
        if payload {
            counter.next = (counter.next + 1) & 15;
        }
        let [high, low] = counter.pid.to_be_bytes();
        self.buffer.extend_from_slice(&[0x47, u8::from(start) << 6 | high, low, control | number]);
    }

    fn close(&mut self) {
        self.count += 1;
        if self.size == PACKET + PARITY {
            let from = self.buffer.len().saturating_sub(PACKET);
            let parity = parity(self.buffer.get(from..).unwrap_or_default());
            self.buffer.extend_from_slice(&parity);
        }
    }
}

fn pcr_field(pcr: i64) -> [u8; 6] {
    let pcr = pcr.rem_euclid(PCR_WRAP);
    let (base, extension) = ((pcr / 300) as u64, (pcr % 300) as u16);
    [
        (base >> 25) as u8,
        (base >> 17) as u8,
        (base >> 9) as u8,
        (base >> 1) as u8,
        (base << 7) as u8 | 0x7e | (extension >> 8) as u8,
        extension as u8,
    ]
}

#[cfg(test)]
mod tests {
    use super::{super::super::packet::TsPacket, *};

    #[test]
    fn packets_are_filled_by_adaptation_fields() {
        for length in [0, 1, 175, 176, 177, 182, 183, 184, 185, 400] {
            for pcr in [None, Some(299)] {
                let payload = alloc::vec![7; length];
                let (mut packets, mut counter) = (Packets::new(188), Counter::new(0x100, false));
                let mut parts = Parts([&payload, &[], &[]]);
                let mut field = Field { pcr, ..Field::default() };
                loop {
                    packets.put(&mut counter, false, field, &mut parts);
                    field = Field::default();
                    if parts.left() == 0 {
                        break;
                    }
                }
                let bytes = packets.take();
                let (mut found, mut clock) = (alloc::vec![], None);
                for packet in bytes.as_chunks::<188>().0 {
                    let read = TsPacket::parse(packet);
                    assert!(read.valid, "{length} {pcr:?}");
                    found.extend_from_slice(read.payload);
                    clock = clock.or(read.pcr);
                }
                assert_eq!((found, clock), (payload, pcr.map(|pcr| pcr as u64)), "{length} {pcr:?}");
            }
        }
    }
}
