//! `maliu decode` to pictures: a video stream to Y4M or bare YUV, or one picture of it to PNG.

use std::path::Path;

use maliu::{
    format::Event,
    output::Mark,
    stream::Kind,
    streams::Chosen,
    time::{Rounding, Ticks, TimeBase},
};
use maliu_decode::SampleFormat;
use maliu_decode::pictures::{Picture, PictureDecoder, PictureOptions, colour_of, pictures_with, quiet_library_panics};

use super::{Args, Gapless};
use crate::{
    context::Context,
    failure::{Failure, Result},
    input::Opened,
    output::Target,
};

mod png;
mod y4m;

/// Container of the samples of pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// YUV4MPEG2: a header, then each picture behind its own.
    Y4m,
    /// The planes of each picture, nothing else.
    Yuv,
    /// One picture.
    Png,
}

/// The container that a file name asks for; `None` when it asks for none of pictures.
pub(super) fn container(path: &str) -> Option<Container> {
    let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "y4m" => Some(Container::Y4m),
        "yuv" => Some(Container::Yuv),
        "png" => Some(Container::Png),
        _ => None,
    }
}

/// Reads, decodes and writes.
pub(super) fn run(args: &Args, container: Container, context: &Context) -> Result {
    if args.snapshot.is_some() && container != Container::Png {
        return Err(Failure::Usage(format!("{}: a snapshot needs a name ending in .png", args.output)));
    }
    let of_sound = [
        (args.drc, "--drc"),
        (args.gapless == Gapless::Off, "--gapless"),
        (args.threads != 0, "--threads"),
        (args.format != SampleFormat::S16Le, "--format"),
    ];
    if let Some((_, option)) = of_sound.iter().find(|(given, _)| *given) {
        return Err(Failure::Usage(format!("{option} is about sound, {} holds pictures", args.output)));
    }
    quiet_library_panics();
    let mut opened = args.input.open(context)?;
    let work = Work {
        args,
        context,
        container,
        target: None,
        stream: Chosen::of(Kind::Video, args.stream),
        decoder: None,
        best: None,
        origin: None,
        pictures: 0,
        size: None,
    };
    work.run(&mut opened)
}

struct Work<'a> {
    args: &'a Args,
    context: &'a Context,
    container: Container,
    target: Option<Target>,
    /// The stream being decoded, as last described.
    stream: Chosen,
    /// Made at the first packet: until then a stream may be described better and better.
    decoder: Option<Box<dyn PictureDecoder>>,
    /// The last picture at or before the wanted time.
    best: Option<Picture>,
    /// Time of the first picture, in µs.
    origin: Option<i64>,
    pictures: u64,
    /// Size and depth of the first picture; a header can say but one.
    size: Option<(u32, u32, u8)>,
}

enum Place {
    Before,
    Within,
    Behind,
}

const HALF_MILLISECOND: i64 = 500;

impl Work<'_> {
    fn run(mut self, opened: &mut Opened) -> Result {
        let mut may_seek = self.args.snapshot.is_some_and(|time| time > Ticks(0));
        let mut more = true;
        while let Some(event) = if more { opened.next()? } else { None } {
            match event {
                Event::Stream(index, info) => drop(self.stream.describe(index, *info)),
                Event::Packet(packet) if self.stream.is(packet.stream) => {
                    if std::mem::take(&mut may_seek) && self.seek(opened) {
                        continue;
                    }
                    let ready =
                        self.decoder(opened)?.decode(&packet).map_err(|error| super::decoding(opened, &error))?;
                    more = self.put_all(ready)?;
                }
                _ => {}
            }
        }
        if more && let Some(mut decoder) = self.decoder.take() {
            let rest = decoder.finish().map_err(|error| super::decoding(opened, &error))?;
            let report = decoder.report();
            if let Some(why) = report.first_damage {
                tracing::warn!("{} NAL units could not be decoded; the first: {why}", report.damaged);
            }
            report.notes.iter().for_each(|note| tracing::warn!("{note}"));
            self.put_all(rest)?;
        }
        self.close(opened)
    }

    fn decoder(&mut self, opened: &Opened) -> Result<&mut dyn PictureDecoder> {
        let mut options = PictureOptions::default();
        options.memory = u64::from(self.args.picture_memory) << 20;
        let decoder = match (self.decoder.take(), self.stream.info()) {
            (Some(decoder), _) => decoder,
            (None, Some(info)) => pictures_with(info, options).map_err(|error| super::decoding(opened, &error))?,
            (None, None) => return Err(Failure::Failed(format!("reading {}: there is no video stream", opened.name))),
        };
        Ok(self.decoder.insert(decoder).as_mut())
    }

    /// Jumps to the wanted time, where the input can; otherwise everything up to it is decoded and dropped.
    fn seek(&mut self, opened: &mut Opened) -> bool {
        let (Some(info), Some(wanted)) = (self.stream.info(), self.args.snapshot) else { return false };
        let to = TimeBase::MICROS.rescale(wanted, info.time_base, Rounding::Near);
        opened.reader.seek_to(to, info.time_base).is_ok()
    }

    /// Writes pictures, or looks among them for the wanted one; false when nothing more is wanted.
    fn put_all(&mut self, pictures: Vec<Picture>) -> Result<bool> {
        for picture in pictures {
            match self.place(&picture) {
                Place::Before => continue,
                Place::Behind => return Ok(false),
                Place::Within => self.pictures += 1,
            }
            if self.container == Container::Png {
                let late = self.is_late(&picture);
                if late && self.best.is_some() {
                    return Ok(false);
                }
                self.best = Some(picture);
                if late || self.args.snapshot.is_none() {
                    return Ok(false);
                }
            } else {
                self.write(picture)?;
            }
        }
        Ok(true)
    }

    /// Position of a picture, in presentation order, relative to the range of `--start` and `--duration`. The range includes
    /// its start and excludes its end; times within half a millisecond are equal.
    fn place(&mut self, picture: &Picture) -> Place {
        let base = self.stream.info().map_or(TimeBase::MICROS, |info| info.time_base);
        let Some(time) = picture.time.map(|time| base.rescale(time, TimeBase::MICROS, Rounding::Near).0) else {
            return Place::Within;
        };
        let from = time.saturating_sub(*self.origin.get_or_insert(time)).saturating_add(HALF_MILLISECOND);
        let start = self.args.start.unwrap_or_default().0;
        let end = self.args.duration.map_or(i64::MAX, |duration| start.saturating_add(duration.0));
        match from {
            from if from < start => Place::Before,
            from if from >= end => Place::Behind,
            _ => Place::Within,
        }
    }

    /// Whether it is shown after the wanted time.
    fn is_late(&self, picture: &Picture) -> bool {
        let base = self.stream.info().map_or(TimeBase::MICROS, |info| info.time_base);
        let shown = picture.time.map(|time| base.rescale(time, TimeBase::MICROS, Rounding::Near));
        shown.zip(self.args.snapshot).is_some_and(|(shown, wanted)| shown > wanted)
    }

    fn write(&mut self, picture: Picture) -> Result {
        let size = (picture.width, picture.height, picture.bit_depth);
        if self.container == Container::Y4m && *self.size.get_or_insert(size) != size {
            return Err(Failure::Failed(format!(
                "the picture changes to {}x{} of {} bits, which Y4M cannot say; a name ending in .yuv takes all",
                size.0, size.1, size.2
            )));
        }
        let target = match &mut self.target {
            Some(target) => target,
            none => none.insert(Target::create(&self.args.output, self.context)?),
        };
        let out = target.output();
        if self.container == Container::Y4m {
            if self.pictures == 1 {
                let header = y4m::header(&picture, self.stream.info());
                out.append(Mark::Header, [header.into()]);
            }
            out.append(Mark::Header, [y4m::FRAME.into()]);
        }
        out.append(Mark::Header, picture.planes.map(Into::into));
        target.pump()
    }

    fn close(mut self, opened: &Opened) -> Result {
        if let (Some(picture), Some(info)) = (&self.best, self.stream.info()) {
            let bytes = png::encode(picture, colour_of(info)).map_err(|error| Failure::Failed(error.to_string()))?;
            let target = self.target.insert(Target::create(&self.args.output, self.context)?);
            target.output().append(Mark::Header, [bytes.into()]);
        }
        match self.target {
            Some(target) => target.finish(),
            None if self.stream.info().is_none() => {
                Err(Failure::Failed(format!("reading {}: there is no video stream", opened.name)))
            }
            None if self.origin.is_some() => {
                Err(Failure::while_("decoding", &opened.name, "no picture lies in the wanted part"))
            }
            None => Err(Failure::while_("decoding", &opened.name, "no picture could be decoded")),
        }
    }
}
