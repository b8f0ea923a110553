//! Settings of HLS.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::values::Span;

/// How streams are served by HLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hls {
    /// Least length of a segment; it ends at the next keyframe.
    pub segment: Duration,
    /// Most length of a part.
    pub part: Duration,
    /// Segments that a playlist lists.
    pub window: usize,
    /// Whether segments are encrypted by AES-128. There are no parts then.
    pub encrypt: bool,
    /// How far back a viewer may go. Zero: no farther than the window.
    pub dvr: Duration,
    /// Folder of the segments behind that.
    pub folder: Option<String>,
    /// Whether they stay when the stream ends, with a playlist.
    pub keep: bool,
}

impl Default for Hls {
    fn default() -> Self {
        Self {
            segment: Duration::from_secs(2),
            part: Duration::from_millis(330),
            window: 6,
            encrypt: false,
            dvr: Duration::ZERO,
            folder: None,
            keep: false,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HlsText {
    segment: Option<Spanned<Span>>,
    part: Option<Spanned<Span>>,
    window: Option<Spanned<usize>>,
    encrypt: bool,
    dvr: Option<Spanned<Span>>,
    folder: Option<String>,
    keep: Option<Spanned<bool>>,
}

/// Segments of a window, at least and at most.
const WINDOWS: std::ops::RangeInclusive<usize> = 3..=100;

impl HlsText {
    /// The place and the words of a value that cannot be.
    pub(super) fn fault(&self) -> Option<(std::ops::Range<usize>, &'static str)> {
        let wrong = |span: &Option<Spanned<Span>>, least: u64, most: u64| {
            let millis = Duration::from_millis(least)..=Duration::from_millis(most);
            span.as_ref().filter(|span| !millis.contains(&span.get_ref().0)).map(Spanned::span)
        };
        if let Some(place) = wrong(&self.segment, 1000, 30_000) {
            return Some((place, "segments cannot have this length, expected 1s to 30s"));
        }
        if let Some(place) = wrong(&self.part, 100, 2000) {
            return Some((place, "parts cannot have this length, expected 100ms to 2s"));
        }
        if let Some(window) = self.window.as_ref().filter(|window| !WINDOWS.contains(window.get_ref())) {
            return Some((window.span(), "a playlist cannot list this number of segments, expected 3 to 100"));
        }
        match (&self.dvr, &self.folder, &self.keep) {
            (Some(dvr), None, _) if !dvr.get_ref().0.is_zero() => {
                Some((dvr.span(), "old segments have no place, expected a folder for them"))
            }
            (None, _, Some(keep)) if *keep.get_ref() => Some((keep.span(), "nothing is kept, expected dvr = \"30m\"")),
            _ => None,
        }
    }
}

impl From<HlsText> for Hls {
    fn from(text: HlsText) -> Self {
        let default = Self::default();
        let span = |span: Option<Spanned<Span>>, default| span.map_or(default, |span| span.into_inner().0);
        Self {
            segment: span(text.segment, default.segment),
            part: span(text.part, default.part),
            window: text.window.map_or(default.window, Spanned::into_inner),
            encrypt: text.encrypt,
            dvr: span(text.dvr, default.dvr),
            folder: text.folder,
            keep: text.keep.is_some_and(Spanned::into_inner),
        }
    }
}
