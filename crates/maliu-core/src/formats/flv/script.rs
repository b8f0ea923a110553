//! Script tags: metadata is applied, texts and captions become a text stream, everything else a data stream
//! (FLD-11…FLD-13).

use alloc::string::String;

use bytes::Bytes;

use crate::{
    error::Result,
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    stream::{Codec, Kind as StreamKind, Media},
    syntax::amf::{Cursor, Fault, amf0},
};

use super::{
    demux::{Flv, Tag},
    metadata,
    streams::Key,
    tag::{HEAD, Kind, TAIL},
};

/// Bodies up to this size are not looked into (FLD-12).
const TOO_SMALL: usize = 18;
/// Names of this size and longer are unknown (FLD-12).
const MAX_NAME: usize = 31;
/// Longest member name on the way to the text (FLD-13).
const MAX_MEMBER: usize = 19;

/// The command by which a publisher hands metadata to a server.
const SET_DATA_FRAME: &[u8] = b"@setDataFrame";

impl Flv {
    pub(super) fn script(&mut self, tag: Tag, mut body: Bytes, input: &mut Input) -> Result<Option<Packet>> {
        if tag.head.kind == Kind::Script3 {
            // A format byte of 0 says that AMF0 follows.
            let amf0_follows = body.first() == Some(&0);
            body = body.slice(usize::from(amf0_follows).min(body.len())..);
        }
        if body.is_empty() {
            return Ok(None);
        }
        let mut cursor = Cursor::new(&body);
        let mut text = amf0::read_text(&mut cursor);
        if self.options.recover && text == Some(SET_DATA_FRAME) {
            // Commands of a publisher to a server, which some servers write into the file as they came.
            text = amf0::read_text(&mut cursor);
        }
        let name = text.filter(|name| name.len() <= MAX_NAME).unwrap_or_default();
        let small = body.len() <= TOO_SMALL;
        match name {
            b"onMetaData" | b"onCuePoint" | b"|RtmpSampleAccess" if !small => {
                let name = String::from_utf8_lossy(name).into_owned();
                let fault = self.metadata(&name, &mut cursor, &tag, input)?;
                if let Some(fault) = fault {
                    input.warn_at(tag.at, alloc::format!("{name} cannot be read to its end: {fault:?}"));
                } else if tag.head.time != 0 && tag.head.kind == Kind::Script && !self.options.recover {
                    return self.timed(Codec::Text, &tag, body, 0).map(Some);
                }
                Ok(None)
            }
            // The reference passes over AMF3 tags.
            _ if tag.head.kind == Kind::Script3 => Ok(None),
            b"onTextData" | b"onCaption" if !small => match amf0::find_text(&mut cursor, b"text", MAX_MEMBER) {
                Some(text) => {
                    let at = HEAD + text.start;
                    self.timed(Codec::Text, &tag, body.slice(text), at).map(Some)
                }
                None => {
                    input.warn_at(tag.at, "a text tag without text is passed over");
                    Ok(None)
                }
            },
            b"onCaptionInfo" => self.timed(Codec::Text, &tag, body, 0).map(Some),
            _ if small && self.options.recover => {
                let kind = Remark::Junk { bytes: Some(tag.head.length() as u64) };
                input.remark_at(tag.at, kind, "a script tag without a message is passed over");
                Ok(None)
            }
            _ if small => self.timed(Codec::Text, &tag, body, 0).map(Some),
            _ => self.timed(Codec::Data, &tag, body, 0).map(Some),
        }
    }

    fn timed(&mut self, codec: Codec, tag: &Tag, data: Bytes, at: usize) -> Result<Packet> {
        let index = self.streams.timed(codec)?;
        let mut packet = self.packet(index, tag, 0, Flags::KEY, data);
        packet.position = Some(tag.at.saturating_add(at as u64));
        Ok(packet)
    }

    fn metadata(&mut self, name: &str, cursor: &mut Cursor<'_>, tag: &Tag, input: &Input) -> Result<Option<Fault>> {
        let read = amf0::read(cursor);
        if name == "onMetaData"
            && !core::mem::replace(&mut self.declares, true)
            && let Some(declared) = &mut self.declared
        {
            metadata::declare(&read.value, declared);
        }
        let effects = metadata::apply(name, &read.value, &mut self.tags, self.options.full_metadata);
        self.bad_sizes |= effects.bad_sizes;
        self.duration = effects.duration.or(self.duration);
        for _ in 0..effects.text_streams {
            self.streams.add(Key { codec: Codec::Text, tag: 0, bits: 0, track: 0 })?;
        }
        self.promised(&effects);
        if let Some(keyframes) = effects.keyframes.filter(|_| input.is_seekable()) {
            self.index.set(keyframes, tag.at.saturating_add((tag.head.length() + TAIL) as u64));
        }
        if effects.tags_changed {
            self.telling.change();
        }
        Ok(read.fault)
    }

    /// Facts for streams to come, and for the ones that are there.
    fn promised(&mut self, effects: &metadata::Effects) {
        let (said, promise) = (effects.promise, &mut self.streams.promise);
        promise.audio_rate = said.audio_rate.or(promise.audio_rate);
        promise.video_rate = said.video_rate.or(promise.video_rate);
        promise.frame_rate = said.frame_rate.or(promise.frame_rate);
        promise.size = said.size.or(promise.size);
        let Some(rate) = said.frame_rate else { return };
        if let Some(stream) = self.streams.last(StreamKind::Video).and_then(|index| self.streams.edit(index))
            && let Media::Video(video) = &mut stream.edit().media
        {
            video.frame_rate = Some(rate);
        }
    }
}
