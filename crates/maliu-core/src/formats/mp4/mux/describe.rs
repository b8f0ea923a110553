//! The sample descriptions of a track: that of the stream, and those of configurations that come on the way.

use alloc::borrow::Cow;

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    stream::{Codec, Media, StreamInfo},
    syntax::{
        aac::AudioSpecificConfig,
        annexb::{self, Framing},
        h264, h265,
        isobmff::entry::MAX_ENTRIES,
    },
};

use super::track::{Description, Track};

impl Track {
    /// All descriptions in their order: the stream, and the packet that describes it.
    pub(super) fn descriptions(&self) -> impl Iterator<Item = (&StreamInfo, &Bytes)> {
        let later = self.later.iter().map(|description| (&description.info, &description.first));
        core::iter::once((&self.info, &self.first)).chain(later)
    }

    /// The configuration that holds for what is written.
    pub(super) fn config(&self) -> &Bytes {
        let later = (self.entry as usize).checked_sub(1).and_then(|index| self.later.get(index));
        &later.map_or(&self.info, |description| &description.info).config
    }

    /// Whether `config` is another configuration than the one that holds.
    pub(super) fn changes_to(&self, config: &Bytes) -> bool {
        let held = if self.carried.is_empty() { self.config() } else { &self.carried };
        !config.is_empty() && self.has_samples() && held != config
    }

    /// Lets `config` hold from here on, in a description of its own.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond [`MAX_ENTRIES`].
    pub(super) fn turn_to(&mut self, config: &Bytes) -> Result<()> {
        let known = self.descriptions().position(|(info, _)| info.config == *config);
        self.entry = match known {
            Some(index) => index as u32,
            None if self.later.len() + 1 >= MAX_ENTRIES => {
                return Err(Error::Limit { what: "configurations of a written track", limit: MAX_ENTRIES as u64 });
            }
            None => {
                let info = described(&self.info, config);
                self.later.push(Description { info, first: Bytes::new() });
                self.later.len() as u32
            }
        };
        Ok(())
    }

    /// Keeps the packet that describes the stream.
    pub(super) fn note_first(&mut self, data: &Bytes) {
        let later = (self.entry as usize).checked_sub(1).and_then(|index| self.later.get_mut(index));
        let first = later.map_or(&mut self.first, |description| &mut description.first);
        if first.is_empty() {
            *first = data.clone();
        }
    }
}

/// The stream with another configuration, and what that says of sizes and rates.
fn described(stream: &StreamInfo, config: &Bytes) -> StreamInfo {
    let mut info = StreamInfo { config: config.clone(), ..stream.clone() };
    match (stream.codec, &mut info.media) {
        (Codec::H264, Media::Video(video)) => {
            let sps = h264::Config::parse(config).and_then(|config| h264::Sps::parse(config.sps.first()?));
            if let Some((width, height)) = sps.map(|sps| sps.display_size()) {
                video.set_size(width, height);
            }
        }
        (Codec::H265, Media::Video(video)) => {
            let sps = h265::Config::parse(config).and_then(|config| config.sps());
            if let Some((width, height)) = sps.map(|sps| sps.display_size()) {
                video.set_size(width, height);
            }
        }
        (Codec::Aac, Media::Audio(audio)) => {
            if let Some(config) = AudioSpecificConfig::parse(config) {
                audio.set_sample_rate(config.sample_rate);
                if config.channels() > 0 {
                    audio.set_channels(config.channels());
                }
            }
        }
        _ => {}
    }
    info
}

/// A packet of H.264 or H.265 with the parameter sets of `record` in front, where it has none of its own: receivers of
/// fragments know no description but the first.
pub(super) fn with_sets<'a>(codec: Codec, data: &'a Bytes, record: &Bytes) -> Cow<'a, Bytes> {
    if !annexb::parameter_sets(codec, data).is_empty() {
        return Cow::Borrowed(data);
    }
    let sets = match codec {
        _ if record.first() != Some(&1) => record.clone(),
        Codec::H264 => h264::Config::parse(record).map(|record| record.to_annexb()).unwrap_or_default(),
        _ => h265::Config::parse(record).map(|record| record.to_annexb()).unwrap_or_default(),
    };
    let sets = annexb::to_lengths(&sets, Framing::AnnexB);
    Cow::Owned([&sets[..], data].concat().into())
}
