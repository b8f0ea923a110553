//! The sketches of reference sound: each block's level and its projections on fixed sign sequences.

use crate::Sound;
use std::path::Path;

pub(crate) struct Reference {
    rate: u32,
    channels: usize,
    samples: usize,
    block: usize,
    /// Decibels on which two independent decoders agree; -1 if unknown.
    pub agreement: f64,
    /// The reference leaves the first frame out.
    late: bool,
    rows: Vec<[f64; 7]>,
}

impl Reference {
    /// The first sketch of a stream's reference, if it has one.
    pub(crate) fn read(corpus: &Path, stream: &Path) -> Option<Reference> {
        let name = format!("{}.ref", stream.strip_prefix(corpus).ok()?.to_str()?);
        let text = std::fs::read_to_string(corpus.join("refs").join(name)).ok()?;
        let section = text.split("\n[pcm ").nth(1)?;
        let section = section.split("\n[").next()?;
        let cell = |key: &str| {
            let line = section.lines().find(|l| l.strip_prefix(key).is_some_and(|rest| rest.starts_with('\t')))?;
            line.split('\t').nth(1)
        };
        let agreement = section.lines().filter(|l| l.starts_with("cross_") || l.starts_with("iso_")).filter_map(|l| {
            let (_, value) = l.split_once("snr_db=")?;
            value.split('\t').next()?.parse().ok()
        });
        let rows = section.lines().skip_while(|l| !l.starts_with("sketch_block")).filter_map(|line| {
            let cells: Vec<f64> = line.split('\t').filter_map(|c| c.parse().ok()).collect();
            cells.try_into().ok()
        });
        Some(Reference {
            rate: cell("rate")?.parse().ok()?,
            channels: cell("channels")?.parse().ok()?,
            samples: cell("samples_raw")?.parse().ok().filter(|n| *n > 0)?,
            block: cell("sketch_block")?.parse().ok()?,
            agreement: agreement.fold(-1.0, f64::max),
            late: cell("decoder").is_some_and(|d| d.contains("first frame (codec delay) removed")),
            rows: rows.collect(),
        })
    }

    /// Estimated signal to noise ratio in decibels.
    pub(crate) fn compare(&self, sound: &Sound) -> Result<f64, String> {
        let channels =
            if sound.channels.len() == 1 { vec![0; self.channels.min(2)] } else { (0..self.channels).collect() };
        let Some(first) = sound.channels.first() else { return Err(format!("no sound: {:?}", sound.fault)) };
        if sound.rate != self.rate || channels.len() != self.channels || sound.channels.len() > self.channels {
            let found = sound.channels.len();
            return Err(format!("{} Hz x{found}, not {} Hz x{}", sound.rate, self.rate, self.channels));
        }
        // The decoder behind these references leaves out a frame; its LC is late by as much.
        let skip = if self.late { sound.low_delay } else { 0 };
        // That decoder also loses some frames whose checksums it does not like.
        if first.len().abs_diff(self.samples + skip) > if self.late { 4096 } else { 2048 } {
            return Err(format!("{} samples, not {}, {:?}", first.len() - skip, self.samples, sound.fault));
        }
        let signs: [Vec<f64>; 4] = core::array::from_fn(|j| signs(self.block, j as u32));
        let (mut signal, mut noise) = (0.0, 0.0);
        for &[block, channel, rms, ref expected @ ..] in &self.rows {
            let samples = &sound.channels[channels[channel as usize]];
            let start = skip + block as usize * self.block;
            let samples = samples.get(start..samples.len().min(start + self.block)).unwrap_or_default();
            if samples.is_empty() {
                continue;
            }
            signal += rms * rms;
            for (signs, expected) in signs.iter().zip(expected) {
                let sum: f64 = samples.iter().zip(signs).map(|(x, s)| f64::from(*x) * s).sum();
                noise += (sum / (self.block as f64).sqrt() - expected).powi(2) / 4.0;
            }
        }
        Ok(if noise > 0.0 && signal > 1e-9 { 10.0 * (signal / noise).log10() } else { 200.0 })
    }
}

/// The sign sequence of a projection, from a xorshift generator.
fn signs(count: usize, index: u32) -> Vec<f64> {
    let mut x = 0x9e37_79b9 ^ index.wrapping_mul(0x85eb_ca6b);
    (0..count)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            if x >> 31 != 0 { -1.0 } else { 1.0 }
        })
        .collect()
}
