//! Multivariant playlists as data, and their text (RFC 8216bis §4.4.6).

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::attributes::Quoted;

/// One of several playlists of the same content (EXT-X-STREAM-INF, EXT-X-I-FRAME-STREAM-INF).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Where its playlist is.
    pub uri: String,
    /// Peak bits a second.
    pub bandwidth: u64,
    /// Mean bits a second.
    pub average_bandwidth: Option<u64>,
    /// Codec strings, with commas between them; may be empty.
    pub codecs: String,
    /// Width and height.
    pub resolution: Option<(u32, u32)>,
    /// Frames in 1000 s.
    pub frame_rate: Option<u32>,
    /// Group of its audio; may be empty.
    pub audio: String,
    /// It lists keyframes only.
    pub i_frames_only: bool,
}

/// Other audio, video or text of the variants (EXT-X-MEDIA).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendition {
    /// `AUDIO`, `VIDEO`, `SUBTITLES` or `CLOSED-CAPTIONS`.
    pub kind: String,
    /// Its group.
    pub group: String,
    /// Its name for people.
    pub name: String,
    /// Its language; may be empty.
    pub language: String,
    /// Where its playlist is; `None`: within the variants.
    pub uri: Option<String>,
    /// It is played unless another one is chosen.
    pub default: bool,
}

/// A multivariant playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Multivariant {
    /// Every segment of every variant can be decoded on its own.
    pub independent: bool,
    /// The variants.
    pub variants: Vec<Variant>,
    /// The renditions.
    pub renditions: Vec<Rendition>,
}

impl Multivariant {
    /// The variant of the highest bandwidth that lists all of its video.
    pub fn best(&self) -> Option<&Variant> {
        self.variants.iter().filter(|variant| !variant.i_frames_only).max_by_key(|variant| variant.bandwidth)
    }
}

impl fmt::Display for Multivariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "#EXTM3U\n#EXT-X-VERSION:6")?;
        if self.independent {
            writeln!(f, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        for rendition in &self.renditions {
            writeln!(f, "{rendition}")?;
        }
        self.variants.iter().try_for_each(|variant| writeln!(f, "{variant}"))
    }
}

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (group, name) = (Quoted(&self.group), Quoted(&self.name));
        write!(f, "#EXT-X-MEDIA:TYPE={},GROUP-ID={group},NAME={name}", self.kind)?;
        if !self.language.is_empty() {
            write!(f, ",LANGUAGE={}", Quoted(&self.language))?;
        }
        f.write_str(if self.default { ",DEFAULT=YES,AUTOSELECT=YES" } else { ",DEFAULT=NO,AUTOSELECT=YES" })?;
        self.uri.as_ref().map_or(Ok(()), |uri| write!(f, ",URI={}", Quoted(uri)))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.i_frames_only { "I-FRAME-STREAM-INF" } else { "STREAM-INF" };
        write!(f, "#EXT-X-{name}:BANDWIDTH={}", self.bandwidth)?;
        if let Some(bits) = self.average_bandwidth {
            write!(f, ",AVERAGE-BANDWIDTH={bits}")?;
        }
        if !self.codecs.is_empty() {
            write!(f, ",CODECS={}", Quoted(&self.codecs))?;
        }
        if let Some((width, height)) = self.resolution {
            write!(f, ",RESOLUTION={width}x{height}")?;
        }
        if let Some(rate) = self.frame_rate {
            write!(f, ",FRAME-RATE={}.{:03}", rate / 1000, rate % 1000)?;
        }
        if !self.audio.is_empty() {
            write!(f, ",AUDIO={}", Quoted(&self.audio))?;
        }
        match self.i_frames_only {
            true => write!(f, ",URI={}", Quoted(&self.uri)),
            false => write!(f, "\n{}", self.uri),
        }
    }
}
