//! Complex Fourier transform of lengths 4 · 2^a · 3^b · 5^c, in blocks of four numbers that fit a vector register.
//!
//! Self-sorting (Stockham) stages: each reads one buffer and writes the other. After the first stage of radix 4, whose
//! results are transposed, all strides are multiples of four, so that every stage works on whole blocks.

/// Four complex numbers, real parts together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Block {
    pub(crate) re: [f32; 4],
    pub(crate) im: [f32; 4],
}

/// A transform of one length.
pub(crate) struct Fft {
    /// Twiddle factors of the first stage, for its second to fourth input.
    first: Vec<[Block; 3]>,
    stages: Vec<Stage>,
}

struct Stage {
    radix: usize,
    /// Groups of butterflies that share their factors.
    groups: usize,
    /// Blocks between neighbouring inputs of a group.
    stride: usize,
    /// Factors (cosine, sine) of inputs 1 to radix - 1 of each group.
    twiddles: Vec<[(f32, f32); 4]>,
}

impl Fft {
    /// A transform of `length` complex numbers, a multiple of 16.
    pub(crate) fn new(length: usize) -> Fft {
        debug_assert!(length.is_multiple_of(16));
        let turn = |part: usize, of: usize| {
            let angle = -core::f64::consts::TAU * part as f64 / of as f64;
            (angle.cos() as f32, angle.sin() as f32)
        };
        let block = |p: usize, j: usize| {
            let lanes: [(f32, f32); 4] = core::array::from_fn(|lane| turn((4 * p + lane) * j, length));
            Block { re: lanes.map(|l| l.0), im: lanes.map(|l| l.1) }
        };
        let first = (0..length / 16).map(|p| [1, 2, 3].map(|j| block(p, j))).collect();
        let (mut rest, mut stride, mut stages) = (length / 4, 1, Vec::new());
        while rest > 1 {
            let radix = [4, 5, 3, 2].into_iter().find(|r| rest.is_multiple_of(*r)).unwrap_or(rest);
            let groups = rest / radix;
            let twiddles = (0..groups).map(|p| core::array::from_fn(|j| turn(p * (j + 1), rest))).collect();
            stages.push(Stage { radix, groups, stride, twiddles });
            (rest, stride) = (groups, stride * radix);
        }
        Fft { first, stages }
    }

    /// Transforms `data`, both slices being `length / 4` blocks long. The result is in the slice that is returned.
    pub(crate) fn run<'a>(&self, data: &'a mut [Block], scratch: &'a mut [Block]) -> &'a mut [Block] {
        first_stage(&self.first, data, scratch);
        let (mut from, mut to) = (scratch, data);
        for stage in &self.stages {
            match stage.radix {
                4 => stage.run(from, to, butterfly_4),
                5 => stage.run(from, to, butterfly_5),
                3 => stage.run(from, to, butterfly_3),
                _ => stage.run(from, to, butterfly_2),
            }
            (from, to) = (to, from);
        }
        from
    }
}

fn first_stage(twiddles: &[[Block; 3]], from: &[Block], to: &mut [Block]) {
    let quarter = from.len() / 4;
    let (low, high) = from.split_at(2 * quarter);
    let ((a, b), (c, d)) = (low.split_at(quarter), high.split_at(quarter));
    let inputs = a.iter().zip(b).zip(c.iter().zip(d));
    for ((((a, b), (c, d)), w), out) in inputs.zip(twiddles).zip(to.chunks_exact_mut(4)) {
        let [a, b, c, d] = butterfly_4([*a, *b, *c, *d]);
        let (b, c, d) = (b.times(w[0]), c.times(w[1]), d.times(w[2]));
        for (lane, block) in out.iter_mut().enumerate() {
            block.re = [a.re[lane], b.re[lane], c.re[lane], d.re[lane]];
            block.im = [a.im[lane], b.im[lane], c.im[lane], d.im[lane]];
        }
    }
}

impl Stage {
    #[inline(always)]
    fn run<const R: usize>(&self, from: &[Block], to: &mut [Block], butterfly: impl Fn([Block; R]) -> [Block; R]) {
        let (stride, step) = (self.stride, self.groups * self.stride);
        for (group, (out, w)) in to.chunks_exact_mut(R * stride).zip(&self.twiddles).enumerate() {
            let inputs: [&[Block]; R] = core::array::from_fn(|j| &from[j * step + group * stride..][..stride]);
            let mut rows = out.chunks_exact_mut(stride);
            let outputs: [&mut [Block]; R] = core::array::from_fn(|_| rows.next().unwrap_or_default());
            if outputs.iter().any(|row| row.len() != stride) {
                return;
            }
            for q in 0..stride {
                let results = butterfly(core::array::from_fn(|j| inputs[j][q]));
                outputs[0][q] = results[0];
                for j in 1..R {
                    let (cos, sin) = w[j - 1];
                    outputs[j][q] = results[j].turned(cos, sin);
                }
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn map(self, other: Block, f: impl Fn(f32, f32) -> f32) -> Block {
        Block {
            re: core::array::from_fn(|i| f(self.re[i], other.re[i])),
            im: core::array::from_fn(|i| f(self.im[i], other.im[i])),
        }
    }

    #[inline(always)]
    fn plus(self, other: Block) -> Block {
        self.map(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(self, other: Block) -> Block {
        self.map(other, |a, b| a - b)
    }

    #[inline(always)]
    fn scaled(self, by: f32) -> Block {
        self.map(self, |a, _| a * by)
    }

    /// Multiplied by -i.
    #[inline(always)]
    fn quarter_turn(self) -> Block {
        Block { re: self.im, im: self.re.map(|x| -x) }
    }

    /// Multiplied by `cos + i sin`.
    #[inline(always)]
    fn turned(self, cos: f32, sin: f32) -> Block {
        self.times(Block { re: [cos; 4], im: [sin; 4] })
    }

    /// Multiplied number by number.
    #[inline(always)]
    pub(crate) fn times(self, w: Block) -> Block {
        Block {
            re: core::array::from_fn(|i| self.re[i] * w.re[i] - self.im[i] * w.im[i]),
            im: core::array::from_fn(|i| self.re[i] * w.im[i] + self.im[i] * w.re[i]),
        }
    }
}

#[inline(always)]
fn butterfly_2([a, b]: [Block; 2]) -> [Block; 2] {
    [a.plus(b), a.minus(b)]
}

#[inline(always)]
fn butterfly_3([a, b, c]: [Block; 3]) -> [Block; 3] {
    const SIN_60: f32 = 0.866_025_4;
    let (sum, turned) = (b.plus(c), b.minus(c).scaled(SIN_60).quarter_turn());
    let middle = a.minus(sum.scaled(0.5));
    [a.plus(sum), middle.plus(turned), middle.minus(turned)]
}

#[inline(always)]
fn butterfly_4([a, b, c, d]: [Block; 4]) -> [Block; 4] {
    let (even, odd) = ([a.plus(c), a.minus(c)], [b.plus(d), b.minus(d).quarter_turn()]);
    [even[0].plus(odd[0]), even[1].plus(odd[1]), even[0].minus(odd[0]), even[1].minus(odd[1])]
}

#[inline(always)]
fn butterfly_5([a, b, c, d, e]: [Block; 5]) -> [Block; 5] {
    const COS_72: f32 = 0.309_017;
    const COS_144: f32 = -0.809_017;
    const SIN_72: f32 = 0.951_056_54;
    const SIN_144: f32 = 0.587_785_25;
    let (be, cd) = (b.plus(e), c.plus(d));
    let (be_turned, cd_turned) = (b.minus(e).quarter_turn(), c.minus(d).quarter_turn());
    let first = a.plus(be.scaled(COS_72)).plus(cd.scaled(COS_144));
    let second = a.plus(be.scaled(COS_144)).plus(cd.scaled(COS_72));
    let first_turned = be_turned.scaled(SIN_72).plus(cd_turned.scaled(SIN_144));
    let second_turned = be_turned.scaled(SIN_144).minus(cd_turned.scaled(SIN_72));
    [
        a.plus(be).plus(cd),
        first.plus(first_turned),
        second.plus(second_turned),
        second.minus(second_turned),
        first.minus(first_turned),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_equal_the_sum_they_stand_for() {
        for length in [16, 64, 240, 256, 480, 512] {
            let input: Vec<(f64, f64)> =
                (0..length).map(|i| ((i as f64 * 0.37).sin(), (i as f64 * 1.13).cos() * 0.5)).collect();
            let lane = |block: usize, part: fn(&(f64, f64)) -> f64| {
                core::array::from_fn(|lane| part(&input[4 * block + lane]) as f32)
            };
            let mut data: Vec<Block> =
                (0..length / 4).map(|b| Block { re: lane(b, |x| x.0), im: lane(b, |x| x.1) }).collect();
            let mut scratch = vec![Block::default(); length / 4];
            let result = Fft::new(length).run(&mut data, &mut scratch);
            for k in 0..length {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, x) in input.iter().enumerate() {
                    let (sin, cos) = (-core::f64::consts::TAU * (i * k % length) as f64 / length as f64).sin_cos();
                    re += x.0 * cos - x.1 * sin;
                    im += x.0 * sin + x.1 * cos;
                }
                let found = (result[k / 4].re[k % 4], result[k / 4].im[k % 4]);
                assert!((f64::from(found.0) - re).abs() < 2e-3 && (f64::from(found.1) - im).abs() < 2e-3, "{length}");
            }
        }
    }
}
