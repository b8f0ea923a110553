//! Facts of each stream found by reading, beyond the declarations of its container.

use maliu::{
    packet::Packet,
    stream::{Metadata, StreamInfo},
    time::Ticks,
};

use maliu_decode::Profile;

use super::{gop::Gops, sound::Sound};

/// Everything that was seen.
#[derive(Default)]
pub(super) struct Survey {
    /// By stream.
    pub streams: Vec<Seen>,
    /// First description of each stream, once anything was known of it; by stream.
    first: Vec<Option<StreamInfo>>,
    /// The pictures of each stream, by stream.
    gops: Vec<Option<Gops>>,
    /// The sound of each stream, by stream.
    sounds: Vec<Option<Sound>>,
    /// Tags of the whole input.
    pub metadata: Option<Box<Metadata>>,
    /// Whether the input was read to its end.
    pub whole: bool,
}

/// Statistics of one stream, in its time base.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// Number of packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lowest presentation time.
    pub start: Option<Ticks>,
    /// Highest end of a packet.
    pub end: Option<Ticks>,
}

impl Survey {
    /// Notes what a stream is said to be.
    pub(super) fn describe(&mut self, index: usize, info: &StreamInfo) {
        if self.first.len() <= index {
            self.first.resize(index + 1, None);
            self.gops.resize_with(index + 1, || None);
            self.sounds.resize_with(index + 1, || None);
        }
        if self.first[index].as_ref().is_none_or(|first| !is_known(first)) {
            self.first[index] = Some(info.clone());
        }
        if self.gops[index].is_none() || (!info.config.is_empty() && !self.of(index).any()) {
            self.gops[index] = Gops::new(info);
        }
        if !self.of(index).any() {
            self.sounds[index] = Sound::new(info);
        }
    }

    /// The streams as they were first described, or sound; they may change on the way.
    pub(super) fn infos(&self, latest: &[StreamInfo]) -> impl Iterator<Item = StreamInfo> {
        latest.iter().enumerate().map(|(index, info)| {
            let mut info = self.first.get(index).and_then(Option::as_ref).unwrap_or(info).clone();
            if let Some(Some(sound)) = self.sounds.get(index) {
                sound.describe(&mut info);
            }
            info
        })
    }

    /// Coding of the audio of stream `index`, when it was heard.
    pub(super) fn profile(&self, index: usize) -> Option<Profile> {
        self.sounds.get(index)?.as_ref()?.profile()
    }

    /// The pictures of stream `index`, when they can be told apart.
    pub(super) fn gops(&self, index: usize) -> Option<&Gops> {
        self.gops.get(index)?.as_ref()
    }

    /// Whether a whole group of pictures of every stream that has pictures was seen.
    pub(super) fn groups_known(&self) -> bool {
        self.gops.iter().flatten().all(Gops::is_known)
    }

    /// Counts a packet.
    pub(super) fn note(&mut self, packet: &Packet) {
        if self.streams.len() <= packet.stream {
            self.streams.resize(packet.stream + 1, Seen::default());
        }
        if let Some(Some(gops)) = self.gops.get_mut(packet.stream) {
            gops.note(packet);
        }
        if let Some(Some(sound)) = self.sounds.get_mut(packet.stream) {
            sound.note(packet);
        }
        let seen = &mut self.streams[packet.stream];
        seen.packets += 1;
        seen.bytes += packet.data.len() as u64;
        if let Some(time) = packet.pts.or(packet.dts) {
            seen.start = Some(seen.start.map_or(time, |start| start.min(time)));
            let end = time + packet.duration.unwrap_or_default();
            seen.end = Some(seen.end.map_or(end, |latest| latest.max(end)));
        }
    }

    /// Statistics of stream `index`.
    pub(super) fn of(&self, index: usize) -> Seen {
        self.streams.get(index).cloned().unwrap_or_default()
    }

    /// Whether every stream that takes packets has had one.
    pub(super) fn covers(&self, streams: &[StreamInfo]) -> bool {
        streams.iter().enumerate().all(|(index, info)| info.attachment || self.of(index).packets > 0)
    }
}

/// Whether more than the codec is known of a stream.
fn is_known(info: &StreamInfo) -> bool {
    info.as_audio().is_none_or(|audio| audio.sample_rate.is_some())
        && info.as_video().is_none_or(|video| video.width.is_some())
}

impl Seen {
    /// Whether there was a packet.
    pub(super) fn any(&self) -> bool {
        self.packets > 0
    }

    /// From the first packet to the end of the last one.
    pub(super) fn duration(&self) -> Option<Ticks> {
        Some(self.end? - self.start?)
    }
}
