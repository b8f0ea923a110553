//! The movie as its boxes describe it: tracks, tags, chapters, and what they become as streams.

use alloc::{format, string::String, vec::Vec};

use core::num::NonZeroU32;

use crate::{
    input::Input,
    stream::{Disposition, Media, Metadata, StreamInfo},
    syntax::isobmff::{
        boxes::{Boxes, Kind, text},
        edits::{self, Edit, Stretch},
        entry::{self, Entry},
        fields::Fields,
        fragment::{self, Defaults},
        rows::Rows,
        samples::{Places, Sizes, Tables},
        tags,
    },
    time::{Rounding, Ticks, TimeBase},
};

/// Most tracks of one file.
pub(super) const MAX_TRACKS: usize = 1024;

/// One track.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub id: u32,
    pub handler: Kind,
    pub timescale: u32,
    pub duration: u64,
    pub language: String,
    pub enabled: bool,
    pub rotation: u16,
    /// Width and height of the picture on the screen, in pixels.
    pub size: (u32, u32),
    pub edits: Vec<Edit>,
    pub tables: Tables,
    pub entries: Vec<Entry>,
    /// Tracks that hold its chapters.
    pub chapters: Vec<u32>,
    /// References of samples to other files, by index: their names.
    pub external: Vec<Option<String>>,
    /// roll_distance of its samples.
    pub roll: i16,
    pub metadata: Metadata,
    /// Default size of `saiz`, its rows, and the place of the first, for encrypted samples.
    pub auxiliary: fragment::Auxiliary,
    stsd: Option<Vec<u8>>,
    keys: Vec<String>,
}

/// The whole movie.
#[derive(Debug, Default)]
pub(super) struct Movie {
    pub timescale: u32,
    pub duration: u64,
    /// Length with all fragments, in the movie's time scale.
    pub fragment_duration: u64,
    pub tracks: Vec<Track>,
    /// By track number.
    pub defaults: Vec<(u32, Defaults)>,
    pub metadata: Metadata,
    keys: Vec<String>,
    /// Whether boxes of a track are being read.
    inside: bool,
}

impl Movie {
    /// Defaults of a track's fragments.
    pub(super) fn defaults_of(&self, track: u32) -> Defaults {
        self.defaults.iter().find(|(id, _)| *id == track).map(|(_, defaults)| *defaults).unwrap_or_default()
    }

    /// A track begins. False beyond [`MAX_TRACKS`].
    pub(super) fn begin_track(&mut self) -> bool {
        if self.tracks.len() >= MAX_TRACKS {
            return false;
        }
        self.inside = true;
        self.tracks.push(Track { enabled: true, ..Track::default() });
        true
    }

    /// A box that was entered is over.
    pub(super) fn leave(&mut self, kind: Kind) {
        if &kind == b"trak" {
            self.inside = false;
            if let Some(track) = self.tracks.last_mut() {
                track.settle();
            }
        }
    }

    /// Reads the body of a box, or the front of it; `size` is its whole length.
    pub(super) fn read(&mut self, kind: Kind, parent: Kind, body: &[u8], size: u64, input: &mut Input) {
        let track = self.tracks.last_mut().filter(|_| self.inside);
        match (&kind, &parent, track) {
            (b"mvhd", ..) => {
                header(body, &mut self.timescale, &mut self.duration);
            }
            (b"mehd", ..) => {
                let mut fields = Fields::new(body);
                let long = fields.version().is_some_and(|(version, _)| version == 1);
                self.fragment_duration = fields.number(long).unwrap_or(0);
            }
            (b"trex", ..) if self.defaults.len() < MAX_TRACKS => self.defaults.extend(fragment::trex(body)),
            (b"pssh", b"moov", _) => {
                protection_system(body, &mut self.metadata);
            }
            (b"chpl", b"udta", None) => {
                tags::nero_chapters(body, &mut self.metadata);
            }
            (b"keys", _, track) => *track.map_or(&mut self.keys, |track| &mut track.keys) = tags::keys(body),
            (_, b"ilst", track) => match track {
                Some(track) => tags::item(kind, body, size, &track.keys, &mut track.metadata),
                None => tags::item(kind, body, size, &self.keys, &mut self.metadata),
            },
            (_, b"udta", track) => {
                tags::user_data(kind, body, track.map_or(&mut self.metadata, |track| &mut track.metadata));
            }
            (_, _, Some(track)) => {
                track.read(kind, body, input);
            }
            _ => {}
        }
    }
}

/// Time scale and duration of `mvhd` and `mdhd`; the fields behind them.
fn header<'a>(body: &'a [u8], timescale: &mut u32, duration: &mut u64) -> Option<Fields<'a>> {
    let mut fields = Fields::new(body);
    let (version, _) = fields.version()?;
    let long = version == 1;
    fields.skip(if long { 16 } else { 8 })?;
    *timescale = fields.u32()?;
    let length = fields.number(long)?;
    let unknown = if long { u64::MAX } else { u32::MAX.into() };
    *duration = if length == unknown { 0 } else { length };
    Some(fields)
}

impl Track {
    fn read(&mut self, kind: Kind, body: &[u8], input: &mut Input) -> Option<()> {
        let tables = &mut self.tables;
        match &kind {
            b"tkhd" => return self.track_header(body),
            b"mdhd" => {
                let mut fields = header(body, &mut self.timescale, &mut self.duration)?;
                if self.language.is_empty() {
                    self.language = language(fields.u16()?);
                }
            }
            b"hdlr" if self.handler == [0; 4] => {
                let mut fields = Fields::new(body);
                fields.skip(8)?;
                self.handler = fields.kind()?;
                // `stsd` stood in front of it.
                if let Some(stsd) = self.stsd.take() {
                    self.entries = entry::parse(&stsd, self.handler);
                }
            }
            b"elng" => {
                let tag = body.get(4..)?.split(|byte| *byte == 0).next()?;
                self.language = String::from_utf8_lossy(tag.get(..64).unwrap_or(tag)).into_owned();
            }
            b"elst" => self.edits = edits::parse(body),
            b"tref" => {
                let mut fields = Fields::new(Boxes::new(body).body_of(b"chap")?);
                self.chapters = core::iter::from_fn(|| fields.u32()).take(16).collect();
            }
            b"dref" => self.external = references(body),
            b"stsd" if self.handler == [0; 4] => self.stsd = Some(body.get(..MAX_EARLY).unwrap_or(body).to_vec()),
            b"stsd" => self.entries = entry::parse(body, self.handler),
            b"stts" => tables.times = Rows::full(body, 8)?,
            b"ctts" => tables.offsets = Rows::full(body, 8)?,
            b"stsc" => tables.chunks = Rows::full(body, 12)?,
            b"stsz" => tables.sizes = Sizes::parse(body)?,
            b"stz2" => match Sizes::parse_compact(body) {
                Some(sizes) => tables.sizes = sizes,
                None => input.warn("stz2 with sizes of other than 4, 8 or 16 bits"),
            },
            b"stco" => tables.places = Places::parse(body, false)?,
            b"co64" => tables.places = Places::parse(body, true)?,
            b"stss" => tables.sync = Some(Rows::full(body, 4)?),
            b"stps" => tables.partial_sync = Rows::full(body, 4)?,
            b"sdtp" => tables.dependencies = Rows::new(body.get(4..)?, 1, u32::MAX),
            b"sgpd" => return self.group(body),
            b"sbgp" if body.get(4..8) == Some(b"rap ") && body.first() == Some(&0) => {
                let mut fields = Fields::new(body.get(8..)?);
                let count = fields.u32()?;
                tables.access = Rows::new(fields.rest(), 8, count);
            }
            b"senc" => self.auxiliary.senc = Some(bytes::Bytes::copy_from_slice(body)),
            b"saiz" => self.auxiliary.saiz = Some(bytes::Bytes::copy_from_slice(body)),
            b"saio" => self.auxiliary.saio = fragment::saio(body),
            _ => {}
        }
        Some(())
    }

    /// Number, switch, matrix and size.
    fn track_header(&mut self, body: &[u8]) -> Option<()> {
        let mut fields = Fields::new(body);
        let (version, flags) = fields.version()?;
        self.enabled = flags & 1 != 0;
        fields.skip(if version == 1 { 16 } else { 8 })?;
        self.id = fields.u32()?;
        fields.skip(4 + if version == 1 { 8 } else { 4 } + 8 + 8)?;
        let (a, b) = (fields.i32()?, fields.i32()?);
        fields.skip(7 * 4)?;
        self.rotation = match (a.signum(), b.signum()) {
            (0, 1) => 90,
            (-1, 0) => 180,
            (0, -1) => 270,
            _ => 0,
        };
        self.size = (fields.u32()? >> 16, fields.u32()? >> 16);
        Some(())
    }

    /// The distance of pre-roll, of the first description of it.
    fn group(&mut self, body: &[u8]) -> Option<()> {
        let mut fields = Fields::new(body);
        let (version, _) = fields.version()?;
        let kind = fields.kind()?;
        let length = if version >= 1 { fields.u32()? } else { 0 };
        if version >= 2 {
            fields.u32()?;
        }
        fields.u32()?;
        if version == 1 && length == 0 {
            fields.u32()?;
        }
        if matches!(&kind, b"roll" | b"prol") {
            self.roll = fields.i16()?;
        }
        Some(())
    }

    /// All boxes were read: what depends on several of them.
    fn settle(&mut self) {
        let first = self.entries.first();
        // Samples of one tick each are audio frames, whatever their stated size.
        let counted = self.tables.times.len() == 1
            && self.tables.times.pair(0).is_some_and(|(_, delta)| delta == 1)
            && (self.tables.sizes.constant().is_some() || self.tables.sizes.is_empty());
        self.tables.uniform = first.filter(|_| counted && &self.handler == b"soun").and_then(|entry| entry.uniform);
        self.tables.settle();
    }

    /// Whether its samples are presented by themselves: not those of chapters.
    pub(super) fn time_base(&self) -> TimeBase {
        TimeBase::hz(self.timescale)
    }

    /// Its stretches on the movie's timeline.
    pub(super) fn stretches(&self, movie: u32) -> Vec<Stretch> {
        edits::stretches(&self.edits, movie, self.timescale)
    }

    /// The name of the file that holds its samples, when it is another one.
    pub(super) fn elsewhere(&self) -> Option<&str> {
        let reference = self.entries.first()?.reference;
        self.external.get(usize::from(reference))?.as_deref()
    }

    /// The stream it becomes.
    pub(super) fn stream(&self, movie: u32) -> StreamInfo {
        let base = self.time_base();
        let Some(entry) = self.entries.first() else {
            let mut info = StreamInfo::new(crate::stream::Codec::Data, base, Media::Data);
            info.id = Some(self.id);
            return info;
        };
        let mut info = StreamInfo::new(entry.codec, base, entry.media.clone());
        info.id = Some(self.id);
        info.codec_tag = NonZeroU32::new(u32::from_le_bytes(entry.kind));
        info.config = entry.config.clone();
        info.bit_rate = entry.bit_rate;
        info.profile = entry.profile;
        info.language.clone_from(&self.language);
        info.encryption = entry.encryption();
        info.metadata = entry.tags.clone();
        for (key, value) in self.metadata.entries() {
            info.metadata.set(key.clone(), value.clone());
        }
        if self.enabled {
            info.disposition |= Disposition::DEFAULT;
        }
        match &mut info.media {
            Media::Video(video) => {
                video.rotation = self.rotation;
                if video.width.is_none() || video.height.is_none() {
                    video.set_size(self.size.0, self.size.1);
                }
            }
            Media::Audio(audio) => {
                if audio.sample_rate.is_none() {
                    audio.set_sample_rate(self.timescale);
                }
                let frame = audio.frame_size.max(1);
                audio.preroll = u32::from(self.roll.min(0).unsigned_abs()).saturating_mul(frame);
            }
            _ => {}
        }
        info.duration = self.length(movie);
        info
    }

    /// Its length in its own ticks, of what its edit list shows.
    fn length(&self, movie: u32) -> Option<Ticks> {
        let media = i64::try_from(self.duration).ok().filter(|length| *length > 0)?;
        let shown = match *self.stretches(movie) {
            [Stretch { from, to, .. }] if from != i64::MIN => media.min(to).saturating_sub(from),
            _ => media,
        };
        Some(Ticks(shown)).filter(|length| length.0 > 0)
    }
}

/// Most bytes of a sample description that are kept until the handler is known.
const MAX_EARLY: usize = 1 << 20;

/// Names of other files, by index; `None` for the file itself.
fn references(body: &[u8]) -> Vec<Option<String>> {
    let mut fields = Fields::new(body);
    if fields.version().zip(fields.u32()).is_none() {
        return Vec::new();
    }
    let external = |(kind, body): (Kind, &[u8])| {
        let mut fields = Fields::new(body);
        let (_, flags) = fields.version()?;
        if flags & 1 != 0 || !matches!(&kind, b"url " | b"urn ") {
            return None;
        }
        let location = fields.rest().split(|byte| *byte == 0).next()?;
        let name = String::from_utf8_lossy(location.get(..256).unwrap_or(location)).into_owned();
        (!name.is_empty()).then(|| format!("{} {name}", text(kind)))
    };
    Boxes::new(fields.rest()).take(entry::MAX_ENTRIES).map(external).collect()
}

/// ISO 639-2 letters in 15 bits; Macintosh language numbers and "undetermined" give nothing.
fn language(packed: u16) -> String {
    if packed < 0x400 || packed == 0x7fff {
        return String::new();
    }
    let letter = |shift: u16| char::from(0x60 + (packed >> shift & 31) as u8);
    let code: String = [letter(10), letter(5), letter(0)].into_iter().collect();
    if code == "und" || !code.bytes().all(|byte| byte.is_ascii_lowercase()) { String::new() } else { code }
}

/// Systems that give keys, by SystemID (https://dashif.org/identifiers/content_protection/).
const SYSTEMS: &[(u128, &str)] = &[
    (0x1077_efec_c0b2_4d02_ace3_3c1e_52e2_fb4b, "Common PSSH"),
    (0xedef_8ba9_79d6_4ace_a3c8_27dc_d51d_21ed, "Widevine"),
    (0x9a04_f079_9840_4286_ab92_e65b_e088_5f95, "PlayReady"),
    (0x94ce_86fb_07ff_4f43_adb8_93d2_fa96_8ca2, "FairPlay"),
    (0xf239_e769_efa3_4850_9c16_a903_c693_2efb, "Adobe Primetime"),
    (0x3ea8_778f_7742_4bf9_b18b_e834_b2ac_bd47, "ClearKey AES-128"),
];

/// Most key systems that are named.
const MAX_SYSTEMS: usize = 16;

/// The front of a `pssh` box as a tag that names all of the file's systems (ISO/IEC 23001-7 §8.1).
fn protection_system(body: &[u8], metadata: &mut Metadata) -> Option<()> {
    const TAG: &str = "protection_systems";
    let mut fields = Fields::new(body);
    fields.version()?;
    let id = u128::from_be_bytes(fields.uuid()?);
    let known = SYSTEMS.iter().find(|(known, _)| *known == id);
    let name = known.map_or_else(|| format!("{id:032x}"), |(_, name)| String::from(*name));
    let before = metadata.value(TAG).unwrap_or_default();
    let mut names = before.split(", ").filter(|known| !known.is_empty());
    if names.clone().count() >= MAX_SYSTEMS || names.any(|known| known == name) {
        return None;
    }
    let all = if before.is_empty() { name } else { format!("{before}, {name}") };
    metadata.set(TAG, all);
    Some(())
}

/// `ftyp` as tags, with the names the reference gives them.
pub(super) fn brands(body: &[u8], metadata: &mut Metadata) -> Option<()> {
    let mut fields = Fields::new(body);
    let (major, minor) = (fields.kind()?, fields.u32()?);
    metadata.set("major_brand", text(major).into_owned());
    metadata.set("minor_version", format!("{minor}"));
    let mut all = String::new();
    while let Some(brand) = fields.kind().filter(|_| all.len() < 256) {
        all.push_str(&text(brand));
    }
    metadata.set("compatible_brands", all);
    Some(())
}

/// The length of the movie.
pub(super) fn duration(movie: &Movie) -> Option<(Ticks, TimeBase)> {
    let length = movie.duration.max(movie.fragment_duration);
    let length = i64::try_from(length).ok().filter(|length| *length > 0)?;
    Some((Ticks(length), TimeBase::new(1, movie.timescale)?))
}

/// Ticks as audio samples of `rate` per second; 0 where they do not fit.
pub(super) fn to_rate(ticks: i64, base: TimeBase, rate: u32) -> u32 {
    let samples = base.rescale(Ticks(ticks), TimeBase::hz(rate), Rounding::Near).0;
    if rate == 0 { 0 } else { u32::try_from(samples).unwrap_or(0) }
}
