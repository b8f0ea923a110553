//! Bodies of messages: every field of streams, packets and tags, so that what arrives equals what was sent.

use alloc::{boxed::Box, vec::Vec};
use core::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;

use super::{
    Hello, Message, Mode, Reason, Role,
    fields::{Get, Put},
    kind,
};
use crate::{
    format::Event,
    packet::{Flags, Packet, SideData, Trim},
    stream::{Audio, Codec, Kind, MAX_TAGS, Media, Metadata, Picture, StreamInfo, Video},
    time::{Ticks, TimeBase},
};

/// Appends the body, but for the data of a packet.
pub(super) fn encode(message: &Message, out: &mut Vec<u8>) {
    let mut put = Put(out);
    match message {
        Message::Challenge(nonce) => put.raw(nonce),
        Message::Hello(hello) => put_hello(&mut put, hello),
        Message::Welcome(number) | Message::Ack(number) | Message::Ping(number) | Message::Pong(number) => {
            put.u64(*number);
        }
        Message::Content(Event::Stream(_, info)) => put_stream(&mut put, info),
        Message::Content(Event::Metadata(metadata)) => put_metadata(&mut put, metadata),
        Message::Content(Event::Packet(packet)) => put.group(|put| put_packet(put, packet)),
        Message::Content(Event::End) => {}
        Message::Error(reason, text) => {
            put.u16(reason_number(*reason));
            put.bytes(text.as_bytes());
            if *reason == Reason::Connected {
                put.u8(AGAIN);
            }
        }
    }
}

/// The message in a body; `Ok(None)` for a kind that is not known, `Err` when fields are missing or make no sense.
pub(super) fn decode(kind: u8, stream: u32, body: &Bytes) -> Result<Option<Message>, ()> {
    let mut get = Get(body);
    let stream = usize::try_from(stream).map_err(|_| ())?;
    let message = match kind {
        kind::CHALLENGE => get.array().map(Message::Challenge),
        kind::HELLO => get_hello(&mut get).map(Message::Hello),
        kind::WELCOME => get.u64().map(Message::Welcome),
        kind::STREAM => get_stream(&mut get).map(|info| Message::Content(Event::Stream(stream, Box::new(info)))),
        kind::METADATA => get_metadata(&mut get).map(|metadata| Message::Content(Event::Metadata(Box::new(metadata)))),
        kind::PACKET => {
            get_packet(&mut get, body).map(|packet| Message::Content(Event::Packet(Packet { stream, ..packet })))
        }
        kind::ACK => get.u64().map(Message::Ack),
        kind::PING => get.u64().map(Message::Ping),
        kind::PONG => get.u64().map(Message::Pong),
        kind::BYE => Some(Message::Content(Event::End)),
        kind::ERROR => get_error(&mut get),
        _ => return Ok(None),
    };
    message.map(Some).ok_or(())
}

const REASONS: [(u16, Reason); 6] = [
    (1, Reason::Unauthorized),
    (2, Reason::Busy),
    (3, Reason::Protocol),
    (4, Reason::Limit),
    (5, Reason::Silent),
    (6, Reason::Absent),
];

/// Behind the text of a Busy: trying again helps.
const AGAIN: u8 = 1;

fn get_error(get: &mut Get) -> Option<Message> {
    let (number, text) = (get.u16()?, get.short_text()?);
    let reason = match reason_of(number) {
        Reason::Busy if get.u8() == Some(AGAIN) => Reason::Connected,
        reason => reason,
    };
    Some(Message::Error(reason, text))
}

fn reason_number(reason: Reason) -> u16 {
    match reason {
        Reason::Other(number) => number,
        Reason::Connected => reason_number(Reason::Busy),
        known => REASONS.iter().find(|(_, reason)| *reason == known).map_or(0, |(number, _)| *number),
    }
}

fn reason_of(number: u16) -> Reason {
    REASONS.iter().find(|(known, _)| *known == number).map_or(Reason::Other(number), |(_, reason)| *reason)
}

fn put_hello(put: &mut Put, hello: &Hello) {
    put.u8(match hello.role {
        Role::Sender => 1,
        Role::Player => 2,
    });
    put.u8(match hello.mode {
        Mode::Reliable => 1,
        Mode::Live => 2,
    });
    put.u64(hello.id);
    put.raw(&hello.proof);
    put.bytes(hello.name.as_bytes());
}

fn get_hello(get: &mut Get) -> Option<Hello> {
    let role = match get.u8()? {
        1 => Role::Sender,
        2 => Role::Player,
        _ => return None,
    };
    let mode = match get.u8()? {
        1 => Mode::Reliable,
        2 => Mode::Live,
        _ => return None,
    };
    Some(Hello { role, mode, id: get.u64()?, proof: get.array()?, name: get.text()? })
}

fn put_packet(put: &mut Put, packet: &Packet) {
    let present = [packet.pts.is_some(), packet.dts.is_some(), packet.position.is_some()];
    put.u8(present.iter().rev().fold(0, |bits, present| bits << 1 | u8::from(*present)));
    put.u8(packet.flags.bits());
    put.i64(packet.pts.unwrap_or_default().0);
    put.i64(packet.dts.unwrap_or_default().0);
    put.i64(packet.duration.unwrap_or_default().0);
    put.u64(packet.position.unwrap_or_default());
    let side = &packet.side;
    if side.is_empty() {
        return;
    }
    if let Some(config) = side.new_config() {
        put.u8(side_kind::NEW_CONFIG);
        put.bytes(config);
    }
    let Trim { start, end } = side.trim();
    if (start, end) != (0, 0) {
        put.u8(side_kind::TRIM);
        put.group(|put| {
            put.u32(start);
            put.u32(end);
        });
    }
    if let Some((rate, channels)) = side.new_audio() {
        put.u8(side_kind::NEW_AUDIO);
        put.group(|put| {
            put.u32(rate);
            put.u16(channels);
        });
    }
    for (kind, bytes) in side.opaque() {
        put.u8(side_kind::OPAQUE);
        put.group(|put| {
            put.u32(*kind);
            put.raw(bytes);
        });
    }
}

/// Numbers of side data; each is followed by its length and its bytes.
mod side_kind {
    pub(super) const NEW_CONFIG: u8 = 1;
    pub(super) const TRIM: u8 = 2;
    pub(super) const NEW_AUDIO: u8 = 3;
    pub(super) const OPAQUE: u8 = 4;
}

fn get_packet(get: &mut Get, body: &Bytes) -> Option<Packet> {
    let mut head = get.group()?;
    let data = body.slice_ref(get.0);
    let present = head.u8()?;
    let has = |bit: u8| present & bit != 0;
    let flags = Flags::from_bits(head.u8()?);
    let pts = Some(Ticks(head.i64()?)).filter(|_| has(1));
    let dts = Some(Ticks(head.i64()?)).filter(|_| has(2));
    let duration = Some(Ticks(head.i64()?)).filter(|duration| duration.0 != 0);
    let position = Some(head.u64()?).filter(|_| has(4));
    let side = get_side(&mut head, body)?;
    Some(Packet { pts, dts, duration, flags, side, position, data, ..Packet::default() })
}

fn get_side(head: &mut Get, body: &Bytes) -> Option<SideData> {
    let mut side = SideData::default();
    while let Some(kind) = head.u8() {
        let mut entry = head.group()?;
        match kind {
            side_kind::NEW_CONFIG => side.set_new_config(body.slice_ref(entry.0)),
            side_kind::TRIM => side.set_trim(Trim { start: entry.u32()?, end: entry.u32()? }),
            side_kind::NEW_AUDIO => side.set_new_audio(entry.u32()?, entry.u16()?),
            side_kind::OPAQUE => {
                let kind = entry.u32()?;
                side.add_opaque(kind, body.slice_ref(entry.0)).ok()?;
            }
            _ => {}
        }
    }
    Some(side)
}

fn put_stream(put: &mut Put, info: &StreamInfo) {
    put.u32(info.time_base.num.get());
    put.u32(info.time_base.den.get());
    put.u8(kind_number(info.media.kind()));
    put.u8(kind_number(info.codec.kind()));
    put.bytes(info.codec.name().as_bytes());
    put.u32(info.codec_tag.map_or(0, NonZeroU32::get));
    put.bytes(&info.config);
    put.group(|put| match &info.media {
        Media::Audio(audio) => put_audio(put, audio),
        Media::Video(video) => put_video(put, video),
        Media::Subtitle | Media::Data | Media::Attachment => {}
    });
    put.option(info.start, |put, time| put.i64(time.0));
    put.option(info.duration, |put, time| put.i64(time.0));
    put.option(info.bit_rate, Put::u64);
    put.option(info.profile, Put::u8);
    put.u8(u8::from(info.attachment));
    put_metadata(put, &info.metadata);
}

fn get_stream(get: &mut Get) -> Option<StreamInfo> {
    let time_base = TimeBase::new(get.u32()?, get.u32()?)?;
    let media_kind = kind_of(get.u8()?)?;
    let codec_kind = kind_of(get.u8()?)?;
    let codec = codec_of(codec_kind, &get.text()?);
    let codec_tag = get.u32()?;
    let config = get.owned()?;
    let mut facts = get.group()?;
    let media = match media_kind {
        Kind::Audio => Media::Audio(get_audio(&mut facts)?),
        Kind::Video => Media::Video(get_video(&mut facts)?),
        Kind::Subtitle => Media::Subtitle,
        Kind::Data => Media::Data,
        Kind::Attachment => Media::Attachment,
    };
    let mut info = StreamInfo::new(codec, time_base, media);
    (info.codec_tag, info.config) = (NonZeroU32::new(codec_tag), config);
    info.start = get.option(Get::i64)?.map(Ticks);
    info.duration = get.option(Get::i64)?.map(Ticks);
    info.bit_rate = get.option(Get::u64)?;
    info.profile = get.option(Get::u8)?;
    info.attachment = get.u8()? != 0;
    info.metadata = get_metadata(get)?;
    Some(info)
}

const KINDS: [Kind; 5] = [Kind::Audio, Kind::Video, Kind::Subtitle, Kind::Data, Kind::Attachment];

fn kind_number(kind: Kind) -> u8 {
    KINDS.iter().position(|known| *known == kind).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn kind_of(number: u8) -> Option<Kind> {
    KINDS.get(usize::from(number)).copied()
}

/// A codec that a newer peer knows is an unknown one of its kind.
fn codec_of(kind: Kind, name: &str) -> Codec {
    let known = Codec::ALL.iter().copied().find(|codec| codec.kind() == kind && codec.name() == name);
    known.unwrap_or(match kind {
        Kind::Audio => Codec::UnknownAudio,
        Kind::Video => Codec::UnknownVideo,
        Kind::Subtitle | Kind::Data | Kind::Attachment => Codec::Data,
    })
}

fn put_audio(put: &mut Put, audio: &Audio) {
    put.u32(audio.rate());
    put.u16(audio.channel_count());
    put.u32(audio.channel_mask);
    put.u32(audio.frame_size);
    put.u16(audio.bits_per_sample);
    put.u32(audio.block_align);
    put.u32(audio.preroll);
    put.u32(audio.delay);
}

fn get_audio(get: &mut Get) -> Option<Audio> {
    Some(Audio {
        sample_rate: NonZeroU32::new(get.u32()?),
        channels: NonZeroU16::new(get.u16()?),
        channel_mask: get.u32()?,
        frame_size: get.u32()?,
        bits_per_sample: get.u16()?,
        block_align: get.u32()?,
        preroll: get.u32()?,
        delay: get.u32()?,
    })
}

fn put_video(put: &mut Put, video: &Video) {
    let fraction = |put: &mut Put, (num, den): (u32, u32)| {
        put.u32(num);
        put.u32(den);
    };
    let (width, height) = video.size();
    put.u32(width);
    put.u32(height);
    put.u8(video.reorder);
    put.option(video.frame_rate, fraction);
    put.option(video.pixel_aspect, fraction);
    put.option(video.level, Put::u8);
}

fn get_video(get: &mut Get) -> Option<Video> {
    let fraction = |get: &mut Get| get.u32().zip(get.u32());
    Some(Video {
        width: NonZeroU32::new(get.u32()?),
        height: NonZeroU32::new(get.u32()?),
        reorder: get.u8()?,
        frame_rate: get.option(fraction)?,
        pixel_aspect: get.option(fraction)?,
        level: get.option(Get::u8)?,
        ..Video::default()
    })
}

fn put_metadata(put: &mut Put, metadata: &Metadata) {
    put.group(|put| {
        for (key, value) in metadata.entries() {
            put.bytes(key.as_bytes());
            put.bytes(value.as_bytes());
        }
    });
    put.group(|put| {
        for picture in metadata.pictures() {
            put.bytes(picture.mime.as_bytes());
            put.u64(picture.size);
        }
    });
}

fn get_metadata(get: &mut Get) -> Option<Metadata> {
    let (mut entries, mut pictures) = (get.group()?, get.group()?);
    let mut metadata = Metadata::default();
    for _ in 0..MAX_TAGS {
        if entries.0.is_empty() {
            break;
        }
        metadata.set(entries.text()?, entries.text()?);
    }
    for _ in 0..MAX_TAGS {
        if pictures.0.is_empty() {
            break;
        }
        metadata.add_picture(Picture::new(pictures.text()?, pictures.u64()?));
    }
    // A sender has no more than these either; each one more would be compared with all of them.
    (entries.0.is_empty() && pictures.0.is_empty()).then_some(metadata)
}
