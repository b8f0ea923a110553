//! AAC access units and an AudioSpecificConfig in, planar f32 PCM out (ISO/IEC 14496-3).

mod bits;
