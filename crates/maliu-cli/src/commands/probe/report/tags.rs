//! The part of the JSON report that holds tags, chapters and cover art.

use std::io;

use maliu::stream::Metadata;

use crate::{commands::probe::facts, json};

/// Writes all that `metadata` holds.
pub(super) fn tags(item: &mut json::Open, metadata: &Metadata) -> io::Result<()> {
    if !metadata.entries().is_empty() {
        let mut tags = item.object("tags")?;
        for (name, value) in metadata.entries() {
            tags.string(name, value)?;
        }
        tags.close()?;
    }
    if !metadata.chapters().is_empty() {
        let mut chapters = item.array("chapters")?;
        for chapter in metadata.chapters() {
            let mut one = chapters.item()?;
            one.plain("start_time", facts::seconds(chapter.start, chapter.base))?;
            if let Some(end) = chapter.end {
                one.plain("end_time", facts::seconds(end, chapter.base))?;
            }
            one.string("title", &chapter.title)?;
            one.close()?;
        }
        chapters.close()?;
    }
    if !metadata.pictures().is_empty() {
        let mut pictures = item.array("pictures")?;
        for picture in metadata.pictures() {
            let mut one = pictures.item()?;
            one.string("mime", &picture.mime)?;
            one.plain("size", picture.size)?;
            one.close()?;
        }
        pictures.close()?;
    }
    Ok(())
}
