//! The front of a file: EBML header, room for SeekHead, Info, chapters, tags.

use alloc::{format, string::String, vec::Vec};

use crate::{
    stream::{Metadata, carried::is_of_file},
    syntax::ebml::{Writer, ids},
    time::{Rounding, Ticks, TimeBase},
};

use super::{super::facts::TAG_NAMES, settings::Brand, track::Track};

/// The EBML header.
pub(super) fn ebml(brand: Brand, w: &mut Writer) {
    w.master(ids::EBML, |w| {
        w.unsigned(ids::EBML_VERSION, 1);
        w.unsigned(ids::EBML_READ_VERSION, 1);
        w.unsigned(ids::EBML_MAX_ID_LENGTH, 4);
        w.unsigned(ids::EBML_MAX_SIZE_LENGTH, 8);
        w.text(ids::DOC_TYPE, brand.name());
        w.unsigned(ids::DOC_TYPE_VERSION, 4);
        w.unsigned(ids::DOC_TYPE_READ_VERSION, 2);
    });
}

/// Info, with room for the duration where it can be written later. Returns the offset of that room in the element.
pub(super) fn info(metadata: &Metadata, room: bool, w: &mut Writer) -> Option<usize> {
    let mut inside = Writer::default();
    inside.unsigned(ids::TIMESTAMP_SCALE, 1_000_000);
    if let Some(title) = metadata.value("title") {
        inside.text(ids::TITLE, title);
    }
    // The writer takes the name away where nothing is to name this program.
    let app = metadata.value("encoder").unwrap_or("maliu");
    inside.text(ids::MUXING_APP, app);
    inside.text(ids::WRITING_APP, app);
    let at = inside.len();
    if room {
        inside.void(DURATION);
    }
    let inside = inside.finish();
    w.binary(ids::INFO, &inside);
    room.then(|| w.len() - inside.len() + at)
}

/// Bytes of the element Duration.
pub(super) const DURATION: usize = 11;

/// Chapters, if there are any.
pub(super) fn chapters(metadata: &Metadata, w: &mut Writer) {
    if metadata.chapters().is_empty() {
        return;
    }
    w.master(ids::CHAPTERS, |w| {
        w.master(ids::EDITION_ENTRY, |w| {
            w.unsigned(ids::EDITION_UID, 1);
            for (n, chapter) in metadata.chapters().iter().enumerate() {
                let nanos = |time: Ticks| {
                    u64::try_from(chapter.base.rescale(time, TimeBase::NANOS, Rounding::Near).0).unwrap_or(0)
                };
                w.master(ids::CHAPTER_ATOM, |w| {
                    w.unsigned(ids::CHAPTER_UID, n as u64 + 1);
                    w.unsigned(ids::CHAPTER_TIME_START, nanos(chapter.start));
                    if let Some(end) = chapter.end {
                        w.unsigned(ids::CHAPTER_TIME_END, nanos(end));
                    }
                    if !chapter.title.is_empty() {
                        w.master(ids::CHAPTER_DISPLAY, |w| {
                            w.text(ids::CHAP_STRING, &chapter.title);
                            w.text(ids::CHAP_LANGUAGE, "und");
                        });
                    }
                });
            }
        });
    });
}

/// The attached files whose content is known, and the pictures of the tags.
pub(super) fn attachments(tracks: &[Track], metadata: &Metadata) -> Vec<u8> {
    let mut inside = Writer::default();
    for track in tracks.iter().filter(|track| track.is_file()) {
        let tag = |name, default| track.info.metadata.value(name).unwrap_or(default);
        inside.master(ids::ATTACHED_FILE, |w| {
            if let Some(title) = track.info.metadata.value("title") {
                w.text(ids::FILE_DESCRIPTION, title);
            }
            w.text(ids::FILE_NAME, tag("filename", "attachment"));
            w.text(ids::FILE_MEDIA_TYPE, tag("mimetype", "application/octet-stream"));
            w.binary(ids::FILE_DATA, &track.info.config);
            w.unsigned(ids::FILE_UID, track.number);
        });
    }
    let pictures = metadata.pictures().iter().filter(|picture| !picture.data.is_empty());
    for (index, picture) in pictures.enumerate() {
        let name = if picture.kind == 4 { "cover_back" } else { "cover" };
        inside.master(ids::ATTACHED_FILE, |w| {
            w.text(ids::FILE_NAME, &format!("{name}.{}", picture.extension()));
            w.text(ids::FILE_MEDIA_TYPE, &picture.mime);
            w.binary(ids::FILE_DATA, &picture.data);
            w.unsigned(ids::FILE_UID, (1 << 32) + index as u64);
        });
    }
    inside.finish()
}

/// Tags that stand elsewhere, or are of the file they came from.
const LEFT_OUT: &[&str] = &["title", "creation_time", "stereo_mode", "alpha_mode", "codec_id", "filename", "mimetype"];

/// Tags of the whole and of tracks. With `room`, each track has its length among them, which is written later: its
/// offset is noted there, counted from the start of `w`.
pub(super) fn tags(metadata: &Metadata, tracks: &mut [Track], room: bool, w: &mut Writer) {
    let mut inside = Writer::default();
    if let Some(body) = simple_tags(metadata) {
        inside.master(ids::TAG, |w| {
            w.binary(ids::TARGETS, &[]);
            w.raw(&body);
        });
    }
    for track in tracks.iter_mut().filter(|track| track.open) {
        let own = simple_tags(&track.info.metadata);
        if own.is_none() && !room {
            continue;
        }
        inside.master(ids::TAG, |w| {
            w.master(ids::TARGETS, |w| w.unsigned(ids::TAG_TRACK_UID, track.number));
            w.raw(own.as_deref().unwrap_or_default());
            if room {
                simple_tag("DURATION", &length(0), w);
            }
        });
        track.statistics = room.then(|| (inside.len() - LENGTH) as u64);
    }
    if inside.is_empty() {
        return;
    }
    let inside = inside.finish();
    w.binary(ids::TAGS, &inside);
    let start = (w.len() - inside.len()) as u64;
    for at in tracks.iter_mut().filter_map(|track| track.statistics.as_mut()) {
        *at += start;
    }
}

fn simple_tags(metadata: &Metadata) -> Option<Vec<u8>> {
    let mut w = Writer::default();
    for (name, value) in metadata.entries() {
        let elsewhere = LEFT_OUT.iter().any(|known| name.eq_ignore_ascii_case(known));
        if elsewhere || is_of_file(name) || name.is_empty() {
            continue;
        }
        let known = TAG_NAMES.iter().find(|row| name.eq_ignore_ascii_case(row.1)).map(|row| String::from(row.0));
        simple_tag(&known.unwrap_or_else(|| name.to_uppercase().replace(' ', "_")), value, &mut w);
    }
    (!w.is_empty()).then(|| w.finish())
}

fn simple_tag(name: &str, value: &str, w: &mut Writer) {
    w.master(ids::SIMPLE_TAG, |w| {
        w.text(ids::TAG_NAME, name);
        w.text(ids::TAG_STRING, value);
    });
}

/// Bytes of [`length`].
pub(super) const LENGTH: usize = 18;

/// A length in milliseconds, in 18 letters.
pub(super) fn length(millis: i64) -> String {
    let millis = millis.clamp(0, 359_999_999);
    let (seconds, rest) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{rest:03}000000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
