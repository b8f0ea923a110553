//! A frame on its way from bits to samples: each stage adds its result.

use crate::Error;
use crate::frame::{Frame, MAX_SAMPLES};
use crate::header::{Header, SLOTS};
use crate::side_info::SideInfo;

/// One frame between the stages [`Parser`](crate::Parser), [`Spectra`](crate::Spectra), [`Subbands`](crate::Subbands) and
/// [`Polyphase`](crate::Polyphase). Its memory is used again for the next frame.
pub struct Parsed {
    /// `None` when no frame was met yet.
    pub(crate) header: Option<Header>,
    /// The first reason not to decode the frame.
    pub(crate) fault: Option<Error>,
    /// Layers I and II: the frame. Layer III: its main data and [`FILLER`] zeros.
    pub(crate) data: Vec<u8>,
    pub(crate) side: SideInfo,
    pub(crate) trust: Trust,
    /// It is the first one behind a gap or damage.
    pub(crate) after_gap: bool,
    /// Bytes of its data that stand before the last gap or damage.
    pub(crate) across: usize,
    /// No codes ended elsewhere than declared, but for padding behind a full granule.
    pub(crate) exact: bool,
    /// Nothing of the frames before is to be heard.
    pub(crate) restart: bool,
    pub(crate) spectrum: Box<Spectrum>,
    /// Samples of the subbands of each channel by time, unless they are those of the spectrum.
    pub(crate) slots: Box<[Rows; 2]>,
    pub(crate) direct: bool,
    /// The last slots of each channel before the frame.
    pub(crate) before: Box<[Before; 2]>,
    /// Nothing of the frames before is left.
    pub(crate) anew: bool,
    /// Finished samples of each channel.
    pub(crate) output: Box<[[f32; MAX_SAMPLES]; 2]>,
}

/// How far the data of a frame is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It follows a gap or damage: its codes must end exactly where they are declared to end.
    Doubtful,
    /// It is decoded if nothing contradicts it, but not believed to be louder than [`LOUDEST`](crate::LOUDEST).
    Plain,
    /// Its data follows that of the frame before, all gains are the same, and it has few bits and a full reservoir: if its
    /// codes end exactly and no frame was damaged, it may be loud, as test signals of few lines are (ISO's l3-si_huff).
    Full,
}

/// Zeros behind the main data, so that eight bytes can be read from any bit of it.
pub(crate) const FILLER: usize = 16;

/// 32 values: one of each subband.
pub(crate) type Row = [f32; 32];

/// Values of one channel. Layers I and II: samples of the subbands by time. Layer III: of each granule the lines of the
/// subbands by frequency, which the hybrid filter bank makes samples of.
pub(crate) type Rows = [Row; 2 * SLOTS];

/// Slots before a frame that its sound depends on.
pub(crate) const HISTORY: usize = 16;

/// The last slots before a frame, of one channel.
pub(crate) type Before = [Row; HISTORY];

/// The decoded values of a frame.
pub(crate) struct Spectrum {
    pub(crate) rows: [Rows; 2],
    /// How the lines of each channel and granule are transformed.
    pub(crate) blocks: [[Block; 2]; 2],
}

/// The transform of a granule of layer III.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// block_type: 0 long, 1 start, 2 three short ones, 3 stop.
    pub(crate) kind: u8,
    /// Lower subbands that have long blocks of type 0 whatever the kind.
    pub(crate) long: usize,
    /// Subbands above are all zeros.
    pub(crate) width: usize,
}

impl Default for Spectrum {
    fn default() -> Self {
        Spectrum { rows: [[[0.0; 32]; 2 * SLOTS]; 2], blocks: Default::default() }
    }
}

impl Default for Parsed {
    fn default() -> Self {
        Parsed::new()
    }
}

impl Parsed {
    /// A frame without data.
    pub fn new() -> Parsed {
        Parsed {
            header: None,
            fault: None,
            data: Vec::new(),
            side: SideInfo::default(),
            trust: Trust::Plain,
            after_gap: false,
            across: 0,
            exact: true,
            restart: false,
            spectrum: Box::default(),
            slots: Box::new([[[0.0; 32]; 2 * SLOTS]; 2]),
            direct: false,
            before: Box::new([[[0.0; 32]; HISTORY]; 2]),
            anew: false,
            output: Box::new([[0.0; MAX_SAMPLES]; 2]),
        }
    }

    /// The reason why the samples are concealed instead of decoded; `None` when they are decoded.
    pub fn fault(&self) -> Option<Error> {
        self.fault
    }

    /// The finished samples, after all stages.
    pub fn frame(&self) -> Frame<'_> {
        let (sample_rate, channels, samples) =
            self.header.map_or((0, 0, 0), |header| (header.sample_rate(), header.channels(), header.samples()));
        Frame { sample_rate, channels, samples, data: &self.output[..] }
    }

    /// Begins a frame: neither data nor fault.
    pub(crate) fn begin(&mut self, header: Option<Header>) {
        (self.header, self.fault) = (header, None);
        (self.trust, self.exact) = (Trust::Plain, true);
        (self.after_gap, self.across) = (false, 0);
        self.data.clear();
    }
}
