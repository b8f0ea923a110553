//! Segments of a window that are kept elsewhere, and the playlist that lists them: time shift.
//!
//! ```text
//!   Window: [past: names and lengths │ grace │ listed … │ under way]   expired names ─▶ the caller removes their files
//! ```

use alloc::{format, string::String, vec::Vec};
use core::time::Duration;

use bytes::Bytes;

use super::{
    date::Date,
    past::Past,
    playlist::{Kind, Media},
    window::{Ask, Stored, Window},
};

/// Most segments whose bytes are kept elsewhere: a day of 2 s each.
pub(super) const MAX_PAST: usize = 43_200;

/// Most initializations of a window.
const MAX_INITS: usize = 256;

impl Window {
    /// Remembers a segment whose bytes are dropped, and forgets those that are too old.
    pub(super) fn retire(&mut self, gone: &Stored) {
        if self.limits.history.is_zero() {
            return;
        }
        let Stored { duration, independent, discontinuity, date, init, .. } = *gone;
        self.past.push_back(Past { duration, independent, discontinuity, date, init });
        self.past_length = self.past_length.saturating_add(duration);
        while self.past_length > self.limits.history || self.past.len() > MAX_PAST || self.inits.len() > MAX_INITS {
            let number = self.oldest();
            let Some(old) = self.past.pop_front() else { return };
            self.past_length = self.past_length.saturating_sub(old.duration);
            self.expire(format!("{}-{number}.{}", self.epoch, self.container.extension()));
        }
    }

    /// Notes that nothing lists a file any more.
    pub(super) fn expire(&mut self, name: String) {
        if !self.limits.history.is_zero() && self.expired.len() < MAX_PAST {
            self.expired.push(name);
        }
    }

    /// Names of files that are kept elsewhere and listed no longer, since the last call.
    pub fn take_expired(&mut self) -> Vec<String> {
        core::mem::take(&mut self.expired)
    }

    /// Number of the oldest segment, wherever its bytes are.
    pub(super) fn oldest(&self) -> u64 {
        // The one that is being dropped is counted in both places.
        self.first.saturating_add(u64::from(self.retiring)).saturating_sub(self.past.len() as u64)
    }

    /// Name and bytes of the newest segment that has ended.
    pub fn newest(&self) -> Option<(String, Vec<Bytes>)> {
        let segment = self.segments.back()?;
        let name = format!("{}-{}.{}", self.epoch, self.under_way().saturating_sub(1), self.container.extension());
        Some((name, segment.parts.iter().map(|part| part.data.clone()).collect()))
    }

    /// Name and bytes of the newest initialization.
    pub fn newest_init(&self) -> Option<(String, Vec<Bytes>)> {
        let (number, data) = self.inits.back()?;
        Some((format!("{}-{number}.mp4", self.epoch), Vec::from([data.clone()])))
    }

    /// Whether a name is that of a segment whose bytes are kept elsewhere.
    pub fn is_past(&self, name: &str) -> bool {
        let number = || -> Option<u64> {
            let rest = name.strip_prefix(&*self.epoch)?.strip_prefix('-')?;
            rest.strip_suffix(self.container.extension())?.strip_suffix('.')?.parse().ok()
        };
        number().is_some_and(|number| (self.oldest()..self.first).contains(&number))
    }

    /// Answers a request for the playlist of all that is there since a date. It has no parts.
    pub fn ask_since(&mut self, since: Date) -> Ask {
        if self.target.is_none() && !self.ended {
            return Ask::Wait;
        }
        let (first, next) = (self.first_since(since), self.under_way());
        if let Some((from, to, ended, text)) = &self.since
            && (*from, *to, *ended) == (first, next, self.ended)
        {
            return Ask::Ready(text.clone());
        }
        let text = Bytes::from(format!("{}", self.playlist_since(since)));
        self.since = Some((first, next, self.ended, text.clone()));
        Ask::Ready(text)
    }

    /// Number of the first segment that ends behind a date; the last one where there is none.
    fn first_since(&self, since: Date) -> u64 {
        let ends = |date: Date, duration: Duration| {
            date.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)) > since.0
        };
        let past = self.past.iter().map(|past| ends(past.date, past.duration));
        let all = past.chain(self.segments.iter().map(|segment| ends(segment.date, segment.duration)));
        let count = self.past.len().saturating_add(self.segments.len());
        let index = all.into_iter().position(|ends| ends).unwrap_or(count.saturating_sub(1));
        self.oldest().saturating_add(index as u64)
    }

    /// The playlist of all that is there since a date, which plays from its first segment on.
    pub fn playlist_since(&self, since: Date) -> Media {
        let first = self.first_since(since);
        let mut media = Media { target: self.target.unwrap_or(1), ended: self.ended, ..Media::default() };
        (media.sequence, media.begins, media.independent) = (first, true, true);
        let past = (self.oldest()..).zip(&self.past);
        for (number, past) in past.filter(|(number, _)| *number >= first) {
            media.independent &= past.independent;
            media.segments.push(self.entry(number, past.duration, past.discontinuity, past.date, past.init));
        }
        for (number, segment) in (self.first..).zip(&self.segments).filter(|(number, _)| *number >= first) {
            media.independent &= segment.independent;
            let Stored { duration, discontinuity, date, init, .. } = *segment;
            media.segments.push(self.entry(number, duration, discontinuity, date, init));
        }
        let before = self.segments.iter().filter(|segment| segment.discontinuity).count() as u64;
        let listed = media.segments.iter().filter(|segment| segment.discontinuity).count() as u64;
        media.discontinuity_sequence = self.passed.saturating_add(before).saturating_sub(listed);
        media
    }

    /// The playlist of all that is there, once nothing follows.
    pub fn recording(&self) -> Media {
        let mut media = self.playlist_since(Date(i64::MIN));
        (media.kind, media.begins, media.ended) = (Some(Kind::Vod), false, true);
        media
    }
}
