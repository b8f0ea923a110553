//! The sample tables of a track: whether they agree with each other, and with where the media data stand.

use maliu_core::syntax::isobmff::samples::Sample;

use super::{
    Faults,
    movie::{Movie, Track},
};
use crate::{
    check::{Kind, fault::kinds, found::Place},
    mp4::TopLevel,
};

/// Seconds by which tracks may be apart at one place of the file.
const FAR: f64 = 10.0;

/// A wrong duration, by the rule of this format.
const BAD_DURATION: Kind = Kind { rule: "format", ..kinds::BAD_DURATION };

/// Compares the declarations of a movie with its tables, and those with the places of media data; it stands at `at`.
pub(super) fn judge(movie: &Movie, boxes: &TopLevel, at: u64) -> Faults {
    let place = Place { at: Some(at), ..Place::default() };
    let mut faults = Faults::new();
    for track in &movie.tracks {
        faults.extend(counts(track).into_iter().map(|what| (kinds::BAD_TABLES, place, what)));
        faults.extend(places(track, boxes));
        let (declared, found) = (track.seconds(track.duration), track.length());
        if differ(declared, found) && !track.tables.is_empty() {
            let what = format!("track {} declares {declared:.3} s, its samples last {found:.3} s", track.id);
            faults.push((BAD_DURATION, place, what));
        }
    }
    let declared = movie.declared();
    let shown = movie.tracks.iter().map(|track| movie.shown(track)).fold(0.0, f64::max);
    if differ(declared, shown) && !movie.fragmented && shown > 0.0 {
        let what = format!("the movie declares {declared:.3} s, its tracks last {shown:.3} s");
        faults.push((BAD_DURATION, place, what));
    }
    faults.extend(apart(&movie.tracks));
    faults
}

/// Whether two lengths in seconds differ by more than a second and one per cent.
fn differ(declared: f64, found: f64) -> bool {
    (declared - found).abs() > (found / 100.0).max(1.0)
}

/// Tables that name different numbers of samples, or sync samples that are none.
fn counts(track: &Track) -> Vec<String> {
    let (id, tables) = (track.id, &track.tables);
    let mut faults = Vec::new();
    if tables.is_empty() || tables.uniform.is_some() || track.external {
        return faults;
    }
    let samples = u64::from(tables.sizes.len());
    let sum = |rows: &maliu_core::syntax::isobmff::rows::Rows| {
        (0..rows.len()).filter_map(|row| rows.u32(row)).map(u64::from).sum::<u64>()
    };
    let mut other = |name: &str, count: u64| {
        if count != samples {
            faults.push(format!("track {id}: {name} names {count} samples, the table of sizes {samples}"));
        }
    };
    other("stts", sum(&tables.times));
    if !tables.offsets.is_empty() {
        other("ctts", sum(&tables.offsets));
    }
    let mut in_chunks = 0;
    for row in 0..tables.chunks.len() {
        let first = |row| tables.chunks.u32(row).map(|first| first.saturating_sub(1).min(tables.places.len()));
        let end = first(row + 1).unwrap_or(tables.places.len());
        let chunks = end.saturating_sub(first(row).unwrap_or(end));
        in_chunks += u64::from(chunks) * u64::from(tables.chunks.pair(row).map_or(0, |(_, samples)| samples));
    }
    other("stsc", in_chunks);
    if let Some(sync) = &tables.sync {
        let numbers = || (0..sync.len()).filter_map(|row| sync.u32(row));
        let rises = numbers().zip(numbers().skip(1)).all(|(one, next)| one < next);
        if !rises || numbers().any(|number| u64::from(number) > samples) {
            faults.push(format!("track {id}: stss lists samples twice, out of order, or that are not there"));
        }
    }
    faults
}

/// The first sample that does not stand in media data. What the end of the file cuts is told elsewhere.
fn places(track: &Track, boxes: &TopLevel) -> Faults {
    let media = boxes.media();
    if media.is_empty() || track.external {
        return Faults::new();
    }
    let stands = |sample: &Sample| {
        let end = sample.offset.saturating_add(sample.size.into());
        let behind = media.partition_point(|(start, _)| *start <= sample.offset);
        let inside = behind.checked_sub(1).and_then(|index| media.get(index)).is_some_and(|(_, last)| end <= *last);
        inside || sample.size == 0 || end > boxes.size
    };
    let (mut first, mut count) = (None, 0_u64);
    let mut cursor = track.tables.start();
    while let Some(sample) = track.tables.sample(&mut cursor) {
        if !stands(&sample) {
            count += 1;
            first.get_or_insert(sample.offset);
        }
        track.tables.advance(&mut cursor);
    }
    let Some(at) = first else { return Faults::new() };
    let what = format!("track {}: {count} samples do not stand in media data", track.id);
    vec![(kinds::BAD_OFFSET, Place { at: Some(at), ..Place::default() }, what)]
}

/// The place at which tracks are farthest apart, if that is far.
fn apart(tracks: &[Track]) -> Faults {
    let timed = |track: &&Track| matches!(&track.handler, b"vide" | b"soun") && !track.external;
    let tracks: Vec<&Track> = tracks.iter().filter(timed).collect();
    let mut cursors: Vec<_> = tracks.iter().map(|track| track.tables.start()).collect();
    let mut next: Vec<Option<Sample>> =
        tracks.iter().zip(&mut cursors).map(|(track, cursor)| track.tables.sample(cursor)).collect();
    let (mut farthest, mut at) = (0.0, 0);
    let seconds = |track: &Track, sample: &Sample| track.seconds(u64::try_from(sample.dts).unwrap_or(0));
    loop {
        let here = next.iter().enumerate().filter_map(|(index, sample)| Some((index, sample.as_ref()?)));
        let Some((index, sample)) = here.min_by_key(|(_, sample)| sample.offset) else { break };
        let Some(track) = tracks.get(index) else { break };
        let waiting = tracks.iter().zip(&next).filter_map(|(track, sample)| Some(seconds(track, sample.as_ref()?)));
        let apart = seconds(track, sample) - waiting.fold(f64::MAX, f64::min);
        if apart > farthest {
            (farthest, at) = (apart, sample.offset);
        }
        if let (Some(cursor), Some(next)) = (cursors.get_mut(index), next.get_mut(index)) {
            track.tables.advance(cursor);
            *next = track.tables.sample(cursor);
        }
    }
    if farthest <= FAR {
        return Faults::new();
    }
    let what = format!("tracks are {farthest:.1} s apart: a reader has to go back and forth");
    vec![(kinds::FAR_APART, Place { at: Some(at), ..Place::default() }, what)]
}
