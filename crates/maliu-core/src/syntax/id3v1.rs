//! ID3v1 tags: the 128 bytes behind the last frame, with the extended tag of 227 bytes that may stand before them.

use alloc::string::{String, ToString};

use super::latin1::latin1;
use crate::stream::Metadata;

/// Bytes of a tag.
pub const SIZE: usize = 128;

/// Bytes of the extended tag ("TAG+"), which is passed over.
pub const EXTENDED_SIZE: usize = 227;

/// Adds what the tag says to `metadata`, unless something better is known already.
pub fn read(tag: &[u8], metadata: &mut Metadata) {
    let Some(&[b'T', b'A', b'G', ref fields @ ..]) = tag.first_chunk::<SIZE>() else { return };
    if !metadata.entries().is_empty() {
        return;
    }
    let field = |from: usize, size: usize| text(fields.get(from..from + size).unwrap_or_default());
    let mut set = |key: &str, value: String| {
        if !value.is_empty() {
            metadata.set(key, value);
        }
    };
    set("title", field(0, 30));
    set("artist", field(30, 30));
    set("album", field(60, 30));
    set("date", field(90, 4));
    set("comment", field(94, 30));
    if let &[.., 0, track @ 1..=255, _] = fields {
        set("track", track.to_string());
    }
    if let Some(name) = fields.last().and_then(|number| genre(*number)) {
        set("genre", name.to_string());
    }
}

/// The tag that says as much of `metadata` as fits; what is not Latin-1 becomes `?`.
pub fn build(metadata: &Metadata) -> [u8; SIZE] {
    let mut tag = [0; SIZE];
    let mut put = |at: usize, size: usize, key: &str| {
        let chars = metadata.value(key).unwrap_or_default().chars().take(size);
        for (place, c) in tag.iter_mut().skip(at).zip(chars) {
            *place = u8::try_from(c).unwrap_or(b'?');
        }
    };
    put(3, 30, "title");
    put(33, 30, "artist");
    put(63, 30, "album");
    put(93, 4, "date");
    put(97, 28, "comment");
    let [t, a, g, .., track, number] = &mut tag;
    [*t, *a, *g] = *b"TAG";
    *track = metadata.value("track").and_then(|track| track.parse().ok()).unwrap_or(0);
    let named = |wanted: &str| (0..=u8::MAX).find(|number| genre(*number) == Some(wanted));
    *number = metadata.value("genre").and_then(named).unwrap_or(u8::MAX);
    tag
}

fn text(field: &[u8]) -> String {
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
    latin1(text).trim_end_matches(' ').to_string()
}

/// The name of a genre's number.
pub fn genre(number: u8) -> Option<&'static str> {
    GENRES.get(usize::from(number)).copied()
}

/// The genres of ID3v1 (0 to 79) and those that Winamp added.
#[rustfmt::skip]
const GENRES: [&str; 192] = [
    "Blues", "Classic Rock", "Country", "Dance", "Disco", "Funk", "Grunge", "Hip-Hop", "Jazz", "Metal", "New Age",
    "Oldies", "Other", "Pop", "R&B", "Rap", "Reggae", "Rock", "Techno", "Industrial", "Alternative", "Ska",
    "Death Metal", "Pranks", "Soundtrack", "Euro-Techno", "Ambient", "Trip-Hop", "Vocal", "Jazz+Funk", "Fusion",
    "Trance", "Classical", "Instrumental", "Acid", "House", "Game", "Sound Clip", "Gospel", "Noise", "AlternRock",
    "Bass", "Soul", "Punk", "Space", "Meditative", "Instrumental Pop", "Instrumental Rock", "Ethnic", "Gothic",
    "Darkwave", "Techno-Industrial", "Electronic", "Pop-Folk", "Eurodance", "Dream", "Southern Rock", "Comedy",
    "Cult", "Gangsta", "Top 40", "Christian Rap", "Pop/Funk", "Jungle", "Native American", "Cabaret", "New Wave",
    "Psychadelic", "Rave", "Showtunes", "Trailer", "Lo-Fi", "Tribal", "Acid Punk", "Acid Jazz", "Polka", "Retro",
    "Musical", "Rock & Roll", "Hard Rock", "Folk", "Folk-Rock", "National Folk", "Swing", "Fast Fusion", "Bebop",
    "Latin", "Revival", "Celtic", "Bluegrass", "Avantgarde", "Gothic Rock", "Progressive Rock", "Psychedelic Rock",
    "Symphonic Rock", "Slow Rock", "Big Band", "Chorus", "Easy Listening", "Acoustic", "Humour", "Speech", "Chanson",
    "Opera", "Chamber Music", "Sonata", "Symphony", "Booty Bass", "Primus", "Porn Groove", "Satire", "Slow Jam",
    "Club", "Tango", "Samba", "Folklore", "Ballad", "Power Ballad", "Rhythmic Soul", "Freestyle", "Duet",
    "Punk Rock", "Drum Solo", "A Cappella", "Euro-House", "Dance Hall", "Goa", "Drum & Bass", "Club-House",
    "Hardcore Techno", "Terror", "Indie", "BritPop", "Negerpunk", "Polsk Punk", "Beat", "Christian Gangsta Rap",
    "Heavy Metal", "Black Metal", "Crossover", "Contemporary Christian", "Christian Rock", "Merengue", "Salsa",
    "Thrash Metal", "Anime", "JPop", "Synthpop", "Abstract", "Art Rock", "Baroque", "Bhangra", "Big Beat",
    "Breakbeat", "Chillout", "Downtempo", "Dub", "EBM", "Eclectic", "Electro", "Electroclash", "Emo",
    "Experimental", "Garage", "Global", "IDM", "Illbient", "Industro-Goth", "Jam Band", "Krautrock", "Leftfield",
    "Lounge", "Math Rock", "New Romantic", "Nu-Breakz", "Post-Punk", "Post-Rock", "Psytrance", "Shoegaze",
    "Space Rock", "Trop Rock", "World Music", "Neoclassical", "Audiobook", "Audio Theatre", "Neue Deutsche Welle",
    "Podcast", "Indie Rock", "G-Funk", "Dubstep", "Garage Rock", "Psybient",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_1_1_gives_a_track_and_a_genre() {
        let mut tag = [0; SIZE];
        tag[..8].copy_from_slice(b"TAGtitle");
        tag[33..38].copy_from_slice(b"me   ");
        tag[97..100].copy_from_slice(b"abc");
        (tag[126], tag[127]) = (7, 191);
        let mut metadata = Metadata::default();
        read(&tag, &mut metadata);
        let expected =
            [("title", "title"), ("artist", "me"), ("comment", "abc"), ("track", "7"), ("genre", "Psybient")];
        assert_eq!(metadata.entries(), expected.map(|(k, v)| (k.to_string(), v.to_string())));
        tag[3..8].copy_from_slice(b"other");
        read(&tag, &mut metadata);
        assert_eq!(metadata.value("title"), Some("title"));
    }
}
