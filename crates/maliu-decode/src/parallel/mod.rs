//! Packets decoded by several threads, with the very samples, errors and report of one.
//!
//! ```text
//! push ─▶ batch of packets ─▶ Line: stages, on any thread ─▶ outcomes in order ─▶ trim, silence, report ─▶ poll
//! ```
//!
//! ```
//! use maliu_core::{packet::Packet, stream::{Audio, Codec, Media, StreamInfo}, time::TimeBase};
//! use maliu_decode::{Options, Parallel};
//!
//! let audio = Audio::new(8000, 1);
//! let info = StreamInfo::new(Codec::PcmMuLaw, TimeBase::hz(8000), Media::Audio(audio));
//! let mut decoder = Parallel::new(&info, Options::default(), 4)?;
//! decoder.push(Packet::of(0, vec![0xff, 0x80]));
//! let frame = decoder.finish().expect("a packet was pushed")?.expect("two samples");
//! assert_eq!(frame.len(), 2);
//! assert!(decoder.finish().is_none());
//! # Ok::<(), maliu_core::error::Error>(())
//! ```

mod aac;
mod batch;
mod course;
mod line;
mod mpeg_audio;

use std::{collections::VecDeque, num::NonZeroUsize};

use maliu_core::{
    account::{Account, Sieve},
    error::Result,
    packet::Packet,
    stream::{Codec, StreamInfo},
};

use self::{
    batch::{Batch, Plan},
    course::{Course, Lines, Serial},
};
use crate::{
    AudioFrame, Options, Profile, Report,
    outcome::Outcome,
    track::{Finish, Stream},
    unit_for,
};

/// Decodes the packets of one stream by several threads, ahead of what is asked for.
///
/// AAC and MPEG audio are decoded in parallel; other codecs by the caller's thread. The result depends neither on the number of threads nor on their timing.
pub struct Parallel {
    threads: NonZeroUsize,
    options: Options,
    /// As the packets pushed so far have it, and as those taken have it.
    pushed: Stream,
    taken: Stream,
    course: Box<dyn Course>,
    finish: Finish,
    profile: Option<Profile>,
    /// Frames that were finished before the stream changed.
    done: VecDeque<(Packet, Result<Outcome>)>,
    /// Packets pushed and not taken.
    ahead: Account,
    /// Packets of other streams, which the caller did not push, share buffers with those that wait here.
    sieve: Sieve,
    /// Bytes of the largest frame so far; before there is one, as if sixteen were all that may wait.
    frame: Option<usize>,
}

/// Most bytes of memory of packets that wait.
pub const LOOK_AHEAD_BYTES: usize = 8 << 20;

/// Most bytes of sound that wait for each thread, as far as the frames so far tell.
pub const LOOK_AHEAD_SOUND: usize = 4 << 20;

impl Parallel {
    /// A decoder of this stream that `threads` threads work for, the caller's among them; 0 means one per core.
    ///
    /// # Errors
    /// As [`decoder_for`](crate::decoder_for).
    pub fn new(info: &StreamInfo, options: Options, threads: usize) -> Result<Self> {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = NonZeroUsize::new(threads).unwrap_or_else(cores).min(MOST_THREADS);
        Ok(Self {
            threads,
            options,
            pushed: Stream(info.clone()),
            taken: Stream(info.clone()),
            course: course_of(info, options, threads)?,
            finish: Finish::new(options),
            profile: None,
            done: VecDeque::new(),
            ahead: Account::default(),
            sieve: Sieve::default(),
            frame: None,
        })
    }

    /// Takes the next packet. Each packet is answered by [`poll`](Self::poll) or [`finish`](Self::finish), in order.
    pub fn push(&mut self, mut packet: Packet) {
        self.sieve.keep(&mut packet);
        self.ahead.add(&packet);
        if self.pushed.follow(&packet) {
            while let Some((packet, outcome)) = self.course.finish() {
                self.done.push_back((packet, Ok(outcome)));
            }
            match course_of(&self.pushed.0, self.options, self.threads) {
                Ok(course) => self.course = course,
                Err(error) => {
                    self.done.push_back((packet, Err(error)));
                    return;
                }
            }
        }
        self.course.push(packet);
    }

    /// Passes over a packet of another stream, with its size in bytes: waiting packets are copied rather than keep it
    /// in memory.
    pub fn pass(&mut self, bytes: usize) {
        self.sieve.pass(bytes);
    }

    /// The sound of the oldest packet, as [`Decoder::decode`](crate::Decoder::decode) gives it, if it is there. Works
    /// and waits for it when enough packets were pushed; `None` asks for another one.
    pub fn poll(&mut self) -> Option<Result<Option<AudioFrame>>> {
        let most = LOOK_AHEAD_SOUND * self.threads.get();
        let sound = self.ahead.items().saturating_mul(self.frame.unwrap_or(most / 16));
        let full = self.ahead.bytes() >= LOOK_AHEAD_BYTES || sound >= most;
        let next = match self.done.pop_front() {
            Some(done) => done,
            None if full => self.course.finish().map(|(packet, outcome)| (packet, Ok(outcome)))?,
            None => self.course.poll().map(|(packet, outcome)| (packet, Ok(outcome)))?,
        };
        Some(self.answer(next))
    }

    /// The sound of the oldest packet, worked on and waited for; `None` when all packets were answered.
    pub fn finish(&mut self) -> Option<Result<Option<AudioFrame>>> {
        let next = match self.done.pop_front() {
            Some(done) => done,
            None => self.course.finish().map(|(packet, outcome)| (packet, Ok(outcome)))?,
        };
        Some(self.answer(next))
    }

    /// The next packet does not follow the last one: a seek. Packets that were not answered are forgotten.
    pub fn reset(&mut self) {
        while self.course.finish().is_some() {}
        self.done.clear();
        self.ahead.clear();
        self.taken = Stream(self.pushed.0.clone());
        self.course.reset();
        self.finish.reset();
    }

    /// Findings about the packets answered so far.
    pub fn report(&self) -> Report {
        self.finish.report()
    }

    /// Profile of the audio, as [`Decoder::profile`](crate::Decoder::profile) reports it for the packets answered so
    /// far.
    pub fn profile(&self) -> Option<Profile> {
        self.profile
    }

    fn answer(&mut self, (packet, outcome): (Packet, Result<Outcome>)) -> Result<Option<AudioFrame>> {
        self.ahead.remove(&packet);
        self.taken.follow(&packet);
        let outcome = outcome?;
        self.profile = outcome.profile;
        let frame = self.finish.frame(&self.taken.0, &packet, outcome)?;
        if let Some(frame) = &frame {
            self.frame = self.frame.max(Some(4 * frame.samples.len()));
        }
        Ok(frame)
    }
}

/// More threads than any codec has use for.
const MOST_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

fn course_of(info: &StreamInfo, options: Options, threads: NonZeroUsize) -> Result<Box<dyn Course>> {
    Ok(match info.codec {
        _ if threads.get() == 1 => Box::new(Serial::new(unit_for(info, options)?)),
        Codec::Aac => {
            let (plan, stages) = aac::line(info, options, threads.get())?;
            Box::new(Lines::new(plan, stages, threads))
        }
        codec if crate::mpeg_audio::CODECS.contains(&codec) => {
            Box::new(Lines::new(mpeg_audio::Plan, mpeg_audio::stages(threads.get()), threads))
        }
        _ => Box::new(Serial::new(unit_for(info, options)?)),
    })
}
