//! A file that grows has no size and no time to be known by: how it began is kept until it was sent.

use std::{
    fs::{self, File},
    io::{self, Seek},
    path::PathBuf,
};

use maliu::digest::Kind;

use super::{ENDS, Fields, beginning, number, random};
use crate::folders;

/// Record of the transfer of a file that grows.
pub(crate) struct Growing {
    /// The id of the transfer.
    pub id: u64,
    place: PathBuf,
}

/// The beginning of a file: its length in bytes, and its SHA-256.
#[derive(Debug, PartialEq)]
struct Beginning {
    salt: u64,
    length: u64,
    digest: String,
}

impl Growing {
    /// The transfer of this file, where `key` stands for everything else that tells it from others. It is gone on with
    /// if the file begins as it did.
    pub(crate) fn open(key: &str, file: &mut File) -> io::Result<Self> {
        let place = folders::state().join("growing").join(key.get(..32).unwrap_or(key));
        let kept = fs::read_to_string(&place).ok().and_then(|text| Beginning::read(&text));
        let kept = kept.filter(|kept| Beginning::of(file, kept.salt, kept.length).is_ok_and(|now| now == *kept));
        let salt = kept.as_ref().map_or_else(random, |kept| Ok(kept.salt))?;
        // A file that has grown since is known by more.
        let now = Beginning::of(file, salt, ENDS)?;
        if kept.as_ref() != Some(&now)
            && let Err(error) = now.write(&place)
        {
            tracing::warn!("{}: {error}: a second run will not go on where this one was", place.display());
        }
        let mut fields = Fields::new();
        fields.put(key.as_bytes());
        fields.put(&salt.to_be_bytes());
        Ok(Self { id: number(&fields.finish()), place })
    }

    /// Nothing is to be gone on with.
    pub(crate) fn forget(self) {
        // A record that stays is found to be of another file, or goes on with a transfer that is complete.
        let _ = fs::remove_file(self.place);
    }
}

impl Beginning {
    fn of(file: &mut File, salt: u64, length: u64) -> io::Result<Self> {
        file.rewind()?;
        let bytes = beginning(file, length)?;
        Ok(Self { salt, length: bytes.len() as u64, digest: Kind::Sha256.of(&bytes) })
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let salt = u64::from_str_radix(words.next()?, 16).ok()?;
        Some(Self { salt, length: words.next()?.parse().ok()?, digest: words.next()?.to_owned() })
    }

    fn write(&self, place: &std::path::Path) -> io::Result<()> {
        fs::create_dir_all(place.parent().unwrap_or(place))?;
        let beside = place.with_extension(format!("{:016x}", random()?));
        fs::write(&beside, format!("{:016x} {} {}\n", self.salt, self.length, self.digest))?;
        fs::rename(&beside, place)
    }
}
