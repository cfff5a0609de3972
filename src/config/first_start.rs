//! A first start: somebody may be asked over HTTP, and what to sign in with is not written yet.

use std::path::{Path, PathBuf};

use super::document::Origin;
use super::environment::Environment;
use super::key::Key;
use super::known::Http;
use super::{check, find, written};

/// What has to be written before a bridge can start, and may be asked for. Everything else that is wrong is wrong.
const ASKED_FOR: [&str; 3] = ["graph.tenant_id", "graph.client_id", "mqtt.url"];

/// What is known at a first start.
#[derive(Debug)]
pub struct FirstStart {
    /// Where the set-up is served, and to whom.
    pub http: Http,
    /// The file that there is, or that is named and is not there yet.
    pub file: Option<PathBuf>,
    /// What that file says of `[http]`, as text that goes before all sections of another file.
    pub kept: String,
    /// The sections that the file has besides.
    pub sections: Vec<String>,
    /// The environment says where the broker is.
    pub has_broker: bool,
}

/// Whether the configuration that [`load`](super::load) finds is that of a first start: `http.listen` is there, the page may
/// change something, and only what a set-up asks for is missing.
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
    let [tenant, app, broker] = ASKED_FOR.map(|key| document.has(&Key::from(key)));
    let is_for_a_person = written.accounts.is_empty() && written.graph.auth.method.signs_in();
    let errors = check::check(&written, &document, environment).err()?;
    let is_missing =
        |key: &Key| ASKED_FOR.iter().any(|asked| *key == Key::from(*asked)) && !document.has(key);
    if !is_for_a_person || (tenant && app) || !errors.are_all_about(is_missing) {
        return None;
    }
    let http = check::check_http(&written.http, &document, environment).ok()??;
    let mut table: toml::Table = text.parse().ok()?;
    let of_http = table.remove("http");
    let sections: Vec<String> = table.keys().map(|name| format!("[{name}]")).collect();
    let kept = match (of_http, sections.is_empty()) {
        (None, _) => String::new(),
        (Some(_), true) => format!("{}\n\n", without_schema(text).trim()),
        (Some(of_http), false) => {
            format!("{}\n", toml::Table::from_iter([("http".to_owned(), of_http)]))
        }
    };
    // One from the environment need not be written.
    let has_broker =
        broker && Key::from("mqtt.url").variable().is_some_and(|name| environment.get(&name).is_some());
    (!http.read_only).then_some(FirstStart { http, file, kept, sections, has_broker })
}

/// Editors look for it on the first line, where the next file has its own.
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
            // Nobody could be asked.
            ("", &[broker], false),
            (&format!("{here}read_only = true\n"), &[], false),
            // There is something to sign in with.
            (&format!("{here}{of_graph}{id}"), &[], false),
            (&format!("{here}{of_graph}{id}"), &[broker], false),
            (&format!("{here}[graph.auth]\nmethod = \"client-secret\"\n"), &[], false),
            (&format!("{here}[[accounts]]\nname = \"alice\"\n"), &[], false),
            // Something is wrong.
            (&format!("{here}[mqtt]\nurl = \"broker\"\n"), &[], false),
            (&format!("{here}[graph]\ntenant_id = \"common\"\n"), &[], false),
            (&format!("{here}[graph]\npoll_interval = \"1ms\"\n"), &[], false),
            (&format!("{here}[mqqt]\n"), &[], false),
            ("[http]\nlisten = \"0.0.0.0:9642\"\n", &[], false),
            ("[http\n", &[], false),
        ] {
            assert_eq!(first(text, variables).is_some(), expected, "{text} {variables:?}");
        }
        assert!(first("", &[LISTEN, broker]).unwrap().has_broker);
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
