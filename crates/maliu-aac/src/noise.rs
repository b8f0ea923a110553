//! Perceptual noise substitution: bands filled with noise of a given level (ISO/IEC 14496-3 §4.6.13).

/// The generator that all channels of a decoder share, in the order of the bitstream. Its sequence is FFmpeg's, so that
/// the sound is the same; the standard leaves it open.
#[derive(Clone)]
pub(crate) struct Noise(u32);

impl Noise {
    pub(crate) fn new() -> Noise {
        Noise(SEED)
    }

    /// Whether any noise was made.
    pub(crate) fn started(&self) -> bool {
        self.0 != SEED
    }

    /// Fills a band with noise whose energy is `level` squared.
    pub(crate) fn fill(&mut self, band: &mut [f32], level: f32) {
        let mut energy = 0.0;
        for line in band.iter_mut() {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = self.0 as i32 as f32;
            *line = value;
            energy += value * value;
        }
        let scale = level / energy.sqrt();
        band.iter_mut().for_each(|line| *line *= scale);
    }
}

const SEED: u32 = 0x1f2e_3d4c;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_asked_energy_and_starts_the_same() {
        let mut band = [0.0; 32];
        Noise::new().fill(&mut band, 3.0);
        let energy: f32 = band.iter().map(|x| x * x).sum();
        assert!((energy - 9.0).abs() < 1e-3);
        let mut again = [0.0; 32];
        Noise::new().fill(&mut again, 3.0);
        assert_eq!(band, again);
    }
}
