//! Decoding of one audio stream, from packets to a file of PCM.

use maliu::{
    format::Event,
    stream::{Kind, Metadata, StreamInfo},
    streams::Chosen,
    time::TimeBase,
};
use maliu_decode::{AudioFrame, Options, Parallel};

use super::{Args, Container, Gapless, decoding, pcm_file::PcmFile, stream, window::Window};
use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{Opened, Step},
    output::Target,
    paths,
    progress::Progress,
};

/// One run of the command.
pub(super) struct Work<'a> {
    args: &'a Args,
    file: PcmFile,
    /// Tags of the input, which a WAV file takes over.
    tags: Metadata,
    window: Window,
    /// The stream being decoded, as last described.
    stream: Chosen,
    /// Made at the first packet: until then a stream may be described better and better.
    decoder: Option<Parallel>,
    progress: Option<Progress>,
    /// The first sound decides where a jump to the start goes.
    may_seek: bool,
    packets: u64,
    damaged: u64,
    changed: bool,
    /// Mono that parametric stereo may widen is stereo from the start.
    widen: bool,
    /// It could begin anew with `widen`, as nothing was handed over yet.
    may_widen: bool,
    /// It has to.
    widened: bool,
}

impl<'a> Work<'a> {
    /// Opens the output; nothing is read yet.
    pub(super) fn new(args: &'a Args, container: Container, opened: &Opened, context: &Context) -> Result<Self> {
        let whole = paths::of(&args.output).metadata().map_or(args.output != "-", |about| about.is_file());
        Ok(Work {
            args,
            file: PcmFile::new(Target::create(&args.output, context)?, container, args.format, args.shaping.clone()),
            tags: Metadata::default(),
            window: Window::new(args.start.unwrap_or_default(), args.duration),
            stream: Chosen::of(Kind::Audio, args.stream),
            decoder: None,
            progress: None,
            may_seek: args.start.is_some(),
            packets: 0,
            damaged: 0,
            changed: false,
            widen: false,
            may_widen: whole && !opened.is_live(),
            widened: false,
        })
    }

    /// Makes mono that parametric stereo may widen stereo from the start.
    pub(super) fn widening(mut self) -> Self {
        self.widen = true;
        self
    }

    /// Whether decoding must start again as [`Work::widening`] does it.
    pub(super) fn must_widen(&self) -> bool {
        self.widened
    }

    /// Reads and decodes to the end of the input or of the window.
    pub(super) fn read(&mut self, opened: &mut Opened) -> Result {
        loop {
            let step = opened.step();
            let more = match step {
                Ok(Step::Event(Event::Packet(packet))) if self.stream.is(packet.stream) => {
                    self.decoder(opened)?.push(packet);
                    // Before a jump nothing is decoded that the jump would leave out.
                    if self.may_seek { self.drain(opened)? } else { self.put_ready(opened)? }
                }
                Ok(Step::Event(Event::Packet(other))) => {
                    self.decoder.iter_mut().for_each(|decoder| decoder.pass(other.data.len()));
                    true
                }
                // All else waits for the packets before it.
                other => {
                    let more = self.drain(opened)?;
                    match other? {
                        _ if !more => false,
                        Step::End => false,
                        Step::Pause => self.file.pause().map(|()| true)?,
                        Step::Event(Event::Stream(index, info)) => {
                            self.describe(index, *info);
                            true
                        }
                        Step::Event(Event::Metadata(tags)) => {
                            self.tags = *tags;
                            true
                        }
                        Step::Event(_) => true,
                    }
                }
            };
            if !more {
                return Ok(());
            }
        }
    }

    /// Takes a description of a stream. A decoder ends when its stream becomes another.
    fn describe(&mut self, index: usize, info: StreamInfo) {
        let before = self.stream.describe(index, info);
        let changed = before.zip(self.stream.info()).is_some_and(|(before, now)| !stream::same_sound(&before, now));
        if changed {
            self.retire();
        }
    }

    fn decoder(&mut self, opened: &Opened) -> Result<&mut Parallel> {
        let decoder = match (self.decoder.take(), self.stream.info()) {
            (Some(decoder), _) => decoder,
            (None, Some(info)) => {
                let mut options = Options::default();
                options.gapless = self.args.gapless == Gapless::On;
                (options.drc, options.widen) = (self.args.drc, self.widen);
                Parallel::new(info, options, self.args.threads).map_err(|error| decoding(opened, &error))?
            }
            (None, None) => return Err(Failure::Failed(stream::no_stream(opened, self.args.stream))),
        };
        Ok(self.decoder.insert(decoder))
    }

    /// Writes what is decoded; false when nothing more is wanted.
    fn put_ready(&mut self, opened: &mut Opened) -> Result<bool> {
        while let Some(answer) = self.decoder.as_mut().and_then(Parallel::poll) {
            if !self.put(opened, answer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the sound of all packets so far; false when nothing more is wanted.
    fn drain(&mut self, opened: &mut Opened) -> Result<bool> {
        while let Some(answer) = self.decoder.as_mut().and_then(Parallel::finish) {
            if !self.put(opened, answer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the wanted part of a frame; false when nothing more is wanted.
    fn put(
        &mut self,
        opened: &mut Opened,
        answer: std::result::Result<Option<AudioFrame>, maliu::MediaError>,
    ) -> Result<bool> {
        self.packets += 1;
        let Some(mut frame) = answer.map_err(|error| decoding(opened, &error))? else { return Ok(true) };
        let base = self.stream.info().map_or(TimeBase::MICROS, |info| info.time_base);
        let more = self.window.cut(&mut frame, base);
        if !frame.is_empty() {
            if self.file.differs(&frame) && self.widens() {
                self.widened = true;
                return Ok(false);
            }
            if self.file.differs(&frame) && !std::mem::replace(&mut self.changed, true) {
                let AudioFrame { sample_rate, channels, .. } = frame;
                tracing::warn!(
                    "the sound changes to {sample_rate} Hz, {channels} channels; it is converted to that at the start"
                );
            }
            self.file.write(frame, &self.tags)?;
        }
        if more && self.window.is_settled() && std::mem::take(&mut self.may_seek) {
            self.seek(opened);
        }
        let hush = self.args.hush;
        let new = || if hush { Progress::hidden() } else { Progress::new(stream::length(opened)) };
        let progress = self.progress.get_or_insert_with(new);
        progress.show(self.window.done(), || opened.position());
        Ok(more)
    }

    /// Whether a change of channels may come from parametric stereo that begins late, so that decoding should start again.
    fn widens(&self) -> bool {
        let profile = self.decoder.as_ref().and_then(Parallel::profile);
        self.may_widen && !self.widen && profile.is_some_and(|profile| profile.name == "HE-AACv2")
    }

    /// Jumps near the start, where the input can; otherwise everything up to it is decoded and dropped.
    fn seek(&mut self, opened: &mut Opened) {
        let Some(info) = self.stream.info() else { return };
        let Some(to) = self.window.seek_to(info.time_base) else { return };
        match opened.reader.seek_to(to, info.time_base) {
            Ok(_) => {
                self.window.jumped();
                if let Some(decoder) = &mut self.decoder {
                    decoder.reset();
                }
            }
            Err(error) => tracing::info!("{}: {error}; decoding from the beginning", opened.name),
        }
    }

    /// Lets go of the decoder and says what was odd about its packets.
    fn retire(&mut self) {
        let Some(report) = self.decoder.take().map(|decoder| decoder.report()) else { return };
        self.damaged += report.damaged;
        stream::warn_of(&report);
    }

    /// Completes the file with what was good, however reading ended.
    pub(super) fn close(mut self, opened: &Opened, end: Result) -> Result {
        self.retire();
        match self.stream.info() {
            _ if self.file.is_started() => {}
            _ if end.is_err() => return end,
            None => return Err(Failure::Failed(stream::no_stream(opened, self.args.stream))),
            Some(info) => {
                if self.args.start.is_some() && end.is_ok() {
                    tracing::warn!("{} ends before --start: no sound is written", opened.name);
                }
                self.file.start(&stream::silent(info)?, &self.tags)?;
            }
        }
        if self.packets > 0 && self.damaged == self.packets {
            return Err(Failure::while_("decoding", &opened.name, "all packets are damaged"));
        }
        self.file.finish()?;
        end
    }
}
