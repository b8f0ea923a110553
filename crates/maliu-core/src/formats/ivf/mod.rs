//! IVF: frames of VP8, VP9 or AV1, each behind its size and time (libvpx, ivfdec).
//!
//! ```text
//!   "DKIF" version(16) header(16) fourcc(32) width(16) height(16) rate(32) scale(32) frames(32) 0(32)    little-endian
//!   { size(32) time(64) │ frame }…
//! ```
//!
//! The time base is scale / rate. Keyframes are recognized by their headers: of AV1, by a sequence header.

use alloc::boxed::Box;
use core::{num::NonZeroU32, task::Poll};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::{Demuxer, Event, Format, Muxer, Rules, Score, mark},
    input::Input,
    output::{Mark, Output, Reach},
    packet::{Flags, Packet},
    remark::Remark,
    settings::Settings,
    stream::{Codec, Media, Metadata, StreamInfo, Video},
    syntax::{av1, vp9},
    time::{Rounding, Ticks, TimeBase},
    timing::index::SeekIndex,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "ivf",
    long_name: "IVF (VP8, VP9, AV1)",
    mime: &["video/x-ivf"],
    extensions: &["ivf"],
    probe,
    demuxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Ivf::default()))
    }),
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Writing { base: TimeBase::MILLIS, frames: 0, patched: false }))
    }),
    settings: &[],
    rules: Rules::STRICT,
    default_codecs: (None, Some(Codec::Vp9)),
};

/// Bytes of the header.
const HEADER: usize = 32;

/// Bytes in front of a frame.
const FRAME: usize = 12;

/// Most bytes of a frame.
const MAX_FRAME: u32 = 64 << 20;

const CODECS: &[(&[u8; 4], Codec)] = &[(b"VP80", Codec::Vp8), (b"VP90", Codec::Vp9), (b"AV01", Codec::Av1)];

fn probe(bytes: &[u8]) -> Score {
    match bytes.iter().zip(b"DKIF\0\0").all(|(byte, mark)| byte == mark) {
        false => Score::No("no IVF mark"),
        true if bytes.len() < 6 => Score::More("the start of an IVF mark"),
        true => Score::Sure("an IVF mark"),
    }
}

#[derive(Default)]
struct Ivf {
    codec: Option<(Codec, TimeBase)>,
    frames: u32,
    index: SeekIndex,
    /// Frames before this time are left out, as are those behind it up to a keyframe.
    wanted: Option<Ticks>,
    /// Time and offset of the last keyframe.
    key: Option<(Ticks, u64)>,
}

impl Demuxer for Ivf {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        let Some((codec, base)) = self.codec else { return self.head(input) };
        loop {
            let at = input.offset();
            let Some(&[s0, s1, s2, s3, ref time @ ..]) = input.peek().first_chunk::<FRAME>() else {
                return Ok(self.short(codec, input));
            };
            let (size, time) = (u32::from_le_bytes([s0, s1, s2, s3]), i64::from_le_bytes(*time));
            if size > MAX_FRAME {
                return Err(Error::malformed("ivf", alloc::format!("a frame of {size} bytes, at most 67108864"), at));
            }
            let length = FRAME + size as usize;
            if input.peek().len() < length {
                return Ok(self.short(codec, input));
            }
            input.skip(FRAME);
            let Some(data) = input.take(size as usize) else { return Ok(Poll::Pending) };
            let (time, key) = (Ticks(time), is_key(codec, &data));
            if key {
                self.key = Some((time, at));
                if input.is_seekable() {
                    self.index.note(time, at);
                }
            }
            if self.wanted.is_some_and(|wanted| time < wanted) {
                continue;
            }
            if self.wanted.take().is_some() && !key {
                // The last keyframe before the wanted time is where decoding starts.
                if let Some((_, at)) = self.key.filter(|(_, key)| *key < at)
                    && input.goto(at).is_ok()
                {
                    continue;
                }
            }
            let (time, flags) = (Some(time), Flags::key(key));
            let packet =
                Packet { pts: time, dts: time, time_base: base, flags, position: Some(at), data, ..Packet::default() };
            return Ok(Poll::Ready(Event::Packet(packet)));
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some((_, own)) = self.codec else { return Err(Error::unsupported("seeking before the header")) };
        let to = base.rescale(to, own, Rounding::Down);
        if self.key.is_some() || input.offset() > HEADER as u64 {
            let at = self.index.before(to).map_or(HEADER as u64, |(_, at)| at);
            input.goto(at)?;
        }
        (self.wanted, self.key) = (Some(to), None);
        Ok(())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        let (_, base) = self.codec?;
        (self.frames > 0).then(|| (Ticks(self.frames.into()), base))
    }
}

impl Ivf {
    fn head(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        let at = input.offset();
        let Some(head) = input.peek().first_chunk::<HEADER>() else {
            let cut = || Error::malformed("ivf", "a header of less than 32 bytes", at);
            return if input.ended() { Err(cut()) } else { Ok(Poll::Pending) };
        };
        let short =
            |at: usize| head.get(at..).and_then(|from| from.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two));
        let long =
            |at: usize| head.get(at..).and_then(|from| from.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four));
        if !head.starts_with(b"DKIF\0\0") {
            return Err(Error::malformed("ivf", "no IVF mark", at));
        }
        let letters = long(8).to_le_bytes();
        let Some((_, codec)) = CODECS.iter().find(|(row, _)| **row == letters) else {
            let name = alloc::string::String::from_utf8_lossy(&letters).into_owned();
            return Err(Error::unsupported(alloc::format!("IVF of codec {name:?}")));
        };
        let (size, width, height) = (short(6), short(12), short(14));
        let Some(base) = TimeBase::new(long(20), long(16)) else {
            return Err(Error::malformed("ivf", "a time base of 0", at));
        };
        self.frames = long(24);
        input.goto(at.saturating_add(u64::from(size).max(HEADER as u64)))?;
        self.codec = Some((*codec, base));
        let mut stream = StreamInfo::new(*codec, base, Media::Video(Video::new(width.into(), height.into())));
        stream.codec_tag = NonZeroU32::new(u32::from_le_bytes(letters));
        Ok(Poll::Ready(Event::Stream(0, Box::new(stream))))
    }

    /// A frame is not whole.
    fn short(&mut self, codec: Codec, input: &mut Input) -> Poll<Event> {
        if !input.ended() {
            return Poll::Pending;
        }
        let _ = codec;
        let left = input.peek().len();
        if left > 0 {
            input.remark(Remark::Cut { missing: None }, "frame cut short by the end of the input");
            input.skip(left);
        }
        Poll::Ready(Event::End)
    }
}

/// Whether decoding can start at this frame.
fn is_key(codec: Codec, data: &[u8]) -> bool {
    match codec {
        Codec::Vp8 => data.first().is_some_and(|first| first & 1 == 0),
        Codec::Vp9 => vp9::picture_size(data).is_some(),
        _ => av1::picture_size(data).is_some(),
    }
}

struct Writing {
    base: TimeBase,
    frames: u32,
    /// Whether the number of frames can be written at the end.
    patched: bool,
}

impl Muxer for Writing {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, out: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(Error::mux("ivf", "takes one stream, of video")) };
        let row = CODECS.iter().find(|(_, codec)| *codec == stream.codec);
        let Some(((letters, _), video)) = row.zip(stream.as_video()) else {
            return Err(Error::mux("ivf", alloc::format!("{} is not carried", stream.codec)));
        };
        let (width, height) = video.size();
        let side =
            |pixels: u32| u16::try_from(pixels).map_err(|_| Error::mux("ivf", "pictures of at most 65535 pixels"));
        self.base = stream.time_base;
        self.patched = out.reach() != Reach::Append;
        let mut head = b"DKIF\0\0\x20\0".to_vec();
        head.extend_from_slice(*letters);
        head.extend_from_slice(&side(width)?.to_le_bytes());
        head.extend_from_slice(&side(height)?.to_le_bytes());
        head.extend_from_slice(&self.base.den.get().to_le_bytes());
        head.extend_from_slice(&self.base.num.get().to_le_bytes());
        head.extend_from_slice(&[0; 8]);
        out.append(Mark::Header, [Bytes::from(head)]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let size = u32::try_from(packet.data.len()).ok().filter(|size| *size <= MAX_FRAME);
        let size = size.ok_or_else(|| Error::mux("ivf", "a frame of more than 64 MiB"))?;
        let Some(Ticks(time)) = packet.pts.or(packet.dts) else {
            return Err(Error::mux("ivf", "a frame without a time"));
        };
        let mut head = [0; FRAME];
        let fields = size.to_le_bytes().into_iter().chain(time.to_le_bytes());
        head.iter_mut().zip(fields).for_each(|(place, byte)| *place = byte);
        self.frames = self.frames.saturating_add(1);
        out.append_between(mark(packet, self.base, true, true), &head, &packet.data, &[]);
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if self.patched {
            out.overwrite(24, Bytes::copy_from_slice(&self.frames.to_le_bytes()));
        }
        Ok(())
    }
}
