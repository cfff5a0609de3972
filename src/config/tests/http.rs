//! `[http]`.

use super::{message, minimal, read, read_with};
use crate::config::parse;

fn with(keys: &str) -> String {
    format!("{}\n[http]\n{keys}", minimal())
}

#[test]
fn a_loopback_address_needs_no_password() {
    for listen in ["127.0.0.1:9642", "127.1.2.3:0", "[::1]:9642"] {
        let http = read(&with(&format!("listen = \"{listen}\""))).unwrap().http.unwrap();
        assert_eq!((http.listen.to_string().as_str(), http.password, http.any_host), (listen, None, false));
    }
    assert_eq!(read(&with("")).unwrap().http, None);
    for (keys, read_only) in [("", false), ("read_only = true", true)] {
        let http = read(&with(&format!("listen = \"127.0.0.1:1\"\n{keys}"))).unwrap().http.unwrap();
        assert_eq!(http.read_only, read_only);
    }
    let variables =
        [("PRESENCE2MQTT__HTTP__LISTEN", "127.0.0.1:1"), ("PRESENCE2MQTT__HTTP__ANY_HOST", "true")];
    assert!(read_with(&minimal(), &variables).unwrap().http.unwrap().any_host);
}

#[test]
fn any_other_address_needs_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page-password"), "s3cr3t-marker\n").unwrap();
    let origin = folder.path().join("presence2mqtt.toml");
    for listen in ["0.0.0.0:9642", "[::]:9642", "192.0.2.1:9642", "[2001:db8::1]:80"] {
        let says = message(read(&with(&format!("listen = \"{listen}\""))));
        let wanted = format!("http.listen = \"{listen}\": is reachable from other machines");
        assert!(says.contains(&wanted) && says.contains("http.password_file is required"), "{says}");
        let keys = with(&format!("listen = \"{listen}\"\npassword_file = \"page-password\""));
        let config = parse(&keys, &origin, &Default::default()).unwrap();
        assert!(!format!("{config:?}").contains("s3cr3t-marker"));
        assert!(config.http.unwrap().password.is_some());
    }
}

#[test]
fn what_cannot_be_listened_on_is_refused() {
    for listen in ["localhost:9642", "127.0.0.1", "9642", ":9642", ""] {
        let says = message(read(&with(&format!("listen = \"{listen}\""))));
        assert!(says.contains("must be an address and port, such as 127.0.0.1:9642"), "{listen}: {says}");
    }
    let says = message(read(&with("listen = \"127.0.0.1:1\"\npassword_file = \"nowhere/password\"")));
    assert!(says.contains("http.password_file"), "{says}");
}
