//! `maliu nals`: the NAL units of an H.264 or H.265 stream, one line each.

use std::io::{self, Write};

use maliu::{format::Event, time::Ticks};

use crate::{
    context::Context,
    failure::{Failure, Result},
    input::{self, Opened},
    json, many, output,
    terminal::Style,
    video::{Nal, Picture, Video},
    watch,
};

/// Lists the NAL units of an H.264 or H.265 stream.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,
    /// Further files; folders with --recursive. The lists follow each other.
    #[arg(value_name = "IN", value_parser = crate::paths::parser())]
    more: Vec<String>,
    /// Take all files below folders that are inputs.
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    watch: watch::Args,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Index of the stream (default: the first one of these codecs).
    #[arg(long, value_name = "N")]
    stream: Option<usize>,
}

const EXAMPLES: &str = "Examples:
  maliu nals clip.h264
  maliu nals --json talk.flv | jq '.nals[] | select(.type == 7)'

Columns: offset (in a container: offset of the packet + offset in it), bytes of the start code or length, \
size, type and its name, nal_ref_idc (H.264) or temporal_id and nuh_layer_id (H.265), presentation time in seconds, access \
unit; then slice type, picture order count, parameter sets. --json has the decoding time, too.";

/// Reads and prints.
pub(super) fn run(mut args: Args, context: &Context) -> Result {
    let mut paths = vec![args.input.path.clone()];
    paths.append(&mut args.more);
    let (watch, recursive) = (args.watch.clone(), args.recursive);
    let list = || if paths == ["-"] { Ok(paths.clone()) } else { many::files(&paths, recursive) };
    watch.each(context, list, |path| {
        path.clone_into(&mut args.input.path);
        one(&args, context)
    })
}

fn one(args: &Args, context: &Context) -> Result {
    let mut opened = args.input.open(context)?;
    let mut titled = false;
    output::print(context, |out| match args.json {
        true => all_json(out, &mut opened, args.stream),
        false => read(&mut opened, args.stream, |opened, lines| {
            if !std::mem::replace(&mut titled, true) {
                writeln!(out, "{}", Style::Label.paint(TITLES))?;
            }
            lines.iter().try_for_each(|line| one_text(out, line))?;
            if opened.is_live() { out.flush() } else { Ok(()) }
        }),
    })
}

fn all_json(out: &mut dyn Write, opened: &mut Opened, stream: Option<usize>) -> Result {
    let mut root = json::object(out)?;
    let mut list = root.array("nals")?;
    let end = read(opened, stream, |opened, lines| {
        lines.iter().try_for_each(|line| one_json(list.item()?, line))?;
        if opened.is_live() { list.flush() } else { Ok(()) }
    });
    list.close()?;
    if let Err(failure) = &end {
        root.string("error", &failure.to_string())?;
    }
    root.close()?;
    writeln!(out)?;
    end
}

/// A NAL unit and where it was met.
struct Line<'a> {
    nal: &'a Nal,
    picture: Picture,
    access_unit: u64,
    /// Times of the packet in seconds, as text.
    pts: Option<&'a str>,
    dts: Option<&'a str>,
    /// Offset of the packet in the input.
    packet: Option<u64>,
    /// Whether the packet stands in the input byte for byte.
    raw: bool,
}

/// Hands on the units of each packet.
fn read(
    opened: &mut Opened,
    wanted: Option<usize>,
    mut print: impl FnMut(&Opened, &[Line<'_>]) -> io::Result<()>,
) -> Result {
    let mut chosen: Option<(usize, Video)> = None;
    let (mut access_unit, mut zeros) = (0, 0);
    while let Some(event) = opened.next()? {
        match event {
            Event::Stream(index, info) => {
                let fits = match (&chosen, wanted) {
                    (Some((known, _)), _) => *known == index,
                    (None, wanted) => wanted.is_none_or(|wanted| wanted == index),
                };
                // The facts that a packet of a raw stream needs are in the stream itself.
                let is_new = chosen.is_none() || !is_raw(opened);
                if let Some(video) = Video::new(&info).filter(|_| fits && is_new) {
                    chosen = Some((index, video));
                }
            }
            Event::Packet(packet) => {
                let Some((_, video)) = chosen.as_mut().filter(|(index, _)| *index == packet.stream) else { continue };
                let (mut nals, picture) = video.packet(&packet.data);
                let raw = is_raw(opened);
                // Zeros at the end of the packet before belong to this one's first start code.
                if let Some(first) = nals.first_mut().filter(|first| raw && first.at == first.prefix) {
                    first.prefix += zeros;
                }
                zeros = packet.data.iter().rev().take_while(|byte| **byte == 0).count();
                let seconds = |time: Option<Ticks>| time.map(|time| format!("{:.6}", packet.time_base.seconds(time)));
                let (pts, dts) = (seconds(packet.pts), seconds(packet.dts));
                let (pts, dts) = (pts.as_deref(), dts.as_deref());
                let line = |nal| Line { nal, picture, access_unit, pts, dts, packet: packet.position, raw };
                print(opened, &nals.iter().map(line).collect::<Vec<_>>())?;
                access_unit += 1;
            }
            _ => {}
        }
    }
    match chosen {
        Some(_) => Ok(()),
        None => Err(Failure::Failed(format!("reading {}: there is no H.264 or H.265 stream", opened.name))),
    }
}

fn is_raw(opened: &Opened) -> bool {
    opened.reader.format().is_some_and(|format| matches!(format.name, "h264" | "h265"))
}

/// The titles of the columns of [`one_text`].
const TITLES: &str =
    "      offset p     size no name               header          pts access unit, slice, parameter sets";

fn one_text(out: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
    let Line { nal, picture, .. } = *line;
    let at = match line.packet {
        Some(packet) if line.raw => (packet + nal.at as u64).to_string(),
        Some(packet) => format!("{packet}+{}", nal.at),
        None => format!("+{}", nal.at),
    };
    let header = match nal.header[..] {
        [(_, reference)] => format!("ref {reference}"),
        [(_, 0), (_, temporal)] => format!("tid {temporal}"),
        [(_, layer), (_, temporal), ..] => format!("tid {temporal} layer {layer}"),
        [] => String::new(),
    };
    write!(
        out,
        "{at:>12} {} {:>8} {:>2} {:<18} {header:<6} {:>12} au {:<6}",
        nal.prefix,
        nal.size,
        nal.number,
        nal.name,
        line.pts.unwrap_or("-"),
        line.access_unit
    )?;
    if nal.is_slice {
        write!(out, " {}", nal.slice.unwrap_or("?"))?;
        if let Some(order) = picture.order {
            write!(out, " poc {order}")?;
        }
    }
    for (kind, id) in &nal.sets {
        write!(out, " {kind} {id}")?;
    }
    writeln!(out)
}

fn one_json(mut item: json::Open, line: &Line<'_>) -> io::Result<()> {
    let Line { nal, picture, .. } = *line;
    match line.packet {
        Some(packet) if line.raw => item.bare("offset", packet + nal.at as u64)?,
        packet => {
            if let Some(packet) = packet {
                item.bare("packet", packet)?;
            }
            item.bare("offset_in_packet", nal.at)?;
        }
    }
    item.bare(if line.raw { "start_code" } else { "prefix" }, nal.prefix)?;
    item.bare("size", nal.size)?;
    item.bare("type", nal.number)?;
    item.plain("name", nal.name)?;
    for (name, value) in &nal.header {
        item.bare(name, value)?;
    }
    for (name, time) in [("pts_time", line.pts), ("dts_time", line.dts)] {
        if let Some(time) = time {
            item.plain(name, time)?;
        }
    }
    item.bare("access_unit", line.access_unit)?;
    if let Some(slice) = nal.slice {
        item.plain("slice", slice)?;
    }
    if let Some(order) = picture.order.filter(|_| nal.is_slice) {
        item.bare("poc", order)?;
    }
    for (kind, id) in &nal.sets {
        item.bare(kind, id)?;
    }
    item.close()
}
