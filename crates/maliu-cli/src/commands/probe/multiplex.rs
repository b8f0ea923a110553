//! A transport stream as a whole: its programs by their tables, the share of each PID, its clocks.

use std::io::{self, Write};

use maliu::{
    formats::mpegts::{ClockFacts, Multiplex, PidFacts, Pmt, ProgramFacts},
    plain::plain,
    stream::StreamInfo,
};

use crate::json;

/// `programs` with ffprobe's names, and `transport` beyond it.
pub(super) fn json(root: &mut json::Open, whole: &Multiplex, streams: &[StreamInfo]) -> io::Result<()> {
    let mut list = root.array("programs")?;
    for program in &whole.programs {
        one_program(list.item()?, program, streams)?;
    }
    list.close()?;
    let mut item = root.object("transport")?;
    item.bare("packet_size", whole.packet_size)?;
    item.bare("packets", whole.packets)?;
    let numbers = [
        ("transport_stream_id", whole.stream_id),
        ("original_network_id", whole.network_id),
        ("pat_version", whole.pat_version.map(u16::from)),
        ("sdt_version", whole.sdt_version.map(u16::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            item.bare(name, number)?;
        }
    }
    if let Some(rate) = whole.bit_rate {
        item.bare("bit_rate", rate)?;
        item.bare("constant_rate", whole.constant_rate)?;
    }
    let mut list = item.array("pids")?;
    for facts in &whole.pids {
        one_pid(list.item()?, facts)?;
    }
    list.close()?;
    let mut list = item.array("clocks")?;
    for facts in &whole.clocks {
        one_clock(list.item()?, facts)?;
    }
    list.close()?;
    item.close()
}

fn one_program(mut item: json::Open, program: &ProgramFacts, streams: &[StreamInfo]) -> io::Result<()> {
    item.bare("program_id", program.number)?;
    item.bare("program_num", program.number)?;
    item.bare("nb_streams", program.map.as_ref().map_or(0, |map| map.streams.len()))?;
    item.bare("pmt_pid", program.map_pid)?;
    if let Some(version) = program.map_version {
        item.bare("pmt_version", version)?;
    }
    if let Some(map) = &program.map {
        item.bare("pcr_pid", map.pcr_pid)?;
        named(&mut item, map, streams)?;
    }
    if program.service.is_some() || program.event.is_some() {
        let mut tags = item.object("tags")?;
        if let Some(service) = &program.service {
            tags.string("service_name", &service.name)?;
            tags.string("service_provider", &service.provider)?;
            tags.bare("service_type", service.kind)?;
        }
        if let Some(event) = &program.event {
            tags.string("event_name", event)?;
        }
        tags.close()?;
    }
    item.close()
}

/// The streams that a map names, and which of those that were read they are.
fn named(item: &mut json::Open, map: &Pmt, streams: &[StreamInfo]) -> io::Result<()> {
    let mut list = item.array("streams")?;
    for stream in &map.streams {
        let mut entry = list.item()?;
        entry.plain("id", format_args!("{:#x}", stream.pid))?;
        entry.plain("stream_type", format_args!("{:#04x}", stream.stream_type))?;
        if let Some(letters) = stream.registration() {
            entry.string("registration", &letters.escape_ascii().to_string())?;
        }
        let read = streams.iter().enumerate().find(|(_, info)| info.id == Some(stream.pid.into()));
        if let Some((index, info)) = read {
            entry.bare("index", index)?;
            entry.plain("codec_name", info.codec.name())?;
        }
        entry.close()?;
    }
    list.close()
}

fn one_pid(mut item: json::Open, facts: &PidFacts) -> io::Result<()> {
    item.plain("id", format_args!("{:#x}", facts.pid))?;
    item.bare("packets", facts.packets)?;
    if let Some(rate) = facts.bit_rate {
        item.bare("bit_rate", rate)?;
    }
    let counts = [
        ("continuity_errors", facts.gaps),
        ("duplicates", facts.duplicates),
        ("transport_errors", facts.errors),
        ("scrambled", facts.scrambled),
    ];
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        item.bare(name, count)?;
    }
    item.close()
}

fn one_clock(mut item: json::Open, facts: &ClockFacts) -> io::Result<()> {
    item.plain("id", format_args!("{:#x}", facts.pid))?;
    item.bare("references", facts.references)?;
    item.bare("longest_interval_us", facts.longest_us)?;
    item.bare("jitter_ns", facts.jitter_ns)?;
    item.close()
}

/// A line for each program.
pub(super) fn text(out: &mut dyn Write, whole: &Multiplex) -> io::Result<()> {
    for program in &whole.programs {
        write!(out, "  program {}", program.number)?;
        if let Some(service) = &program.service {
            write!(out, " {}", plain(&service.name))?;
            if !service.provider.is_empty() {
                write!(out, " ({})", plain(&service.provider))?;
            }
        }
        match &program.map {
            Some(map) => {
                let pids: Vec<String> = map.streams.iter().map(|stream| format!("{:#x}", stream.pid)).collect();
                writeln!(out, ": map {:#x}, clock {:#x}, streams {}", program.map_pid, map.pcr_pid, pids.join(" "))?;
            }
            None => writeln!(out, ": no map on {:#x}", program.map_pid)?,
        }
    }
    let constant = if whole.constant_rate { "constant" } else { "variable" };
    match whole.bit_rate {
        Some(rate) => writeln!(out, "  transport stream: {rate} bits/s, {constant} rate, {} packets", whole.packets),
        None => writeln!(out, "  transport stream: {} packets", whole.packets),
    }
}
