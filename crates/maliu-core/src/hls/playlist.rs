//! Media playlists as data, and their text (RFC 8216bis §4.4).

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

use super::{
    attributes::{Quoted, Seconds},
    date::Date,
};

/// Whether segments may still be removed or added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing changes.
    Vod,
    /// Segments are added only.
    Event,
}

/// A part of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Bytes.
    pub length: u64,
    /// Offset of the first one.
    pub offset: u64,
}

/// The initialization of the segments that follow (EXT-X-MAP).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Where it is.
    pub uri: String,
    /// Its part of that resource.
    pub range: Option<Range>,
}

/// How the segments that follow are encrypted (EXT-X-KEY).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `AES-128`, `SAMPLE-AES` and others.
    pub method: String,
    /// Where the key is.
    pub uri: String,
    /// The initialization vector; `None`: the number of the segment.
    pub iv: Option<[u8; 16]>,
    /// How the key is represented; `identity` where nothing is said.
    pub format: String,
}

/// A part of a segment (EXT-X-PART).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Where it is.
    pub uri: String,
    /// Its length.
    pub duration: Duration,
    /// It begins with a keyframe.
    pub independent: bool,
    /// It is missing.
    pub gap: bool,
    /// Its part of that resource.
    pub range: Option<Range>,
}

/// A segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Where it is.
    pub uri: String,
    /// Its length.
    pub duration: Duration,
    /// Its title; may be empty.
    pub title: String,
    /// Its part of that resource.
    pub range: Option<Range>,
    /// Its initialization.
    pub map: Option<Map>,
    /// How it is encrypted.
    pub key: Option<Key>,
    /// Times or codecs change in front of it.
    pub discontinuity: bool,
    /// It is missing.
    pub gap: bool,
    /// The wall-clock time of its beginning.
    pub date: Option<Date>,
    /// Its parts, where they are still listed.
    pub parts: Vec<Part>,
}

/// Abilities of a low-latency server (EXT-X-SERVER-CONTROL).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// A request may wait for the playlist that it names.
    pub can_block_reload: bool,
    /// Segments older than this may be left out of an update.
    pub can_skip_until: Option<Duration>,
    /// How far from the end a player keeps.
    pub hold_back: Option<Duration>,
    /// How far from the end a player keeps that plays parts.
    pub part_hold_back: Option<Duration>,
}

/// A media playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media {
    /// EXT-X-VERSION; 1 where nothing is said.
    pub version: u32,
    /// The longest segment, in whole seconds.
    pub target: u32,
    /// The longest part.
    pub part_target: Option<Duration>,
    /// Number of the first segment.
    pub sequence: u64,
    /// Discontinuities before the first segment.
    pub discontinuity_sequence: u64,
    /// Whether it may change; `None`: both ways.
    pub kind: Option<Kind>,
    /// Every segment can be decoded on its own.
    pub independent: bool,
    /// Segments are keyframes.
    pub i_frames_only: bool,
    /// Clients may keep segments (EXT-X-ALLOW-CACHE, of old players).
    pub allow_cache: Option<bool>,
    /// Abilities of the server.
    pub control: Option<Control>,
    /// Playing begins with the first segment, not near the end (EXT-X-START).
    pub begins: bool,
    /// Segments that an update leaves out (EXT-X-SKIP).
    pub skipped: u64,
    /// The segments.
    pub segments: Vec<Segment>,
    /// Parts of the segment that is under way.
    pub parts: Vec<Part>,
    /// Times or codecs change in front of them.
    pub parts_discontinuity: bool,
    /// Their initialization, where it is another one than that of the last segment.
    pub parts_map: Option<Map>,
    /// The part that comes next.
    pub hint: Option<String>,
    /// Nothing follows.
    pub ended: bool,
}

impl Media {
    /// The lowest version that knows all that is in it (§8).
    pub fn least_version(&self) -> u32 {
        let has = |what: fn(&Segment) -> bool| self.segments.iter().any(what);
        match () {
            () if self.skipped > 0 || self.control.is_some_and(|control| control.can_skip_until.is_some()) => 9,
            () if has(|segment| segment.map.is_some()) && !self.i_frames_only => 6,
            () if has(|segment| segment.map.is_some()) => 5,
            () if self.i_frames_only || has(|segment| segment.range.is_some()) => 4,
            () => 3,
        }
    }

    /// Length of all segments that are listed.
    pub fn duration(&self) -> Duration {
        self.segments.iter().fold(Duration::ZERO, |sum, segment| sum.saturating_add(segment.duration))
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "#EXTM3U\n#EXT-X-VERSION:{}", self.version.max(self.least_version()))?;
        if let Some(allowed) = self.allow_cache {
            writeln!(f, "#EXT-X-ALLOW-CACHE:{}", if allowed { "YES" } else { "NO" })?;
        }
        writeln!(f, "#EXT-X-TARGETDURATION:{}", self.target)?;
        if let Some(control) = &self.control {
            writeln!(f, "#EXT-X-SERVER-CONTROL:{control}")?;
        }
        if let Some(target) = self.part_target {
            writeln!(f, "#EXT-X-PART-INF:PART-TARGET={}", Seconds(target))?;
        }
        writeln!(f, "#EXT-X-MEDIA-SEQUENCE:{}", self.sequence)?;
        if self.discontinuity_sequence > 0 {
            writeln!(f, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", self.discontinuity_sequence)?;
        }
        match self.kind {
            Some(Kind::Vod) => writeln!(f, "#EXT-X-PLAYLIST-TYPE:VOD")?,
            Some(Kind::Event) => writeln!(f, "#EXT-X-PLAYLIST-TYPE:EVENT")?,
            None => {}
        }
        if self.i_frames_only {
            writeln!(f, "#EXT-X-I-FRAMES-ONLY")?;
        }
        if self.independent {
            writeln!(f, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        if self.begins {
            writeln!(f, "#EXT-X-START:TIME-OFFSET=0")?;
        }
        if self.skipped > 0 {
            writeln!(f, "#EXT-X-SKIP:SKIPPED-SEGMENTS={}", self.skipped)?;
        }
        self.list(f)?;
        if self.parts_discontinuity {
            writeln!(f, "#EXT-X-DISCONTINUITY")?;
        }
        if let Some(map) = &self.parts_map {
            writeln!(f, "#EXT-X-MAP:{map}")?;
        }
        for part in &self.parts {
            writeln!(f, "{part}")?;
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI={}", Quoted(hint))?;
        }
        if self.ended { writeln!(f, "#EXT-X-ENDLIST") } else { Ok(()) }
    }
}

impl Media {
    fn list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut map, mut key): (Option<&Map>, Option<&Key>) = (None, None);
        for segment in &self.segments {
            if segment.discontinuity {
                writeln!(f, "#EXT-X-DISCONTINUITY")?;
            }
            if let Some(new) = segment.map.as_ref().filter(|new| map != Some(*new)) {
                // A key in front of it would be for the initialization, too (§4.4.4.4).
                if key.take().is_some() {
                    writeln!(f, "#EXT-X-KEY:METHOD=NONE")?;
                }
                map = Some(new);
                writeln!(f, "#EXT-X-MAP:{new}")?;
            }
            if segment.key.as_ref() != key {
                key = segment.key.as_ref();
                match key {
                    Some(key) => writeln!(f, "#EXT-X-KEY:{key}")?,
                    None => writeln!(f, "#EXT-X-KEY:METHOD=NONE")?,
                }
            }
            if let Some(date) = segment.date {
                writeln!(f, "#EXT-X-PROGRAM-DATE-TIME:{date}")?;
            }
            if segment.gap {
                writeln!(f, "#EXT-X-GAP")?;
            }
            for part in &segment.parts {
                writeln!(f, "{part}")?;
            }
            writeln!(f, "#EXTINF:{},{}", Seconds(segment.duration), segment.title)?;
            if let Some(Range { length, offset }) = segment.range {
                writeln!(f, "#EXT-X-BYTERANGE:{length}@{offset}")?;
            }
            writeln!(f, "{}", segment.uri)?;
        }
        Ok(())
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        if self.can_block_reload {
            f.write_str("CAN-BLOCK-RELOAD=YES")?;
            comma = ",";
        }
        let spans = [
            ("CAN-SKIP-UNTIL", self.can_skip_until),
            ("HOLD-BACK", self.hold_back),
            ("PART-HOLD-BACK", self.part_hold_back),
        ];
        for (name, span) in spans {
            if let Some(span) = span {
                write!(f, "{comma}{name}={}", Seconds(span))?;
                comma = ",";
            }
        }
        Ok(())
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "URI={}", Quoted(&self.uri))?;
        self.range.map_or(Ok(()), |Range { length, offset }| write!(f, ",BYTERANGE=\"{length}@{offset}\""))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#EXT-X-PART:DURATION={},URI={}", Seconds(self.duration), Quoted(&self.uri))?;
        if let Some(Range { length, offset }) = self.range {
            write!(f, ",BYTERANGE=\"{length}@{offset}\"")?;
        }
        if self.independent {
            f.write_str(",INDEPENDENT=YES")?;
        }
        if self.gap { f.write_str(",GAP=YES") } else { Ok(()) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "METHOD={},URI={}", self.method, Quoted(&self.uri))?;
        if let Some(iv) = self.iv {
            write!(f, ",IV=0x{:032x}", u128::from_be_bytes(iv))?;
        }
        if self.format.is_empty() { Ok(()) } else { write!(f, ",KEYFORMAT={}", Quoted(&self.format)) }
    }
}
