//! Settings of the header of the client's address that make no sense.

use actix_throttle::{Config, ForwardingHeader, RateLimiter, config::Format};

use harness::http::app::in_own_process;

const NO_ADDRESS: &str = "`client_ip_header` names a header that holds one address and nothing \
                          else, which `Forwarded` never does: leave it out, and `Forwarded` is read";

#[actix_web::test]
async fn forwarded_is_no_header_of_one_address() {
    for name in ["Forwarded", "forwarded"] {
        let builder = RateLimiter::builder().memory().client_ip_header(name);
        let error = builder.build().await.expect_err(name);
        assert!(error.is_settings());
        assert!(error.to_string().ends_with(NO_ADDRESS), "{error}");
        let text = format!("rules = []\nclient_ip_header = '{name}'");
        let error = Config::parse(&text, Format::Toml).expect_err(name);
        let expected = format!(":2:20: {NO_ADDRESS}");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
}

#[actix_web::test]
async fn forwarding_header_beside_it_is_refused() {
    let header = ForwardingHeader::XForwardedFor;
    let builder = RateLimiter::builder()
        .memory()
        .client_ip_header("X-Real-IP");
    let error = builder.forwarding_header(header).build().await;
    let error = error
        .expect_err("one is read in place of the other")
        .to_string();
    let expected = "`client_ip_header` is read in place of the forwarding headers, of which \
                    `forwarding_header` chooses one: leave one of the two out";
    assert!(error.ends_with(expected), "{error}");
}

/// A header that is never believed does no harm: the clients are counted by the proxy's address. It
/// is a warning at the start, and after each reload that leads to it.
#[actix_web::test]
async fn reload_without_trusted_proxies_is_a_warning() {
    let this = "client_header::reload_without_trusted_proxies_is_a_warning";
    if let Some(log) = in_own_process(this) {
        let warns = |line: &&str| line.contains("believed from trusted proxies alone");
        assert_eq!(log.lines().filter(warns).count(), 1, "{log}");
        return;
    }
    env_logger::init();
    let text = |proxies: &str| {
        format!("rules = []\nclient_ip_header = 'X-Real-IP'\ntrusted_proxies = [{proxies}]")
    };
    let config = Config::parse(&text("'10.0.0.0/8'"), Format::Toml).expect("a right file");
    let build = || RateLimiter::builder().memory().config(&config).build();
    let limiter = build().await.expect("valid");
    config.replace(&text("'unix'")).expect("a right file");
    config.replace(&text("")).expect("a right file");
    drop(limiter);
    // Nothing uses the configuration any more.
    config.replace(&text("'10.0.0.0/8'")).expect("a right file");
    config.replace(&text("")).expect("a right file");
}
