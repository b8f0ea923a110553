//! The handshake: three blocks each way, plain or signed (RTMP 1.0 §5.2).
//!
//! ```text
//!  client ─ C0: 3 │ C1: time, version, 1528 bytes ──▶ server
//!         ◀─ S0: 3 │ S1 as C1 │ S2: C1 again, or a signed answer to it ─
//!         ─ C2: S1 again, or a signed answer to it ──▶
//! ```

use core::task::Poll;

use super::{
    Fault,
    digest::{self, Block, SIZE},
    outgoing::Outgoing,
};
use crate::input::Input;

/// The version of RTMP.
const VERSION: u8 = 3;

/// Signed blocks carry a version of the program that is not 0: Flash Player 9.0.124.2, and a server of that time.
const PLAYER: [u8; 4] = [9, 0, 124, 2];
const SERVER: [u8; 4] = [3, 5, 1, 1];

/// One end of a handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    state: State,
    random: Random,
}

#[derive(Debug)]
enum State {
    /// A server that waits for C0 and C1.
    Greeting,
    /// A client that waits for S0 and S1.
    Greeted,
    /// The last block of the peer is to come.
    Last,
}

impl Handshake {
    /// The connecting end; says its part. `seed` is different for each connection.
    pub(super) fn client(seed: u64, out: &mut Outgoing) -> Self {
        let mut random = Random::new(seed);
        let mut c1 = random.block();
        named(&mut c1, if cfg!(feature = "crypt") { PLAYER } else { [0; 4] });
        digest::sign(&mut c1, digest::Signer::Player);
        out.copy(&[VERSION]);
        out.copy(&c1);
        Self { state: State::Greeted, random }
    }

    /// The listening end.
    pub(super) fn server(seed: u64) -> Self {
        Self { state: State::Greeting, random: Random::new(seed) }
    }

    /// Reads on; ready when what follows are chunks.
    pub(super) fn poll(&mut self, input: &mut Input, out: &mut Outgoing) -> Result<Poll<()>, Fault> {
        if !matches!(self.state, State::Last) {
            let Some(&version) = input.peek().first() else { return Ok(Poll::Pending) };
            if version != VERSION {
                return Err(Fault::Version(version));
            }
            let Some(block) = input.peek().get(1..).and_then(<[u8]>::first_chunk::<SIZE>).copied() else {
                return Ok(Poll::Pending);
            };
            input.skip(1 + SIZE);
            match self.state {
                State::Greeting => self.greet(&block, out),
                _ => self.answer(&block, digest::Signer::Server, out),
            }
            self.state = State::Last;
        }
        if input.peek().len() < SIZE {
            return Ok(Poll::Pending);
        }
        // Peers exist that echo with the time changed or not at all: nothing in the last block is checked.
        input.skip(SIZE);
        Ok(Poll::Ready(()))
    }

    /// S0, S1 and S2.
    fn greet(&mut self, c1: &Block, out: &mut Outgoing) {
        let mut s1 = self.random.block();
        out.copy(&[VERSION]);
        let signed = digest::find(c1, digest::Signer::Player).is_some();
        named(&mut s1, if signed { SERVER } else { [0; 4] });
        if signed {
            digest::sign(&mut s1, digest::Signer::Server);
        }
        out.copy(&s1);
        self.answer(c1, digest::Signer::Player, out);
    }

    /// C2 or S2: a signed answer to a signed block of `from`, else an echo.
    fn answer(&mut self, block: &Block, from: digest::Signer, out: &mut Outgoing) {
        let by = match from {
            digest::Signer::Player => digest::Signer::Server,
            digest::Signer::Server => digest::Signer::Player,
        };
        match digest::find(block, from) {
            Some(signature) => {
                let mut answer = self.random.block();
                digest::answer(&mut answer, &signature, by);
                out.copy(&answer);
            }
            None => out.copy(block),
        }
    }
}

/// Puts the time, 0, and the version of the program at the start of a block.
fn named(block: &mut Block, version: [u8; 4]) {
    let [t3, t2, t1, t0, v3, v2, v1, v0, ..] = block;
    (*t3, *t2, *t1, *t0) = (0, 0, 0, 0);
    (*v3, *v2, *v1, *v0) = version.into();
}

/// Bytes that differ from connection to connection (xorshift64*); nothing secret depends on them.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn block(&mut self) -> Block {
        let mut block = [0; SIZE];
        for eight in block.as_chunks_mut::<8>().0 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *eight = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes();
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carry(out: &mut Outgoing, input: &mut Input) {
        while let Some(bytes) = out.next() {
            input.push(&bytes);
        }
    }

    #[test]
    fn two_ends_agree_and_leave_what_follows() {
        let (mut to_server, mut to_client) = (Outgoing::default(), Outgoing::default());
        let (mut at_server, mut at_client) = (Input::new(), Input::new());
        let mut client = Handshake::client(1, &mut to_server);
        let mut server = Handshake::server(2);
        carry(&mut to_server, &mut at_server);
        assert_eq!(server.poll(&mut at_server, &mut to_client), Ok(Poll::Pending));
        carry(&mut to_client, &mut at_client);
        at_client.push(b"chunk");
        assert_eq!(client.poll(&mut at_client, &mut to_server), Ok(Poll::Ready(())));
        assert_eq!(at_client.peek(), b"chunk");
        carry(&mut to_server, &mut at_server);
        assert_eq!(server.poll(&mut at_server, &mut to_client), Ok(Poll::Ready(())));
    }

    #[test]
    fn other_versions_are_refused_at_the_first_byte() {
        for version in [0, 6, 8, b'G'] {
            let mut input = Input::new();
            input.push(&[version]);
            let polled = Handshake::server(1).poll(&mut input, &mut Outgoing::default());
            assert_eq!(polled, Err(Fault::Version(version)));
        }
    }

    #[test]
    fn a_plain_greeting_gets_its_echo() {
        let (mut input, mut out) = (Input::new(), Outgoing::default());
        let mut c1 = Random::new(7).block();
        named(&mut c1, [0; 4]);
        input.push(&[VERSION]);
        input.push(&c1);
        assert_eq!(Handshake::server(3).poll(&mut input, &mut out), Ok(Poll::Pending));
        let mut said = Input::new();
        carry(&mut out, &mut said);
        assert_eq!(said.peek().len(), 1 + 2 * SIZE);
        assert!(said.peek().ends_with(&c1) && said.peek()[5..9] == [0; 4]);
    }

    #[cfg(feature = "crypt")]
    #[test]
    fn signatures_are_found_where_they_were_put() {
        for seed in 1..40 {
            let mut block = Random::new(seed).block();
            assert_eq!(digest::find(&block, digest::Signer::Player), None);
            digest::sign(&mut block, digest::Signer::Player);
            assert!(digest::find(&block, digest::Signer::Player).is_some());
            assert_eq!(digest::find(&block, digest::Signer::Server), None);
            block[1535] ^= 1;
            assert_eq!(digest::find(&block, digest::Signer::Player), None);
        }
    }
}
