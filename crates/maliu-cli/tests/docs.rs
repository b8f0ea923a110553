//! Every shell example of the README runs as it stands, with the built binary, in a folder of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The lines of the `sh` blocks of a document that call maliu.
fn commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| line.contains("maliu ") && !line.starts_with("cargo"));
    lines.map(str::to_owned).collect()
}

/// Runs a command line in a folder, with the built binary in the path.
fn shell(command: &str, folder: &Path) {
    let bin = Path::new(env!("CARGO_BIN_EXE_maliu")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    let done = Command::new("sh").args(["-c", command]).current_dir(folder).env("PATH", &path).output().unwrap();
    assert!(done.status.success(), "{command}\n{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn every_step_of_the_layout_tutorial_runs() {
    let folder = env::temp_dir().join(format!("maliu-tutorial-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let film = root().join("samples/h264/b_frames.h264");
    shell(&format!("maliu remux {} capture.bin --write-layout scrcpy", film.display()), &folder);
    shell(&format!("cp {} film.flv", root().join("samples/flv/h264_aac.flv").display()), &folder);
    let text = fs::read_to_string(root().join("docs/layouts.md")).unwrap();
    let tutorial = text.split("\n## ").find(|section| section.starts_with("Tutorial")).unwrap();
    let steps: Vec<&str> = tutorial.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    for (step, layout) in steps.iter().enumerate() {
        fs::write(folder.join("mine.toml"), layout).unwrap();
        shell("maliu layout check mine.toml", &folder);
        // The layout that is complete reads what the phone sends.
        if step + 1 == steps.len() {
            shell(
                "maliu probe --layout mine.toml capture.bin && maliu decode --layout mine.toml capture.bin x.y4m",
                &folder,
            );
        }
    }
    shell("maliu layout show tail > mine.toml", &folder);
    let here = |command: &&String| !command.contains("://");
    let runs: Vec<String> = commands("docs/layouts.md").iter().filter(here).cloned().collect();
    assert!(runs.len() >= 5, "{runs:?}");
    runs.iter().for_each(|command| shell(command, &folder));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_example_of_rtp_on_files_runs() {
    let folder = env::temp_dir().join(format!("maliu-rtp-{}", std::process::id()));
    fs::create_dir_all(folder.join("samples")).unwrap();
    let copy = Command::new("cp").arg("-r").arg(root().join("samples/rtsp")).arg(folder.join("samples")).status();
    assert!(copy.unwrap().success());
    let mut runs = commands("docs/rtp.md");
    runs.retain(|command| !command.contains("://") && !command.contains(".sdp "));
    assert!(runs.len() >= 3, "{runs:?}");
    runs.iter().for_each(|command| shell(command, &folder));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_job_of_the_howto_runs() {
    let folder = env::temp_dir().join(format!("maliu-howto-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let copy = Command::new("cp").arg("-r").arg(root().join("samples")).arg(&folder).status().unwrap();
    assert!(copy.success());
    let commands = commands("docs/howto.md");
    assert!(commands.len() >= 20);
    commands.iter().for_each(|command| shell(command, &folder));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_example_of_the_readme_runs() {
    let folder = env::temp_dir().join(format!("maliu-readme-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let copy = Command::new("cp").arg("-r").arg(root().join("samples")).arg(&folder).status().unwrap();
    assert!(copy.success());
    let commands = commands("README.md");
    assert!(commands.len() >= 10);
    commands.iter().for_each(|command| shell(command, &folder));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_example_of_the_page_on_hls_runs() {
    let folder = env::temp_dir().join(format!("maliu-hls-docs-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::copy(root().join("samples/flv/h264_aac.flv"), folder.join("film.flv")).unwrap();
    let commands = commands("docs/hls.md");
    assert!(commands.len() >= 5);
    commands.iter().for_each(|command| shell(command, &folder));
    fs::remove_dir_all(&folder).unwrap();
}
