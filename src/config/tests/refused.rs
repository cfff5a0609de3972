//! What is refused, each with its line, its key and what is allowed.

use super::{ALICE, SECTIONS, message, minimal, read};

/// The minimal configuration with one key replaced or added, and the line that key is on.
fn with(section: &str, key: &str, value: &str) -> (String, usize) {
    let mut lines: Vec<String> = minimal().lines().map(str::to_owned).collect();
    let header = lines.iter().position(|l| l == section);
    let start = header.unwrap_or_else(|| {
        lines.push(section.to_owned());
        lines.len() - 1
    });
    let end = (start + 1..lines.len()).find(|&i| lines[i].starts_with('[')).unwrap_or(lines.len());
    let assignment = format!("{key} = {value}");
    let old = (start + 1..end).find(|&i| lines[i].starts_with(&format!("{key} = ")));
    let line = old.unwrap_or(start + 1);
    match old {
        Some(old) => lines[old] = assignment,
        None => lines.insert(line, assignment),
    }
    (lines.join("\n"), line + 1)
}

#[test]
fn each_bad_value_is_named_with_its_line_and_what_is_allowed() {
    #[rustfmt::skip]
    let rows = [
        // section, key, value, the key as named, what the message must say
        ("[mqtt]", "url", r#""http://broker""#, "mqtt.url = \"http://broker\"", "must begin with mqtt://"),
        ("[mqtt]", "url", r#""mqtt://bob:s3cr3t-marker@broker""#, "mqtt.url:", "mqtt.password_file"),
        ("[mqtt]", "url", r#""mqtt://bob:s3cr3t-marker@broker:x""#, "mqtt.url:", "invalid port"),
        ("[mqtt]", "url", r#""mqtt://bob:s3cr3t-marker""#, "mqtt.url:", "invalid port"),
        ("[mqtt]", "url", r#""bob:s3cr3t-marker""#, "mqtt.url:", "must begin with mqtt://"),
        ("[mqtt]", "url", r#""mqtt://bob:s3cr3t-\u006darker\u0040b/""#, "mqtt.url:", "mqtt.username"),
        ("[mqtt]", "url", r#""broker""#, "mqtt.url = \"broker\"", "must be a URL"),
        ("[mqtt]", "url", r#""mqtt://broker?p=s3cr3t-marker""#, "mqtt.url:", "query or fragment"),
        ("[mqtt]", "url", r#""mqtt://broker/x""#, "mqtt.url", "only ws:// and wss://"),
        ("[mqtt]", "url", "7", "mqtt.url = 7", "must be text in quotes, or a list of such"),
        ("[mqtt]", "url", "[]", "mqtt.url", "is required"),
        ("[mqtt]", "url", "[7]", "mqtt.url[0] = 7", "must be text"),
        ("[mqtt]", "url", r#"["mqtt://a", "http://b"]"#, "mqtt.url[1] = \"http://b\"", "must begin with mqtt://"),
        ("[mqtt]", "url", r#"["mqtt://bob:s3cr3t-marker@b"]"#, "mqtt.url[0]:", "mqtt.password_file"),
        ("[mqtt]", "client_id", r#""a/b""#, "mqtt.client_id = \"a/b\"", "1 to 64 printable"),
        ("[mqtt]", "bridge_name", r#""a b""#, "mqtt.bridge_name", "1 to 64 of the characters"),
        ("[mqtt]", "instance", r#""a b""#, "mqtt.instance", "1 to 64 of the characters"),
        ("[mqtt]", "instance", r#""pong""#, "mqtt.instance = \"pong\"", "must not be ping or pong"),
        ("[mqtt]", "base_topic", r#""a/#""#, "mqtt.base_topic", "without + and #"),
        ("[mqtt]", "username", r#""""#, "mqtt.username", "1 to 65535 bytes"),
        ("[mqtt]", "password", r#""s3cr3t-marker""#, "mqtt.password:", "needs mqtt.username"),
        ("[mqtt]", "password", r#"["s3cr3t-marker"]"#, "mqtt.password:", "must be text"),
        ("[mqtt]", "password", r#"{ x = "s3cr3t-marker" }"#, "mqtt.password:", "must be text"),
        ("[mqtt]", "password_file", r#""nowhere""#, "mqtt.password_file = \"nowhere\"", "cannot be read"),
        ("[mqtt]", "ca_file", r#""nowhere.pem""#, "mqtt.ca_file", "cannot be read"),
        ("[mqtt]", "ca_file", r#""Cargo.toml""#, "mqtt.ca_file", "needs mqtts://"),
        ("[mqtt]", "ca_file", r#""Cargo.toml""#, "mqtt.ca_file", "certificates in PEM form"),
        ("[mqtt]", "client_cert_file", r#""c.pem""#, "mqtt.client_cert_file", "needs mqtt.client_key_file"),
        ("[mqtt]", "client_key_file", r#""k.pem""#, "mqtt.client_key_file", "needs mqtt.client_cert_file"),
        ("[mqtt]", "qos", "2", "mqtt.qos = 2", "must be 0 or 1"),
        ("[mqtt]", "qos", "300", "mqtt.qos = 300", "must be a whole number, 0 to 1"),
        ("[mqtt]", "qos", "-1", "mqtt.qos = -1", "must be a whole number, 0 to 1"),
        ("[mqtt]", "qos", r#""1""#, "mqtt.qos", "must be a whole number, 0 to 1"),
        ("[mqtt]", "keep_alive", r#""4s""#, "mqtt.keep_alive = \"4s\"", "must be 5s to 1h"),
        ("[mqtt]", "keep_alive", r#""5500ms""#, "mqtt.keep_alive", "whole seconds"),
        ("[mqtt]", "keep_alive", r#""30 bananas""#, "mqtt.keep_alive = \"30 bananas\"", r#"must be text such as "5s""#),
        ("[mqtt]", "keep_alive", "30", "mqtt.keep_alive = 30", r#"must be text such as "5s""#),
        ("[mqtt]", "refresh_interval", r#""9s""#, "mqtt.refresh_interval", "10s to 7days"),
        ("[mqtt]", "refresh_interval", r#""8d""#, "mqtt.refresh_interval", "10s to 7days"),
        ("[mqtt]", "protocol", r#""4""#, "mqtt.protocol", r#"one of "3.1.1", "5""#),
        ("[mqtt]", "message_expiry", r#""1h""#, "mqtt.message_expiry = \"1h\"", "needs mqtt.protocol = \"5\""),
        ("[mqtt]", "message_expiry", r#""9s""#, "mqtt.message_expiry = \"9s\"", "needs mqtt.protocol = \"5\""),
        ("[mqtt]", "pasword", r#""s3cr3t-marker""#, "mqtt.pasword:", "did you mean \"password\"?"),
        ("[mqtt]", "colour", "1", "mqtt.colour:", "unknown key; allowed: base_topic, bridge_name"),
        ("[graph]", "cloud", r#""china""#, "graph.cloud = \"china\"", "does not offer presence"),
        ("[graph]", "cloud", r#""mars""#, "graph.cloud = \"mars\"", r#"one of "global", "us-gov-l4", "us-gov-l5""#),
        ("[graph]", "tenant_id", r#""contoso""#, "graph.tenant_id", "GUID or one of its domains"),
        ("[graph]", "tenant_id", r#""common""#, "graph.tenant_id", "personal accounts have no presence"),
        ("[graph]", "tenant_id", r#""consumers""#, "graph.tenant_id", "personal accounts have no presence"),
        ("[graph]", "tenant_id", r#""organizations""#, "graph.tenant_id", "needs one tenant"),
        ("[graph]", "client_id", r#""my-app""#, "graph.client_id = \"my-app\"", "a GUID"),
        ("[graph]", "endpoint", r#""me""#, "graph.endpoint", "needs a person who signs in"),
        ("[graph]", "endpoint", r#""beta""#, "graph.endpoint", r#"one of "auto", "me""#),
        ("[graph]", "poll_interval", r#""500ms""#, "graph.poll_interval = \"500ms\"", "must be 1s to 1h"),
        ("[graph]", "poll_interval", r#""2h""#, "graph.poll_interval", "must be 1s to 1h"),
        ("[graph]", "stale_after", r#""9s""#, "graph.stale_after", "must be 10s (twice graph.poll_interval) to 7days"),
        ("[graph]", "stale_after", r#""8d""#, "graph.stale_after", "to 7days"),
        ("[graph]", "on_stale", r#""forget""#, "graph.on_stale", r#"one of "keep", "unknown""#),
        ("[graph]", "debounce", r#""11m""#, "graph.debounce", "must be 0s to 10m"),
        ("[graph]", "request_timeout", r#""3m""#, "graph.request_timeout", "must be 1s to 2m"),
        ("[graph]", "request_budget", "0", "graph.request_budget = 0", "must be 1 to 10000"),
        ("[graph]", "request_budget", "10001", "graph.request_budget", "must be 1 to 10000"),
        ("[graph]", "include_messages", r#""yes""#, "graph.include_messages", "must be true or false"),
        ("[graph]", "graph_url", r#""http://graph.example""#, "graph.graph_url", "loopback"),
        ("[graph]", "graph_url", r#""https://graph.example/v1.0""#, "graph.graph_url", "bare root"),
        ("[graph]", "login_url", r#""https://a:s3cr3t-marker@login.example""#, "graph.login_url:", "bare root"),
        ("[graph]", "ca_file", r#""nowhere.pem""#, "graph.ca_file", "cannot be read"),
        ("[graph.auth]", "method", r#""magic""#, "graph.auth.method = \"magic\"",
            r#"one of "device-code", "browser", "client-secret", "certificate", "workload-identity", "managed-identity""#),
        ("[graph.auth]", "client_secret", r#""""#, "graph.auth.client_secret:", "must not be empty"),
        ("[graph.auth]", "client_secret", "77123", "graph.auth.client_secret:", "must be text"),
        ("[graph.auth]", "client_secret_file", r#""x""#, "graph.auth.client_secret_file", "graph.auth.client_secret is given too"),
        ("[[users]]", "name", r#""a/b""#, "users[0].name = \"a/b\"", "1 to 64 of the characters"),
        ("[[users]]", "name", r#""Bridge""#, "users[0].name", "mqtt.bridge_name"),
        ("[[users]]", "id", r#""alice""#, "users[0].id", "object id"),
        ("[[users]]", "id", r#""me""#, "users[0].id = \"me\"", "write an object id"),
        ("[[users]]", "display_name", r#"" ""#, "users[0].display_name", "1 to 128 characters"),
        ("[[users]]", "display_name", r#""a\u0007""#, "users[0].display_name", "no control characters"),
        ("[[users]]", "discovery", "1", "users[0].discovery", "must be true or false"),
        ("[[users]]", "nmae", "1", "users[0].nmae", "did you mean \"name\"?"),
    ];
    for (section, key, value, named, says) in rows {
        let (text, line) = with(section, key, value);
        let message = message(read(&text));
        let place = format!("presence2mqtt.toml:{line}: {named}");
        let found = message.lines().any(|l| l.starts_with(&place) && l.contains(says));
        assert!(found, "wanted {place:?} … {says:?}, got:\n{message}");
    }
}

#[test]
fn with_mqtt_5_the_length_of_an_expiry_matters() {
    for (expiry, accepted) in
        [("0s", true), ("10s", true), ("7d", true), ("9s", false), ("8d", false), ("10s 1ms", false)]
    {
        let text =
            minimal().replace("[mqtt]", &format!("[mqtt]\nprotocol = \"5\"\nmessage_expiry = \"{expiry}\""));
        match read(&text) {
            Ok(_) => assert!(accepted, "{expiry}"),
            refused => {
                let message = message(refused);
                let says = format!(
                    "presence2mqtt.toml:4: mqtt.message_expiry = \"{expiry}\": must be 0s (never) or whole seconds, 10s to 7days"
                );
                assert!(!accepted && message.contains(&says), "{message}");
            }
        }
    }
}

#[test]
fn what_only_people_who_sign_in_have_a_use_for() {
    for (section, key, value) in
        [("[graph]", "state_dir", r#""s""#), ("[graph.auth]", "announce_sign_in", "true")]
    {
        let (text, line) = with(section, key, value);
        let message = message(read(&text));
        assert!(message.contains(&format!(":{line}: ")), "{message}");
        assert!(message.contains("by which a person signs in"), "{message}");
    }
}

#[test]
fn what_asks_for_nothing_missing_is_accepted() {
    for (section, key, value) in [
        ("[mqtt]", "protocol", r#""3.1.1""#),
        ("[mqtt]", "protocol", r#""5""#),
        ("[mqtt]", "message_expiry", r#""0s""#),
        ("[graph.auth]", "announce_sign_in", "false"),
        ("[home_assistant]", "discovery", "false"),
        ("[[users]]", "discovery", "true"),
        ("[[users]]", "discovery", "false"),
    ] {
        let (text, _) = with(section, key, value);
        assert!(read(&text).is_ok(), "{key} = {value}");
    }
}

#[test]
fn what_must_be_written_is_missed() {
    let nothing = message(read(""));
    for missing in [
        "presence2mqtt.toml: mqtt.url: is required, such as",
        "presence2mqtt.toml: graph.tenant_id: is required",
        "presence2mqtt.toml: graph.client_id: is required",
        "presence2mqtt.toml: graph.state_dir: is required, since neither",
    ] {
        assert!(nothing.lines().any(|l| l.starts_with(missing)), "{missing}:\n{nothing}");
    }
    let empty_section = message(read("\n[mqtt]\nqos = 1"));
    assert!(empty_section.contains("presence2mqtt.toml:2: mqtt.url: is required"), "{empty_section}");

    let without_secret = minimal().replace("client_secret = \"s3cr3t-marker\"", "");
    let without_secret = message(read(&without_secret));
    assert!(without_secret.contains(":7: graph.auth.client_secret_file: is required"), "{without_secret}");

    let nobody = message(read(SECTIONS));
    assert!(nobody.contains("presence2mqtt.toml: users: no people to follow: add [[users]]"), "{nobody}");

    let nameless = message(read(&format!("{SECTIONS}[[users]]")));
    assert!(nameless.contains(":10: users[0].name: is required"), "{nameless}");
    assert!(nameless.contains(":10: users[0].id: is required"), "{nameless}");
}

#[test]
fn what_a_sign_in_method_allows_is_not_what_an_app_is_allowed() {
    let text = minimal()
        .replace("client-secret", "browser")
        .replace("contoso.onmicrosoft.com", "organizations")
        .replace("[graph]", "[graph]\nendpoint = \"me\"");
    let message = message(read(&text));
    assert!(!message.contains("tenant_id"), "{message}");
    let only_me =
        "users[0].id = \"66825e03-7ef5-42da-9069-724602c31f6b\": graph.endpoint = \"me\" reads only";
    assert!(message.contains(&format!("presence2mqtt.toml:14: {only_me}")), "{message}");
}

#[test]
fn two_users_may_not_share_a_name_or_an_id() {
    let twice = format!("{}{}", minimal(), ALICE.replace("alice", "ALICE"));
    let message = message(read(&twice));
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines.len(), 2, "{message}");
    assert!(lines[0].starts_with("presence2mqtt.toml:16: users[1].name = \"ALICE\": must differ"));
    assert!(lines[1].starts_with("presence2mqtt.toml:17: users[1].id = \"66825e03"));
}

#[test]
fn everything_wrong_is_reported_at_once_in_the_order_of_the_file() {
    let text = minimal()
        .replace("mqtt://localhost", "mqtt://")
        .replace("contoso.onmicrosoft.com", "common")
        .replace("\"alice\"", "\"a b\"");
    let message = message(read(&text));
    let lines: Vec<_> = message.lines().map(|l| l.split([' ', ':']).nth(3).unwrap()).collect();
    assert_eq!(lines, ["mqtt.url", "graph.tenant_id", "users[0].name"]);
}

#[test]
fn groups_are_checked_for_type_and_range() {
    let group = "[[groups]]\nid = \"me\"\nname = \"{mail}\"\nrefresh_members = \"1s\"\n[[groups]]";
    let group = message(read(&format!("{}{group}", minimal())));
    for says in [
        "15: groups[0].id = \"me\": must be a GUID",
        "16: groups[0].name = \"{mail}\": must be made of {upn_local}, {id} and {display_name}",
        "17: groups[0].refresh_members = \"1s\": must be 1m to 7days",
        "18: groups[1].id: is required",
    ] {
        assert!(group.contains(says), "{group}");
    }
    let id = "[[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\"\n";
    let twice = message(read(&format!("{}{id}{}", minimal(), id.replace("02bd", "02BD"))));
    assert!(twice.contains("17: groups[1].id") && twice.contains("another group has this id"), "{twice}");
}

#[test]
fn what_is_not_toml_is_named_without_the_line_itself() {
    for (line, text) in [
        (2, "[mqtt]\npassword = s3cr3t-marker"),
        (2, "[mqtt]\npassword = \"s3cr3t-marker"),
        (2, "[mqtt]\npassword \"s3cr3t-marker\""),
        (3, "[mqtt]\npassword = \"s3cr3t-marker\"\npassword = \"s3cr3t-marker\""),
        (2, "[mqtt]\npassword = 's3cr3t-marker' 's3cr3t-marker'"),
        (1, "s3cr3t-marker"),
    ] {
        let message = message(read(text));
        let starts = format!("presence2mqtt.toml:{line}: is not TOML: ");
        assert!(message.starts_with(&starts), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_secret_where_a_section_belongs_is_not_shown() {
    for text in [
        "mqtt = \"s3cr3t-marker\"",
        "users = \"s3cr3t-marker\"",
        "users = [\"s3cr3t-marker\"]",
        "[graph]\nauth = \"s3cr3t-marker\"",
        "[graph.auth]\nclient_secret.x = \"s3cr3t-marker\"",
        "secret = \"s3cr3t-marker\"",
    ] {
        message(read(text));
    }
}
