//! How the pictures of a video stream follow each other: groups of pictures, B pictures, depth.

use std::fmt::Write as _;

use maliu::{packet::Packet, stream::StreamInfo};

use crate::video::{Picture, Video};

/// Pictures of one stream, as seen so far.
pub(super) struct Gops {
    video: Video,
    /// Pictures since the last keyframe; `None` before the first one.
    running: Option<u64>,
    /// Most pictures between two keyframes, and fewest; of complete groups only.
    longest: u64,
    shortest: u64,
    keys: u64,
    closed: u64,
    pictures: u64,
    letters: [u64; 3],
    /// B pictures in a row, and the most of them.
    row: u64,
    longest_row: u64,
    /// The start of the first group, a letter a picture in decoding order.
    pattern: String,
}

/// Letters of a pattern that are shown.
const PATTERN: usize = 16;

impl Gops {
    /// Of this stream; `None` when its pictures cannot be told apart.
    pub(super) fn new(info: &StreamInfo) -> Option<Self> {
        Some(Self {
            video: Video::new(info)?,
            running: None,
            longest: 0,
            shortest: u64::MAX,
            keys: 0,
            closed: 0,
            pictures: 0,
            letters: [0; 3],
            row: 0,
            longest_row: 0,
            pattern: String::new(),
        })
    }

    /// Counts a packet.
    pub(super) fn note(&mut self, packet: &Packet) {
        let (_, picture) = self.video.packet(&packet.data);
        let Picture { letter: Some(letter), key, closed, .. } = picture else { return };
        self.pictures += 1;
        self.letters[match letter {
            'I' => 0,
            'P' => 1,
            _ => 2,
        }] += 1;
        self.row = if letter == 'B' { self.row + 1 } else { 0 };
        self.longest_row = self.longest_row.max(self.row);
        if key {
            if let Some(length) = self.running {
                self.longest = self.longest.max(length);
                self.shortest = self.shortest.min(length);
            }
            self.running = Some(0);
            self.keys += 1;
            self.closed += u64::from(closed);
        }
        if let Some(running) = &mut self.running {
            *running += 1;
        }
        if self.keys == 1 && self.pattern.len() < PATTERN {
            self.pattern.push(letter);
        }
    }

    /// The stream's codec string for MIME types (RFC 6381), when its parameter sets were met.
    pub(super) fn codec_string(&self) -> Option<String> {
        self.video.codec_string()
    }

    /// The pixel format by FFmpeg's name, when its parameter sets were met.
    pub(super) fn pixel_format(&self) -> Option<String> {
        let (chroma, depth, full) = self.video.sampling()?;
        super::pixels::name(chroma, depth, full)
    }

    /// The profile's name, when its parameter sets were met.
    pub(super) fn profile(&self) -> Option<&'static str> {
        self.video.profile()
    }

    /// Whether a whole group was seen.
    pub(super) fn is_known(&self) -> bool {
        self.longest > 0
    }

    /// Pictures in the longest group: of complete ones, else of the only one.
    pub(super) fn size(&self) -> Option<u64> {
        if self.longest > 0 { Some(self.longest) } else { self.running }
    }

    /// Most B pictures in a row.
    pub(super) fn b_pictures(&self) -> u64 {
        self.longest_row
    }

    /// Whether all groups so far are closed: no picture refers across their keyframe.
    pub(super) fn closed(&self) -> bool {
        self.keys > 0 && self.closed == self.keys
    }

    /// The first pictures in decoding order, a letter each.
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// One line for people; `None` without pictures.
    pub(super) fn summary(&self) -> Option<String> {
        if self.pictures == 0 {
            return None;
        }
        let [i, p, b] = self.letters;
        let mut text = match self.size() {
            None => "no keyframe".to_owned(),
            Some(_) if self.longest > 0 && self.shortest != self.longest => {
                format!("groups of {} to {} pictures", self.shortest, self.longest)
            }
            Some(size) => format!("groups of {size} pictures"),
        };
        if self.keys > 0 {
            text += if self.closed() { ", closed" } else { ", open" };
        }
        let _ = write!(text, ", {i} I {p} P {b} B");
        if !self.pattern.is_empty() {
            let more = if self.size().is_some_and(|size| size > self.pattern.len() as u64) { "…" } else { "" };
            let _ = write!(text, ", decoded as {}{more}", self.pattern);
        }
        Some(text)
    }
}
