//! One line a packet with its times, size and checksum: framecrc, framemd5, framehash. Text identical to the reference's.
//!
//! ```text
//!   #format: frame checksums      framemd5, framehash
//!   #software: …                  unless bitexact
//!   #tb 0: 1/1000
//!   0,          0,         40,       40,     1234, 0x1c2d3e4f, F=0x0, S=1,        2
//!   stream     dts         pts  duration     size  checksum    flags  side data: count, size of each; framehash: checksums
//! ```

use alloc::{format, string::String, vec, vec::Vec};

use bytes::Bytes;

use crate::{
    digest::{Kind, adler32, unknown},
    error::{Error, Result},
    format::{Format, Muxer, Rules, Score, mark},
    output::{Mark, Output},
    packet::{Flags, Packet},
    settings::{Help, Settings},
    stream::{Codec, Media, Metadata, StreamInfo},
    time::TimeBase,
};

mod side;

/// Adler-32, started from 0.
pub const FRAMECRC: Format = Format {
    name: "framecrc",
    long_name: "Adler-32 of each packet",
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(make(Checksum::FrameCrc))
    }),
    ..ROW
};

/// MD5.
pub const FRAMEMD5: Format = Format {
    name: "framemd5",
    long_name: "MD5 of each packet",
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(make(Checksum::FrameHash(Kind::Md5)))
    }),
    ..ROW
};

/// Any checksum.
pub const FRAMEHASH: Format = Format {
    name: "framehash",
    long_name: "checksum of each packet",
    settings: SETTINGS,
    muxer: Some(|pairs| {
        let mut settings = Settings::new(pairs, SETTINGS);
        let name = settings.text("hash").unwrap_or("sha256");
        let kind = Kind::named(name).ok_or_else(|| Error::Setting { name: "hash".into(), why: unknown(name) })?;
        settings.finish()?;
        Ok(make(Checksum::FrameHash(kind)))
    }),
    ..ROW
};

const ROW: Format = Format {
    name: "",
    long_name: "",
    mime: &["text/plain"],
    extensions: &[],
    probe: |_| Score::No("lists of checksums are not media"),
    demuxer: None,
    muxer: None,
    settings: &[],
    rules: Rules { equal_dts: true, negative: true, other_codecs: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::PcmS16Le), Some(Codec::RawVideo)),
};

const SETTINGS: &[Help] =
    &[Help { name: "hash", value: "adler32|crc32|md5|sha256", default: "sha256", what: "Which checksum." }];

fn make(checksum: Checksum) -> alloc::boxed::Box<dyn Muxer> {
    alloc::boxed::Box::new(Lines { checksum, bases: Vec::new(), video: Vec::new() })
}

#[derive(Clone, Copy, PartialEq)]
enum Checksum {
    FrameCrc,
    FrameHash(Kind),
}

struct Lines {
    checksum: Checksum,
    bases: Vec<TimeBase>,
    video: Vec<bool>,
}

impl Muxer for Lines {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        self.bases = streams.iter().map(|stream| stream.time_base).collect();
        self.video = streams.iter().map(|stream| stream.as_video().is_some()).collect();
        let mut text = String::new();
        if let Checksum::FrameHash(kind) = self.checksum {
            text += &format!("#format: frame checksums\n#version: 2\n#hash: {}\n", kind.name());
        }
        for (index, stream) in streams.iter().enumerate().filter(|(_, stream)| !stream.config.is_empty()) {
            let (size, sum) = (stream.config.len(), self.sum(&stream.config));
            text += &match self.checksum {
                Checksum::FrameCrc => format!("#extradata {index}: {size:8}, {sum}\n"),
                Checksum::FrameHash(_) => format!("#extradata {index}, {size:31}, {sum}\n"),
            };
        }
        if let Some(software) = metadata.value("encoder") {
            text += &format!("#software: {software}\n");
        }
        for (index, stream) in streams.iter().enumerate() {
            text += &describe(index, stream);
        }
        if let Checksum::FrameHash(_) = self.checksum {
            text += "#stream#, dts,        pts, duration,     size, hash\n";
        }
        out.append(Mark::Header, [Bytes::from(text)]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let time = |ticks: Option<crate::time::Ticks>| ticks.map_or(i64::MIN, |ticks| ticks.0);
        let Packet { stream, duration, .. } = packet;
        let mut line = format!(
            "{stream}, {:10}, {:10}, {:8}, {:8}, {}",
            time(packet.dts),
            time(packet.pts),
            duration.unwrap_or_default().0,
            packet.data.len(),
            self.sum(&packet.data)
        );
        let flags = packet.flags.bits() & (Flags::KEY | Flags::CORRUPT | Flags::DISCARD | Flags::DISPOSABLE).bits();
        let chunk = if packet.flags.has(Flags::CHUNK) { 0x1000 } else { 0 };
        let side = side::entries(&packet.side);
        if self.checksum == Checksum::FrameCrc && (flags != 1 || chunk != 0) {
            line += &format!(", F=0x{:X}", u32::from(flags) | chunk);
        }
        if !side.is_empty() {
            line += &format!(", S={}", side.len());
        }
        for bytes in &side {
            line += &format!(", {:8}", bytes.len());
            if let Checksum::FrameHash(kind) = self.checksum {
                line += &format!(", {}", kind.of(bytes));
            }
        }
        line.push('\n');
        let has_video = self.video.contains(&true);
        let is_video = self.video.get(*stream).copied().unwrap_or(false);
        let base = self.bases.get(*stream).copied().unwrap_or(TimeBase::SECONDS);
        out.append(mark(packet, base, is_video, has_video), [Bytes::from(line)]);
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}

impl Lines {
    fn sum(&self, data: &[u8]) -> String {
        match self.checksum {
            Checksum::FrameCrc => format!("0x{:08x}", adler32(0, data)),
            Checksum::FrameHash(kind) => kind.of(data),
        }
    }
}

/// The lines about one stream.
fn describe(index: usize, stream: &StreamInfo) -> String {
    let mut lines = vec![
        ("tb", format!("{}", stream.time_base)),
        ("media_type", String::from(stream.media.kind().name())),
        ("codec_id", String::from(codec_name(stream.codec))),
    ];
    match &stream.media {
        Media::Audio(audio) => {
            lines.push(("sample_rate", format!("{}", audio.rate())));
            lines.push(("channel_layout_name", audio.layout_name().into_owned()));
        }
        Media::Video(video) => {
            let (width, height) = video.size();
            let (num, den) = video.pixel_aspect.unwrap_or((0, 1));
            lines.push(("dimensions", format!("{width}x{height}")));
            lines.push(("sar", format!("{num}/{den}")));
        }
        _ => {}
    }
    lines.iter().fold(String::new(), |text, (name, value)| text + &format!("#{name} {index}: {value}\n"))
}

fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::UnknownAudio | Codec::UnknownVideo => "none",
        known => known.name(),
    }
}
