//! Where key frames stand: from metadata, and from the tags read so far (FLD-17, FLD-29).

use alloc::vec::Vec;

use crate::input::Input;

use super::demux::{Flv, Tag};

impl Flv {
    pub(super) fn index_from_metadata(&mut self, _keyframes: Vec<(i64, u64)>, _tag: &Tag, _input: &Input) {}
}
