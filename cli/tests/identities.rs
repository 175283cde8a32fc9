//! The ways to write an identity.

use actix_throttle::{Identity, Limit};
use harness::{Server, ServerVersion, stores::block_on};
use serde_json::json;

use crate::{patient, redis};

#[test]
fn each_source_is_found_by_what_an_operator_writes() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let url = server.url();
        for plain in [false, true] {
            let builder = patient().redis_url(&url).plain_keys(plain);
            let limiter = builder.build().await.unwrap();
            for (identity, written) in [
                (Identity::new("42"), "42"),
                (Identity::new("42"), "user=42"),
                (Identity::new("user:42"), "user:42"),
                (Identity::new("a b}:{c"), "user=a b}:{c"),
                (Identity::global(), "global"),
                (Identity::ip("192.0.2.1".parse().unwrap()), "192.0.2.1"),
                (
                    Identity::ip("2001:db8::7".parse().unwrap()),
                    "ip=2001:db8::8",
                ),
                (Identity::header("X-Api-Key", "k/1"), "header.X-Api-Key=k/1"),
                (Identity::cookie("sid", "a b"), "cookie.sid=a b"),
                (Identity::query("key", "x"), "query.key=x"),
                (Identity::path("id", "42"), "path.id=42"),
                (Identity::session("42"), "session.user=42"),
                (Identity::token("42"), "jwt.sub=42"),
                (Identity::new("42").context("room"), "user=42;room"),
            ] {
                let limit = Limit::per_hour(1).zone("z");
                assert!(limiter.check(&limit, &identity).await.unwrap().is_allowed());
                let said = redis(&url, &["show", written, "--json"]).status(0);
                assert_eq!(said.entries()[0]["used"], json!(1), "{written}");
                // An identity can be written as it is shown.
                let shown = said.entries()[0]["identity"].as_str().unwrap().to_owned();
                redis(&url, &["block", &shown, "--for", "1h"]).status(0);
                redis(&url, &["reset", written, "--yes"]).status(0);
                assert!(limiter.check(&limit, &identity).await.unwrap().is_allowed());
                redis(&url, &["reset", &shown, "--yes"]).status(0);
                let keys: Vec<String> = server.cli(&["KEYS", "*{*"]);
                assert!(keys.is_empty(), "{written}: {keys:?}");
            }
        }
    });
}

#[test]
fn prefix_of_another_service_is_left_alone() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let url = server.url();
        let limit = Limit::per_hour(1).zone("z");
        for prefix in ["shop", "shop:eu", "s*"] {
            let builder = patient().redis_url(&url).prefix(prefix);
            let limiter = builder.build().await.unwrap();
            assert!(limiter.check(&limit, "ann").await.unwrap().is_allowed());
        }
        for prefix in ["shop", "shop:eu", "s*"] {
            let entries = redis(&url, &["list", "--prefix", prefix, "--json"]).entries();
            assert_eq!(entries.len(), 1, "{prefix}: {entries:?}");
        }
        redis(&url, &["--prefix", "shop", "reset", "ann", "--yes"]).status(0);
        let mut keys: Vec<String> = server.cli(&["KEYS", "*{*"]);
        keys.sort();
        assert_eq!(keys.len(), 2, "{keys:?}");
        assert!(keys[0].starts_with("s*:") && keys[1].starts_with("shop:eu:"));
        redis(&url, &["show", "ann"]).status(1);
    });
}
