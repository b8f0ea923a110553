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
        "hls_flags",
        "+single_file+delete_segments…",
        "",
        "Several at once: single_file, delete_segments, program_date_time, omit_endlist, independent_segments.",
    ),
];
