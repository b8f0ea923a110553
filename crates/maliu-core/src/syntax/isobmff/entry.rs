//! Sample descriptions: codec, configuration and facts of a track (ISO/IEC 14496-12 §8.5.2, §12; QuickTime File Format).

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;

use super::{
    boxes::{Boxes, Kind},
    codecs,
    fields::Fields,
    samples::Uniform,
};
use crate::{
    stream::{Audio, Codec, Encryption, Media, Metadata, Video},
    syntax::isobmff::protection::{self, Protection},
};

mod audio;
mod video;

/// Most sample descriptions of one track.
pub const MAX_ENTRIES: usize = 64;

/// One sample description.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, the original one where the track is encrypted.
    pub kind: Kind,
    /// How its samples are coded.
    pub codec: Codec,
    /// Codec configuration as [`crate::stream::StreamInfo::config`] holds it; empty when there is none.
    pub config: Bytes,
    /// Facts of its kind of media.
    pub media: Media,
    /// Average bits per second, when stated.
    pub bit_rate: Option<u64>,
    /// Codec profile, when the configuration states it.
    pub profile: Option<u8>,
    /// Index of its data reference, from 0.
    pub reference: u16,
    /// The unit of uncompressed audio.
    pub uniform: Option<Uniform>,
    /// How its samples are encrypted.
    pub protection: Option<Box<Protection>>,
    /// Facts that have no field of their own.
    pub tags: Metadata,
}

impl Entry {
    /// A description with nothing known but the codec.
    pub(super) fn new(kind: Kind, codec: Codec, media: Media) -> Self {
        Self {
            kind,
            codec,
            config: Bytes::new(),
            media,
            bit_rate: None,
            profile: None,
            reference: 0,
            uniform: None,
            protection: None,
            tags: Metadata::default(),
        }
    }

    /// Scheme and key, as a stream states them.
    pub fn encryption(&self) -> Option<Box<Encryption>> {
        let protection = self.protection.as_ref()?;
        Some(Box::new(Encryption { scheme: protection.scheme, key_id: protection.key_id }))
    }
}

/// The descriptions in the body of an `stsd` box, for a track whose handler is `handler`.
pub fn parse(body: &[u8], handler: Kind) -> Vec<Entry> {
    let mut fields = Fields::new(body);
    let Some(((version, _), count)) = fields.version().zip(fields.u32()) else { return Vec::new() };
    let entries = Boxes::new(fields.rest()).take(MAX_ENTRIES.min(count as usize));
    entries.map(|(kind, body)| one(kind, body, handler, version)).collect()
}

fn one(kind: Kind, body: &[u8], handler: Kind, version: u8) -> Entry {
    let mut fields = Fields::new(body);
    let reference = fields.skip(6).and_then(|()| fields.u16()).unwrap_or(1).saturating_sub(1);
    let rest = fields.rest();
    let mut entry = match &handler {
        b"vide" | b"pict" | b"auxv" => video::parse(kind, rest),
        b"soun" => audio::parse(kind, rest, version),
        _ => timed(kind, rest, handler),
    };
    entry.reference = reference;
    entry
}

/// Subtitles, time codes and other data.
fn timed(kind: Kind, body: &[u8], handler: Kind) -> Entry {
    let codec = match (codecs::of_name(kind), &handler) {
        (Some(Codec::DvdSubtitle), b"subp" | b"sbtl" | b"subt") => Codec::DvdSubtitle,
        (Some(codec @ (Codec::MovText | Codec::WebVtt | Codec::Ttml | Codec::Eia608 | Codec::Timecode)), _) => codec,
        _ => Codec::Data,
    };
    let media = match codec {
        Codec::Data | Codec::Timecode => Media::Data,
        _ => Media::Subtitle,
    };
    let mut entry = Entry::new(kind, codec, media);
    match codec {
        Codec::DvdSubtitle => {
            let descriptor = Boxes::new(body).body_of(b"esds").and_then(super::descriptor::parse);
            entry.config = Bytes::copy_from_slice(descriptor.map_or(&[], |found| found.config));
        }
        Codec::Data => {}
        _ => entry.config = Bytes::copy_from_slice(body.get(..MAX_CONFIG).unwrap_or(body)),
    }
    entry
}

/// Most bytes of a configuration that are kept.
pub(super) const MAX_CONFIG: usize = 1 << 20;

/// Takes what audio and video descriptions have in common from their boxes: protection and bit rate.
pub(super) fn shared(entry: &mut Entry, boxes: &[u8]) {
    if let Some(protection) = Boxes::new(boxes).body_of(b"sinf").and_then(protection::parse) {
        entry.protection = Some(Box::new(protection));
    }
    if let Some(rate) = Boxes::new(boxes).body_of(b"btrt").and_then(|body| {
        let mut fields = Fields::new(body);
        fields.skip(8)?;
        fields.u32()
    }) {
        entry.bit_rate = Some(u64::from(rate)).filter(|rate| *rate > 0).or(entry.bit_rate);
    }
}

/// The name under which the samples are coded: of an encrypted description the original one.
pub(super) fn original(kind: Kind, boxes: &[u8]) -> Kind {
    let frma =
        || Boxes::new(Boxes::new(boxes).body_of(b"sinf")?).body_of(b"frma").and_then(|body| Fields::new(body).kind());
    match &kind {
        b"encv" | b"enca" | b"encs" | b"drmi" | b"drms" => frma().unwrap_or(kind),
        _ => kind,
    }
}

/// The facts of an audio description, to be filled in.
pub(super) fn audio_mut(entry: &mut Entry) -> Option<&mut Audio> {
    match &mut entry.media {
        Media::Audio(audio) => Some(audio),
        _ => None,
    }
}

/// The facts of a video description, to be filled in.
pub(super) fn video_mut(entry: &mut Entry) -> Option<&mut Video> {
    match &mut entry.media {
        Media::Video(video) => Some(video),
        _ => None,
    }
}
