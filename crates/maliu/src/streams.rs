//! The streams of an input, collected as their descriptions arrive.

use std::ops::{Deref, DerefMut};

use maliu_core::stream::{Kind, StreamInfo};

/// One entry for each stream of an input, by stream index.
///
/// An input may describe a stream again and better; what an entry keeps of it is up to the caller.
///
/// ```
/// use maliu::{streams::Streams, Codec, StreamInfo, TimeBase, stream::{Audio, Media}};
///
/// let audio = StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(Audio::new(44_100, 2)));
/// let mut streams: Streams<StreamInfo> = Streams::default();
/// streams.describe(1, audio, StreamInfo::clone, |known, info| *known = info);
/// assert_eq!(streams.len(), 2, "stream 0 is undescribed so far");
/// assert_eq!(streams[1].codec, Codec::Mp3);
/// ```
#[derive(Clone, Debug)]
pub struct Streams<T>(Vec<T>);

impl<T> Default for Streams<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Streams<T> {
    /// Takes a description of stream `index`: `new` makes the entry of a stream that is not known yet, `change` updates
    /// the entry of one that is. Streams below `index` that are not known get an entry made of
    /// [`StreamInfo::undescribed`].
    pub fn describe(
        &mut self,
        index: usize,
        info: StreamInfo,
        new: impl Fn(&StreamInfo) -> T,
        change: impl FnOnce(&mut T, StreamInfo),
    ) {
        match self.0.get_mut(index) {
            Some(known) => change(known, info),
            None => {
                self.0.resize_with(index, || new(&StreamInfo::undescribed()));
                self.0.push(new(&info));
            }
        }
    }
}

impl<T> Deref for Streams<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Streams<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

/// The one stream of an input that a caller wants: the first of a kind, or the stream of an index.
///
/// ```
/// use maliu::{blocking::Reader, format::Event, stream::Kind, streams::Chosen};
/// # fn main() -> maliu::Result<()> {
/// let mut reader = Reader::open("samples/flv/h264_aac.flv")?;
/// let (mut audio, mut packets) = (Chosen::of(Kind::Audio, None), 0);
/// loop {
///     match reader.next_event()? {
///         Event::Stream(index, info) => drop(audio.describe(index, *info)),
///         Event::Packet(packet) if audio.is(packet.stream) => packets += 1,
///         Event::End => break,
///         _ => {}
///     }
/// }
/// assert!(packets > 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Chosen {
    kind: Kind,
    wanted: Option<usize>,
    found: Option<(usize, StreamInfo)>,
}

impl Chosen {
    /// Stream `wanted`, or without one the first stream of `kind`.
    pub fn of(kind: Kind, wanted: Option<usize>) -> Self {
        Self { kind, wanted, found: None }
    }

    /// Takes a description of stream `index`. Returns the description before it, if this is the wanted stream and it was
    /// described already.
    pub fn describe(&mut self, index: usize, info: StreamInfo) -> Option<StreamInfo> {
        let wanted = match (&self.found, self.wanted) {
            (Some((found, _)), _) => *found == index,
            (None, Some(wanted)) => wanted == index,
            (None, None) => info.media.kind() == self.kind,
        };
        if !wanted {
            return None;
        }
        self.found.replace((index, info)).map(|(_, before)| before)
    }

    /// Whether `index` is the wanted stream.
    pub fn is(&self, index: usize) -> bool {
        self.found.as_ref().is_some_and(|(found, _)| *found == index)
    }

    /// The wanted stream as last described; `None` until it shows.
    pub fn info(&self) -> Option<&StreamInfo> {
        self.found.as_ref().map(|(_, info)| info)
    }
}
