//! A dialogue of RTSP → packets of its streams.

use alloc::{format, string::String, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::carried::Carried;
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::Input,
    remark::Remark,
    rtp::{
        Losses, Session,
        message::{MAX_BODY, MAX_HEAD, Message},
        sdp::{self, Description},
    },
};

/// Most requests whose answers are waited for.
const MAX_ASKED: usize = 32;

/// Bytes in front of a packet.
const FRAME: usize = 4;

/// Reads a dialogue.
pub(super) struct Rtsp {
    losses: Losses,
    streams: Option<Streams>,
    description: Description,
    /// Channel, stream, and whether it carries RTCP.
    channels: Vec<(u8, usize, bool)>,
    /// Answers to SETUP so far.
    setups: usize,
    /// Requests: CSeq, method, URL.
    asked: Vec<(String, String, String)>,
    /// Bytes of the lines of a message that were searched for their end.
    searched: usize,
    /// The start of bytes that were not understood, while they go on.
    garbage: Option<u64>,
    ended: bool,
    told: bool,
}

/// The streams of a description.
enum Streams {
    Of(Session),
    In(Carried),
}

/// Kinds of things in the input.
enum Next {
    Packet(u8, usize),
    Lines,
    Garbage,
    Short,
}

impl Rtsp {
    pub(super) fn new(losses: Losses) -> Self {
        Self {
            losses,
            streams: None,
            description: Description::default(),
            channels: Vec::new(),
            setups: 0,
            asked: Vec::new(),
            searched: 0,
            garbage: None,
            ended: false,
            told: false,
        }
    }

    /// An event that is ready, and remarks on their way out.
    fn ready(&mut self, input: &mut Input) -> Result<Option<Event>> {
        let (event, warnings) = match &mut self.streams {
            Some(Streams::Of(session)) => (session.poll(), session.take_warnings()),
            Some(Streams::In(carried)) => {
                let event = carried.poll();
                (event?, carried.take_warnings())
            }
            None => (None, Vec::new()),
        };
        warnings.into_iter().for_each(|warning| input.pass_on(warning));
        Ok(event)
    }

    /// The kind of thing at the front of the input.
    fn next(&self, input: &Input) -> Next {
        let bytes = input.peek();
        let more = || if input.ended() { Next::Garbage } else { Next::Short };
        match *bytes {
            [] => Next::Short,
            [b'$', channel, high, low, ref rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                let known = self.channels.iter().any(|(known, ..)| *known == channel);
                match rest.first() {
                    _ if self.garbage.is_none() => Next::Packet(channel, length),
                    _ if !known => Next::Garbage,
                    Some(first) if first >> 6 == 2 => Next::Packet(channel, length),
                    Some(_) => Next::Garbage,
                    None => more(),
                }
            }
            [b'$', ..] => more(),
            _ => {
                let head = bytes.get(..MAX_WORD).unwrap_or(bytes);
                let is_word = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
                let answer = head.iter().zip(ANSWER).all(|(byte, expected)| byte == expected);
                match head.iter().position(|byte| !is_word(byte)) {
                    _ if answer && head.len() >= ANSWER.len() => Next::Lines,
                    _ if answer => more(),
                    None if head.len() < MAX_WORD => more(),
                    Some(at) if at >= 3 && head.get(at) == Some(&b' ') && self.garbage.is_none() => Next::Lines,
                    _ => Next::Garbage,
                }
            }
        }
    }

    /// Takes a packet of a channel, if all of it is there.
    fn packet(&mut self, channel: u8, length: usize, input: &mut Input) -> bool {
        let at = input.offset();
        if input.peek().len() < FRAME + length {
            return false;
        }
        input.skip(FRAME);
        let Some(packet) = input.take(length) else { return false };
        self.regain(at, input);
        let Some((_, stream, control)) = self.channels.iter().find(|(known, ..)| *known == channel).copied() else {
            if !core::mem::replace(&mut self.told, true) {
                input.warn_at(at, format!("packets of channel {channel}, which has no stream, left out"));
            }
            return true;
        };
        match &mut self.streams {
            Some(Streams::Of(session)) if control => session.rtcp(stream, &packet),
            Some(Streams::Of(session)) => session.rtp(stream, &packet, at),
            Some(Streams::In(carried)) if !control => carried.rtp(&packet, at),
            _ => {}
        }
        true
    }

    /// Takes a message, if all of it is there.
    fn message(&mut self, input: &mut Input) -> Result<bool> {
        let at = input.offset();
        let bytes = input.peek();
        let end = Message::length(bytes, self.searched);
        let Some(length) = end.filter(|length| *length <= MAX_HEAD) else {
            if bytes.len() > MAX_HEAD {
                return Err(Error::Limit { what: "bytes of the lines of a message", limit: MAX_HEAD as u64 });
            }
            self.searched = bytes.len();
            return Ok(false);
        };
        let message = Message::parse(bytes.get(..length).unwrap_or_default());
        let body = message.body();
        if body > MAX_BODY {
            return Err(Error::Limit { what: "bytes of the body of a message", limit: MAX_BODY as u64 });
        }
        if bytes.len() < length + body {
            return Ok(false);
        }
        self.searched = 0;
        input.skip(length);
        let body = input.take(body).unwrap_or_default();
        self.regain(at, input);
        self.understand(&message, &body, at)?;
        Ok(true)
    }

    fn understand(&mut self, message: &Message, body: &Bytes, at: u64) -> Result<()> {
        let number = message.value("CSeq").unwrap_or_default();
        let describes = message.value("Content-Type").is_some_and(|kind| kind.contains("application/sdp"));
        if let Some((method, url)) = &message.request {
            if self.asked.len() < MAX_ASKED {
                self.asked.push((number.into(), method.clone(), url.clone()));
            }
            if method == "ANNOUNCE" && describes && self.streams.is_none() {
                self.describe(body, at)?;
            }
            return Ok(());
        }
        let asked = self.asked.iter().position(|(known, ..)| known == number).map(|at| self.asked.swap_remove(at));
        if message.status != Some(200) {
            return Ok(());
        }
        if describes && self.streams.is_none() {
            self.describe(body, at)?;
        }
        if let Some((rtp, rtcp)) = message.channels() {
            let url = asked.filter(|(_, method, _)| method == "SETUP").map(|(.., url)| url);
            let stream = url.and_then(|url| self.stream_of(&url)).unwrap_or(self.setups);
            if self.setups == 0 {
                self.channels.clear();
            }
            self.setups += 1;
            if self.channels.len() < 2 * sdp::MAX_MEDIA {
                self.channels.extend([(rtp, stream, false), (rtcp, stream, true)]);
            }
        }
        for (n, (url, time)) in message.rtp_info().into_iter().enumerate() {
            let stream = self.stream_of(&url).unwrap_or(n);
            if let Some(Streams::Of(session)) = &mut self.streams {
                session.begins(stream, time);
            }
        }
        Ok(())
    }

    /// The stream with a control URL.
    fn stream_of(&self, url: &str) -> Option<usize> {
        self.description.media.iter().position(|media| {
            let behind =
                |control: &str| url.strip_suffix(control).is_some_and(|base| base.is_empty() || base.ends_with('/'));
            media.control.as_deref().is_some_and(|control| !control.is_empty() && behind(control))
        })
    }

    fn describe(&mut self, body: &[u8], at: u64) -> Result<()> {
        let text = String::from_utf8_lossy(body);
        let fault = |fault: sdp::Fault| Error::malformed("rtsp", format!("{fault}"), at);
        self.description = sdp::parse(&text).map_err(fault)?;
        for stream in 0..self.description.media.len() {
            let channel = (2 * stream) as u8;
            self.channels.extend([(channel, stream, false), (channel + 1, stream, true)]);
        }
        self.streams = Some(match Carried::of(&self.description) {
            Some(carried) => Streams::In(carried),
            None => Streams::Of(Session::new(&self.description, self.losses)),
        });
        Ok(())
    }

    /// Something was understood at `at`: garbage in front of it is over.
    fn regain(&mut self, at: u64, input: &mut Input) {
        if let Some(from) = self.garbage.take() {
            let bytes = at.saturating_sub(from);
            input.remark_at(
                from,
                Remark::Junk { bytes: Some(bytes) },
                format!("skipped {bytes} bytes that are not RTSP"),
            );
        }
    }

    /// Passes over bytes that mean nothing, up to the next that may.
    fn skip(&mut self, input: &mut Input) {
        let bytes = input.peek();
        if let Some(b'\r' | b'\n') = bytes.first().filter(|_| self.garbage.is_none()) {
            input.skip(1);
            return;
        }
        self.garbage.get_or_insert(input.offset());
        let rest = bytes.get(1..).unwrap_or_default();
        let passed = 1 + memchr::memchr2(b'$', b'R', rest).unwrap_or(rest.len());
        input.skip(passed);
    }

    fn end(&mut self, input: &mut Input) -> Result<()> {
        let left = input.peek().len();
        let at = input.offset();
        if left > 0 {
            input.remark(Remark::Cut { missing: None }, format!("{left} bytes of a packet or message that is cut"));
            input.skip(left);
        }
        self.regain(at, input);
        match &mut self.streams {
            Some(Streams::Of(session)) => session.finish(),
            Some(Streams::In(carried)) => carried.finish(),
            None => return Err(Error::malformed("rtsp", "no session description up to the end", at)),
        }
        Ok(())
    }
}

/// The start of an answer.
const ANSWER: &[u8] = b"RTSP/1.";

/// Longest method, in bytes, with the space behind it.
const MAX_WORD: usize = 16;

impl Demuxer for Rtsp {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.ready(input)? {
                return Ok(Poll::Ready(event));
            }
            if self.ended {
                return Ok(Poll::Ready(Event::End));
            }
            let moved = match self.next(input) {
                Next::Packet(channel, length) => self.packet(channel, length, input),
                Next::Lines => self.message(input)?,
                Next::Garbage => {
                    self.skip(input);
                    true
                }
                Next::Short => false,
            };
            if moved {
                continue;
            }
            if !input.ended() {
                return Ok(Poll::Pending);
            }
            self.ended = true;
            self.end(input)?;
        }
    }
}
