//! The segments of a playlist as one source: files in a row, byte ranges, and AES-128 (RFC 8216bis §4.4.4.4).

use std::{
    fmt, fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use maliu_core::{
    hls::{Key, MAX_TEXT, Media, Parser, Playlist, Range},
    syntax::isobmff::cipher::{Mode, decrypt},
};

use crate::io::{BLOCK_SIZE, Source};

/// A multivariant playlist names playlists, which name no further ones.
pub const MAX_DEPTH: usize = 2;

/// Bytes of a block of AES, and of a key.
const BLOCK: u64 = 16;

/// The segments of a playlist, read as one. One file is open at a time.
pub struct Segments {
    parts: Vec<Part>,
    size: u64,
    open: Option<(PathBuf, fs::File)>,
}

/// One resource, or a part of it.
struct Part {
    /// Offset of its first byte in the whole.
    start: u64,
    path: PathBuf,
    /// Offset in its file.
    offset: u64,
    /// Bytes in its file.
    length: u64,
    cipher: Option<Cipher>,
}

#[derive(Clone, Copy)]
struct Cipher {
    key: [u8; 16],
    iv: [u8; 16],
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segments").field("parts", &self.parts.len()).field("size", &self.size).finish()
    }
}

/// Whether a source begins as a playlist does. It must be seekable.
///
/// # Errors
/// Those of the source.
pub fn is_playlist(source: &mut impl Source) -> io::Result<bool> {
    let mut head = [0; 7];
    let mut got = 0;
    while let Some(room) = head.get_mut(got..).filter(|room| !room.is_empty()) {
        match source.read_at(got as u64, room)? {
            0 => return Ok(false),
            read => got += read,
        }
    }
    Ok(head == *b"#EXTM3U")
}

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl Segments {
    /// The segments that the playlist at `path` lists. Of a multivariant playlist: those of its best variant.
    ///
    /// # Errors
    /// Those of the system; `InvalidData` for a playlist that is wrong, and for names that are not files below its
    /// folder.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open_within(path.as_ref(), MAX_DEPTH)
    }

    fn open_within(path: &Path, depth: usize) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("."),
        };
        let folder = fs::canonicalize(folder)?;
        match read(path)? {
            Playlist::Media(media) => Self::of(&media, &folder),
            Playlist::Multivariant(all) => {
                let best = all.best().ok_or_else(|| wrong("hls: a multivariant playlist without a variant"))?;
                let elsewhere = all.renditions.iter().filter(|rendition| rendition.group == best.audio);
                for rendition in elsewhere.filter(|rendition| rendition.uri.is_some()) {
                    tracing::warn!("hls: the rendition {:?} is a playlist of its own and is not read", rendition.name);
                }
                if all.variants.len() > 1 {
                    let (uri, count) = (&best.uri, all.variants.len());
                    tracing::warn!("hls: reading {uri}, the variant of the highest bandwidth of {count}");
                }
                match depth.checked_sub(1).filter(|depth| *depth > 0) {
                    Some(depth) => Self::open_within(&below(&folder, &best.uri)?, depth),
                    None => Err(wrong("hls: a multivariant playlist names another one")),
                }
            }
        }
    }

    fn of(media: &Media, folder: &Path) -> io::Result<Self> {
        let mut all = Self { parts: Vec::new(), size: 0, open: None };
        let (mut map, mut keys) = (None, Keys::default());
        for (index, segment) in media.segments.iter().enumerate() {
            if segment.gap {
                tracing::warn!("hls: {} is marked as missing (EXT-X-GAP) and left out", segment.uri);
                continue;
            }
            let number = media.sequence.saturating_add(index as u64);
            let cipher = segment.key.as_ref().map(|key| keys.cipher(key, number, folder)).transpose()?;
            if let Some(new) = segment.map.as_ref().filter(|new| map != Some(*new)) {
                map = Some(new);
                let path = below(folder, &new.uri)?;
                let clear = is_clear(&path, new.range)?;
                all.add(path, new.range, cipher.filter(|_| !clear))?;
            }
            all.add(below(folder, &segment.uri)?, segment.range, cipher)?;
        }
        match all.parts.is_empty() {
            true => Err(wrong("hls: the playlist lists no segment")),
            false => Ok(all),
        }
    }

    fn add(&mut self, path: PathBuf, range: Option<Range>, cipher: Option<Cipher>) -> io::Result<()> {
        let named = |what: &str| wrong(format!("hls: {}: {what}", path.display()));
        let about = fs::metadata(&path)?;
        let (offset, length) = range.map_or((0, about.len()), |range| (range.offset, range.length));
        if offset.checked_add(length).is_none_or(|end| end > about.len()) {
            return Err(named("shorter than the byte range in the playlist"));
        }
        let mut part = Part { start: self.size, path, offset, length, cipher };
        let mut plain = length;
        if part.cipher.is_some() {
            let mut last = [0; BLOCK as usize];
            let named = |what: &str| wrong(format!("hls: {}: {what}", part.path.display()));
            if length == 0 || length % BLOCK != 0 {
                return Err(named("not whole blocks of AES-128"));
            }
            // The padding of the last block says how much of it counts (RFC 5652 §6.3).
            plain = self.read_part(&part, length - BLOCK, &mut last).map(|_| length)?;
            let size = last.last().copied().unwrap_or(0);
            let good = (1..=16).contains(&size) && last.iter().rev().take(size.into()).all(|byte| *byte == size);
            if !good {
                return Err(named("no padding behind the last block: the key is wrong, or the segment is cut short"));
            }
            plain -= u64::from(size);
        }
        part.start = self.size;
        self.size = self.size.saturating_add(plain);
        self.parts.push(part);
        Ok(())
    }

    /// Reads at an offset of a part, decrypted.
    fn read_part(&mut self, part: &Part, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let Some(cipher) = part.cipher else {
            let left = usize::try_from(part.length.saturating_sub(at)).unwrap_or(usize::MAX).min(buf.len());
            return self.read_file(&part.path, part.offset + at, buf.get_mut(..left).unwrap_or_default());
        };
        let (first, within) = (at / BLOCK * BLOCK, at % BLOCK);
        let before = first.checked_sub(BLOCK);
        let wanted = (within + buf.len() as u64).min(BLOCK_SIZE as u64).next_multiple_of(BLOCK);
        let wanted = wanted.min(part.length.saturating_sub(first));
        let lead = if before.is_some() { BLOCK } else { 0 };
        let mut data = vec![0; usize::try_from(lead + wanted).unwrap_or(0)];
        let mut got = 0;
        while let Some(room) = data.get_mut(got..).filter(|room| !room.is_empty()) {
            match self.read_file(&part.path, part.offset + before.unwrap_or(first) + got as u64, room)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => got += read,
            }
        }
        let (vector, data) = data.split_at_mut(usize::try_from(lead).unwrap_or(0));
        let iv = <[u8; 16]>::try_from(&*vector).unwrap_or(cipher.iv);
        if let Some(mode) = Mode::of(*b"cbc1", (0, 0)) {
            decrypt(&cipher.key, iv, mode, data, std::iter::empty());
        }
        let plain = data.get(usize::try_from(within).unwrap_or(0)..).unwrap_or_default();
        let count = plain.len().min(buf.len());
        buf.iter_mut().zip(plain).for_each(|(to, from)| *to = *from);
        Ok(count)
    }

    fn read_file(&mut self, path: &Path, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let is_open = self.open.as_ref().is_some_and(|(open, _)| open == path);
        if !is_open {
            self.open = Some((path.to_path_buf(), fs::File::open(path)?));
        }
        let Some((_, file)) = &mut self.open else { return Ok(0) };
        file.seek(SeekFrom::Start(at))?;
        file.read(buf)
    }
}

impl Source for Segments {
    fn seekable(&self) -> bool {
        true
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let parts = std::mem::take(&mut self.parts);
        let index = parts.partition_point(|part| part.start <= at).saturating_sub(1);
        let result = match parts.get(index) {
            Some(part) if at < self.size => {
                let end = parts.get(index + 1).map_or(self.size, |next| next.start);
                let left = usize::try_from(end - at).unwrap_or(usize::MAX).min(buf.len());
                self.read_part(part, at - part.start, buf.get_mut(..left).unwrap_or_default())
            }
            _ => Ok(0),
        };
        self.parts = parts;
        match result {
            Ok(0) if at < self.size && !buf.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            result => result,
        }
    }

    fn size(&mut self) -> Option<u64> {
        Some(self.size)
    }
}

/// Reads a playlist.
fn read(path: &Path) -> io::Result<Playlist> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(MAX_TEXT as u64 + 1).read_to_end(&mut text)?;
    let mut parser = Parser::default();
    let parsed = parser.push(&text).and_then(|()| parser.finish());
    parsed.map_err(|error| wrong(error.to_string()))
}

/// The file that a name in a playlist means.
fn below(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let refused =
        |why: &str| wrong(format!("hls: {name:?} {why}; names must be files below the folder of the playlist"));
    let plain = |name: &str| {
        let mut parts = name.split(['/', '\\']);
        !name.is_empty() && !name.contains('\0') && parts.all(|part| !part.is_empty() && part != "..")
    };
    if name.split(['/', '\\']).next().is_some_and(|first| first.contains(':')) {
        return Err(refused("has a scheme"));
    }
    if !plain(name) {
        return Err(refused("is absolute, or leads out of the folder"));
    }
    let literal = folder.join(name);
    let path = match decoded(name).filter(|_| !literal.exists()) {
        Some(decoded) if !plain(&decoded) => return Err(refused("leads out of the folder")),
        Some(decoded) => folder.join(decoded),
        None => literal,
    };
    let place = fs::canonicalize(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("hls: {name:?} in the playlist: {error}")))?;
    if !place.starts_with(folder) {
        return Err(refused("is a link that leads out of the folder"));
    }
    if !fs::metadata(&place)?.is_file() {
        return Err(refused("is not a file"));
    }
    Ok(place)
}

/// A name without its query, percent-decoded; `None` where there is nothing to decode.
fn decoded(name: &str) -> Option<String> {
    let (path, _) = name.split_once('?').unwrap_or((name, ""));
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(bytes).ok().filter(|decoded| decoded != name)
}

/// Whether an initialization begins with a box, although a key holds.
fn is_clear(path: &Path, range: Option<Range>) -> io::Result<bool> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(range.map_or(0, |range| range.offset)))?;
    let mut head = [0; 8];
    let whole = file.read_exact(&mut head).is_ok();
    Ok(!whole || head.get(4..).is_some_and(|name| [b"ftyp", b"styp", b"moov", b"free"].iter().any(|n| name == *n)))
}

/// Keys that were read.
#[derive(Default)]
struct Keys {
    last: Option<(String, [u8; 16])>,
}

impl Keys {
    fn cipher(&mut self, key: &Key, number: u64, folder: &Path) -> io::Result<Cipher> {
        if key.method != "AES-128" {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("hls: segments encrypted by {}; only AES-128 is read from a playlist", key.method),
            ));
        }
        if !matches!(key.format.as_str(), "" | "identity") {
            let what = format!("hls: a key in the format {:?}; only identity is supported", key.format);
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        let iv = key.iv.unwrap_or_else(|| u128::from(number).to_be_bytes());
        if let Some((_, key)) = self.last.as_ref().filter(|(uri, _)| *uri == key.uri) {
            return Ok(Cipher { key: *key, iv });
        }
        let path = below(folder, &key.uri)?;
        let mut bytes = Vec::new();
        fs::File::open(&path)?.take(BLOCK + 1).read_to_end(&mut bytes)?;
        let short = |_| wrong(format!("hls: the key {:?} is not 16 bytes", key.uri));
        let bytes: [u8; 16] = bytes.try_into().map_err(short)?;
        self.last = Some((key.uri.clone(), bytes));
        Ok(Cipher { key: bytes, iv })
    }
}
