//! Packets and uncoded frames → a WAV file; RF64 when its sizes need 64 bits (EBU Tech 3306).
//!
//! ```text
//!   RIFF|RF64 size WAVE │ JUNK|ds64 │ fmt │ [fact] │ [LIST INFO] │ data size │ blocks … [0]
//! ```
//!
//! Where the output can be patched, JUNK keeps the room for ds64 and sizes are written at the end. On a pipe the sizes
//! are all ones, "until the end", and there is neither JUNK nor fact.

use alloc::{boxed::Box, format, vec::Vec};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::{Mark, Output, Reach},
    packet::Packet,
    settings::{Help, Settings},
    stream::{Audio, Codec, Metadata, StreamInfo},
    syntax::{
        aac::AdtsWriter,
        riff::{WaveFormat, tags},
    },
    time::TimeBase,
    timing::samples::stored_bits,
};

/// The settings of writing.
pub(super) const SETTINGS: &[Help] = &[Help {
    name: "rf64",
    value: "auto|always|never",
    default: "auto",
    what: "Writing: 64-bit sizes; auto takes them for files of 4 GiB and more.",
}];

/// Makes the muxer.
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let wide = match settings.text("rf64").unwrap_or("auto") {
        "auto" => Wide::Auto,
        "always" => Wide::Always,
        "never" => Wide::Never,
        other => {
            return Err(Error::Setting {
                name: "rf64".into(),
                why: format!("{other:?} is none of auto, always, never"),
            });
        }
    };
    settings.finish()?;
    let base = TimeBase::SECONDS;
    Ok(Box::new(Wav { wide, head: Head::default(), adts: None, base, data: 0, samples: 0, patched: false }))
}

#[derive(Clone, Copy, PartialEq)]
enum Wide {
    Auto,
    Always,
    Never,
}

struct Wav {
    wide: Wide,
    head: Head,
    /// Headers of AAC frames: without them a reader cannot tell where one ends.
    adts: Option<AdtsWriter>,
    base: TimeBase,
    /// Bytes of blocks so far.
    data: u64,
    /// Samples per channel so far, as far as packets say.
    samples: u64,
    /// Whether the head can be written again.
    patched: bool,
}

impl Muxer for Wav {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(Error::mux("wav", "takes one stream, of audio")) };
        let Some(audio) = stream.as_audio() else { return Err(Error::mux("wav", "takes one stream, of audio")) };
        self.base = TimeBase::hz(audio.rate());
        self.patched = out.reach() != Reach::Append;
        if stream.codec == Codec::Aac {
            self.adts = headers(&stream.config)?;
            stream.config = Bytes::new();
        }
        let Some(audio) = stream.as_audio() else { return Err(Error::mux("wav", "takes one stream, of audio")) };
        self.head = Head::new(stream, audio, metadata)?;
        stream.time_base = self.base;
        out.append(Mark::Header, [Bytes::from(self.bytes(None))]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        if let Some(config) = packet.side.new_config().filter(|_| self.adts.is_some()) {
            self.adts = headers(config)?;
        }
        let framed = self.adts.as_mut().filter(|_| !packet.data.is_empty());
        let head = framed.map(|adts| adts.head(packet, self.base).map_err(|why| Error::mux("wav", why))).transpose()?;
        let (header, element) =
            head.map_or_else(Default::default, |(header, element)| (Bytes::copy_from_slice(&header), element));
        let bytes = header.len().saturating_add(element.len()).saturating_add(packet.data.len());
        self.data = self.data.saturating_add(bytes as u64);
        self.samples = self.samples.saturating_add(u64::try_from(packet.duration.unwrap_or_default().0).unwrap_or(0));
        let mark = mark(packet, self.base, false, false);
        match self.adts {
            Some(_) => out.append(mark, [header, element, packet.data.clone()]),
            None => out.append(mark, [packet.data.clone()]),
        }
        Ok(())
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        if stream.codec == Codec::Aac && self.adts.is_some() { Packaging::RawAac } else { Packaging::AsIs }
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if !self.patched {
            return Ok(());
        }
        if self.data % 2 == 1 {
            out.append(Mark::Trailer, [Bytes::from_static(&[0])]);
        }
        let head = self.bytes(Some(self.data));
        out.overwrite(0, Bytes::from(head));
        Ok(())
    }
}

impl Wav {
    /// The head before `bytes` bytes of blocks; `None` when their number is not known yet.
    fn bytes(&self, data: Option<u64>) -> Vec<u8> {
        let Head { fmt, list, counted, block } = &self.head;
        let roomy = self.patched && self.wide != Wide::Never;
        let fact = *counted && self.patched;
        let parts = 4 + usize::from(roomy) * 36 + 8 + fmt.len() + usize::from(fact) * 12 + list.len() + 8;
        let riff = data.map(|data| data.saturating_add(data & 1).saturating_add(parts as u64));
        let large = riff.is_some_and(|riff| riff >= u64::from(u32::MAX));
        let wide = roomy && (large || (self.wide == Wide::Always && data.is_some()));
        let short = |size: Option<u64>| size.filter(|_| !wide).and_then(|size| u32::try_from(size).ok());
        let size = |size| short(size).unwrap_or(u32::MAX).to_le_bytes();
        let samples = data.map(|data| if *counted { self.samples } else { data / u64::from(*block).max(1) });

        let mut head = Vec::with_capacity(parts + 8);
        head.extend_from_slice(if wide { b"RF64" } else { b"RIFF" });
        head.extend_from_slice(&size(riff));
        head.extend_from_slice(b"WAVE");
        if roomy {
            chunk(&mut head, if wide { b"ds64" } else { b"JUNK" }, 28);
            for value in [riff, data, samples] {
                head.extend_from_slice(&value.filter(|_| wide).unwrap_or(0).to_le_bytes());
            }
            head.extend_from_slice(&[0; 4]);
        }
        chunk(&mut head, b"fmt ", fmt.len());
        head.extend_from_slice(fmt);
        if fact {
            chunk(&mut head, b"fact", 4);
            head.extend_from_slice(&size(samples));
        }
        head.extend_from_slice(list);
        head.extend_from_slice(b"data");
        head.extend_from_slice(&size(data));
        head
    }
}

/// Facts of the stream for the head.
#[derive(Default)]
struct Head {
    /// Body of the `fmt ` chunk, of even length.
    fmt: Vec<u8>,
    /// The LIST chunk, or nothing.
    list: Vec<u8>,
    /// Whether the number of samples does not follow from the number of bytes.
    counted: bool,
    /// Bytes of a block.
    block: u16,
}

impl Head {
    fn new(stream: &StreamInfo, audio: &Audio, metadata: &Metadata) -> Result<Self> {
        let codec = stream.codec;
        let tag = if codec == Codec::Aac { Some(MPEG_ADTS_AAC) } else { WaveFormat::tag_of(codec) };
        let tag = tag.ok_or_else(|| Error::mux("wav", format!("{codec} has no format tag")))?;
        let bits = if stored_bits(codec) > 0 { stored_bits(codec) as u16 } else { audio.bits_per_sample };
        let whole = stored_bits(codec) >= 8;
        let block = match audio.block_align {
            _ if whole => u32::from(audio.channel_count()) * u32::from(bits) / 8,
            0 => 1,
            align => align,
        };
        let rate = stream.bit_rate.map_or(0, |rate| rate / 8);
        let bytes_per_second = if whole { u64::from(audio.rate()) * u64::from(block) } else { rate };
        let block = u16::try_from(block).map_err(|_| Error::mux("wav", format!("blocks of {block} bytes")))?;
        let format = WaveFormat {
            tag,
            channels: audio.channel_count(),
            sample_rate: audio.rate(),
            bytes_per_second: u32::try_from(bytes_per_second).unwrap_or(u32::MAX),
            block_align: block,
            bits_per_sample: bits,
            channel_mask: extensible(audio, bits, whole),
            extra: extra(stream),
        };
        let mut fmt = format.build();
        fmt.resize(fmt.len().next_multiple_of(2), 0);
        Ok(Self { fmt, list: tags::build_list(metadata), counted: tag != 1, block })
    }
}

/// Headers in front of AAC frames of this configuration; none when the frames have them.
fn headers(config: &[u8]) -> Result<Option<AdtsWriter>> {
    let writer = (!config.is_empty()).then(|| AdtsWriter::new(config, false)).transpose();
    writer.map_err(|why| Error::mux("wav", why))
}

/// The format tag of AAC behind ADTS headers (mmreg.h).
const MPEG_ADTS_AAC: u16 = 0x1600;

/// The channel mask, where the plain structure would not say enough: many channels, wide samples, high rates.
fn extensible(audio: &Audio, bits: u16, whole: bool) -> Option<u32> {
    let usual = matches!((audio.channel_count(), audio.channel_mask), (1, 0 | 4) | (2, 0 | 3));
    let wanted = whole && (!usual || bits > 16 || audio.rate() > 48_000);
    wanted.then_some(if audio.channel_mask == 0 { audio.usual_mask() } else { audio.channel_mask })
}

/// The codec's own part of the `fmt ` chunk.
fn extra(stream: &StreamInfo) -> Vec<u8> {
    match stream.codec {
        _ if !stream.config.is_empty() => stream.config.to_vec(),
        // MPEGLAYER3WAVEFORMAT: id, flags, block size, frames a block, delay.
        Codec::Mp3 => [1u16, 2, 0, 1152, 1, 1393].iter().flat_map(|word| word.to_le_bytes()).collect(),
        _ => Vec::new(),
    }
}

fn chunk(out: &mut Vec<u8>, id: &[u8; 4], size: usize) {
    out.extend_from_slice(id);
    out.extend_from_slice(&(size as u32).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{output::Edit, stream::Media};

    fn stream() -> StreamInfo {
        let media = Media::Audio(Audio::new(8000, 1));
        StreamInfo::new(Codec::PcmS16Le, TimeBase::MILLIS, media)
    }

    /// The file of one packet of zeros, and the head that is patched in at the end.
    fn written(settings: &[(&str, &str)], reach: Reach, data: usize) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut out, mut streams) = (Output::new(reach), [stream()]);
        let mut muxer = make(settings).unwrap();
        muxer.start(&mut streams, &Metadata::default(), &mut out).unwrap();
        muxer.packet(&Packet { data: Bytes::from(alloc::vec![0; data]), ..Packet::default() }, &mut out).unwrap();
        muxer.finish(&mut out).unwrap();
        let (mut file, mut patch) = (Vec::new(), None);
        while let Some(edit) = out.next_edit() {
            match edit {
                Edit::Append(piece) => piece.parts.iter().for_each(|part| file.extend_from_slice(part)),
                Edit::Overwrite { bytes, .. } => patch = Some(bytes.to_vec()),
                Edit::Insert { .. } => panic!("nothing is inserted"),
            }
        }
        (file, patch)
    }

    #[test]
    fn pipes_get_sizes_of_all_ones_and_files_true_ones() {
        let (file, patch) = written(&[], Reach::Append, 4);
        assert_eq!(
            (&file[..8], &file[36..], patch),
            (
                &b"RIFF\xff\xff\xff\xff"[..],
                &b"data\xff\xff\xff\xff\0\0\0\0"[..8].iter().chain(&[0; 4]).copied().collect::<Vec<_>>()[..],
                None
            )
        );
        let (file, patch) = written(&[], Reach::Overwrite, 3);
        let head = patch.unwrap();
        assert_eq!(file.len(), head.len() + 4, "three bytes and a pad");
        assert_eq!(head[4..8], (file.len() as u32 - 8).to_le_bytes());
        assert_eq!(head[head.len() - 4..], 3u32.to_le_bytes());
        assert_eq!(&head[12..16], b"JUNK");
    }

    #[test]
    fn aac_stands_behind_adts_headers_under_their_tag() {
        let mut aac = StreamInfo::new(Codec::Aac, TimeBase::hz(44_100), Media::Audio(Audio::new(44_100, 2)));
        aac.config = Bytes::from_static(&[0x12, 0x10]);
        let (mut out, mut streams, mut muxer) = (Output::new(Reach::Append), [aac], make(&[]).unwrap());
        muxer.start(&mut streams, &Metadata::default(), &mut out).unwrap();
        muxer.packet(&Packet { data: Bytes::from_static(&[1, 2, 3]), ..Packet::default() }, &mut out).unwrap();
        let mut file = Vec::new();
        while let Some(Edit::Append(piece)) = out.next_edit() {
            piece.parts.iter().for_each(|part| file.extend_from_slice(part));
        }
        assert_eq!(file[20..22], [0, 0x16]);
        assert!(file.ends_with(&[0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc, 1, 2, 3]), "{file:02x?}");
    }

    #[test]
    fn large_files_become_rf64_in_the_same_place() {
        let mut wav = Wav {
            wide: Wide::Auto,
            head: Head::new(&stream(), stream().as_audio().unwrap(), &Metadata::default()).unwrap(),
            adts: None,
            base: TimeBase::SECONDS,
            data: 0,
            samples: 0,
            patched: true,
        };
        let (small, large) = (wav.bytes(Some(10)), wav.bytes(Some(5 << 30)));
        assert_eq!(small.len(), large.len());
        assert_eq!((&large[..8], &large[12..16]), (&b"RF64\xff\xff\xff\xff"[..], &b"ds64"[..]));
        assert_eq!(large[28..36], (5u64 << 30).to_le_bytes());
        wav.wide = Wide::Never;
        assert_eq!(&wav.bytes(Some(5 << 30))[..4], b"RIFF");
    }
}
