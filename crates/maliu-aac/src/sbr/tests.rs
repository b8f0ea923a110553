//! SBR as a whole: what it does without data, with lost data and with any data.
#![allow(clippy::unusual_byte_groupings)] // Groups of digits are fields.

use super::*;

/// All of SBR for one element.
struct Sbr {
    parser: Parser,
    high: High,
    widener: Widener,
    joiner: Joiner,
    unit: Unit,
}

impl Sbr {
    fn new(core_rate: u32, channels: usize, frame_length: usize, low_delay: bool, ps_allowed: bool) -> Self {
        let index = if channels == 2 { 2 } else { 1 };
        let declared = crate::layout::standard_program(index).expect("a standard program");
        let asc = if frame_length.is_multiple_of(15) { [0x12, 0x14] } else { [0x12, 0x10] };
        let config = crate::Config::parse(&asc).expect("a configuration");
        let mut plan = Plan::new(index, &declared, crate::channel::Syntax::of(&config));
        plan.syntax.frame_length = frame_length;
        plan.extension = Some(crate::plan::Extension { low_delay, downsampled: false, ps_allowed });
        Self {
            parser: Parser::new(core_rate, channels, frame_length, low_delay, ps_allowed),
            high: High::new(&plan, channels),
            widener: Widener::new(&plan, channels),
            joiner: Joiner::new(&plan, channels),
            unit: Unit::new(&plan, channels),
        }
    }

    fn process(&mut self, core: [&[f32]; 2], out: [&mut [f32]; 2]) {
        self.parser.tell(&mut self.unit);
        self.high.run(core, &mut self.unit);
        self.widener.run(&mut self.unit);
        self.joiner.run(&self.unit, out);
    }
}

/// Pseudo-random bytes, the same every time.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// A unit's data: a header of common fields, one envelope over frequency, then what chance brings.
fn payload(random: &mut Random) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..160).map(|_| random.next() as u8).collect();
    match random.next() % 4 {
        0 => {}
        // bs_header_flag, bs_amp_res, bs_start_freq 5, bs_stop_freq 9, bs_xover_band 0, no extra fields; FIXFIX.
        1 => bytes[..3].copy_from_slice(&[0b1101_0110, 0b0100_0000, 0b0000_0000]),
        2 => bytes[..2].copy_from_slice(&[0b1101_0110, 0b0100_0000]),
        _ => bytes[0] &= 0x7f,
    }
    let length = 1 + random.next() as usize % 160;
    bytes.truncate(length);
    bytes
}

#[test]
fn no_data_makes_sbr_panic_or_lose_its_numbers() {
    let mut random = Random(0x9e37_79b9);
    for (channels, length, low_delay) in
        [(1, 1024, false), (2, 1024, false), (1, 960, false), (2, 512, true), (1, 480, true)]
    {
        for rate in [8000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000] {
            let mut sbr = Sbr::new(rate, channels, length, low_delay, true);
            for unit in 0..120 {
                let data = payload(&mut random);
                match unit % 7 {
                    6 => sbr.parser.lost(),
                    kind => drop(sbr.parser.parse(&mut Bits::new(&data), kind == 5)),
                }
                let loud = if unit % 11 == 0 { f32::MAX } else { 0.5 };
                let core: Vec<f32> = (0..length).map(|_| loud * (random.next() as i32 as f32 / 2e9)).collect();
                let (mut left, mut right) = (vec![0.0; 2 * length], vec![0.0; 2 * length]);
                sbr.process([&core, &core], [&mut left, &mut right]);
                assert!(left.iter().chain(&right).all(|sample| sample.is_finite()));
            }
        }
    }
}

#[test]
fn without_data_the_core_passes_alone() {
    let mut sbr = Sbr::new(24_000, 1, 1024, false, true);
    let mut heard = Vec::new();
    for unit in 0..4 {
        let core: Vec<f32> = (0..1024).map(|i| ((unit * 1024 + i) as f32 * 0.1).sin() * 0.5).collect();
        let (mut left, mut right) = ([0.0; 2048], [0.0; 2048]);
        sbr.parser.lost();
        sbr.process([&core, &[]], [&mut left, &mut right]);
        assert_eq!(right, [0.0; 2048]);
        heard.extend(left);
    }
    // Half the frequency at twice the rate, later by the 289 samples of the banks and the six slots of the lag.
    let expected = |i: usize| ((i as f32 / 2.0 - 289.0 - 192.0) * 0.1).sin() * 0.5;
    let worst = (2048..8192).map(|i| (heard[i] - expected(i)).abs()).fold(0.0, f32::max);
    assert!(worst < 2e-3, "{worst}");
}

#[test]
fn data_with_a_wrong_checksum_counts_as_lost() {
    // The checksum of the data below, which begins behind its ten bits.
    let data = |checksum: u16| {
        let mut bytes = [0u8; 16];
        let plain: [u8; 5] = [0b1101_0110, 0b0100_0000, 0, 0, 0b0000_0110];
        bytes[0] = (checksum >> 2) as u8;
        bytes[1] = (checksum << 6) as u8;
        for (i, byte) in plain.iter().enumerate() {
            bytes[i + 1] |= byte >> 2;
            bytes[i + 2] |= byte << 6;
        }
        bytes
    };
    let good = (0..1024).filter(|&checksum| {
        Parser::new(24_000, 1, 1024, false, false).parse(&mut Bits::new(&data(checksum)), true).is_ok()
    });
    assert_eq!(good.collect::<Vec<_>>(), [0x38d]);
}

#[test]
fn a_lost_unit_is_held_and_silence_of_data_ends_sbr() {
    let mut sbr = Sbr::new(24_000, 1, 1024, false, false);
    // Header; FIXFIX, one envelope of low resolution; no deltas over time; inverse filters off; all levels equal.
    let data = [0b1101_0110, 0b0100_0000, 0, 0, 0b0000_0110, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    sbr.parser.parse(&mut Bits::new(&data), false).expect("good data");
    let core = [0.1; 1024];
    let mut power = Vec::new();
    for _ in 0..10 {
        let mut out = [0.0; 2048];
        sbr.process([&core, &[]], [&mut out, &mut []]);
        sbr.parser.lost();
        let spectrum = &sbr.unit.spectra[0];
        let high: f32 = spectrum.re[..32].iter().flat_map(|row| &row[33..]).map(|x| x * x).sum();
        power.push(high);
    }
    assert!(power[2] > 0.0 && power[2] < power[1] && power[9] == 0.0, "{power:?}");
    assert!(sbr.parser.bands.is_none());
}

#[test]
fn every_code_word_decodes_to_its_symbol_and_takes_its_length() {
    use super::huffman_tables::ENV_TIME_15;
    use crate::{
        bits::Bits,
        prefix::{symbol, tree},
    };

    static TREE: [[i16; 2]; 120] = tree(&ENV_TIME_15);
    for (at, &(length, word)) in ENV_TIME_15.iter().enumerate() {
        let bytes = (word << (32 - u32::from(length))).to_be_bytes();
        let mut bits = Bits::new(&bytes);
        assert_eq!((symbol(&TREE, &mut bits), bits.position()), (at as i32, usize::from(length)));
    }
}
