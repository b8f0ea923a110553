//! Facts of a segment beside its tracks: Info, SeekHead, Chapters, Tags, Cues (RFC 9559 §5.1).

use alloc::{format, string::String, vec::Vec};

use crate::{
    stream::{Chapter, MAX_TAGS, Metadata},
    syntax::ebml::{Elements, float, ids, signed, text, unsigned},
    time::{Ticks, TimeBase},
};

/// Most entries of SeekHead that are kept.
const MAX_SEEKS: usize = 64;

/// Most entries of Cues that are kept.
const MAX_CUES: usize = 1 << 18;

/// The Info element.
#[derive(Clone, Debug)]
pub(super) struct Info {
    /// Nanoseconds of a tick.
    pub scale: u64,
    /// Ticks of the whole.
    pub duration: Option<f64>,
}

impl Default for Info {
    fn default() -> Self {
        Self { scale: 1_000_000, duration: None }
    }
}

impl Info {
    /// The element of this body; its texts become tags.
    pub(super) fn parse(body: &[u8], tags: &mut Metadata) -> Self {
        let mut info = Self::default();
        for (id, body) in Elements::new(body) {
            match id {
                ids::TIMESTAMP_SCALE => {
                    info.scale = Some(unsigned(body)).filter(|scale| *scale > 0).unwrap_or(1_000_000)
                }
                ids::DURATION => info.duration = float(body).filter(|duration| *duration > 0.0),
                ids::TITLE => tags.set("title", text(body)),
                ids::MUXING_APP => tags.set("encoder", text(body)),
                ids::DATE_UTC => tags.set("creation_time", date(signed(body))),
                _ => {}
            }
        }
        info
    }
}

/// Nanoseconds since the start of 2001 as a date and time.
fn date(nanos: i64) -> String {
    let micros = nanos.div_euclid(1000);
    let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    // Days since 1 March of the year 0 (Howard Hinnant's algorithm of civil days).
    let shifted = days + 11_323 + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Where elements stand, from the start of the Segment's body: identifiers and offsets.
pub(super) fn seeks(body: &[u8]) -> Vec<(u32, u64)> {
    let entries = Elements::new(body).filter(|(id, _)| *id == ids::SEEK);
    let entry = |(_, body): (u32, &[u8])| {
        let elements = Elements::new(body);
        let id = u32::try_from(unsigned(elements.body_of(ids::SEEK_ID)?)).ok()?;
        Some((id, unsigned(elements.body_of(ids::SEEK_POSITION)?)))
    };
    entries.filter_map(entry).take(MAX_SEEKS).collect()
}

/// An entry of the index: time in ticks, track, and where its cluster stands from the start of the Segment's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cue {
    pub time: u64,
    pub track: u64,
    pub cluster: u64,
}

/// The index in the body of Cues.
pub(super) fn cues(body: &[u8]) -> Vec<Cue> {
    let mut found = Vec::new();
    for (_, point) in Elements::new(body).filter(|(id, _)| *id == ids::CUE_POINT) {
        let time = Elements::new(point).body_of(ids::CUE_TIME).map_or(0, unsigned);
        for (_, place) in Elements::new(point).filter(|(id, _)| *id == ids::CUE_TRACK_POSITIONS) {
            let number = |id| Elements::new(place).body_of(id).map(unsigned);
            if let Some(cluster) = number(ids::CUE_CLUSTER_POSITION).filter(|_| found.len() < MAX_CUES) {
                found.push(Cue { time, track: number(ids::CUE_TRACK).unwrap_or(0), cluster });
            }
        }
    }
    found
}

/// The chapters in the body of Chapters, of all editions, without those inside others.
pub(super) fn chapters(body: &[u8], metadata: &mut Metadata) {
    for (_, edition) in Elements::new(body).filter(|(id, _)| *id == ids::EDITION_ENTRY) {
        for (_, atom) in Elements::new(edition).filter(|(id, _)| *id == ids::CHAPTER_ATOM) {
            let elements = Elements::new(atom);
            let ticks = |id| elements.body_of(id).map(|body| Ticks(i64::try_from(unsigned(body)).unwrap_or(i64::MAX)));
            let Some(start) = ticks(ids::CHAPTER_TIME_START) else { continue };
            let display = elements.body_of(ids::CHAPTER_DISPLAY).unwrap_or_default();
            let title = Elements::new(display).body_of(ids::CHAP_STRING).map(text).unwrap_or_default();
            let mut chapter = Chapter::new(start, TimeBase::NANOS, title);
            chapter.end = ticks(ids::CHAPTER_TIME_END);
            metadata.add_chapter(chapter);
        }
    }
}

/// Tags of the whole go into `metadata`; those of tracks are returned: TrackUID, name and value.
pub(super) fn tags(body: &[u8], metadata: &mut Metadata) -> Vec<(u64, String, String)> {
    let mut of_tracks = Vec::new();
    for (_, tag) in Elements::new(body).filter(|(id, _)| *id == ids::TAG) {
        let targets = Elements::new(Elements::new(tag).body_of(ids::TARGETS).unwrap_or_default());
        let uid = |id| targets.body_of(id).map_or(0, unsigned);
        let others = [ids::TAG_EDITION_UID, ids::TAG_CHAPTER_UID, ids::TAG_ATTACHMENT_UID];
        if others.iter().any(|id| uid(*id) > 0) {
            continue;
        }
        let track = uid(ids::TAG_TRACK_UID);
        for (_, simple) in Elements::new(tag).filter(|(id, _)| *id == ids::SIMPLE_TAG) {
            let elements = Elements::new(simple);
            let (Some(name), Some(value)) = (elements.body_of(ids::TAG_NAME), elements.body_of(ids::TAG_STRING)) else {
                continue;
            };
            let (name, value) = (key(text(name)), text(value));
            if track == 0 {
                metadata.set(name, value);
            } else if of_tracks.len() < MAX_TAGS {
                of_tracks.push((track, name, value));
            }
        }
    }
    of_tracks
}

/// Names of tags that have another name elsewhere: Matroska's and the reference's.
pub(super) const TAG_NAMES: &[(&str, &str)] = &[("LEAD_PERFORMER", "performer"), ("PART_NUMBER", "track")];

fn key(name: String) -> String {
    let known = TAG_NAMES.iter().find(|row| name.eq_ignore_ascii_case(row.0));
    known.map_or(name, |row| row.1.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_2001() {
        assert_eq!(date(0), "2001-01-01T00:00:00.000000Z");
        assert_eq!(date(86_400_000_000_000 * 59 + 1_500_000), "2001-03-01T00:00:00.001500Z");
        assert_eq!(date(-1), "2000-12-31T23:59:59.999999Z");
        date(i64::MAX);
        date(i64::MIN);
    }
}
