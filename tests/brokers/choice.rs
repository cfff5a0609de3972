//! Which brokers are judged, and with which program.

use std::path::{Path, PathBuf};

/// The programs with which a broker is judged: those that `BROKERS` has behind its name, or without `BROKERS`
/// the one that is installed.
pub(crate) fn programs(name: &str, program: &str, install: &str) -> Vec<PathBuf> {
    let installed = installed(program);
    let Ok(asked) = std::env::var("BROKERS") else {
        if installed.is_none() {
            println!("absent: {name}; to have it: {install}");
        }
        return installed.into_iter().collect();
    };
    let words = asked.split([' ', ',']).map(|word| word.split_once('=').unwrap_or((word, "")));
    let named = words.filter(|(asked, _)| *asked == name).map(|(_, path)| match path {
        "" => installed.clone().unwrap_or_else(|| panic!("{name} is not installed; install it: {install}")),
        path => PathBuf::from(path),
    });
    named.collect()
}

/// Nobody is judged because of a slip of the pen.
pub(crate) fn assert_known(names: &[&str]) {
    let asked = std::env::var("BROKERS").unwrap_or_default();
    for word in asked.split([' ', ',']).filter(|word| !word.is_empty()) {
        let name = word.split('=').next().unwrap();
        assert!(names.contains(&name), "BROKERS names {name:?}, which is none of {names:?}");
    }
}

/// Where a program is; Debian keeps servers where not everybody looks.
fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin";
    path.split(':').map(|folder| Path::new(folder).join(program)).find(|program| program.is_file())
}
