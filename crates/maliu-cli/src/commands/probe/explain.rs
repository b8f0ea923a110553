//! The explained verdict: which formats scored what and why, and how each stream was recognised.

use std::io::{self, Write};

use maliu::{plain::plain, stream::StreamInfo};

use crate::{input::Opened, json};

/// Prints it for people.
pub(super) fn print(out: &mut dyn Write, opened: &Opened) -> io::Result<()> {
    let verdict = opened.reader.verdict();
    writeln!(out, "how it was recognised:")?;
    if verdict.scores.is_empty() {
        writeln!(out, "  the format was declared, nothing was probed")?;
    } else {
        writeln!(out, "  {} bytes looked at, {} of them an ID3v2 tag", verdict.looked_at, verdict.tag)?;
    }
    for (name, score) in &verdict.scores {
        let mark = if verdict.chosen == Some(name) { '>' } else { ' ' };
        writeln!(out, "  {mark} {name:<10} {:<6} {}", score.name(), score.why())?;
    }
    for (index, info) in opened.reader.streams().iter().enumerate() {
        writeln!(out, "  stream {index}: {}", recognised(info))?;
    }
    let layout = opened.reader.layout();
    if !layout.is_empty() {
        writeln!(out, "how it is laid out:")?;
    }
    layout.iter().try_for_each(|line| writeln!(out, "  {}", plain(line)))
}

/// Writes it as members of an object.
pub(super) fn json(mut item: json::Open, opened: &Opened) -> io::Result<()> {
    let verdict = opened.reader.verdict();
    item.bare("looked_at", verdict.looked_at)?;
    item.bare("tag", verdict.tag)?;
    if let Some(chosen) = verdict.chosen {
        item.plain("chosen", chosen)?;
    }
    let mut scores = item.array("scores")?;
    for (name, score) in &verdict.scores {
        let mut one = scores.item()?;
        one.plain("format", name)?;
        one.plain("score", score.name())?;
        one.string("why", score.why())?;
        one.close()?;
    }
    scores.close()?;
    let mut streams = item.array("streams")?;
    for (index, info) in opened.reader.streams().iter().enumerate() {
        let mut one = streams.item()?;
        one.bare("index", index)?;
        one.string("how", &recognised(info))?;
        one.close()?;
    }
    streams.close()?;
    let layout = opened.reader.layout();
    if !layout.is_empty() {
        let mut lines = item.array("layout")?;
        for line in &layout {
            let mut one = lines.item()?;
            one.string("what", line)?;
            one.close()?;
        }
        lines.close()?;
    }
    item.close()
}

fn recognised(info: &StreamInfo) -> String {
    let by = match info.codec_tag {
        None => "by its own headers".to_owned(),
        Some(tag) => format!("by the container's codec number {tag:#x}"),
    };
    let config = match info.config.len() {
        0 => "without codec configuration".to_owned(),
        bytes => {
            let head: String = info.config.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("with {bytes} bytes of codec configuration ({head}{})", if bytes > 8 { "…" } else { "" })
        }
    };
    format!("{} {by}, {config}", info.codec)
}
