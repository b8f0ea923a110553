//! Facts heard in the first packets of AAC: containers do not declare late bandwidth extension and parametric stereo.

use maliu::{
    packet::Packet,
    stream::{Codec, Media, StreamInfo},
};
use maliu_decode::{AudioFrame, Decoder, Profile, decoder_for};

/// A stream being listened to.
pub(super) struct Sound {
    decoder: Option<Box<dyn Decoder>>,
    heard: Option<(Profile, AudioFrame)>,
    packets: u32,
}

impl Sound {
    /// Of this stream; `None` when its container declares everything, or it cannot be decoded. Decoding with an assumed
    /// configuration tells nothing for sure.
    pub(super) fn new(info: &StreamInfo) -> Option<Self> {
        let can_tell = info.codec == Codec::Aac && !info.config.is_empty();
        let decoder = Some(info).filter(|_| can_tell).and_then(|info| decoder_for(info).ok())?;
        Some(Self { decoder: Some(decoder), heard: None, packets: 0 })
    }

    /// Listens to a packet, if that may tell more.
    pub(super) fn note(&mut self, packet: &Packet) {
        let Some(decoder) = &mut self.decoder else { return };
        let sound = decoder.decode(packet);
        let damaged = decoder.report().damaged > 0;
        if let (Ok(Some(frame)), Some(profile), false) = (sound, decoder.profile(), damaged) {
            self.heard = Some((profile, frame));
        }
        self.packets += 1;
        let mono = self.heard.as_ref().is_none_or(|(profile, frame)| profile.name == "HE-AAC" && frame.channels == 1);
        if damaged || self.packets >= MOST || !mono {
            self.decoder = None;
        }
    }

    /// The coding that was heard.
    pub(super) fn profile(&self) -> Option<Profile> {
        self.heard.as_ref().map(|(profile, _)| *profile)
    }

    /// Says of the stream what is heard.
    pub(super) fn describe(&self, info: &mut StreamInfo) {
        if let (Some((_, frame)), Media::Audio(audio)) = (&self.heard, &mut info.media) {
            audio.set_sample_rate(frame.sample_rate);
            audio.set_channels(frame.channels);
            audio.channel_mask = frame.channel_mask;
        }
    }
}

/// Packets among which parametric stereo has to begin to be reported.
const MOST: u32 = 16;
