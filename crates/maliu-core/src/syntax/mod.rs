//! Syntax inside a packet or a tag: parsers and writers of syntax that several formats share. Nothing here decodes.

pub mod aac;
pub mod ac3;
pub mod amf;
pub mod annexb;
pub mod apev2;
pub mod av1;
pub mod dts;
pub mod foreign;
pub mod framing;
pub mod h264;
pub mod h265;
pub mod id3v1;
pub mod id3v2;
pub mod isobmff;
pub mod latin1;
pub mod latm;
pub mod lyrics3;
pub mod mpeg_audio;
pub mod mpeg_video;
pub mod opus;
pub mod pes;
pub mod psi;
pub mod riff;
pub mod tags;
pub mod vp9;
