//! Layouts of known protocols, each built from its public description.

use maliu_core::layout::Layout;

/// A layout that comes with the crate.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal)*) => { &[$(Preset { name: $name, text: include_str!(concat!("presets/", $name, ".toml")) },)*] };
}

/// All presets, by name.
pub const PRESETS: &[Preset] = presets![
    "carlinkit" "dhav" "dvrip" "flv-tag" "gb28181" "jt1078" "length32" "rfc4571" "rtsp-interleaved" "scrcpy"
    "scrcpy-audio" "scrcpy4" "tail" "v4l2"
];

/// The preset of a name.
pub fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

impl Preset {
    /// The layout it describes.
    ///
    /// # Errors
    /// Never for the presets of this crate: a test reads them all.
    pub fn layout(&self) -> Result<Layout, super::TextFault> {
        super::parse(self.text)
    }
}
