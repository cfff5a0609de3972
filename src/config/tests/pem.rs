//! Keys and certificates made for tests, in PEM form.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{self, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, date};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};

/// A certificate and its key.
pub(crate) type Pair = (String, String);

static KEYS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        let key = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        der.as_ref().to_vec()
    })
});

/// From 2020-01-01 to 2099-12-13.
pub(crate) fn rsa() -> Pair {
    rsa_between(date(2020, 1, 1), date(2099, 12, 13))
}

/// With the same key, from the beginning of the one day to the beginning of the other.
pub(crate) fn rsa_between(begins: Date, ends: Date) -> Pair {
    let key = of_der("PRIVATE KEY", &KEYS[0]);
    (certificate(&KeyPair::from_pem(&key).unwrap(), begins, ends), key)
}

/// With another key.
pub(crate) fn rsa_of_another() -> Pair {
    let key = of_der("PRIVATE KEY", &KEYS[1]);
    (certificate(&KeyPair::from_pem(&key).unwrap(), date(2020, 1, 1), date(2099, 12, 13)), key)
}

/// The key of [`rsa`] as PKCS #1, which PKCS #8 only wraps.
pub(crate) fn rsa_key_as_pkcs1() -> String {
    of_der("RSA PRIVATE KEY", &KEYS[0][26..])
}

/// With a key that is not RSA.
pub(crate) fn ec() -> Pair {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    (certificate(&key, date(2020, 1, 1), date(2099, 12, 13)), key.serialize_pem())
}

fn certificate(key: &KeyPair, begins: Date, ends: Date) -> String {
    let midnight = |day: Date| date_time_ymd(day.year().into(), day.month() as u8, day.day() as u8);
    let mut params = CertificateParams::new(["presence2mqtt".to_owned()]).unwrap();
    params.not_before = midnight(begins);
    params.not_after = midnight(ends);
    params.self_signed(key).unwrap().pem()
}

fn of_der(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
