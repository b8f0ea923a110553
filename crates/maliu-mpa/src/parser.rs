//! The first stage: a frame to its header and its own data, judged by checksum, side information and reservoir.

use crate::header::Header;
use crate::parsed::{FILLER, Parsed, Trust};
use crate::reservoir::{REACH, Reference, Reservoir};
use crate::side_info::SideInfo;
use crate::{Error, crc};

/// Reads the frames of one stream, in their order.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    /// Of the last frame that was read well, and of the last one.
    header: Option<Header>,
    last: Option<Header>,
    reservoir: Reservoir,
    /// The next frame of layer III does not surely follow the one before.
    doubtful: bool,
    /// Bytes of main data since the last frame that did not surely follow the one before; `None` without such a frame.
    since_gap: Option<usize>,
    /// The next frame begins anew, which the synthesis has to know.
    restart: bool,
    /// The gain of the last frame of layer III, if all of its granules had the same.
    gain: Option<u8>,
}

impl Parser {
    /// A parser at the start of a stream.
    pub fn new() -> Parser {
        Parser::default()
    }

    /// Reads a whole frame into `unit`. Bytes behind the frame are left out; bytes missing at its end count as zeros.
    ///
    /// # Errors
    /// See [`Error`]. `unit` has the error as its [`fault`](Parsed::fault), so that the later stages conceal the frame.
    pub fn parse(&mut self, frame: &[u8], unit: &mut Parsed) -> Result<(), Error> {
        let result = self.read(frame, unit);
        if let Err(error) = result {
            unit.header = self.header.or(unit.header);
            unit.fault = Some(error);
            self.doubtful = true;
        }
        result
    }

    /// Makes `unit` stand for a frame that was lost, so that the later stages conceal it.
    pub fn lose(&mut self, unit: &mut Parsed) {
        self.begin(unit, self.header);
        unit.fault = Some(Error::Lost);
        self.doubtful = true;
    }

    /// Marks the next frame as doubtful: bytes before it were passed over. If it is of layer III, its codes must end
    /// exactly where they are declared to end, or it is concealed.
    pub fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// Forgets all frames, as after a seek. The next frame makes the synthesis forget them, too.
    pub fn reset(&mut self) {
        *self = Parser { restart: true, ..Parser::default() };
    }

    fn begin(&mut self, unit: &mut Parsed, header: Option<Header>) {
        unit.begin(header);
        unit.restart = std::mem::take(&mut self.restart);
    }

    fn read(&mut self, frame: &[u8], unit: &mut Parsed) -> Result<(), Error> {
        let header = Header::parse(frame);
        self.begin(unit, header);
        let header = header.ok_or(Error::NoHeader)?;
        let frame = header.frame_length().and_then(|length| frame.get(..length)).unwrap_or(frame);
        if !self.last.replace(header).is_some_and(|last| last.same_rate(&header)) {
            self.reservoir.clear();
        }
        match header.layer {
            3 => self.read_layer_3(&header, frame, unit)?,
            _ => unit.data.extend_from_slice(frame),
        }
        self.header = Some(header);
        Ok(())
    }

    fn read_layer_3(&mut self, header: &Header, frame: &[u8], unit: &mut Parsed) -> Result<(), Error> {
        let start = header.body() + header.side_info_size();
        let Some(own) = frame.get(start..) else {
            self.reservoir.clear();
            return Err(Error::NoHeader);
        };
        let side = match crc::is_right(header, frame, 8 * header.side_info_size()) {
            true => SideInfo::parse(header, frame.get(header.body()..).unwrap_or_default()),
            false => Err(Error::Checksum),
        };
        let length = header.frame_length().unwrap_or(frame.len()).saturating_sub(start);
        match side {
            Ok(side) => unit.side = side,
            Err(error) => {
                self.reservoir.skip(own);
                return Err(error);
            }
        }
        if self.doubtful {
            self.since_gap = Some(0);
        }
        unit.after_gap = self.doubtful;
        unit.across = self.since_gap.map_or(0, |since| unit.side.main_data_begin.saturating_sub(since));
        self.since_gap = self.since_gap.map(|since| since.saturating_add(length).min(REACH));
        let reference = Reference { begin: unit.side.main_data_begin, bits: unit.side.bits() };
        let follows = self.reservoir.take(&reference, own, length, &mut unit.data)?;
        unit.data.extend([0; FILLER]);
        let gain = unit.side.common_gain(header);
        let sparse = reference.bits < length && reference.begin == REACH;
        unit.trust = match (follows, self.doubtful) {
            (false, true) => Trust::Doubtful,
            (true, false) if gain.is_some() && gain == self.gain && sparse => Trust::Full,
            _ => Trust::Plain,
        };
        (self.gain, self.doubtful) = (gain, false);
        Ok(())
    }
}
