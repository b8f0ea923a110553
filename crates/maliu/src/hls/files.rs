//! A shelf of files: segments beside a playlist, which is written when they are there.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use maliu_core::{
    error::{Error, Result},
    format::Muxer,
    hls::{Container, Date, Encryptor, Kind, Made, Map, Media, Options, Packager, Range, SETTINGS, Segment, Shelf},
    output::{Edit, Mark, Piece},
    settings::{self, Settings},
};

use super::seal::Seal;
use crate::{
    copy::To,
    io::{AtomicFile, Sink},
};

/// Packets into segments beside the playlist at `path`; settings are [`SETTINGS`], others are passed over.
///
/// # Errors
/// [`Error::Setting`].
pub fn muxer(path: impl AsRef<Path>, settings: &[(String, String)]) -> Result<To> {
    let own = settings.iter().filter(|(name, _)| SETTINGS.iter().any(|help| help.name == name));
    let own: Vec<(&str, &str)> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let files = Files::new(path.as_ref(), &own)?;
    let mut options = Options::default();
    (options.container, options.segment) = (files.container, files.time);
    let format = options.container.format();
    let muxer: Box<dyn Muxer> = Box::new(Packager::new(options, files)?);
    Ok(To::muxer(format, muxer))
}

/// Most segments that a playlist lists and removes, and the highest number of the first one.
const MAX_COUNT: i64 = 1 << 40;

/// Segments as files.
struct Files {
    playlist: PathBuf,
    container: Container,
    time: Duration,
    list_size: usize,
    kind: Option<Kind>,
    /// The name of segments, with a number; or of the single file.
    names: Names,
    init: String,
    single: bool,
    delete: Option<usize>,
    dates: bool,
    endless: bool,
    media: Media,
    /// How segments are encrypted, and the one that is.
    seal: Option<Seal>,
    sealing: Option<Encryptor>,
    /// The file that is written.
    open: Option<AtomicFile>,
    /// Its bytes, and those of the segment under way.
    written: u64,
    begun: u64,
    /// Number of the segment under way.
    number: u64,
    /// Initializations so far, and the one that holds.
    inits: u32,
    map: Option<Map>,
    /// Files that are listed no longer.
    old: VecDeque<String>,
    date: Option<Date>,
}

/// `NAME%0Nd.EXT`: the text in front of the number, its digits, and the text behind.
struct Names {
    front: String,
    digits: usize,
    back: String,
}

/// `hls_flags`.
#[derive(Default)]
struct Flags {
    single: bool,
    delete: bool,
    dates: bool,
    endless: bool,
}

impl Flags {
    fn parse(text: &str) -> Result<Self> {
        let mut all = Self::default();
        for (flag, on) in settings::flags(text) {
            *match flag {
                "single_file" => &mut all.single,
                "delete_segments" => &mut all.delete,
                "program_date_time" => &mut all.dates,
                "omit_endlist" => &mut all.endless,
                // It is always declared where it is true.
                "independent_segments" | "temp_file" => continue,
                other => return Err(refused("hls_flags", format!("{other:?} is not supported"))),
            } = on == "1";
        }
        Ok(all)
    }
}

impl Names {
    /// The names that a setting wants, or those of the playlist with a number.
    fn of_files(named: Option<String>, stem: &str, container: Container, single: bool) -> Result<Self> {
        let (stem, extension) = (stem.replace('%', "_"), container.extension());
        let number = if single { "" } else { "%d" };
        let pattern = named.unwrap_or_else(|| format!("{stem}{number}.{extension}"));
        if single {
            return Ok(Self { front: pattern, digits: 0, back: String::new() });
        }
        let wrong = || refused("hls_segment_filename", format!("{pattern:?} needs one %d or %05d"));
        Self::parse(&pattern).ok_or_else(wrong)
    }

    fn parse(text: &str) -> Option<Self> {
        let (front, rest) = text.split_once('%')?;
        let (digits, back) = rest.split_once('d')?;
        let digits = if digits.is_empty() { 0 } else { digits.strip_prefix('0')?.parse().ok()? };
        (digits <= 20 && !back.contains('%')).then(|| Self { front: front.into(), digits, back: back.into() })
    }

    fn of(&self, number: u64) -> String {
        format!("{}{number:0digits$}{}", self.front, self.back, digits = self.digits)
    }
}

fn refused(name: &str, why: impl Into<String>) -> Error {
    Error::Setting { name: name.into(), why: why.into() }
}

impl Files {
    fn new(path: &Path, pairs: &[(&str, &str)]) -> Result<Self> {
        let mut settings = Settings::new(pairs, SETTINGS);
        let container = match settings.text("hls_segment_type") {
            None | Some("fmp4") => Container::Fmp4,
            Some("mpegts") => Container::Ts,
            Some(other) => return Err(refused("hls_segment_type", format!("{other:?} is neither fmp4 nor mpegts"))),
        };
        let time = settings.duration("hls_time")?.map_or(2_000_000, |time| time.0);
        let time = u64::try_from(time).ok().filter(|time| *time > 0);
        let time = time.ok_or_else(|| refused("hls_time", "must be above 0"))?;
        let list_size = settings.number("hls_list_size", 0, MAX_COUNT)?.unwrap_or(0);
        let kind = match settings.text("hls_playlist_type") {
            None if list_size > 0 => None,
            None | Some("vod") => Some(Kind::Vod),
            Some("event") => Some(Kind::Event),
            Some(other) => return Err(refused("hls_playlist_type", format!("{other:?} is neither vod nor event"))),
        };
        if kind.is_some() && list_size > 0 {
            return Err(refused("hls_playlist_type", "lists all segments; leave out hls_list_size"));
        }
        let flags = Flags::parse(settings.text("hls_flags").unwrap_or_default())?;
        let threshold = settings.number("hls_delete_threshold", 0, MAX_COUNT)?.unwrap_or(1);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("segment");
        let named = settings.text("hls_segment_filename").map(|text| local(path, text)).transpose()?;
        let names = Names::of_files(named, stem, container, flags.single)?;
        let init = settings.text("hls_fmp4_init_filename").map(|text| local(path, text)).transpose()?;
        let first = settings.number("start_number", 0, MAX_COUNT)?.unwrap_or(0).unsigned_abs();
        let seal = Seal::of(&mut settings, path, stem)?;
        settings.finish()?;
        if flags.delete && list_size == 0 {
            return Err(refused("hls_flags", "delete_segments needs hls_list_size: all segments are listed otherwise"));
        }
        let mut media = Media::default();
        (media.sequence, media.kind, media.independent) = (first, kind, true);
        Ok(Self {
            playlist: path.to_path_buf(),
            container,
            time: Duration::from_micros(time),
            list_size: usize::try_from(list_size).unwrap_or(usize::MAX),
            kind,
            names,
            init: init.unwrap_or_else(|| format!("{stem}_init.mp4")),
            single: flags.single,
            delete: flags.delete.then(|| usize::try_from(threshold).unwrap_or(usize::MAX)),
            dates: flags.dates,
            endless: flags.endless,
            media,
            seal,
            sealing: None,
            open: None,
            written: 0,
            begun: 0,
            number: first,
            inits: 0,
            map: None,
            old: VecDeque::new(),
            date: None,
        })
    }

    fn place(&self, name: &str) -> PathBuf {
        self.playlist.parent().unwrap_or(Path::new("")).join(name)
    }

    /// The name of the file that is written.
    fn name(&self) -> String {
        if self.single { self.names.front.clone() } else { self.names.of(self.number) }
    }

    /// Appends bytes of a segment.
    fn append(&mut self, parts: Vec<Bytes>) -> io::Result<()> {
        let Some(seal) = &self.seal else { return self.write(parts) };
        let sealing = self.sealing.get_or_insert_with(|| seal.begin(self.number));
        let mut sealed = Vec::new();
        parts.iter().for_each(|part| sealing.push(part, &mut sealed));
        self.write(vec![sealed.into()])
    }

    fn write(&mut self, parts: Vec<Bytes>) -> io::Result<()> {
        let size: usize = parts.iter().map(Bytes::len).sum();
        if self.open.is_none() {
            self.open = Some(AtomicFile::create(self.place(&self.name()))?);
            if self.dates && self.date.is_none() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                self.date = Some(Date(i64::try_from(now.as_millis()).unwrap_or(0)));
            }
        }
        self.written = self.written.saturating_add(size as u64);
        self.open
            .as_mut()
            .map_or(Ok(()), |file| file.apply(Edit::Append(Piece { mark: Mark::Body { time: None }, parts })))
    }

    fn initialization(&mut self, parts: Vec<Bytes>) -> io::Result<()> {
        self.inits = self.inits.saturating_add(1);
        if self.single {
            let (offset, length) = (self.written, parts.iter().map(|part| part.len() as u64).sum());
            self.write(parts)?;
            self.begun = self.written;
            self.map = Some(Map { uri: self.name(), range: Some(Range { length, offset }) });
            return Ok(());
        }
        let name = match (self.inits, self.init.rsplit_once('.')) {
            (1, _) => self.init.clone(),
            (count, Some((stem, extension))) => format!("{stem}_{count}.{extension}"),
            (count, None) => format!("{}_{count}", self.init),
        };
        let mut file = AtomicFile::create(self.place(&name))?;
        file.apply(Edit::Append(Piece { mark: Mark::Header, parts }))?;
        file.finish()?;
        self.map = Some(Map { uri: name, range: None });
        Ok(())
    }

    fn segment(&mut self, mut segment: Segment, independent: bool, target: u32) -> io::Result<()> {
        if let Some(sealing) = self.sealing.take() {
            let mut sealed = Vec::new();
            sealing.finish(&mut sealed);
            self.write(vec![sealed.into()])?;
        }
        segment.key = self.seal.as_ref().map(Seal::key);
        segment.uri = self.name();
        segment.map = self.map.clone().filter(|_| self.container == Container::Fmp4);
        if self.single {
            segment.range = Some(Range { length: self.written - self.begun, offset: self.begun });
            self.begun = self.written;
            self.open.as_mut().map_or(Ok(()), |file| file.flush())?;
        } else if let Some(mut file) = self.open.take() {
            file.finish()?;
        }
        if let Some(date) = &mut self.date {
            segment.date = Some(*date);
            date.0 = date.0.saturating_add(i64::try_from(segment.duration.as_millis()).unwrap_or(0));
        }
        self.number = self.number.saturating_add(1);
        self.media.target = target;
        self.media.independent &= independent;
        self.media.segments.push(segment);
        while self.list_size > 0 && self.media.segments.len() > self.list_size {
            let gone = self.media.segments.remove(0);
            self.media.sequence = self.media.sequence.saturating_add(1);
            self.media.discontinuity_sequence += u64::from(gone.discontinuity);
            self.old.push_back(gone.uri);
        }
        if self.kind != Some(Kind::Vod) && !self.single {
            self.write_playlist()?;
        }
        while self.delete.is_some_and(|kept| self.old.len() > kept) && !self.single {
            if let Some(name) = self.old.pop_front() {
                fs::remove_file(self.place(&name))?;
            }
        }
        Ok(())
    }

    fn write_playlist(&self) -> io::Result<()> {
        let mut file = AtomicFile::create(&self.playlist)?;
        let parts = vec![Bytes::from(self.media.to_string())];
        file.apply(Edit::Append(Piece { mark: Mark::Header, parts }))?;
        file.finish()
    }
}

impl Shelf for Files {
    fn take(&mut self, made: Made) -> Result<()> {
        let taken = match made {
            Made::Init(parts) => self.initialization(parts),
            Made::Piece(piece) => self.append(piece.data),
            Made::Segment { duration, independent, discontinuity, target, .. } => {
                self.segment(Segment { duration, discontinuity, ..Segment::default() }, independent, target)
            }
            Made::End => {
                self.media.ended = !self.endless;
                let finished = self.open.take().map_or(Ok(()), |mut file| file.finish());
                finished.and_then(|()| self.write_playlist())
            }
            _ => Ok(()),
        };
        taken.map_err(|error| Error::mux("hls", format!("writing {}: {error}", self.playlist.display())))
    }
}

/// A name of a file beside the playlist, or below its folder.
fn local(playlist: &Path, text: &str) -> Result<String> {
    let folder = playlist.parent().filter(|parent| !parent.as_os_str().is_empty());
    let path = Path::new(text);
    let inside = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    match inside.to_str().filter(|_| inside.components().all(plain) && !text.is_empty() && !text.contains(':')) {
        Some(inside) => Ok(inside.replace('\\', "/")),
        None => Err(refused("hls_segment_filename", format!("{text:?} is not below the folder of the playlist"))),
    }
}
