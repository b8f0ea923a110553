//! Facts that several containers state about a stream: its role, its colours, its place in time.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::ops;

use crate::time::{Ticks, TimeBase};

/// The role of a stream beside others of its kind: a set of marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disposition(u16);

impl Disposition {
    /// Nothing is stated.
    pub const NONE: Self = Self(0);
    /// To be played unless the user chooses otherwise.
    pub const DEFAULT: Self = Self(1);
    /// A dubbed version.
    pub const DUB: Self = Self(1 << 1);
    /// In the original language.
    pub const ORIGINAL: Self = Self(1 << 2);
    /// A commentary.
    pub const COMMENT: Self = Self(1 << 3);
    /// Lyrics.
    pub const LYRICS: Self = Self(1 << 4);
    /// Karaoke.
    pub const KARAOKE: Self = Self(1 << 5);
    /// To be shown even if the user chose no subtitles.
    pub const FORCED: Self = Self(1 << 6);
    /// For people who hear badly.
    pub const HEARING_IMPAIRED: Self = Self(1 << 7);
    /// For people who see badly.
    pub const VISUAL_IMPAIRED: Self = Self(1 << 8);
    /// Music and effects without voice.
    pub const CLEAN_EFFECTS: Self = Self(1 << 9);
    /// One still picture that belongs to the whole file, such as a cover.
    pub const ATTACHED_PICTURE: Self = Self(1 << 10);
    /// Closed captions.
    pub const CAPTIONS: Self = Self(1 << 11);
    /// A description of what is seen.
    pub const DESCRIPTIONS: Self = Self(1 << 12);
    /// Timed metadata.
    pub const METADATA: Self = Self(1 << 13);
    /// Depends on another stream of the program.
    pub const DEPENDENT: Self = Self(1 << 14);
    /// Single pictures, not a clip.
    pub const STILL_IMAGE: Self = Self(1 << 15);

    /// Whether all marks of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the marks that are set, as ffprobe prints them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.all().filter(|(_, set)| *set).map(|(name, _)| name)
    }

    /// The names of all marks, as ffprobe prints them, and whether each is set.
    pub fn all(self) -> impl Iterator<Item = (&'static str, bool)> {
        DISPOSITIONS.iter().enumerate().map(move |(bit, name)| (*name, self.0 >> bit & 1 == 1))
    }
}

impl ops::BitOr for Disposition {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Disposition {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Names by bit.
const DISPOSITIONS: [&str; 16] = [
    "default",
    "dub",
    "original",
    "comment",
    "lyrics",
    "karaoke",
    "forced",
    "hearing_impaired",
    "visual_impaired",
    "clean_effects",
    "attached_pic",
    "captions",
    "descriptions",
    "metadata",
    "dependent",
    "still_image",
];

/// How sample values of a video become colours, by the numbers of ISO/IEC 23091-2 (2 is unspecified).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Color {
    /// ColourPrimaries.
    pub primaries: u8,
    /// TransferCharacteristics.
    pub transfer: u8,
    /// MatrixCoefficients.
    pub matrix: u8,
    /// VideoFullRangeFlag; `None` when the container does not say.
    pub full_range: Option<bool>,
}

impl Color {
    /// These three numbers, with the range not stated.
    pub fn new(primaries: u8, transfer: u8, matrix: u8) -> Self {
        Self { primaries, transfer, matrix, full_range: None }
    }
}

/// Facts about high dynamic range for a display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hdr {
    /// The display on which the video was graded.
    pub mastering: Option<Mastering>,
    /// MaxCLL and MaxFALL, in cd/m² (CTA-861.3).
    pub light: Option<(u16, u16)>,
    /// Dolby Vision, when it is present.
    pub dolby_vision: Option<DolbyVision>,
}

/// Mastering display colour volume (SMPTE ST 2086), in the units of H.265 D.3.28.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mastering {
    /// Green, blue and red, x and y in 1/50000.
    pub primaries: [(u16, u16); 3],
    /// White point, x and y in 1/50000.
    pub white: (u16, u16),
    /// Most luminance, in 1/10000 cd/m².
    pub max: u32,
    /// Least luminance, in 1/10000 cd/m².
    pub min: u32,
}

/// The Dolby Vision configuration record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DolbyVision {
    /// dv_version_major and dv_version_minor.
    pub version: (u8, u8),
    /// dv_profile.
    pub profile: u8,
    /// dv_level.
    pub level: u8,
    /// rpu_present_flag.
    pub rpu: bool,
    /// el_present_flag.
    pub enhancement: bool,
    /// bl_present_flag.
    pub base: bool,
    /// dv_bl_signal_compatibility_id.
    pub compatibility: u8,
}

/// How the packets of a stream are encrypted (ISO/IEC 23001-7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encryption {
    /// `cenc`, `cbc1`, `cens`, `cbcs`, or what the container names.
    pub scheme: [u8; 4],
    /// Identifier of the key; all zero when it is not stated.
    pub key_id: [u8; 16],
}

impl Encryption {
    /// Packets encrypted by this scheme, under this key.
    pub fn new(scheme: [u8; 4], key_id: [u8; 16]) -> Self {
        Self { scheme, key_id }
    }
}

/// A part of an input with a title.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chapter {
    /// Where it begins, in `base`.
    pub start: Ticks,
    /// Where it ends, in `base`; `None` when the container does not say.
    pub end: Option<Ticks>,
    /// The unit of both times.
    pub base: TimeBase,
    /// Its title; empty when it has none.
    pub title: String,
}

impl Chapter {
    /// A chapter that begins at `start`, in ticks of `base`, with its end not stated.
    pub fn new(start: Ticks, base: TimeBase, title: impl Into<String>) -> Self {
        Self { start, end: None, base, title: title.into() }
    }
}

/// Most chapters that are kept of one input.
pub const MAX_CHAPTERS: usize = 4096;

/// Chapters in the order of the input.
pub(super) type Chapters = Option<Box<Vec<Chapter>>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_bits() {
        let both = Disposition::DEFAULT | Disposition::STILL_IMAGE;
        assert_eq!(both.names().collect::<Vec<_>>(), ["default", "still_image"]);
        assert!(both.has(Disposition::DEFAULT) && !both.has(Disposition::FORCED));
        assert_eq!(Disposition::ATTACHED_PICTURE.names().next(), Some("attached_pic"));
        assert_eq!(Disposition::NONE.names().next(), None);
    }
}
