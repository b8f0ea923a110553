//! SBR and parametric stereo in a decoder: when they are on, whose data is whose, what they make of the core's sound.

use crate::bits::Bits;
use crate::config::{Config, Place, Signal};
use crate::decoder::Decoder;
use crate::element::{Coupled, Element};
use crate::frame::STRIDE;
use crate::layout::ChannelLayout;
use crate::program::Program;
use crate::sbr::Sbr;

/// What parametric stereo makes of one channel.
const STEREO: ChannelLayout = ChannelLayout { mask: 3, channels: 2 };

/// The SBR of a coupling channel whose samples are added: it has no data and brings the core to the output's rate.
pub(crate) struct Raised {
    sbr: Sbr,
    pub(crate) sound: [f32; STRIDE],
}

/// Whether SBR is on, and the rate and number of samples it gives.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) sbr: bool,
    downsampled: bool,
    pub(crate) rate: u32,
    pub(crate) samples: usize,
}

impl Output {
    pub(crate) fn of(config: &Config) -> Output {
        let (sbr, core) = (config.sbr == Signal::Explicit, config.sample_rate);
        let downsampled = sbr && config.extension_rate < 2 * core;
        let doubled = u32::from(sbr && !downsampled);
        let samples = usize::from(config.frame_length) << doubled;
        Output { sbr, downsampled, rate: core << doubled, samples }
    }
}

/// Gives each element of a program its SBR decoder.
pub(crate) fn attach(program: &mut Program, config: &Config) {
    let mono = config.channels == 1 && config.ps != Signal::Absent;
    let low_delay = config.low_delay_sbr.as_ref();
    let length = usize::from(config.frame_length);
    let make = |channels: usize, ps: bool| Sbr::new(config.sample_rate, channels, length, low_delay.is_some(), ps);
    let mut headers = low_delay.iter().flat_map(|ld| &ld.headers);
    for element in &mut program.elements {
        let mut sbr = make(element.voices.len(), mono);
        if let (Some(ld), true) = (low_delay, element.place.place != Place::Lfe) {
            let mut bits = Bits::new(&ld.config);
            if let Some(&at) = headers.next() {
                bits.skip(at);
                // Without bands the element stays without SBR, as when no header ever comes.
                let _ = sbr.header(&mut bits);
            }
        }
        element.sbr = Some(Box::new(sbr));
    }
    for coupled in &mut program.couplings {
        coupled.raised = Some(Box::new(Raised { sbr: make(1, false), sound: [0.0; STRIDE] }));
    }
}

/// Reads sbr_extension_data, which ends at the bit `end`, for the element that was read last.
///
/// Where nothing was said of SBR, the first data starts it, in the middle of a stream too.
pub(crate) fn parse(decoder: &mut Decoder, bits: &Bits, end: usize, crc: bool) {
    if decoder.config.sbr == Signal::Implicit {
        decoder.config.sbr = Signal::Explicit;
        decoder.config.extension_rate = 2 * decoder.config.sample_rate;
        if let Some(program) = &mut decoder.program {
            attach(program, &decoder.config);
        }
    }
    let element = decoder.program.as_mut().and_then(Program::last_read);
    let Some(Element { sbr: Some(sbr), place, .. }) = element else { return };
    if place.place == Place::Lfe {
        return;
    }
    let Some(payload) = bits.data().get(..end.div_ceil(8)) else { return };
    let mut bits_of_payload = Bits::new(payload);
    bits_of_payload.skip(bits.position());
    // A unit whose SBR data cannot be read keeps its core; the SBR decoder conceals the rest.
    let _ = sbr.parse(&mut bits_of_payload, crc);
    if sbr.has_ps() {
        decoder.config.ps = Signal::Explicit;
    }
}

impl Element {
    /// Sends the core's samples through SBR to the element's channels, the first of which starts `out`.
    pub(crate) fn raise(&mut self, output: Output, length: usize, out: &mut [f32]) {
        let Some(sbr) = &mut self.sbr else { return };
        let (first, second) = out.split_at_mut(STRIDE.min(out.len()));
        let second = second.get_mut(..output.samples).unwrap_or_default();
        let core = [0, 1].map(|i| self.voices.get(i).map_or(&[][..], |voice| &voice.sound[..length]));
        let made = sbr.process(core, [&mut first[..output.samples], second], output.downsampled);
        if made < 2 && self.stereo {
            out.copy_within(..output.samples, STRIDE);
        }
    }
}

impl Coupled {
    /// The samples to add to others', at the rate of the output.
    pub(crate) fn raise(&mut self, output: Output, length: usize) {
        if let (Some(raised), true) = (&mut self.raised, output.sbr) {
            let core = [&self.voice.sound[..length], &[]];
            raised.sbr.process(core, [&mut raised.sound[..output.samples], &mut []], output.downsampled);
        }
    }

    /// What [`Coupled::raise`] made.
    pub(crate) fn sound(&self, output: Output) -> &[f32] {
        match &self.raised {
            Some(raised) if output.sbr => &raised.sound[..output.samples],
            _ => &self.voice.sound[..output.samples.min(self.voice.sound.len())],
        }
    }
}

/// The layout of what comes out: one channel becomes two where parametric stereo is said or was found.
pub(crate) fn layout(program: &mut Program, config: &Config) -> ChannelLayout {
    let stereo = config.ps == Signal::Explicit && config.sbr == Signal::Explicit && program.layout.channels == 1;
    program.elements.iter_mut().for_each(|element| element.stereo = stereo);
    if stereo { STEREO } else { program.layout }
}
