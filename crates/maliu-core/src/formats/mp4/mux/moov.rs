//! The movie box being written: headers, tracks, edit lists, tags (ISO/IEC 14496-12 §8.2 to §8.6).

use alloc::vec::Vec;

use crate::{
    error::Result,
    stream::{Kind, Metadata, Picture, StreamInfo, carried::is_of_file},
    syntax::isobmff::{tags, write::Writer},
    time::{Rounding, Ticks, TimeBase},
};

use super::{
    entry::{self, Source},
    heads::{list, matrix},
    settings::{Brand, Options},
    titles::Titles,
    track::Track,
};

/// The movie as it is known.
#[derive(Clone, Copy)]
pub(super) struct Movie<'a> {
    pub tracks: &'a [Track],
    pub metadata: &'a Metadata,
    pub options: Options,
    /// Titles of chapters, of a file that is finished.
    pub titles: Option<&'a Titles>,
    /// Samples stand in fragments: no tables.
    pub fragments: bool,
    /// Added to the offsets of chunks.
    pub shift: u64,
}

impl Movie<'_> {
    /// Ticks per second of the movie: of the finest track.
    pub(super) fn timescale(&self) -> u32 {
        self.tracks.iter().map(|track| track.timescale).filter(|scale| *scale <= 1_000_000).max().unwrap_or(1000)
    }

    /// The box.
    ///
    /// # Errors
    /// Those of [`entry::write`].
    pub(super) fn build(&self) -> Result<Vec<u8>> {
        let mut entries = Vec::new();
        for (index, track) in self.tracks.iter().enumerate() {
            let mut w = Writer::new();
            for (stream, data) in track.descriptions() {
                let Options { brand, in_band, .. } = self.options;
                entry::write(&mut w, &Source { stream, data, brand, in_band }, index)?;
            }
            entries.push(w.finish());
        }
        let mut w = Writer::new();
        w.boxed(b"moov", |w| {
            self.header(w);
            for (track, entry) in self.tracks.iter().zip(&entries) {
                self.track(w, track, entry);
            }
            if let Some(titles) = self.titles {
                titles.track(w, self.timescale(), self.options.brand, self.shift);
            }
            if self.fragments {
                w.boxed(b"mvex", |w| {
                    for track in self.tracks {
                        w.full(b"trex", 0, 0, |w| {
                            [track.id, 1, 0, 0, 0].iter().for_each(|number| w.u32(*number));
                        });
                    }
                });
            }
            self.tags(w);
        });
        Ok(w.finish())
    }

    /// A length in ticks of a track, in ticks of the movie.
    fn scaled(&self, track: &Track, ticks: i64) -> u64 {
        let to = TimeBase::hz(self.timescale());
        u64::try_from(TimeBase::hz(track.timescale).rescale(Ticks(ticks), to, Rounding::Up).0).unwrap_or(0)
    }

    /// Length of a track on the timeline of the movie, with what stands in front of it.
    fn shown(&self, track: &Track) -> u64 {
        if self.fragments {
            return 0;
        }
        let (delay, _, length) = track.edit();
        self.scaled(track, delay.saturating_add(length))
    }

    /// Length of the longest track on the timeline of the movie.
    pub(super) fn length(&self) -> u64 {
        self.tracks.iter().map(|track| self.shown(track)).max().unwrap_or(0)
    }

    fn header(&self, w: &mut Writer) {
        let duration = self.length();
        let long = duration > u64::from(u32::MAX);
        w.full(b"mvhd", u8::from(long), 0, |w| {
            w.zeros(if long { 16 } else { 8 });
            w.u32(self.timescale());
            w.number(long, duration);
            w.u32(0x1_0000);
            w.u16(0x100);
            w.zeros(10);
            matrix(w, 0);
            w.zeros(24);
            w.u32(self.tracks.len() as u32 + 1 + u32::from(self.titles.is_some()));
        });
    }

    fn track(&self, w: &mut Writer, track: &Track, entries: &[u8]) {
        w.boxed(b"trak", |w| {
            self.track_header(w, track);
            self.edits(w, track);
            if let Some(titles) = self.titles {
                w.boxed(b"tref", |w| w.boxed(b"chap", |w| w.u32(titles.id)));
            }
            w.boxed(b"mdia", |w| {
                let length = if self.fragments { 0 } else { track.length() };
                let long = length > u64::from(u32::MAX);
                w.full(b"mdhd", u8::from(long), 0, |w| {
                    w.zeros(if long { 16 } else { 8 });
                    w.u32(track.timescale);
                    w.number(long, length);
                    w.u16(language(&track.info));
                    w.u16(0);
                });
                handler(w, track, self.options.brand);
                if track.info.language.len() > 3 {
                    w.full(b"elng", 0, 0, |w| {
                        w.bytes(track.info.language.as_bytes());
                        w.u8(0);
                    });
                }
                w.boxed(b"minf", |w| self.media(w, track, entries));
            });
        });
    }

    fn track_header(&self, w: &mut Writer, track: &Track) {
        let duration = self.shown(track);
        let long = duration > u64::from(u32::MAX);
        // Enabled and in the movie; a further track of a kind is an alternative.
        let first = self.tracks.iter().find(|other| other.kind == track.kind).is_some_and(|other| other.id == track.id);
        w.full(b"tkhd", u8::from(long), if first { 3 } else { 2 }, |w| {
            w.zeros(if long { 16 } else { 8 });
            w.u32(track.id);
            w.u32(0);
            w.number(long, duration);
            w.zeros(8);
            w.u16(0);
            w.u16(if track.kind == Kind::Audio { 1 } else { 0 });
            w.u16(if track.kind == Kind::Audio { 0x100 } else { 0 });
            w.u16(0);
            let video = track.info.as_video();
            matrix(w, video.map_or(0, |video| video.rotation));
            let (width, height) = video.map_or((0, 0), |video| {
                let (wide, high) = video.pixel_aspect.unwrap_or((1, 1));
                let (width, height) = video.size();
                let width = u64::from(width) * u64::from(wide) / u64::from(high.max(1));
                (width.min(0xffff) as u32, height.min(0xffff))
            });
            w.u32(width << 16);
            w.u32(height << 16);
        });
    }

    /// An edit list where the track does not begin at 0, or its first samples are not shown.
    fn edits(&self, w: &mut Writer, track: &Track) {
        let (delay, media, length) = track.edit();
        let (delay_movie, length_movie) = (self.scaled(track, delay), self.scaled(track, length));
        if self.fragments {
            // Times of fragments are whole; only what lies before 0 is cut.
            let media = track.start.map_or(0, |start| start.min(0).saturating_neg());
            if media > 0 && self.options.brand != Brand::Cmaf {
                list(w, &[(0, media)]);
            }
            return;
        }
        if delay_movie == 0 && media == 0 && length.unsigned_abs() >= track.length() {
            return;
        }
        match delay_movie {
            0 => list(w, &[(length_movie, media)]),
            delay => list(w, &[(delay, -1), (length_movie, media)]),
        }
    }

    fn media(&self, w: &mut Writer, track: &Track, entries: &[u8]) {
        match track.kind {
            Kind::Video => w.full(b"vmhd", 0, 1, |w| w.zeros(8)),
            Kind::Audio => w.full(b"smhd", 0, 0, |w| w.zeros(4)),
            Kind::Subtitle if track.info.codec == crate::stream::Codec::Ttml => w.full(b"sthd", 0, 0, |_| {}),
            _ => w.full(b"nmhd", 0, 0, |_| {}),
        }
        w.boxed(b"dinf", |w| {
            w.full(b"dref", 0, 0, |w| {
                w.u32(1);
                w.full(b"url ", 0, 1, |_| {});
            });
        });
        w.boxed(b"stbl", |w| {
            w.full(b"stsd", 0, 0, |w| {
                w.u32(track.descriptions().count() as u32);
                w.bytes(entries);
            });
            if self.fragments {
                w.full(b"stts", 0, 0, |w| w.u32(0));
                w.full(b"stsc", 0, 0, |w| w.u32(0));
                w.full(b"stsz", 0, 0, |w| w.zeros(8));
                w.full(b"stco", 0, 0, |w| w.u32(0));
            } else {
                track.tables(w, self.shift);
            }
        });
    }

    /// Tags as iTunes items, and chapters as Nero writes them.
    fn tags(&self, w: &mut Writer) {
        let tags = self.metadata.entries().iter().filter_map(|(key, value)| item(key, value));
        let items: Vec<_> = tags.chain(covers(self.metadata)).collect();
        let chapters = self.metadata.chapters();
        if items.is_empty() && chapters.is_empty() {
            return;
        }
        w.boxed(b"udta", |w| {
            if !items.is_empty() {
                w.full(b"meta", 0, 0, |w| {
                    w.full(b"hdlr", 0, 0, |w| {
                        w.u32(0);
                        w.bytes(b"mdirappl");
                        w.zeros(9);
                    });
                    w.boxed(b"ilst", |w| items.iter().for_each(|item| w.bytes(item)));
                });
            }
            if !chapters.is_empty() {
                w.full(b"chpl", 1, 0, |w| {
                    w.u32(0);
                    w.u8(chapters.len().min(255) as u8);
                    for chapter in chapters.iter().take(255) {
                        let start = chapter.base.rescale(chapter.start, TimeBase::hz(10_000_000), Rounding::Near).0;
                        w.u64(u64::try_from(start).unwrap_or(0));
                        let mut end = chapter.title.len().min(255);
                        while !chapter.title.is_char_boundary(end) {
                            end -= 1;
                        }
                        w.u8(end as u8);
                        w.bytes(chapter.title.as_bytes().get(..end).unwrap_or_default());
                    }
                });
            }
        });
    }
}

fn handler(w: &mut Writer, track: &Track, brand: Brand) {
    let (kind, name): (&[u8; 4], &[u8]) = match track.kind {
        Kind::Video => (b"vide", b"VideoHandler"),
        Kind::Audio => (b"soun", b"SoundHandler"),
        Kind::Subtitle => match track.info.codec {
            crate::stream::Codec::Ttml => (b"subt", b"SubtitleHandler"),
            crate::stream::Codec::WebVtt => (b"text", b"SubtitleHandler"),
            _ => (b"sbtl", b"SubtitleHandler"),
        },
        _ => (b"meta", b"DataHandler"),
    };
    w.full(b"hdlr", 0, 0, |w| {
        w.bytes(if brand == Brand::Mov { b"mhlr" } else { &[0; 4] });
        w.bytes(kind);
        w.zeros(12);
        if brand == Brand::Mov {
            w.u8(name.len() as u8);
            w.bytes(name);
        } else {
            w.bytes(name);
            w.u8(0);
        }
    });
}

/// ISO 639-2 letters in 15 bits; "und" for anything else.
fn language(info: &StreamInfo) -> u16 {
    let letters = match info.language.as_bytes() {
        letters @ [b'a'..=b'z', b'a'..=b'z', b'a'..=b'z'] => letters,
        _ => b"und",
    };
    letters.iter().fold(0, |packed, letter| packed << 5 | u16::from(letter & 31))
}

/// The pictures that are at hand, as one item.
fn covers(metadata: &Metadata) -> Option<Vec<u8>> {
    let form = |picture: &Picture| match picture.mime.as_str() {
        "image/jpeg" | "image/jpg" => Some(13),
        "image/png" => Some(14),
        "image/bmp" => Some(27),
        _ => None,
    };
    let known = metadata.pictures().iter().filter(|picture| !picture.data.is_empty());
    let known: Vec<_> = known.filter_map(|picture| Some((form(picture)?, &picture.data))).collect();
    let mut w = Writer::new();
    w.boxed(b"covr", |w| {
        for (form, bytes) in &known {
            w.boxed(b"data", |w| {
                w.u32(*form);
                w.u32(0);
                w.bytes(bytes);
            });
        }
    });
    (!known.is_empty()).then(|| w.finish())
}

/// A tag as an item; `None` for what describes the file it came from.
fn item(key: &str, value: &str) -> Option<Vec<u8>> {
    let own = ["creation_time", "iTunSMPB"].iter().any(|name| key.eq_ignore_ascii_case(name));
    if own || (is_of_file(key) && key != "encoder") || value.is_empty() {
        return None;
    }
    let mut w = Writer::new();
    let data = |w: &mut Writer, form: u32, bytes: &[u8]| {
        w.boxed(b"data", |w| {
            w.u32(form);
            w.u32(0);
            w.bytes(bytes);
        });
    };
    let pair = |text: &str| {
        let (number, of) = text.split_once('/').unwrap_or((text, "0"));
        Some((number.trim().parse::<u16>().ok()?, of.trim().parse::<u16>().unwrap_or(0)))
    };
    let known = tags::NAMES.iter().find(|(_, name)| key.eq_ignore_ascii_case(name)).map(|(kind, _)| *kind);
    match (key.to_ascii_lowercase().as_str(), known) {
        (name @ ("track" | "disc"), _) => {
            let (number, of) = pair(value)?;
            let track = name == "track";
            let mut bytes = [[0, 0], number.to_be_bytes(), of.to_be_bytes()].concat();
            if track {
                bytes.extend([0, 0]);
            }
            w.boxed(if track { b"trkn" } else { b"disk" }, |w| data(w, 0, &bytes));
        }
        (_, Some(kind)) => w.boxed(kind, |w| data(w, 1, value.as_bytes())),
        _ => w.boxed(b"----", |w| {
            w.full(b"mean", 0, 0, |w| w.bytes(b"com.apple.iTunes"));
            w.full(b"name", 0, 0, |w| w.bytes(key.as_bytes()));
            data(w, 1, value.as_bytes());
        }),
    }
    Some(w.finish())
}
