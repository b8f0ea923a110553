//! G.726: ADPCM of 2 to 5 bits a sample with a backward adaptive quantiser and predictor (ITU-T G.726).
//!
//! Names are those of the recommendation's variables, in lower case.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use crate::{AudioFrame, Fault, Samples, Unit, pcm};

pub(crate) const CODECS: &[Codec] = &[Codec::G726];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let shell = pcm::shell(info)?;
    let bits = info.as_audio().map_or(0, |audio| usize::from(audio.bits_per_sample));
    match (bits, shell.channels) {
        (2..=5, 1) => Ok(Box::new(G726 { shell, bits, state: State::default() })),
        (_, 1) => Err(Error::unsupported(format!("G.726 of {bits} bits a sample"))),
        (_, channels) => Err(Error::unsupported(format!("G.726 of {channels} channels"))),
    }
}

struct G726 {
    shell: AudioFrame,
    bits: usize,
    state: State,
}

impl Unit for G726 {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        let table = &TABLES[self.bits - 2];
        let mut samples = Vec::with_capacity(packet.data.len() * 8 / self.bits);
        let (mut word, mut held) = (0u32, 0);
        for byte in packet.data.iter() {
            (word, held) = (word << 8 | u32::from(*byte), held + 8);
            while held >= self.bits {
                held -= self.bits;
                let code = (word >> held) as usize & ((1 << self.bits) - 1);
                samples.push(i32::from(self.state.next(code, self.bits, table)) << 16);
            }
        }
        Ok(AudioFrame { samples: Samples::I32(samples), ..self.shell.clone() })
    }

    fn reset(&mut self) {
        self.state = State::default();
    }
}

/// State that both ends adapt. Values in `dq` and `sr` are floating point: sign, 4 bits of exponent, 6 of mantissa.
struct State {
    yl: i32,
    yu: i32,
    dms: i32,
    dml: i32,
    ap: i32,
    a: [i32; 2],
    b: [i32; 6],
    pk: [bool; 2],
    dq: [Float; 6],
    sr: [Float; 2],
    td: bool,
}

#[derive(Clone, Copy)]
struct Float {
    negative: bool,
    exponent: u32,
    mantissa: i32,
}

impl Float {
    const ZERO: Self = Self { negative: false, exponent: 0, mantissa: 32 };

    fn of(negative: bool, magnitude: i32) -> Self {
        if magnitude == 0 {
            return Self { negative, ..Self::ZERO };
        }
        let exponent = magnitude.ilog2() + 1;
        Self { negative, exponent, mantissa: (magnitude << 6) >> exponent }
    }

    /// FMULT: the product with a coefficient.
    fn times(self, coefficient: i32) -> i32 {
        let an = coefficient >> 2;
        let magnitude = if an > 0 { an } else { -an & 0x1fff };
        let exponent = if magnitude == 0 { 0 } else { magnitude.ilog2() as i32 + 1 };
        let mantissa = if magnitude == 0 { 32 } else { (magnitude << 6) >> exponent };
        let shift = exponent - 6 + self.exponent as i32 - 13;
        let product = (mantissa * self.mantissa + 0x30) >> 4;
        let product = if shift >= 0 { (product << shift) & 0x7fff } else { product >> -shift };
        if (an < 0) != self.negative { -product } else { product }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            yl: 34_816,
            yu: 544,
            dms: 0,
            dml: 0,
            ap: 0,
            a: [0; 2],
            b: [0; 6],
            pk: [false; 2],
            dq: [Float::ZERO; 6],
            sr: [Float::ZERO; 2],
            td: false,
        }
    }
}

impl State {
    /// The sample of a code.
    fn next(&mut self, code: usize, bits: usize, table: &Table) -> i16 {
        let sezi: i32 = self.b.iter().zip(self.dq).map(|(b, dq)| dq.times(*b)).sum();
        let sei: i32 = sezi + self.a.iter().zip(self.sr).map(|(a, sr)| sr.times(*a)).sum::<i32>();
        let (sez, se) = (sezi >> 1, sei >> 1);
        let y = self.step();
        let half = 1 << (bits - 1);
        let negative = code & half != 0;
        let level = if negative { 2 * half - 1 - code } else { code };
        let Some(&(dqln, wi, fi)) = table.get(level) else { return 0 };
        let magnitude = reconstructed(dqln, y);
        // The recommendation keeps 15 bits of the difference, 14 of which count here.
        let sr = if negative { se - (magnitude & 0x3fff) } else { se + magnitude };
        self.adapt(Step { bits, y, wi, fi, negative, magnitude, sr, dqsez: sr - se + sez });
        (sr << 2).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }

    /// MIX: the quantiser's scale, between its fast and its slow part.
    fn step(&self) -> i32 {
        if self.ap >= 256 {
            return self.yu;
        }
        let (y, al) = (self.yl >> 6, self.ap >> 2);
        let dif = self.yu - y;
        y + if dif > 0 { (dif * al) >> 6 } else { (dif * al + 0x3f) >> 6 }
    }

    fn adapt(&mut self, step: Step) {
        let pk0 = step.dqsez < 0;
        let tr = self.td && step.magnitude > self.tone_threshold();
        self.yu = (step.y + ((step.wi - step.y) >> 5)).clamp(544, 5120);
        self.yl += self.yu + (-self.yl >> 6);
        let a2p = if tr { 0 } else { self.poles(pk0, step.dqsez) };
        if tr {
            (self.a, self.b) = ([0; 2], [0; 6]);
        } else {
            self.zeros(&step);
        }
        self.dq.rotate_right(1);
        self.dq[0] = Float::of(step.negative, step.magnitude);
        self.sr[1] = self.sr[0];
        self.sr[0] = if step.sr == -32_768 { Float::of(true, 0) } else { Float::of(step.sr < 0, step.sr.abs()) };
        self.pk = [pk0, self.pk[0]];
        self.td = !tr && a2p < -11_776;
        self.dms += (step.fi - self.dms) >> 5;
        self.dml += ((step.fi << 2) - self.dml) >> 7;
        let steady = step.y >= 1536 && !self.td && ((self.dms << 2) - self.dml).abs() < self.dml >> 3;
        self.ap = match (tr, steady) {
            (true, _) => 256,
            (_, true) => self.ap + (-self.ap >> 4),
            (_, false) => self.ap + ((0x200 - self.ap) >> 4),
        };
    }

    /// TRANS: differences above it, while the predictor sees a tone, are a change of tone.
    fn tone_threshold(&self) -> i32 {
        let (ylint, ylfrac) = (self.yl >> 15, (self.yl >> 10) & 0x1f);
        let thr2 = if ylint > 9 { 31 << 10 } else { (32 + ylfrac) << ylint };
        (thr2 + (thr2 >> 1)) >> 1
    }

    /// UPA1, UPA2, LIMC, LIMD; gives the second coefficient.
    fn poles(&mut self, pk0: bool, dqsez: i32) -> i32 {
        let pks1 = pk0 != self.pk[0];
        let mut a2p = self.a[1] - (self.a[1] >> 7);
        if dqsez != 0 {
            let fa1 = if pks1 { self.a[0] } else { -self.a[0] };
            a2p += match fa1 {
                ..-8191 => -0x100,
                8192.. => 0xff,
                _ => fa1 >> 5,
            };
            let nudge = if pk0 != self.pk[1] { -0x80 } else { 0x80 };
            a2p = (a2p + nudge).clamp(-12_288, 12_288);
        }
        self.a[1] = a2p;
        self.a[0] -= self.a[0] >> 8;
        if dqsez != 0 {
            self.a[0] += if pks1 { -192 } else { 192 };
        }
        let a1ul = 15_360 - a2p;
        self.a[0] = self.a[0].clamp(-a1ul, a1ul);
        a2p
    }

    /// UPB and XOR.
    fn zeros(&mut self, step: &Step) {
        let leak = if step.bits == 5 { 9 } else { 8 };
        for (b, dq) in self.b.iter_mut().zip(self.dq) {
            *b -= *b >> leak;
            if step.magnitude != 0 {
                *b += if step.negative == dq.negative { 128 } else { -128 };
            }
        }
    }
}

/// One sample's share in the adaptation.
struct Step {
    bits: usize,
    y: i32,
    wi: i32,
    fi: i32,
    negative: bool,
    magnitude: i32,
    sr: i32,
    dqsez: i32,
}

/// ADDA and ANTILOG.
fn reconstructed(dqln: i32, y: i32) -> i32 {
    let dql = dqln + (y >> 2);
    if dql < 0 {
        return 0;
    }
    let (dex, mantissa) = ((dql >> 7) & 15, 128 + (dql & 127));
    (mantissa << 7) >> (14 - dex).max(0)
}

/// By magnitude of the code: quantiser output level (log2, 7 fractional bits), scale multiplier, speed control.
type Table = [(i32, i32, i32)];

const TABLES: [&Table; 4] = [
    &[(116, -704, 0), (365, 14_048, 0xe00)],
    &[(-2048, -128, 0), (135, 960, 0x200), (273, 4384, 0x400), (373, 18_624, 0xe00)],
    &[
        (-2048, -384, 0),
        (4, 576, 0),
        (135, 1312, 0),
        (213, 2048, 0x200),
        (273, 3584, 0x200),
        (323, 6336, 0x200),
        (373, 11_360, 0x600),
        (425, 35_904, 0xe00),
    ],
    &[
        (-2048, 448, 0),
        (-66, 448, 0),
        (28, 768, 0),
        (104, 1248, 0),
        (169, 1280, 0),
        (224, 1312, 0x200),
        (274, 1856, 0x200),
        (318, 3200, 0x200),
        (358, 4512, 0x200),
        (395, 5728, 0x200),
        (429, 7008, 0x400),
        (459, 8960, 0x600),
        (488, 11_456, 0x800),
        (514, 14_080, 0xa00),
        (539, 16_928, 0xc00),
        (566, 22_272, 0xc00),
    ],
];
