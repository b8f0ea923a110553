//! Where decoding of a stream can begin: at an IDR picture, at a recovery point, or at a picture that is predicted from none.

use maliu_core::syntax::h264::{RecoveryPoint, SliceHeader, SliceType, Sps, for_each_sei};

/// Follows a stream from its start, or from a seek.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Join {
    /// The recovery point message in front of the next picture.
    recovery: Option<RecoveryPoint>,
    state: State,
    /// Pictures in front of the place where decoding began.
    pub left_out: u64,
    /// Pictures that were decoded but could not be right.
    pub not_right: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// No place to begin was met.
    #[default]
    Waiting,
    /// Pictures become right with this frame_num.
    Recovering { frame_num: u32 },
    /// Pictures are right.
    Right,
}

/// How a picture is to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct First {
    /// A grey picture takes the place of those before it.
    pub grey: bool,
    /// It may be shown.
    pub right: bool,
    /// Decoding begins with it, and it is not an IDR picture.
    pub joined: bool,
}

impl Join {
    /// The next picture does not follow the last one.
    pub(super) fn restart(&mut self) {
        (self.recovery, self.state) = (None, State::Waiting);
    }

    /// Notes the messages of an SEI unit.
    pub(super) fn sei(&mut self, nal: &[u8]) {
        for_each_sei(nal, |message| self.recovery = self.recovery.or(RecoveryPoint::of(message)));
    }

    /// How the picture that begins with this slice is to be decoded; `None` when it is left out.
    pub(super) fn picture(&mut self, slice: &SliceHeader, kind: SliceType, sps: &Sps) -> Option<First> {
        let recovery = self.recovery.take();
        let plain = First { grey: false, right: true, joined: false };
        if slice.idr {
            self.state = State::Right;
            return Some(plain);
        }
        match self.state {
            State::Right => Some(plain),
            State::Recovering { frame_num } => {
                let right = slice.frame_num == frame_num;
                if right {
                    self.state = State::Right;
                }
                self.not_right += u64::from(!right);
                Some(First { right, ..plain })
            }
            State::Waiting => {
                let count = match (recovery, kind) {
                    (Some(recovery), _) => recovery.recovery_frame_cnt,
                    (None, SliceType::I) => 0,
                    (None, _) => {
                        self.left_out += 1;
                        return None;
                    }
                };
                let frame_num = (slice.frame_num + count) % (1 << sps.log2_max_frame_num);
                self.state = if count == 0 { State::Right } else { State::Recovering { frame_num } };
                self.not_right += u64::from(count > 0);
                Some(First { grey: true, right: count == 0, joined: true })
            }
        }
    }
}
