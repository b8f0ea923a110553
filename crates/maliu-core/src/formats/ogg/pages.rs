//! The pages of an input, one after another: what is no page, or is damaged, is passed over with a remark.

use alloc::format;

use bytes::Bytes;

use crate::{
    input::Input,
    remark::Remark,
    syntax::ogg::{self, CAPTURE, Front, Page},
};

/// The next item of an input.
pub(super) enum Next {
    /// A whole page, its header and its offset.
    Page(Bytes, Page, u64),
    /// More bytes are needed.
    More,
    /// Nothing is left.
    End,
}

/// A walk over pages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pages {
    /// Bytes that are passed over: since where, and whether a damaged page begins them.
    junk: Option<(u64, bool)>,
}

impl Pages {
    /// The input was moved: what stands there first may be the rest of a page.
    pub(super) fn restart(&mut self) {
        self.junk = None;
    }

    /// The next page; `quiet` after a move, when the rest of a page in front of it is nothing to remark on.
    pub(super) fn next(&mut self, input: &mut Input, quiet: bool) -> Next {
        loop {
            let (at, ended) = (input.offset(), input.ended());
            match ogg::front(input.peek()) {
                Front::Page(page) => {
                    let Some(bytes) = input.take(page.length) else { return Next::More };
                    self.end_junk(at, quiet, input);
                    return Next::Page(bytes, page, at);
                }
                Front::More if !ended => return Next::More,
                Front::More if self.junk.is_none() && !input.peek().is_empty() => {
                    let missing = ogg::header(input.peek()).map(|page| (page.length - input.peek().len()) as u64);
                    input.remark(Remark::Cut { missing }, "page cut short by the end of the input: left out");
                    input.skip(usize::MAX);
                }
                Front::More if input.peek().is_empty() => {
                    self.end_junk(at, quiet, input);
                    return Next::End;
                }
                front => {
                    self.junk.get_or_insert((at, matches!(front, Front::Damaged(_))));
                    input.skip(1);
                    let next = memchr::memmem::find(input.peek(), CAPTURE);
                    let left = if input.ended() { 0 } else { CAPTURE.len() - 1 };
                    input.skip(next.unwrap_or_else(|| input.peek().len().saturating_sub(left)));
                    if input.peek().len() < CAPTURE.len() && !input.ended() {
                        return Next::More;
                    }
                }
            }
        }
    }

    fn end_junk(&mut self, at: u64, quiet: bool, input: &mut Input) {
        let Some((from, damaged)) = self.junk.take().filter(|_| !quiet) else { return };
        let bytes = at.saturating_sub(from);
        let what = match damaged {
            true => format!("page with a wrong checksum: {bytes} bytes left out"),
            false => format!("skipped {bytes} bytes that are no page"),
        };
        input.remark_at(from, Remark::Junk { bytes: Some(bytes) }, what);
    }
}
