//! `maliu loudness`: how loud audio is, by EBU R 128.

use std::io::Write;

use crate::{
    context::Context,
    failure::Result,
    hear, input, json,
    loudness::{Facts, Loudness},
    many, output,
};

/// Measures loudness by EBU R 128: integrated loudness, loudness range, true peak.
#[derive(clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: many::Args,
    /// Index of the stream (default: the first audio stream).
    #[arg(long, value_name = "N")]
    stream: Option<usize>,
    /// Number of decoding threads (0 = one per core).
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Print one JSON object per input.
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "Examples:
  maliu loudness song.mp3
  maliu loudness --json *.flac | jq -r '[.file, .integrated] | @tsv'
  maliu decode --normalize=-16 talk.mp3 talk.wav      bring it to -16 LUFS

Integrated loudness in LUFS, loudness range (EBU Tech 3342) in LU, true peak (4 times oversampled) in dBTP, sample peak in \
dBFS. A dash, in JSON null, stands where there is only silence.";

/// Measures and prints.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let inputs = args.inputs.files()?;
    if !args.json {
        let head = "  I (LUFS)  LRA (LU)  peak (dBTP)  sample (dBFS)  file\n";
        output::print(context, |out| Ok(out.write_all(head.as_bytes())?))?;
    }
    many::each(&inputs, |path| {
        let mut opened = input::Args::of(path, None).open(context)?;
        let mut loudness = Loudness::default();
        hear::stream(&mut opened, args.stream, args.threads, |frame, _| loudness.add(&frame).map(|()| true))?;
        let facts = loudness.facts();
        output::print(context, |out| {
            if args.json { as_json(out, &opened.name, &facts) } else { as_text(out, &opened.name, &facts) }
        })
    })
}

fn as_text(out: &mut dyn Write, name: &str, facts: &Facts) -> Result {
    let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let Facts { integrated, range, true_peak, sample_peak } = *facts;
    Ok(writeln!(
        out,
        "{:>10}{:>10}{:>13}{:>15}  {}",
        show(integrated),
        show(range),
        show(true_peak),
        show(sample_peak),
        maliu::plain::plain(name)
    )?)
}

fn as_json(out: &mut dyn Write, name: &str, facts: &Facts) -> Result {
    let mut root = json::object(out)?;
    root.string("file", name)?;
    let all = [
        ("integrated", facts.integrated),
        ("range", facts.range),
        ("true_peak", facts.true_peak),
        ("sample_peak", facts.sample_peak),
    ];
    for (key, value) in all {
        root.bare(key, value.map_or_else(|| "null".to_owned(), |value| format!("{value:.2}")))?;
    }
    root.close()?;
    Ok(writeln!(out)?)
}
