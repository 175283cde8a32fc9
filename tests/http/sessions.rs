//! Users and groups read from the session of actix-session.

mod hostile;

use std::sync::LazyLock;

use actix_session::{Session, SessionExt, SessionMiddleware, storage::CookieSessionStore};
use actix_throttle::{Identifier, RateLimiter, rate_limit};
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, CookieJar, Key, time::Duration},
    get, post,
    web::{Json, ServiceConfig, scope},
};
use serde_json::{Value, json};

use harness::http::{
    app::{TestApp, TestResponse, TestService, get, get_from, post},
    live::{Live, status},
};

const SESSION_KEY: [u8; 64] = [7; 64];

static BY_SESSION: LazyLock<Identifier> = LazyLock::new(Identifier::session);

/// Puts the values of the request into the session, as a login would.
#[post("/login")]
async fn login(session: Session, values: Json<Vec<(String, Value)>>) -> HttpResponse {
    for (key, value) in values.into_inner() {
        session.insert(key, value).expect("JSON");
    }
    HttpResponse::Ok().finish()
}

#[post("/logout")]
async fn logout(session: Session) -> HttpResponse {
    session.purge();
    HttpResponse::Ok().finish()
}

#[get("/report")]
#[rate_limit("2/minute")]
#[rate_limit("4/minute", group = "pro")]
#[rate_limit("3/minute", group = "default")]
#[rate_limit(unlimited, group = "admin")]
async fn report() -> &'static str {
    "ok"
}

/// The user and group of the session, read by a function of the application.
async fn by_function(request: &HttpRequest) -> Option<(String, String)> {
    let session = request.get_session();
    Some((session.get("user").ok()??, session.get("group").ok()??))
}

#[get("/function")]
#[rate_limit("2/minute", identifier = by_function)]
#[rate_limit("4/minute", identifier = by_function, group = "pro")]
async fn function() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    let sessions =
        SessionMiddleware::builder(CookieSessionStore::default(), Key::from(&SESSION_KEY));
    config.service(
        scope("")
            .service((login, logout, report, function))
            .wrap(sessions.cookie_secure(false).build()),
    );
}

async fn by_sessions() -> TestApp {
    TestApp::with(|builder| builder.identifier(&BY_SESSION)).await
}

/// Logs in with these values and returns the session cookie.
async fn session(service: &TestService, values: &[(&str, Value)]) -> Cookie<'static> {
    let answer = service.send(post("/login").set_json(values)).await;
    assert_eq!(answer.status, 200);
    cookie(&answer)
}

fn cookie(answer: &TestResponse) -> Cookie<'static> {
    let cookie = answer.header("Set-Cookie").expect("a cookie").to_owned();
    Cookie::parse_encoded(cookie).expect("a cookie")
}

async fn remaining(
    service: &TestService,
    path: &str,
    cookie: &Cookie<'static>,
) -> Option<[u64; 2]> {
    let answer = service.send(get(path).cookie(cookie.clone())).await;
    answer
        .quota()
        .map(|[limit, remaining, _]| [limit, remaining])
}

#[actix_web::test]
async fn users_are_counted_by_the_limits_of_their_groups() {
    let service = by_sessions().await.service(routes).await;
    let pro = session(&service, &[("user", json!("ann")), ("group", json!("pro"))]).await;
    let plain = session(&service, &[("user", json!("bob"))]).await;
    let unknown = session(
        &service,
        &[("user", json!("dan")), ("group", json!("gold"))],
    )
    .await;
    let admin = session(
        &service,
        &[("user", json!("eve")), ("group", json!("admin"))],
    )
    .await;
    for _ in 0..2 {
        let before = remaining(&service, "/report", &pro).await.expect("a limit");
        assert_eq!(before[0], 4);
    }
    assert_eq!(remaining(&service, "/report", &pro).await, Some([4, 1]));
    assert_eq!(remaining(&service, "/report", &plain).await, Some([3, 2]));
    assert_eq!(remaining(&service, "/report", &unknown).await, Some([2, 1]));
    assert_eq!(remaining(&service, "/report", &admin).await, None);
    // Another session of the user, from another address.
    let again = session(&service, &[("user", json!("ann")), ("group", json!("pro"))]).await;
    let elsewhere = get_from("192.0.2.77", "/report").cookie(again);
    assert_eq!(service.send(elsewhere).await.quota(), Some([4, 0, 60]));
}

#[actix_web::test]
async fn functions_may_read_the_session() {
    let service = by_sessions().await.service(routes).await;
    let pro = session(&service, &[("user", json!("ann")), ("group", json!("pro"))]).await;
    assert_eq!(remaining(&service, "/function", &pro).await, Some([4, 3]));
    let nobody = session(&service, &[("user", json!("ann"))]).await;
    assert_eq!(
        remaining(&service, "/function", &nobody).await,
        Some([2, 1])
    );
}

#[actix_web::test]
async fn number_is_a_user_and_the_one_of_that_text() {
    let service = by_sessions().await.service(routes).await;
    let number = session(&service, &[("user", json!(42))]).await;
    let text = session(&service, &[("user", json!("42"))]).await;
    assert_eq!(remaining(&service, "/report", &number).await, Some([3, 2]));
    assert_eq!(remaining(&service, "/report", &text).await, Some([3, 1]));
}

#[actix_web::test]
async fn keys_may_have_other_names() {
    let by_account = Identifier::session_keys("account_id", "plan");
    let test_app = TestApp::with(|builder| builder.identifier(by_account)).await;
    let service = test_app.service(routes).await;
    let values = [
        ("account_id", json!(7)),
        ("plan", json!("pro")),
        ("group", json!("admin")),
    ];
    let account = session(&service, &values).await;
    assert_eq!(remaining(&service, "/report", &account).await, Some([4, 3]));
    let user = session(&service, &[("user", json!(7)), ("group", json!("pro"))]).await;
    assert_eq!(remaining(&service, "/report", &user).await, Some([2, 1]));
}

#[actix_web::test]
async fn keys_without_a_name_are_an_error_at_once() {
    let builder = RateLimiter::builder().memory();
    let error = builder
        .identifier(Identifier::session_keys("", "group"))
        .build()
        .await;
    let error = error.expect_err("no name").to_string();
    assert!(error.contains("names of their keys"), "{error}");
}

#[actix_web::test]
async fn logout_makes_a_stranger() {
    let service = by_sessions().await.service(routes).await;
    let session = session(&service, &[("user", json!("ann"))]).await;
    assert_eq!(remaining(&service, "/report", &session).await, Some([3, 2]));
    let gone = cookie(&service.send(post("/logout").cookie(session)).await);
    assert_eq!(gone.max_age(), Some(Duration::ZERO));
    assert_eq!(remaining(&service, "/report", &gone).await, Some([2, 1]));
}

#[actix_web::test]
async fn sessions_are_read_by_a_real_server() {
    let test_app = by_sessions().await;
    let server = Live::start(&test_app.limiter, 2, routes);
    let cookie = made_by_hand(&[("user", "42"), ("group", "\"pro\"")]);
    for expected in [200, 200, 200, 200, 429] {
        let mut wire = server.connect().await;
        wire.send(format!(
            "GET /report HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
            cookie.encoded()
        ))
        .await;
        assert_eq!(status(&wire.answer().await), expected);
    }
    assert_eq!(status(&server.get("/report").await), 200);
}

/// The cookie of a session whose values are these texts, JSON or not.
fn made_by_hand(values: &[(&str, &str)]) -> Cookie<'static> {
    let state: serde_json::Map<String, Value> = values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    let mut jar = CookieJar::new();
    let cookie = Cookie::new("id", Value::from(state).to_string());
    jar.private_mut(&Key::from(&SESSION_KEY)).add(cookie);
    jar.get("id").expect("the cookie").clone()
}
