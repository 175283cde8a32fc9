//! Tests of the TLS server and its certificates.

use std::{path::PathBuf, time::Duration};

use harness::{Server, ServerVersion, TlsServer, eventually};

const SOON: Duration = Duration::from_secs(10);

/// A replica that connects over TLS. No other client in this crate speaks TLS.
fn follower(tls: &TlsServer, ca: PathBuf, cert: PathBuf, key: PathBuf) -> Server {
    let files = [ca, cert, key].map(|path| path.to_string_lossy().into_owned());
    let follow = format!("127.0.0.1 {}", tls.port());
    let options = [
        ("--tls-replication", "yes"),
        ("--tls-ca-cert-file", files[0].as_str()),
        ("--tls-cert-file", &files[1]),
        ("--tls-key-file", &files[2]),
        ("--replicaof", &follow),
    ];
    let arguments: Vec<_> = options
        .iter()
        .flat_map(|(name, value)| [*name, *value])
        .collect();
    Server::start_with(ServerVersion::Redis7, &arguments)
}

fn linked(server: &Server) -> bool {
    server.info("master_link_status").as_deref() == Some("up")
}

/// Asserts that the replica never connects. Either side may reject the certificate of the other.
fn assert_never_linked(server: &Server) {
    let log = || server.log_text();
    eventually("a refusal in the log", SOON, || {
        log().contains("verify failed") || log().contains("alert unknown ca")
    });
    assert!(!linked(server));
}

#[test]
fn tls_server_is_verified_by_its_authority() {
    let mut tls = TlsServer::start_for_certified();
    assert_eq!(tls.url(), format!("rediss://127.0.0.1:{}", tls.port()));
    assert!(tls.url_at("localhost").starts_with("rediss://localhost:"));
    assert_eq!(tls.server().cli::<String>(&["PING"]), "PONG");

    let (cert, key) = (tls.client_cert_file(), tls.client_key_file());
    let replica = follower(&tls, tls.ca_file(), cert.clone(), key.clone());
    eventually("the link to be up", SOON, || linked(&replica));
    assert_never_linked(&follower(&tls, tls.stranger_ca_file(), cert, key));
}

#[test]
fn client_without_certificate_is_rejected_if_asked() {
    let stranger = |tls: &TlsServer| {
        let (cert, key) = (tls.stranger_cert_file(), tls.stranger_key_file());
        follower(tls, tls.ca_file(), cert, key)
    };
    for tls in [TlsServer::start(), TlsServer::start_as(&["elsewhere.test"])] {
        // A replica does not check the names in a certificate.
        let replica = stranger(&tls);
        eventually("the link to be up", SOON, || linked(&replica));
    }
    assert_never_linked(&stranger(&TlsServer::start_for_certified()));
}
