//! Chapters as QuickTime players read them: a track of text whose samples are the titles, to which the other tracks refer
//! (QuickTime File Format, "Chapter Lists").

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    output::{Mark, Output},
    stream::Chapter,
    syntax::isobmff::write::Writer,
    time::{Rounding, TimeBase},
};

use super::{
    Layout, Mux,
    heads::{list, matrix},
    settings::Brand,
};

/// Most bytes of a title.
const MAX_TITLE: usize = 65_000;

/// Behind each title: its bytes are UTF-8.
const UTF_8: [u8; 12] = [0, 0, 0, 12, b'e', b'n', b'c', b'd', 0, 0, 1, 0];

/// A sample: bytes and ticks.
#[derive(Clone, Copy, Debug)]
struct Title {
    size: u32,
    duration: u32,
}

/// The titles of a file, and where they stand in it.
#[derive(Debug)]
pub(super) struct Titles {
    samples: Vec<Title>,
    /// The samples behind each other.
    pub data: Bytes,
    /// Offset of the first one.
    pub offset: u64,
    /// Ticks per second.
    timescale: u32,
    /// Ticks before the first one.
    delay: u64,
    /// track_ID.
    pub id: u32,
}

impl Titles {
    /// Of the chapters that begin before `end`, in ticks of the movie; `None` without any. They have track number `id`.
    pub(super) fn of(chapters: &[Chapter], end: u64, movie: u32, id: u32) -> Option<Self> {
        // A sample lasts 32 bits of ticks at most.
        let timescale = if end > u32::MAX.into() { movie.min(1000) } else { movie };
        let to = TimeBase::hz(timescale);
        let end = (u128::from(end) * u128::from(timescale)).checked_div(movie.into())?;
        let end = u64::try_from(end).ok()?;
        let ticks = |chapter: &Chapter| chapter.base.rescale(chapter.start, to, Rounding::Near).0.max(0).unsigned_abs();
        let mut starts: Vec<(u64, &Chapter)> = chapters.iter().map(|chapter| (ticks(chapter), chapter)).collect();
        starts.retain(|(start, _)| *start < end);
        starts.sort_by_key(|(start, _)| *start);
        let (delay, last) = (starts.first()?.0, starts.last()?.1);
        let stated = last.end.map(|end| last.base.rescale(end, to, Rounding::Near).0.max(0).unsigned_abs());
        let end = stated.map_or(end, |stated| stated.min(end));
        let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([end]);
        let (mut samples, mut data) = (Vec::new(), Vec::new());
        for ((start, chapter), end) in starts.iter().zip(ends) {
            let title = sample(&chapter.title);
            let duration = u32::try_from(end.saturating_sub(*start)).unwrap_or(u32::MAX);
            samples.push(Title { size: title.len() as u32, duration });
            data.extend(title);
        }
        Some(Self { samples, data: data.into(), offset: 0, timescale, delay, id })
    }

    /// Ticks of all samples.
    fn length(&self) -> u64 {
        self.samples.iter().map(|title| u64::from(title.duration)).sum()
    }

    /// Writes the track; offsets grow by `shift`.
    pub(super) fn track(&self, w: &mut Writer, movie: u32, brand: Brand, shift: u64) {
        let scaled = |ticks: u64| {
            let ticks = u128::from(ticks) * u128::from(movie);
            u64::try_from(ticks.checked_div(self.timescale.into()).unwrap_or(0)).unwrap_or(u64::MAX)
        };
        let (length, shown) = (self.length(), scaled(self.delay.saturating_add(self.length())));
        let long = shown.max(length) > u64::from(u32::MAX);
        w.boxed(b"trak", |w| {
            // In the movie, but not shown by itself.
            w.full(b"tkhd", u8::from(long), 2, |w| {
                w.zeros(if long { 16 } else { 8 });
                w.u32(self.id);
                w.u32(0);
                w.number(long, shown);
                w.zeros(16);
                matrix(w, 0);
                w.zeros(8);
            });
            if self.delay > 0 {
                list(w, &[(scaled(self.delay), -1), (scaled(length), 0)]);
            }
            w.boxed(b"mdia", |w| {
                w.full(b"mdhd", u8::from(long), 0, |w| {
                    w.zeros(if long { 16 } else { 8 });
                    w.u32(self.timescale);
                    w.number(long, length);
                    // Undetermined language.
                    w.u16(0x55c4);
                    w.u16(0);
                });
                w.full(b"hdlr", 0, 0, |w| {
                    w.bytes(if brand == Brand::Mov { b"mhlr" } else { &[0; 4] });
                    w.bytes(b"text");
                    w.zeros(13);
                });
                w.boxed(b"minf", |w| self.media(w, shift));
            });
        });
    }

    fn media(&self, w: &mut Writer, shift: u64) {
        w.boxed(b"gmhd", |w| {
            // Dither copy; the operation's colour is grey.
            w.full(b"gmin", 0, 0, |w| [0x40, 0x8000, 0x8000, 0x8000, 0, 0].iter().for_each(|field| w.u16(*field)));
            w.boxed(b"text", |w| matrix(w, 0));
        });
        w.boxed(b"dinf", |w| {
            w.full(b"dref", 0, 0, |w| {
                w.u32(1);
                w.full(b"url ", 0, 1, |_| {});
            });
        });
        w.boxed(b"stbl", |w| {
            w.full(b"stsd", 0, 0, |w| {
                w.u32(1);
                w.boxed(b"text", |w| {
                    w.zeros(7);
                    w.u8(1);
                    // Display flags, justification, colours, box, font, an empty name.
                    w.zeros(4);
                    w.u32(1);
                    w.zeros(36);
                });
            });
            w.full(b"stts", 0, 0, |w| {
                w.u32(self.samples.len() as u32);
                self.samples.iter().for_each(|title| [1, title.duration].iter().for_each(|number| w.u32(*number)));
            });
            let count = self.samples.len() as u32;
            w.full(b"stsc", 0, 0, |w| [1, 1, count, 1].iter().for_each(|number| w.u32(*number)));
            w.full(b"stsz", 0, 0, |w| {
                [0, count].iter().for_each(|number| w.u32(*number));
                self.samples.iter().for_each(|title| w.u32(title.size));
            });
            let offset = self.offset.saturating_add(shift);
            let long = offset > u64::from(u32::MAX);
            w.full(if long { b"co64" } else { b"stco" }, 0, 0, |w| {
                w.u32(1);
                w.number(long, offset);
            });
        });
    }
}

impl Mux {
    /// Titles of chapters go behind the media; in a box of their own where fragments stand in front.
    pub(super) fn write_titles(&mut self, out: &mut Output) {
        let (movie, id) = (self.movie(false, 0), self.tracks.len() as u32 + 1);
        let Some(mut titles) = Titles::of(self.metadata.chapters(), movie.length(), movie.timescale(), id) else {
            return;
        };
        let mut w = Writer::new();
        if self.layout == Layout::Hybrid {
            w.boxed(b"mdat", |w| w.bytes(&titles.data));
        } else {
            w.bytes(&titles.data);
        }
        titles.offset = out.position() + (w.len() - titles.data.len()) as u64;
        self.media += titles.data.len() as u64;
        out.append(Mark::Body { time: None }, [Bytes::from(w.finish())]);
        self.titles = Some(titles);
    }
}

/// A title with its length in front and its encoding behind.
fn sample(title: &str) -> Vec<u8> {
    let mut end = title.len().min(MAX_TITLE);
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    let text = title.as_bytes().get(..end).unwrap_or_default();
    [&u16::try_from(text.len()).unwrap_or(0).to_be_bytes()[..], text, &UTF_8].concat()
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::time::Ticks;

    fn chapter(start: i64, end: Option<i64>, title: &str) -> Chapter {
        Chapter { start: Ticks(start), end: end.map(Ticks), base: TimeBase::MILLIS, title: String::from(title) }
    }

    #[test]
    fn a_title_lasts_to_the_next_one_and_the_last_to_its_end() {
        let chapters = [chapter(2000, None, "b"), chapter(500, Some(900), "ä"), chapter(9000, None, "behind")];
        let titles = Titles::of(&chapters, 48_000 * 3, 48_000, 2).unwrap();
        let lasts: Vec<(u32, u32)> = titles.samples.iter().map(|title| (title.size, title.duration)).collect();
        assert_eq!((titles.delay, lasts), (24_000, vec![(16, 72_000), (15, 48_000)]));
        assert_eq!(&titles.data[..4], &[0, 2, 0xc3, 0xa4]);
        let stated = Titles::of(&[chapter(0, Some(1000), "a")], 48_000 * 3, 48_000, 2).unwrap();
        assert_eq!(stated.length(), 48_000);
        assert!(Titles::of(&[chapter(0, None, "a")], 0, 48_000, 2).is_none());
        // A day at 90 kHz.
        let day = Titles::of(&[chapter(0, None, "a")], 86_400 * 90_000, 90_000, 2).unwrap();
        assert_eq!((day.timescale, day.length()), (1000, 86_400_000));
    }

    #[test]
    fn long_titles_are_cut_between_letters() {
        assert_eq!(sample(&"ä".repeat(40_000)).len(), 2 + MAX_TITLE + UTF_8.len());
        assert_eq!(sample(&["a", &"ä".repeat(40_000)].concat()).len(), 2 + MAX_TITLE - 1 + UTF_8.len());
    }
}
