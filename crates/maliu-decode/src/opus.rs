//! Opus (RFC 6716) by `ruopus`, with the channel mappings of RFC 7845 §5.1.1 in the order of WAVE.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::opus,
};
use ruopus::{MultistreamDecoder, OpusDecoder, PacketError};

use crate::{AudioFrame, Fault, Samples, Unit, vorbis, wall};

pub(crate) const CODECS: &[Codec] = &[Codec::Opus];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let head = match info.config.is_empty() {
        true => Layout::plain(info.as_audio().map_or(0, |audio| audio.channel_count())),
        false => Layout::parse(&info.config),
    };
    let layout = head.map_err(|why| Error::unsupported(format!("Opus with {why}")))?;
    let shell =
        AudioFrame::new(opus::RATE, layout.channels.into(), Samples::F32(Vec::new())).with_channel_mask(layout.mask);
    let library = layout.library().ok_or_else(|| Error::unsupported("Opus with a mapping that cannot be"))?;
    let pre_skip = opus::pre_skip(&info.config);
    Ok(Box::new(Opus { layout, library, shell, pre_skip, due: 0 }))
}

/// Facts of an identification header.
struct Layout {
    channels: u8,
    mask: u32,
    /// Factor of all samples.
    gain: f32,
    /// Streams, those of two channels among them, and the decoded channel of each of the output's; `None` for one stream.
    mapping: Option<(usize, usize, Vec<u8>)>,
}

impl Layout {
    fn plain(channels: u16) -> std::result::Result<Self, String> {
        match u8::try_from(channels) {
            Ok(channels @ (1 | 2)) => {
                let mask = vorbis::MASKS.get(usize::from(channels)).copied().unwrap_or(0);
                Ok(Self { channels, mask, gain: 1.0, mapping: None })
            }
            _ => Err(format!("{channels} channels and no header")),
        }
    }

    fn parse(head: &[u8]) -> std::result::Result<Self, String> {
        let fixed = head.first_chunk::<19>().filter(|head| head.starts_with(b"OpusHead"));
        let Some(&[_, _, _, _, _, _, _, _, _, channels, _, _, _, _, _, _, g0, g1, family]) = fixed else {
            return Err("a header that cannot be read".to_owned());
        };
        let gain = 10f32.powf(f32::from(i16::from_le_bytes([g0, g1])) / (20.0 * 256.0));
        let mask = vorbis::MASKS.get(usize::from(channels)).copied().unwrap_or(0);
        if family == 0 {
            return match channels {
                1 | 2 => Ok(Self { channels, mask, gain, mapping: None }),
                _ => Err(format!("{channels} channels in mapping family 0")),
            };
        }
        let ordered = family == 1 && (1..=8).contains(&channels);
        if !(ordered || matches!(family, 2 | 255) && channels > 0) {
            return Err(format!("{channels} channels in mapping family {family}"));
        }
        let table = head.get(21..21 + usize::from(channels));
        let (Some(&[streams, coupled]), Some(table)) = (head.get(19..21).and_then(|pair| pair.first_chunk()), table)
        else {
            return Err("a mapping that is cut".to_owned());
        };
        let decoded = usize::from(streams) + usize::from(coupled);
        if streams == 0 || coupled > streams || decoded > 255 {
            return Err(format!("{streams} streams, {coupled} of two channels"));
        }
        if table.iter().any(|at| *at != 255 && usize::from(*at) >= decoded) {
            return Err("a mapping of channels that are not there".to_owned());
        }
        let table = match vorbis::ORDERS.get(usize::from(channels)).filter(|_| ordered) {
            Some(order) => order.iter().filter_map(|at| table.get(*at).copied()).collect(),
            None => table.to_vec(),
        };
        let mask = if ordered { mask } else { 0 };
        Ok(Self { channels, mask, gain, mapping: Some((streams.into(), coupled.into(), table)) })
    }

    fn library(&self) -> Option<Library> {
        wall::inside(|| match &self.mapping {
            None => Library::One(Box::new(OpusDecoder::new(self.channels.into()))),
            Some((streams, coupled, table)) => {
                Library::Many(MultistreamDecoder::with_rate(opus::RATE, *streams, *coupled, table))
            }
        })
    }
}

enum Library {
    One(Box<OpusDecoder>),
    Many(MultistreamDecoder),
}

impl Library {
    fn decode(&mut self, data: &[u8]) -> std::result::Result<Vec<f32>, PacketError> {
        match self {
            Self::One(decoder) => decoder.decode_packet(data),
            Self::Many(decoder) => decoder.decode_packet(data),
        }
    }
}

struct Opus {
    layout: Layout,
    library: Library,
    shell: AudioFrame,
    /// Samples at the very start that only warm the decoder up, until the first packet.
    pre_skip: u16,
    /// Those of them that the last packet leaves to drop.
    due: u16,
}

impl Unit for Opus {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        // FLV and TS do not say in their packets what is to be dropped, as other containers do.
        let pre_skip = std::mem::take(&mut self.pre_skip);
        self.due = if packet.side.trim().start == 0 { pre_skip } else { 0 };
        let channels = usize::from(self.layout.channels);
        let expected = opus::samples(&packet.data) as usize;
        if expected == 0 || expected.saturating_mul(channels) > MOST_SAMPLES {
            return Err(Fault::Damaged("opus: a packet of no length".to_owned()));
        }
        let library = &mut self.library;
        let done = wall::inside(|| library.decode(&packet.data));
        let mut samples = match done {
            Some(Ok(samples)) => samples,
            Some(Err(error)) => return Err(Fault::Damaged(format!("opus: {error}"))),
            None => {
                self.reset();
                return Err(Fault::Damaged("opus: the decoding library gave up".to_owned()));
            }
        };
        // A packet of its first byte alone stands for silence, of which the library makes as much as was last.
        samples.resize(expected * channels, 0.0);
        if self.layout.gain != 1.0 {
            samples.iter_mut().for_each(|sample| *sample *= self.layout.gain);
        }
        Ok(AudioFrame { samples: Samples::F32(samples), ..self.shell.clone() })
    }

    fn length(&self, packet: &Packet) -> Option<usize> {
        usize::try_from(opus::samples(&packet.data)).ok().filter(|samples| *samples > 0)
    }

    fn delay(&self, _packet: &Packet) -> usize {
        self.due.into()
    }

    fn reset(&mut self) {
        self.pre_skip = 0;
        if let Some(library) = self.layout.library() {
            self.library = library;
        }
    }

    fn overshoots(&self) -> bool {
        true
    }
}

/// Most samples of all channels of a packet: 120 ms of 255 channels.
const MOST_SAMPLES: usize = 5760 * 255;
