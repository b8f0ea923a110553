//! Text → playlists, line by line as bytes come (RFC 8216bis §4).

use alloc::{format, string::String, vec::Vec};

use super::{
    attributes::{Attributes, seconds},
    date::Date,
    multivariant::{Multivariant, Rendition, Variant},
    playlist::{Control, Key, Kind, Map, Media, Part, Range, Segment},
};
use crate::error::{Error, Result};

/// Most bytes of a playlist.
pub const MAX_TEXT: usize = 16 << 20;

/// Most bytes of a line.
pub const MAX_LINE: usize = 64 << 10;

/// Most segments, and most parts, variants and renditions, of a playlist.
pub const MAX_SEGMENTS: usize = 1 << 16;

/// A playlist of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Playlist {
    /// It lists segments.
    Media(Media),
    /// It lists playlists.
    Multivariant(Multivariant),
}

/// Reads a playlist. Bytes come in pieces of any size.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// Offset of the line.
    at: u64,
    begun: bool,
    media: Media,
    multivariant: Multivariant,
    /// The segment whose tags come, and whether its length did.
    next: Segment,
    timed: bool,
    /// Its range has no offset: it follows the range before.
    follows: bool,
    /// The variant whose URI comes.
    variant: Option<Variant>,
    /// The initialization and the key of the segments that follow.
    map: Option<Map>,
    key: Option<Key>,
    parts: usize,
}

impl Parser {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the offset of the line, [`Error::Limit`], [`Error::Unsupported`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len().saturating_add(piece.len()) > MAX_LINE {
                return Err(Error::Limit { what: "bytes of a line of a playlist (MAX_LINE)", limit: MAX_LINE as u64 });
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(())
    }

    /// The text has ended.
    ///
    /// # Errors
    /// As [`Parser::push`].
    pub fn finish(mut self) -> Result<Playlist> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        if !self.begun {
            return Err(self.wrong("empty, expected #EXTM3U"));
        }
        let next = core::mem::take(&mut self.next);
        let before = self.media.segments.last().and_then(|segment| segment.map.clone());
        self.media.parts_discontinuity = next.discontinuity;
        self.media.parts_map = self.map.take().filter(|map| before.as_ref() != Some(map));
        self.media.parts = next.parts;
        let lists = !self.multivariant.variants.is_empty() || !self.multivariant.renditions.is_empty();
        if lists && !self.media.segments.is_empty() {
            return Err(self.wrong("both segments and variants"));
        }
        Ok(if lists { Playlist::Multivariant(self.multivariant) } else { Playlist::Media(self.media) })
    }

    fn wrong(&self, what: impl Into<alloc::borrow::Cow<'static, str>>) -> Error {
        Error::malformed("hls", what, self.at)
    }

    fn end_line(&mut self) -> Result<()> {
        let bytes = core::mem::take(&mut self.line);
        let text = core::str::from_utf8(&bytes).map_err(|_| self.wrong("a line that is not UTF-8"))?;
        let text = text.trim_end_matches(['\n', '\r']);
        let taken = self.take(text);
        self.at = self.at.saturating_add(bytes.len() as u64);
        if self.at > MAX_TEXT as u64 {
            return Err(Error::Limit { what: "bytes of a playlist (MAX_TEXT)", limit: MAX_TEXT as u64 });
        }
        taken
    }

    fn take(&mut self, line: &str) -> Result<()> {
        if !self.begun {
            if line.trim_end() != "#EXTM3U" {
                return Err(self.wrong(format!("{:?}, expected #EXTM3U", head(line))));
            }
            self.begun = true;
            return Ok(());
        }
        match line.strip_prefix('#') {
            _ if line.trim().is_empty() => Ok(()),
            Some(tag) => {
                let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
                self.tag(name.trim_end(), value.trim())
            }
            None => self.uri(line.trim()),
        }
    }

    fn tag(&mut self, name: &str, value: &str) -> Result<()> {
        let list = || Attributes::parse(value);
        match name {
            "EXTINF" => {
                let (length, title) = value.split_once(',').unwrap_or((value, ""));
                self.next.duration = seconds(length).ok_or_else(|| self.bad(name, value))?;
                (self.next.title, self.timed) = (String::from(title), true);
            }
            "EXT-X-BYTERANGE" => {
                let (range, follows) = range(value).ok_or_else(|| self.bad(name, value))?;
                (self.next.range, self.follows) = (Some(range), follows);
            }
            "EXT-X-DISCONTINUITY" => self.next.discontinuity = true,
            "EXT-X-GAP" => self.next.gap = true,
            "EXT-X-PROGRAM-DATE-TIME" => self.next.date = Date::parse(value),
            "EXT-X-MAP" => {
                let list = list();
                let uri = list.owned("URI").ok_or_else(|| self.bad(name, value))?;
                let range = list.text("BYTERANGE").and_then(range).map(|(range, _)| range);
                self.map = Some(Map { uri, range });
            }
            "EXT-X-KEY" => self.key = self.read_key(&list(), value)?,
            "EXT-X-PART" => {
                let part = part(&list()).ok_or_else(|| self.bad(name, value))?;
                self.count(1)?;
                self.next.parts.push(part);
            }
            "EXT-X-TARGETDURATION" => self.media.target = self.number(name, value)?,
            "EXT-X-VERSION" => self.media.version = self.number(name, value)?,
            "EXT-X-MEDIA-SEQUENCE" => self.media.sequence = self.number(name, value)?,
            "EXT-X-DISCONTINUITY-SEQUENCE" => self.media.discontinuity_sequence = self.number(name, value)?,
            "EXT-X-PLAYLIST-TYPE" => self.media.kind = kind(value),
            "EXT-X-I-FRAMES-ONLY" => self.media.i_frames_only = true,
            "EXT-X-ALLOW-CACHE" => self.media.allow_cache = Some(value == "YES"),
            "EXT-X-START" => self.media.begins = list().seconds("TIME-OFFSET") == Some(core::time::Duration::ZERO),
            "EXT-X-INDEPENDENT-SEGMENTS" => (self.media.independent, self.multivariant.independent) = (true, true),
            "EXT-X-PART-INF" => self.media.part_target = list().seconds("PART-TARGET"),
            "EXT-X-SERVER-CONTROL" => self.media.control = Some(control(&list())),
            "EXT-X-SKIP" => self.media.skipped = list().number("SKIPPED-SEGMENTS").unwrap_or(0),
            "EXT-X-PRELOAD-HINT" => self.media.hint = list().owned("URI"),
            "EXT-X-ENDLIST" => self.media.ended = true,
            "EXT-X-STREAM-INF" => self.variant = Some(variant(&list())),
            "EXT-X-I-FRAME-STREAM-INF" => {
                let list = list();
                let uri = list.owned("URI").ok_or_else(|| self.bad(name, value))?;
                self.count(1)?;
                self.multivariant.variants.push(Variant { uri, i_frames_only: true, ..variant(&list) });
            }
            "EXT-X-MEDIA" => {
                self.count(1)?;
                self.multivariant.renditions.push(rendition(&list()));
            }
            "EXT-X-DEFINE" => return Err(Error::unsupported("hls: variables in playlists (EXT-X-DEFINE)")),
            _ => {}
        }
        Ok(())
    }

    fn uri(&mut self, uri: &str) -> Result<()> {
        self.count(1)?;
        if let Some(variant) = self.variant.take() {
            self.multivariant.variants.push(Variant { uri: uri.into(), ..variant });
            return Ok(());
        }
        if !core::mem::take(&mut self.timed) {
            return Err(self.wrong(format!("{:?} without #EXTINF in front", head(uri))));
        }
        let mut segment = core::mem::take(&mut self.next);
        segment.uri = uri.into();
        (segment.map, segment.key) = (self.map.clone(), self.key.clone());
        if core::mem::take(&mut self.follows)
            && let Some(range) = &mut segment.range
        {
            let before = self.media.segments.last().filter(|before| before.uri == uri).and_then(|before| before.range);
            range.offset = before.map_or(0, |before| before.offset.saturating_add(before.length));
        }
        self.media.segments.push(segment);
        Ok(())
    }

    fn count(&mut self, more: usize) -> Result<()> {
        self.parts = self.parts.saturating_add(more);
        match self.parts > MAX_SEGMENTS {
            true => Err(Error::Limit { what: "entries of a playlist (MAX_SEGMENTS)", limit: MAX_SEGMENTS as u64 }),
            false => Ok(()),
        }
    }

    fn bad(&self, name: &str, value: &str) -> Error {
        self.wrong(format!("#{name} with {:?}", head(value)))
    }

    fn number<N: core::str::FromStr>(&self, name: &str, value: &str) -> Result<N> {
        value.parse().map_err(|_| self.bad(name, value))
    }

    fn read_key(&self, list: &Attributes<'_>, value: &str) -> Result<Option<Key>> {
        let method = list.owned("METHOD").ok_or_else(|| self.bad("EXT-X-KEY", value))?;
        if method == "NONE" {
            return Ok(None);
        }
        let iv = match list.text("IV") {
            Some(text) => {
                let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"));
                let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
                Some(number.ok_or_else(|| self.bad("EXT-X-KEY", value))?.to_be_bytes())
            }
            None => None,
        };
        let uri = list.owned("URI").ok_or_else(|| self.bad("EXT-X-KEY", value))?;
        Ok(Some(Key { method, uri, iv, format: list.owned("KEYFORMAT").unwrap_or_default() }))
    }
}

/// The beginning of a text, for messages.
fn head(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// `length[@offset]`, and whether the offset is missing.
fn range(text: &str) -> Option<(Range, bool)> {
    let (length, offset) = match text.split_once('@') {
        Some((length, offset)) => (length, Some(offset.trim().parse().ok()?)),
        None => (text, None),
    };
    let length = length.trim().parse().ok()?;
    Some((Range { length, offset: offset.unwrap_or(0) }, offset.is_none()))
}

fn kind(value: &str) -> Option<Kind> {
    match value {
        "VOD" => Some(Kind::Vod),
        "EVENT" => Some(Kind::Event),
        _ => None,
    }
}

fn part(list: &Attributes<'_>) -> Option<Part> {
    Some(Part {
        uri: list.owned("URI")?,
        duration: list.seconds("DURATION")?,
        independent: list.yes("INDEPENDENT"),
        gap: list.yes("GAP"),
        range: list.text("BYTERANGE").and_then(range).map(|(range, _)| range),
    })
}

fn control(list: &Attributes<'_>) -> Control {
    Control {
        can_block_reload: list.yes("CAN-BLOCK-RELOAD"),
        can_skip_until: list.seconds("CAN-SKIP-UNTIL"),
        hold_back: list.seconds("HOLD-BACK"),
        part_hold_back: list.seconds("PART-HOLD-BACK"),
    }
}

fn variant(list: &Attributes<'_>) -> Variant {
    let size = list.text("RESOLUTION").and_then(|text| text.split_once('x'));
    let rate = list.seconds("FRAME-RATE").and_then(|rate| u32::try_from(rate.as_millis()).ok());
    Variant {
        uri: String::new(),
        bandwidth: list.number("BANDWIDTH").unwrap_or(0),
        average_bandwidth: list.number("AVERAGE-BANDWIDTH"),
        codecs: list.owned("CODECS").unwrap_or_default(),
        resolution: size.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?))),
        frame_rate: rate,
        audio: list.owned("AUDIO").unwrap_or_default(),
        i_frames_only: false,
    }
}

fn rendition(list: &Attributes<'_>) -> Rendition {
    let owned = |name| list.owned(name).unwrap_or_default();
    Rendition {
        kind: owned("TYPE"),
        group: owned("GROUP-ID"),
        name: owned("NAME"),
        language: owned("LANGUAGE"),
        uri: list.owned("URI"),
        default: list.yes("DEFAULT"),
    }
}
