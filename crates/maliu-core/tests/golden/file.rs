//! The file that the edits of an output make, with the marks of its pieces.

use std::fmt::Write as _;

use maliu_core::output::{Edit, Mark, Output};
use sha2::{Digest, Sha256};

/// A file in memory, and where which piece begins.
#[derive(Default)]
pub struct File {
    pub bytes: Vec<u8>,
    pub pieces: Vec<(u64, Mark)>,
}

impl File {
    /// Applies what waits in the output.
    pub fn apply(&mut self, out: &mut Output) {
        while let Some(edit) = out.next_edit() {
            match edit {
                Edit::Append(piece) => {
                    self.pieces.push((self.bytes.len() as u64, piece.mark));
                    piece.parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
                }
                Edit::Overwrite { at, bytes } => {
                    let at = at as usize;
                    self.bytes[at..at + bytes.len()].copy_from_slice(&bytes);
                }
                Edit::Insert { at, bytes } => {
                    let at = at as usize;
                    self.bytes.splice(at..at, bytes);
                }
            }
        }
    }

    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The mark of the piece that begins at `at`.
    pub fn mark(&self, at: u64) -> Option<Mark> {
        self.pieces.iter().find(|(start, _)| *start == at).map(|(_, mark)| *mark)
    }
}
