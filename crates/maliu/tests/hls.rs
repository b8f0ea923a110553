//! Playlists on disk: written and read back, encrypted ones, and those that name what is not theirs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use maliu::{
    Packet,
    blocking::Reader,
    copy::{self, Options},
    hls::{self, Segments},
    io::{Memory, Source},
};

const FLV: &[u8] = include_bytes!("../../../samples/flv/h264_aac.flv");
const TS: &[u8] = include_bytes!("../../../samples/mpegts/h264_aac.ts");

/// A folder that goes when the test has ended.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("maliu-hls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(fs::canonicalize(path).unwrap())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn write(path: &Path, pairs: &[(&str, &str)]) {
    let to = hls::muxer(path, &settings(pairs)).unwrap();
    let mut options = Options::default();
    options.settings = settings(pairs);
    copy::run([Reader::new(Bytes::from_static(FLV))], to, Memory::new(), options).unwrap();
}

fn packets(source: impl Source) -> Vec<Packet> {
    Reader::new(source).map(Result::unwrap).collect()
}

/// Data, times and flags of packets, by stream; times in µs from the first.
fn facts(packets: &[Packet], stream: usize) -> Vec<(Bytes, bool)> {
    packets
        .iter()
        .filter(|packet| packet.stream == stream)
        .map(|packet| (packet.data.clone(), packet.is_key()))
        .collect()
}

#[test]
fn what_is_written_is_read_back_with_the_same_packets() {
    let folder = Folder::new("round");
    let before = packets(Bytes::from_static(FLV));
    for (name, pairs) in [
        ("a", &[("hls_time", "0.2")][..]),
        ("b", &[("hls_time", "0.2"), ("hls_flags", "single_file")]),
        ("c", &[("hls_time", "0.2"), ("hls_segment_filename", "parts/c-%03d.m4s"), ("hls_playlist_type", "event")]),
    ] {
        fs::create_dir_all(folder.0.join("parts")).unwrap();
        let path = folder.0.join(format!("{name}.m3u8"));
        write(&path, pairs);
        let text = folder.read(&format!("{name}.m3u8"));
        assert!(text.contains("#EXT-X-ENDLIST") && text.contains("#EXT-X-MAP:URI="), "{text}");
        let after = packets(Segments::open(&path).unwrap());
        for stream in 0..2 {
            assert_eq!(facts(&before, stream), facts(&after, stream), "{name}: {text}");
        }
    }
    let text = folder.read("c.m3u8");
    assert!(text.contains("parts/c-000.m4s") && text.contains("#EXT-X-PLAYLIST-TYPE:EVENT"), "{text}");
}

#[test]
fn old_segments_go_where_they_are_to_go() {
    let folder = Folder::new("live");
    let path = folder.0.join("x.m3u8");
    let pairs =
        [("hls_time", "0.04"), ("hls_list_size", "1"), ("hls_flags", "delete_segments"), ("hls_delete_threshold", "0")];
    write(&path, &pairs);
    let text = folder.read("x.m3u8");
    let listed = text.lines().filter(|line| !line.starts_with('#')).count();
    let there = fs::read_dir(&folder.0)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "m4s"));
    assert_eq!((listed, there.count()), (1, 1), "{text}");
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    for pairs in [
        [("hls_time", "0")],
        [("hls_segment_type", "avi")],
        [("hls_playlist_type", "live")],
        [("hls_flags", "split_by_time")],
        [("hls_flags", "delete_segments")],
        [("hls_segment_filename", "x.ts")],
        [("hls_segment_filename", "../x%d.ts")],
        [("hls_segment_filename", "%d%d.ts")],
        [("start_number", "-1")],
    ] {
        let refused = hls::muxer("a.m3u8", &settings(&pairs)).err();
        assert!(refused.is_some(), "{pairs:?}");
    }
}

/// AES-128 in chained blocks, with padding, made of its inverse: the cipher of counters.
fn encrypted(key: [u8; 16], iv: [u8; 16], data: &[u8]) -> Vec<u8> {
    let mut padded = data.to_vec();
    let pad = 16 - data.len() % 16;
    padded.resize(data.len() + pad, u8::try_from(pad).unwrap());
    let mut before = iv;
    let mut out = Vec::new();
    for block in padded.chunks(16) {
        let mixed: [u8; 16] = std::array::from_fn(|index| block[index] ^ before[index]);
        // A counter whose first value is the block: the key stream is its encryption.
        let mut stream = [0; 16];
        let mode = maliu_core::syntax::isobmff::cipher::Mode::of(*b"cenc", (0, 0)).unwrap();
        maliu_core::syntax::isobmff::cipher::decrypt(&key, mixed, mode, &mut stream, std::iter::empty());
        out.extend_from_slice(&stream);
        before = stream;
    }
    out
}

#[test]
fn encrypted_segments_are_read_as_clear_ones_at_any_offset() {
    let folder = Folder::new("aes");
    let key: [u8; 16] = std::array::from_fn(|index| u8::try_from(index * 7).unwrap());
    let cut = TS.len() / 188 / 2 * 188;
    folder.write("k.key", key);
    folder.write("0.ts", encrypted(key, 5_u128.to_be_bytes(), &TS[..cut]));
    folder.write("1.ts", encrypted(key, [9; 16], &TS[cut..]));
    let iv = "09".repeat(16);
    let text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-KEY:METHOD=AES-128,URI=\"k.key\"\n#EXTINF:1,\n0.ts\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k.key\",IV=0x{iv}\n#EXTINF:1,\n1.ts\n#EXT-X-ENDLIST\n"
    );
    let path = folder.write("a.m3u8", text);
    let mut source = Segments::open(&path).unwrap();
    assert_eq!(source.size(), Some(TS.len() as u64));
    for (at, size) in [(0, 188), (1, 5), (17, 16), (cut as u64 - 3, 10), (TS.len() as u64 - 1, 9), (TS.len() as u64, 4)]
    {
        let mut buf = vec![0; size];
        let got = source.read_at(at, &mut buf).unwrap();
        let at = usize::try_from(at).unwrap();
        assert_eq!(buf[..got], TS[at..at + got], "at {at}");
        assert!(got > 0 || at == TS.len());
    }
    let plain = packets(Bytes::from_static(TS));
    let read = packets(Segments::open(&path).unwrap());
    assert_eq!(plain.len(), read.len());
    assert!(plain.iter().zip(&read).all(|(a, b)| a.data == b.data && a.dts == b.dts));
    folder.write("k.key", [1; 16]);
    let error = Segments::open(&path).unwrap_err().to_string();
    assert!(error.contains("the key is wrong"), "{error}");
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    let folder = Folder::new("names");
    let outside = Folder::new("outside");
    let secret = outside.write("secret.ts", TS);
    folder.write("in/ok file.ts", TS);
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, folder.0.join("in/link.ts")).unwrap();
    let text = |name: &str| format!("#EXTM3U\n#EXTINF:1,\n{name}\n#EXT-X-ENDLIST\n");
    for name in ["ok file.ts", "ok%20file.ts", "ok%20file.ts?token=1"] {
        let path = folder.write("in/a.m3u8", text(name));
        assert_eq!(Segments::open(&path).unwrap().size(), Some(TS.len() as u64), "{name}");
    }
    let up = format!("../../{}/secret.ts", outside.0.file_name().unwrap().to_str().unwrap());
    for name in [
        "file:///etc/passwd",
        "http://127.0.0.1/a.ts",
        "data:,x",
        secret.to_str().unwrap(),
        &up,
        "x/../../in/ok file.ts",
        "%2e%2e/in/ok file.ts",
        "link.ts",
        ".",
        "none.ts",
    ] {
        let path = folder.write("in/a.m3u8", text(name));
        let error = Segments::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("hls: "), "{name}: {error}");
    }
    let path = folder.write("in/a.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n");
    assert!(Segments::open(&path).is_err(), "a playlist that names itself");
    let ranged = folder.write("in/a.m3u8", "#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:99999999@1\nok file.ts\n");
    assert!(Segments::open(&ranged).unwrap_err().to_string().contains("shorter than the byte range"));
}

#[test]
fn encrypted_segments_are_written_as_they_are_read() {
    let key = "000102030405060708090a0b0c0d0e0f";
    for (index, pairs) in [
        vec![("hls_enc", "1"), ("hls_enc_key", key)],
        vec![("hls_enc", "1"), ("hls_enc_key", key), ("hls_enc_iv", key), ("hls_segment_type", "mpegts")],
        vec![("hls_enc", "1"), ("hls_enc_key", key), ("hls_flags", "single_file")],
    ]
    .into_iter()
    .enumerate()
    {
        let folder = Folder::new(&format!("sealed-{index}"));
        let (clear, sealed) = (folder.0.join("clear.m3u8"), folder.0.join("sealed.m3u8"));
        write(&clear, &pairs.iter().filter(|(name, _)| !name.contains("enc")).copied().collect::<Vec<_>>());
        write(&sealed, &pairs);
        let text = folder.read("sealed.m3u8");
        assert!(text.contains("#EXT-X-KEY:METHOD=AES-128,URI=\"sealed.key\""), "{text}");
        assert_eq!(text.contains("IV=0x000102"), index == 1, "{text}");
        let data = |path: &Path| {
            packets(Segments::open(path).unwrap()).iter().map(|packet| packet.data.clone()).collect::<Vec<_>>()
        };
        assert_eq!(data(&clear), data(&sealed), "{text}");
        fs::write(folder.0.join("sealed.key"), [0; 16]).unwrap();
        assert!(Segments::open(&sealed).is_err(), "by another key there is no padding");
    }
}

#[test]
fn keys_come_from_a_file_of_ffmpegs_form_or_are_refused() {
    let folder = Folder::new("key-info");
    let path = folder.0.join("a.m3u8");
    let key = folder.write("secret.bin", [3; 16]);
    folder.write("again.key", [3; 16]);
    let info = folder.write("info", format!("again.key\n{}\n0f0e0d0c0b0a09080706050403020100\n", key.display()));
    write(&path, &[("hls_key_info_file", info.to_str().unwrap())]);
    assert!(folder.read("a.m3u8").contains("URI=\"again.key\",IV=0x0f0e0d"));
    assert!(packets(Segments::open(&path).unwrap()).len() > 10);
    let short = folder.write("short", format!("again.key\n{}\n", folder.write("s", "short").display()));
    for pairs in [
        vec![("hls_enc", "1")],
        vec![("hls_enc", "yes")],
        vec![("hls_enc_key", "00")],
        vec![("hls_enc", "1"), ("hls_enc_key", "zz")],
        vec![("hls_key_info_file", "/no/such/file")],
        vec![("hls_key_info_file", short.to_str().unwrap())],
        vec![("hls_key_info_file", info.to_str().unwrap()), ("hls_enc", "1")],
    ] {
        assert!(hls::muxer(&path, &settings(&pairs)).is_err(), "{pairs:?}");
    }
}
