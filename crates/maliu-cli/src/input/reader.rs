//! The reader that `--from`, `--layout` or the content of an input asks for.

use maliu::{formats, layout, reader::PacketReader, wire::content};

use formats::mpegts::FORMAT as TS;

use super::Args;
use crate::{
    failure::{Failure, Result},
    layouts,
};

impl Args {
    /// The reader, and whether its streams are told apart by a field of its layout.
    pub(super) fn packet_reader(&self) -> Result<(PacketReader, bool)> {
        if let Some(name) = &self.layout {
            let layout = layouts::load(name)?;
            let many = layout.tells_streams();
            let reader = layout::Reader::new(layout).map_err(|fault| Failure::Usage(fault.to_string()))?;
            let reader = if self.whole { reader.refusing_cuts() } else { reader };
            return Ok((PacketReader::with(&layout::FORMAT, Box::new(reader)), many));
        }
        Ok((self.reader_of_format()?, false))
    }

    fn reader_of_format(&self) -> Result<PacketReader> {
        if self.from.as_deref() == Some(content::FORMAT.name) {
            return Ok(PacketReader::with(&content::FORMAT, Box::new(content::Content::default())));
        }
        let named = self.from.as_deref().filter(|name| *name != TS.name);
        if let (Some(name), Some(_)) = (named, &self.program) {
            return Err(Failure::Usage(format!("--program chooses from transport streams, not from {name}")));
        }
        let keys = self.keys.keys.join(",");
        let program = self.program.as_deref().unwrap_or("all");
        let mut ts = vec![("program", program), ("audit", if self.surveys { "1" } else { "0" })];
        let is_ts = self.program.is_some() || self.from.as_deref() == Some(TS.name);
        if is_ts && !keys.is_empty() {
            ts.push(("key", keys.as_str()));
        }
        if is_ts {
            let given = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let settings: Vec<_> = ts.iter().copied().chain(given).collect();
            return PacketReader::of(&TS, &settings).map_err(|error| Failure::Usage(error.to_string()));
        }
        if let (Some(name), false) = (self.from.as_deref().filter(|name| *name != "mp4"), keys.is_empty()) {
            return Err(Failure::Usage(format!("--key decrypts MP4 and MPEG-TS, not {name}")));
        }
        if !self.keys.keys.is_empty() {
            let given = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let settings: Vec<_> = given.chain([("key", keys.as_str())]).collect();
            let reader = PacketReader::of(&formats::mp4::FORMAT, &settings);
            return reader.map_err(|error| Failure::Usage(error.to_string()));
        }
        let Some(name) = &self.from else {
            let reader = PacketReader::detect_within(formats::ALL, self.probe_budget);
            return Ok(reader.with_settings_of(&TS, &ts));
        };
        let format = formats::named(name);
        let format =
            format.ok_or_else(|| Failure::Usage(format!("no format is called {name}; maliu formats lists them")))?;
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        PacketReader::of(format, &settings).map_err(|error| Failure::Usage(error.to_string()))
    }
}
