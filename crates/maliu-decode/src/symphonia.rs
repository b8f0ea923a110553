//! Decoders of the Symphonia project: packets in, samples in the order of WAVE channels out.

use symphonia_core::{
    audio::{Audio, GenericAudioBufferRef},
    codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder},
    errors::{Error, Result},
    packet::PacketRef,
    units::{Duration, Timestamp},
};

use crate::{AudioFrame, Fault, Samples, wall};

/// How a decoder is made from its parameters.
pub(crate) type Make = fn(&AudioCodecParameters) -> Result<Box<dyn AudioDecoder>>;

/// One of the library's decoders, made anew when it fails badly.
pub(crate) struct Library {
    make: Make,
    parameters: AudioCodecParameters,
    decoder: Box<dyn AudioDecoder>,
    /// Where each channel of the output stands in the library's.
    order: Option<&'static [usize]>,
    shell: AudioFrame,
}

impl Library {
    /// A decoder of a stream with this configuration, whose frames are like `shell`; why there is none.
    pub(crate) fn new(
        codec: AudioCodecId,
        config: &[u8],
        make: Make,
        shell: AudioFrame,
        order: Option<&'static [usize]>,
    ) -> std::result::Result<Self, String> {
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(codec).with_extra_data(config.into());
        let made = wall::inside(|| make(&parameters)).ok_or_else(|| GAVE_UP.to_owned())?;
        let decoder = made.map_err(|error| text(&error))?;
        Ok(Self { make, parameters, decoder, order, shell })
    }

    /// The sound of a packet.
    pub(crate) fn decode(&mut self, data: &[u8]) -> std::result::Result<AudioFrame, Fault> {
        let (order, channels) = (self.order, usize::from(self.shell.channels));
        let packet = PacketRef::new(0, Timestamp::default(), Duration::default(), data);
        let decoder = &mut self.decoder;
        let done = wall::inside(|| decoder.decode_ref(&packet).map(|sound| samples(&sound, channels, order)));
        match done {
            Some(Ok(Some(samples))) => Ok(AudioFrame { samples, ..self.shell.clone() }),
            Some(Ok(None)) => Err(Fault::Damaged("another number of channels".to_owned())),
            Some(Err(error)) => Err(Fault::Damaged(text(&error))),
            None => {
                if let Some(Ok(decoder)) = wall::inside(|| (self.make)(&self.parameters)) {
                    self.decoder = decoder;
                }
                Err(Fault::Damaged(GAVE_UP.to_owned()))
            }
        }
    }
}

const GAVE_UP: &str = "the decoding library gave up";

fn text(error: &Error) -> String {
    match error {
        Error::DecodeError(what) | Error::Unsupported(what) => (*what).to_owned(),
        Error::IoError(_) => "the packet ends too early".to_owned(),
        other => other.to_string(),
    }
}

/// The planes of a buffer, interleaved; `None` when there are others than are declared.
fn samples(sound: &GenericAudioBufferRef<'_>, channels: usize, order: Option<&[usize]>) -> Option<Samples> {
    let GenericAudioBufferRef::S32(buffer) = sound else { return None };
    if buffer.num_planes() != channels {
        return None;
    }
    let at = |channel: usize| order.and_then(|order| order.get(channel).copied()).unwrap_or(channel);
    let planes: Vec<&[i32]> = (0..channels).map(|channel| buffer.plane(at(channel))).collect::<Option<_>>()?;
    Some(Samples::I32(match planes[..] {
        [mono] => mono.to_vec(),
        [left, right] => left.iter().zip(right).flat_map(|(left, right)| [*left, *right]).collect(),
        _ => {
            (0..buffer.frames()).flat_map(|at| planes.iter().filter_map(move |plane| plane.get(at))).copied().collect()
        }
    }))
}
