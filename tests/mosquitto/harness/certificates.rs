//! An authority of the test's own, with a certificate for the broker and one for the bridge.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::write_secret;

pub(crate) struct Certificates {
    home: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, pem: String| std::fs::write(home.path().join(name), pem).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut authority = named("authority", &[]);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        write("ca.pem", authority.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(authority, key);
        for (name, addresses) in [("broker", &["127.0.0.1", "localhost"][..]), ("bridge", &[])] {
            let key = KeyPair::generate().unwrap();
            write(&format!("{name}.pem"), named(name, addresses).signed_by(&key, &issuer).unwrap().pem());
            write_secret(&home.path().join(format!("{name}.key")), &key.serialize_pem());
        }
        Self { home }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The same for a configuration.
    pub(crate) fn written(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The options of a listener that shows the broker's certificate.
    pub(crate) fn listener(&self) -> String {
        let [ca, certificate, key] = ["ca.pem", "broker.pem", "broker.key"].map(|name| self.written(name));
        format!("allow_anonymous true\ncafile {ca}\ncertfile {certificate}\nkeyfile {key}")
    }
}

fn named(name: &str, addresses: &[&str]) -> CertificateParams {
    let addresses: Vec<String> = addresses.iter().map(|&address| address.to_owned()).collect();
    let mut parameters = CertificateParams::new(addresses).unwrap();
    // ejabberd cannot count as far as the end that rcgen would choose.
    parameters.not_after = rcgen::date_time_ymd(2049, 12, 31);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}
