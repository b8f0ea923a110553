//! The report for people: a line for the input, one for each stream, one for each packet if they are wanted.

use std::io::{self, Write};

use maliu::{
    packet::Packet,
    plain::plain,
    stream::{Media, StreamInfo},
    time::{Ticks, TimeBase},
};
use maliu_decode::Profile;

use super::{Args, codec_string, explain, facts, gop::Gops, hash::Hash, multiplex, read, report, survey::Survey};
use crate::{
    failure::Result,
    input::Opened,
    terminal::{self, Style, broken},
    time,
};

/// Reads the input and prints what is in it.
pub(super) fn print(out: &mut dyn Write, opened: &mut Opened, args: &Args) -> Result {
    let mut survey = Survey::default();
    let end = read(opened, &mut survey, args, |opened, packet| {
        one_packet(out, opened, packet, args.hash)?;
        if opened.is_live() { out.flush() } else { Ok(()) }
    });
    if opened.reader.format().is_some() {
        summary(out, opened, &survey, args)?;
    }
    if args.explain {
        explain::print(out, opened)?;
    }
    end
}

fn one_packet(out: &mut dyn Write, opened: &Opened, packet: &Packet, hash: Option<Hash>) -> io::Result<()> {
    let Some(info) = opened.reader.streams().get(packet.stream) else { return Ok(()) };
    let time = |time: Option<Ticks>| time.map_or("-".to_owned(), |time| facts::seconds(time, info.time_base));
    let kind = info.media.kind().name();
    write!(out, "{} {kind:<5} pts {} dts {}", packet.stream, time(packet.pts), time(packet.dts))?;
    write!(out, " duration {} size {}", time(Some(packet.duration.unwrap_or_default())), packet.data.len())?;
    if let Some(position) = packet.position {
        write!(out, " at {position}")?;
    }
    write!(out, " {}", report::flags(packet.flags))?;
    if let Some(hash) = hash {
        write!(out, " {}", hash.of(&packet.data))?;
    }
    writeln!(out)
}

fn summary(out: &mut dyn Write, opened: &Opened, survey: &Survey, args: &Args) -> io::Result<()> {
    let span = facts::span(opened, survey);
    write!(
        out,
        "{}: {}",
        Style::Title.paint(plain(&opened.name)),
        opened.reader.format().map_or("unknown", |format| format.name)
    )?;
    if let Some(duration) = span.duration {
        let about = if span.estimated { "about " } else { "" };
        write!(out, ", {about}{} s", facts::seconds(duration, TimeBase::MICROS))?;
        if duration.0 >= 60_000_000 {
            write!(out, " ({})", time::clock(duration))?;
        }
    }
    if let Some(size) = opened.size() {
        write!(out, ", {size} bytes")?;
        if let Some(rate) = span.duration.and_then(|duration| facts::bit_rate(size, duration)) {
            write!(out, ", {}{} kb/s", if span.estimated { "about " } else { "" }, rate / 1000)?;
        }
    }
    writeln!(out)?;
    for (index, info) in
        survey.infos(opened.reader.streams()).enumerate().filter(|(index, info)| args.takes(*index, info))
    {
        let seen = survey.of(index);
        let so_far = if survey.whole { "" } else { " so far" };
        let line = format!(
            "{index} {}, {} packets{so_far}",
            stream(&info, survey.gops(index), survey.profile(index)),
            seen.packets
        );
        for (at, line) in
            broken(&line, terminal::width().map(|width| width.saturating_sub(6).max(20))).iter().enumerate()
        {
            match line.split_once(' ').filter(|_| at == 0) {
                Some((index, rest)) => writeln!(out, "  {} {rest}", Style::Label.paint(index))?,
                None => writeln!(out, "      {line}")?,
            }
        }
        if let Some(summary) = survey.gops(index).and_then(Gops::summary) {
            writeln!(out, "    {summary}")?;
        }
    }
    if let Some(whole) = opened.reader.multiplex() {
        multiplex::text(out, &whole)?;
    }
    let tags = survey.metadata.iter().flat_map(|metadata| metadata.entries());
    for (name, value) in tags {
        tag(out, name, value)?;
    }
    for chapter in survey.metadata.iter().flat_map(|metadata| metadata.chapters()) {
        writeln!(out, "  chapter at {} s: {}", facts::seconds(chapter.start, chapter.base), plain(&chapter.title))?;
    }
    let pictures = survey.metadata.iter().flat_map(|metadata| metadata.pictures());
    for picture in pictures {
        writeln!(out, "  picture: {}, {} bytes", plain(&picture.mime), picture.size)?;
    }
    Ok(())
}

/// A tag, its lines one below the other and broken at the width of the terminal; of bytes that are no text only their number.
fn tag(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let name = plain(name).to_string();
    if is_binary(value) {
        return writeln!(out, "  {name}: {} bytes of data, see --json", value.len());
    }
    let indent = " ".repeat(name.chars().count().min(20) + 4);
    let width = terminal::width().map(|width| width.saturating_sub(indent.len()).max(20));
    for (at, line) in value.lines().flat_map(|line| broken(line, width)).enumerate() {
        match at {
            0 => writeln!(out, "  {}: {}", Style::Label.paint(&name), plain(&line))?,
            _ => writeln!(out, "{indent}{}", plain(&line))?,
        }
    }
    Ok(())
}

/// Detects binary data in a tag: a long value without spaces.
fn is_binary(value: &str) -> bool {
    value.len() > 256 && !value.contains([' ', '\n'])
}

fn stream(info: &StreamInfo, gops: Option<&Gops>, heard: Option<Profile>) -> String {
    let mut words = vec![format!("{} {}", info.media.kind().name(), info.codec)];
    let string = gops.and_then(Gops::codec_string).or_else(|| codec_string::of(info, heard.map(|heard| heard.name)));
    words.extend(string.filter(|string| string != info.codec.name()));
    let profile = gops.and_then(Gops::profile).or_else(|| facts::profile(info, heard));
    words.extend(profile.map(str::to_owned));
    match &info.media {
        Media::Audio(audio) => {
            words.push(format!("{} Hz", audio.rate()));
            words.extend(facts::core_rate(info, heard).map(|rate| format!("core {rate} Hz")));
            words.push(match facts::channel_layout(audio.channel_count(), audio.channel_mask) {
                Some(layout) => layout.to_owned(),
                None => format!("{} channels", audio.channel_count()),
            });
        }
        Media::Video(video) => {
            words.extend(facts::level(info.codec, video.level));
            let (width, height) = video.size();
            words.push(format!("{width}x{height}"));
            words.extend((video.rotation != 0).then(|| format!("rotated by {}°", video.rotation)));
            words.extend(video.hdr.as_ref().map(|_| "HDR".to_owned()));
            words.extend(
                video.frame_rate.map(|(num, den)| format!("{:.3} pictures/s", f64::from(num) / f64::from(den))),
            );
        }
        Media::Subtitle | Media::Data | Media::Attachment => {}
    }
    words.extend(info.bit_rate.map(|rate| format!("{} kb/s", rate / 1000)));
    words.push(format!("time base {}", info.time_base));
    words.extend(Some(&info.language).filter(|language| !language.is_empty()).map(|tag| plain(tag).to_string()));
    words.extend(info.disposition.names().map(str::to_owned));
    words.extend(info.encryption.as_ref().map(|how| format!("encrypted ({})", String::from_utf8_lossy(&how.scheme))));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_broken_and_data_is_counted() {
        let shown = |value: &str| {
            let mut out = Vec::new();
            tag(&mut out, "k", value).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown("a\nb"), "  k: a\n     b\n");
        assert_eq!(shown(&"A".repeat(300)), "  k: 300 bytes of data, see --json\n");
    }
}
