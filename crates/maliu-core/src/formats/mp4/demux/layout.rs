//! How a file is laid out, as lines for people: its index, its tracks, their edit lists.

use alloc::{format, string::String, vec::Vec};

use crate::{
    syntax::isobmff::edits::Stretch,
    time::{Ticks, TimeBase},
};

use super::{super::play::Play, Mp4};

/// Most stretches of an edit list that are listed.
const MAX_STRETCHES: usize = 16;

impl Mp4 {
    /// The lines; none before the movie is known.
    pub(super) fn lines(&self) -> Vec<String> {
        if !self.told {
            return Vec::new();
        }
        let mut lines = Vec::from([self.index()]);
        for play in &self.plays {
            lines.extend(play.lines());
        }
        lines
    }

    /// Where the index stands.
    fn index(&self) -> String {
        let side = if self.media_first { "behind" } else { "in front of" };
        let mut line = format!("moov box at offset {} {side} the media", self.moov);
        if !self.movie.defaults.is_empty() {
            line.push_str(", fragments");
        }
        if let Some(first) = self.fragments.first {
            line.push_str(&format!(" from offset {first} on"));
        }
        match self.fragments.indexes.len() {
            0 => {}
            count => line.push_str(&format!(", {count} sidx boxes")),
        }
        if self.fragments.access.as_ref().is_some_and(|tables| !tables.is_empty()) {
            line.push_str(", an mfra box");
        }
        line
    }
}

impl Play {
    /// Its samples, and the stretches of its edit list.
    fn lines(&self) -> Vec<String> {
        let (samples, chunks) = self.counts();
        let mut line = format!("track {}: stream {}, {} ticks per second", self.id, self.stream, self.base.den);
        if samples > 0 {
            line.push_str(&format!(", {samples} samples in {chunks} chunks"));
        }
        if self.entries.len() > 1 {
            line.push_str(&format!(", {} sample descriptions", self.entries.len()));
        }
        let mut lines = Vec::from([line]);
        let listed = self.stretches().iter().filter(|stretch| **stretch != Stretch::ALL).take(MAX_STRETCHES);
        lines.extend(listed.map(|stretch| format!("track {}: {}", self.id, shown(stretch, self.base))));
        lines
    }
}

/// A stretch of an edit list in seconds.
fn shown(stretch: &Stretch, base: TimeBase) -> String {
    let seconds = |ticks: i64| base.seconds(Ticks(ticks));
    if stretch.from == i64::MIN {
        return format!("edit: all media, from {:.3} s on", seconds(stretch.shift));
    }
    let at = seconds(stretch.from.saturating_add(stretch.shift));
    match stretch.to {
        i64::MAX => format!("edit: media from {:.3} s on, at {at:.3} s", seconds(stretch.from)),
        to => format!("edit: media from {:.3} s to {:.3} s, at {at:.3} s", seconds(stretch.from), seconds(to)),
    }
}
