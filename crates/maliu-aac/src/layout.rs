//! From channel elements to loudspeakers: output order and WAVE channel mask (ISO/IEC 14496-3 §1.6.3.5, §4.5.1.2).
//!
//! Programs name only front, side and back; as FFmpeg does, the loudspeakers are inferred from how many stand where, and
//! channels come out sorted by them. A program that fits no loudspeakers keeps its declared order and has mask 0.

use crate::config::{Place, ProgramConfig, ProgramElement};

/// Which loudspeaker each output channel is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelLayout {
    /// WAVEFORMATEXTENSIBLE channel mask; 0 when the loudspeakers are unknown or have no bit there.
    pub mask: u32,
    /// Channels.
    pub channels: u8,
}

impl ChannelLayout {
    /// The usual name of the layout (`stereo`, `5.1`, …); None when it has none.
    pub fn name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(mask, _)| *mask == self.mask && self.mask != 0).map(|(_, name)| *name)
    }

    /// Two channels, left and right.
    pub(crate) const STEREO: ChannelLayout = ChannelLayout { mask: 3, channels: 2 };
}

/// The elements of a program in the order of their output channels, with the layout they make.
pub(crate) struct Arrangement {
    pub(crate) layout: ChannelLayout,
    /// First output channel of each element, by its index in the program; coupling elements have none.
    pub(crate) first: Vec<Option<usize>>,
}

/// The program that a channel configuration stands for (table 1.19), or None if it is reserved.
pub(crate) fn standard_program(channel_config: u8) -> Option<ProgramConfig> {
    use Place::{Back, Front, Lfe, Side};
    let (one, two) = (false, true);
    let list: &[(Place, bool)] = match channel_config {
        1 => &[(Front, one)],
        2 => &[(Front, two)],
        3 => &[(Front, one), (Front, two)],
        4 => &[(Front, one), (Front, two), (Back, one)],
        5 => &[(Front, one), (Front, two), (Back, two)],
        6 => &[(Front, one), (Front, two), (Back, two), (Lfe, one)],
        // The standard puts the second pair between centre and left or right. Encoders use it for side channels, and
        // FFmpeg decodes it so: real streams of the standard's meaning are hardly ever seen.
        7 => &[(Front, one), (Front, two), (Side, two), (Back, two), (Lfe, one)],
        11 => &[(Front, one), (Front, two), (Back, two), (Back, one), (Lfe, one)],
        12 => &[(Front, one), (Front, two), (Side, two), (Back, two), (Lfe, one)],
        13 => return Some(program_of(&CONFIG_13)),
        14 => &[(Front, one), (Front, two), (Back, two), (Lfe, one), (Front, two)],
        _ => return None,
    };
    Some(program_of(list))
}

/// Numbers the elements of each kind from 0, as access units usually do.
fn program_of(list: &[(Place, bool)]) -> ProgramConfig {
    let mut counts = [0u8; 3];
    let elements: Vec<_> = list
        .iter()
        .map(|&(place, pair)| {
            let count = &mut counts[if place == Place::Lfe { 2 } else { usize::from(pair) }];
            *count += 1;
            ProgramElement { place, pair, tag: *count - 1 }
        })
        .collect();
    ProgramConfig::of(&elements)
}

/// Decides the output order of a program's channels.
pub(crate) fn arrange(channel_config: u8, program: &ProgramConfig) -> Arrangement {
    let elements = program.elements();
    let speakers = match channel_config {
        13 => Some(CONFIG_13_SPEAKERS.to_vec()),
        14 => Some(CONFIG_14_SPEAKERS.to_vec()),
        _ => infer_speakers(elements),
    };
    let heard = |i: &usize| elements.get(*i).is_some_and(|e| e.place != Place::Coupling);
    let mut order: Vec<usize> = (0..elements.len()).filter(heard).collect();
    let speaker = |i: usize| speakers.as_ref().and_then(|s| s.get(i).copied()).unwrap_or(UNKNOWN);
    if speakers.is_some() {
        order.sort_by_key(|&i| speaker(i));
    }
    let mut first = vec![None; elements.len()];
    let (mut channels, mut mask) = (0, Some(0u64));
    for i in order {
        if let (Some(slot), Some(element)) = (first.get_mut(i), elements.get(i)) {
            *slot = Some(channels);
            channels += 1 + usize::from(element.pair);
            mask = mask.filter(|_| speaker(i) != UNKNOWN).map(|m| m | speaker(i));
        }
    }
    let mask = mask.and_then(|m| u32::try_from(m).ok()).unwrap_or(0);
    let mask = if mask.count_ones() as usize == channels { mask } else { 0 };
    Arrangement { layout: ChannelLayout { mask, channels: channels as u8 }, first }
}

/// The loudspeakers of each element, as bits; None where the counts make no sense.
fn infer_speakers(elements: &[ProgramElement]) -> Option<Vec<u64>> {
    let mut rest = elements;
    let mut counts = [0usize; 3];
    for (count, place) in counts.iter_mut().zip([Place::Front, Place::Side, Place::Back]) {
        let here = rest.iter().take_while(|e| e.place == place).count();
        let (group, after) = rest.split_at(here);
        *count = paired_channels(group)?;
        rest = after;
    }
    let [mut front, mut side, mut back] = counts;
    if side == 0 && back >= 4 {
        (side, back) = (2, back - 2);
    }
    let mut found = Vec::with_capacity(elements.len());
    let pair = |left: u64, right: u64, found: &mut Vec<u64>| match elements.get(found.len()) {
        Some(e) if e.pair => found.push(left | right),
        _ => found.extend([left, right]),
    };
    if front % 2 == 1 {
        found.push(FRONT_CENTER);
        front -= 1;
    }
    if front >= 4 {
        pair(LEFT_OF_CENTER, RIGHT_OF_CENTER, &mut found);
        front -= 2;
    }
    if front >= 2 {
        pair(FRONT_LEFT, FRONT_RIGHT, &mut found);
        front -= 2;
    }
    (0..front / 2).for_each(|_| pair(UNKNOWN, UNKNOWN, &mut found));
    if side >= 2 {
        pair(SIDE_LEFT, SIDE_RIGHT, &mut found);
        side -= 2;
    }
    (0..side / 2).for_each(|_| pair(UNKNOWN, UNKNOWN, &mut found));
    while back >= 4 {
        pair(UNKNOWN, UNKNOWN, &mut found);
        back -= 2;
    }
    if back >= 2 {
        pair(BACK_LEFT, BACK_RIGHT, &mut found);
        back -= 2;
    }
    if back == 1 {
        found.push(BACK_CENTER);
    }
    let lfe = rest.iter().take_while(|e| e.place == Place::Lfe).count();
    found.extend((0..lfe).map(|n| if n == 0 { LOW_FREQUENCY } else { UNKNOWN }));
    Some(found)
}

/// Channels of the elements of one place, or None if single ones stand where only pairs can.
fn paired_channels(group: &[ProgramElement]) -> Option<usize> {
    let front = group.first().is_some_and(|e| e.place == Place::Front);
    let side = group.first().is_some_and(|e| e.place == Place::Side);
    let (mut channels, mut seen_pair, mut odd) = (0, false, false);
    for element in group {
        if element.pair {
            if odd && (seen_pair || !front) {
                return None;
            }
            odd = false;
            channels += 2;
            seen_pair = true;
        } else {
            channels += 1;
            odd = !odd;
        }
    }
    if odd && (front && seen_pair || side) { None } else { Some(channels) }
}

const FRONT_LEFT: u64 = 1;
const FRONT_RIGHT: u64 = 1 << 1;
const FRONT_CENTER: u64 = 1 << 2;
const LOW_FREQUENCY: u64 = 1 << 3;
const BACK_LEFT: u64 = 1 << 4;
const BACK_RIGHT: u64 = 1 << 5;
const LEFT_OF_CENTER: u64 = 1 << 6;
const RIGHT_OF_CENTER: u64 = 1 << 7;
const BACK_CENTER: u64 = 1 << 8;
const SIDE_LEFT: u64 = 1 << 9;
const SIDE_RIGHT: u64 = 1 << 10;
const TOP_CENTER: u64 = 1 << 11;
const TOP_FRONT_LEFT: u64 = 1 << 12;
const TOP_FRONT_CENTER: u64 = 1 << 13;
const TOP_FRONT_RIGHT: u64 = 1 << 14;
const TOP_BACK_LEFT: u64 = 1 << 15;
const TOP_BACK_CENTER: u64 = 1 << 16;
const TOP_BACK_RIGHT: u64 = 1 << 17;
// Loudspeakers without a bit in WAVE, in the places FFmpeg gives them.
const LOW_FREQUENCY_2: u64 = 1 << 35;
const TOP_SIDE: u64 = 3 << 36;
const BOTTOM_FRONT_CENTER: u64 = 1 << 38;
const BOTTOM_FRONT: u64 = 3 << 39;
/// Sorts behind every known loudspeaker.
const UNKNOWN: u64 = u64::MAX;

/// 22.2 channels.
#[rustfmt::skip]
const CONFIG_13: [(Place, bool); 16] = [
    (Place::Front, false), (Place::Front, true), (Place::Front, true), (Place::Side, true), (Place::Back, true),
    (Place::Back, false), (Place::Lfe, false), (Place::Lfe, false), (Place::Front, false), (Place::Front, true),
    (Place::Side, true), (Place::Front, false), (Place::Back, true), (Place::Back, false), (Place::Front, false),
    (Place::Front, true),
];

#[rustfmt::skip]
const CONFIG_13_SPEAKERS: [u64; 16] = [
    FRONT_CENTER, LEFT_OF_CENTER | RIGHT_OF_CENTER, FRONT_LEFT | FRONT_RIGHT, SIDE_LEFT | SIDE_RIGHT,
    BACK_LEFT | BACK_RIGHT, BACK_CENTER, LOW_FREQUENCY, LOW_FREQUENCY_2, TOP_FRONT_CENTER,
    TOP_FRONT_LEFT | TOP_FRONT_RIGHT, TOP_SIDE, TOP_CENTER, TOP_BACK_LEFT | TOP_BACK_RIGHT, TOP_BACK_CENTER,
    BOTTOM_FRONT_CENTER, BOTTOM_FRONT,
];

/// 7.1 with two front channels above.
#[rustfmt::skip]
const CONFIG_14_SPEAKERS: [u64; 5] = [
    FRONT_CENTER, FRONT_LEFT | FRONT_RIGHT, BACK_LEFT | BACK_RIGHT, LOW_FREQUENCY, TOP_FRONT_LEFT | TOP_FRONT_RIGHT,
];

/// Names of common masks, as FFmpeg prints them.
const NAMES: [(u32, &str); 20] = [
    (0x4, "mono"),
    (0x3, "stereo"),
    (0xb, "2.1"),
    (0x7, "3.0"),
    (0x103, "3.0(back)"),
    (0xf, "3.1"),
    (0x107, "4.0"),
    (0x33, "quad"),
    (0x603, "quad(side)"),
    (0x37, "5.0"),
    (0x607, "5.0(side)"),
    (0x3f, "5.1"),
    (0x60f, "5.1(side)"),
    (0x707, "6.0"),
    (0x137, "hexagonal"),
    (0x13f, "6.1(back)"),
    (0x70f, "6.1"),
    (0x63f, "7.1"),
    (0xff, "7.1(wide)"),
    (0x737, "octagonal"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_the_standard_configurations_come_in_wave_order() {
        let expected: [(u8, &str, &[usize]); 8] = [
            (1, "mono", &[0]),
            (2, "stereo", &[0]),
            (3, "3.0", &[2, 0]),
            (4, "4.0", &[2, 0, 3]),
            (5, "5.0", &[2, 0, 3]),
            (6, "5.1", &[2, 0, 4, 3]),
            (11, "6.1(back)", &[2, 0, 4, 6, 3]),
            (7, "7.1", &[2, 0, 6, 4, 3]),
        ];
        for (config, name, first) in expected {
            let found = arrange(config, &standard_program(config).expect("a program"));
            let first: Vec<_> = first.iter().map(|&c| Some(c)).collect();
            assert_eq!((found.layout.name(), found.first), (Some(name), first), "configuration {config}");
        }
        assert_eq!(arrange(13, &standard_program(13).expect("22.2")).layout.channels, 24);
        assert_eq!(arrange(14, &standard_program(14).expect("7.1 top")).layout.mask, 0x503f);
    }

    #[test]
    fn a_program_that_fits_no_loudspeakers_keeps_its_order() {
        let one = |place| ProgramElement { place, pair: false, tag: 0 };
        let program = ProgramConfig::of(&[one(Place::Side), one(Place::Lfe), one(Place::Front)]);
        let found = arrange(0, &program);
        assert_eq!((found.layout.mask, found.first), (0, vec![Some(0), Some(1), Some(2)]));
    }
}
