//! Any rate, channels, level and container; many inputs; loudness; with the real binary.

use std::{
    fs,
    io::{BufRead, BufReader},
};

mod binary;
use binary::{folder, process::Process, run, sample, text, within};

/// A WAV file of 32-bit float samples, interleaved.
fn wav(rate: u32, channels: u16, samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((data.len() as u32 + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 4).to_le_bytes());
    file.extend((channels * 4).to_le_bytes());
    file.extend(b"\x20\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn tone(rate: u32, hz: f32, seconds: f32) -> Vec<f32> {
    let count = (rate as f32 * seconds) as usize;
    (0..count).map(|n| (n as f32 * hz * std::f32::consts::TAU / rate as f32).sin() * 0.5).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

#[test]
fn any_rate_is_written_with_exact_length_and_level() {
    let folder = folder("any_rate_is_written_with_exact_length_and_level");
    let path = within(&folder, "tone.wav");
    fs::write(&path, wav(44_100, 1, &tone(44_100, 1000.0, 0.9))).unwrap();
    for rate in [8000u32, 22_050, 48_000, 96_000] {
        let out = run(&["decode", "--format", "f32le", "--rate", &rate.to_string(), &path, "-"]).stdout;
        let sound = floats(&out);
        let wanted = (0.9 * 44_100.0 * f64::from(rate) / 44_100.0).round() as usize;
        assert_eq!(sound.len(), wanted, "{rate} Hz");
        let middle = &sound[sound.len() / 4..sound.len() * 3 / 4];
        let power = middle.iter().map(|sample| sample * sample).sum::<f32>() / middle.len() as f32;
        assert!((power.sqrt() * std::f32::consts::SQRT_2 - 0.5).abs() < 0.002, "{rate} Hz: {power}");
    }
    let (code, _, error) = text(&run(&["decode", "--rate", "0", &path, "-"]));
    assert_eq!(code, Some(2), "{error}");
}

#[test]
fn channels_are_mixed_mapped_and_kept() {
    let folder = folder("channels_are_mixed_mapped_and_kept");
    let path = within(&folder, "six.wav");
    // One channel after the other, each for one sample.
    let six: Vec<f32> = (0..36).map(|n| if n / 6 == n % 6 { 0.5 } else { 0.0 }).collect();
    fs::write(&path, wav(8000, 6, &six)).unwrap();
    let decode = |more: &[&str]| floats(&run(&[&["decode", "--format", "f32le"], more, &[&path, "-"]].concat()).stdout);
    let close = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    let h = 0.353_55;
    assert!(close(&decode(&["--channels", "2"]), &[0.5, 0.0, 0.0, 0.5, h, h, 0.0, 0.0, h, 0.0, 0.0, h]));
    assert!(close(&decode(&["--channels", "1"]), &[h, h, 0.5, 0.0, 0.25, 0.25]));
    assert_eq!(decode(&["--channels", "2", "--mix", "keep"])[..4], [0.5, 0.0, 0.0, 0.5]);
    assert_eq!(decode(&["--channels-map", "5,0"])[..2], [0.0, 0.5]);
    let (code, _, error) = text(&run(&["decode", "--channels-map", "6", &path, "-"]));
    assert!(code == Some(1) && error.contains("channel 6 of a stream with 6 channels"), "{error}");
    assert_eq!(text(&run(&["decode", "--mix", "itu", &path, "-"])).0, Some(2));
}

#[test]
fn flac_comes_back_exactly() {
    let folder = folder("flac_comes_back_exactly");
    let (path, noise) = (within(&folder, "in.wav"), within(&folder, "out.flac"));
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    };
    let tone = tone(48_000, 440.0, 0.5);
    // A tone, silence, noise of full scale, and the border of both.
    let mut sound: Vec<f32> = tone.iter().flat_map(|sample| [*sample, sample * 0.9 + random() * 0.01]).collect();
    sound.extend(std::iter::repeat_n(0.0, 9001 * 2));
    sound.extend((0..12_000).map(|_| random() * 2.0));
    for channels in [1u16, 2, 3] {
        fs::write(&path, wav(48_000, channels, &sound[..sound.len() / 6 * 6])).unwrap();
        for format in ["u8", "s16le", "s24le", "s32le"] {
            assert!(run(&["decode", "--format", format, &path, &noise]).status.success());
            let bytes = |path: &str| run(&["decode", "--format", format, path, "-"]).stdout;
            assert!(bytes(&path) == bytes(&noise), "{format}, {channels} channels");
            let flac = fs::read(&noise).unwrap();
            assert!(flac[26..42] != [0; 16], "the checksum of the samples is stated");
        }
    }
    let (code, _, error) = text(&run(&["decode", "--format", "f32le", &path, &noise]));
    assert!(code == Some(2) && error.contains("holds whole numbers"), "{error}");
    assert!(run(&["decode", &path, &within(&folder, "out.aiff")]).status.success());
}

#[test]
fn loudness_is_measured_and_brought_to_a_level() {
    let folder = folder("loudness_is_measured_and_brought_to_a_level");
    let (path, out) = (within(&folder, "tone.wav"), within(&folder, "out.wav"));
    // A sine of 997 Hz at -6.02 dBFS in one channel is at -9.0 LUFS.
    fs::write(&path, wav(48_000, 1, &tone(48_000, 997.0, 3.0))).unwrap();
    let facts = |path: &str| {
        let json = run(&["loudness", "--json", path]).stdout;
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()
    };
    let close = |value: &serde_json::Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 0.15;
    assert!(close(&facts(&path)["integrated"], -9.03 + 0.0), "{}", facts(&path));
    assert!(close(&facts(&path)["true_peak"], -6.02));
    assert!(run(&["decode", "--format", "f32le", "--normalize", &path, &out]).status.success());
    assert!(close(&facts(&out)["integrated"], -23.0), "{}", facts(&out));
    // Peaks limit the gain.
    let (code, _, said) = text(&run(&["decode", "--format", "f32le", "--normalize=-1", &path, &out]));
    assert!(code == Some(0) && said.contains("true peaks"), "{said}");
    assert!(close(&facts(&out)["true_peak"], -1.0));
    assert_eq!(text(&run(&["decode", "--normalize", "-", &out])).0, Some(2));
}

#[test]
fn folders_and_patterns_are_decoded_and_measured() {
    let folder = folder("folders_and_patterns_are_decoded_and_measured");
    let (deep, out) = (folder.join("in/deep"), within(&folder, "out"));
    fs::create_dir_all(&deep).unwrap();
    fs::copy(sample("adts/mono_16000.aac"), folder.join("in/a.aac")).unwrap();
    fs::copy(sample("mp3/vbr_info.mp3"), deep.join("b.mp3")).unwrap();
    let place = within(&folder, "in");
    assert_eq!(text(&run(&["decode", &place, &out])).0, Some(2), "a folder needs --recursive");
    assert_eq!(text(&run(&["decode", "--recursive", &place, &out])), (Some(0), String::new(), String::new()));
    assert!(fs::exists(format!("{out}/a.wav")).unwrap() && fs::exists(format!("{out}/b.wav")).unwrap());
    let (code, table, _) = text(&run(&["loudness", "--recursive", &place]));
    assert!(code == Some(0) && table.lines().count() == 3, "{table}");
    let (code, table, _) = text(&run(&["loudness", "--json", &format!("{place}/*.aac")]));
    assert!(code == Some(0) && table.lines().count() == 1, "{table}");
    assert_eq!(text(&run(&["loudness", &format!("{place}/*.nothing")])).0, Some(1));
}

#[test]
fn an_output_is_kept_or_replaced_as_asked() {
    let folder = folder("an_output_is_kept_or_replaced_as_asked");
    let (path, out) = (sample("adts/mono_16000.aac"), within(&folder, "out.wav"));
    fs::write(&out, "old").unwrap();
    for command in [&["decode", "-n"][..], &["remux", "--no-clobber"]] {
        let (code, _, error) = text(&run(&[command, &[&path, &out]].concat()));
        assert!(code == Some(1) && error.contains("exists"), "{error}");
        assert_eq!(fs::read(&out).unwrap(), b"old");
    }
    assert!(run(&["decode", "-y", &path, &out]).status.success());
    assert!(fs::read(&out).unwrap().starts_with(b"RIFF"));
}

#[test]
fn options_of_audio_that_change_nothing_are_refused() {
    let path = sample("h264/b_frames.h264");
    for option in [&["--rate", "8000"][..], &["--normalize"], &["--dither"]] {
        let (code, _, error) = text(&run(&[&["decode"], option, &[&path, "/dev/null/x.y4m"]].concat()));
        assert!(code == Some(2) && error.contains("is about audio"), "{error}");
    }
    let aac = sample("adts/mono_16000.aac");
    let (code, _, error) = text(&run(&["decode", "--dither", "--format", "f32le", &aac, "-"]));
    assert!(code == Some(2) && error.contains("--dither changes nothing"), "{error}");
    assert_eq!(text(&run(&["decode", "--end", "1", "--start", "2", &aac, "-"])).0, Some(2));
    let (_, _, error) = text(&run(&["decode", "--start", "-1", &aac, "-"]));
    assert!(error.contains("not negative"), "{error}");
    let millis = run(&["decode", "--start", "100ms", "--end", "350ms", &aac, "-"]).stdout;
    assert_eq!(millis.len(), 4000 * 2);
}

#[test]
fn probe_shows_many_files_in_every_form() {
    let path = sample("flv/h264_aac.flv");
    let (code, flat, _) = text(&run(&["probe", "--format", "flat", &path]));
    assert_eq!(code, Some(0));
    for line in [
        "streams.stream.0.pix_fmt=\"yuv420p\"",
        "streams.stream.0.display_aspect_ratio=\"4:3\"",
        "streams.stream.0.avg_frame_rate=\"10/1\"",
        "streams.stream.1.sample_fmt=\"fltp\"",
        "streams.stream.1.disposition.default=\"0\"",
        "format.format_name=\"flv\"",
    ] {
        assert!(flat.lines().any(|shown| shown == line), "{line} in {flat}");
    }
    let (_, csv, _) = text(&run(&["probe", "--format", "csv", "--only", "audio", &path]));
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let (_, keys, _) = text(&run(&["probe", "--keyframes", "--only", "video", &path]));
    assert_eq!(keys.lines().filter(|line| line.contains(" K__")).count(), 2, "{keys}");
    assert!(!keys.contains("audio"), "{keys}");
    let (code, two, _) = text(&run(&["probe", &path, &sample("mp3/vbr_info.mp3")]));
    assert!(code == Some(0) && two.contains("h264_aac.flv: flv") && two.contains("vbr_info.mp3: mp3"), "{two}");
    let (code, one, error) = text(&run(&["check", &path, "no/such/file.flv"]));
    assert!(code == Some(1) && one.contains("no fault") && error.contains("1 of 2 inputs failed"), "{error}");
    assert_eq!(text(&run(&["probe", "--hash", "md5", &path])).0, Some(2));
}

#[test]
fn charts_are_drawn_and_the_page_has_the_figures_of_probe() {
    let folder = folder("charts_are_drawn_and_the_page_has_the_figures_of_probe");
    let path = sample("flv/h264_aac.flv");
    for chart in ["waveform", "spectrogram", "bitrate", "gop"] {
        for (end, start) in [("svg", &b"<svg "[..]), ("png", b"\x89PNG")] {
            let out = within(&folder, &format!("{chart}.{end}"));
            let done = run(&["plot", "--chart", chart, &path, &out]);
            assert_eq!(text(&done), (Some(0), String::new(), String::new()), "{chart}");
            assert!(fs::read(&out).unwrap().starts_with(start), "{chart}.{end}");
        }
    }
    let (code, _, error) =
        text(&run(&["plot", "--chart", "gop", &sample("mp3/vbr_info.mp3"), &within(&folder, "no.svg")]));
    assert!(code == Some(1) && error.contains("no video"), "{error}");
    assert_eq!(text(&run(&["plot", &path, &within(&folder, "no.gif")])).0, Some(2));
    let page = within(&folder, "page.html");
    assert_eq!(text(&run(&["report", &path, &page])), (Some(0), String::new(), String::new()));
    let page = fs::read_to_string(page).unwrap();
    let json = page.split("id=\"probe\">").nth(1).unwrap().split("</script>").next().unwrap();
    let (of_page, of_probe): (serde_json::Value, serde_json::Value) = (
        serde_json::from_str(json).unwrap(),
        serde_json::from_slice(&run(&["probe", "--json", &path]).stdout).unwrap(),
    );
    assert_eq!(of_page, of_probe);
    for figure in ["26177", "2.200000", "95189"] {
        assert!(page.contains(&format!("<dd>{figure}</dd>")), "{figure}");
    }
    assert!(page.contains("prefers-color-scheme:dark") && !page.contains("http://h") && !page.contains("https://"));
}

#[test]
fn lists_are_printed_as_json() {
    let list = |line: &[&str]| serde_json::from_slice::<serde_json::Value>(&run(line).stdout).unwrap();
    let formats = list(&["formats", "--json"]);
    assert!(formats.as_array().unwrap().iter().any(|format| format["name"] == "flv" && format["writes"] == true));
    let flv = list(&["formats", "--json", "flv"]);
    assert!(flv[0]["settings"].as_array().unwrap().iter().any(|setting| setting["name"] == "bitexact"));
    assert!(text(&run(&["formats", "flv"])).1.contains("avoid_negative_ts"));
    assert!(
        list(&["codecs", "--json"])
            .as_array()
            .unwrap()
            .iter()
            .any(|codec| codec["name"] == "aac" && codec["decodes"] == true)
    );
    let (code, _, error) = text(&run(&["relay", "chek", "x.toml"]));
    assert!(code == Some(2) && error.contains("was check meant"), "{error}");
    let (code, page, _) = text(&run(&["man", "decode"]));
    assert!(code == Some(0) && page.contains("maliu\\-decode") && page.contains("normalize"), "{page}");
    assert_eq!(text(&run(&["man", "nothing"])).0, Some(2));
}

#[test]
fn watched_files_are_reported_again_once_they_rest() {
    let folder = folder("watched_files_are_reported_again_once_they_rest");
    let path = within(&folder, "clip.flv");
    let whole = fs::read(sample("flv/h264_aac.flv")).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut process = Process::start(&["check", "--watch", &path]);
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("cut at offset"));
    fs::write(&path, &whole).unwrap();
    assert!(lines.any(|line| line.unwrap().contains("no fault")));
    assert!(!process.is_over());
    assert_eq!(text(&run(&["probe", "--watch", "-"])).0, Some(2));
}

#[test]
fn the_matrix_names_the_formats_of_each_codec() {
    let rows: serde_json::Value = serde_json::from_slice(&run(&["formats", "--matrix", "--json"]).stdout).unwrap();
    let formats = |codec: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["codec"] == codec);
        row.map(|row| row["formats"].to_string()).unwrap_or_default()
    };
    for (codec, carried, refused) in [
        ("h264", "flv h264 matroska mov mp4 mpegps mpegts", "webm ogg wav"),
        ("aac", "adts flv loas matroska mp4 mpegts wav", "webm ogg flac"),
        ("opus", "flv matroska mp4 mpegts ogg webm", "adts h264"),
        ("vorbis", "matroska mp4 ogg webm", "flv mpegts"),
        ("flac", "flac flv matroska mp4 ogg", "webm mpegts"),
        ("av1", "flv ivf matroska mp4 webm", "ogg h264"),
    ] {
        let names = formats(codec);
        for format in carried.split(' ') {
            assert!(names.contains(&format!("\"{format}\"")), "{codec} in {format}: {names}");
        }
        for format in refused.split(' ') {
            assert!(!names.contains(&format!("\"{format}\"")), "{codec} in {format}: {names}");
        }
    }
    let (_, table, _) = text(&run(&["formats", "--matrix"]));
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/codecs.md")).unwrap();
    assert!(page.ends_with(&table), "docs/codecs.md: put what `maliu formats --matrix` prints at its end");
}
