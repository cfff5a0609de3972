//! A first start: the page may ask for a configuration, and no sign-in is configured yet.

use std::path::{Path, PathBuf};

use super::document::Origin;
use super::environment::Environment;
use super::key::Key;
use super::known::Http;
use super::{check, find, written};

/// The keys that may be missing at a first start, because the page asks for them. Any other mistake is an
/// error.
const ASKED_FOR: [&str; 3] = ["graph.tenant_id", "graph.client_id", "mqtt.url"];

/// If one of these is written, the user had a configuration and lost a part of it. That is an error, not a
/// first start.
const WORK: [&str; 3] = ["users", "groups", "lights"];

/// What the program knows at a first start.
#[derive(Debug)]
pub struct FirstStart {
    /// Where the set-up is served, and to whom.
    pub http: Http,
    /// The file that there is, or that is named and is not there yet.
    pub file: Option<PathBuf>,
    /// The file's `[http]` section, as text to put in front of the sections of the new file.
    pub kept: String,
    /// The other sections of the file.
    pub sections: Vec<String>,
    /// The whole text of that file.
    pub text: String,
    /// What the environment says.
    pub given: Given,
}

/// Which values the environment provides. The page does not ask for them, and does not write them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    /// The tenant.
    pub tenant: bool,
    /// The app.
    pub client_id: bool,
    /// Where the broker is.
    pub url: bool,
    /// Who the bridge is there.
    pub username: bool,
    /// The password, or the file that holds it.
    pub password: bool,
}

impl Given {
    /// By these variables.
    #[must_use]
    pub fn by(environment: &Environment) -> Self {
        let says = |key| Key::from(key).variable().is_some_and(|name| environment.get(&name).is_some());
        Self {
            tenant: says("graph.tenant_id"),
            client_id: says("graph.client_id"),
            url: says("mqtt.url"),
            username: says("mqtt.username"),
            password: says("mqtt.password") || says("mqtt.password_file"),
        }
    }
}

/// Whether the configuration that [`load`](super::load) finds is that of a first start: `http.listen` is set,
/// the page may change something, and only keys are missing that the page asks for.
#[must_use]
pub fn first_start(explicit: Option<&Path>, environment: &Environment) -> Option<FirstStart> {
    let (origin, text) = find::find_or_none_yet(explicit, environment).ok()?;
    read(&text, origin, environment)
}

fn read(text: &str, origin: Origin, environment: &Environment) -> Option<FirstStart> {
    let file = match &origin {
        Origin::File(file) => Some(file.clone()),
        Origin::Environment => None,
    };
    let (document, written) = written(text, origin, environment).ok()?;
    let [tenant, app] = ["graph.tenant_id", "graph.client_id"].map(|key| document.has(&Key::from(key)));
    let has_begun = WORK.iter().any(|key| document.has(&Key::from(*key)));
    let is_for_a_person = written.accounts.is_empty() && written.graph.auth.method.signs_in() && !has_begun;
    let errors = check::check(&written, &document, environment).err()?;
    let is_missing =
        |key: &Key| ASKED_FOR.iter().any(|asked| *key == Key::from(*asked)) && !document.has(key);
    if !is_for_a_person || (tenant && app) || !errors.are_all_about(is_missing) {
        return None;
    }
    let http = check::check_http(&written.http, &document, environment).ok()??;
    let mut table: toml::Table = text.parse().ok()?;
    let of_http = table.remove("http");
    let sections = names(&table);
    let kept = match (of_http, sections.is_empty()) {
        (None, _) => String::new(),
        (Some(_), true) => format!("{}\n\n", without_schema(text).trim()),
        (Some(of_http), false) => {
            format!("{}\n", toml::Table::from_iter([("http".to_owned(), of_http)]))
        }
    };
    let (given, text) = (Given::by(environment), text.to_owned());
    (!http.read_only).then_some(FirstStart { http, file, kept, sections, text, given })
}

/// The present content of the configuration file; empty if there is no file, `None` if it cannot be read.
pub(crate) fn text_of(file: &Path) -> Option<String> {
    find::find_or_none_yet(Some(file), &Environment::default()).ok().map(|(_, text)| text)
}

/// The sections that would be lost if the file were replaced.
pub(crate) fn sections(text: &str) -> Vec<String> {
    text.parse().map_or_else(|_| vec!["text that is not TOML".to_owned()], |table| names(&table))
}

fn names(table: &toml::Table) -> Vec<String> {
    table.keys().map(|name| format!("[{name}]")).collect()
}

/// Editors look for the schema on the first line. The new file writes its own.
fn without_schema(text: &str) -> &str {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#:schema") => rest,
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: (&str, &str) = ("PRESENCE2MQTT__HTTP__LISTEN", "127.0.0.1:9642");

    fn first(text: &str, variables: &[(&str, &str)]) -> Option<FirstStart> {
        let home = [("HOME", "/nowhere")];
        let variables =
            variables.iter().chain(&home).map(|&(name, value)| (name.to_owned(), value.to_owned()));
        read(text, Origin::File("x.toml".into()), &variables.collect())
    }

    #[test]
    fn nothing_but_what_is_asked_for_may_be_missing() {
        let here = "[http]\nlisten = \"127.0.0.1:9642\"\n";
        let broker = ("PRESENCE2MQTT__MQTT__URL", "mqtt://broker.example");
        let of_graph = "[graph]\ntenant_id = \"contoso.example\"\n";
        let id = "client_id = \"11111111-2222-3333-4444-555555555555\"\n";
        for (text, variables, expected) in [
            ("", &[LISTEN][..], true),
            (here, &[], true),
            ("", &[LISTEN, broker], true),
            (&format!("{here}{of_graph}"), &[], true),
            (&format!("{here}{of_graph}[mqtt]\nurl = \"mqtt://broker.example\"\n"), &[], true),
            // The page may not ask.
            ("", &[broker], false),
            (&format!("{here}read_only = true\n"), &[], false),
            // A sign-in is configured.
            (&format!("{here}{of_graph}{id}"), &[], false),
            (&format!("{here}{of_graph}{id}"), &[broker], false),
            (&format!("{here}[graph.auth]\nmethod = \"client-secret\"\n"), &[], false),
            (&format!("{here}[[accounts]]\nname = \"alice\"\n"), &[], false),
            // The configuration says what the bridge should do, so the rest was lost.
            (&format!("{here}{of_graph}[[users]]\nname = \"alice\"\nid = \"me\"\n"), &[broker], false),
            (&format!("{here}{of_graph}[[groups]]\nname = \"all\"\nusers = [\"me\"]\n"), &[broker], false),
            (&format!("{here}[[lights]]\nname = \"x\"\npreset = \"wled\"\ntopic = \"wled/x\"\n"), &[], false),
            // Another key is wrong.
            (&format!("{here}[mqtt]\nurl = \"broker\"\n"), &[], false),
            (&format!("{here}[graph]\ntenant_id = \"common\"\n"), &[], false),
            (&format!("{here}[graph]\npoll_interval = \"1ms\"\n"), &[], false),
            (&format!("{here}[mqqt]\n"), &[], false),
            ("[http]\nlisten = \"0.0.0.0:9642\"\n", &[], false),
            ("[http\n", &[], false),
        ] {
            assert_eq!(first(text, variables).is_some(), expected, "{text} {variables:?}");
        }
        let given = first("", &[LISTEN, broker]).unwrap().given;
        assert_eq!(given, Given { url: true, ..Given::default() });
        let [name, password] = ["USERNAME", "PASSWORD"].map(|key| format!("PRESENCE2MQTT__MQTT__{key}"));
        let given = first("", &[LISTEN, (&name, "bridge"), (&password, "s3cret")]).unwrap().given;
        assert_eq!(given, Given { username: true, password: true, ..Given::default() });
    }

    #[test]
    fn what_the_file_says_of_the_page_stays() {
        let alone = "#:schema ./x.json\n# Ours.\nhttp.listen = \"127.0.0.1:9642\"";
        let found = first(alone, &[]).unwrap();
        assert_eq!(found.kept, "# Ours.\nhttp.listen = \"127.0.0.1:9642\"\n\n");
        assert_eq!(found.sections, [""; 0]);
        let more = "[mqtt]\nusername = \"x\"\n[http]\nlisten = \"127.0.0.1:9642\"\n[home_assistant]\n";
        let found = first(more, &[]).unwrap();
        assert_eq!(found.kept, "[http]\nlisten = \"127.0.0.1:9642\"\n\n");
        assert_eq!(found.sections, ["[home_assistant]", "[mqtt]"]);
        assert_eq!(first("", &[LISTEN]).unwrap().kept, "");
    }
}
