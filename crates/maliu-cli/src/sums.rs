//! The MD5 that a FLAC stream declares of its samples, compared with the samples (RFC 9639 §8.2).

use std::collections::BTreeMap;

use maliu::{
    digest::{Digest, Kind},
    format::Event,
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::flac::{self, StreamInfoBlock},
};
use maliu_decode::{Decoder, Options, Samples, decoder_with};

use crate::{context::Context, failure::Result, input};

/// Decodes the FLAC streams of a file; returns those whose samples are not the declared ones, and the difference.
///
/// Streams that declare no MD5, and those with damaged packets, are left out: damage is a finding of its own.
pub(crate) fn wrong(path: &str, from: Option<&str>, context: &Context) -> Result<Vec<(usize, String)>> {
    let mut opened = input::Args::of(path, from.map(str::to_owned)).open(context)?;
    let (mut streams, mut found) = (BTreeMap::new(), Vec::new());
    loop {
        let event = match opened.next() {
            Ok(Some(event)) => event,
            Ok(None) => break,
            // A check of the packets has reported it.
            Err(_) => return Ok(found),
        };
        match event {
            Event::Stream(index, info) => begin(&mut streams, index, &info, &mut found),
            Event::Packet(_) if streams.is_empty() => return Ok(found),
            Event::Packet(packet) => {
                let Some(stream) = streams.get_mut(&packet.stream) else { continue };
                if let Some(info) = stream.described_anew(&packet) {
                    begin(&mut streams, packet.stream, &info, &mut found);
                }
                streams.entry(packet.stream).and_modify(|stream| stream.add(&packet));
            }
            _ => {}
        }
    }
    found.extend(streams.into_iter().filter_map(|(index, stream)| Some((index, stream.fault()?))));
    Ok(found)
}

/// Ends what is known of a stream, and begins anew with its description.
fn begin(streams: &mut BTreeMap<usize, Summed>, index: usize, info: &StreamInfo, found: &mut Vec<(usize, String)>) {
    // The same description may come again, behind the first packets.
    if streams.get(&index).is_some_and(|stream| stream.info.config == info.config) {
        return;
    }
    if let Some(what) = streams.remove(&index).and_then(Summed::fault) {
        found.push((index, what));
    }
    streams.extend(Summed::new(info).map(|stream| (index, stream)));
}

/// A FLAC stream being decoded.
struct Summed {
    info: StreamInfo,
    declared: StreamInfoBlock,
    decoder: Box<dyn Decoder>,
    digest: Digest,
    samples: u64,
    failed: bool,
    bytes: Vec<u8>,
}

impl Summed {
    /// Of this stream; `None` when it declares no MD5 of FLAC samples.
    fn new(info: &StreamInfo) -> Option<Self> {
        if info.codec != Codec::Flac {
            return None;
        }
        let declared = StreamInfoBlock::parse(flac::stream_info(&info.config)?)?;
        if declared.md5 == [0; 16] {
            return None;
        }
        let mut options = Options::default();
        options.gapless = false;
        let decoder = decoder_with(info, options).ok()?;
        let digest = Digest::new(Kind::Md5);
        Some(Self { info: info.clone(), declared, decoder, digest, samples: 0, failed: false, bytes: Vec::new() })
    }

    /// The description that begins with this packet, where it is another one.
    fn described_anew(&self, packet: &Packet) -> Option<StreamInfo> {
        let config = packet.side.new_config().filter(|config| **config != self.info.config)?;
        let mut info = self.info.clone();
        info.config = config.clone();
        Some(info)
    }

    fn add(&mut self, packet: &Packet) {
        let frame = match self.decoder.decode(packet) {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(_) => return self.failed = true,
        };
        self.samples += frame.len() as u64;
        let Samples::I32(samples) = &frame.samples else { return self.failed = true };
        let bits = u32::from(self.declared.bits).clamp(1, 32);
        let width = bits.div_ceil(8) as usize;
        self.bytes.clear();
        for sample in samples {
            self.bytes.extend_from_slice(&(sample >> (32 - bits)).to_le_bytes()[..width]);
        }
        self.digest.update(&self.bytes);
    }

    /// The difference from what is declared; `None` when there is none, or damage hides it.
    fn fault(self) -> Option<String> {
        if self.failed || self.decoder.report().damaged > 0 {
            return None;
        }
        let (declared, samples) = (self.declared.samples, self.samples);
        if declared != 0 && declared != samples {
            return Some(format!("STREAMINFO declares {declared} samples, the stream has {samples}"));
        }
        let wanted: String = self.declared.md5.iter().map(|byte| format!("{byte:02x}")).collect();
        let md5 = self.digest.finish();
        (md5 != wanted).then(|| format!("the samples have MD5 {md5}, STREAMINFO declares {wanted}"))
    }
}
