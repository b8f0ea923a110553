//! Coupling channels: sound that is mixed into other channels (ISO/IEC 14496-3 §4.6.8.3).

use crate::bits::Bits;
use crate::channel::stereo::each_band;
use crate::channel::{Channel, Syntax, book, sections};
use crate::{Error, noise::Noise};

/// Where in the decoding of its targets a coupling channel is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    BeforeTns,
    AfterTns,
    /// To finished samples: independently switched.
    Samples,
}

/// Content of a coupling_channel_element besides its channel.
pub(crate) struct Coupling {
    pub(crate) point: Point,
    targets: [Target; 8],
    /// Gains of each target channel, by band; only the first counts for samples.
    gains: Vec<[f32; 128]>,
}

#[derive(Clone, Copy, Default)]
struct Target {
    used: bool,
    pair: bool,
    tag: u8,
    /// List of gains for the left and right channel.
    lists: [Option<usize>; 2],
}

impl Coupling {
    pub(crate) fn new() -> Coupling {
        Coupling { point: Point::BeforeTns, targets: [Target::default(); 8], gains: vec![[0.0; 128]; MAX_LISTS] }
    }

    /// Reads coupling_channel_element after its tag.
    pub(crate) fn parse(
        &mut self,
        bits: &mut Bits,
        channel: &mut Channel,
        syntax: &Syntax,
        noise: &mut Noise,
    ) -> Result<(), Error> {
        let independent = bits.flag();
        let targets = bits.read(3) as usize + 1;
        let mut lists = 0;
        self.targets = [Target::default(); 8];
        for target in self.targets.iter_mut().take(targets) {
            let pair = bits.flag();
            *target = Target { used: true, pair, tag: bits.read(4) as u8, lists: [Some(lists), None] };
            let select = if pair { bits.read(2) } else { 2 };
            // 0: one list for both; 1: right; 2: left; 3: a list for each.
            target.lists = match select {
                0 => [Some(lists), Some(lists)],
                1 => [None, Some(lists)],
                2 => [Some(lists), None],
                _ => [Some(lists), Some(lists + 1)],
            };
            lists += if select == 3 { 2 } else { 1 };
        }
        self.point = match (bits.flag(), independent) {
            (_, true) => Point::Samples,
            (false, false) => Point::BeforeTns,
            (true, false) => Point::AfterTns,
        };
        let signed = bits.flag();
        let step = [0.125, 0.25, 0.5, 1.0][bits.read(2) as usize & 3];
        channel.parse(bits, syntax, None, noise)?;
        for list in 0..lists {
            self.parse_list(list, bits, channel, signed, step);
        }
        if bits.overrun() {
            return Err(Error::Malformed { what: "coupling channel cut short", bit: bits.position() });
        }
        Ok(())
    }

    /// Reads gain_element_list `list`. The first is not transmitted and is 1. `step`: powers of two a unit of gain
    /// stands for.
    fn parse_list(&mut self, list: usize, bits: &mut Bits, channel: &Channel, signed: bool, step: f32) {
        let Some(gains) = self.gains.get_mut(list) else { return };
        let common = list == 0 || self.point == Point::Samples || bits.flag();
        let mut exponent = if list > 0 && common { sections::difference(bits) } else { 0 };
        // Bounded, so that nothing a stream says makes sound that is not a number.
        let power = |exponent: i32| (-exponent as f32 * step).clamp(-40.0, 40.0).exp2();
        let mut gain = if list > 0 { power(exponent) } else { 1.0 };
        gains.fill(gain);
        if common {
            return;
        }
        for (group, ..) in channel.info.groups() {
            for band in 0..channel.info.max_sfb {
                let index = (16 * group + band) & 127;
                if channel.books[index] == book::ZERO {
                    continue;
                }
                let change = sections::difference(bits);
                if change != 0 {
                    exponent += change;
                    gain = match signed {
                        true => power(exponent >> 1) * if exponent & 1 != 0 { -1.0 } else { 1.0 },
                        false => power(exponent),
                    };
                }
                gains[index] = gain;
            }
        }
    }

    /// Gains for a channel (0 left, 1 right) of the element with this tag, once for each time it is named.
    pub(crate) fn gains(&self, pair: bool, tag: u8, channel: usize) -> impl Iterator<Item = &[f32; 128]> {
        let named = self.targets.iter().filter(move |t| t.used && t.pair == pair && t.tag == tag);
        named.filter_map(move |t| t.lists.get(channel).copied().flatten()).filter_map(|list| self.gains.get(list))
    }
}

/// Adds the lines of a coupling channel to a target's.
pub(crate) fn add_lines(target: &mut [f32; 1024], source: &Channel, gains: &[f32; 128]) {
    each_band(&source.info, |index, range| {
        if source.books[index & 127] == book::ZERO {
            return;
        }
        let gain = gains[index & 127];
        if let (Some(to), Some(from)) = (target.get_mut(range.clone()), source.lines.get(range)) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += gain * from);
        }
    });
}

/// Eight targets of two channels.
const MAX_LISTS: usize = 16;
