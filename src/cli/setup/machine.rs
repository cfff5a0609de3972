//! What runs services on this machine, and the command that makes the bridge one.

use std::path::Path;

use crate::setup::draft::PASSWORD_FILE;
use crate::setup::place::{SYSTEM_FILE, is_root};

/// Where the Debian package, and who follows docs/install.md, put the unit.
const UNITS: [&str; 3] = [
    "/etc/systemd/system/presence2mqtt.service",
    "/usr/lib/systemd/system/presence2mqtt.service",
    "/lib/systemd/system/presence2mqtt.service",
];

/// What the image sets itself.
const OF_IMAGE: &str = "PRESENCE2MQTT__HTTP__LISTEN";

/// What runs services on this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    pub(super) is_root: bool,
    pub(super) has_systemd: bool,
    /// The system's unit for the bridge is installed.
    pub(super) has_unit: bool,
    /// It is a container.
    pub(super) is_container: bool,
}

impl Machine {
    /// Asks the system.
    pub(super) fn of_process() -> Self {
        Self {
            is_root: is_root(),
            // sd_booted(3)
            has_systemd: Path::new("/run/systemd/system").exists(),
            has_unit: UNITS.iter().any(|unit| Path::new(unit).exists()),
            // Docker's mark, and Podman's.
            is_container: ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists()),
        }
    }

    /// Whether the bridge will run as another user, who has to have the sign-in.
    pub(super) fn runs_it_as_another(self) -> bool {
        self.is_root && self.has_systemd
    }

    /// Whether this configuration is that of the system's service, which is there to be started.
    pub(super) fn serves(self, file: &Path) -> bool {
        self.runs_it_as_another() && self.has_unit && file == Path::new(SYSTEM_FILE)
    }

    /// What somebody has to know before they answer anything.
    pub(super) fn first_words(self) -> Option<&'static str> {
        let is_of_one = self.has_systemd && self.has_unit && !self.is_root;
        is_of_one.then_some(
            "This sets the bridge up for your user alone. For the service of this machine: sudo presence2mqtt setup",
        )
    }

    /// The variables that the bridge needs, and where to set them: a service or another container does not
    /// see those of a terminal. Their values may be secret, and every user can read those of a service.
    pub(super) fn of_variables(self, variables: &[&str]) -> Option<String> {
        let (how, names): (_, Vec<String>) = match (self.is_container, self.has_systemd) {
            (true, _) => {
                let names = variables.iter().filter(|&&name| name != OF_IMAGE);
                (" (docker run --env NAME=VALUE)", names.map(|name| (*name).to_owned()).collect())
            }
            (false, true) => {
                let name = |name: &&str| match is_secret(name) {
                    true => format!("{name}_FILE (a file that contains the value)"),
                    false => (*name).to_owned(),
                };
                let how = ", in its service as Environment=NAME=VALUE under [Service]";
                (how, variables.iter().map(name).collect())
            }
            // A bridge that is started from here has them.
            (false, false) => return None,
        };
        (!names.is_empty())
            .then(|| format!("The bridge needs these variables too{how}: {}.", names.join(", ")))
    }

    /// What to do next.
    pub(super) fn next(self, program: &str, file: &Path, has: Has, variables: &[&str]) -> String {
        if self.runs_it_as_another() {
            return of_system(program, &file.display().to_string(), (has, variables), self.has_unit);
        }
        let file = file.display();
        let login = format!("'{program}' login --config '{file}'");
        let run = format!("'{program}' run --config '{file}'");
        let first = if has.sign_in { String::new() } else { format!("Sign in:\n  {login}\n") };
        if self.is_container {
            return format!("{first}Start a container with the same volumes, without `setup`.\n");
        }
        if !self.has_systemd {
            return format!("{first}Start the bridge:\n  {run}\n");
        }
        format!(
            "{first}Try it:
  {run}
Or keep it running, also after a restart of this machine:
  mkdir -p ~/.config/systemd/user
cat >~/.config/systemd/user/presence2mqtt.service <<'END'
[Service]
Type=notify
ExecStart=\"{program}\" run --config \"{file}\"
Restart=always
RestartPreventExitStatus=78
[Install]
WantedBy=default.target
END
  systemctl --user daemon-reload
  systemctl --user enable --now presence2mqtt
  loginctl enable-linger
"
        )
    }
}

/// What was set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Has {
    pub(super) sign_in: bool,
    pub(super) password: bool,
}

/// As docs/install.md, systemd.
fn of_system(program: &str, file: &str, (has, variables): (Has, &[&str]), has_unit: bool) -> String {
    let unit = if has_unit { "" } else { "Install deploy/systemd/presence2mqtt.service first.\n" };
    let elsewhere = match file {
        SYSTEM_FILE => String::new(),
        _ => format!("The service reads {SYSTEM_FILE}:\nmove the files there.\n"),
    };
    let credential = match has.password {
        true => format!("    -p {} \\\n", credential()),
        false => String::new(),
    };
    // No secret is needed to sign in, and others can read the variables of a unit.
    let variables = variables.iter().filter(|name| !is_secret(name));
    let variables: String = variables.map(|name| format!("    --setenv={name} \\\n")).collect();
    format!(
        "{elsewhere}{unit}Sign in as the service's own user, then start it:
  systemd-run --pty --wait --collect --quiet \\
    -p DynamicUser=yes -p User=presence2mqtt \\
    -p StateDirectory=presence2mqtt \\
    -p StateDirectoryMode=0700 -p UMask=0077 \\
{credential}{variables}    '{program}' login --config {SYSTEM_FILE}
  systemctl enable --now presence2mqtt
"
    )
}

/// Whether this variable's value is a secret.
fn is_secret(variable: &str) -> bool {
    ["PASSWORD", "SECRET"].iter().any(|end| variable.ends_with(end))
}

/// The password at the broker, as the unit has it.
pub(super) fn credential() -> String {
    format!("LoadCredential={PASSWORD_FILE}:/etc/presence2mqtt/{PASSWORD_FILE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_its_command() {
        let all = Has { sign_in: true, password: true };
        let file = Path::new("/etc/presence2mqtt/config.toml");
        for (is_root, has_systemd, has, contains, lacks) in [
            (false, true, all, "systemctl --user enable --now presence2mqtt", " login "),
            (false, true, Has { sign_in: false, ..all }, "login --config", "sudo"),
            (false, false, all, "Start the bridge:\n  'p' run --config", "systemctl"),
            (true, false, all, "Start the bridge:\n  'p' run --config", "systemctl"),
            (true, true, all, "LoadCredential=mqtt-password:/etc/presence2mqtt/mqtt-password", "--user"),
            (true, true, Has { password: false, ..all }, "systemctl enable --now", "LoadCredential"),
        ] {
            let machine = Machine { is_root, has_systemd, has_unit: true, is_container: false };
            let next = machine.next("p", file, has, &[]);
            assert!(next.contains(contains) && !next.contains(lacks), "{next}");
            assert!(next.lines().all(|line| line.chars().count() <= 72), "{next}");
        }
    }

    #[test]
    fn what_is_printed_can_be_copied_whatever_the_paths() {
        let machine = Machine { is_root: false, has_systemd: true, has_unit: false, is_container: false };
        let has = Has { sign_in: false, password: false };
        let next = machine.next("/a b/p", Path::new("/c d/e.toml"), has, &[]);
        assert!(next.contains("'/a b/p' login --config '/c d/e.toml'\n"), "{next}");
        assert!(next.contains("'/a b/p' run --config '/c d/e.toml'\n"), "{next}");
        // A shell ends a here-document at a line that is the word and nothing else.
        for line in ["[Service]", "ExecStart=\"/a b/p\" run --config \"/c d/e.toml\"", "END"] {
            assert!(next.lines().any(|printed| printed == line), "{line} in {next}");
        }
    }

    #[test]
    fn who_sets_up_for_whom() {
        let machine =
            |is_root, has_unit| Machine { is_root, has_systemd: true, has_unit, is_container: false };
        for (is_root, has_unit, file, serves, is_told) in [
            (true, true, SYSTEM_FILE, true, false),
            (true, true, "/root/e.toml", false, false),
            (true, false, SYSTEM_FILE, false, false),
            (false, true, SYSTEM_FILE, false, true),
            (false, false, SYSTEM_FILE, false, false),
        ] {
            let machine = machine(is_root, has_unit);
            assert_eq!((machine.serves(Path::new(file)), machine.first_words().is_some()), (serves, is_told));
        }
        let container = Machine { is_root: false, has_systemd: false, has_unit: false, is_container: true };
        let next = container.next("p", Path::new("/c.toml"), Has { sign_in: true, password: false }, &[]);
        assert!(next.contains("without `setup`") && !next.contains("'p'"), "{next}");
    }

    #[test]
    fn the_service_reads_one_file_only() {
        let machine = Machine { is_root: true, has_systemd: true, has_unit: true, is_container: false };
        let has = Has { sign_in: false, password: true };
        let next = machine.next("/a b/p", Path::new("/root/e.toml"), has, &["HTTPS_PROXY"]);
        let first = "The service reads /etc/presence2mqtt/config.toml:\nmove the files there.\n";
        assert!(next.starts_with(first) && !next.contains("/root"), "{next}");
        assert!(next.contains("'/a b/p' login --config /etc/presence2mqtt/config.toml\n"), "{next}");
        assert!(next.contains("    --setenv=HTTPS_PROXY \\\n"), "{next}");
        assert!(!machine.next("p", Path::new(SYSTEM_FILE), has, &[]).contains("move"), "{next}");
    }

    #[test]
    fn variables_are_named_where_the_bridge_would_not_see_them() {
        let machine =
            |has_systemd, is_container| Machine { is_root: true, has_systemd, has_unit: true, is_container };
        let of = |machine: Machine, names: &[&str]| machine.of_variables(names).unwrap_or_default();
        assert_eq!(of(machine(true, false), &[]), "");
        assert_eq!(of(machine(false, false), &["HTTPS_PROXY"]), "");
        assert_eq!(
            of(machine(true, false), &["HTTPS_PROXY", "NO_PROXY"]),
            "The bridge needs these variables too, in its service as Environment=NAME=VALUE under [Service]: HTTPS_PROXY, NO_PROXY."
        );
        assert!(of(machine(false, true), &["HTTPS_PROXY"]).contains("--env NAME=VALUE"));
        assert_eq!(of(machine(false, true), &[OF_IMAGE]), "");
        let secret = "PRESENCE2MQTT__MQTT__PASSWORD";
        assert!(of(machine(true, false), &[secret]).contains("PASSWORD_FILE (a file"));
        let has = Has { sign_in: false, password: true };
        assert!(!machine(true, false).next("p", Path::new(SYSTEM_FILE), has, &[secret]).contains("--setenv"));
    }
}
