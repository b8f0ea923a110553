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

#[test]
fn every_example_of_the_readme_runs() {
    let folder = env::temp_dir().join(format!("maliu-readme-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let copy = Command::new("cp").arg("-r").arg(root().join("samples")).arg(&folder).status().unwrap();
    assert!(copy.success());
    let bin = Path::new(env!("CARGO_BIN_EXE_maliu")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    let commands = commands("README.md");
    assert!(commands.len() >= 10);
    for command in commands {
        let done = Command::new("sh").args(["-c", &command]).current_dir(&folder).env("PATH", &path).output().unwrap();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command}\n{error}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
