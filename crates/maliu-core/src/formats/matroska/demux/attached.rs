//! Attachments: pictures as facts, other files as streams without packets (RFC 9559 §5.1.6).

use alloc::{string::String, vec::Vec};

use crate::{
    stream::{Codec, Media, Metadata, Picture, StreamInfo},
    syntax::ebml::{ids, text},
    time::TimeBase,
};

/// Most attachments that become streams.
const MAX_ATTACHED: usize = 256;

/// Attached files.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub streams: Vec<StreamInfo>,
    name: String,
    description: String,
    media_type: String,
    /// Bytes of the file that is open.
    pub size: u64,
}

impl Attached {
    /// A file begins.
    pub(super) fn open(&mut self) {
        *self = Self { streams: core::mem::take(&mut self.streams), ..Self::default() };
    }

    /// A child of the file.
    pub(super) fn read(&mut self, id: u32, body: &[u8]) {
        let value = || text(body.get(..1024).unwrap_or(body));
        match id {
            ids::FILE_NAME => self.name = value(),
            ids::FILE_DESCRIPTION => self.description = value(),
            ids::FILE_MEDIA_TYPE => self.media_type = value(),
            _ => {}
        }
    }

    /// The file is over.
    pub(super) fn close(&mut self, metadata: &mut Metadata) {
        let media_type = core::mem::take(&mut self.media_type);
        if media_type.starts_with("image/") {
            metadata.add_picture(Picture::new(media_type, self.size));
            return;
        }
        if self.streams.len() >= MAX_ATTACHED {
            return;
        }
        let font = media_type.contains("font") || media_type.contains("truetype");
        let codec = if font { Codec::Ttf } else { Codec::BinData };
        let mut info = StreamInfo::new(codec, TimeBase::hz(90_000), Media::Attachment);
        info.attachment = true;
        for (key, value) in [("filename", &self.name), ("mimetype", &media_type), ("title", &self.description)] {
            if !value.is_empty() {
                info.metadata.set(key, value.clone());
            }
        }
        self.streams.push(info);
    }
}
