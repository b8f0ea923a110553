//! The reader that `--from`, `--layout` or the content of an input asks for.

use maliu::{formats, layout, reader::PacketReader, wire::content};

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
            let reader = layout::reader(layout).map_err(|fault| Failure::Usage(fault.to_string()))?;
            return Ok((reader, many));
        }
        Ok((self.reader_of_format()?, false))
    }

    fn reader_of_format(&self) -> Result<PacketReader> {
        if self.from.as_deref() == Some(content::FORMAT.name) {
            return Ok(PacketReader::with(&content::FORMAT, Box::new(content::Content::default())));
        }
        let keys = self.keys.keys.join(",");
        if let (Some(name), false) = (self.from.as_deref().filter(|name| *name != "mp4"), keys.is_empty()) {
            return Err(Failure::Usage(format!("--key decrypts MP4, not {name}")));
        }
        if !self.keys.keys.is_empty() {
            let given = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let settings: Vec<_> = given.chain([("key", keys.as_str())]).collect();
            let reader = PacketReader::of(&formats::mp4::FORMAT, &settings);
            return reader.map_err(|error| Failure::Usage(error.to_string()));
        }
        let Some(name) = &self.from else { return Ok(PacketReader::detect_within(formats::ALL, self.probe_budget)) };
        let format = formats::named(name);
        let format =
            format.ok_or_else(|| Failure::Usage(format!("no format is called {name}; maliu formats lists them")))?;
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        PacketReader::of(format, &settings).map_err(|error| Failure::Usage(error.to_string()))
    }
}
