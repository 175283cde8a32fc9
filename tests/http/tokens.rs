//! Users and groups read from signed tokens (JWT, [RFC
//! 7519](https://www.rfc-editor.org/rfc/rfc7519)).

mod apart;
mod hostile;
pub(super) mod issuer;

use std::{sync::LazyLock, time::Duration};

use actix_throttle::{Identifier, Identity, Jwt, JwtKey, Limit, RateLimiter, Rule, rate_limit};
use actix_web::{HttpRequest, HttpResponse, cookie::Cookie, get, web::ServiceConfig};
use serde_json::json;

use self::issuer::{Issuer, in_seconds};
use harness::http::{
    app::{TestApp, get, get_from},
    live::{Live, status},
};

const SECRET: &str = "a secret of 32 bytes for the test";

static TOKENS: LazyLock<Jwt> = LazyLock::new(|| {
    let jwt = Jwt::builder().key(JwtKey::secret(SECRET));
    jwt.build().expect("a valid key")
});
static BY_TOKEN: LazyLock<Identifier> = LazyLock::new(|| Identifier::jwt(TOKENS.clone()));

fn by_token(request: &HttpRequest) -> Option<Identity> {
    TOKENS.identify(request)
}

#[get("/function")]
#[rate_limit("2/minute", identifier = by_token)]
#[rate_limit("4/minute", identifier = by_token, group = "pro")]
#[rate_limit(unlimited, identifier = by_token, group = "admin")]
async fn by_function() -> &'static str {
    "ok"
}

#[get("/static")]
#[rate_limit("2/minute", identifier = BY_TOKEN)]
#[rate_limit("4/minute", identifier = BY_TOKEN, group = "pro")]
#[rate_limit(unlimited, identifier = BY_TOKEN, group = "admin")]
async fn by_static() -> &'static str {
    "ok"
}

#[get("/limiter")]
#[rate_limit("2/minute")]
#[rate_limit("4/minute", group = "pro")]
#[rate_limit(unlimited, group = "admin")]
async fn by_limiter() -> &'static str {
    "ok"
}

/// Rules without an attribute, with the static identifier.
#[get("/rules")]
async fn by_rules(request: HttpRequest) -> HttpResponse {
    static RULES: LazyLock<[Rule; 3]> = LazyLock::new(|| {
        [
            Rule::new(Limit::per_minute(2)).identifier(&BY_TOKEN),
            Rule::new(Limit::per_minute(4))
                .identifier(&BY_TOKEN)
                .group("pro"),
            Rule::unlimited("admin").identifier(&BY_TOKEN),
        ]
    });
    let limiter: &RateLimiter = request.app_data().expect("a limiter");
    let decision = limiter
        .check_request(&request, &*RULES)
        .await
        .expect("a decision");
    if decision.is_none_or(|decision| decision.is_allowed()) {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::TooManyRequests().finish()
    }
}

const PATHS: [&str; 4] = ["/function", "/static", "/limiter", "/rules"];

fn routes(config: &mut ServiceConfig) {
    config.service((by_function, by_static, by_limiter, by_rules));
}

async fn by_tokens() -> TestApp {
    TestApp::with(|builder| builder.identifier(&BY_TOKEN)).await
}

#[actix_web::test]
async fn users_are_counted_apart_by_the_limits_of_their_groups() {
    let service = by_tokens().await.service(routes).await;
    let issuer = Issuer::secret(SECRET);
    for path in PATHS {
        for (user, group, admitted) in [
            (json!("ann"), json!(null), 2),
            (json!("bob"), json!("pro"), 4),
            (json!(42), json!("pro"), 4),
            (json!("dan"), json!("unheard of"), 2),
            (json!("eve"), json!("admin"), 9),
        ] {
            let token =
                issuer.token(&json!({ "sub": user, "group": group, "exp": in_seconds(600) }));
            let mut allowed = 0;
            for n in 0..9 {
                // The address does not matter.
                let request = get_from(&format!("192.0.2.{n}"), path);
                let request = request.insert_header(("Authorization", format!("Bearer {token}")));
                allowed += usize::from(service.send(request).await.status == 200);
            }
            assert_eq!(allowed, admitted, "{path} {user}");
        }
    }
}

#[actix_web::test]
async fn keys_of_every_kind_sign() {
    for issuer in [
        Issuer::secret(SECRET),
        Issuer::ed25519(),
        Issuer::p256(),
        Issuer::p384(),
    ] {
        let jwt = Jwt::builder()
            .key(issuer.key())
            .build()
            .expect("a valid key");
        let test_app = TestApp::with(|builder| builder.identifier(Identifier::jwt(jwt))).await;
        let service = test_app.service(routes).await;
        let token = issuer.token(&json!({ "sub": "ann", "group": "pro", "exp": in_seconds(600) }));
        let request = get("/limiter").insert_header(("Authorization", format!("Bearer {token}")));
        let answer = service.send(request).await;
        assert_eq!(answer.quota(), Some([4, 3, 60]), "{}", issuer.algorithm());
        let stranger = service.get("/limiter").await;
        assert_eq!(stranger.quota(), Some([2, 1, 60]));
    }
}

#[actix_web::test]
async fn scheme_is_the_same_in_any_case() {
    let service = by_tokens().await.service(routes).await;
    let token = Issuer::secret(SECRET)
        .token(&json!({ "sub": "ann", "group": "pro", "exp": in_seconds(600) }));
    for (scheme, is_read) in [
        ("Bearer ", true),
        ("bearer ", true),
        ("BEARER  ", true),
        ("Bearer", false),
        ("Bearer:", false),
        ("Basic ", false),
        ("JWT ", false),
        ("", false),
    ] {
        let request = get("/limiter").insert_header(("Authorization", format!("{scheme}{token}")));
        let limit = service.send(request).await.number("X-RateLimit-Limit");
        assert_eq!(limit, Some(if is_read { 4 } else { 2 }), "{scheme}");
        service.get("/limiter").await;
    }
}

#[actix_web::test]
async fn token_may_come_in_a_cookie() {
    let jwt = Jwt::builder()
        .key(JwtKey::secret(SECRET))
        .user_claim("user")
        .cookie("token")
        .build()
        .expect("valid settings");
    let test_app = TestApp::with(|builder| builder.identifier(Identifier::jwt(jwt))).await;
    let service = test_app.service(routes).await;
    let token = Issuer::secret(SECRET)
        .token(&json!({ "user": "ann", "group": "pro", "exp": in_seconds(600) }));
    for (request, limit) in [
        (get("/limiter").cookie(Cookie::new("token", &token)), 4),
        (get("/limiter").cookie(Cookie::new("session", &token)), 2),
        (get("/limiter").cookie(Cookie::new("token", "")), 2),
        (
            get("/limiter").insert_header(("Cookie", "token=%ff%00; =;;")),
            2,
        ),
        (
            get("/limiter").insert_header(("Authorization", format!("Bearer {token}"))),
            2,
        ),
    ] {
        let answer = service.send(request).await;
        assert_eq!(answer.number("X-RateLimit-Limit"), Some(limit));
        test_app.after_seconds(60);
    }
}

/// A renewed token belongs to the same user and brings no new quota; an expired one identifies
/// nothing.
#[actix_web::test]
async fn expiry_is_checked_and_renewal_gives_no_quota() {
    let jwt = Jwt::builder()
        .key(JwtKey::secret(SECRET))
        .leeway(Duration::from_secs(30));
    let jwt = jwt.build().expect("valid settings");
    let test_app = TestApp::with(|builder| {
        let unauthorized = |_: &HttpRequest| HttpResponse::Unauthorized().finish();
        builder
            .identifier(Identifier::jwt(jwt))
            .on_unidentified(unauthorized)
    });
    let service = test_app.await.service(routes).await;
    let issuer = Issuer::secret(SECRET);
    for (expires, not_before, status) in [
        (600, 0, 200),
        (900, 0, 200),
        (1200, 0, 429),
        (-10, 0, 429),
        (-60, 0, 401),
        (600, 10, 429),
        (600, 60, 401),
    ] {
        let (exp, nbf) = (in_seconds(expires), in_seconds(not_before));
        let token = issuer.token(&json!({ "sub": "ann", "exp": exp, "nbf": nbf }));
        let request = get("/limiter").insert_header(("Authorization", format!("Bearer {token}")));
        assert_eq!(
            service.send(request).await.status,
            status,
            "{expires} {not_before}"
        );
    }
}

#[actix_web::test]
async fn tokens_are_read_by_a_real_server() {
    let test_app = by_tokens().await;
    let server = Live::start(&test_app.limiter, 2, routes);
    let token = Issuer::secret(SECRET)
        .token(&json!({ "sub": "ann", "group": "pro", "exp": in_seconds(600) }));
    for remaining in (0..4).rev() {
        let mut wire = server.connect().await;
        wire.send(&format!(
            "GET /limiter HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
        ))
        .await;
        let answer = wire.answer().await;
        assert_eq!(status(&answer), 200);
        let expected = format!("x-ratelimit-remaining: {remaining}\r\n");
        assert!(answer.contains(&expected), "{answer}");
    }
    assert_eq!(status(&server.get("/limiter").await), 200);
}
