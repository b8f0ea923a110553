//! The settings of writing playlists, by FFmpeg's names.

use crate::settings::Help;

/// The settings.
pub const SETTINGS: &[Help] = &[
    Help::new("hls_time", "time", "2", "Least length of a segment; it ends at the next keyframe."),
    Help::new("hls_list_size", "N", "0", "Segments that the playlist lists at most; 0 for all of them."),
    Help::new("hls_segment_type", "fmp4|mpegts", "fmp4", "Segments of fragmented MP4 or transport streams."),
    Help::new("hls_playlist_type", "vod|event", "vod", "event: the playlist is written anew after each segment."),
    Help::new("hls_segment_filename", "NAME%d", "OUT%d.m4s", "Names of segments, below the folder of the playlist."),
    Help::new("hls_fmp4_init_filename", "NAME", "OUT_init.mp4", "Name of the initialization segment."),
    Help::new("start_number", "N", "0", "Number of the first segment."),
    Help::new("hls_delete_threshold", "N", "1", "Segments that are kept although they are listed no longer."),
    Help::new(
        "hls_key_info_file",
        "FILE",
        "",
        "Encrypt by AES-128: lines with the key's URI, its file, and maybe an IV in hex.",
    ),
    Help::new("hls_enc", "0|1", "0", "Encrypt segments by AES-128 with hls_enc_key."),
    Help::new("hls_enc_key", "HEX", "", "The key, 32 hexadecimal digits."),
    Help::new(
        "hls_enc_key_url",
        "URL",
        "OUT.key",
        "URI of the key; by default a file beside the playlist, which is written.",
    ),
    Help::new(
        "hls_enc_iv",
        "HEX",
        "number of the segment",
        "Initialization vector of all segments, 32 hexadecimal digits.",
    ),
    Help::new(
        "hls_flags",
        "+single_file+delete_segments…",
        "",
        "Several at once: single_file, delete_segments, program_date_time, omit_endlist, independent_segments.",
    ),
];
