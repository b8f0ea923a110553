//! Names of channel layouts, as the reference prints them.

use alloc::{borrow::Cow, format, vec::Vec};

use super::Audio;

impl Audio {
    /// The name of the layout: of the mask if one is known, else of the usual layout of `channels` channels.
    pub fn layout_name(&self) -> Cow<'static, str> {
        let mask = if self.channel_mask == 0 { usual(self.channel_count()) } else { self.channel_mask };
        if let Some((_, name)) = LAYOUTS.iter().find(|(known, _)| *known == mask && mask != 0) {
            return Cow::Borrowed(name);
        }
        if mask == 0 {
            return Cow::Owned(format!("{} channels", self.channel_count()));
        }
        let names: Vec<&str> =
            CHANNELS.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, name)| *name).collect();
        Cow::Owned(format!("{} channels ({})", self.channel_count(), names.join("+")))
    }
}

impl Audio {
    /// The WAVE mask of the usual layout of `channels` channels; 0 when there is none.
    pub fn usual_mask(&self) -> u32 {
        usual(self.channel_count())
    }
}

fn usual(channels: u16) -> u32 {
    let of_count = |(mask, _): &&(u32, &str)| mask.count_ones() == u32::from(channels);
    LAYOUTS.iter().find(of_count).map_or(0, |(mask, _)| *mask)
}

/// WAVE channel masks; of those with one number of channels the usual one stands first.
const LAYOUTS: &[(u32, &str)] = &[
    (0x4, "mono"),
    (0x3, "stereo"),
    (0xb, "2.1"),
    (0x7, "3.0"),
    (0x103, "3.0(back)"),
    (0x107, "4.0"),
    (0x33, "quad"),
    (0x603, "quad(side)"),
    (0xf, "3.1"),
    (0x37, "5.0"),
    (0x607, "5.0(side)"),
    (0x10f, "4.1"),
    (0x3f, "5.1"),
    (0x60f, "5.1(side)"),
    (0x707, "6.0"),
    (0x6c3, "6.0(front)"),
    (0x137, "hexagonal"),
    (0x70f, "6.1"),
    (0x13f, "6.1(back)"),
    (0x6cb, "6.1(front)"),
    (0x637, "7.0"),
    (0x6c7, "7.0(front)"),
    (0x63f, "7.1"),
    (0xff, "7.1(wide)"),
    (0x6cf, "7.1(wide-side)"),
    (0x737, "octagonal"),
    (0x6000_0000, "downmix"),
];

/// Channels in the order of their bits.
const CHANNELS: [&str; 18] = [
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_the_names_of_the_reference() {
        let name = |channels, channel_mask| Audio { channel_mask, ..Audio::new(0, channels) }.layout_name();
        for (channels, mask, expected) in [
            (1, 0, "mono"),
            (2, 0, "stereo"),
            (6, 0, "5.1"),
            (6, 0x60f, "5.1(side)"),
            (8, 0, "7.1"),
            (11, 0, "11 channels"),
            (2, 0x5, "2 channels (FL+FC)"),
        ] {
            assert_eq!(name(channels, mask), expected);
        }
    }
}
