//! Decoded audio of one stream, frame by frame.

use maliu::{
    format::Event,
    packet::Packet,
    stream::{Kind, StreamInfo},
    streams::Chosen,
    time::TimeBase,
};
use maliu_decode::{AudioFrame, Options, Parallel};

use crate::{
    failure::{Failure, Result},
    input::Opened,
};

/// Decodes stream `wanted`, or the first one with audio, and hands on each frame with the time base of its stream, until
/// `put` wants no more. Returns the stream.
///
/// Fails where there is no such stream, or it cannot be decoded.
pub(crate) fn stream(
    opened: &mut Opened,
    wanted: Option<usize>,
    threads: usize,
    mut put: impl FnMut(AudioFrame, TimeBase) -> Result<bool>,
) -> Result<StreamInfo> {
    let mut ear = Ear::new(wanted, threads);
    while let Some(event) = opened.next()? {
        if !ear.event(event, &opened.name, &mut put)? {
            return ear.described(&opened.name);
        }
    }
    ear.finish(&opened.name, &mut put)?;
    ear.described(&opened.name)
}

/// A stream being listened to while events pass.
pub(crate) struct Ear {
    chosen: Chosen,
    wanted: Option<usize>,
    decoder: Option<Parallel>,
    threads: usize,
}

impl Ear {
    /// For stream `wanted`, or the first one with audio.
    pub(crate) fn new(wanted: Option<usize>, threads: usize) -> Self {
        Self { chosen: Chosen::of(Kind::Audio, wanted), wanted, decoder: None, threads }
    }

    /// Takes an event of the input.
    pub(crate) fn event(
        &mut self,
        event: Event,
        name: &str,
        put: &mut impl FnMut(AudioFrame, TimeBase) -> Result<bool>,
    ) -> Result<bool> {
        match event {
            Event::Stream(index, info) => {
                let before = self.chosen.describe(index, *info);
                let sound = |info: &StreamInfo| info.as_audio().map(|audio| (audio.rate(), audio.channel_count()));
                let other = before.zip(self.chosen.info()).is_some_and(|(before, now)| {
                    (before.codec, &before.config, sound(&before)) != (now.codec, &now.config, sound(now))
                });
                if other {
                    self.finish(name, put)?;
                }
                Ok(true)
            }
            Event::Packet(packet) if self.chosen.is(packet.stream) => self.packet(packet, name, put),
            Event::Packet(other) => {
                self.decoder.iter_mut().for_each(|decoder| decoder.pass(other.data.len()));
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn packet(
        &mut self,
        packet: Packet,
        name: &str,
        put: &mut impl FnMut(AudioFrame, TimeBase) -> Result<bool>,
    ) -> Result<bool> {
        let Some(info) = self.chosen.info() else { return Ok(true) };
        let base = info.time_base;
        let failed = |error: maliu::MediaError| Failure::while_("decoding", name, error);
        if self.decoder.is_none() {
            self.decoder = Some(Parallel::new(info, Options::default(), self.threads).map_err(failed)?);
        }
        let Some(decoder) = &mut self.decoder else { return Ok(true) };
        decoder.push(packet);
        while let Some(answer) = decoder.poll() {
            if let Some(frame) = answer.map_err(failed)?
                && !put(frame, base)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands on what is still being decoded.
    pub(crate) fn finish(&mut self, name: &str, put: &mut impl FnMut(AudioFrame, TimeBase) -> Result<bool>) -> Result {
        let base = self.chosen.info().map_or(TimeBase::MICROS, |info| info.time_base);
        let Some(mut decoder) = self.decoder.take() else { return Ok(()) };
        while let Some(answer) = decoder.finish() {
            if let Some(frame) = answer.map_err(|error| Failure::while_("decoding", name, error))?
                && !put(frame, base)?
            {
                break;
            }
        }
        Ok(())
    }

    fn described(&self, name: &str) -> Result<StreamInfo> {
        self.chosen.info().cloned().ok_or_else(|| {
            Failure::Failed(match self.wanted {
                Some(wanted) => format!("reading {name}: there is no stream {wanted}"),
                None => format!("reading {name}: there is no audio stream"),
            })
        })
    }
}
