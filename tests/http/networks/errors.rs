//! Errors of networks that are none, and of a header name that is none.

use actix_throttle::{InitError, Paths, RateLimiter};

fn rejected<T>(result: Result<T, InitError>) -> String {
    let error = result.err().expect("an error");
    assert!(error.is_settings(), "{error}");
    error.to_string()
}

#[test]
fn invalid_networks_are_an_error_that_says_what_to_write() {
    let unreadable = "`office` is no network or address; write `10.0.0.0/8` or `192.0.2.1`";
    let builder = RateLimiter::builder;
    assert_eq!(rejected(builder().allow(["office"])), unreadable);
    assert_eq!(
        rejected(builder().deny(["10.0.0.0/8", "office"])),
        unreadable
    );
    assert_eq!(rejected(Paths::all().networks(["office"])), unreadable);
    let or_unix = ", or `unix` for proxies that connect over a Unix socket";
    let message = rejected(builder().trusted_proxies(["office"]));
    assert_eq!(message, format!("{unreadable}{or_unix}"));
    let both = builder().allow(["10.0.0.0/8"]).expect("valid");
    let equal = "`10.0.0.0/8` is in `allow` and in `deny`: remove it from one of them";
    assert_eq!(rejected(both.deny(["10.1.2.3/8"])), equal);
    let none: [&str; 0] = [];
    let empty = "`networks` is empty, so no client is in it: write one, such as `10.0.0.0/8`, or \
                 leave `networks` out";
    assert_eq!(rejected(Paths::all().networks(none)), empty);
    assert!(
        builder()
            .allow(none)
            .and_then(|builder| builder.deny(none))
            .is_ok()
    );
    assert!(rejected(builder().allow(["unix"])).starts_with("`unix` is no network"));
}

#[actix_web::test]
async fn header_name_that_is_none_is_an_error_of_build() {
    let builder = RateLimiter::builder()
        .memory()
        .client_ip_header("CF Connecting IP");
    let message = rejected(builder.build().await);
    assert_eq!(message, "`CF Connecting IP` is no name of an HTTP header");
}
