//! Identifiers of EBML and Matroska elements, with their names (RFC 8794 §11, RFC 9559 §5).

macro_rules! ids {
    ($($(#[$doc:meta])* $constant:ident $value:literal $name:literal;)*) => {
        $(#[doc = $name] pub const $constant: u32 = $value;)*

        /// Every identifier with its name.
        pub const NAMES: &[(u32, &str)] = &[$(($value, $name),)*];
    };
}

ids! {
    EBML 0x1a45_dfa3 "EBML";
    EBML_VERSION 0x4286 "EBMLVersion";
    EBML_READ_VERSION 0x42f7 "EBMLReadVersion";
    EBML_MAX_ID_LENGTH 0x42f2 "EBMLMaxIDLength";
    EBML_MAX_SIZE_LENGTH 0x42f3 "EBMLMaxSizeLength";
    DOC_TYPE 0x4282 "DocType";
    DOC_TYPE_VERSION 0x4287 "DocTypeVersion";
    DOC_TYPE_READ_VERSION 0x4285 "DocTypeReadVersion";
    CRC_32 0xbf "CRC-32";
    VOID 0xec "Void";
    SEGMENT 0x1853_8067 "Segment";
    SEEK_HEAD 0x114d_9b74 "SeekHead";
    SEEK 0x4dbb "Seek";
    SEEK_ID 0x53ab "SeekID";
    SEEK_POSITION 0x53ac "SeekPosition";
    INFO 0x1549_a966 "Info";
    SEGMENT_UUID 0x73a4 "SegmentUUID";
    TIMESTAMP_SCALE 0x2a_d7b1 "TimestampScale";
    DURATION 0x4489 "Duration";
    DATE_UTC 0x4461 "DateUTC";
    TITLE 0x7ba9 "Title";
    MUXING_APP 0x4d80 "MuxingApp";
    WRITING_APP 0x5741 "WritingApp";
    CLUSTER 0x1f43_b675 "Cluster";
    TIMESTAMP 0xe7 "Timestamp";
    POSITION 0xa7 "Position";
    PREV_SIZE 0xab "PrevSize";
    SILENT_TRACKS 0x5854 "SilentTracks";
    SIMPLE_BLOCK 0xa3 "SimpleBlock";
    ENCRYPTED_BLOCK 0xaf "EncryptedBlock";
    BLOCK_GROUP 0xa0 "BlockGroup";
    BLOCK 0xa1 "Block";
    BLOCK_ADDITIONS 0x75a1 "BlockAdditions";
    BLOCK_MORE 0xa6 "BlockMore";
    BLOCK_ADD_ID 0xee "BlockAddID";
    BLOCK_ADDITIONAL 0xa5 "BlockAdditional";
    BLOCK_DURATION 0x9b "BlockDuration";
    REFERENCE_BLOCK 0xfb "ReferenceBlock";
    CODEC_STATE 0xa4 "CodecState";
    DISCARD_PADDING 0x75a2 "DiscardPadding";
    TRACKS 0x1654_ae6b "Tracks";
    TRACK_ENTRY 0xae "TrackEntry";
    TRACK_NUMBER 0xd7 "TrackNumber";
    TRACK_UID 0x73c5 "TrackUID";
    TRACK_TYPE 0x83 "TrackType";
    FLAG_ENABLED 0xb9 "FlagEnabled";
    FLAG_DEFAULT 0x88 "FlagDefault";
    FLAG_FORCED 0x55aa "FlagForced";
    FLAG_HEARING_IMPAIRED 0x55ab "FlagHearingImpaired";
    FLAG_VISUAL_IMPAIRED 0x55ac "FlagVisualImpaired";
    FLAG_TEXT_DESCRIPTIONS 0x55ad "FlagTextDescriptions";
    FLAG_ORIGINAL 0x55ae "FlagOriginal";
    FLAG_COMMENTARY 0x55af "FlagCommentary";
    FLAG_LACING 0x9c "FlagLacing";
    DEFAULT_DURATION 0x23_e383 "DefaultDuration";
    TRACK_TIMESTAMP_SCALE 0x23_314f "TrackTimestampScale";
    MAX_BLOCK_ADDITION_ID 0x55ee "MaxBlockAdditionID";
    BLOCK_ADDITION_MAPPING 0x41e4 "BlockAdditionMapping";
    BLOCK_ADD_ID_TYPE 0x41e7 "BlockAddIDType";
    BLOCK_ADD_ID_EXTRA_DATA 0x41ed "BlockAddIDExtraData";
    NAME 0x536e "Name";
    LANGUAGE 0x22_b59c "Language";
    LANGUAGE_BCP47 0x22_b59d "LanguageBCP47";
    CODEC_ID 0x86 "CodecID";
    CODEC_PRIVATE 0x63a2 "CodecPrivate";
    CODEC_DELAY 0x56aa "CodecDelay";
    SEEK_PRE_ROLL 0x56bb "SeekPreRoll";
    TRACK_OPERATION 0xe2 "TrackOperation";
    VIDEO 0xe0 "Video";
    FLAG_INTERLACED 0x9a "FlagInterlaced";
    STEREO_MODE 0x53b8 "StereoMode";
    ALPHA_MODE 0x53c0 "AlphaMode";
    PIXEL_WIDTH 0xb0 "PixelWidth";
    PIXEL_HEIGHT 0xba "PixelHeight";
    DISPLAY_WIDTH 0x54b0 "DisplayWidth";
    DISPLAY_HEIGHT 0x54ba "DisplayHeight";
    DISPLAY_UNIT 0x54b2 "DisplayUnit";
    UNCOMPRESSED_FOURCC 0x2e_b524 "UncompressedFourCC";
    COLOUR 0x55b0 "Colour";
    MATRIX_COEFFICIENTS 0x55b1 "MatrixCoefficients";
    RANGE 0x55b9 "Range";
    TRANSFER_CHARACTERISTICS 0x55ba "TransferCharacteristics";
    PRIMARIES 0x55bb "Primaries";
    MAX_CLL 0x55bc "MaxCLL";
    MAX_FALL 0x55bd "MaxFALL";
    MASTERING_METADATA 0x55d0 "MasteringMetadata";
    PRIMARY_R_X 0x55d1 "PrimaryRChromaticityX";
    PRIMARY_R_Y 0x55d2 "PrimaryRChromaticityY";
    PRIMARY_G_X 0x55d3 "PrimaryGChromaticityX";
    PRIMARY_G_Y 0x55d4 "PrimaryGChromaticityY";
    PRIMARY_B_X 0x55d5 "PrimaryBChromaticityX";
    PRIMARY_B_Y 0x55d6 "PrimaryBChromaticityY";
    WHITE_X 0x55d7 "WhitePointChromaticityX";
    WHITE_Y 0x55d8 "WhitePointChromaticityY";
    LUMINANCE_MAX 0x55d9 "LuminanceMax";
    LUMINANCE_MIN 0x55da "LuminanceMin";
    PROJECTION 0x7670 "Projection";
    PROJECTION_TYPE 0x7671 "ProjectionType";
    PROJECTION_POSE_ROLL 0x7675 "ProjectionPoseRoll";
    AUDIO 0xe1 "Audio";
    SAMPLING_FREQUENCY 0xb5 "SamplingFrequency";
    OUTPUT_SAMPLING_FREQUENCY 0x78b5 "OutputSamplingFrequency";
    CHANNELS 0x9f "Channels";
    BIT_DEPTH 0x6264 "BitDepth";
    CONTENT_ENCODINGS 0x6d80 "ContentEncodings";
    CONTENT_ENCODING 0x6240 "ContentEncoding";
    CONTENT_ENCODING_SCOPE 0x5032 "ContentEncodingScope";
    CONTENT_ENCODING_TYPE 0x5033 "ContentEncodingType";
    CONTENT_COMPRESSION 0x5034 "ContentCompression";
    CONTENT_COMP_ALGO 0x4254 "ContentCompAlgo";
    CONTENT_COMP_SETTINGS 0x4255 "ContentCompSettings";
    CONTENT_ENCRYPTION 0x5035 "ContentEncryption";
    CONTENT_ENC_KEY_ID 0x47e2 "ContentEncKeyID";
    CUES 0x1c53_bb6b "Cues";
    CUE_POINT 0xbb "CuePoint";
    CUE_TIME 0xb3 "CueTime";
    CUE_TRACK_POSITIONS 0xb7 "CueTrackPositions";
    CUE_TRACK 0xf7 "CueTrack";
    CUE_CLUSTER_POSITION 0xf1 "CueClusterPosition";
    CUE_RELATIVE_POSITION 0xf0 "CueRelativePosition";
    ATTACHMENTS 0x1941_a469 "Attachments";
    ATTACHED_FILE 0x61a7 "AttachedFile";
    FILE_DESCRIPTION 0x467e "FileDescription";
    FILE_NAME 0x466e "FileName";
    FILE_MEDIA_TYPE 0x4660 "FileMediaType";
    FILE_DATA 0x465c "FileData";
    FILE_UID 0x46ae "FileUID";
    CHAPTERS 0x1043_a770 "Chapters";
    EDITION_ENTRY 0x45b9 "EditionEntry";
    EDITION_UID 0x45bc "EditionUID";
    CHAPTER_ATOM 0xb6 "ChapterAtom";
    CHAPTER_UID 0x73c4 "ChapterUID";
    CHAPTER_TIME_START 0x91 "ChapterTimeStart";
    CHAPTER_TIME_END 0x92 "ChapterTimeEnd";
    CHAPTER_DISPLAY 0x80 "ChapterDisplay";
    CHAP_STRING 0x85 "ChapString";
    CHAP_LANGUAGE 0x437c "ChapLanguage";
    TAGS 0x1254_c367 "Tags";
    TAG 0x7373 "Tag";
    TARGETS 0x63c0 "Targets";
    TARGET_TYPE_VALUE 0x68ca "TargetTypeValue";
    TAG_TRACK_UID 0x63c5 "TagTrackUID";
    TAG_EDITION_UID 0x63c9 "TagEditionUID";
    TAG_CHAPTER_UID 0x63c4 "TagChapterUID";
    TAG_ATTACHMENT_UID 0x63c6 "TagAttachmentUID";
    SIMPLE_TAG 0x67c8 "SimpleTag";
    TAG_NAME 0x45a3 "TagName";
    TAG_STRING 0x4487 "TagString";
    TAG_LANGUAGE 0x447a "TagLanguage";
}

/// Children of a Segment, at which a damaged file is read on (RFC 9559 §5.1).
pub const LEVEL_1: &[u32] = &[SEEK_HEAD, INFO, TRACKS, CLUSTER, CUES, ATTACHMENTS, CHAPTERS, TAGS];

/// The name of an element, when it is known.
pub fn name(id: u32) -> Option<&'static str> {
    NAMES.iter().find(|row| row.0 == id).map(|row| row.1)
}

/// Whether the element stands in a Segment directly, or begins a new one.
pub fn is_top(id: u32) -> bool {
    LEVEL_1.contains(&id) || id == EBML || id == SEGMENT
}
