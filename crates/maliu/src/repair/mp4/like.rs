//! A good file of the same recorder: its configurations, and how long its samples last.

use maliu_core::{
    format::Event,
    stream::StreamInfo,
    time::{Ticks, TimeBase},
};

use super::super::Error;
use crate::{
    blocking::Reader,
    formats::mp4::FORMAT,
    io::{Source, patiently},
};

/// Packets of a good file that are looked at.
const LOOK: usize = 4096;

/// One track as it should be.
#[derive(Clone, Debug)]
pub struct Track {
    /// Description of the stream.
    pub info: StreamInfo,
    /// How long a sample lasts, in ticks of the track; 0 when it is not known.
    pub step: i64,
    /// When the first sample is presented, in ticks of the track.
    pub first: i64,
}

/// Configurations that a good file shows.
#[derive(Clone, Debug, Default)]
pub struct Like {
    pub(super) tracks: Vec<Track>,
}

impl Like {
    /// Reads the tracks of a good MP4 file, and the times of its first packets.
    ///
    /// # Errors
    /// [`Error::Read`] when it is no such file.
    pub fn of<S: Source>(source: S) -> Result<Self, Error> {
        let mut reader = Reader::of(source, &FORMAT, &[]).map_err(Error::Read)?;
        reader.start().map_err(Error::Read)?;
        let mut times: Vec<Vec<i64>> = vec![Vec::new(); reader.streams().len()];
        let mut firsts = vec![None; times.len()];
        for _ in 0..LOOK {
            match patiently(|| reader.next_event(), crate::Error::is_not_yet).map_err(Error::Read)? {
                Event::Packet(packet) => {
                    if let (Some(times), Some(dts)) = (times.get_mut(packet.stream), packet.dts) {
                        times.push(dts.0);
                    }
                    if let (Some(first), Some(pts)) = (firsts.get_mut(packet.stream), packet.pts) {
                        first.get_or_insert(pts.0);
                    }
                }
                Event::End => break,
                _ => {}
            }
        }
        let track = |((info, times), first): ((&StreamInfo, Vec<i64>), Option<i64>)| {
            let mut steps: Vec<i64> = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b - a).collect();
            steps.sort_unstable();
            let step = steps.get(steps.len() / 2).copied().unwrap_or(0).max(0);
            Track { info: info.clone(), step, first: first.unwrap_or(0) }
        };
        Ok(Self { tracks: reader.streams().iter().zip(times).zip(firsts).map(track).collect() })
    }
}

impl Track {
    /// Samples per second as a fraction, for video of one rate.
    pub fn rate(&self) -> Option<(u64, u64)> {
        let base: TimeBase = self.info.time_base;
        let step = u64::try_from(self.step).ok().filter(|step| *step > 0)?;
        Some((base.den.get().into(), step.checked_mul(base.num.get().into())?))
    }

    /// Its first presentation time in µs.
    pub fn first_micros(&self) -> i64 {
        self.info.time_base.rescale(Ticks(self.first), TimeBase::MICROS, maliu_core::time::Rounding::Near).0
    }
}
