//! Hostile tokens: none causes a 500, and none identifies a user.

use actix_throttle::{Jwt, JwtKey, RateLimiter};
use actix_web::{HttpResponse, http::header::HeaderValue};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use super::{super::hostile::Hostile, *};
use harness::http::live::status;

fn valid() -> Value {
    json!({ "sub": "42", "group": "admin", "exp": in_seconds(600) })
}

/// Hostile tokens, each with a description.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let issuer = Issuer::secret(SECRET);
    let claims = issuer::encoded(valid().to_string());
    let none = |alg: &str| {
        let header = issuer::encoded(json!({ "alg": alg }).to_string());
        format!("{header}.{claims}.")
    };
    let with = |name: &str, value: Value| {
        let mut claims = valid();
        claims[name] = value;
        issuer.token(&claims)
    };
    let without = |name: &str| {
        let mut claims = valid();
        claims.as_object_mut().expect("an object").remove(name);
        issuer.token(&claims)
    };
    let good = issuer.token(&valid());
    let texts = [
        ("no algorithm", none("none")),
        ("no algorithm, in other letters", none("nOnE")),
        (
            "no algorithm, and a signature",
            format!("{}{}", none("none"), &good[good.len() - 43..]),
        ),
        ("no signature", none("HS256")),
        (
            "another secret",
            Issuer::secret("another secret").token(&valid()),
        ),
        ("another kind of key", Issuer::ed25519().token(&valid())),
        (
            "another algorithm",
            issuer.token_under(&json!({ "alg": "HS512" }), &valid()),
        ),
        ("another key's id is no key of ours", {
            let header = json!({ "alg": "HS256", "kid": "../../dev/null" });
            Issuer::secret("").token_under(&header, &valid())
        }),
        ("a key of its own", {
            let own = Issuer::secret("its own");
            let jwk = json!({ "kty": "oct", "k": issuer::encoded("its own") });
            own.token_under(&json!({ "alg": "HS256", "jwk": jwk }), &valid())
        }),
        ("expired", with("exp", json!(in_seconds(-61)))),
        ("never expires", without("exp")),
        ("expires some day", with("exp", json!("tomorrow"))),
        ("not valid yet", with("nbf", json!(in_seconds(90)))),
        ("valid from some day", with("nbf", json!("yesterday"))),
        ("of no user", without("sub")),
        ("of an empty user", with("sub", json!(""))),
        ("of a list", with("sub", json!(["42"]))),
        ("of an object", with("sub", json!({ "id": 42 }))),
        ("of a fraction", with("sub", json!(4.2))),
        ("of a truth", with("sub", json!(true))),
        ("of groups", with("group", json!(["admin"]))),
        ("for somebody else", with("aud", json!("somebody else"))),
        ("demands an extension", {
            issuer.token_under(&json!({ "alg": "HS256", "crit": ["exp"] }), &valid())
        }),
        ("huge", with("padding", json!("x".repeat(100_000)))),
        ("huge and of nothing", "A".repeat(100_000)),
        ("dots", ".".repeat(10_000)),
        ("cut", good[..good.len() - 1].to_owned()),
        ("longer", format!("{good}A")),
        ("two", format!("{good} {good}")),
        ("two in a list", format!("{good},{good}")),
        ("one part", "a".to_owned()),
        ("nothing", String::new()),
    ];
    let bytes = [
        ("no text", b"\xff\xfe\x80".to_vec()),
        ("no text in three parts", b"\xff.\xfe.\x80".to_vec()),
        ("no text at its end", [good.as_bytes(), b"\xff"].concat()),
    ];
    let texts = texts
        .into_iter()
        .map(|(what, text)| (what, text.into_bytes()));
    texts.chain(bytes).collect()
}

fn bearing(token: &[u8]) -> HeaderValue {
    let value = [b"Bearer ", token].concat();
    HeaderValue::from_bytes(&value).expect("a header's value")
}

#[actix_web::test]
async fn hostile_tokens_count_as_the_client() {
    for (what, token) in hostile() {
        let service = by_tokens().await.service(routes).await;
        for path in ["/function", "/limiter"] {
            for remaining in [Some(1), Some(0)] {
                let request = get(path).insert_header(("Authorization", bearing(&token)));
                let answer = service.send(request).await;
                assert_eq!(
                    (answer.status, answer.remaining()),
                    (200, remaining),
                    "{what} {path}"
                );
            }
            // It shares the counter of the client's requests without a token, and no other.
            assert_eq!(service.get(path).await.status, 429, "{what}");
            let other = service.send(get_from("192.0.2.2", path)).await;
            assert_eq!(other.status, 200, "{what}");
        }
    }
}

#[actix_web::test]
async fn hostile_tokens_are_answered_as_unidentified() {
    let test_app = TestApp::with(|builder| {
        let builder = builder.identifier(&BY_TOKEN);
        builder.on_unidentified(|_| HttpResponse::Unauthorized().finish())
    })
    .await;
    let service = test_app.service(routes).await;
    for (what, token) in hostile() {
        let request = get("/limiter").insert_header(("Authorization", bearing(&token)));
        assert_eq!(service.send(request).await.status, 401, "{what}");
    }
}

#[actix_web::test]
async fn hostile_tokens_in_a_cookie_are_unidentified() {
    let jwt = Jwt::builder()
        .key(JwtKey::secret(SECRET))
        .cookie("token")
        .build();
    let identifier = Identifier::jwt(jwt.expect("valid settings"));
    let test_app = TestApp::with(|builder| {
        let builder = builder.identifier(&identifier);
        builder.on_unidentified(|_| HttpResponse::Unauthorized().finish())
    })
    .await;
    let service = test_app.service(routes).await;
    for (what, token) in hostile() {
        let cookie = [b"token=", token.as_slice()].concat();
        let value = HeaderValue::from_bytes(&cookie).expect("a header's value");
        let answer = service
            .send(get("/limiter").insert_header(("Cookie", value)))
            .await;
        // In a cookie, the value may end before the rest of the list, and the first token is valid.
        let expected = if what == "two in a list" {
            [200, 401]
        } else {
            [401; 2]
        };
        assert!(
            expected.contains(&answer.status),
            "{what} {}",
            answer.status
        );
    }
}

/// Two `Authorization` headers are ambiguous, as a proxy may have read the other one. Neither
/// identifies the user.
#[actix_web::test]
async fn two_tokens_are_none() {
    let service = by_tokens().await.service(routes).await;
    let bearer = |user: &str| {
        let claims = json!({ "sub": user, "group": "pro", "exp": in_seconds(600) });
        (
            "Authorization",
            format!("Bearer {}", Issuer::secret(SECRET).token(&claims)),
        )
    };
    let request = get("/limiter")
        .append_header(bearer("ann"))
        .append_header(bearer("bob"));
    assert_eq!(service.send(request).await.quota(), Some([2, 1, 60]));
}

/// The bytes of a header value, from random ones to almost a token.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let opaque =
        any::<u8>().prop_filter("allowed in a header", |byte| *byte >= b' ' && *byte != 0x7f);
    let base64 = vec(any::<u8>(), 0..80).prop_map(|bytes| issuer::encoded(bytes).into_bytes());
    let json = prop_oneof![
        Just(json!({ "alg": "HS256" })),
        Just(json!({ "alg": "none" })),
        Just(json!({ "alg": "RS256", "kid": "\u{0}" })),
        Just(json!({ "sub": "42", "exp": u64::MAX })),
        any::<f64>().prop_map(|exp| json!({ "sub": exp, "exp": exp })),
        any::<String>().prop_map(|text| json!({ "alg": text, "sub": text })),
    ];
    let json = json.prop_map(|json| issuer::encoded(json.to_string()).into_bytes());
    let part = prop_oneof![vec(opaque, 0..60), base64, json];
    let scheme = prop_oneof![Just("Bearer "), Just("bearer  "), Just("Bearer"), Just("")];
    (scheme, vec(part, 0..5)).prop_map(|(scheme, parts)| {
        let token = parts.join(&b'.');
        [scheme.as_bytes(), &token].concat()
    })
}

#[actix_web::test]
async fn random_bytes_are_unidentified_and_no_500() {
    let test_app = TestApp::with(|builder| {
        let builder = builder.identifier(&BY_TOKEN);
        builder.on_unidentified(|_| HttpResponse::Unauthorized().finish())
    })
    .await;
    let service = test_app.service(routes).await;
    let mut runner = TestRunner::deterministic();
    let mut hostile = Hostile::new(5);
    for _ in 0..5_000 {
        let likely = values().new_tree(&mut runner).expect("a value").current();
        for value in [likely, hostile.value()] {
            let header = HeaderValue::from_bytes(&value).expect("a header's value");
            for name in ["Authorization", "Cookie"] {
                let request = get("/limiter").insert_header((name, header.clone()));
                let answer = service.send(request).await;
                assert_eq!(answer.status, 401, "{name}: {value:?}");
            }
        }
    }
}

/// A real HTTP server decides which header values it accepts. Each accepted one gets a response.
#[actix_web::test]
async fn a_real_server_stands_hostile_tokens() {
    let limiter: RateLimiter = by_tokens().await.limiter;
    let server = Live::start(&limiter, 1, routes);
    let mut values: Vec<_> = hostile().into_iter().map(|(_, token)| token).collect();
    let mut random = Hostile::new(6);
    values.extend((0..50).map(|_| random.value()));
    for value in values {
        let mut wire = server.connect().await;
        let head = b"GET /limiter HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ";
        wire.send([head, value.as_slice(), b"\r\n\r\n"].concat())
            .await;
        let status = status(&wire.answer().await);
        assert!([200, 429, 400, 431].contains(&status), "{status} {value:?}");
    }
    assert_eq!(status(&server.get("/limiter").await), 429);
}
