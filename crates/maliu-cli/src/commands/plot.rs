//! `maliu plot`: a picture of an input: waveform, spectrogram, bit rate over time, groups of pictures.

use bytes::Bytes;
use maliu::output::Mark;

use crate::{
    context::Context,
    failure::{Failure, Result},
    input,
    output::{self, Target},
    paths,
    plot::{Chart, Course},
};

/// Draws an input: waveform, spectrogram, bit rate over time, groups of pictures.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,
    /// File to write, .svg or .png.
    #[arg(value_name = "OUT", value_parser = paths::parser())]
    output: String,
    /// Chart to draw: waveform, spectrogram, bitrate or gop (default: waveform, without audio bitrate).
    #[arg(long, value_name = "CHART", value_enum, hide_possible_values = true)]
    chart: Option<Chart>,
    /// Size of the picture in pixels.
    #[arg(long, value_name = "WxH", default_value = "1200x400", value_parser = size)]
    size: (u32, u32),
    #[command(flatten)]
    clobber: output::Clobber,
}

const EXAMPLES: &str = "Examples:
  maliu plot song.mp3 song.png
  maliu plot --chart spectrogram song.flac spectrum.png
  maliu plot --chart bitrate --size 1600x300 clip.mp4 rate.svg
  maliu plot --chart gop clip.mp4 groups.svg";

fn size(text: &str) -> std::result::Result<(u32, u32), String> {
    let (width, height) = text.split_once('x').unwrap_or_default();
    let side = |text: &str| text.parse().ok().filter(|side| (100..=8192).contains(side));
    side(width).zip(side(height)).ok_or_else(|| "expected a width and height of 100 to 8192, e.g. 1200x400".to_owned())
}

/// Reads and draws.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let is = |end: &str| args.output.to_ascii_lowercase().ends_with(end);
    if !is(".svg") && !is(".png") {
        return Err(Failure::Usage(format!("{}: a picture needs a name ending in .svg or .png", args.output)));
    }
    args.clobber.check(&args.output)?;
    output::is_none_of(&args.output, [args.input.path.as_str()].into_iter())?;
    let mut opened = args.input.open(context)?;
    let listens = matches!(args.chart, None | Some(Chart::Waveform | Chart::Spectrogram));
    let course = Course::of(&mut opened, listens)?;
    let chart = args.chart.unwrap_or(if course.sound.is_some() { Chart::Waveform } else { Chart::Bitrate });
    let Some(canvas) = chart.draw(&course, args.size) else {
        let why = course.unheard.unwrap_or_else(|| match chart {
            Chart::Gop => "there is no video with keyframes".to_owned(),
            Chart::Bitrate => "there are no packets with times".to_owned(),
            Chart::Waveform | Chart::Spectrogram => "there is no audio stream".to_owned(),
        });
        return Err(Failure::Failed(format!("{}: {why}", opened.name)));
    };
    let failed = |error| Failure::while_("writing", &args.output, error);
    let bytes =
        if is(".svg") { canvas.svg(false).map_err(failed)?.into_bytes() } else { canvas.png().map_err(failed)? };
    write(&args.output, bytes, context)
}

/// Writes a whole file.
pub(crate) fn write(path: &str, bytes: Vec<u8>, context: &Context) -> Result {
    let mut target = Target::create(path, context)?;
    target.output().append(Mark::Body { time: None }, [Bytes::from(bytes)]);
    target.finish()
}
