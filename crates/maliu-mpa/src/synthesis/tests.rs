//! The synthesis against its definition in double precision.

use core::f64::consts::PI;

use super::*;
use crate::Error;
use crate::header::{Header, SLOTS};
use crate::parsed::{Block, Row};
use crate::tables::window::d;

/// A generator of numbers from -1 to 1 (xorshift).
struct Chance(u32);

impl Chance {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as i32 as f32 / 2_147_483_648.0
    }
}

/// The filter banks of one channel by the formulas of the standard.
struct Reference {
    overlap: [[f64; 18]; 32],
    v: Vec<f64>,
}

impl Reference {
    fn new() -> Self {
        Self { overlap: [[0.0; 18]; 32], v: vec![0.0; 1024] }
    }

    fn granule(&mut self, block: Block, lines: &[Row; SLOTS], out: &mut Vec<f64>) {
        let mut slots = [[0.0; 32]; SLOTS];
        for band in 0..32 {
            let x: Vec<f64> = lines.iter().map(|row| f64::from(row[band])).collect();
            let kind = if band < block.long { 0 } else { block.kind };
            let samples = transformed(kind, &x);
            for i in 0..18 {
                let sign = if i % 2 == 1 && band % 2 == 1 { -1.0 } else { 1.0 };
                slots[i][band] = sign * (samples[i] + self.overlap[band][i]);
                self.overlap[band][i] = samples[18 + i];
            }
        }
        slots.iter().for_each(|slot| self.slot(slot, out));
    }

    fn slot(&mut self, s: &[f64; 32], out: &mut Vec<f64>) {
        self.v.rotate_right(64);
        for i in 0..64 {
            let term = |k: usize| ((16 + i) as f64 * (2 * k + 1) as f64 * PI / 64.0).cos() * s[k];
            self.v[i] = (0..32).map(term).sum();
        }
        for j in 0..32 {
            let u = |i: usize| self.v[i / 64 * 128 + i % 64 + if i % 64 < 32 { 0 } else { 64 }];
            out.push((0..16).map(|i| u(j + 32 * i) * d(j + 32 * i)).sum());
        }
    }
}

/// The windowed inverse transform of 18 lines.
fn transformed(kind: u8, x: &[f64]) -> [f64; 36] {
    let imdct = |x: &[f64], n: usize, i: usize| {
        let angle = |k: usize| PI / (2 * n) as f64 * (2 * i + 1 + n / 2) as f64 * (2 * k + 1) as f64;
        x.iter().enumerate().map(|(k, x)| x * angle(k).cos()).sum::<f64>()
    };
    let sine = |i: usize, n: usize| (PI / n as f64 * (i as f64 + 0.5)).sin();
    let mut out = [0.0; 36];
    for (i, out) in out.iter_mut().enumerate() {
        *out = match (kind, i) {
            (1, 18..24) | (3, 12..18) => imdct(x, 36, i),
            (1, 24..30) => imdct(x, 36, i) * sine(i - 18, 12),
            (3, 6..12) => imdct(x, 36, i) * sine(i - 6, 12),
            (1, 30..) | (3, ..6) | (2, _) => 0.0,
            _ => imdct(x, 36, i) * sine(i, 36),
        };
    }
    for window in (0..3).filter(|_| kind == 2) {
        let x: Vec<f64> = (0..6).map(|k| x[3 * k + window]).collect();
        (0..12).for_each(|i| out[6 + 6 * window + i] += imdct(&x, 12, i) * sine(i, 12));
    }
    out
}

const BLOCKS: [(u8, usize); 8] = [(0, 0), (1, 0), (2, 0), (3, 0), (1, 2), (2, 2), (2, 4), (3, 2)];

#[test]
fn layer_3_is_exact_to_2_to_the_minus_22() {
    let header = Header::parse(&[0xff, 0xfb, 0x90, 0xc4]).unwrap();
    let (mut chance, mut synthesis, mut reference) = (Chance(0x1234_5678), Synthesis::new(), Reference::new());
    let (mut unit, mut power, mut error, mut count) = (Parsed::new(), 0.0, 0.0, 0.0);
    for n in 0..64 {
        unit.begin(Some(header));
        for granule in 0..2 {
            let (kind, long) = BLOCKS[(2 * n + granule) / 3 % 8];
            let block = Block { kind, long, width: [32, 9, 30, 1, 0, 17][n % 6].max(long) };
            unit.spectrum.blocks[0][granule] = block;
            for (k, row) in unit.spectrum.rows[0].as_chunks_mut::<SLOTS>().0[granule].iter_mut().enumerate() {
                for (band, line) in row.iter_mut().enumerate() {
                    let level = 0.15 / (1.0 + (18 * band + k) as f32 / 40.0);
                    *line = if band < block.width { level * chance.next() } else { 0.0 };
                }
            }
        }
        let mut expected = Vec::new();
        for granule in 0..2 {
            let lines = &unit.spectrum.rows[0].as_chunks::<SLOTS>().0[granule];
            reference.granule(unit.spectrum.blocks[0][granule], lines, &mut expected);
        }
        synthesis.run(&mut unit);
        assert_eq!(unit.fault(), None);
        for (found, expected) in unit.frame().channel(0).iter().zip(&expected) {
            power += expected * expected;
            error += (f64::from(*found) - expected).powi(2);
            count += 1.0;
        }
    }
    let (level, error) = ((power / count).sqrt(), (error / count).sqrt());
    println!("level {level:.3}, error 2^{:.2}", error.log2());
    assert!(level > 0.3, "{level}");
    assert!(error <= 2f64.powi(-22), "2^{}", error.log2());
}

#[test]
fn layers_1_and_2_are_exact_to_2_to_the_minus_22() {
    for bytes in [[0xff, 0xff, 0xc2, 0xcf], [0xff, 0xfd, 0xa0, 0xc0]] {
        let header = Header::parse(&bytes).unwrap();
        let (mut chance, mut synthesis, mut reference) = (Chance(0x1234_5678), Synthesis::new(), Reference::new());
        let (mut unit, mut error, mut count) = (Parsed::new(), 0.0, 0.0);
        for _ in 0..40 {
            unit.begin(Some(header));
            let mut expected = Vec::new();
            for slot in unit.spectrum.rows[0].iter_mut().take(header.slots()) {
                *slot = std::array::from_fn(|_| 0.2 * chance.next());
                reference.slot(&slot.map(f64::from), &mut expected);
            }
            synthesis.run(&mut unit);
            for (found, expected) in unit.frame().channel(0).iter().zip(&expected) {
                error += (f64::from(*found) - expected).powi(2);
                count += 1.0;
            }
        }
        let error: f64 = error / count;
        assert!(error.sqrt() <= 2f64.powi(-22), "2^{}", error.sqrt().log2());
    }
}

#[test]
fn a_frame_that_is_too_loud_is_concealed_and_leaves_the_state_as_it_was() {
    let header = Header::parse(&[0xff, 0xfb, 0x90, 0xc4]).unwrap();
    let play = |lost: bool| {
        let (mut synthesis, mut unit, mut frames) = (Synthesis::new(), Parsed::new(), Vec::new());
        for n in 0..4 {
            unit.begin(Some(header));
            unit.spectrum.rows[0][3] = [0.02; 32];
            unit.spectrum.blocks[0] = [Block { kind: 0, long: 0, width: 32 }; 2];
            match n {
                1 if lost => unit.fault = Some(Error::Lost),
                1 => unit.spectrum.rows[0][5] = [9.0; 32],
                _ => unit.spectrum.rows[0][5] = [0.02; 32],
            }
            synthesis.run(&mut unit);
            let fault = if lost { Error::Lost } else { Error::TooLoud };
            assert_eq!(unit.fault(), (n == 1).then_some(fault));
            frames.push(unit.frame().channel(0).to_vec());
        }
        frames
    };
    assert_eq!(play(true), play(false));
}

/// Frames of noise, some of them damaged or far too loud, with a change of the number of channels and one of the rate.
fn play(mut each: impl FnMut(usize, &mut Parsed)) -> Vec<Vec<f32>> {
    let (stereo, mono, other) = ([0xff, 0xfb, 0x90, 0x04], [0xff, 0xfb, 0x90, 0xc4], [0xff, 0xfb, 0x94, 0x04]);
    let (mut chance, mut frames) = (Chance(0x1234_5678), Vec::new());
    let mut units: Vec<Parsed> = std::iter::repeat_with(Parsed::new).take(48).collect();
    for (n, unit) in units.iter_mut().enumerate() {
        let bytes = if n >= 40 {
            other
        } else if n % 11 > 6 {
            mono
        } else {
            stereo
        };
        unit.begin(Header::parse(&bytes));
        unit.fault = (n % 9 == 4).then_some(Error::Lost);
        let level = [0.02, 0.1, 0.4, 9.0][n % 4 * usize::from(n % 5 == 3)];
        for channel in 0..2 {
            unit.spectrum.blocks[channel] = [0, 1].map(|granule| {
                let (kind, long) = BLOCKS[(n + granule) % 8];
                Block { kind, long, width: 32 }
            });
            unit.spectrum.rows[channel].as_flattened_mut().iter_mut().for_each(|line| *line = level * chance.next());
        }
        each(n, unit);
    }
    for unit in &units {
        frames.push([unit.frame().channel(0), unit.frame().channel(1)].concat());
    }
    assert!(units.iter().any(|unit| unit.fault() == Some(Error::TooLoud)));
    frames
}

#[test]
fn sound_is_the_same_from_wherever_the_filter_bank_begins() {
    let mut whole = Synthesis::new();
    let expected = play(|_, unit| whole.run(unit));
    for length in [1, 3, 8] {
        let (mut subbands, mut banks) = (Subbands::new(), [Polyphase::new(), Polyphase::new()]);
        let found = play(|n, unit| {
            let bank = &mut banks[n / length % 2];
            if n % length == 0 {
                subbands.begin();
                bank.begin();
            }
            subbands.run(unit);
            bank.run(unit);
        });
        assert!(found == expected, "batches of {length}");
    }
}

#[test]
fn no_slot_is_louder_than_the_gain_says() {
    let (mut bank, mut chance, mut output) = (bank::Bank::default(), Chance(0x1234_5678), [0.0; 1152]);
    for _ in 0..200 {
        let slots: Vec<Row> = (0..36).map(|_| std::array::from_fn(|_| chance.next().signum() / 32.0)).collect();
        bank.run(&slots, &mut output);
        bank.keep(36);
        assert!(output.iter().all(|sample| sample.abs() <= bank::gain()));
    }
    assert!((1.0..4.0).contains(&bank::gain()), "{}", bank::gain());
}
