//! Transport streams built packet by packet: tables, and MPEG audio of 24 ms per PES packet with a clock reference on each.

/// Bytes of a packet.
pub(crate) const SIZE: usize = 188;

/// PIDs of the map and of the audio.
pub(crate) const MAP: u16 = 0x1000;
pub(crate) const AUDIO: u16 = 0x100;

/// Oddities of a stream.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub frames: u64,
    /// Whether the association, and the map, stand in front of this frame.
    pub pat: fn(u64) -> bool,
    pub pmt: fn(u64) -> bool,
    /// Ticks of 27 MHz of the clock at this frame.
    pub clock: fn(u64) -> Option<u64>,
    /// Whether this frame has a PTS.
    pub shown: fn(u64) -> bool,
    /// The map names a PID that has no packets.
    pub empty_pid: bool,
}

/// Ticks of 27 MHz of a frame.
pub(crate) const FRAME: u64 = 648_000;

impl Default for Plan {
    fn default() -> Self {
        Self {
            frames: 50,
            pat: |n| n % 10 == 0,
            pmt: |n| n % 10 == 0,
            clock: |n| Some(n * FRAME),
            shown: |_| true,
            empty_pid: false,
        }
    }
}

impl Plan {
    /// The stream.
    pub(crate) fn build(self) -> Vec<u8> {
        let (mut out, mut counters) = (Vec::new(), [0u8; 0x2000]);
        for n in 0..self.frames {
            if (self.pat)(n) {
                put(&mut out, &mut counters, 0, true, &[], &section(&[0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0]));
            }
            if (self.pmt)(n) {
                put(&mut out, &mut counters, MAP, true, &[], &section(&self.map()));
            }
            let time = n * 2160 + 18_000;
            let shown = (self.shown)(n);
            let mut unit = vec![0, 0, 1, 0xc0, 1, if shown { 0x88 } else { 0x83 }, 0x84, if shown { 0x80 } else { 0 }];
            unit.push(if shown { 5 } else { 0 });
            if shown {
                unit.extend([0x21 | (time >> 29) as u8 & 0xe, (time >> 22) as u8, (time >> 14) as u8 | 1]);
                unit.extend([(time >> 7) as u8, (time << 1) as u8 | 1]);
            }
            unit.extend([0xff, 0xfd, 0x84, 0x04]);
            unit.resize(unit.len() + 380, n as u8 | 0x20);
            let field = (self.clock)(n).map(reference).unwrap_or_default();
            let (mut rest, mut first) = (unit.as_slice(), true);
            while !rest.is_empty() {
                let field: &[u8] = if first { &field } else { &[] };
                let room = SIZE - 4 - if field.is_empty() { 0 } else { field.len() + 1 };
                let (now, later) = rest.split_at(rest.len().min(room));
                put(&mut out, &mut counters, AUDIO, first, field, now);
                (rest, first) = (later, false);
            }
        }
        out
    }

    fn map(&self) -> Vec<u8> {
        let mut map = vec![2, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0, 3, 0xe1, 0, 0xf0, 0];
        if self.empty_pid {
            map.extend([3, 0xe1, 1, 0xf0, 0]);
            map[2] += 5;
        }
        map
    }
}

/// An adaptation field with a clock reference.
fn reference(ticks: u64) -> Vec<u8> {
    let (base, rest) = (ticks / 300, ticks % 300);
    let mut field = vec![0x10];
    field.extend_from_slice(&((base >> 1) as u32).to_be_bytes());
    field.extend([(base as u8 & 1) << 7 | 0x7e | (rest >> 8) as u8, rest as u8]);
    field
}

/// A section with its checksum, behind a pointer.
fn section(body: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            crc = crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    [&[0], body, &crc.to_be_bytes()].concat()
}

fn put(out: &mut Vec<u8>, counters: &mut [u8; 0x2000], pid: u16, start: bool, field: &[u8], payload: &[u8]) {
    let counter = &mut counters[usize::from(pid)];
    let is_table = pid != AUDIO;
    let room = SIZE - 4 - payload.len();
    let control = if room > 0 && !is_table { 0x30 } else { 0x10 };
    let from = out.len();
    out.extend([0x47, (pid >> 8) as u8 | u8::from(start) << 6, pid as u8, control | *counter]);
    *counter = (*counter + 1) & 15;
    if control == 0x30 {
        out.push(room as u8 - 1);
        if room > 1 {
            let own = if field.is_empty() { &[0][..] } else { field };
            out.extend_from_slice(own);
            out.resize(from + 4 + room, 0xff);
        }
    }
    out.extend_from_slice(payload);
    out.resize(from + SIZE, 0xff);
}

/// PID of a packet.
pub(crate) fn pid(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
}

/// Each code of TR 101 290 and a stream that has it.
pub(crate) fn provocations() -> Vec<(&'static str, Vec<u8>)> {
    let plain = Plan::default();
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut file = Plan::default().build();
        change(&mut file);
        file
    };
    vec![
        ("sync-loss", changed(|file| drop(file.splice(20 * SIZE..20 * SIZE, [0x55; 50])))),
        ("sync-byte", changed(|file| file[30 * SIZE] = 0)),
        ("no-pat", Plan { pat: |_| false, ..plain }.build()),
        ("pat-interval", Plan { pat: |n| n == 0, ..plain }.build()),
        ("continuity", changed(|file| drop(file.drain(31 * SIZE..32 * SIZE)))),
        ("no-pmt", Plan { pmt: |_| false, ..plain }.build()),
        ("pmt-interval", Plan { pmt: |n| n == 0, ..plain }.build()),
        ("no-packets", Plan { empty_pid: true, ..plain }.build()),
        ("transport-error", changed(|file| file[30 * SIZE + 1] |= 0x80)),
        (
            "crc",
            changed(|file| {
                let mut tables = (1..file.len() / SIZE).filter(|n| pid(&file[n * SIZE..]) == MAP);
                let second = tables.nth(1).unwrap();
                file[second * SIZE + 15] ^= 1;
            }),
        ),
        ("pcr-interval", Plan { clock: |n| (n % 20 < 10).then_some(n * FRAME), ..plain }.build()),
        ("pcr-jump", Plan { clock: |n| Some(n * FRAME + if n > 20 { 135_000_000 } else { 0 }), ..plain }.build()),
        (
            "pcr-accuracy",
            Plan { pat: |_| true, pmt: |_| true, clock: |n| Some(n * FRAME + if n == 20 { 27 } else { 0 }), ..plain }
                .build(),
        ),
        ("pts-interval", Plan { shown: |n| !(5..=42).contains(&n), ..plain }.build()),
        (
            "no-cat",
            changed(|file| {
                let mut scrambled = [0xff; SIZE];
                scrambled[..4].copy_from_slice(&[0x47, 0x01, 0xff, 0xd0]);
                file.splice(10 * SIZE..10 * SIZE, scrambled);
            }),
        ),
    ]
}
