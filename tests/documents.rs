//! What the documents promise is what the program has: examples, keys, defaults, topics, commands, exit
//! codes.
#![expect(clippy::unwrap_used, reason = "a test that cannot read what it tests has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use clap::Parser;
use presence2mqtt::cli::{Arguments, exit};
use presence2mqtt::config::{self, Environment};
use presence2mqtt::core::model::topic::{BridgeField, Field, LightField, SET, SET_STATUS_MESSAGE, Topics};
use serde_json::Value;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn page(path: &str) -> String {
    fs::read_to_string(here(path)).unwrap()
}

/// What is written under a heading, up to the next one of the same or a higher level.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let level = heading.chars().take_while(|&c| c == '#').count();
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?}")) + 1;
    let body = &text[start + heading.len()..];
    let is_end = |line: &&str| (1..=level).any(|n| line.starts_with(&format!("{} ", "#".repeat(n))));
    let end = body.lines().find(is_end).map_or(body.len(), |line| body.find(&format!("\n{line}")).unwrap());
    &body[..end]
}

/// The cells of each row of the tables in a text, without their headings.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("|---");
    let mut rows = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let is_heading = lines.get(i + 1).is_some_and(|next| is_rule(next));
        if line.starts_with('|') && !is_rule(line) && !is_heading {
            rows.push(line.trim_matches('|').split(" | ").map(str::trim).collect());
        }
    }
    assert!(!rows.is_empty(), "no table in {text:?}");
    rows
}

/// All files below a folder whose names end like this.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![here(folder)]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {end} below {folder}");
    found
}

/// The documents for people.
fn documents() -> Vec<PathBuf> {
    let below = ["docs", "deploy", "examples"].map(|folder| files(folder, ".md")).concat();
    below.into_iter().chain(["README.md", "CHANGELOG.md"].map(here)).collect()
}

#[test]
fn every_table_has_a_heading() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().map(str::trim_start);
        while lines.by_ref().any(|line| line.starts_with('|')) {
            let rule = lines.next().unwrap_or_default();
            assert!(rule.starts_with("|---"), "{path:?}: {rule:?} is no second line of a table");
            lines.by_ref().find(|line| !line.starts_with('|'));
        }
    }
}

/// The words between backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Code blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let found: Vec<_> = text.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!found.is_empty(), "no block of {language}");
    found.into_iter().map(str::to_owned).collect()
}

/// Every key of the schema that holds a value, with what the schema says of it: `graph.auth.method`,
/// `users.name`.
fn keys(node: &Value, at: &str) -> Vec<(String, Value)> {
    let properties = node["properties"].as_object().into_iter().flatten();
    properties
        .flat_map(|(name, node)| {
            let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            match node["type"].as_str() {
                Some("object") if node["properties"].is_object() => keys(node, &key),
                Some("array") if node["items"]["type"] == "object" => keys(&node["items"], &key),
                _ => vec![(key, node.clone())],
            }
        })
        .collect()
}

#[test]
fn every_metric_that_is_looked_at_exists() {
    let name =
        |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let metrics = page("src/http/metrics.rs");
    let documented = page("docs/http.md");
    let table: BTreeSet<String> =
        rows(section(&documented, "## Metrics")).iter().flat_map(|row| code(row[0])).map(name).collect();
    assert!(table.len() > 15, "{table:?}");
    for metric in &table {
        let registered = metric.trim_end_matches("_total").trim_end_matches("_seconds");
        assert!(metrics.contains(registered), "{metric} is in docs/http.md only");
    }
    for file in ["deploy/prometheus/alerts.yaml", "deploy/grafana/dashboard.json"] {
        let text = page(file);
        let used: BTreeSet<String> = text.split("presence2mqtt_").skip(1).map(name).collect();
        assert!(!used.is_empty(), "{file}");
        for metric in used {
            let plain = ["_bucket", "_sum", "_count"].iter().find_map(|end| metric.strip_suffix(end));
            assert!(table.contains(plain.unwrap_or(&metric)), "{file}: {metric} is not in docs/http.md");
        }
    }
}

#[test]
fn every_configuration_that_is_shipped_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    for secret in ["client-secret", "mqtt-password", "http-password"] {
        fs::write(dir.path().join(secret), "not-a-secret\n").unwrap();
    }
    let token = dir.path().join("token");
    fs::write(&token, "not-a-token\n").unwrap();
    let environment = Environment::from_iter([
        ("CREDENTIALS_DIRECTORY".to_owned(), dir.path().to_str().unwrap().to_owned()),
        ("AZURE_FEDERATED_TOKEN_FILE".to_owned(), token.to_str().unwrap().to_owned()),
        ("HOME".to_owned(), "/home/alice".to_owned()),
    ]);
    let file = "deploy/kubernetes/config.toml";
    // Where a cluster mounts its secrets.
    let text = page(file).replace("/var/run/secrets/presence2mqtt/", "");
    if let Err(error) = config::parse(&text, &here(file), &environment) {
        panic!("{file}: {error}");
    }
}

#[test]
fn every_example_is_accepted() {
    for folder in ["examples", "examples/lights"] {
        let paths = fs::read_dir(here(folder)).unwrap().map(|entry| entry.unwrap().path());
        let is_toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        let mut examples: Vec<_> = paths.filter(is_toml).collect();
        examples.sort();
        assert!(!examples.is_empty(), "{folder}");
        check_all(examples);
    }
}

fn check_all(examples: Vec<PathBuf>) {
    for example in examples {
        let nothing = Environment::default();
        if let Err(error) = config::load(Some(&example), &nothing) {
            panic!("{}: {error}", example.display());
        }
    }
}

#[test]
fn the_configuration_in_the_documents_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    for secret in ["client-secret", "mqtt-password"] {
        fs::write(dir.path().join(secret), "not-a-secret\n").unwrap();
    }
    let pages = ["README.md", "docs/by-hand.md", "docs/lights.md"];
    let all = pages.map(|document| blocks(&page(document), "toml")).concat();
    let whole = all.iter().find(|text| text.contains("[mqtt]") && text.contains("[[users]]")).unwrap();
    let bob = "[[users]]\nname = \"bob\"\nid = \"bob@contoso.example\"\n";
    for text in &all {
        // A part belongs below a whole one.
        let text = if text.contains("[mqtt]") { text.clone() } else { format!("{whole}{bob}{text}") };
        let file = dir.path().join("presence2mqtt.toml");
        let home = Environment::from_iter([("HOME".to_owned(), "/home/alice".to_owned())]);
        if let Err(error) = config::parse(&text, &file, &home) {
            panic!("{text}\n{error}");
        }
    }
}

#[test]
fn every_key_is_documented_with_its_default() {
    let page = page("docs/configuration.md");
    let (known, _) = page.split_once("\n## ").unwrap();
    let documented = rows(known);
    let keys = keys(&config::json_schema(), "");

    for row in &documented {
        let [key] = code(row[0])[..] else { panic!("{row:?}") };
        let (_, node) =
            keys.iter().find(|(known, _)| known == key).unwrap_or_else(|| panic!("{key} is no key"));
        let default = &node["default"];
        if !default.is_null() {
            assert_eq!(row[1], format!("`{default}`"), "default of {key}");
        }
    }
    for (key, _) in &keys {
        let in_table = documented.iter().filter(|row| code(row[0]) == [key]).count();
        assert_eq!(in_table, 1, "{key} must be documented once");
    }
}

#[test]
fn the_topics_are_those_of_the_program() {
    let page = page("docs/topics.md");
    let (table, _) = page.split_once("\n## ").unwrap();
    let documented: BTreeSet<String> =
        rows(table).iter().map(|row| row[0].replace(['<', '>', '`'], "")).collect();

    let user = "user".parse().unwrap();
    let topics = Topics::new("base".parse().unwrap(), "bridge".parse().unwrap());
    let mut real: BTreeSet<String> = Field::IN_ORDER.map(|field| topics.of_user(&user, field)).into();
    real.extend(BridgeField::ALL.map(|field| topics.of_bridge(field)));
    real.extend([SET, SET_STATUS_MESSAGE].map(|level| topics.set(&user, level)));
    real.extend([topics.set_result(&user), topics.refresh(), topics.ping(), topics.pong()]);
    let account = "account".parse().unwrap();
    real.extend(BridgeField::OF_ACCOUNT.map(|field| topics.of_account(Some(&account), field)));
    let light = "name".parse().unwrap();
    real.extend(LightField::ALL.map(|field| topics.of_light(&light, field)));
    real.insert(topics.pause_light(&light));
    real.insert(topics.standby(&"instance".parse().unwrap()));
    assert_eq!(documented, real);
}

#[test]
fn the_sample_payloads_are_json() {
    for block in blocks(&page("docs/topics.md"), "json") {
        let payload: Value = serde_json::from_str(&block).unwrap();
        assert!(payload.is_object(), "{block}");
    }
}

#[test]
fn every_command_is_documented() {
    let output = Command::new(env!("CARGO_BIN_EXE_presence2mqtt")).arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    // Commands are indented by two spaces, the rest of their descriptions by more.
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"run"), "{help}");
    let page = page("docs/commands.md");
    let table = rows(section(&page, "## Commands"));
    for command in commands {
        let shown = format!("presence2mqtt {command}");
        let found = table.iter().any(|row| code(row[0]).iter().any(|text| text.starts_with(&shown)));
        assert!(found, "{shown} is not in docs/commands.md");
    }
}

#[test]
fn every_command_that_is_shown_exists() {
    let mut shown = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let scripts = shell_lines(&text);
        let lines = scripts.iter().map(String::as_str);
        for line in lines.chain(code(&text)).filter_map(|words| words.strip_prefix("presence2mqtt ")) {
            // What comes behind the command: another one, a comment, or what somebody is to fill in.
            let command = line.split(['|', '>', '&', '#', '[', ';']).next().unwrap();
            let words = ["presence2mqtt"].into_iter().chain(command.split_whitespace());
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{}: {line:?}: {}", path.display(), parsed.unwrap_err());
            shown += 1;
        }
    }
    assert!(shown > 10, "{shown}");
}

#[test]
fn every_exit_code_is_documented() {
    let page = page("docs/commands.md");
    let table = rows(section(&page, "## Exit codes"));
    for code in [0, exit::UNEXPECTED, exit::USAGE, exit::UNREACHABLE, exit::SIGN_IN, exit::CONFIG] {
        assert!(table.iter().any(|row| row[0] == code.to_string()), "{code} is not in docs/commands.md");
    }
}

/// Ends the process when a test is over.
#[cfg(feature = "demo")]
struct Ended(std::process::Child);

#[cfg(feature = "demo")]
impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// What is shown to be typed, and needs no more than a configuration, works as it stands there: with that of
/// the simulated tenant, taken out of its guide as docs/without-a-tenant.md says.
#[cfg(feature = "demo")]
#[test]
fn the_commands_that_are_shown_work_with_the_simulated_tenant() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let program = Path::new(env!("CARGO_BIN_EXE_presence2mqtt"));
    let mut tenant = Command::new(program);
    tenant.args(["simulate", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
    let mut tenant = Ended(tenant.spawn().unwrap());
    let mut guide = String::new();
    for line in BufReader::new(tenant.0.stdout.take().unwrap()).lines().map(Result::unwrap) {
        guide = guide + &line + "\n";
        if line.starts_with("By hand") {
            break;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("guide.txt"), guide).unwrap();
    let run = |line: &str| {
        let found = format!("PATH='{}':$PATH\n{line}", program.parent().unwrap().display());
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", &found]).current_dir(dir.path()).env("HOME", dir.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let pages = documents().into_iter().map(|document| fs::read_to_string(document).unwrap());
    let shown: String = pages.flat_map(|text| shell_lines(&text)).map(|line| line + "\n").collect();
    run(shown.lines().find(|line| line.starts_with("(umask 077; sed -n ")).unwrap());
    let needs_no_more = |line: &&str| {
        let words: Vec<&str> = line.split(" #").next().unwrap().split_whitespace().collect();
        let is_one = words.first() == Some(&"presence2mqtt")
            && ["check", "get", "schema", "man", "completions"].contains(words.get(1).unwrap_or(&""));
        is_one && !words.iter().any(|word| [">", "|", "-c", "--config", "--online"].contains(word))
    };
    let simple: BTreeSet<&str> = shown.lines().filter(needs_no_more).collect();
    assert!(simple.len() > 1, "{simple:?}");
    simple.into_iter().for_each(run);
}

/// The lines of the blocks that are for a shell.
fn shell_lines(text: &str) -> Vec<String> {
    let scripts = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    scripts.flat_map(str::lines).map(|line| line.trim().to_owned()).collect()
}

/// Words that need guessing, and who uses them nevertheless: a file and how often.
const UNUSUAL: &[&str] = &[
    "anybody",
    "everybody",
    "nobody",
    "somebody",
    "whoever",
    "can be had",
    "goes before",
    "hears",
    "is minded",
    "is told",
    "is wanted",
    "leave to read",
    "mend",
    "mended",
    "needs a look",
];
const EXCEPTIONS: &[(&str, usize)] = &[
    ("docs/performance.md", 8),
    ("src/core/rehearsal.rs", 1),
    ("src/http/first_start.html", 3),
    ("src/run/first_start.rs", 1),
    ("src/setup/draft.rs", 1),
];

/// What the program prints: the texts in its code, without comments and tests.
fn literals(path: &Path) -> String {
    let source = fs::read_to_string(path).unwrap();
    let code: String = source
        .split("\nmod tests {")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") && !line.contains("reason = "))
        .map(|line| line.trim_start().trim_end_matches('\\').to_owned() + " ")
        .collect();
    let without_quotes = code.replace("\\\"", "").replace("'\"'", "");
    without_quotes.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" | ")
}

#[test]
fn people_read_usual_words() {
    let written = [
        documents(),
        files("tests/golden/help", ".txt"),
        files("deploy", ".yaml"),
        files("deploy", ".json"),
        files("src/http", ".html"),
    ];
    let is_of_the_bridge =
        |path: &PathBuf| !["tests", "simulate"].iter().any(|name| path.to_str().unwrap().contains(name));
    let sources = files("src", ".rs").into_iter().filter(is_of_the_bridge);
    let written = written.concat().into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path));
    let printed = sources.map(|path| (literals(&path), path));
    for (text, path) in written.chain(printed) {
        let text = text.to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect::<Vec<_>>().join(" ");
        let words = format!(" {words} ");
        let found: Vec<_> = UNUSUAL
            .iter()
            .flat_map(|word| words.matches(&format!(" {word} ")).map(move |_| word).collect::<Vec<_>>())
            .collect();
        let allowed = EXCEPTIONS.iter().find(|(file, _)| path.ends_with(file)).map_or(0, |&(_, times)| times);
        assert!(found.len() <= allowed, "{}: {found:?}", path.display());
    }
}

#[test]
fn the_committed_schema_is_the_programs() {
    let committed = fs::read_to_string(here("examples/presence2mqtt.schema.json")).unwrap();
    let current = format!("{:#}\n", config::json_schema());
    assert!(committed == current, "write it anew: presence2mqtt schema > examples/presence2mqtt.schema.json");
}

#[test]
fn links_to_files_lead_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|to| !to.starts_with("http")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(to.exists(), "{document:?} links to {target}");
            let is_heading = |line: &str| line.starts_with('#') && anchor(line) == heading;
            let found = heading.is_empty() || fs::read_to_string(&to).unwrap().lines().any(is_heading);
            assert!(found, "{document:?} links to {target}");
        }
    }
}

/// What a heading is linked by.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The formatter breaks code, and leaves comments as they are.
#[test]
fn comments_fit_the_width_of_the_code() {
    for path in ["src", "tests", "examples", "benches"].map(|folder| files(folder, ".rs")).concat() {
        let text = fs::read_to_string(&path).unwrap();
        let is_long = |line: &str| line.trim_start().starts_with("//") && line.chars().count() > 110;
        let long: Vec<_> =
            (1..).zip(text.lines()).filter(|(_, line)| is_long(line)).map(|(n, _)| n).collect();
        assert!(long.is_empty(), "{}: lines {long:?}", path.display());
    }
}

/// What a page says of a message is found only if the message is what the program says.
#[test]
fn the_messages_that_the_pages_explain_are_the_programs() {
    let sources: String = files("src", ".rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    // Long sentences are written over several lines.
    let program: String = sources.split("\\\n").map(str::trim_start).collect();
    let mut explained = 0;
    for document in ["docs/troubleshooting.md", "docs/lights.md"] {
        let text = page(document);
        for row in rows(&text).into_iter().filter(|row| row.len() == 3) {
            for message in code(row[0]).into_iter().filter(|text| text.contains(' ') && !text.contains('=')) {
                let parts = message.split(['…', '"']).flat_map(|part| part.split(" AADSTS"));
                for part in parts.map(str::trim).filter(|part| part.len() > 7) {
                    assert!(program.contains(part), "{document}: the program never says {part:?}");
                    explained += 1;
                }
            }
        }
    }
    assert!(explained > 40, "{explained}");
}

#[test]
fn every_test_that_is_named_as_a_proof_exists() {
    let text = fs::read_to_string(here("docs/faults.md")).unwrap();
    let mut proofs = 0;
    for row in rows(&text) {
        for proof in row[3].trim_end_matches(" |").split("; ") {
            let [file] = code(proof)[..] else { panic!("no file in {proof:?}") };
            let name = proof.rsplit(' ').next().unwrap();
            let source = fs::read_to_string(here(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(source.contains(&format!("fn {name}(")), "{file} has no test {name}");
            proofs += 1;
        }
    }
    assert!(proofs > 20, "{proofs}");
}

/// The sources and the tests in one text.
fn all_code() -> String {
    let sources = ["src", "tests"].map(|folder| files(folder, ".rs")).concat();
    sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn the_tests_that_the_page_on_security_names_exist() {
    let (text, code) = (page("docs/SECURITY.md"), all_code());
    let table = section(&text, "## Who can do what to whom");
    let quoted: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    let is_test = |name: &&str| name.contains("::") || name.starts_with('…');
    let tests: Vec<&str> = quoted.into_iter().filter(is_test).collect();
    assert!(tests.len() > 10, "{tests:?}");
    for test in tests {
        let name = test.rsplit("::").next().unwrap().trim_start_matches('…');
        assert!(code.contains(&format!("fn {name}()")), "there is no test {test}");
    }
}

#[test]
fn the_page_on_security_says_what_each_dependency_is_trusted_with() {
    let manifest: toml::Table = page("Cargo.toml").parse().unwrap();
    let of_all = manifest["dependencies"].as_table().unwrap().keys();
    let of_unix = manifest["target"]["cfg(unix)"]["dependencies"].as_table().unwrap().keys();
    let text = page("docs/SECURITY.md");
    let said: BTreeSet<&str> = rows(section(&text, "## What it is made of"))
        .iter()
        .flat_map(|row| row[1].split(", "))
        .map(|name| name.split(' ').next().unwrap())
        .collect();
    let used: BTreeSet<&str> = of_all.chain(of_unix).map(String::as_str).collect();
    assert!(used.len() > 20, "{used:?}");
    assert_eq!(said, used);
}

/// The Supervisor takes every such file for an app, in whatever folder it lies.
#[test]
fn home_assistant_finds_one_app_and_the_repository_at_the_top() {
    let mut found = Vec::new();
    let mut folders = vec![here("")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if ["config.yaml", "config.yml", "config.json"].contains(&name) {
                found.push(path);
            }
        }
    }
    assert_eq!(found, [here("deploy/home-assistant/app/config.yaml")]);
    assert!(page("repository.yaml").contains("\nname: "));
}

/// The Supervisor calls an app by the first letters of a hash of its repository's address
/// (`get_hash_from_repository`), and its slug.
#[test]
fn the_link_to_the_app_names_it_as_the_supervisor_does() {
    let readme = page("README.md");
    let links: Vec<&str> = readme.split("redirect/supervisor_addon/?addon=").skip(1).collect();
    assert!(!links.is_empty());
    for link in links {
        let (app, rest) = link.split_once("&repository_url=").unwrap();
        let address = rest.split(')').next().unwrap().to_lowercase();
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, address.as_bytes());
        let hash: String = hash.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(app, format!("{hash}_presence2mqtt"), "docs/CONTRIBUTING.md says how it is changed");
    }
}

#[test]
fn the_archives_lie_where_cargo_binstall_looks() {
    let manifest: toml::Table = page("Cargo.toml").parse().unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let address = "{ repo }/releases/download/v{ version }/{ name }-{ version }-{ target }.tar.gz";
    assert_eq!(binstall["pkg-url"].as_str(), Some(address));
    assert_eq!(binstall["bin-dir"].as_str(), Some("{ name }-{ version }-{ target }/{ bin }"));
    let release = page(".github/workflows/release.yml");
    assert!(release.contains("name=presence2mqtt-${GITHUB_REF_NAME#v}-$TARGET\n"), "another name");
    assert!(release.contains("\"dist/$name.tar.gz\""), "another name");
}
