//! `maliu report`: one page about an input, with everything in it: facts, charts, loudness, faults.

use std::fmt::Write as _;

use maliu::{
    check::{self, Report},
    formats,
    reader::PacketReader,
};
use serde_json::Value;

use super::{plot, probe};
use crate::{
    context::Context,
    failure::{Failure, Result},
    input,
    loudness::Facts,
    output, paths,
    plot::{Chart, Course, STYLE, escaped},
};

/// Writes one HTML page about an input: streams, timeline, bit rate, groups of pictures, audio, loudness, faults.
#[derive(clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct Args {
    /// File to read. It is read several times.
    #[arg(value_name = "IN", value_parser = paths::parser())]
    input: String,
    /// File to write, .html; - is standard output.
    #[arg(value_name = "OUT", value_parser = paths::parser())]
    output: String,
    #[command(flatten)]
    clobber: output::Clobber,
}

const NOTES: &str = "Example:
  maliu report clip.flv clip.html

The page needs no network and no other file. Its figures are those of `maliu probe --json`, which it holds, of \
`maliu loudness` and of `maliu check`.";

/// Reads, measures, draws and writes.
pub(super) fn run(args: Args, context: &Context) -> Result {
    if args.input == "-" {
        return Err(Failure::Usage("the input is read several times: name a file".to_owned()));
    }
    args.clobber.check(&args.output)?;
    output::is_none_of(&args.output, [args.input.as_str()].into_iter())?;
    let input = input::Args::of(&args.input, None);
    let json = probe::json(&input, context)?;
    let facts = serde_json::from_slice(&json).map_err(|error| Failure::Failed(format!("the report: {error}")))?;
    let mut opened = input.open(context)?;
    let mut course = Course::of(&mut opened, true)?;
    let loudness = course.loudness();
    let (name, source) = input::source(&args.input, context)?;
    let faults = check::run(source, PacketReader::detect(formats::ALL));
    let faults = faults.map_err(|error| Failure::while_("reading", &name, error))?;
    let page = Page { facts: &facts, json: &json, course: &course, loudness, faults: &faults };
    plot::write(&args.output, page.html()?.into_bytes(), context)
}

struct Page<'a> {
    facts: &'a Value,
    json: &'a [u8],
    course: &'a Course,
    loudness: Option<Facts>,
    faults: &'a Report,
}

/// Size of a chart in pixels; the page stretches it.
const SIZE: (u32, u32) = (1000, 240);

impl Page<'_> {
    fn html(&self) -> Result<String> {
        let format = &self.facts["format"];
        let name = escaped(&text(&format["filename"]));
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{name}</title><style>{STYLE}</style></head><body>\n<h1>{name}</h1>\n"
        );
        out += &table(
            &[
                ("format", "format_long_name"),
                ("duration, s", "duration"),
                ("size, bytes", "size"),
                ("bit rate, bits/s", "bit_rate"),
                ("start, s", "start_time"),
            ],
            format,
        );
        self.streams(&mut out);
        self.timeline(&mut out);
        for (title, chart) in [
            ("Bit rate", Chart::Bitrate),
            ("Groups of pictures", Chart::Gop),
            ("Waveform", Chart::Waveform),
            ("Spectrogram", Chart::Spectrogram),
        ] {
            if let Some(canvas) = chart.draw(self.course, SIZE) {
                let svg = canvas.svg(true).map_err(|error| Failure::Failed(format!("drawing: {error}")))?;
                let _ = writeln!(out, "<section><h2>{title}</h2>\n<div class=\"scroll\">{svg}</div></section>");
            }
        }
        if let Some(why) = &self.course.unheard {
            let _ = writeln!(out, "<p class=\"note\">The audio is not drawn: {}</p>", escaped(why));
        }
        self.loudness(&mut out);
        self.faults(&mut out);
        self.tags(&mut out);
        let json = String::from_utf8_lossy(self.json).replace("</", "<\\/");
        let _ = writeln!(out, "<script type=\"application/json\" id=\"probe\">{json}</script>\n</body></html>");
        Ok(out)
    }

    fn streams(&self, out: &mut String) {
        const COLUMNS: [(&str, &str); 12] = [
            ("#", "index"),
            ("type", "codec_type"),
            ("codec", "codec_name"),
            ("profile", "profile"),
            ("width", "width"),
            ("height", "height"),
            ("frames/s", "avg_frame_rate"),
            ("Hz", "sample_rate"),
            ("channels", "channels"),
            ("start, s", "start_time"),
            ("duration, s", "duration"),
            ("bits/s", "bit_rate"),
        ];
        *out += "<section><h2>Streams</h2><div class=\"scroll\"><table><tr>";
        for (title, _) in &COLUMNS {
            let _ = write!(out, "<th>{title}</th>");
        }
        *out += "</tr>\n";
        for stream in self.list("streams") {
            *out += "<tr>";
            for (_, key) in COLUMNS {
                let value = text(&stream[key]);
                let _ = write!(out, "<td>{}</td>", escaped(if value == "0/0" { "" } else { &value }));
            }
            *out += "</tr>\n";
        }
        *out += "</table></div></section>\n";
    }

    /// A bar for each stream, from its start to its end.
    fn timeline(&self, out: &mut String) {
        let number = |value: &Value| text(value).parse::<f64>().ok();
        let span = |stream: &Value| {
            let start = number(&stream["start_time"]).unwrap_or(0.0);
            let whole = number(&self.facts["format"]["duration"]);
            Some((start, start + number(&stream["duration"]).or(whole)?))
        };
        let spans: Vec<_> = self.list("streams").filter_map(|stream| Some((stream, span(stream)?))).collect();
        let first = spans.iter().map(|(_, (start, _))| *start).fold(f64::INFINITY, f64::min);
        let last = spans.iter().map(|(_, (_, end))| *end).fold(0.0, f64::max);
        if spans.is_empty() || last <= first {
            return;
        }
        *out += "<section><h2>Timeline</h2>\n";
        for (stream, (start, end)) in spans {
            let share = |time: f64| (time - first) / (last - first) * 100.0;
            let index = stream["index"].as_u64().unwrap_or(0);
            let _ = writeln!(
                out,
                "<div class=\"lane\"><span>{index} {}</span><div><i style=\"left:{:.2}%;width:{:.2}%;background:var(--s{})\"></i></div></div>",
                escaped(&text(&stream["codec_name"])),
                share(start),
                (share(end) - share(start)).max(0.2),
                index % 4
            );
        }
        *out += "</section>\n";
    }

    fn loudness(&self, out: &mut String) {
        let Some(facts) = self.loudness else { return };
        let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let rows = [
            ("integrated, LUFS", show(facts.integrated)),
            ("range, LU", show(facts.range)),
            ("true peak, dBTP", show(facts.true_peak)),
            ("sample peak, dBFS", show(facts.sample_peak)),
        ];
        *out += "<section><h2>Loudness (EBU R 128)</h2><dl>";
        for (name, value) in &rows {
            let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        *out += "</dl></section>\n";
    }

    fn faults(&self, out: &mut String) {
        let Report { faults, notices, packets, .. } = self.faults;
        let _ =
            writeln!(out, "<section><h2>Faults</h2><p>packets: {packets}, faults: {faults}, notices: {notices}</p>");
        if !self.faults.list.is_empty() {
            *out += "<div class=\"scroll\"><table><tr><th>code</th><th>severity</th><th>byte</th><th>time, s</th><th>times</th><th>found</th><th>rule</th><th>remedy</th></tr>\n";
            for fault in &self.faults.list {
                let at = fault.at.map_or_else(String::new, |at| at.to_string());
                let time = fault.time.map_or_else(String::new, |time| format!("{time:.3}"));
                let cells = [
                    fault.kind.code,
                    fault.kind.severity.name(),
                    &at,
                    &time,
                    &fault.times.to_string(),
                    &fault.what,
                    fault.rule,
                    fault.fix,
                ]
                .map(escaped);
                *out += "<tr>";
                for cell in &cells {
                    let _ = write!(out, "<td>{cell}</td>");
                }
                *out += "</tr>\n";
            }
            *out += "</table></div>";
        }
        *out += "</section>\n";
    }

    fn tags(&self, out: &mut String) {
        let Some(tags) = self.facts["format"]["tags"].as_object().filter(|tags| !tags.is_empty()) else { return };
        *out += "<section><h2>Tags</h2><dl>";
        for (name, value) in tags {
            let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(&text(value)));
        }
        *out += "</dl></section>\n";
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.facts[name].as_array().into_iter().flatten()
    }
}

/// A value without quotes; nothing for what is not there.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(rows: &[(&str, &str)], from: &Value) -> String {
    let mut out = "<dl>".to_owned();
    for (title, key) in rows.iter().filter(|(_, key)| !from[*key].is_null()) {
        let _ = write!(out, "<div><dt>{title}</dt><dd>{}</dd></div>", escaped(&text(&from[*key])));
    }
    out + "</dl>\n"
}
