//! Tables, clocks and breaches of streams that are built here.

use alloc::{vec, vec::Vec};

use super::*;
use crate::syntax::psi::{Elementary, Pat, Pmt, Sdt, Service};

/// A stream being built: a clock on 0x100 that runs at a constant rate.
struct Stream {
    audit: Audit,
    at: u64,
    counters: [u8; 0x2000],
}

/// 27 MHz ticks from packet to packet.
const STEP: u64 = 27_000;

impl Stream {
    fn new() -> Self {
        Self { audit: Audit::new(), at: 0, counters: [0; 0x2000] }
    }

    fn put(&mut self, pid: u16, start: bool, field: &[u8], payload: &[u8]) {
        let mut bytes = [0xff; SIZE];
        let counter = self.counters[usize::from(pid)];
        bytes[..3].copy_from_slice(&[0x47, (pid >> 8) as u8 | u8::from(start) << 6, pid as u8]);
        bytes[3] = if payload.is_empty() { 0x20 | counter.wrapping_sub(1) & 15 } else { 0x30 | counter };
        let room = SIZE - 4 - payload.len();
        if room > 0 {
            bytes[4] = room as u8 - 1;
            if room > 1 {
                bytes[5] = 0;
                bytes[5..5 + field.len()].copy_from_slice(field);
            }
        }
        bytes[SIZE - payload.len()..].copy_from_slice(payload);
        if !payload.is_empty() {
            self.counters[usize::from(pid)] = (counter + 1) & 15;
        }
        self.audit.packet(&TsPacket::parse(&bytes), self.at * SIZE as u64);
        self.at += 1;
    }

    fn section(&mut self, pid: u16, section: &[u8]) {
        let mut payload = vec![0];
        payload.extend_from_slice(section);
        payload.resize(180, 0xff);
        self.put(pid, true, &[], &payload);
    }

    /// A clock reference `ticks` off the line.
    fn clock(&mut self, flags: u8, ticks: i64) {
        let pcr = (self.at * STEP).wrapping_add_signed(ticks);
        let (base, rest) = (pcr / 300, pcr % 300);
        let mut field = vec![flags | 0x10];
        field.extend_from_slice(&((base >> 1) as u32).to_be_bytes());
        field.extend_from_slice(&[(base as u8 & 1) << 7 | 0x7e | (rest >> 8) as u8, rest as u8]);
        self.put(0x100, false, &field, &[]);
    }

    fn tables(&mut self) {
        let streams = vec![Elementary { stream_type: 0x1b, pid: 0x100, descriptors: vec![] }];
        let pmt = Pmt { program: 7, pcr_pid: 0x100, descriptors: vec![], streams };
        let service = Service { id: 7, kind: 1, provider: "me".into(), name: "One".into() };
        self.section(0, &Pat { programs: vec![(7, 0x1000)] }.build(3, 4).unwrap());
        self.section(0x1000, &pmt.build(9).unwrap());
        self.section(0x11, &Sdt { services: vec![service] }.build(3, 5, 6).unwrap());
    }

    /// `count` packets of a clock and of a PES packet each tenth of which has a time.
    fn run(&mut self, count: usize) {
        for n in 0..count {
            if n % 100 == 0 {
                self.put(0x100, true, &[], &[0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1]);
            }
            self.clock(0, 0);
        }
    }

    fn found(&self) -> Vec<(Indicator, Option<u16>, u64)> {
        let list = self.audit.multiplex(SIZE).breaches;
        list.into_iter().map(|breach| (breach.indicator, breach.pid, breach.times)).collect()
    }
}

#[test]
fn tables_and_shares_are_reported() {
    let mut stream = Stream::new();
    for _ in 0..4 {
        stream.tables();
        stream.run(300);
    }
    assert_eq!(stream.found(), []);
    let whole = stream.audit.multiplex(SIZE);
    assert_eq!(
        (whole.stream_id, whole.pat_version, whole.sdt_version, whole.network_id),
        (Some(3), Some(4), Some(6), Some(5))
    );
    let program = &whole.programs[0];
    assert_eq!((program.number, program.map_pid, program.map_version), (7, 0x1000, Some(9)));
    assert_eq!(program.service.as_ref().unwrap().name, "One");
    // A packet in a millisecond.
    assert_eq!((whole.bit_rate, whole.constant_rate), (Some(188 * 8 * 1000), true));
    let shares: u64 = whole.pids.iter().filter_map(|pid| pid.bit_rate).sum();
    assert!(shares.abs_diff(188 * 8 * 1000) < 10);
    assert_eq!((whole.clocks[0].references, whole.clocks[0].jitter_ns), (1200, 0));
}

#[test]
fn items_that_do_not_come_again_in_time_are_noted_once() {
    let mut stream = Stream::new();
    stream.tables();
    stream.run(1200);
    stream.tables();
    stream.run(10);
    let rare = |indicator, pid| (indicator, Some(pid), 1);
    assert_eq!(stream.found(), [rare(Indicator::PatInterval, 0), rare(Indicator::PmtInterval, 0x1000)]);
    let mut stream = Stream::new();
    stream.tables();
    stream.run(200);
    (0..3).for_each(|_| {
        (0..200).for_each(|_| stream.clock(0, 0));
        stream.tables();
    });
    stream.run(100);
    assert_eq!(stream.found(), [rare(Indicator::PtsInterval, 0x100)]);
}

#[test]
fn damage_is_counted_by_pid() {
    let mut stream = Stream::new();
    stream.tables();
    stream.counters[0x100] = 3;
    stream.run(1);
    stream.counters[0x100] = 9;
    stream.run(1);
    let mut pat = Pat { programs: vec![(7, 0x1000)] }.build(3, 4).unwrap();
    pat[9] ^= 1;
    stream.section(0, &pat);
    stream.audit.skipped(188, 188, 0);
    stream.audit.skipped(100, 188, 0);
    let found = stream.found();
    let expected = [
        (Indicator::SyncLoss, None, 1),
        (Indicator::SyncByte, None, 1),
        (Indicator::Continuity, Some(0x100), 1),
        (Indicator::Crc, Some(0), 1),
    ];
    assert_eq!(found, expected);
}

#[test]
fn clocks_that_jump_rest_or_wander_are_noted() {
    let mut stream = Stream::new();
    stream.tables();
    stream.run(20);
    stream.clock(0, -1_000_000_000);
    stream.clock(0x80, 0);
    stream.at += 150;
    stream.clock(0, 0);
    stream.run(20);
    stream.clock(0, 100);
    stream.run(40);
    let clock = |indicator, times| (indicator, Some(0x100), times);
    // The one that is off pulls at its neighbours; the rest without packets is off, too.
    let expected = [clock(Indicator::PcrInterval, 1), clock(Indicator::PcrJump, 1), clock(Indicator::PcrAccuracy, 4)];
    assert_eq!(stream.found(), expected);
}

#[test]
fn tables_that_never_come_are_missing() {
    let mut stream = Stream::new();
    stream.run(10);
    assert_eq!(stream.found(), [(Indicator::Pat, Some(0), 1)]);
    let mut stream = Stream::new();
    stream.section(0, &Pat { programs: vec![(7, 0x1000)] }.build(3, 4).unwrap());
    stream.run(10);
    assert_eq!(stream.found(), [(Indicator::Pmt, Some(0x1000), 1)]);
}
