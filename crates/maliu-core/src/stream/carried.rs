//! Tags that go along when packets are copied into another file, and those that do not.

use super::Metadata;

/// Keys of tags that describe the file they stood in, not its content.
pub(crate) const OF_FILE: &[&str] = &[
    "encoder",
    "major_brand",
    "minor_version",
    "compatible_brands",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
    "_statistics_tags",
];

/// Whether a tag of this key describes the file it stood in.
pub(crate) fn is_of_file(key: &str) -> bool {
    OF_FILE.iter().any(|known| key.eq_ignore_ascii_case(known))
}

impl Metadata {
    /// The tags of a stream in a format that keeps all of them with the stream: these, and those of the whole input that are
    /// not among them. Tags that describe the file are left out.
    pub(crate) fn with_those_of(&self, whole: &Self) -> Self {
        let mut all = Self::default();
        for (key, value) in self.entries().iter().chain(whole.entries()) {
            if !is_of_file(key) && all.value(key).is_none() {
                all.set(key.clone(), value.clone());
            }
        }
        for picture in self.pictures().iter().chain(whole.pictures()) {
            if !all.pictures().contains(picture) {
                all.add_picture(picture.clone());
            }
        }
        let chapters = if self.chapters().is_empty() { whole.chapters() } else { self.chapters() };
        for chapter in chapters {
            all.add_chapter(chapter.clone());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_its_own_tags_first_and_none_of_the_file() {
        let (mut own, mut whole) = (Metadata::default(), Metadata::default());
        for (key, value) in [("ARTIST", "of the track"), ("DURATION", "00:00:01.5"), ("BPS", "64000")] {
            own.set(key, value);
        }
        for (key, value) in [("artist", "of the file"), ("title", "t"), ("major_brand", "isom"), ("ENCODER", "x")] {
            whole.set(key, value);
        }
        let all = own.with_those_of(&whole);
        let expected = [("ARTIST", "of the track"), ("title", "t")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(all.entries(), expected);
    }
}
