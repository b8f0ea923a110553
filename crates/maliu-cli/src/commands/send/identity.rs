//! Which transfer it is: the same for a second run of the same command on the same file, and no other machine's.
//!
//! ```text
//!   machine ─┐
//!   path ────┼─ SHA-256 ─▶ 8 bytes: the id in the Hello
//!   options ─┤
//!   content ─┘  size, time and 64 KiB at both ends; of a file that grows, its beginning
//! ```

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    time::UNIX_EPOCH,
};

use maliu::digest::{Digest, Kind};

use super::Args;
use crate::paths;

mod growing;
mod machine;

pub(super) use growing::Growing;

/// Bytes at the beginning and at the end that tell one content from another.
const ENDS: u64 = 64 << 10;

/// The id of a transfer, and what is kept about it until it is complete.
pub(super) struct Identity {
    /// The number in the Hello.
    pub id: u64,
    growing: Option<Growing>,
}

impl Identity {
    /// Of what these arguments send. A second run has the same id for a file that is sent as a whole, if it is
    /// unchanged, and for one that grows, if it begins as it did. Everything else has one of its own.
    pub(super) fn of(args: &Args) -> io::Result<Self> {
        let path = &*paths::of(&args.input.path);
        if args.live || !fs::metadata(path).is_ok_and(|about| about.is_file()) {
            return Ok(Self { id: random()?, growing: None });
        }
        let mut fields = Fields::new();
        fields.put(&machine::secret()?);
        fields.put(fs::canonicalize(path)?.as_os_str().as_encoded_bytes());
        for option in [&args.input.from, &args.input.layout, &args.name] {
            fields.put(&[u8::from(option.is_some())]);
            fields.put(option.as_deref().unwrap_or_default().as_bytes());
        }
        for (name, value) in &args.input.settings {
            fields.put(name.as_bytes());
            fields.put(value.as_bytes());
        }
        let mut file = File::open(path)?;
        if args.input.follow.is_some() {
            fields.put(b"growing");
            let growing = Growing::open(&fields.finish(), &mut file)?;
            return Ok(Self { id: growing.id, growing: Some(growing) });
        }
        whole(&mut file, &mut fields)?;
        Ok(Self { id: number(&fields.finish()), growing: None })
    }

    /// The transfer is complete: nothing is to be gone on with.
    pub(super) fn forget(self) {
        if let Some(growing) = self.growing {
            growing.forget();
        }
    }
}

/// The size, the time and both ends of a file.
fn whole(file: &mut File, fields: &mut Fields) -> io::Result<()> {
    let about = file.metadata()?;
    let size = about.len();
    fields.put(&size.to_be_bytes());
    let (sign, time) = match about.modified()?.duration_since(UNIX_EPOCH) {
        Ok(after) => (0, after),
        Err(before) => (1, before.duration()),
    };
    fields.put(&[&[sign][..], &time.as_nanos().to_be_bytes()].concat());
    for at in [0, size.saturating_sub(ENDS)] {
        file.seek(SeekFrom::Start(at))?;
        fields.put(&beginning(file, ENDS)?);
    }
    Ok(())
}

/// At most `most` bytes from the place of a file.
fn beginning(file: &mut File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Read::take(file, most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fields under one SHA-256, each behind its length, so that no two lists of them are the same bytes.
struct Fields(Digest);

impl Fields {
    fn new() -> Self {
        let mut fields = Self(Digest::new(Kind::Sha256));
        fields.put(b"maliu transfer 1");
        fields
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// In hexadecimal.
    fn finish(self) -> String {
        self.0.finish()
    }
}

/// The first 8 bytes of a digest.
fn number(digest: &str) -> u64 {
    u64::from_str_radix(digest.get(..16).unwrap_or_default(), 16).unwrap_or_default()
}

fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u64::from_be_bytes(bytes))
}
