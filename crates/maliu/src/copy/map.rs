//! Which streams of the inputs become which streams of the output.

use std::{fmt, str::FromStr};

use maliu_core::{
    format::Format,
    stream::{Codec, Kind, StreamInfo},
};

use super::{Error, feed::Feed};

/// A choice of streams: `a`, `v`, `2`, `0:a`, `1:0`. It is parsed from and printed as this text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    input: Option<usize>,
    stream: Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Kind(Kind),
    Index(usize),
}

impl FromStr for Map {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = |_| format!("{text:?} is none of a, v, STREAM, INPUT:a, INPUT:v, INPUT:STREAM");
        let (input, stream) = match text.split_once(':') {
            Some((input, stream)) => (Some(input.parse().map_err(wrong)?), stream),
            None => (None, text),
        };
        let stream = match stream {
            "a" => Choice::Kind(Kind::Audio),
            "v" => Choice::Kind(Kind::Video),
            index => Choice::Index(index.parse().map_err(wrong)?),
        };
        Ok(Self { input, stream })
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(input) = self.input {
            write!(f, "{input}:")?;
        }
        match self.stream {
            Choice::Kind(Kind::Audio) => f.write_str("a"),
            Choice::Kind(_) => f.write_str("v"),
            Choice::Index(index) => write!(f, "{index}"),
        }
    }
}

impl Map {
    fn takes(&self, input: usize, index: usize, stream: &StreamInfo) -> bool {
        self.input.is_none_or(|wanted| wanted == input)
            && match self.stream {
                Choice::Kind(kind) => stream.media.kind() == kind,
                Choice::Index(wanted) => wanted == index,
            }
    }
}

/// The streams of the output. Each feed learns what its streams become.
pub(super) fn choose(maps: &[Map], feeds: &mut [Feed], format: &'static Format) -> Result<Vec<StreamInfo>, Error> {
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    let all: Vec<(usize, usize, &StreamInfo)> = feeds
        .iter()
        .enumerate()
        .flat_map(|(input, feed)| feed.streams.iter().enumerate().map(move |(index, stream)| (input, index, stream)))
        .collect();
    for map in maps {
        let before = chosen.len();
        for (input, index, _) in all.iter().filter(|(input, index, stream)| map.takes(*input, *index, stream)) {
            if !chosen.contains(&(*input, *index)) {
                chosen.push((*input, *index));
            }
        }
        if chosen.len() == before {
            return Err(Error::Map(map.clone()));
        }
    }
    if maps.is_empty() {
        chosen = usual(&all, format);
    }
    if chosen.is_empty() {
        return Err(Error::NoStream { format: format.name });
    }
    let is_unused = |index: &usize| !chosen.iter().any(|(input, _)| input == index);
    if let Some(index) = (0..feeds.len()).find(is_unused) {
        return Err(Error::Unused { index, format: format.name });
    }
    let streams = chosen.iter().map(|(input, index)| copied(&feeds[*input].streams[*index], format)).collect();
    for (input, feed) in feeds.iter_mut().enumerate() {
        let output = |index| chosen.iter().position(|place| *place == (input, index));
        feed.outputs = (0..feed.streams.len()).map(output).collect();
    }
    Ok(streams)
}

/// Without a choice: pictures, then sound, then subtitles that the format has; or the first stream of its codec for a format that carries one kind only.
fn usual(all: &[(usize, usize, &StreamInfo)], format: &Format) -> Vec<(usize, usize)> {
    let place = |(input, index, _): &(usize, usize, &StreamInfo)| (*input, *index);
    let (kind, codec) = match format.default_codecs {
        (Some(codec), None) => (Kind::Audio, codec),
        (None, Some(codec)) => (Kind::Video, codec),
        _ => {
            let mut chosen: Vec<_> = all.iter().filter(|(_, _, stream)| rank(stream, format).is_some()).collect();
            chosen.sort_by_key(|(_, _, stream)| rank(stream, format));
            return chosen.into_iter().map(place).collect();
        }
    };
    let of_kind = || all.iter().filter(|(_, _, stream)| stream.media.kind() == kind);
    let first = of_kind().find(|(_, _, stream)| stream.codec == codec).or_else(|| of_kind().next());
    first.into_iter().map(place).collect()
}

/// The place of a stream's kind among the others; `None` for what is not copied unless asked for.
fn rank(stream: &StreamInfo, format: &Format) -> Option<u8> {
    match stream.media.kind() {
        _ if stream.takes_no_packets() => (format.name == "matroska").then_some(3),
        Kind::Video => Some(0),
        Kind::Audio => Some(1),
        Kind::Subtitle if format.name == "matroska" && SUBTITLES.contains(&stream.codec) => Some(2),
        Kind::Subtitle | Kind::Data | Kind::Attachment => None,
    }
}

/// Subtitles that Matroska has a place for.
const SUBTITLES: &[Codec] = &[Codec::Srt, Codec::Ass, Codec::WebVtt, Codec::Pgs, Codec::DvdSubtitle];

/// The stream as the output gets it: a tag of another container says nothing.
fn copied(stream: &StreamInfo, format: &Format) -> StreamInfo {
    let mut stream = stream.clone();
    let codec = stream.codec;
    stream.codec_tag = stream.codec_tag.filter(|tag| format.rules.codec_tags.contains(&(codec, tag.get())));
    stream
}
