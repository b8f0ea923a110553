//! Charts of the course of an input.

use maliu::stream::Kind;

use super::{
    bins::ROWS,
    canvas::{Canvas, Ink},
    course::Course,
};
use crate::time;

/// The kind of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Chart {
    /// Level of the audio over time.
    Waveform,
    /// Power of the audio by time and frequency.
    Spectrogram,
    /// Bits per second of each stream over time.
    Bitrate,
    /// Frames of each group of pictures over time.
    Gop,
}

/// Space for numbers on the left and below.
const LEFT: f64 = 72.0;
const BELOW: f64 = 22.0;

/// Quietest power of a spectrogram, in dB of full scale.
const FLOOR: f32 = -100.0;

impl Chart {
    /// Draws it; `None` where the input has nothing of the kind.
    pub(crate) fn draw(self, course: &Course, (width, height): (u32, u32)) -> Option<Canvas> {
        let mut canvas = Canvas::new(width, height);
        let area = Area {
            width: f64::from(width) - LEFT - 10.0,
            height: f64::from(height) - BELOW - 10.0,
            length: course.length.max(1e-3),
        };
        match self {
            Self::Waveform => waveform(&mut canvas, &area, course)?,
            Self::Spectrogram => spectrogram(&mut canvas, &area, course)?,
            Self::Bitrate => bitrate(&mut canvas, &area, course)?,
            Self::Gop => gop(&mut canvas, &area, course)?,
        }
        area.times(&mut canvas);
        Some(canvas)
    }
}

struct Area {
    width: f64,
    height: f64,
    /// Seconds.
    length: f64,
}

impl Area {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.length * self.width
    }

    /// From 0, below, to 1.
    fn y(&self, share: f64) -> f64 {
        10.0 + (1.0 - share.clamp(0.0, 1.0)) * self.height
    }

    fn times(&self, canvas: &mut Canvas) {
        for at in 0..=4 {
            let seconds = self.length * f64::from(at) / 4.0;
            let text = match self.length < 60.0 {
                true => format!("{seconds:.1}s"),
                false => time::clock(maliu::time::Ticks((seconds * 1e6) as i64)),
            };
            let wide = text.len() as f64 * 7.0;
            canvas.text((self.x(seconds).min(LEFT + self.width - wide), 14.0 + self.height), text);
        }
    }

    /// A line at a height, with its number.
    fn line(&self, canvas: &mut Canvas, share: f64, text: String) {
        canvas.rect((LEFT, self.y(share)), (self.width, 1.0), Ink::Grid);
        canvas.text((2.0, (self.y(share) - 5.0).max(0.0)), text);
    }
}

fn waveform(canvas: &mut Canvas, area: &Area, course: &Course) -> Option<()> {
    let sound = course.sound.as_ref()?;
    for level in [-1.0, -0.5, 0.0, 0.5, 1.0] {
        area.line(canvas, (level + 1.0) / 2.0, format!("{level:.1}"));
    }
    let wide = area.x(sound.wave.width) - area.x(0.0);
    for (at, extent) in sound.wave.values.iter().enumerate() {
        let (low, high) = ((f64::from(extent.0) + 1.0) / 2.0, (f64::from(extent.1) + 1.0) / 2.0);
        let x = area.x(at as f64 * sound.wave.width);
        canvas.rect((x, area.y(high)), (wide.max(1.0), (area.y(low) - area.y(high)).max(1.0)), Ink::Stream(0));
    }
    Some(())
}

fn spectrogram(canvas: &mut Canvas, area: &Area, course: &Course) -> Option<()> {
    let sound = course.sound.as_ref()?;
    let columns = &sound.spectra.values;
    let mut rgb = Vec::with_capacity(columns.len() * ROWS * 3);
    for row in (0..ROWS).rev() {
        for column in columns {
            let power = column.0[row] / (column.1.max(1) as f32);
            rgb.extend(heat((10.0 * power.max(1e-12).log10() - FLOOR) / -FLOOR));
        }
    }
    let wide = area.x(columns.len() as f64 * sound.spectra.width) - LEFT;
    if !columns.is_empty() {
        canvas.bitmap((LEFT, 10.0), (wide.min(area.width), area.height), (columns.len() as u32, ROWS as u32), rgb);
    }
    for share in [0.0, 0.5, 1.0] {
        let text = format!("{:.1}kHz", f64::from(sound.rate) / 2000.0 * share);
        canvas.text((2.0, (area.y(share) - 5.0).max(0.0)), text);
    }
    Some(())
}

/// From black over violet and red to yellow.
fn heat(share: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] =
        [[0.0, 0.0, 8.0], [72.0, 12.0, 110.0], [187.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];
    let place = share.clamp(0.0, 1.0) * 4.0;
    let first = (place as usize).min(3);
    let part = place - first as f32;
    std::array::from_fn(|at| (STOPS[first][at] * (1.0 - part) + STOPS[first + 1][at] * part) as u8)
}

fn bitrate(canvas: &mut Canvas, area: &Area, course: &Course) -> Option<()> {
    // All streams in bins of the widest.
    let width = course.tracks.iter().map(|track| track.bits.width).fold(0.1, f64::max);
    // A bin holds some packets at least, so that the line shows the rate and not the packets.
    let width = width.max(area.length / 200.0).max(0.5);
    let rates: Vec<Vec<f64>> = course
        .tracks
        .iter()
        .map(|track| {
            let mut rates = vec![0.0; (area.length / width) as usize + 1];
            for (at, bits) in track.bits.values.iter().enumerate() {
                let place = ((at as f64 * track.bits.width / width) as usize).min(rates.len() - 1);
                // The last one may be shorter.
                let width = width.min(area.length - place as f64 * width).max(width / 10.0);
                rates[place] += bits.0 / width;
            }
            rates
        })
        .collect();
    let highest = rates.iter().flatten().fold(0.0, |highest: f64, rate| highest.max(*rate));
    if highest == 0.0 {
        return None;
    }
    for share in [0.0, 0.5, 1.0] {
        area.line(canvas, share, format!("{:.0}kb/s", highest * share / 1000.0));
    }
    let wide = area.width * width / area.length;
    for (stream, rates) in rates.iter().enumerate() {
        for (at, rate) in rates.iter().enumerate().filter(|(_, rate)| **rate > 0.0) {
            let (x, y) = (area.x(at as f64 * width), area.y(rate / highest));
            let wide = wide.min(LEFT + area.width - x);
            canvas.rect((x, y), (wide.max(1.0), 2.0), Ink::Stream(stream));
        }
    }
    Some(())
}

fn gop(canvas: &mut Canvas, area: &Area, course: &Course) -> Option<()> {
    let track = course.tracks.iter().find(|track| track.kind == Kind::Video && !track.groups.values.is_empty())?;
    let longest = track.groups.values.iter().map(|most| most.0).max().filter(|longest| *longest > 0)?;
    for share in [0.0, 0.5, 1.0] {
        area.line(canvas, share, format!("{:.0} fr", f64::from(longest) * share));
    }
    for (at, frames) in track.groups.values.iter().enumerate().filter(|(_, frames)| frames.0 > 0) {
        let (x, y) = (area.x(at as f64 * track.groups.width), area.y(f64::from(frames.0) / f64::from(longest)));
        canvas.rect((x, y), (3.0, area.y(0.0) - y), Ink::Stream(1));
        canvas.rect((x, y), (3.0, 3.0), Ink::Mark);
    }
    Some(())
}
