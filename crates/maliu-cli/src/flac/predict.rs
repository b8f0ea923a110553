//! Prediction of samples from those before them (RFC 9639 §9.2.5, §9.2.6).

/// How the samples of a subframe are predicted.
#[derive(Clone, Debug)]
pub(super) enum Predictor {
    /// A polynomial of this order, at most 4.
    Fixed(usize),
    /// Weights for the samples before, the latest first, whose sum is shifted to the right.
    Linear { weights: Vec<i64>, shift: u32 },
}

/// Bits of a weight, its sign included.
pub(super) const PRECISION: u32 = 14;

/// Most weights.
const ORDER: usize = 10;

impl Predictor {
    /// Samples that stand before the first predicted one.
    pub(super) fn order(&self) -> usize {
        match self {
            Self::Fixed(order) => *order,
            Self::Linear { weights, .. } => weights.len(),
        }
    }

    /// Differences of the samples from what is predicted; `None` where one does not fit 32 bits.
    pub(super) fn residual(&self, samples: &[i64]) -> Option<Vec<i64>> {
        let (weights, shift): (&[i64], u32) = match self {
            Self::Fixed(order) => (FIXED[*order], 0),
            Self::Linear { weights, shift } => (weights, *shift),
        };
        let residual: Vec<i64> = match weights.len() {
            0 => samples.to_vec(),
            order => samples
                .windows(order + 1)
                .map(|window| {
                    let before = window[..order].iter().rev();
                    let sum: i64 = weights.iter().zip(before).map(|(weight, sample)| weight * sample).sum();
                    window[order] - (sum >> shift)
                })
                .collect(),
        };
        let fits = |value: &i64| value.unsigned_abs() < 1 << 31;
        residual.iter().all(fits).then_some(residual)
    }
}

/// Weights of the fixed predictors.
const FIXED: [&[i64]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];

/// The fixed predictor with the smallest differences.
pub(super) fn best_fixed(samples: &[i64]) -> Predictor {
    let cost = |order: &usize| {
        let residual = Predictor::Fixed(*order).residual(samples);
        residual.map_or(u64::MAX, |all| all.iter().map(|value| value.unsigned_abs()).sum())
    };
    Predictor::Fixed((0..=4.min(samples.len() - 1)).min_by_key(cost).unwrap_or(0))
}

/// The linear predictor by autocorrelation; `None` where there is too little to predict from.
pub(super) fn linear(samples: &[i64]) -> Option<Predictor> {
    if samples.len() <= 4 * ORDER {
        return None;
    }
    let middle = samples.len() as f64 / 2.0;
    let shaped = samples.iter().enumerate().map(|(at, sample)| {
        let x = (at as f64 + 0.5 - middle) / middle;
        *sample as f64 * (1.0 - x * x)
    });
    let shaped: Vec<f64> = shaped.collect();
    let correlation = |lag: usize| shaped.iter().zip(&shaped[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let lags: [f64; ORDER + 1] = std::array::from_fn(correlation);
    quantised(&levinson(&lags)?)
}

/// Levinson-Durbin: the weights that leave the least power.
fn levinson(lags: &[f64; ORDER + 1]) -> Option<[f64; ORDER]> {
    let mut weights = [0.0; ORDER];
    let mut error = lags[0] * (1.0 + 1e-10);
    for order in 0..ORDER {
        if error <= 0.0 {
            return None;
        }
        let known: f64 = (0..order).map(|at| weights[at] * lags[order - at]).sum();
        let reflection = (lags[order + 1] - known) / error;
        let before = weights;
        weights[order] = reflection;
        for at in 0..order {
            weights[at] = before[at] - reflection * before[order - 1 - at];
        }
        error *= 1.0 - reflection * reflection;
    }
    Some(weights)
}

fn quantised(weights: &[f64]) -> Option<Predictor> {
    let largest = weights.iter().fold(0.0f64, |largest, weight| largest.max(weight.abs()));
    let room = f64::from(PRECISION) - 1.0 - (largest.log2().floor() + 1.0);
    if !largest.is_normal() || room < 0.0 {
        return None;
    }
    let shift = room.min(15.0) as u32;
    let limit = (1i64 << (PRECISION - 1)) - 1;
    // The error of rounding goes to the next weight.
    let mut left = 0.0;
    let round = |weight: &f64| {
        let exact = weight * f64::from(1u32 << shift) + left;
        let whole = (exact.round() as i64).clamp(-limit, limit);
        left = exact - whole as f64;
        whole
    };
    Some(Predictor::Linear { weights: weights.iter().map(round).collect(), shift })
}
