//! TLS: authorities, and certificates of clients.

use harness::TlsServer;

use crate::{command, redis};

fn path(file: &std::path::Path) -> &str {
    file.to_str().unwrap()
}

#[test]
fn certificate_of_the_server_is_checked() {
    let server = TlsServer::start();
    let (ca, stranger) = (server.ca_file(), server.stranger_ca_file());
    let url = server.url();
    redis(&url, &["--ca", path(&ca), "list"]).status(0);
    let said = redis(&url, &["--ca", path(&stranger), "list"]).status(2);
    assert!(said.err.contains("certificate"), "{said:?}");
    redis(&url, &["list"]).status(2);
    let said = command(&["redis", "--url", &url, "list"])
        .env("SSL_CERT_FILE", &ca)
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    let elsewhere = TlsServer::start_as(&["redis.example"]);
    let ca = elsewhere.ca_file();
    redis(&elsewhere.url(), &["--ca", path(&ca), "list"]).status(2);
}

#[test]
fn certificate_of_the_client_is_shown() {
    let server = TlsServer::start_for_certified();
    let (ca, url) = (server.ca_file(), server.url());
    let (cert, key) = (server.client_cert_file(), server.client_key_file());
    let with = |more: &[&str]| redis(&url, &[&["--ca", path(&ca)], more, &["list"]].concat());
    with(&["--cert", path(&cert), "--key", path(&key)]).status(0);
    with(&[]).status(2);
    let said = with(&["--cert", path(&cert)]).status(2);
    assert!(said.err.contains("--key"), "{said:?}");
    let said = with(&["--cert", "/no/such/file", "--key", path(&key)]).status(2);
    assert!(said.err.contains("/no/such/file"), "{said:?}");
}
