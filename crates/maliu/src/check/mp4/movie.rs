//! The movie box: what it declares of durations, and its tracks.

use maliu_core::syntax::isobmff::{
    boxes::{Boxes, Kind as Name},
    edits, entry,
    fields::Fields,
    rows::Rows,
    samples::{Places, Sizes, Tables},
};

/// Most tracks that are looked at.
const MAX_TRACKS: usize = 64;

/// The movie.
#[derive(Default)]
pub(super) struct Movie {
    timescale: u32,
    duration: u64,
    pub fragmented: bool,
    pub tracks: Vec<Track>,
}

/// One track.
#[derive(Default)]
pub(super) struct Track {
    pub id: u32,
    pub handler: Name,
    /// Ticks per second of its media.
    pub timescale: u32,
    /// As `mdhd` declares it, in its ticks.
    pub duration: u64,
    pub tables: Tables,
    /// Its length on the timeline of the movie by its edit list, in ticks of the movie.
    edited: Option<u64>,
    /// Its samples stand in another file.
    pub external: bool,
}

impl Movie {
    /// Reads the body of a `moov` box.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut movie = Self::default();
        let header = Boxes::new(body).body_of(b"mvhd").and_then(header);
        (movie.timescale, movie.duration) = header.unwrap_or_default();
        movie.fragmented = Boxes::new(body).body_of(b"mvex").is_some();
        let tracks = Boxes::new(body).filter(|(kind, _)| kind == b"trak").take(MAX_TRACKS);
        movie.tracks = tracks.filter_map(|(_, body)| Track::read(body)).collect();
        movie
    }

    /// Seconds that the movie declares.
    pub(super) fn declared(&self) -> f64 {
        self.duration as f64 / f64::from(self.timescale.max(1))
    }

    /// Seconds of a track on the timeline of the movie.
    pub(super) fn shown(&self, track: &Track) -> f64 {
        match track.edited.filter(|length| *length > 0) {
            Some(length) => length as f64 / f64::from(self.timescale.max(1)),
            None => track.length(),
        }
    }
}

impl Track {
    fn read(body: &[u8]) -> Option<Self> {
        let mut track = Self::default();
        let mut fields = Fields::new(Boxes::new(body).body_of(b"tkhd")?);
        let (version, _) = fields.version()?;
        fields.skip(if version == 1 { 16 } else { 8 })?;
        track.id = fields.u32()?;
        let list = Boxes::new(body).body_of(b"edts").and_then(|body| Boxes::new(body).body_of(b"elst"));
        track.edited = list.map(|body| edits::parse(body).iter().map(|edit| edit.duration).sum());
        let media = Boxes::new(body).body_of(b"mdia")?;
        (track.timescale, track.duration) = header(Boxes::new(media).body_of(b"mdhd")?)?;
        track.handler = Fields::new(Boxes::new(media).body_of(b"hdlr")?.get(8..)?).kind()?;
        let tables = Boxes::new(Boxes::new(media).body_of(b"minf")?).body_of(b"stbl")?;
        let entries = Boxes::new(tables).body_of(b"stsd").map(|body| entry::parse(body, track.handler));
        let first = entries.as_ref().and_then(|entries| entries.first());
        track.external = first.is_some_and(|entry| entry.reference > 0);
        for (kind, body) in Boxes::new(tables) {
            track.table(&kind, body);
        }
        let tables = &mut track.tables;
        let counted = tables.times.len() == 1
            && tables.times.pair(0).is_some_and(|(_, delta)| delta == 1)
            && (tables.sizes.constant().is_some() || tables.sizes.is_empty());
        tables.uniform = first.filter(|_| counted && &track.handler == b"soun").and_then(|entry| entry.uniform);
        tables.settle();
        Some(track)
    }

    fn table(&mut self, kind: &Name, body: &[u8]) -> Option<()> {
        let tables = &mut self.tables;
        match kind {
            b"stts" => tables.times = Rows::full(body, 8)?,
            b"ctts" => tables.offsets = Rows::full(body, 8)?,
            b"stsc" => tables.chunks = Rows::full(body, 12)?,
            b"stsz" => tables.sizes = Sizes::parse(body)?,
            b"stz2" => tables.sizes = Sizes::parse_compact(body)?,
            b"stco" => tables.places = Places::parse(body, false)?,
            b"co64" => tables.places = Places::parse(body, true)?,
            b"stss" => tables.sync = Some(Rows::full(body, 4)?),
            _ => {}
        }
        Some(())
    }

    /// Ticks of its media in seconds.
    pub(super) fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / f64::from(self.timescale.max(1))
    }

    /// Seconds that its samples last.
    pub(super) fn length(&self) -> f64 {
        self.seconds(u64::try_from(self.tables.total()).unwrap_or(0))
    }
}

/// Time scale and duration of `mvhd` or `mdhd`; a duration that is not known is 0.
fn header(body: &[u8]) -> Option<(u32, u64)> {
    let mut fields = Fields::new(body);
    let long = fields.version()?.0 == 1;
    fields.skip(if long { 16 } else { 8 })?;
    let timescale = fields.u32()?;
    let duration = fields.number(long)?;
    let unknown = if long { u64::MAX } else { u32::MAX.into() };
    Some((timescale, if duration == unknown { 0 } else { duration }))
}
