//! Files and folders that others made, or can change: what the program does with them, and what it leaves
//! alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sign_in::{Home, output};

/// Somebody else. Only root can give files away; as another user these tests see what root owns.
const SOMEBODY: u32 = 12345;

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Runs the program there, without a configuration that anybody names.
async fn run_in(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
    command.env_clear().current_dir(folder).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    output(command.spawn().unwrap()).await
}

#[tokio::test]
async fn a_folder_that_holds_other_things_is_refused_and_never_changed() {
    let home = Home::new().await;
    let state = home.state();
    fs::create_dir(&state).unwrap();
    fs::write(state.join("photo.jpg"), "").unwrap();
    for open in [0o755, 0o1777, 0o750] {
        set_mode(&state, open);
        for command in ["whoami", "get", "logout", "run"] {
            let (code, text) = home.told(&[command]).await;
            assert_ne!(code, Some(0), "{command}: {text}");
            assert_eq!(mode(&state), open, "{command} changed a folder that it did not make");
            assert!(text.contains("holds other things") && text.contains("state/presence2mqtt'"), "{text}");
        }
    }
    let names: Vec<_> = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["photo.jpg"]);
}

#[tokio::test]
async fn the_own_folder_that_was_opened_is_refused_with_the_command_that_closes_it() {
    let home = Home::new().await;
    home.log_in(0).await;
    set_mode(&home.state(), 0o755);
    let (code, text) = home.told(&["whoami"]).await;
    assert_eq!((code, mode(&home.state())), (Some(1), 0o755), "{text}");
    assert!(text.contains(&format!("run: chmod 700 '{}'", home.state().display())), "{text}");
    set_mode(&home.state(), 0o700);
    // The file is the bridge's own.
    set_mode(&home.store().file(), 0o644);
    let (code, text) = home.told(&["whoami"]).await;
    assert_eq!((code, mode(&home.store().file())), (Some(0), 0o600), "{text}");
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused() {
    let home = Home::new().await;
    let state = home.state();
    if is_root() {
        fs::create_dir(&state).unwrap();
        set_mode(&state, 0o700);
        chown(&state, Some(SOMEBODY), None).unwrap();
    } else {
        symlink("/usr", &state).unwrap();
    }
    let (code, text) = home.told(&["whoami"]).await;
    assert_eq!((code, text.contains("belongs to user")), (Some(1), true), "{text}");
}

#[tokio::test]
async fn what_somebody_prepared_in_the_folder_is_not_written_into() {
    let home = Home::new().await;
    let state = home.state();
    let outside = tempfile::tempdir().unwrap();
    let theirs = outside.path().join("theirs");
    // Each was put there while the folder was open to all: a file to be written into, links to files
    // elsewhere.
    type Prepare = fn(&Path, &Path);
    let prepared: [(&str, Prepare); 3] = [
        ("sign-in.json.new", |there, _| fs::write(there, "").unwrap()),
        ("sign-in.json.new", |there, theirs| symlink(theirs, there).unwrap()),
        ("sign-in.json.new", |there, theirs| fs::hard_link(theirs, there).unwrap()),
    ];
    for (name, prepare) in prepared {
        fs::create_dir(&state).unwrap();
        set_mode(&state, 0o700);
        fs::write(&theirs, "").unwrap();
        prepare(&state.join(name), &theirs);
        let reader = fs::File::open(state.join(name)).unwrap();
        home.log_in(0).await;
        let mut read = String::new();
        std::io::Read::read_to_string(&mut { reader }, &mut read).unwrap();
        assert_eq!((read.as_str(), fs::read_to_string(&theirs).unwrap().as_str()), ("", ""), "tokens leaked");
        let kept = fs::symlink_metadata(home.store().file()).unwrap();
        assert!(kept.is_file() && kept.nlink() == 1 && kept.mode() & 0o777 == 0o600);
        fs::remove_dir_all(&state).unwrap();
    }
}

#[tokio::test]
async fn a_link_a_second_name_and_a_pipe_in_the_folder_are_refused() {
    let home = Home::new().await;
    home.log_in(0).await;
    let outside = tempfile::tempdir().unwrap();
    let elsewhere = outside.path().join("elsewhere");
    for name in ["sign-in.json", "sign-in.lock"] {
        let file = home.state().join(name);
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        let (code, text) = home.told(&["whoami"]).await;
        assert_eq!((code, text.contains("is a link; remove it")), (Some(1), true), "{name}: {text}");
        fs::remove_file(&file).unwrap();
        fs::hard_link(&elsewhere, &file).unwrap();
        let (code, text) = home.told(&["whoami"]).await;
        assert_eq!((code, text.contains("has a second name")), (Some(1), true), "{name}: {text}");
        fs::remove_file(&file).unwrap();
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        let (code, text) = home.told(&["whoami"]).await;
        assert_eq!((code, text.contains("not a regular file")), (Some(1), true), "{name}: {text}");
        fs::rename(&elsewhere, &file).unwrap();
        if is_root() {
            chown(&file, Some(SOMEBODY), None).unwrap();
            let (code, text) = home.told(&["whoami"]).await;
            assert_eq!((code, text.contains("belongs to user 12345")), (Some(1), true), "{name}: {text}");
            chown(&file, Some(0), None).unwrap();
        }
    }
    let (code, text) = home.told(&["whoami"]).await;
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
async fn a_configuration_that_lies_there_is_obeyed_only_if_nobody_else_can_have_written_it() {
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("presence2mqtt.toml");
    fs::write(&here, home.text()).unwrap();
    let refused = async |expected: &str| {
        let (code, text) = run_in(folder.path(), &["check"]).await;
        assert_eq!((code, text.contains(expected)), (Some(78), true), "{expected}: {text}");
        assert!(text.contains("--config"), "{text}");
        let (code, text) = run_in(folder.path(), &["check", "-c", "presence2mqtt.toml"]).await;
        assert_eq!(code, Some(0), "a file that is named is obeyed: {text}");
        assert!(text.contains("warning: ") || expected.contains("link"), "{text}");
    };
    set_mode(&here, 0o644);
    let (code, text) = run_in(folder.path(), &["check"]).await;
    assert_eq!((code, text.contains("warning: ")), (Some(0), false), "{text}");
    set_mode(&here, 0o646);
    refused("chmod go-w 'presence2mqtt.toml'").await;
    set_mode(&here, 0o664);
    if is_root() {
        let (code, text) = run_in(folder.path(), &["check"]).await;
        assert_eq!((code, text.contains("warning: ")), (Some(0), false), "a group of their own: {text}");
        chown(&here, None, Some(SOMEBODY)).unwrap();
        refused("chmod go-w 'presence2mqtt.toml'").await;
        chown(&here, None, Some(0)).unwrap();
    }
    set_mode(&here, 0o644);
    if is_root() {
        chown(&here, Some(SOMEBODY), None).unwrap();
        refused("belongs to user 12345").await;
        chown(&here, Some(0), None).unwrap();
    }
    fs::rename(&here, folder.path().join("other.toml")).unwrap();
    symlink("other.toml", &here).unwrap();
    refused("is a link").await;
}

#[tokio::test]
async fn a_pipe_or_a_device_in_the_place_of_a_secret_holds_up_nothing() {
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = home.text();
    for file in [pipe.to_str().unwrap(), "/dev/zero", "/dev"] {
        let with =
            text.replace("[mqtt]\n", &format!("[mqtt]\nusername = \"bridge\"\npassword_file = \"{file}\"\n"));
        fs::write(home.file(), with).unwrap();
        let (code, text) = home.told(&["check"]).await;
        assert_eq!((code, text.contains("a regular file is required")), (Some(78), true), "{text}");
    }
    // A whole configuration, too.
    fs::remove_file(home.file()).unwrap();
    fs::rename(&pipe, home.file()).unwrap();
    let (code, text) = home.told(&["check"]).await;
    assert_eq!((code, text.contains("a regular file is required")), (Some(78), true), "{text}");
}
