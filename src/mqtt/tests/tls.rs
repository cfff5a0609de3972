//! MQTT over TLS: whose certificates are believed, and what is said of the others.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::config::Broker;

/// A broker's certificate and who made it.
struct Identity {
    acceptor: TlsAcceptor,
    /// The authority's certificate.
    ca: tempfile::NamedTempFile,
}

/// For `name`, valid from and to these years.
fn identity(name: &str, years: [i32; 2]) -> Identity {
    let mut of_ca = CertificateParams::new([]).unwrap();
    of_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key_of_ca = KeyPair::generate().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), of_ca.self_signed(&key_of_ca).unwrap().pem()).unwrap();
    let issuer = Issuer::new(of_ca, key_of_ca);
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    [params.not_before, params.not_after] = years.map(|year| rcgen::date_time_ymd(year, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Identity { acceptor: TlsAcceptor::from(Arc::new(config)), ca: file }
}

fn encrypted(broker: &Scripted, ca: &Path) -> Address {
    let mut mqtt = mqtt("127.0.0.1:1");
    mqtt.brokers = format!("mqtts://{}", broker.address()).parse::<Broker>().unwrap().into();
    mqtt.ca_file = Some(ca.to_owned());
    Address::of_command(&mqtt, "test")
}

const NOW: [i32; 2] = [2020, 2090];

#[tokio::test]
async fn a_certificate_of_the_own_authority_is_believed() {
    let broker = Scripted::start().await;
    let of_broker = identity("127.0.0.1", NOW);
    for protocol in BOTH {
        let mut session = Session::open(&encrypted(&broker, of_broker.ca.path()), protocol).unwrap();
        let mut seen = VecDeque::new();
        let scripted = async {
            let (stream, _) = within(broker.0.accept()).await.unwrap();
            let mut end = within(of_broker.acceptor.accept(stream)).await.unwrap();
            let mut connect = [0; 1024];
            assert_ne!(within(end.read(&mut connect)).await.unwrap(), 0);
            assert_eq!(connect[0], 0x10, "CONNECT");
            end.write_all(accepted(protocol)).await.unwrap();
            end
        };
        let (event, mut end) = tokio::join!(next(&mut session, &mut seen), scripted);
        assert!(matches!(event, SessionEvent::Connected), "{event:?}");
        session.ask(Request::Publish(message("a", "x".repeat(100_000), Qos::AtMostOnce))).unwrap();
        let mut bytes = vec![0; 100_000];
        let arrives = async { within(end.read_exact(&mut bytes)).await.unwrap() };
        let (event, _) = tokio::join!(next(&mut session, &mut seen), arrives);
        assert!(matches!(event, SessionEvent::Acknowledged { .. }), "{event:?}");
        // Without a word, as brokers do it.
        drop(end);
        assert_eq!(super::end(&mut session).await, LinkFailure::Closed);
    }
}

#[tokio::test]
async fn each_other_certificate_says_what_to_do() {
    let broker = Scripted::start().await;
    let good = identity("127.0.0.1", NOW);
    #[rustfmt::skip]
    let rows = [
        (identity("127.0.0.1", NOW), "not trusted; check mqtt.ca_file", false),
        (identity("broker.example", NOW), "does not name the host in mqtt.url", true),
        (identity("127.0.0.1", [2020, 2021]), "no longer valid; renew it, or set this machine's clock", true),
        (identity("127.0.0.1", [2089, 2090]), "not valid yet; set this machine's clock", true),
    ];
    for (of_broker, says, is_known) in rows {
        let ca = if is_known { of_broker.ca.path() } else { good.ca.path() };
        let mut session = Session::open(&encrypted(&broker, ca), Protocol::V3).unwrap();
        let scripted = async {
            let (stream, _) = within(broker.0.accept()).await.unwrap();
            within(of_broker.acceptor.accept(stream)).await.map(drop)
        };
        let (failure, _refused) = tokio::join!(end(&mut session), scripted);
        assert!(matches!(&failure, LinkFailure::Refused(why) if why.contains(says)), "{failure:?}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let broker = Scripted::start().await;
    let of_broker = identity("127.0.0.1", NOW);
    for (answer, says) in [(&b"\x20\x02\x00\x01"[..], "does not use TLS"), (b"", "does this port speak TLS?")]
    {
        let mut session = Session::open(&encrypted(&broker, of_broker.ca.path()), Protocol::V3).unwrap();
        let scripted = async {
            let mut end = End(within(broker.0.accept()).await.unwrap().0);
            let mut hello = [0; 4096];
            assert_ne!(within(end.0.read(&mut hello)).await.unwrap(), 0);
            end.says(answer).await;
            // Longer than a record's header, which is what is looked at.
            end.says(&[b'x'; 8][..answer.len().min(8)]).await;
        };
        let (failure, ()) = tokio::join!(end(&mut session), scripted);
        assert!(failure.to_string().contains(says), "{failure}");
    }
}
