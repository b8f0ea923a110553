//! Packets before the wanted start: held, from the keyframe before it on, until the start is reached.
//!
//! ```text
//!   key · · · key · · │start · ·     written: from the second key on, once a packet at the start is there
//!             └ held ─┘
//! ```

use std::collections::VecDeque;

use maliu_core::{account::Account, packet::Packet, stream::Kind, time::Ticks};

use super::feed::Feed;

/// Most bytes of memory that are held for one input; the oldest packets go when there are more.
const MAX_HELD: usize = 64 << 20;

/// Most packets that are held for one input.
const MAX_PACKETS: usize = 1 << 17;

/// The inputs on their way to the start.
pub struct Lead {
    /// In µs of the input.
    start: i64,
    inputs: Vec<Input>,
}

/// One input.
#[derive(Default)]
struct Input {
    /// The output stream whose key packets are where decoding starts: pictures, or whatever there is.
    leader: Option<usize>,
    held: VecDeque<Packet>,
    account: Account,
    /// Held packets begin with a keyframe of the leader.
    keyed: bool,
    reached: bool,
}

impl Lead {
    /// For inputs whose streams are chosen. Without a start everything passes.
    pub fn new(start: Option<Ticks>, feeds: &[Feed]) -> Self {
        let start = start.map_or(0, |start| start.0);
        let input = |feed: &Feed| {
            let chosen =
                || feed.streams.iter().zip(&feed.outputs).filter_map(|(info, output)| Some((info, (*output)?)));
            let pictures = chosen().find(|(info, _)| info.media.kind() == Kind::Video);
            let leader = pictures.or_else(|| chosen().next()).map(|(_, output)| output);
            Input { leader, reached: start <= 0, ..Input::default() }
        };
        Self { start, inputs: feeds.iter().map(input).collect() }
    }

    /// Whether the start is not reached yet, so that packets are to pass here.
    pub fn is_before(&self, input: usize) -> bool {
        self.inputs.get(input).is_some_and(|lead| !lead.reached)
    }

    /// The packet, shown at `time` in µs, if the start is reached; those held before it are to be fetched first, with
    /// [`Lead::next`].
    pub fn pass(&mut self, input: usize, packet: Packet, time: Option<i64>) -> Option<Packet> {
        let Some(lead) = self.inputs.get_mut(input).filter(|lead| !lead.reached) else { return Some(packet) };
        let early = time.is_some_and(|time| time < self.start);
        let leads = lead.leader == Some(packet.stream) && packet.is_key();
        if leads && time.is_none_or(|time| time <= self.start) {
            lead.clear();
            lead.keyed = true;
        }
        if early {
            lead.hold(packet);
            return None;
        }
        lead.reached = true;
        if !lead.keyed {
            // Nothing that is held can be decoded.
            lead.clear();
        }
        Some(packet)
    }

    /// The oldest packet that was held for an input that has reached the start.
    pub fn next(&mut self, input: usize) -> Option<Packet> {
        self.inputs.get_mut(input).filter(|lead| lead.reached)?.held.pop_front()
    }
}

impl Input {
    fn hold(&mut self, packet: Packet) {
        self.account.add(&packet);
        self.held.push_back(packet);
        while self.account.bytes() > MAX_HELD || self.held.len() > MAX_PACKETS {
            let Some(oldest) = self.held.pop_front() else { break };
            self.account.remove(&oldest);
            self.keyed = false;
        }
    }

    fn clear(&mut self) {
        self.held.clear();
        self.account.clear();
    }
}
