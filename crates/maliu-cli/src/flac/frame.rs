//! One FLAC frame (RFC 9639 §9).

use super::{
    bits::{Bits, crc8, crc16},
    predict::{PRECISION, Predictor, best_fixed, linear},
    rice::Plan,
};

/// Samples per channel of a frame.
pub(super) const BLOCK: usize = 4096;

/// Facts that all frames share.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub rate: u32,
    pub channels: u16,
    pub bits: u32,
}

/// The frame with this number, of interleaved samples of up to [`BLOCK`] for each channel.
pub(super) fn encode(kind: Kind, number: u64, samples: &[i32]) -> Vec<u8> {
    let channels = usize::from(kind.channels);
    let plane = |channel: usize| samples.iter().skip(channel).step_by(channels).map(|s| i64::from(*s)).collect();
    let planes: Vec<Vec<i64>> = (0..channels).map(plane).collect();
    let (assignment, subframes) = match &planes[..] {
        // A difference of 33 bits is more than some decoders read.
        [left, right] if kind.bits < 32 => stereo(left, right, kind.bits),
        _ => {
            (u64::from(kind.channels) - 1, planes.iter().map(|plane| Subframe::of(plane.clone(), kind.bits)).collect())
        }
    };
    let mut out = Bits::default();
    header(&mut out, kind, number, samples.len() / channels, assignment);
    subframes.iter().for_each(|subframe| subframe.write(&mut out));
    let mut bytes = out.into_bytes();
    let crc = crc16(&bytes);
    bytes.extend(crc.to_be_bytes());
    bytes
}

fn header(out: &mut Bits, kind: Kind, number: u64, length: usize, assignment: u64) {
    out.put(0b1111_1111_1111_1000, 16);
    out.put(if length == BLOCK { 0b1100 } else { 0b0111 }, 4);
    out.put(RATES.iter().position(|rate| *rate == kind.rate).unwrap_or(0) as u64, 4);
    out.put(assignment, 4);
    let size = [(8, 1), (16, 4), (24, 6), (32, 7)].iter().find(|(bits, _)| *bits == kind.bits);
    out.put(size.map_or(0, |(_, code)| *code), 3);
    out.put(0, 1);
    coded_number(out, number);
    if length != BLOCK {
        out.put(length as u64 - 1, 16);
    }
    let crc = crc8(out.bytes());
    out.put(crc.into(), 8);
}

/// Rates that a header names, by their code.
const RATES: [u32; 12] = [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

/// A number as UTF-8 codes characters, of up to 36 bits.
fn coded_number(out: &mut Bits, number: u64) {
    let rest = (0..6).find(|rest| number < if *rest == 0 { 0x80 } else { 1 << (5 * rest + 6) }).unwrap_or(6);
    if rest == 0 {
        return out.put(number, 8);
    }
    let marks = 0xff00u64 >> (rest + 1) & 0xff;
    out.put(marks | number >> (6 * rest), 8);
    (0..rest).rev().for_each(|at| out.put(0x80 | number >> (6 * at) & 0x3f, 8));
}

/// Two channels, or one of them and their difference, or their mean and their difference: the smallest.
fn stereo(left: &[i64], right: &[i64], bits: u32) -> (u64, Vec<Subframe>) {
    let pairs = || left.iter().zip(right);
    let middle = Subframe::of(pairs().map(|(left, right)| (left + right) >> 1).collect(), bits);
    let side = Subframe::of(pairs().map(|(left, right)| left - right).collect(), bits + 1);
    let left = Subframe::of(left.to_vec(), bits);
    let right = Subframe::of(right.to_vec(), bits);
    let ways = [(1, &left, &right), (8, &left, &side), (9, &side, &right), (10, &middle, &side)];
    let best = ways.into_iter().min_by_key(|(_, first, second)| first.cost + second.cost).map_or(1, |(way, ..)| way);
    match best {
        8 => (8, vec![left, side]),
        9 => (9, vec![side, right]),
        10 => (10, vec![middle, side]),
        _ => (1, vec![left, right]),
    }
}

/// One channel of a frame.
struct Subframe {
    samples: Vec<i64>,
    bits: u32,
    way: Way,
    /// Bits of it, nearly.
    cost: u64,
}

enum Way {
    Constant,
    Verbatim,
    Predicted { predictor: Predictor, residual: Vec<i64>, plan: Plan },
}

impl Subframe {
    fn of(samples: Vec<i64>, bits: u32) -> Self {
        if samples.windows(2).all(|pair| pair[0] == pair[1]) {
            return Self { samples, bits, way: Way::Constant, cost: bits.into() };
        }
        let whole = samples.len() as u64 * u64::from(bits);
        let predictors = [Some(best_fixed(&samples)), linear(&samples)];
        let ways = predictors.into_iter().flatten().filter_map(|predictor| {
            let order = predictor.order();
            let residual = predictor.residual(&samples)?;
            let plan = Plan::best(&residual, samples.len(), order);
            let weights = if matches!(predictor, Predictor::Linear { .. }) { PRECISION * order as u32 + 9 } else { 0 };
            let cost = plan.bits.saturating_add(u64::from(bits) * order as u64 + u64::from(weights));
            Some((cost, Way::Predicted { predictor, residual, plan }))
        });
        match ways.min_by_key(|(cost, _)| *cost).filter(|(cost, _)| *cost < whole) {
            Some((cost, way)) => Self { samples, bits, way, cost },
            None => Self { samples, bits, way: Way::Verbatim, cost: whole },
        }
    }

    fn write(&self, out: &mut Bits) {
        match &self.way {
            Way::Constant => {
                out.put(0, 8);
                self.samples.iter().take(1).for_each(|sample| out.signed(*sample, self.bits));
            }
            Way::Verbatim => {
                out.put(1 << 1, 8);
                self.samples.iter().for_each(|sample| out.signed(*sample, self.bits));
            }
            Way::Predicted { predictor, residual, plan } => {
                let order = predictor.order();
                let kind = match predictor {
                    Predictor::Fixed(_) => 0b00_1000 | order as u64,
                    Predictor::Linear { .. } => 0b10_0000 | (order as u64 - 1),
                };
                out.put(kind << 1, 8);
                self.samples.iter().take(order).for_each(|sample| out.signed(*sample, self.bits));
                if let Predictor::Linear { weights, shift } = predictor {
                    out.put(u64::from(PRECISION) - 1, 4);
                    out.put((*shift).into(), 5);
                    weights.iter().for_each(|weight| out.signed(*weight, PRECISION));
                }
                plan.write(out, residual, self.samples.len(), order);
            }
        }
    }
}
