//! Attachments: pictures among the tags, other files as streams without packets (RFC 9559 §5.1.6).

use alloc::{string::String, vec::Vec};

use bytes::Bytes;

use crate::{
    stream::{Codec, Media, Metadata, Picture, StreamInfo, limits::MAX_TAG_BYTES},
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
    data: Bytes,
    /// Bytes of all files that are kept.
    kept: usize,
}

/// Most bytes of all attached files that are kept.
pub(super) const MAX_KEPT: usize = 8 << 20;

impl Attached {
    /// A file begins.
    pub(super) fn open(&mut self) {
        *self = Self { streams: core::mem::take(&mut self.streams), kept: self.kept, ..Self::default() };
    }

    /// Whether the content of the file that is open, of this many bytes, is kept.
    pub(super) fn keeps(&self, size: u64) -> bool {
        let room = MAX_KEPT.saturating_sub(self.kept);
        let most = if self.media_type.starts_with("image/") { room.min(MAX_TAG_BYTES) } else { room };
        size <= most as u64 && self.streams.len() < MAX_ATTACHED
    }

    /// A child of the file.
    pub(super) fn read(&mut self, id: u32, body: &[u8]) {
        let value = || text(body.get(..1024).unwrap_or(body));
        match id {
            ids::FILE_NAME => self.name = value(),
            ids::FILE_DESCRIPTION => self.description = value(),
            ids::FILE_MEDIA_TYPE => self.media_type = value(),
            ids::FILE_DATA => {
                self.kept = self.kept.saturating_add(body.len());
                (self.size, self.data) = (body.len() as u64, Bytes::copy_from_slice(body));
            }
            _ => {}
        }
    }

    /// The file is over.
    pub(super) fn close(&mut self, metadata: &mut Metadata) {
        let media_type = core::mem::take(&mut self.media_type);
        if media_type.starts_with("image/") {
            let kind = if self.name.contains("back") { 4 } else { Picture::FRONT };
            metadata.add_picture(Picture::new(media_type, self.size).with_kind(kind).with_data(&self.data));
            return;
        }
        if self.streams.len() >= MAX_ATTACHED {
            return;
        }
        let font = media_type.contains("font") || media_type.contains("truetype");
        let codec = if font { Codec::Ttf } else { Codec::BinData };
        let mut info = StreamInfo::new(codec, TimeBase::hz(90_000), Media::Attachment);
        info.attachment = true;
        info.config = core::mem::take(&mut self.data);
        for (key, value) in [("filename", &self.name), ("mimetype", &media_type), ("title", &self.description)] {
            if !value.is_empty() {
                info.metadata.set(key, value.clone());
            }
        }
        self.streams.push(info);
    }
}
