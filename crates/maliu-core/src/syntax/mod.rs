//! What is inside a packet or a tag: parsers and writers of syntax that several formats share. Nothing here decodes.

pub mod id3v2;
