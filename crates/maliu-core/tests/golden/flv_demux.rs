//! Output of the reference's FLV demuxer for recorded files, compared with ours (FLD-1…FLD-30).

use std::task::Poll;

use maliu_core::{
    format::Event,
    formats::flv,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, Media, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
};
use serde_json::{Value, json};

use super::recorder::adler32;

/// Everything a file gave.
#[derive(Default)]
struct Given {
    packets: Vec<Packet>,
    streams: Vec<StreamInfo>,
    tags: Metadata,
    duration: Option<i64>,
    warnings: usize,
}

#[test]
fn packets_streams_and_tags_are_those_of_the_reference() {
    let vectors = vectors();
    let mut compared = 0;
    for vector in &vectors {
        let given = read(vector);
        match exempt(vector, &given) {
            Some("FLD PreviousTagSize") => data_size_is_followed(vector, &given),
            Some("FLD-10 H.263/MPEG-4") => one_stream_for_each_codec(vector, &given),
            Some("FLD-12 forward") => metadata_packets_are_whole(vector, &given),
            Some("FLD-25 junk") => what_is_behind_junk_is_tags(vector, &given),
            Some(rule) => panic!("{rule} is no rule"),
            None => {
                same(vector, &given);
                compared += 1;
            }
        }
    }
    println!("{compared} of {} vectors compared, the others exempt by rule", vectors.len());
    assert!(vectors.is_empty() || compared * 10 > vectors.len() * 9, "few vectors are exempt");
}

/// The rule of docs/differences.md that a vector falls under.
fn exempt(vector: &Value, given: &Given) -> Option<&'static str> {
    match vector["kind"].as_str().unwrap_or_default() {
        "previous sizes all zero" if vector["ignore_prevtag"] == 0 => Some("FLD PreviousTagSize"),
        "mpeg4 and h263" => Some("FLD-10 H.263/MPEG-4"),
        kind if kind.starts_with("metadata at non-zero time") && vector["seekable"] == 0 => Some("FLD-12 forward"),
        _ if ends_at_junk(vector, given) => Some("FLD-25 junk"),
        _ => None,
    }
}

/// Whether the reference ended at bytes that are no tag, and we went on behind them.
fn ends_at_junk(vector: &Value, given: &Given) -> bool {
    let theirs: Vec<&Value> = vector["packets"].as_array().expect("packets").iter().filter(|p| p.is_array()).collect();
    let ours: Vec<Value> = given.packets.iter().map(packet_json).collect();
    let before = ours.len() > theirs.len() && ours.iter().zip(&theirs).all(|(ours, theirs)| ours == *theirs);
    let data = unhex(&vector["data"]);
    let last = theirs.last().and_then(|packet| packet[4].as_u64()).map(|at| at as usize);
    let next = last.map_or(Some(13), |at| tag_end(&data, at));
    before && next.is_some_and(|at| tag_end(&data, at).is_none())
}

/// Where the tag at `at` ends, behind its size; `None` where none stands whose size is right.
fn tag_end(data: &[u8], at: usize) -> Option<usize> {
    let [_, s2, s1, s0] = *data.get(at..)?.first_chunk()?;
    let end = at + 11 + u32::from_be_bytes([0, s2, s1, s0]) as usize;
    let behind = u32::from_be_bytes(*data.get(end..)?.first_chunk()?) as usize;
    (behind == end - at).then_some(end + 4)
}

/// FLD-25: what we read behind junk at which the reference ends is whole tags.
fn what_is_behind_junk_is_tags(vector: &Value, given: &Given) {
    let data = unhex(&vector["data"]);
    let theirs = vector["packets"].as_array().expect("packets").iter().filter(|packet| packet.is_array()).count();
    for packet in &given.packets[theirs..] {
        let at = packet.position.expect("a position") as usize;
        assert!(tag_end(&data, at).is_some(), "{}: no tag at {at}", vector["id"]);
    }
    assert!(given.warnings > 0, "{}: junk is warned of", vector["id"]);
}

fn same(vector: &Value, given: &Given) {
    let id = vector["id"].as_str().unwrap_or_default();
    let all = vector["packets"].as_array().expect("packets");
    let expected: Vec<&Value> = all.iter().filter(|packet| packet.is_array()).collect();
    let refused = all.len() - expected.len();
    let ours: Vec<Value> = given.packets.iter().map(packet_json).collect();
    assert_eq!(ours.iter().collect::<Vec<_>>(), expected, "{id}: packets");
    assert!(given.warnings >= refused, "{id}: what the reference refuses is warned of");
    let expected = vector["streams"].as_array().expect("streams");
    // FLD-24: the reference opens streams for junk that looks like a tag before it looks at the size behind it.
    let junk = vector["kind"] == "junk between tags" && given.streams.len() < expected.len();
    assert!(junk || given.streams.len() == expected.len(), "{id}: {} streams", given.streams.len());
    for (stream, expected) in given.streams.iter().zip(expected) {
        compare_stream(id, stream, expected);
    }
    let tags: Vec<_> = given.tags.entries().iter().map(|(k, v)| (k.clone(), json!(shortened(v)))).collect();
    assert_eq!(Value::Object(tags.into_iter().collect()), vector["metadata"], "{id}: tags");
    assert_eq!(json!(given.duration), vector["duration"], "{id}: duration");
}

fn compare_stream(id: &str, ours: &StreamInfo, expected: &Value) {
    assert_eq!(ours.codec.kind().name(), expected["type"], "{id}: kind");
    let mp3_at_8khz = expected["tag"] == 14 && ours.codec == Codec::Mp3;
    assert_eq!(ours.bit_rate.unwrap_or(0), expected["bitrate"].as_u64().unwrap(), "{id}: bit rate");
    if mp3_at_8khz {
        // FLD-19: SoundFormat 14 is MP3 at 8 kHz.
        return;
    }
    let name = match ours.codec {
        Codec::UnknownAudio | Codec::UnknownVideo => "none",
        codec => codec.name(),
    };
    assert_eq!(name, expected["codec"], "{id}: codec");
    assert_eq!(ours.codec_tag.map_or(0, |tag| tag.get()), expected["tag"].as_u64().unwrap() as u32, "{id}: codec tag");
    assert_eq!(hex(&ours.config), expected["extradata"], "{id}: configuration");
    match &ours.media {
        Media::Audio(audio) => {
            assert_eq!(audio.bits_per_sample, expected["bits"].as_u64().unwrap() as u16, "{id}: bits");
            // FLD-19: rate and channels of a codec that says them itself are what it says.
            if !matches!(ours.codec, Codec::Aac | Codec::Mp3) {
                assert_eq!(
                    json!([audio.rate(), audio.channel_count()]),
                    json!([expected["rate"], expected["ch"]]),
                    "{id}"
                );
            }
        }
        Media::Video(video) => {
            let rate = video.frame_rate.unwrap_or((0, if expected["fps"][1] == 0 { 0 } else { 1 }));
            assert_eq!(json!([rate.0, rate.1]), expected["fps"], "{id}: frame rate");
        }
        _ => {}
    }
}

/// FLD PreviousTagSize: every tag is read, however wrong the sizes behind them.
fn data_size_is_followed(vector: &Value, given: &Given) {
    let data = unhex(&vector["data"]);
    let (mut at, mut expected) = (13, Vec::new());
    while at + 11 <= data.len() {
        let size = u32::from_be_bytes([0, data[at + 1], data[at + 2], data[at + 3]]) as usize;
        expected.push((Some(at as u64), size - 1));
        at += 15 + size;
    }
    let ours: Vec<_> = given.packets.iter().map(|packet| (packet.position, packet.data.len())).collect();
    assert_eq!(ours, expected, "{}", vector["id"]);
    assert_eq!(given.warnings, expected.len(), "{}: each wrong size is warned of", vector["id"]);
}

/// FLD-12: a metadata tag with a time is a whole packet also where the reference, unable to step back, gives its rest.
fn metadata_packets_are_whole(vector: &Value, given: &Given) {
    let data = unhex(&vector["data"]);
    let first = &given.packets[0];
    let at = first.position.unwrap() as usize;
    let size = u32::from_be_bytes([0, data[at + 1], data[at + 2], data[at + 3]]) as usize;
    assert_eq!((first.data.as_ref(), first.flags.bits()), (&data[at + 11..at + 11 + size], 1), "{}", vector["id"]);
    assert!(given.packets.len() > 1, "{}: what follows is read", vector["id"]);
}

/// FLD-10: tags of one codec are one stream.
fn one_stream_for_each_codec(vector: &Value, given: &Given) {
    let mut codecs: Vec<_> = given.streams.iter().map(|stream| stream.codec).collect();
    codecs.dedup();
    assert_eq!(codecs.len(), given.streams.len(), "{}", vector["id"]);
    let expected: Vec<&Value> = vector["packets"].as_array().unwrap().iter().collect();
    let ours: Vec<Value> = given.packets.iter().map(packet_json).collect();
    for (ours, expected) in ours.iter().zip(&expected) {
        assert_eq!(ours.as_array().unwrap()[1..7], expected.as_array().unwrap()[1..7], "{}", vector["id"]);
    }
    assert_eq!(ours.len(), expected.len(), "{}", vector["id"]);
}

/// A file of a vector, being read.
struct Source {
    data: Vec<u8>,
    limit: usize,
    input: Input,
    reader: PacketReader,
}

impl Source {
    fn open(vector: &Value) -> Self {
        let data = unhex(&vector["data"]);
        let limit = vector["read_limit"].as_u64().filter(|limit| *limit > 0).unwrap_or(data.len() as u64) as usize;
        let on = |name: &str| if vector[name] == 1 { "1" } else { "0" };
        let settings = [("ignore_prevtag", on("ignore_prevtag")), ("full_metadata", on("full_metadata"))];
        let reader = PacketReader::of(&flv::FORMAT, &settings).expect("settings are known");
        let seekable = vector["seekable"] == 1;
        let input = if seekable { Input::seekable(Some(data.len() as u64)) } else { Input::new() };
        Self { data, limit, input, reader }
    }

    /// The next event, with bytes fed as it asks for them.
    fn next(&mut self) -> Event {
        loop {
            match self.reader.poll(&mut self.input).expect("files of the reference are read") {
                Poll::Pending => {
                    let from = (self.input.next_read() as usize).min(self.data.len());
                    let to = (from + self.limit).min(self.data.len());
                    self.input.push(&self.data[from..to]);
                    if to == self.data.len() {
                        self.input.end();
                    }
                }
                Poll::Ready(event) => return event,
            }
        }
    }
}

fn read(vector: &Value) -> Given {
    let mut source = Source::open(vector);
    let mut given = Given::default();
    loop {
        match source.next() {
            Event::Packet(packet) => given.packets.push(packet),
            Event::Metadata(tags) => given.tags = *tags,
            Event::End => break,
            Event::Stream(..) => {}
        }
    }
    given.streams = source.reader.streams().to_vec();
    given.duration = source.reader.duration().map(|(ticks, _)| ticks.0);
    given.warnings = source.input.take_warnings().0.len();
    given
}

#[test]
fn seeking_back_ends_where_the_reference_does() {
    // Flag 1 is "at or before", the only direction there is here.
    for vector in vectors().iter().filter(|vector| vector["seek"]["flags"] == 1) {
        let mut source = Source::open(vector);
        while source.next() != Event::End {}
        let seek = &vector["seek"];
        let to = Ticks(seek["ts"].as_i64().expect("a time"));
        source.reader.seek(to, TimeBase::MILLIS, &mut source.input).expect("a seekable file");
        let packet = loop {
            if let Event::Packet(packet) = source.next() {
                break packet;
            }
        };
        let arrived = json!([packet.stream, packet.pts.map(|pts| pts.0), packet.position]);
        assert_eq!(arrived, seek["next"], "{}", vector["id"]);
    }
}

fn packet_json(packet: &Packet) -> Value {
    let time = |time: Option<Ticks>| time.map(|ticks| ticks.0);
    let mut fields = vec![
        json!(packet.stream),
        json!(time(packet.pts)),
        json!(time(packet.dts)),
        json!(packet.data.len()),
        json!(packet.position),
        json!(packet.flags.bits()),
        json!(adler32(&packet.data)),
    ];
    if let Some(config) = packet.side.new_config() {
        fields.push(json!({ "new_extradata": hex(config) }));
    }
    if let Some((rate, channels)) = packet.side.new_audio() {
        let words = [5, u32::from(channels), rate].map(u32::to_le_bytes).concat();
        fields.push(json!({ "param_change": hex(&words) }));
    }
    Value::Array(fields)
}

fn shortened(text: &str) -> String {
    if text.len() > 40 { format!("len:{}", text.len()) } else { text.to_owned() }
}

fn vectors() -> Vec<Value> {
    super::vectors("flv_demux.jsonl")
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex").as_bytes();
    let digit = |c: u8| (c as char).to_digit(16).expect("hex") as u8;
    text.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
