//! One checksum over the data of all packets, in the order in which they are written. Text identical to the reference's.

use alloc::{boxed::Box, format};

use bytes::Bytes;

use crate::{
    digest::{Digest, Kind, unknown},
    error::{Error, Result},
    format::{Format, Muxer, Rules, Score},
    output::{Mark, Output},
    packet::Packet,
    settings::{Help, Settings},
    stream::{Codec, Metadata, StreamInfo},
};

/// Any checksum.
pub const HASH: Format = Format {
    name: "hash",
    long_name: "checksum of all packets",
    mime: &["text/plain"],
    extensions: &[],
    probe: |_| Score::No("a checksum is not media"),
    demuxer: None,
    muxer: Some(|pairs| {
        let mut settings = Settings::new(pairs, SETTINGS);
        let name = settings.text("hash").unwrap_or("sha256");
        let kind = Kind::named(name).ok_or_else(|| Error::Setting { name: "hash".into(), why: unknown(name) })?;
        settings.finish()?;
        Ok(Box::new(Hash { kind, digest: Digest::new(kind) }))
    }),
    settings: SETTINGS,
    rules: Rules { equal_dts: true, negative: true, other_codecs: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::PcmS16Le), Some(Codec::RawVideo)),
};

/// MD5.
pub const MD5: Format = Format {
    name: "md5",
    long_name: "MD5 of all packets",
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Hash { kind: Kind::Md5, digest: Digest::new(Kind::Md5) }))
    }),
    settings: &[],
    ..HASH
};

const SETTINGS: &[Help] =
    &[Help { name: "hash", value: "adler32|crc32|md5|sha256", default: "sha256", what: "Which checksum." }];

struct Hash {
    kind: Kind,
    digest: Digest,
}

impl Muxer for Hash {
    fn start(&mut self, _: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, _: &mut Output) -> Result<()> {
        self.digest.update(&packet.data);
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        let digest = core::mem::replace(&mut self.digest, Digest::new(self.kind));
        out.append(Mark::Trailer, [Bytes::from(format!("{}={}\n", self.kind.name(), digest.finish()))]);
        Ok(())
    }
}
