//! Facts of the streams in the whole file: the first reading.

use std::{io, num::NonZeroU32};

use maliu_core::{
    format::Event,
    formats,
    output::Output,
    packet::{Flags, Packet},
    stream::{Codec, Kind, Media, Metadata, StreamInfo},
    syntax::{aac::AudioSpecificConfig, annexb::Framing, h264, h265},
    time::Ticks,
    writer::PacketWriter,
};

use super::{Error, LeftOut, times::Usual};
use crate::{
    blocking::Reader,
    error,
    io::{Source, patiently},
    streams::Streams,
};

/// Findings of the first reading.
pub(super) struct Survey {
    pub streams: Streams<StreamInfo>,
    pub metadata: Metadata,
    /// By stream.
    pub seen: Vec<Seen>,
    /// Why the source did not give all of it.
    pub unread: Option<io::Error>,
}

/// Findings about one stream.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub packets: u64,
    /// Key packets. A stream without any has no packet that can be decoded.
    keys: u64,
    first: Option<i64>,
    second: Option<i64>,
    last: Option<i64>,
    /// Steps of its first times, in ticks.
    steps: Vec<i64>,
}

/// Most steps of a stream whose middle is taken.
const MAX_STEPS: usize = 1024;

/// Tags that describe the file as it was; they are written anew.
const DERIVED: &[&str] = &[
    "audiosize",
    "canSeekToEnd",
    "datasize",
    "datastream",
    "duration",
    "filesize",
    "hasAudio",
    "hasCuePoints",
    "hasKeyframes",
    "hasMetadata",
    "hasVideo",
    "lastkeyframelocation",
    "lastkeyframetimestamp",
    "lasttimestamp",
    "videosize",
];

/// H.263 and MPEG-4 are written, too.
pub(super) const STRICT: (&str, &str) = ("strict", "-1");

impl Survey {
    /// Reads everything.
    pub(super) fn of<S: Source>(reader: &mut Reader<S>) -> Result<Self, Error> {
        let mut survey =
            Self { streams: Streams::default(), metadata: Metadata::default(), seen: Vec::new(), unread: None };
        let mut packets = 0u64;
        loop {
            let event = patiently(|| reader.next_event(), error::Error::is_not_yet);
            // The second reading reports them.
            drop(reader.take_remarks());
            match event {
                // The first configuration counts: later ones come again with the packet they begin at.
                Ok(Event::Stream(index, info)) => {
                    survey.streams.describe(index, *info, StreamInfo::clone, |known, info| {
                        if known.config.is_empty() {
                            *known = info;
                        }
                    });
                }
                Ok(Event::Metadata(metadata)) if packets == 0 => survey.metadata = *metadata,
                Ok(Event::Packet(packet)) if is_whole(&packet) => {
                    packets += 1;
                    survey.count(&packet);
                }
                Ok(Event::End) => break,
                Ok(_) => {}
                Err(error) if packets == 0 => return Err(Error::Read(error)),
                Err(error::Error::Io(error)) => {
                    survey.unread = Some(error);
                    break;
                }
                Err(_) => break,
            }
        }
        if packets == 0 {
            return Err(Error::NoPacket);
        }
        for name in DERIVED {
            survey.metadata.remove(name);
        }
        survey.streams.iter_mut().for_each(configure);
        Ok(survey)
    }

    fn count(&mut self, packet: &Packet) {
        self.seen.resize(self.streams.len(), Seen::default());
        let Some(seen) = self.seen.get_mut(packet.stream) else { return };
        seen.packets += 1;
        seen.keys += u64::from(packet.is_key());
        let Some(Ticks(time)) = packet.dts.or(packet.pts) else { return };
        match (seen.first, seen.second) {
            (None, _) => seen.first = Some(time),
            (Some(_), None) => seen.second = Some(time),
            _ => {}
        }
        if let Some(last) = seen.last.replace(time)
            && seen.steps.len() < MAX_STEPS
            && time > last
        {
            seen.steps.push(time - last);
        }
    }

    /// The usual times of a stream.
    pub(super) fn usual(&self, index: usize) -> Usual {
        let Some(seen) = self.seen.get(index) else { return Usual::default() };
        let mut steps = seen.steps.clone();
        let middle = steps.len() / 2;
        let step = if steps.is_empty() { 0 } else { *steps.select_nth_unstable(middle).1 };
        Usual { first: seen.first, second: seen.second, step, steps: steps.len() }
    }

    /// Whether there is more than one place to seek to, in one stream of video: players doubt an index of one entry,
    /// and it cannot be that of two streams.
    pub(super) fn has_places(&self, chosen: &[usize]) -> bool {
        let video = |index: usize| self.streams.get(index).is_some_and(|stream| stream.media.kind() == Kind::Video);
        let mut videos = chosen.iter().filter(|index| video(**index));
        let places = videos.next().and_then(|index| self.seen.get(*index)).is_some_and(|seen| seen.keys > 1);
        places && videos.next().is_none()
    }

    /// The streams that are written, in their order: video, audio, the rest, whatever order the damage left them in;
    /// and those that are not.
    pub(super) fn chosen(&self) -> (Vec<usize>, Vec<LeftOut>) {
        let rank = |stream: &StreamInfo| match stream.media.kind() {
            Kind::Video => 0,
            Kind::Audio => 1,
            _ => 2,
        };
        let seen = |index: usize| self.seen.get(index).cloned().unwrap_or_default();
        let mut met: Vec<_> = self.streams.iter().enumerate().filter(|(index, _)| seen(*index).packets > 0).collect();
        met.sort_by_key(|(_, stream)| rank(stream));
        let (mut chosen, mut streams, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for (stream, info) in met {
            let Seen { packets, keys, .. } = seen(stream);
            if keys == 0 {
                left.push(LeftOut { stream, packets, why: "no packet is a keyframe".to_owned() });
                continue;
            }
            streams.push(info.clone());
            match PacketWriter::start(&formats::flv::FORMAT, &[STRICT], &streams, &mut Output::default()) {
                Ok(_) => chosen.push(stream),
                Err(error) => {
                    drop(streams.pop());
                    left.push(LeftOut { stream, packets, why: error.to_string() });
                }
            }
        }
        (chosen, left)
    }
}

/// Whether all of the packet was there.
pub(super) fn is_whole(packet: &Packet) -> bool {
    !packet.flags.has(Flags::CORRUPT)
}

/// Whether a configuration is what the codec has: with H.264 and H.265 a record of version 1, or parameter sets behind
/// start codes, of which the muxer makes one.
pub(super) fn is_config(codec: Codec, config: &[u8]) -> bool {
    match codec {
        Codec::H264 | Codec::H265 => {
            config.first().is_none_or(|version| *version == 1) || Framing::guess(config) == Framing::AnnexB
        }
        _ => true,
    }
}

/// AAC gets the configuration that its missing sequence header would have had, and its frames their length; parameter
/// sets behind start codes become a record.
fn configure(stream: &mut StreamInfo) {
    if !is_config(stream.codec, &stream.config) {
        stream.config.clear();
    }
    record(stream);
    let (missing, aac) = (stream.config.is_empty(), stream.codec == Codec::Aac);
    let Media::Audio(audio) = &mut stream.media else { return };
    if aac && missing {
        let channels = u8::try_from(audio.channel_count()).unwrap_or(2);
        stream.config = AudioSpecificConfig::new(AAC_LC, audio.rate(), channels).build().into();
    }
    if aac && audio.frame_size == 0 {
        audio.frame_size = AudioSpecificConfig::parse(&stream.config).map_or(1024, |config| config.frame_size());
    }
}

/// Makes a record of parameter sets behind start codes, and takes the size of the video from it.
fn record(stream: &mut StreamInfo) {
    let config = &stream.config;
    let made = match stream.codec {
        Codec::H264 if Framing::guess(config) == Framing::AnnexB => h264::build_config(config),
        Codec::H265 if Framing::guess(config) == Framing::AnnexB => h265::build_config(config),
        _ => return,
    };
    let Ok(config) = made else { return };
    let size = match stream.codec {
        Codec::H264 => h264::Config::parse(&config).and_then(|config| h264::Sps::parse(config.sps.first()?)),
        _ => None,
    };
    let size = size.map(|sps| sps.display_size());
    let size = size.or_else(|| Some(h265::Config::parse(&config)?.sps()?.display_size()));
    stream.config = config;
    if let (Media::Video(video), Some((width, height))) = (&mut stream.media, size)
        && (video.width.is_none() || video.height.is_none())
    {
        (video.width, video.height) = (NonZeroU32::new(width), NonZeroU32::new(height));
    }
}

/// The audio object type that nearly all AAC in FLV has.
const AAC_LC: u8 = 2;
