//! The JSON report with ffprobe's names: `packets` as they come, then `streams`, `format` and what went wrong.

use std::io::{self, Write};

use maliu::{
    packet::{Flags, Packet},
    stream::StreamInfo,
    time::{Ticks, TimeBase},
};

use self::{
    stream::{media, role},
    tags::tags,
};
use super::{
    Args, codec_string, explain, facts,
    gop::Gops,
    hash::Hash,
    multiplex, read,
    survey::{Seen, Survey},
};
use crate::{failure::Result, input::Opened, json};

mod stream;
mod tags;

/// Reads the input and prints the report while reading. It is valid JSON however the reading ends.
pub(super) fn print(out: &mut dyn Write, opened: &mut Opened, args: &Args) -> Result {
    let mut survey = Survey::default();
    let mut root = json::object(out)?;
    let end = if args.packets {
        let mut list = root.array("packets")?;
        let end = read(opened, &mut survey, args, |opened, packet| {
            one_packet(list.item()?, opened, packet, args.hash)?;
            if opened.is_live() { list.flush() } else { Ok(()) }
        });
        list.close()?;
        end
    } else {
        read(opened, &mut survey, args, |_, _| Ok(()))
    };
    let mut list = root.array("streams")?;
    let file = is_mp4(opened);
    for (index, info) in
        survey.infos(opened.reader.streams()).enumerate().filter(|(index, info)| args.takes(*index, info))
    {
        one_stream(list.item()?, index, &info, &survey, file)?;
    }
    list.close()?;
    if let Some(whole) = opened.reader.multiplex() {
        multiplex::json(&mut root, &whole, opened.reader.streams())?;
    }
    whole_format(root.object("format")?, opened, &survey)?;
    if args.explain {
        explain::json(root.object("verdict")?, opened)?;
    }
    if let Err(failure) = &end {
        root.string("error", &failure.to_string())?;
    }
    root.close()?;
    writeln!(out)?;
    end
}

fn one_packet(mut item: json::Open, opened: &Opened, packet: &Packet, hash: Option<Hash>) -> io::Result<()> {
    let Some(info) = opened.reader.streams().get(packet.stream) else { return item.close() };
    item.plain("codec_type", info.media.kind().name())?;
    item.bare("stream_index", packet.stream)?;
    let known = packet.duration.filter(|duration| *duration != Ticks(0));
    for (name, time) in [("pts", packet.pts), ("dts", packet.dts), ("duration", known)] {
        if let Some(time) = time {
            item.bare(name, time)?;
            item.plain(&format!("{name}_time"), facts::seconds(time, info.time_base))?;
        }
    }
    item.plain("size", packet.data.len())?;
    if let Some(position) = packet.position {
        item.plain("pos", position)?;
    }
    item.plain("flags", flags(packet.flags))?;
    if let Some(hash) = hash {
        item.plain("data_hash", hash.of(&packet.data))?;
    }
    let trim = packet.side.trim();
    if trim != Default::default() {
        let mut side = item.array("side_data_list")?;
        let mut skip = side.item()?;
        skip.plain("side_data_type", "Skip Samples")?;
        skip.bare("skip_samples", trim.start)?;
        skip.bare("discard_padding", trim.end)?;
        skip.close()?;
        side.close()?;
    }
    item.close()
}

/// Key, discard, corrupt: a letter or an underscore each, in ffprobe's order.
pub(super) fn flags(flags: Flags) -> String {
    let letters = [(Flags::KEY, 'K'), (Flags::DISCARD, 'D'), (Flags::CORRUPT, 'C')];
    letters.iter().map(|(flag, letter)| if flags.has(*flag) { *letter } else { '_' }).collect()
}

/// Returns true for MP4, which states the number of samples of each stream.
fn is_mp4(opened: &Opened) -> bool {
    opened.reader.format().is_some_and(|format| format.name == "mp4")
}

fn one_stream(mut item: json::Open, index: usize, info: &StreamInfo, survey: &Survey, mp4: bool) -> io::Result<()> {
    let seen = survey.of(index);
    item.bare("index", index)?;
    item.plain("codec_name", info.codec.name())?;
    item.string("codec_long_name", info.codec.long_name())?;
    let gops = survey.gops(index);
    if let Some(profile) = gops.and_then(|gops| gops.profile()).or_else(|| facts::profile(info, survey.profile(index)))
    {
        item.plain("profile", profile)?;
    }
    item.plain("codec_type", info.media.kind().name())?;
    item.string("codec_tag_string", &facts::tag_string(info.codec_tag.map_or(0, |tag| tag.get())))?;
    item.plain("codec_tag", format_args!("{:#06x}", info.codec_tag.map_or(0, |tag| tag.get())))?;
    media(&mut item, info, gops)?;
    facts::rates(info, &seen, survey.whole).iter().try_for_each(|(name, rate)| item.plain(name, rate))?;
    if let Some(core_rate) = facts::core_rate(info, survey.profile(index)) {
        item.plain("core_sample_rate", core_rate)?;
    }
    let codec = gops
        .and_then(Gops::codec_string)
        .or_else(|| codec_string::of(info, survey.profile(index).map(|heard| heard.name)));
    if let Some(codec) = codec {
        item.plain("codec_string", codec)?;
    }
    if let Some(gops) = gops {
        pictures(&mut item, gops)?;
    }
    item.plain("time_base", info.time_base)?;
    let duration = info.duration.or_else(|| seen.duration().filter(|_| survey.whole));
    for (name, ticks, time) in
        [("start_time", "start_pts", info.start.or(seen.start)), ("duration", "duration_ts", duration)]
    {
        if let Some(time) = time {
            item.bare(ticks, time)?;
            item.plain(name, facts::seconds(time, info.time_base))?;
        }
    }
    if let Some(rate) = info.bit_rate.or_else(|| measured(&seen, info.time_base)) {
        item.plain("bit_rate", rate)?;
    }
    if !info.config.is_empty() {
        item.bare("extradata_size", info.config.len())?;
    }
    if survey.whole && mp4 && seen.packets > 0 {
        item.plain("nb_frames", seen.packets)?;
    }
    if survey.whole {
        item.plain("nb_read_packets", seen.packets)?;
    }
    role(&mut item, info)?;
    tags(&mut item, &info.metadata)?;
    item.close()
}

/// How pictures follow each other, beyond what ffprobe says.
fn pictures(item: &mut json::Open, gops: &Gops) -> io::Result<()> {
    let Some(size) = gops.size() else { return Ok(()) };
    let mut gop = item.object("gop")?;
    gop.bare("pictures", size)?;
    gop.bare("b_pictures", gops.b_pictures())?;
    gop.bare("closed", gops.closed())?;
    gop.plain("pattern", gops.pattern())?;
    gop.close()
}

fn measured(seen: &Seen, base: TimeBase) -> Option<u64> {
    facts::bit_rate(seen.bytes, facts::micros(seen.duration()?, base))
}

fn whole_format(mut item: json::Open, opened: &Opened, survey: &Survey) -> io::Result<()> {
    item.string("filename", &opened.name)?;
    item.bare("nb_streams", opened.reader.streams().len())?;
    if let Some(format) = opened.reader.format() {
        item.plain("format_name", format.name)?;
        item.string("format_long_name", format.long_name)?;
    }
    let span = facts::span(opened, survey);
    if let Some(start) = span.start {
        item.plain("start_time", facts::seconds(start, TimeBase::MICROS))?;
    }
    if let Some(duration) = span.duration {
        item.plain("duration", facts::seconds(duration, TimeBase::MICROS))?;
        if span.estimated {
            item.bare("duration_estimated", true)?;
        }
    }
    if let Some(size) = opened.size() {
        item.plain("size", size)?;
        if let Some(rate) = span.duration.and_then(|duration| facts::bit_rate(size, duration)) {
            item.plain("bit_rate", rate)?;
        }
    }
    if let Some(metadata) = &survey.metadata {
        tags(&mut item, metadata)?;
    }
    item.close()
}
