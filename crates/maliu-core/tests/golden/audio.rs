//! Frames of ADTS and MPEG audio, and AAC without its headers, as the reference has them (PAR-30…PAR-42).
//!
//! One difference is decided: bytes that are no frame are skipped with a warning, where the reference makes a unit of
//! them or glues them to the frame behind ("PAR ADTS/MP3 junk" in docs/differences.md). So our packets are the frames
//! in its units, in order, and whatever lies between them is junk to both.

use std::{
    sync::{Arc, Mutex},
    task::Poll,
};

use super::parsers::{hex, of_family};
use maliu_core::{
    error::Result,
    format::{Event, Format, Muxer, Packaging, Rules, Score},
    formats,
    input::Input,
    output::{Output, Reach},
    packet::Packet,
    reader::PacketReader,
    stream::{Audio, Codec, Media, Metadata, StreamInfo},
    syntax::{aac::AdtsHeader, mpeg_audio},
    time::{Ticks, TimeBase},
    writer::Plan,
};

/// Offset and bytes of each frame of ours.
fn frames(format: &'static Format, data: &[u8], pieces: &[usize]) -> Vec<(usize, usize)> {
    let mut reader = PacketReader::of(format, &[]).expect("no settings");
    let (mut input, mut rest, mut pieces, mut found) = (Input::new(), data, pieces.iter(), Vec::new());
    loop {
        match reader.poll(&mut input).expect("no limit is passed") {
            Poll::Ready(Event::Packet(packet)) => {
                found.push((packet.position.expect("an offset") as usize, packet.data.len()))
            }
            Poll::Ready(Event::End) => return found,
            Poll::Pending if rest.is_empty() => input.end(),
            Poll::Pending => {
                let size = pieces.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len());
                let (piece, behind) = rest.split_at(size);
                input.push(piece);
                rest = behind;
            }
            _ => {}
        }
    }
}

/// Facts of a frame in its header.
struct Head {
    length: usize,
    header: usize,
}

fn adts(bytes: &[u8]) -> Option<Head> {
    AdtsHeader::parse(bytes).map(|header| Head { length: header.frame_length, header: header.size() })
}

fn mpeg(bytes: &[u8]) -> Option<Head> {
    let length = mpeg_audio::Header::parse(bytes)?.frame_length()?;
    Some(Head { length, header: 0 })
}

fn same_adts(a: &[u8], b: &[u8]) -> bool {
    AdtsHeader::parse(a).zip(AdtsHeader::parse(b)).is_some_and(|(a, b)| a.same_stream(&b))
}

fn same_mpeg(a: &[u8], b: &[u8]) -> bool {
    let headers = mpeg_audio::Header::parse(a).zip(mpeg_audio::Header::parse(b));
    headers.is_some_and(|(a, b)| a.same_kind(&b))
}

/// A family of vectors with what is known of its frames.
struct Family {
    name: &'static str,
    format: &'static Format,
    head: fn(&[u8]) -> Option<Head>,
    same: fn(&[u8], &[u8]) -> bool,
}

/// Our packets are frames at the ends of the reference's units; a frame that continues one of ours is ours too.
fn compare(family: &Family) {
    for (id, vector) in of_family(family.name) {
        let data = hex(&vector["data"]);
        let numbers = |name: &str| vector[name].as_array().unwrap().iter();
        let pieces: Vec<_> = numbers("pieces").map(|size| size.as_u64().unwrap() as usize).collect();
        let ours = frames(family.format, &data, &pieces);
        assert_eq!(ours, frames(family.format, &data, &[]), "{id}: whole");
        let (mut end, mut theirs) = (0, Vec::new());
        for unit in numbers("units") {
            let (from, size) = (end, unit[0].as_u64().unwrap() as usize);
            end += size;
            // Junk is glued to the front of the frame behind it in MPEG audio, and a unit of its own in ADTS.
            let start = (from..end).find(|at| (family.head)(&data[*at..]).is_some_and(|head| at + head.length == end));
            theirs.extend(start.map(|at| (at, end)));
        }
        for (at, size) in &ours {
            let head = (family.head)(&data[*at..]).unwrap_or_else(|| panic!("{id}: no header at {at}"));
            assert_eq!(head.length - head.header, *size, "{id}: size of the frame at {at}");
            assert!(theirs.contains(&(*at, at + head.length)), "{id}: the reference has no frame at {at}: {theirs:?}");
        }
        for pair in theirs.windows(2) {
            let [(first, between), (next, _)] = *pair else { continue };
            let continues = between == next && (family.same)(&data[first..], &data[next..]);
            let has = |at: usize| ours.iter().any(|frame| frame.0 == at);
            assert!(!continues || !has(first) || has(next), "{id}: the frame at {next} is missing: {ours:?}");
        }
        assert!(!ours.is_empty(), "{id}: nothing compared");
    }
}

#[test]
fn adts_frames_are_those_of_the_reference_without_its_junk() {
    compare(&Family { name: "adts-split", format: &formats::adts::FORMAT, head: adts, same: same_adts });
}

#[test]
fn mpeg_audio_frames_are_those_of_the_reference_without_its_junk() {
    compare(&Family { name: "mpa-split", format: &formats::mp3::FORMAT, head: mpeg, same: same_mpeg });
}

/// A muxer that wants AAC without headers and keeps what it gets.
struct Keeps(Arc<Mutex<Vec<Packet>>>);

impl Muxer for Keeps {
    fn start(&mut self, _: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, _: &mut Output) -> Result<()> {
        self.0.lock().unwrap().push(packet.clone());
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packaging(&self, _: &StreamInfo) -> Packaging {
        Packaging::RawAac
    }
}

/// PAR-33, PAR-34. Bytes with an ADTS sync word and layer bits count as no header ("PAR-33 layer bits" in
/// docs/differences.md): such a packet is refused where the reference takes it.
#[test]
fn aac_loses_its_headers_as_in_the_reference() {
    for (id, vector) in of_family("adtstoasc") {
        let Some(packets) = vector["packets"].as_array() else {
            assert!(vector["init"].as_i64() < Some(0), "{id}: neither packets nor an error");
            continue;
        };
        let (kept, mut out) = (Arc::default(), Output::new(Reach::Append));
        let audio = Audio::new(44_100, 2);
        let mut stream = StreamInfo::new(Codec::Aac, TimeBase::MILLIS, Media::Audio(audio));
        stream.config = hex(&vector["extradata"]);
        let metadata = Metadata::default();
        let plan = Plan::new(&FORMAT, &[], &metadata);
        let mut writer = plan.start_muxer(Box::new(Keeps(Arc::clone(&kept))), &[stream], &mut out).expect("a stream");
        for (n, recorded) in packets.iter().enumerate() {
            let data = hex(&recorded["in"]);
            let layer = matches!(*data, [0xff, byte, ..] if byte & 0xf6 != 0xf0 && byte & 0xf0 == 0xf0);
            let time = Some(Ticks(n as i64));
            let done = writer.write(Packet::of(0, data).at(time), &mut out);
            let taken = kept.lock().unwrap().pop();
            let fine = recorded["ret"].as_i64() == Some(0) && !layer;
            assert_eq!(done.is_ok(), fine, "{id} packet {n}: {done:?}");
            let Some(taken) = taken else { continue };
            assert_eq!(taken.data, hex(&recorded["out"]), "{id} packet {n}");
            let config = taken.side.new_config().cloned().unwrap_or_default();
            assert_eq!(config, hex(&recorded["new_extradata"]), "{id} packet {n}: configuration");
        }
    }
}

const FORMAT: Format = Format {
    name: "replayed",
    long_name: "replayed",
    mime: &[],
    extensions: &[],
    probe: |_| Score::No("replayed"),
    demuxer: None,
    muxer: None,
    settings: &[],
    rules: Rules::STRICT,
    default_codecs: (None, None),
};
