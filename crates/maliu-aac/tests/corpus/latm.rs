//! LOAS and LATM of one program and one layer (ISO/IEC 14496-3 §1.7).

use crate::Run;
use maliu_aac::Config;

pub(crate) fn unpack(data: &[u8]) -> Vec<Run> {
    let mut runs: Vec<(Vec<u8>, Run)> = Vec::new();
    let mut mux: Option<Mux> = None;
    let mut at = 0;
    while let Some(header) = data.get(at..at + 3) {
        let length = usize::from(header[1] & 0x1f) << 8 | usize::from(header[2]);
        let Some(element) = data.get(at + 3..at + 3 + length) else { break };
        if header[0] != 0x56 || header[1] & 0xe0 != 0xe0 {
            at += 1;
            continue;
        }
        let mut bits = Bits { data: element, at: 0 };
        if bits.read(1) == 0 {
            mux = Mux::read(&mut bits);
        }
        if let Some(mux) = &mux {
            if runs.last().is_none_or(|(config, _)| *config != mux.config) {
                runs.push((mux.config.clone(), Run { config: Config::parse(&mux.config), units: Vec::new() }));
            }
            if let Some((_, run)) = runs.last_mut() {
                run.units.extend((0..mux.sub_frames).map(|_| (mux.payload(&mut bits), 1)));
            }
        }
        at += 3 + length;
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

/// StreamMuxConfig.
struct Mux {
    config: Vec<u8>,
    sub_frames: usize,
    fixed_length: Option<usize>,
}

impl Mux {
    fn read(bits: &mut Bits) -> Option<Mux> {
        let version = bits.read(1);
        if version == 1 {
            if bits.read(1) == 1 {
                return None;
            }
            bits.value();
        }
        bits.read(1);
        let sub_frames = bits.read(6) as usize + 1;
        bits.read(4 + 3);
        let config = if version == 0 {
            // Its length is not said: the configurations of the corpus are plain, and their padding is searched for.
            let start = bits.at;
            let length = plain_config_bits(&mut Bits { data: bits.data, at: start });
            bits.copy(length)
        } else {
            let length = bits.value() as usize;
            bits.copy(length)
        };
        let fixed_length = match bits.read(3) {
            0 => {
                bits.read(8);
                None
            }
            _ => Some(bits.read(9) as usize + 20),
        };
        if bits.read(1) == 1 {
            if version == 1 {
                bits.value();
            } else {
                while bits.read(1) == 1 {
                    bits.read(8);
                }
                bits.read(8);
            }
        }
        if bits.read(1) == 1 {
            bits.read(8);
        }
        Some(Mux { config, sub_frames, fixed_length })
    }

    fn payload(&self, bits: &mut Bits) -> Vec<u8> {
        let mut length = self.fixed_length.unwrap_or(0);
        if self.fixed_length.is_none() {
            loop {
                let byte = bits.read(8);
                length += byte as usize;
                if byte != 255 {
                    break;
                }
            }
        }
        bits.copy(8 * length)
    }
}

/// Bits of a configuration of AAC-LC, LD or ELD without a program config element, SBR said hierarchically or not.
fn plain_config_bits(bits: &mut Bits) -> usize {
    let start = bits.at;
    let object = |bits: &mut Bits| match bits.read(5) {
        31 => 32 + bits.read(6),
        object => object,
    };
    let rate = |bits: &mut Bits| {
        if bits.read(4) == 15 {
            bits.read(24);
        }
    };
    let mut kind = object(bits);
    rate(bits);
    bits.read(4);
    if kind == 5 || kind == 29 {
        rate(bits);
        kind = object(bits);
    }
    if kind == 39 {
        bits.read(1 + 3);
        if bits.read(1) == 1 {
            bits.read(2 + 14);
            let (one, two) = (bits.read(1), bits.read(1));
            bits.read(5 * one + 6 * two);
        }
        bits.read(4 + 2);
    } else {
        bits.read(2);
        if bits.read(1) == 1 {
            bits.read(if kind >= 17 { 3 + 1 } else { 1 });
        }
        bits.read(if kind >= 17 { 2 } else { 0 });
    }
    bits.at - start
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| {
            let bit = self.data.get(self.at / 8).map_or(0, |byte| byte >> (7 - self.at % 8) & 1);
            self.at += 1;
            value << 1 | u32::from(bit)
        })
    }

    /// LatmGetValue.
    fn value(&mut self) -> u32 {
        let bytes = self.read(2) + 1;
        self.read(8 * bytes)
    }

    /// The next bits as bytes, the last padded with zeros.
    fn copy(&mut self, count: usize) -> Vec<u8> {
        let whole: Vec<u8> = (0..count / 8).map(|_| self.read(8) as u8).collect();
        let rest = (count % 8) as u32;
        let last = (rest > 0).then(|| (self.read(rest) << (8 - rest)) as u8);
        whole.into_iter().chain(last).collect()
    }
}
