//! Settings of encryption, and the key that they name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use maliu_core::{
    error::{Error, Result},
    hls::{Encryptor, Key},
    output::{Edit, Mark, Piece},
    settings::Settings,
};

use crate::io::{AtomicFile, Sink};

/// How segments are encrypted.
pub(super) struct Seal {
    key: [u8; 16],
    uri: String,
    iv: Option<[u8; 16]>,
}

impl Seal {
    /// Takes the settings of encryption; `None` when there are none. A key without a URI is written beside the playlist.
    pub(super) fn of(settings: &mut Settings<'_>, playlist: &Path, stem: &str) -> Result<Option<Self>> {
        let info = settings.text("hls_key_info_file").map(PathBuf::from);
        let on = match settings.text("hls_enc") {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => return Err(refused("hls_enc", format!("{other:?} is neither 0 nor 1"))),
        };
        let (key, uri, iv) =
            (settings.text("hls_enc_key"), settings.text("hls_enc_key_url"), settings.text("hls_enc_iv"));
        if let Some((name, _)) = [("hls_enc_key", key), ("hls_enc_key_url", uri), ("hls_enc_iv", iv)]
            .into_iter()
            .find(|(_, value)| value.is_some() && !on)
        {
            return Err(refused(name, "needs hls_enc=1"));
        }
        match (info, on) {
            (Some(_), true) => Err(refused("hls_enc", "hls_key_info_file names a key, too; leave out one of both")),
            (Some(info), false) => Self::read(&info).map(Some),
            (None, true) => {
                let key = key.ok_or_else(|| refused("hls_enc", "needs hls_enc_key"))?;
                let key = hexadecimal(key).ok_or_else(|| refused("hls_enc_key", "is not 32 hexadecimal digits"))?;
                let vector =
                    |text| hexadecimal(text).ok_or_else(|| refused("hls_enc_iv", "is not 32 hexadecimal digits"));
                let iv = iv.map(vector).transpose()?;
                let uri = match uri {
                    Some(uri) => uri.to_owned(),
                    None => kept(playlist, stem, key)?,
                };
                Ok(Some(Self { key, uri, iv }))
            }
            (None, false) => Ok(None),
        }
    }

    /// Reads a file of three lines, as FFmpeg does: the URI of the key, the file of the key, and maybe a vector.
    fn read(info: &Path) -> Result<Self> {
        let wrong = |why: String| refused("hls_key_info_file", format!("{}: {why}", info.display()));
        let text = fs::read_to_string(info).map_err(|error| wrong(error.to_string()))?;
        let mut lines = text.lines().map(str::trim);
        let (Some(uri), Some(file)) = (lines.next().filter(|uri| !uri.is_empty()), lines.next()) else {
            return Err(wrong("expected lines with the key's URI and its file".to_owned()));
        };
        let iv = match lines.next().filter(|line| !line.is_empty()) {
            Some(line) => {
                Some(hexadecimal(line).ok_or_else(|| wrong("the vector is not 32 hexadecimal digits".to_owned()))?)
            }
            None => None,
        };
        let key = fs::read(file).map_err(|error| wrong(format!("{file}: {error}")))?;
        let size = key.len();
        let key = key.try_into().map_err(|_| wrong(format!("{file}: {size} bytes, expected 16")))?;
        Ok(Self { key, uri: uri.to_owned(), iv })
    }

    /// Begins a segment of this number.
    pub(super) fn begin(&self, number: u64) -> Encryptor {
        Encryptor::new(&self.key, self.iv.unwrap_or_else(|| u128::from(number).to_be_bytes()))
    }

    /// The key as a playlist lists it.
    pub(super) fn key(&self) -> Key {
        Key { method: "AES-128".into(), uri: self.uri.clone(), iv: self.iv, format: String::new() }
    }
}

/// Writes a key beside a playlist; returns its name.
fn kept(playlist: &Path, stem: &str, key: [u8; 16]) -> Result<String> {
    let name = format!("{stem}.key");
    let path = playlist.parent().unwrap_or(Path::new("")).join(&name);
    let write = || -> std::io::Result<()> {
        let mut file = AtomicFile::create(&path)?;
        file.apply(Edit::Append(Piece { mark: Mark::Header, parts: vec![Bytes::copy_from_slice(&key)] }))?;
        file.finish()
    };
    write().map_err(|error| Error::mux("hls", format!("writing {}: {error}", path.display())))?;
    Ok(name)
}

fn refused(name: &str, why: impl Into<String>) -> Error {
    Error::Setting { name: name.into(), why: why.into() }
}

/// 16 bytes in hexadecimal, with or without `0x`.
fn hexadecimal(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    let plain = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes))?
}
