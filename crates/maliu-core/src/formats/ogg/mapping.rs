//! How each codec lies in Ogg: its first packet, its further headers, the meaning of positions, how long packets last.
//!
//! | first packet | headers | position behind a packet |
//! |---|---|---|
//! | `OpusHead` | 2 | samples at 48 kHz, pre-skip included (RFC 7845 §4) |
//! | `01 vorbis` | 3 | samples (Vorbis I §A.2) |
//! | `7f FLAC` | those that do not begin with ff | samples (RFC 9639 §10.1) |
//! | `Speex   ` | 2 and more | samples |
//! | `80 theora` | 3 | keyframe and pictures behind it (Theora I §A.2.3) |
//! | `4f VP80 01` | 1, comments | picture, invisible ones, distance to the keyframe |

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;

use crate::{
    stream::{Audio, Codec, Media, Metadata, StreamInfo, Video},
    syntax::{flac, opus, speex, theora, vorbis, vorbis_comment, xiph},
    time::{Ticks, TimeBase},
};

/// A logical stream as its codec has it.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) info: StreamInfo,
    kind: Kind,
    /// Headers of Vorbis and Theora so far.
    headers: Vec<Bytes>,
    /// Header packets still to come; of FLAC and VP8, those that may.
    left: u32,
}

#[derive(Debug)]
enum Kind {
    Opus { pre_skip: u32 },
    Vorbis { id: vorbis::Identification, blocks: Option<vorbis::Blocks> },
    Flac,
    Speex { samples: u32 },
    Theora(theora::Identification),
    Vp8,
}

/// Ticks by which a packet takes the time on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    /// `None` when the packet cannot be read.
    pub(super) known: Option<i64>,
    /// The same of a packet of which the one in front is not known.
    pub(super) alone: i64,
}

impl Length {
    pub(super) fn ticks(&self) -> i64 {
        self.known.unwrap_or(0)
    }
}

/// A packet among the headers.
pub(super) enum Header {
    /// It is one.
    Taken,
    /// All headers were there before it: it is data.
    Data,
    /// It cannot be one, nor can the stream be read.
    Wrong(&'static str),
}

/// Samples at 48 kHz that an Opus decoder needs ahead (RFC 7845 §4.6).
const OPUS_PREROLL: u32 = 3840;

/// Starts of other first packets, and the names of their content.
const OTHERS: &[(&[u8], &str)] = &[
    (b"fishead\0", "a skeleton"),
    (b"fisbone\0", "a skeleton"),
    (b"index\0", "a skeleton's index"),
    (b"BBCD\0", "Dirac video"),
    (b"CMML\0\0\0\0", "CMML text"),
    (b"\x80kate\0\0\0", "Kate text"),
    (b"PCM     ", "PCM"),
    (b"CELT    ", "CELT"),
    (b"fLaC", "FLAC as it was before its mapping"),
    (b"\x01video", "video of OGM"),
    (b"\x01audio", "audio of OGM"),
    (b"\x01text", "text of OGM"),
    (b"\x81daala", "Daala video"),
];

/// The name of what a first packet that [`Mapping::new`] does not take begins.
pub(super) fn name(first: &[u8]) -> &'static str {
    OTHERS.iter().find(|(mark, _)| first.starts_with(mark)).map_or("a codec that is not known", |(_, name)| name)
}

impl Mapping {
    /// The stream whose first packet this is; `None` when its codec is not known or its header is damaged.
    pub(super) fn new(first: &Bytes) -> Option<Self> {
        let audio = |codec, base, audio| StreamInfo::new(codec, base, Media::Audio(audio));
        let (info, kind, left) = if first.starts_with(b"OpusHead") {
            let (info, pre_skip) = opus_info(first)?;
            (info, Kind::Opus { pre_skip }, 1)
        } else if let Some(id) = vorbis::Identification::parse(first) {
            let mut info = audio(Codec::Vorbis, TimeBase::hz(id.rate), Audio::new(id.rate, id.channels.into()));
            info.bit_rate = u64::try_from(id.bit_rate).ok().filter(|rate| *rate > 0);
            (info, Kind::Vorbis { id, blocks: None }, 2)
        } else if first.starts_with(b"\x7fFLAC\x01") {
            (flac_info(first.get(9..)?)?, Kind::Flac, u32::MAX)
        } else if let Some(head) = speex::Header::parse(first) {
            let facts = Audio { frame_size: head.samples, ..Audio::new(head.rate, head.channels) };
            let mut info = audio(Codec::Speex, TimeBase::hz(head.rate), facts)
                .with_config(first.get(..80).map(Bytes::copy_from_slice)?);
            info.bit_rate = u64::try_from(head.bit_rate).ok().filter(|rate| *rate > 0);
            (info, Kind::Speex { samples: head.samples }, 1 + head.extra)
        } else if let Some(id) = theora::Identification::parse(first) {
            let facts = video(id.width, id.height, id.rate, id.aspect);
            let info = StreamInfo::new(Codec::Theora, TimeBase::new(id.rate.1, id.rate.0)?, Media::Video(facts));
            (info, Kind::Theora(id), 2)
        } else if first.starts_with(b"\x4fVP80\x01\x01") {
            (vp8_info(first)?, Kind::Vp8, u32::MAX)
        } else {
            return None;
        };
        let headers = match kind {
            Kind::Vorbis { .. } | Kind::Theora(_) => Vec::from([first.clone()]),
            _ => Vec::new(),
        };
        Some(Self { info, kind, headers, left })
    }

    /// The mapping of a stream from elsewhere, by its configuration; `None` when it lacks what the headers need.
    pub(super) fn of(stream: &StreamInfo) -> Option<Self> {
        let config = &stream.config;
        let plain = |info, kind| Some(Self { info, kind, headers: Vec::new(), left: 0 });
        match stream.codec {
            Codec::Opus if config.is_empty() => Self::new(&Bytes::from(plain_head(stream)?)),
            Codec::Speex if config.is_empty() => Self::new(&Bytes::from(plain_speex(stream)?)),
            Codec::Opus | Codec::Speex => Self::new(config),
            Codec::Flac => plain(flac_info(&[b"fLaC\0\0\0\x22", flac::stream_info(config)?].concat())?, Kind::Flac),
            Codec::Vorbis | Codec::Theora => {
                let [first, _, third] = xiph::headers(config)?;
                let mut mapping = Self::new(&Bytes::copy_from_slice(first))?;
                if let Kind::Vorbis { id, blocks } = &mut mapping.kind {
                    *blocks = Some(vorbis::Blocks::new(id, third)?);
                }
                mapping.info.config = config.clone();
                Some(mapping)
            }
            Codec::Vp8 => {
                let video = stream.as_video()?;
                let (num, den) = video.frame_rate.unwrap_or((stream.time_base.den.get(), stream.time_base.num.get()));
                let info = StreamInfo::new(Codec::Vp8, TimeBase::new(den, num)?, Media::Video(video.clone()));
                plain(info, Kind::Vp8)
            }
            _ => None,
        }
    }

    /// Takes a packet behind the first, as long as it is a header.
    pub(super) fn header(&mut self, packet: &Bytes) -> Header {
        if self.left == 0 {
            return Header::Data;
        }
        let expected = self.headers.len() as u8;
        let comments = match &self.kind {
            Kind::Opus { .. } => packet.strip_prefix(b"OpusTags"),
            Kind::Vorbis { .. } | Kind::Theora(_) => {
                let [first, mark]: [u8; 2] = if matches!(self.kind, Kind::Theora(_)) { [0x80, 1] } else { [1, 2] };
                let name: &[u8] = if mark == 1 { b"theora" } else { b"vorbis" };
                let body = packet.strip_prefix(&[first + mark * expected]).and_then(|rest| rest.strip_prefix(name));
                let Some(body) = body else { return Header::Wrong("a header is missing") };
                self.headers.push(packet.clone());
                (expected == 1).then_some(body)
            }
            Kind::Flac if packet.first() == Some(&0xff) => {
                self.left = 0;
                return Header::Data;
            }
            Kind::Flac => self.flac_block(packet),
            Kind::Vp8 => match packet.strip_prefix(b"\x4fVP80\x02\x20") {
                Some(body) => Some(body),
                None => {
                    self.left = 0;
                    return Header::Data;
                }
            },
            Kind::Speex { .. } => Some(&packet[..]),
        };
        if let Some(comments) = comments {
            vorbis_comment::read(comments, &mut self.info.metadata);
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return self.complete();
        }
        Header::Taken
    }

    fn flac_block<'a>(&mut self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let (head, body) = packet.split_first_chunk::<4>()?;
        let [kind, ..] = head;
        match kind & 0x7f {
            4 => return Some(body),
            6 => {
                self.info.metadata.add_picture(vorbis_comment::picture(body)?);
            }
            _ => {}
        }
        None
    }

    /// All headers are there.
    fn complete(&mut self) -> Header {
        if let [first, second, third] = &self.headers[..] {
            if let Kind::Vorbis { id, blocks } = &mut self.kind {
                *blocks = vorbis::Blocks::new(id, third);
                if blocks.is_none() {
                    return Header::Wrong("the modes of its setup header cannot be read");
                }
            }
            self.info.config = xiph::lace([first, second, third]).into();
            self.headers = Vec::new();
        }
        Header::Taken
    }

    /// Whether packets are expected to be data.
    pub(super) fn is_described(&self) -> bool {
        self.left == 0 || matches!(self.kind, Kind::Flac | Kind::Vp8)
    }

    /// The next packet does not follow the last one.
    pub(super) fn restart(&mut self) {
        if let Kind::Vorbis { blocks: Some(blocks), .. } = &mut self.kind {
            blocks.restart();
        }
    }

    /// Ticks by which a packet takes the time on; `None` for one that cannot be read.
    pub(super) fn duration(&mut self, packet: &[u8]) -> Option<i64> {
        Some(match &mut self.kind {
            Kind::Opus { .. } => i64::from(opus::samples(packet)),
            Kind::Vorbis { blocks, .. } => i64::from(blocks.as_mut()?.samples(packet)?),
            Kind::Flac => match flac::front(packet) {
                flac::Front::Header(header) => i64::from(header.samples),
                _ => return None,
            },
            Kind::Speex { samples } => i64::from(*samples),
            Kind::Theora(_) => 1,
            Kind::Vp8 => i64::from(packet.first()? >> 4 & 1),
        })
    }

    /// As [`Mapping::duration`], and what it is without the packet in front of it.
    pub(super) fn length(&mut self, packet: &[u8]) -> Length {
        let alone = match &self.kind {
            Kind::Vorbis { blocks: Some(blocks), .. } => blocks.alone(packet).map(i64::from),
            _ => None,
        };
        let known = self.duration(packet);
        Length { known, alone: alone.or(known).unwrap_or(0) }
    }

    /// Whether the times of packets are counted back from the position of their page, but for the first on a page that
    /// follows another: as the reference counts them, which differs where positions and packets disagree. Of others only
    /// where nothing says when a page begins.
    pub(super) fn counts_back(&self) -> bool {
        !matches!(self.kind, Kind::Flac | Kind::Speex { .. })
    }

    /// The time of a packet that says it itself.
    pub(super) fn own_time(&self, packet: &[u8]) -> Option<Ticks> {
        let (Kind::Flac, flac::Front::Header(header)) = (&self.kind, flac::front(packet)) else { return None };
        let block = self.info.as_audio().map_or(0, |audio| audio.frame_size);
        let first = if header.variable { Some(header.number) } else { header.number.checked_mul(block.into()) };
        first.filter(|_| header.variable || block > 0).and_then(|first| i64::try_from(first).ok()).map(Ticks)
    }

    /// How far a stream that begins at `start` must be moved for its first position not to be below 0.
    pub(super) fn lead(&self, start: Ticks) -> Ticks {
        match &self.kind {
            Kind::Opus { pre_skip } => Ticks(start.0.saturating_add((*pre_skip).into()).saturating_neg().max(0)),
            _ => Ticks(0),
        }
    }

    /// How far behind its first packet a link is heard, whose first packet has this length.
    pub(super) fn unheard(&self, length: Ticks) -> Ticks {
        match &self.kind {
            Kind::Opus { pre_skip } => Ticks((*pre_skip).into()),
            Kind::Vorbis { .. } => length,
            _ => Ticks(0),
        }
    }

    /// The time behind the last packet on a page of this position.
    pub(super) fn time(&self, granule: u64) -> Ticks {
        let plain = i64::try_from(granule).unwrap_or(i64::MAX);
        Ticks(match &self.kind {
            Kind::Opus { pre_skip } => plain.saturating_sub((*pre_skip).into()),
            Kind::Theora(id) => id.count(granule),
            // A picture that is not shown has the time of the next one.
            Kind::Vp8 => (granule >> 32) as i64 - i64::from(granule >> 30 & 3 == 0),
            _ => plain,
        })
    }

    /// The position behind a packet that ends at `end`; `before` is the one behind the packet in front of it.
    pub(super) fn granule(&self, end: Ticks, packet: &[u8], key: bool, before: Option<u64>) -> u64 {
        let plain = |time: i64| u64::try_from(time).unwrap_or(0);
        match &self.kind {
            Kind::Opus { pre_skip } => plain(end.0.saturating_add((*pre_skip).into())),
            Kind::Theora(id) => {
                let count = plain(end.0).max(1);
                let known = before.map(|before| plain(id.count(before & !((1 << id.shift) - 1))));
                id.granule(count, known.filter(|_| !key).unwrap_or(count))
            }
            Kind::Vp8 => {
                let before = before.unwrap_or(3 << 30);
                let shown = packet.first().is_some_and(|first| first >> 4 & 1 == 1);
                let hidden = if shown { 3 } else { ((before >> 30 & 3) + 1) & 3 };
                let distance = if key { 0 } else { (before >> 3 & 0x7ff_ffff) + 1 };
                plain(end.0) << 32 | hidden << 30 | (distance & 0x7ff_ffff) << 3
            }
            _ => plain(end.0),
        }
    }

    /// The first packets of the stream: the one alone on its page, and those on the next pages. `tags` are its own.
    pub(super) fn first_packets(&self, vendor: &str, tags: &Metadata) -> Vec<Vec<u8>> {
        let comments = vorbis_comment::write_with_pictures(vendor, tags);
        let config = &self.info.config;
        match &self.kind {
            Kind::Opus { .. } => Vec::from([config.to_vec(), [b"OpusTags", &comments[..]].concat()]),
            Kind::Speex { .. } => {
                let mut head = config.to_vec();
                // No further headers follow the comments.
                if let Some(extra) = head.get_mut(68..72) {
                    extra.fill(0);
                }
                Vec::from([head, comments])
            }
            Kind::Flac => {
                let size = (comments.len() as u32).to_be_bytes();
                let [_, size @ ..] = size;
                let first = [b"\x7fFLAC\x01\0\0\x01fLaC\0\0\0\x22", &config[..]].concat();
                Vec::from([first, [&[0x84], &size[..], &comments].concat()])
            }
            Kind::Vorbis { .. } | Kind::Theora(_) => {
                let [first, _, third] = xiph::headers(config).unwrap_or_default();
                let second = match self.kind {
                    Kind::Theora(_) => [b"\x81theora", &comments[..]].concat(),
                    _ => [b"\x03vorbis", &comments[..], &[1]].concat(),
                };
                Vec::from([first.to_vec(), second, third.to_vec()])
            }
            Kind::Vp8 => Vec::from([self.vp8_head(), [b"\x4fVP80\x02\x20", &comments[..]].concat()]),
        }
    }

    fn vp8_head(&self) -> Vec<u8> {
        let Some(video) = self.info.as_video() else { return Vec::new() };
        let ((width, height), base) = (video.size(), self.info.time_base);
        let (num, den) = video.pixel_aspect.unwrap_or((0, 1));
        let mut head = b"\x4fVP80\x01\x01\0".to_vec();
        [width, height].iter().for_each(|side| head.extend_from_slice(&(*side as u16).to_be_bytes()));
        for part in [num, den] {
            let [_, three @ ..] = part.to_be_bytes();
            head.extend_from_slice(&three);
        }
        head.extend_from_slice(&base.den.get().to_be_bytes());
        head.extend_from_slice(&base.num.get().to_be_bytes());
        head
    }

    /// The time of the first packet of a stream, which has this length, when nothing says it: what is heard begins at 0.
    pub(super) fn first_time(&self, length: Ticks) -> Ticks {
        match &self.kind {
            Kind::Opus { pre_skip } => Ticks(-i64::from(*pre_skip)),
            Kind::Vorbis { .. } => Ticks(length.0.saturating_neg()),
            _ => Ticks(0),
        }
    }

    /// Whether decoding can start at a packet.
    pub(super) fn is_key(&self, packet: &[u8]) -> bool {
        match self.kind {
            Kind::Theora(_) => theora::is_key(packet),
            Kind::Vp8 => packet.first().is_some_and(|first| first & 1 == 0),
            _ => true,
        }
    }

    /// Samples to drop from the first packet.
    pub(super) fn pre_skip(&self) -> u32 {
        match self.kind {
            Kind::Opus { pre_skip } => pre_skip,
            _ => 0,
        }
    }

    /// Whether the last position of the stream cuts its last packets short.
    pub(super) fn is_trimmed(&self) -> bool {
        matches!(self.kind, Kind::Opus { .. } | Kind::Vorbis { .. })
    }
}

fn opus_info(head: &Bytes) -> Option<(StreamInfo, u32)> {
    let [_, _, _, _, _, _, _, _, version, channels, skip0, skip1, ..] = head.first_chunk::<19>()?;
    if version >> 4 != 0 || *channels == 0 {
        return None;
    }
    let pre_skip = u32::from(u16::from_le_bytes([*skip0, *skip1]));
    let facts = Audio { delay: pre_skip, preroll: OPUS_PREROLL, ..Audio::new(opus::RATE, (*channels).into()) };
    let info = StreamInfo::new(Codec::Opus, TimeBase::hz(opus::RATE), Media::Audio(facts));
    Some((info.with_config(Bytes::copy_from_slice(head)), pre_skip))
}

/// The header of a stream of which only the number of channels is known.
fn plain_head(stream: &StreamInfo) -> Option<Vec<u8>> {
    let count = stream.as_audio()?.channel_count();
    opus::head(u8::try_from(count).ok().filter(|count| (1..=8).contains(count))?)
}

/// The header of a stream of which only the rate and the number of channels are known, as FLV has it.
fn plain_speex(stream: &StreamInfo) -> Option<Vec<u8>> {
    let audio = stream.as_audio()?;
    speex::head(audio.rate(), u8::try_from(audio.channel_count()).ok()?)
}

/// Of "fLaC" and a STREAMINFO block.
fn flac_info(stream: &[u8]) -> Option<StreamInfo> {
    let body = stream.strip_prefix(b"fLaC")?.get(4..4 + flac::STREAMINFO)?;
    let block = flac::StreamInfoBlock::parse(body)?;
    let frame_size = if block.block.0 == block.block.1 { block.block.0.into() } else { 0 };
    let facts = Audio { bits_per_sample: block.bits, frame_size, ..Audio::new(block.rate, block.channels) };
    let info = StreamInfo::new(Codec::Flac, TimeBase::hz(block.rate), Media::Audio(facts));
    Some(info.with_config(Bytes::copy_from_slice(body)))
}

fn vp8_info(head: &[u8]) -> Option<StreamInfo> {
    let [_, _, _, _, _, _, _, _, w0, w1, h0, h1, n0, n1, n2, d0, d1, d2, r0, r1, r2, r3, s0, s1, s2, s3] =
        head.first_chunk::<26>()?;
    let (rate, scale) = (u32::from_be_bytes([*r0, *r1, *r2, *r3]), u32::from_be_bytes([*s0, *s1, *s2, *s3]));
    let aspect = (u32::from_be_bytes([0, *n0, *n1, *n2]), u32::from_be_bytes([0, *d0, *d1, *d2]));
    let facts =
        video(u16::from_be_bytes([*w0, *w1]).into(), u16::from_be_bytes([*h0, *h1]).into(), (rate, scale), aspect);
    Some(StreamInfo::new(Codec::Vp8, TimeBase::new(scale, rate)?, Media::Video(facts)))
}

fn video(width: u32, height: u32, rate: (u32, u32), aspect: (u32, u32)) -> Video {
    let mut video = Video::new(width, height);
    video.frame_rate = Some(rate);
    video.pixel_aspect = (aspect.0 > 0 && aspect.1 > 0).then_some(aspect);
    video
}

/// The codec that a configuration is of, in the place of one of `before`.
pub(super) fn codec_of(config: &[u8], before: Codec) -> Codec {
    let [first, ..] = xiph::headers(config).unwrap_or([config, &[], &[]]);
    let marks: [(&[u8], Codec); 4] = [
        (b"OpusHead", Codec::Opus),
        (b"Speex   ", Codec::Speex),
        (b"\x01vorbis", Codec::Vorbis),
        (b"\x80theora", Codec::Theora),
    ];
    let found = marks.iter().find(|(mark, _)| first.starts_with(mark));
    let is_flac = config.len() == flac::STREAMINFO && flac::StreamInfoBlock::parse(config).is_some();
    found.map_or(if is_flac { Codec::Flac } else { before }, |(_, codec)| *codec)
}

/// The tags of a stream, as those of the whole input.
pub(super) fn tags(info: &StreamInfo) -> Option<Box<Metadata>> {
    (!info.metadata.is_empty()).then(|| Box::new(info.metadata.clone()))
}
