//! One ID3v2 frame → one entry of metadata.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};

use super::{names, synchronised, syncsafe, text};
use crate::{
    stream::{Metadata, Picture},
    syntax::latin1::latin1,
};

/// A frame of a tag.
pub(super) struct Frame<'a> {
    id: &'a str,
    /// The bytes of the frame that are there.
    data: &'a [u8],
    /// The bytes that its header promises.
    size: usize,
    flags: u16,
    major: u8,
}

impl<'a> Frame<'a> {
    /// The frame at the start of `bytes`, and what stands behind it; `None` at padding or the end.
    pub(super) fn split(bytes: &'a [u8], major: u8) -> Option<(Self, &'a [u8])> {
        let id_size = if major == 2 { 3 } else { 4 };
        let id = frame_id(bytes, id_size)?;
        let (size, flags, header) = match (major, bytes) {
            (2, [_, _, _, a, b, c, ..]) => (u32::from_be_bytes([0, *a, *b, *c]) as usize, 0, 6),
            (_, [_, _, _, _, a, b, c, d, e, f, ..]) => {
                let size = [*a, *b, *c, *d];
                let size = if major == 4 { size_of_2_4(bytes, size) } else { u32::from_be_bytes(size) as usize };
                (size, u16::from_be_bytes([*e, *f]), 10)
            }
            _ => return None,
        };
        let rest = bytes.get(header..)?;
        let data = rest.get(..size).unwrap_or(rest);
        let behind = rest.get(data.len()..).unwrap_or_default();
        Some((Self { id, data, size, flags, major }, behind))
    }

    /// The content behind the fields that flags add; `None` when it is compressed or encrypted.
    fn content(&self, unsynchronised: bool) -> Option<Cow<'a, [u8]>> {
        let (packed, grouped, length, unsync) = match self.major {
            4 => (0x000c, 0x0040, 0x0001, unsynchronised || self.flags & 0x0002 != 0),
            _ => (0x00c0, 0x0020, 0, false),
        };
        if self.flags & packed != 0 {
            return None;
        }
        let skipped = usize::from(self.flags & grouped != 0) + 4 * usize::from(self.flags & length != 0);
        let content = self.data.get(skipped..)?;
        Some(if unsync { synchronised(content) } else { Cow::Borrowed(content) })
    }
}

fn frame_id(bytes: &[u8], size: usize) -> Option<&str> {
    let id = bytes.get(..size)?;
    let valid = id.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    core::str::from_utf8(id).ok().filter(|_| valid)
}

/// Old iTunes wrote plain sizes in 2.4 tags: the reading that leads to another frame, padding or the end is right.
fn size_of_2_4(frame: &[u8], size: [u8; 4]) -> usize {
    let (safe, plain) = (syncsafe(size) as usize, u32::from_be_bytes(size) as usize);
    let leads_on = |size: usize| {
        let rest = size.checked_add(10).and_then(|at| frame.get(at..));
        rest.is_some_and(|rest| rest.first().is_none_or(|b| *b == 0) || frame_id(rest, 4).is_some())
    };
    let odd = size.iter().any(|b| *b >= 0x80);
    if safe != plain && (odd || !leads_on(safe)) && leads_on(plain) { plain } else { safe }
}

/// Metadata being filled from frames.
pub(super) struct Tags<'a> {
    pub(super) metadata: &'a mut Metadata,
    pub(super) date: Date,
}

/// The three frames by which 2.2 and 2.3 say a date.
#[derive(Default)]
pub(super) struct Date {
    year: Option<String>,
    day_month: Option<String>,
    time: Option<String>,
}

impl Tags<'_> {
    /// Adds what one frame says.
    pub(super) fn add(&mut self, frame: &Frame, unsynchronised: bool) {
        let Some(content) = frame.content(unsynchronised) else { return };
        let _ = match frame.id {
            "APIC" | "PIC" => self.picture(frame, &content),
            "COMM" | "COM" | "USLT" | "ULT" => self.comment(frame.id, &content),
            "PRIV" => self.private(&content),
            id if id.starts_with('T') => self.text(id, &content),
            _ => None,
        };
    }

    /// Sets the date that came in parts.
    pub(super) fn finish(mut self) {
        let four = |part: &Option<String>| {
            let digits = part.as_deref().and_then(|text| text.get(..4));
            digits.filter(|d| d.bytes().all(|b| b.is_ascii_digit())).map(str::to_string)
        };
        let Some(mut date) = four(&self.date.year) else { return };
        if let Some(day_month) = four(&self.date.day_month) {
            let (day, month) = day_month.split_at(2);
            date = format!("{date}-{month}-{day}");
            if let Some(time) = four(&self.date.time) {
                let (hour, minute) = time.split_at(2);
                date = format!("{date} {hour}:{minute}");
            }
        }
        self.set("date", date);
    }

    fn text(&mut self, id: &str, content: &[u8]) -> Option<()> {
        let (&encoding, bytes) = content.split_first()?;
        let (first, rest) = text::split(encoding, bytes)?;
        match id {
            "TXXX" | "TXX" => {
                let (value, _) = text::split(encoding, rest)?;
                self.set(&first, value);
            }
            "TCON" | "TCO" => self.set("genre", names::genre_of(&first)),
            "TYER" | "TYE" => self.date.year = Some(first),
            "TDAT" | "TDA" => self.date.day_month = Some(first),
            "TIME" | "TIM" => self.date.time = Some(first),
            _ => self.set(names::key_of(id), first),
        }
        Some(())
    }

    fn comment(&mut self, id: &str, content: &[u8]) -> Option<()> {
        let [encoding, language @ ..] = *content.first_chunk::<4>()?;
        let (description, rest) = text::split(encoding, content.get(4..)?)?;
        let (value, _) = text::split(encoding, rest)?;
        let key = match (id, description.as_str()) {
            ("USLT" | "ULT", "") => format!("lyrics-{}", latin1(&language)),
            ("USLT" | "ULT", about) => format!("lyrics-{about}-{}", latin1(&language)),
            (_, "") => "comment".to_string(),
            _ => description,
        };
        self.set(&key, value);
        Some(())
    }

    fn private(&mut self, content: &[u8]) -> Option<()> {
        let (owner, data) = text::split(0, content)?;
        let value = data.iter().map(|&byte| match byte {
            b'\\' | ..32 | 127.. => format!("\\x{byte:02x}"),
            printable => char::from(printable).to_string(),
        });
        self.set(&format!("id3v2_priv.{owner}"), value.collect());
        Some(())
    }

    fn picture(&mut self, frame: &Frame, content: &[u8]) -> Option<()> {
        let (&encoding, rest) = content.split_first()?;
        let (mime, rest) = match frame.id {
            "PIC" => (format!("image/{}", latin1(rest.get(..3)?).to_ascii_lowercase()), rest.get(3..)?),
            _ => text::split(0, rest)?,
        };
        let (_, data) = text::split(encoding, rest.get(1..)?)?;
        let missing = frame.size.saturating_sub(frame.data.len());
        let size = data.len().saturating_add(missing) as u64;
        self.metadata.add_picture(Picture::new(mime, size).with_kind(*rest.first()?).with_data(data));
        Some(())
    }

    fn set(&mut self, key: &str, value: String) {
        if !key.is_empty() && !value.is_empty() && self.metadata.value(key).is_none() {
            self.metadata.set(key, value);
        }
    }
}
