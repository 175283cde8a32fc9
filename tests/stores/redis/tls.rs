//! Connections to servers over TLS.

use std::{env, fs, path::PathBuf, time::Duration};

use actix_throttle::{
    InitError, Limit, RateLimiter,
    deadpool_redis::{
        self, Manager, Pool,
        redis::{Client, ClientTlsConfig, TlsCertificates},
    },
};

use super::{build, check, until_decided};
use harness::{Server, ServerVersion, TlsServer, http::app::in_own_process_with, stores::block_on};

const LIMIT: Limit = Limit::per_minute(1_000);
const HERE: [&str; 2] = ["127.0.0.1", "localhost"];

/// A pool that trusts this authority and, if there is one, presents the client's certificate and
/// key.
fn pool(url: &str, authority: PathBuf, client: Option<[PathBuf; 2]>) -> Pool {
    let certificates = TlsCertificates {
        root_cert: Some(fs::read(authority).unwrap()),
        client_tls: client.map(|[certificate, key]| ClientTlsConfig {
            client_cert: fs::read(certificate).unwrap(),
            client_key: fs::read(key).unwrap(),
        }),
    };
    let client = Client::build_with_tls(url, certificates).unwrap();
    let manager = Manager::new(client.get_connection_info().clone()).unwrap();
    Pool::builder(manager).build().unwrap()
}

fn build_on(pool: Pool) -> Result<RateLimiter, InitError> {
    let builder = RateLimiter::builder().redis(pool);
    block_on(builder.deadline(Duration::from_secs(5)).build())
}

fn assert_decides(limiter: &RateLimiter) {
    let decided = block_on(until_decided(limiter, &LIMIT, Duration::from_secs(4)));
    assert!(!decided.is_fallback());
}

fn assert_names_tls(outcome: Result<RateLimiter, InitError>) {
    let error = outcome.unwrap_err();
    assert!(error.is_server(), "{error}");
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[test]
fn pool_trusts_its_own_authority_for_any_server_name() {
    let tls = TlsServer::start();
    for url in [tls.url(), tls.url_at("localhost")] {
        assert_decides(&build_on(pool(&url, tls.ca_file(), None)).unwrap());
    }
}

#[test]
fn server_without_valid_certificate_is_an_error() {
    let tls = TlsServer::start();
    assert_names_tls(build_on(pool(&tls.url(), tls.stranger_ca_file(), None)));
    // The platform does not know the authority of the test.
    assert_names_tls(build(tls.url()));
    let elsewhere = TlsServer::start_as(&["elsewhere.test"]);
    assert_names_tls(build_on(pool(&elsewhere.url(), elsewhere.ca_file(), None)));
}

#[test]
fn a_server_that_asks_for_certificates_gets_the_clients() {
    let tls = TlsServer::start_for_certified();
    let own = [tls.client_cert_file(), tls.client_key_file()];
    assert_decides(&build_on(pool(&tls.url(), tls.ca_file(), Some(own))).unwrap());
    let strangers = [tls.stranger_cert_file(), tls.stranger_key_file()];
    for client in [None, Some(strangers)] {
        assert_names_tls(build_on(pool(&tls.url(), tls.ca_file(), client)));
    }
}

/// A plain port for a TLS URL is found by a probe of the address. Some servers take the start of
/// TLS for a command without an end and others hang up, as a slow or stopping server might.
#[test]
fn plain_port_for_a_tls_url_is_an_error_that_says_so() {
    for version in ServerVersion::ALL {
        for arguments in [&[][..], &["--requirepass", "secret"]] {
            let server = Server::start_with(version, arguments);
            let url = server.url().replacen("redis:", "rediss:", 1);
            let error = build(url).unwrap_err();
            let text = error.to_string();
            assert!(error.is_server(), "{text}");
            let address = format!("rediss://127.0.0.1:{} speaks no TLS", server.port());
            assert!(
                text.contains(&address) && text.contains("redis://,"),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
    }
}

#[test]
fn tls_port_for_a_plain_url_is_an_error_that_says_so() {
    for tls in [TlsServer::start(), TlsServer::start_for_certified()] {
        let url = format!("redis://:secret@127.0.0.1:{}", tls.port());
        let error = build(url).unwrap_err();
        let text = error.to_string();
        assert!(error.is_server(), "{text}");
        let address = format!("redis://127.0.0.1:{} speaks TLS", tls.port());
        assert!(
            text.contains(&address) && text.contains("write rediss://"),
            "{text}"
        );
    }
}

#[test]
fn cryptography_is_installed_for_tls_urls_alone() {
    if in_own_process_with(
        "redis::tls::cryptography_is_installed_for_tls_urls_alone",
        &[],
    )
    .is_some()
    {
        return;
    }
    let installed = || rustls::crypto::CryptoProvider::get_default().is_some();
    let server = Server::start(ServerVersion::Redis7);
    assert_decides(&build(server.url()).unwrap());
    let plain = deadpool_redis::Config::from_url(server.url())
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap();
    assert_decides(&build_on(plain).unwrap());
    assert!(!installed());
    // The provider is installed whether or not the server can be reached.
    assert!(build("rediss://127.0.0.1:1").is_ok());
    assert!(installed());
}

#[test]
fn passwords_and_users_are_checked_over_tls_too() {
    let mut tls = TlsServer::start_with(
        &HERE,
        &["--tls-auth-clients", "no", "--requirepass", "secret"],
    );
    let rule = ["on", ">pw", "~throttle:*", "+@all"];
    let user = [&["ACL", "SETUSER", "ann"], &rule[..]].concat();
    let _: String = tls.server().cli(&user);
    let url = |user: &str| format!("rediss://{user}127.0.0.1:{}", tls.port());
    for user in [":secret@", "default:secret@", "ann:pw@"] {
        assert_decides(&build_on(pool(&url(user), tls.ca_file(), None)).unwrap());
    }
    for user in ["", ":wrong@", "ann:wrong@", "bob:pw@"] {
        let error = build_on(pool(&url(user), tls.ca_file(), None)).unwrap_err();
        assert!(error.is_credentials(), "{user}: {error}");
    }
}

#[test]
fn a_lost_server_is_found_again() {
    let mut tls = TlsServer::start();
    let pool = pool(&tls.url(), tls.ca_file(), None);
    block_on(async {
        let builder = RateLimiter::builder()
            .redis(pool)
            .deadline(Duration::from_secs(5))
            // A cached denial from before the loss says nothing about the time after it.
            .denial_cache(Duration::ZERO)
            .failure_mode(actix_throttle::FailureMode::Closed)
            .failure_threshold(u32::MAX);
        let limiter = builder.build().await.unwrap();
        assert!(check(&limiter, &Limit::per_minute(1)).await.is_allowed());
        assert!(!check(&limiter, &Limit::per_minute(1)).await.is_allowed());
        tls.server().kill();
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        tls.server().restart();
        // The restarted server has lost its data.
        let limit = Limit::per_minute(1);
        let back = until_decided(&limiter, &limit, Duration::from_secs(4)).await;
        assert!(back.is_allowed());
        assert!(!check(&limiter, &limit).await.is_allowed());
    });
}

/// `SSL_CERT_FILE` applies to a whole process, so each of its values has a process of its own.
#[test]
fn the_authority_that_the_environment_names_is_trusted() {
    const URL: &str = "THROTTLE_TEST_TLS_URL";
    let this = "redis::tls::the_authority_that_the_environment_names_is_trusted";
    if let Ok(url) = env::var(URL) {
        if url.starts_with("no ") {
            return assert_names_tls(build(url.trim_start_matches("no ")));
        }
        return assert_decides(&build(url).unwrap());
    }
    let tls = TlsServer::start();
    let [own, stranger] = [tls.ca_file(), tls.stranger_ca_file()];
    let valkeys = tls.url().replacen("rediss:", "valkeys:", 1);
    for (authority, url) in [
        (own.clone(), tls.url()),
        (own, valkeys),
        (stranger, format!("no {}", tls.url())),
        ("/no/such/file".into(), format!("no {}", tls.url())),
    ] {
        let authority = authority.to_string_lossy();
        let variables = [("SSL_CERT_FILE", &*authority), (URL, &url)];
        in_own_process_with(this, &variables);
    }
}
