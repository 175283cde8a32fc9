//! Identities that the application constructs equal those that identifiers find.

use std::time::Duration;

use actix_throttle::{Identity, Jwt, JwtKey, Limit, RateLimiter, actix_session, rate_limit};
use actix_web::{App, cookie::Key, get, http::header, web::ServiceConfig};
use serde_json::json;

use super::tokens::issuer::{Issuer, in_seconds};
use harness::http::app::{TestApp, TestService, get as from_client};

const ONE: Limit = Limit::per_minute(1);

#[get("/header")]
#[rate_limit("1/minute", zone = "header", identifier = header("X-Api-Key"))]
async fn by_header() -> &'static str {
    "ok"
}

#[get("/cookie")]
#[rate_limit("1/minute", zone = "cookie", identifier = cookie("sid"))]
async fn by_cookie() -> &'static str {
    "ok"
}

#[get("/path/{id}")]
#[rate_limit("1/minute", zone = "path", identifier = path("id"))]
async fn by_path() -> &'static str {
    "ok"
}

#[get("/query")]
#[rate_limit("1/minute", zone = "query", identifier = query("tenant"))]
async fn by_query() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((by_header, by_cookie, by_path, by_query));
}

#[actix_web::test]
async fn counters_of_parts_are_reset_blocked_and_looked_at_by_hand() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    let request = || {
        [
            (
                "header",
                from_client("/header").insert_header(("x-api-key", "k 1")),
            ),
            (
                "cookie",
                from_client("/cookie").insert_header(("Cookie", "sid=k%201")),
            ),
            ("path", from_client("/path/k%201")),
            ("query", from_client("/query?tenant=k+1")),
        ]
    };
    let identities = [
        Identity::header("X-API-KEY", "k 1"),
        Identity::cookie("sid", "k 1"),
        Identity::path("id", "k 1"),
        Identity::query("tenant", "k 1"),
    ];
    for ((zone, _), identity) in request().into_iter().zip(&identities) {
        let limit = ONE.zone(zone);
        let send = async || {
            let (_, request) = request()
                .into_iter()
                .find(|(name, _)| *name == zone)
                .unwrap();
            service.send(request).await.status
        };
        assert_eq!((send().await, send().await), (200, 429), "{zone}");
        let peeked = test_app.limiter.peek(&limit, identity).await.unwrap();
        assert_eq!(peeked.limits()[0].remaining(), 0, "{zone}");
        test_app.limiter.reset(&limit, identity).await.unwrap();
        assert_eq!(send().await, 200, "{zone}");
        test_app.after_seconds(60);
        let hour = Duration::from_secs(3_600);
        test_app
            .limiter
            .block(&limit, identity, hour)
            .await
            .unwrap();
        assert_eq!(send().await, 429, "{zone}");
    }
}

#[get("/report")]
#[rate_limit("1/minute", zone = "report")]
async fn report() -> &'static str {
    "ok"
}

#[get("/login")]
async fn login(session: actix_session::Session) -> &'static str {
    session.insert("user", 42).unwrap();
    "welcome"
}

async fn service_by(limiter: &RateLimiter) -> TestService {
    let store = actix_session::storage::CookieSessionStore::default();
    let sessions = actix_session::SessionMiddleware::builder(store, Key::from(&[7; 64]))
        .cookie_secure(false)
        .build();
    let app = App::new()
        .app_data(limiter.clone())
        .service((report, login))
        .wrap(sessions);
    TestService::of(app).await
}

#[actix_web::test]
async fn counters_of_sessions_are_reset_by_hand() {
    let by_session = |builder: actix_throttle::Builder| {
        builder.identifier(actix_throttle::Identifier::session())
    };
    let test_app = TestApp::with(by_session).await;
    let service = service_by(&test_app.limiter).await;
    let cookie = service.get("/login").await;
    let cookie = cookie
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let send = async || {
        let request = from_client("/report").insert_header((header::COOKIE, cookie));
        service.send(request).await.status
    };
    assert_eq!((send().await, send().await), (200, 429));
    let limit = ONE.zone("report");
    for (other, status) in [
        (Identity::session("43"), 429),
        (Identity::session_key("id", "42"), 429),
        (Identity::session("42"), 200),
    ] {
        test_app.limiter.reset(&limit, other).await.unwrap();
        assert_eq!(send().await, status);
    }
}

#[actix_web::test]
async fn counters_of_tokens_are_reset_by_hand() {
    const SECRET: &str = "a secret of at least 32 bytes, kept in a safe";
    let claims = json!({ "sub": "42", "iss": "a", "exp": in_seconds(600) });
    let token = Issuer::secret(SECRET).token(&claims);
    let build = |issuers: &[&str]| {
        let builder = Jwt::builder().key(JwtKey::secret(SECRET));
        let named = issuers
            .iter()
            .fold(builder, |jwt, issuer| jwt.issuer(*issuer));
        named.build().unwrap()
    };
    for (issuers, identity) in [
        (&[][..], Identity::token("42")),
        (&["a"], Identity::token("42")),
        (&["a", "b"], build(&["a", "b"]).user_of("a", "42")),
    ] {
        let jwt = build(issuers);
        let test_app =
            TestApp::with(|builder| builder.identifier(actix_throttle::Identifier::jwt(jwt))).await;
        let service = service_by(&test_app.limiter).await;
        let send = async || {
            let bearer = format!("Bearer {token}");
            let request = from_client("/report").insert_header((header::AUTHORIZATION, bearer));
            service.send(request).await.status
        };
        assert_eq!((send().await, send().await), (200, 429));
        test_app
            .limiter
            .reset(&ONE.zone("report"), &identity)
            .await
            .unwrap();
        assert_eq!(send().await, 200, "{issuers:?}");
    }
}
