//! Profile, tier and level (ISO/IEC 23008-2 §7.3.3).

use alloc::{format, string::String};

use crate::bits::Bits;

/// Abilities that a decoder must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileTierLevel {
    /// 0 to 3; 0 is this standard's.
    pub general_profile_space: u8,
    /// The High tier, not the Main tier.
    pub general_tier_flag: bool,
    /// 1 Main, 2 Main 10, 3 Main Still Picture, 4 range extensions, ….
    pub general_profile_idc: u8,
    /// Bit 31-j: the stream conforms to profile j.
    pub general_profile_compatibility_flags: u32,
    /// The 48 bits of constraint flags, from general_progressive_source_flag on.
    pub general_constraint_flags: u64,
    /// Thirty times the level.
    pub general_level_idc: u8,
}

impl ProfileTierLevel {
    pub(super) fn parse(bits: &mut Bits<'_>, max_sub_layers_minus1: u8) -> Option<Self> {
        let general = Self {
            general_profile_space: bits.read(2)? as u8,
            general_tier_flag: bits.flag()?,
            general_profile_idc: bits.read(5)? as u8,
            general_profile_compatibility_flags: bits.read(32)?,
            general_constraint_flags: bits.read_u64(48)?,
            general_level_idc: bits.read(8)? as u8,
        };
        if max_sub_layers_minus1 > 0 {
            let mut sizes = 0;
            for layer in 0..8 {
                let (profile_present, level_present) = (bits.flag()?, bits.flag()?);
                if layer < max_sub_layers_minus1 {
                    sizes += if profile_present { 88 } else { 0 } + if level_present { 8 } else { 0 };
                }
            }
            bits.skip(sizes)?;
        }
        Some(general)
    }

    /// Progressive, interlaced, …: general_progressive_source_flag.
    pub fn progressive_source(&self) -> bool {
        self.general_constraint_flags >> 47 & 1 == 1
    }

    /// General_interlaced_source_flag.
    pub fn interlaced_source(&self) -> bool {
        self.general_constraint_flags >> 46 & 1 == 1
    }

    /// The codec's name for MIME types, e.g. `hvc1.1.6.L93.B0` (ISO/IEC 14496-15 §E.3).
    pub fn codec_string(&self) -> String {
        let space = ["", "A", "B", "C"].get(usize::from(self.general_profile_space)).copied().unwrap_or_default();
        let compatibility = self.general_profile_compatibility_flags.reverse_bits();
        let tier = if self.general_tier_flag { 'H' } else { 'L' };
        let mut text =
            format!("hvc1.{space}{}.{compatibility:X}.{tier}{}", self.general_profile_idc, self.general_level_idc);
        let [_, _, constraints @ ..] = self.general_constraint_flags.to_be_bytes();
        let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        constraints.iter().take(used).for_each(|byte| text += &format!(".{byte:X}"));
        text
    }

    /// The profile's name as ffprobe prints it; `None` for an unknown one.
    pub fn profile_name(&self) -> Option<&'static str> {
        Some(match self.general_profile_idc {
            1 => "Main",
            2 => "Main 10",
            3 => "Main Still Picture",
            4 => "Rext",
            9 => "Scc",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_strings_are_those_of_the_standard() {
        let main = ProfileTierLevel {
            general_profile_idc: 1,
            general_profile_compatibility_flags: 0x6000_0000,
            general_constraint_flags: 0xb000_0000_0000,
            general_level_idc: 93,
            ..ProfileTierLevel::default()
        };
        assert_eq!(main.codec_string(), "hvc1.1.6.L93.B0");
    }
}
