//! Bodies of audio and video tags become packets and stream facts (FLD-19…FLD-22, FLD-40).

use alloc::format;

use bytes::{Buf, Bytes};

use crate::{
    error::Result,
    format::Event,
    input::Input,
    packet::{Flags as Marks, Packet},
    remark::Remark,
    stream::{Codec, Kind as StreamKind, Media},
    syntax::{
        annexb::{self, Framing},
        h264, h265,
    },
};

use super::{
    audio, colors,
    demux::{Flv, Tag},
    enhanced::{self, Part},
    streams::Key,
    video,
};

/// Largest distance between pts and dts that is believed, in ms (FLD-21).
const MAX_COMPOSITION: i32 = 900_000;

/// First byte of an enhanced audio tag: SoundFormat 9.
const ENHANCED_AUDIO: u8 = 9;
/// Top bit of an enhanced video tag's first byte.
const ENHANCED_VIDEO: u8 = 0x80;

impl Flv {
    #[inline(always)]
    pub(super) fn audio(&mut self, tag: Tag, mut body: Bytes, input: &mut Input) -> Result<Option<Packet>> {
        let [first, second, ..] = *body else { return Ok(None) };
        if first >> 4 == ENHANCED_AUDIO {
            return self.enhanced(StreamKind::Audio, tag, body, input);
        }
        let flags = audio::Flags::parse(first);
        let index = self.streams.of(Key { codec: flags.codec, tag: flags.tag(), bits: flags.bits, track: 0 })?;
        self.settle_audio(index, &flags);
        if flags.codec == Codec::Aac {
            body.advance(2);
            if second == 0 {
                self.configure(index, body, &tag, input);
                return Ok(None);
            }
            self.settle_unconfigured(index, &tag, input);
        } else {
            body.advance(1);
            self.settle_from_data(index, &body);
        }
        if body.is_empty() {
            return Ok(None);
        }
        let mut packet = self.packet(index, &tag, 0, Marks::KEY, body);
        if flags.codec != Codec::Aac && self.last_audio != (flags.sample_rate, flags.channels) {
            self.last_audio = (flags.sample_rate, flags.channels);
            packet.side.set_new_audio(flags.sample_rate, flags.channels);
        }
        Ok(Some(packet))
    }

    #[inline(always)]
    pub(super) fn video(&mut self, tag: Tag, mut body: Bytes, input: &mut Input) -> Result<Option<Packet>> {
        let Some(&first) = body.first() else { return Ok(None) };
        if first & ENHANCED_VIDEO != 0 {
            return self.enhanced(StreamKind::Video, tag, body, input);
        }
        let (frame_type, number) = (first >> 4, first & 0x0f);
        if frame_type == video::COMMAND || body.len() == 1 {
            return Ok(None);
        }
        let codec = video::codec(number);
        if codec == Codec::UnknownVideo && number == 0 && self.streams.first(StreamKind::Video).is_some() {
            input.warn_at(tag.at, "a video tag without a codec is passed over");
            return Ok(None);
        }
        let unnamed = if codec == Codec::UnknownVideo { u32::from(number) } else { 0 };
        let index = self.streams.of(Key { codec, tag: unnamed, bits: 0, track: 0 })?;
        let key = frame_type == video::KEY;
        if !video::has_packet_type(codec) {
            body.advance(1);
            if matches!(codec, Codec::Vp6F | Codec::Vp6A) {
                self.adjust(index, body.split_to(1));
            }
            if key {
                self.settle_from_data(index, &body);
            }
            return Ok((!body.is_empty()).then(|| self.packet(index, &tag, 0, Marks::key(key), body)));
        }
        let [_, packet_type, c2, c1, c0, ..] = *body else {
            input.warn_at(tag.at, format!("a video tag of {} bytes has no room for its composition time", body.len()));
            return Ok(None);
        };
        body.advance(5);
        if packet_type == 0 {
            self.configure(index, body, &tag, input);
            return Ok(None);
        }
        let composition = signed([c2, c1, c0]);
        if annexb::starts_with_code(&body) {
            body = self.with_lengths(index, &tag, body, input);
        }
        Ok((!body.is_empty()).then(|| self.packet(index, &tag, composition, Marks::key(key), body)))
    }

    fn enhanced(&mut self, kind: StreamKind, tag: Tag, body: Bytes, input: &mut Input) -> Result<Option<Packet>> {
        let Some(tracks) = enhanced::Tag::parse(kind, &body) else {
            input.warn_at(tag.at, "an enhanced tag ends inside its head");
            return Ok(None);
        };
        let frame_type = body.first().unwrap_or(&0) >> 4 & 7;
        let (nanos, mut last) = (tracks.nanos, None);
        for track in tracks {
            if kind == StreamKind::Video && frame_type == video::COMMAND && track.part != Part::Metadata {
                break;
            }
            let codec = enhanced::codec(track.fourcc, kind);
            let number = if matches!(codec, Codec::UnknownVideo | Codec::UnknownAudio) { track.fourcc } else { 0 };
            let index = self.streams.of(Key { codec, tag: number, bits: 0, track: track.id })?;
            let key = kind == StreamKind::Audio || frame_type == video::KEY;
            let payload = body.slice(track.payload.clone());
            let tag = Tag { cut: tag.cut && !track.whole, ..tag };
            let packet = self.track(index, track.part, key, &tag, payload, input);
            if let Some(mut packet) = packet {
                if let Some(nanos) = nanos {
                    packet.side.add_opaque(super::SIDE_NANOS, Bytes::copy_from_slice(&nanos.to_be_bytes()))?;
                }
                // All but the last wait; streams they opened are returned first.
                if let Some(earlier) = last.replace(packet) {
                    self.streams.announce(&mut self.queue);
                    self.queue.push_back(Event::Packet(earlier));
                }
            }
        }
        Ok(last)
    }

    fn track(
        &mut self,
        index: usize,
        part: Part,
        key: bool,
        tag: &Tag,
        mut payload: Bytes,
        input: &mut Input,
    ) -> Option<Packet> {
        let codec = self.streams.peek(index)?.info.codec;
        match part {
            Part::Config => self.configure(index, payload, tag, input),
            Part::Channels => self.channels(index, &payload),
            Part::Metadata => {
                let stream = self.streams.edit(index)?;
                stream.next_colors = colors::read(payload, &mut stream.edit().metadata);
            }
            Part::Frames | Part::FramesX => {
                let mut composition = 0;
                if part == Part::Frames && enhanced::has_composition_time(codec) {
                    let [c2, c1, c0] = *payload.first_chunk()?;
                    composition = signed([c2, c1, c0]);
                    payload.advance(3);
                }
                self.settle_from_data(index, &payload);
                payload = self.with_lengths(index, tag, payload, input);
                return (!payload.is_empty()).then(|| self.packet(index, tag, composition, Marks::key(key), payload));
            }
            Part::End | Part::Other(_) => {}
        }
        None
    }

    /// FLD-21: the first configuration is the stream's, later ones travel with the next packet.
    fn configure(&mut self, index: usize, mut config: Bytes, tag: &Tag, input: &mut Input) {
        if config.is_empty() {
            return;
        }
        let aac = self.streams.peek(index).is_some_and(|stream| stream.info.codec == Codec::Aac);
        if aac && self.tags.value("Encoder") == Some("Omnia A/XE") {
            // Its AudioSpecificConfig is followed by junk.
            config.truncate(2);
        }
        if tag.cut {
            let kind = Remark::Cut { missing: None };
            return input.remark_on(index, tag.at, kind, "the input ends inside a codec configuration");
        }
        if self.options.audit {
            self.audit_config(index, &config, tag, input);
        }
        let coded = |codec| matches!(codec, Codec::H264 | Codec::H265);
        if self.streams.peek(index).is_some_and(|stream| coded(stream.info.codec))
            && Framing::guess(&config) == Framing::AnnexB
        {
            let what = "the video sequence header holds parameter sets behind start codes, not a configuration record";
            input.remark_on(index, tag.at, Remark::ForeignConfig, what);
        }
        let promised = self.streams.promise.size;
        if annexb::starts_with_code(&config)
            && let Some(record) = self.streams.peek(index).and_then(|stream| record_of(stream.info.codec, &config))
        {
            config = record;
            if let Some(stream) = self.streams.get_mut(index) {
                stream.has_start_codes = true;
            }
        }
        let Some(stream) = self.streams.edit(index) else { return };
        if !stream.info.config.is_empty() {
            stream.next_config = Some(config);
            return;
        }
        // It outlives the buffer that it was read into.
        super::facts::from_config(stream.edit(), Bytes::copy_from_slice(&config), promised);
        stream.settled = stream.info.as_video().is_none_or(|video| video.width.is_some());
    }

    /// Remarks on a configuration that comes behind packets which need it, or again.
    fn audit_config(&mut self, index: usize, config: &Bytes, tag: &Tag, input: &mut Input) {
        let Some(stream) = self.streams.edit(index) else { return };
        let kind = if stream.info.codec.kind() == StreamKind::Audio { "audio" } else { "video" };
        if let Some(first) = stream.early.take() {
            let what = format!("{kind} comes before its sequence header");
            input.remark_on(index, first, Remark::LateConfig { first }, what);
        }
        if stream.last_config.as_ref() == Some(config) {
            input.remark_on(index, tag.at, Remark::RepeatedConfig, format!("the same {kind} sequence header again"));
        }
        stream.last_config = Some(Bytes::copy_from_slice(config));
    }

    /// Notes the first packet that needs a configuration and has none.
    fn audit_packet(&mut self, index: usize, at: u64) {
        let needs = |codec| matches!(codec, Codec::H264 | Codec::H265 | Codec::Aac | Codec::Opus);
        if let Some(stream) = self.streams.edit(index).filter(|stream| needs(stream.info.codec))
            && stream.last_config.is_none()
        {
            stream.early.get_or_insert(at);
        }
    }

    /// The data of a packet with start codes, behind lengths as the configuration has it.
    fn with_lengths(&mut self, index: usize, tag: &Tag, data: Bytes, input: &mut Input) -> Bytes {
        if !annexb::starts_with_code(&data) || tag.cut {
            return data;
        }
        // 00 00 01 may also begin a length: a long start code has to come first.
        if !data.starts_with(&[0, 0, 0, 1]) && !self.streams.peek(index).is_some_and(|stream| stream.has_start_codes) {
            return data;
        }
        let framing = self.streams.peek(index).map(|stream| match stream.info.codec {
            Codec::H264 => Framing::of_h264(&stream.info.config),
            Codec::H265 => Framing::of_h265(&stream.info.config),
            _ => Framing::AnnexB,
        });
        if framing != Some(Framing::Lengths(4)) || Framing::guess(&data) != Framing::AnnexB {
            return data;
        }
        self.say_annexb(index, tag, input);
        annexb::to_lengths(&data, Framing::AnnexB)
    }

    /// Warns once a stream.
    fn say_annexb(&mut self, index: usize, tag: &Tag, input: &mut Input) {
        if let Some(stream) = self.streams.get_mut(index)
            && !core::mem::replace(&mut stream.has_start_codes, true)
        {
            let what = "NAL units behind start codes, where FLV has lengths: read as if behind lengths";
            input.remark_on(index, tag.at, Remark::ForeignConfig, what);
        }
    }

    /// VP6: the byte that crops the picture is the stream's configuration, and the last one counts.
    fn adjust(&mut self, index: usize, byte: Bytes) {
        if self.streams.peek(index).is_some_and(|stream| stream.info.config != byte)
            && let Some(stream) = self.streams.edit(index)
        {
            stream.edit().config = byte;
        }
    }

    /// FLD-19: the flags of the first tag describe the stream.
    fn settle_audio(&mut self, index: usize, flags: &audio::Flags) {
        if self.streams.peek(index).is_some_and(|s| s.info.as_audio().is_some_and(|audio| audio.sample_rate.is_none()))
        {
            if let Some(stream) = self.streams.edit(index)
                && let Media::Audio(audio) = &mut stream.edit().media
            {
                audio.set_sample_rate(flags.sample_rate);
                audio.set_channels(flags.channels);
            }
            self.last_audio = (flags.sample_rate, flags.channels);
        }
    }

    /// Facts of a stream without configuration in its first payload.
    fn settle_from_data(&mut self, index: usize, data: &[u8]) {
        if self.streams.peek(index).is_some_and(|stream| !stream.settled) {
            let size = self.streams.promise.size;
            if let Some(stream) = self.streams.edit(index) {
                stream.settled = true;
                super::facts::from_data(stream.edit(), data, size);
            }
        }
    }

    /// AAC whose configuration has not come: the flags byte is all there is, and for AAC it is a constant.
    fn settle_unconfigured(&mut self, index: usize, tag: &Tag, input: &mut Input) {
        if self.streams.peek(index).is_some_and(|stream| !stream.settled) {
            if let Some(stream) = self.streams.edit(index) {
                stream.settled = true;
            }
            let what = "AAC without a configuration in front: its rate and channels are not known";
            input.remark_on(index, tag.at, Remark::NoConfig(None), what);
        }
    }

    /// Channel configuration of enhanced audio: order, count, mask (FLV-63).
    fn channels(&mut self, index: usize, payload: &[u8]) {
        let [order, count, rest @ ..] = payload else { return };
        let Some(stream) = self.streams.edit(index) else { return };
        if let Media::Audio(audio) = &mut stream.edit().media {
            audio.set_channels(u16::from(*count));
            if let (1, Some(mask)) = (order, rest.first_chunk()) {
                audio.channel_mask = u32::from_be_bytes(*mask);
            }
        }
    }

    /// FLD-22.
    #[inline(always)]
    pub(super) fn packet(&mut self, stream: usize, tag: &Tag, composition: i32, flags: Marks, data: Bytes) -> Packet {
        if self.options.audit {
            self.audit_packet(stream, tag.at);
        }
        let time = self.clock.join(tag.head.time);
        self.clock.given(time);
        let believed = composition <= MAX_COMPOSITION;
        let shown = time.saturating_add(i64::from(composition));
        let mut packet = Packet {
            stream,
            pts: believed.then(|| self.clock.unroll(shown)),
            dts: believed.then(|| self.clock.unroll(time)),
            duration: self
                .streams
                .peek(stream)
                .map(|stream| super::facts::duration(&stream.info, data.len()))
                .filter(|duration| duration.0 != 0),
            flags: if tag.cut { flags | Marks::CORRUPT } else { flags },
            position: Some(tag.at),
            data,
            ..Packet::default()
        };
        if let Some(waiting) = self.streams.waiting(stream) {
            if let Some(config) = waiting.next_config.take() {
                packet.side.set_new_config(config);
            }
            if let Some(colors) = waiting.next_colors.take() {
                // A packet made here carries no other entry yet.
                let _ = packet.side.add_opaque(super::SIDE_COLORS, colors);
            }
        }
        packet
    }
}

/// The configuration record of parameter sets with start codes.
fn record_of(codec: Codec, sets: &Bytes) -> Option<Bytes> {
    match codec {
        Codec::H264 => h264::build_config(sets).ok(),
        Codec::H265 => h265::build_config(sets).ok(),
        _ => None,
    }
}

fn signed([b2, b1, b0]: [u8; 3]) -> i32 {
    i32::from_be_bytes([b2, b1, b0, 0]) >> 8
}
