//! Packets → MPEG audio frames behind an ID3v2 tag and an information frame, before an ID3v1 tag (PAR-43, PAR-44).
//!
//! The information frame needs what is only known at the end, so that it is written where the output can be patched.

use alloc::{boxed::Box, string::String};

use bytes::Bytes;

use super::toc::Places;
use crate::{
    error::{Error, Result},
    format::{Muxer, mark},
    output::{Mark, Output, Reach},
    packet::Packet,
    settings::{Help, Settings},
    stream::{Codec, Metadata, StreamInfo},
    syntax::{
        id3v1, id3v2,
        mpeg_audio::{
            Header,
            info::{DECODER_DELAY, Info, Lame},
        },
    },
    time::TimeBase,
};

/// The settings of writing.
pub(super) const SETTINGS: &[Help] = &[
    Help {
        name: "id3v2_version",
        value: "0|3|4",
        default: "4",
        what: "Writing: version of the ID3v2 tag; 0 for none.",
    },
    Help { name: "write_id3v1", value: "0|1", default: "0", what: "Writing: an ID3v1 tag at the end." },
    Help { name: "write_xing", value: "0|1", default: "1", what: "Writing: a frame with length, seek table and trim." },
];

/// Makes the muxer.
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let version = settings.number("id3v2_version", 0, 4)?.unwrap_or(4);
    let muxer = Mp3 {
        id3v2: match version {
            0 => 0,
            3 => 3,
            4 => 4,
            other => {
                return Err(Error::Setting {
                    name: "id3v2_version".into(),
                    why: alloc::format!("{other} is none of 0, 3, 4"),
                });
            }
        },
        id3v1: settings.flag("write_id3v1")?.unwrap_or(false),
        xing: settings.flag("write_xing")?.unwrap_or(true),
        tail: None,
        base: TimeBase::SECONDS,
        delay: 0,
        state: State::Before,
    };
    settings.finish()?;
    Ok(Box::new(muxer))
}

struct Mp3 {
    id3v2: u8,
    id3v1: bool,
    xing: bool,
    tail: Option<[u8; id3v1::SIZE]>,
    base: TimeBase,
    /// Samples to drop at the start, as the stream says.
    delay: u32,
    state: State,
}

/// Facts known of the information frame.
enum State {
    /// No packet was written yet.
    Before,
    /// The stream has no information frame.
    Without,
    /// It is reserved.
    Reserved(Box<Reserved>),
}

struct Reserved {
    at: u64,
    header: Header,
    size: u64,
    /// Bytes of sound behind it.
    bytes: u64,
    places: Places,
    constant: bool,
    first: Header,
    trim_start: u32,
    trim_end: u32,
}

impl Muxer for Mp3 {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(Error::mux("mp3", "takes one stream, of MPEG audio")) };
        if !matches!(stream.codec, Codec::Mp1 | Codec::Mp2 | Codec::Mp3) {
            return Err(Error::mux("mp3", "takes one stream, of MPEG audio"));
        }
        self.base = stream.time_base;
        self.delay = stream.as_audio().map_or(0, |audio| audio.delay);
        self.xing &= out.reach() != Reach::Append && stream.codec == Codec::Mp3;
        if self.id3v2 > 0 {
            out.append(Mark::Header, [Bytes::from(id3v2::build(metadata, self.id3v2))]);
        }
        self.tail = self.id3v1.then(|| id3v1::build(metadata));
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let header = Header::parse(&packet.data);
        if let State::Before = self.state {
            self.state = match header.filter(|_| self.xing) {
                Some(header) => reserve(header, out),
                None => State::Without,
            };
        }
        if let State::Reserved(reserved) = &mut self.state {
            reserved.note(packet, header, self.delay);
        }
        out.append(mark(packet, self.base, false, false), [packet.data.clone()]);
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if let State::Reserved(reserved) = &self.state
            && let Some(frame) = reserved.frame()
        {
            out.overwrite(reserved.at, Bytes::from(frame));
        }
        if let Some(tail) = self.tail.take() {
            out.append(Mark::Trailer, [Bytes::copy_from_slice(&tail)]);
        }
        Ok(())
    }
}

/// Leaves room for the information frame: the smallest frame of this kind of sound that can hold it. Free format has
/// none: its frames are found by the distance of equal headers.
fn reserve(first: Header, out: &mut Output) -> State {
    let full = Info { toc: Some([0; 100]), lame: Some(Lame::default()), ..Info::default() };
    let sized = |bitrate_index| Header { bitrate_index, padding: false, crc: false, ..first };
    let fits = (1..15).map(sized).find_map(|header| Some((header, full.build(&header)?)));
    let Some((header, frame)) = fits.filter(|_| first.layer == 3 && first.bitrate_index != 0) else {
        return State::Without;
    };
    let (at, size) = (out.position(), frame.len() as u64);
    out.append(Mark::Header, [Bytes::from(frame)]);
    State::Reserved(Box::new(Reserved {
        at,
        header,
        size,
        bytes: 0,
        places: Places::default(),
        constant: true,
        first,
        trim_start: 0,
        trim_end: 0,
    }))
}

impl Reserved {
    fn note(&mut self, packet: &Packet, header: Option<Header>, delay: u32) {
        if self.places.frames() == 0 {
            self.trim_start = delay.max(packet.side.trim().start);
        }
        self.trim_end = self.trim_end.saturating_add(packet.side.trim().end);
        self.constant &= header.is_some_and(|header| header.bitrate_index == self.first.bitrate_index);
        self.places.note(self.size + self.bytes);
        self.bytes = self.bytes.saturating_add(packet.data.len() as u64);
    }

    /// The frame with all that is known at the end.
    fn frame(&self) -> Option<alloc::vec::Vec<u8>> {
        let total = self.size.saturating_add(self.bytes);
        let trimmed = self.trim_start > 0 || self.trim_end > 0;
        let info = Info {
            constant: self.constant,
            frames: u32::try_from(self.places.frames()).unwrap_or(u32::MAX),
            bytes: u32::try_from(total).unwrap_or(u32::MAX),
            toc: Some(self.places.toc(total)),
            lame: trimmed.then(|| self.lame()),
        };
        info.build(&self.header)
    }

    /// The trim. Readers honour it only behind a name they know (PAR-44), so that the name is the reference's.
    fn lame(&self) -> Lame {
        let twelve_bits = |samples: u32| samples.min(0xfff) as u16;
        let padding = if self.trim_end > 0 { self.trim_end.saturating_add(DECODER_DELAY) } else { 0 };
        Lame {
            encoder: String::from("Lavf"),
            delay: twelve_bits(self.trim_start.saturating_sub(DECODER_DELAY)),
            padding: twelve_bits(padding),
            intact: true,
        }
    }
}
