//! Identifiers that are functions of the application, and requests that they cannot identify.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use actix_throttle::{Identity, Unidentified, rate_limit};
use actix_web::{HttpRequest, HttpResponse, get, test::TestRequest, web::ServiceConfig};

use harness::http::app::{TestApp, get, get_from};

fn user(request: &HttpRequest) -> Option<&str> {
    request.headers().get("X-User")?.to_str().ok()
}

fn sync_text(request: &HttpRequest) -> String {
    user(request).unwrap_or("nobody").to_owned()
}

fn sync_option(request: &HttpRequest) -> Option<String> {
    user(request).map(str::to_owned)
}

fn sync_identity(request: &HttpRequest) -> Identity {
    Identity::new(user(request).unwrap_or("nobody"))
}

fn sync_result(request: &HttpRequest) -> Result<String, String> {
    sync_option(request).ok_or_else(|| "no user".to_owned())
}

fn sync_pair(request: &HttpRequest) -> Option<(String, &'static str)> {
    sync_option(request).map(|user| (user, "some group"))
}

fn sync_address(request: &HttpRequest) -> Option<IpAddr> {
    request.headers().get("X-User")?;
    Some(request.peer_addr()?.ip())
}

async fn async_text(request: &HttpRequest) -> String {
    sync_text(request)
}

async fn async_option(request: &HttpRequest) -> Option<Identity> {
    actix_web::rt::task::yield_now().await;
    Some(Identity::new(user(request)?))
}

async fn async_result(request: &HttpRequest) -> Result<(String, String), std::fmt::Error> {
    let user = sync_option(request).ok_or(std::fmt::Error)?;
    Ok((user, "group".to_owned()))
}

mod identify {
    use actix_web::HttpRequest;

    /// A function with the name of a built-in identifier.
    pub(super) async fn path(request: &HttpRequest) -> String {
        super::sync_text(request)
    }
}

macro_rules! handlers {
    ($($name:ident $path:literal $identifier:path;)*) => {
        $(
            #[get($path)]
            #[rate_limit("2/minute", identifier = $identifier)]
            async fn $name() -> &'static str {
                "ok"
            }
        )*

        const PATHS: &[&str] = &[$($path),*];

        fn routes(config: &mut ServiceConfig) {
            $(config.service($name);)*
        }
    };
}

handlers! {
    by_text "/text" sync_text;
    by_option "/option" sync_option;
    by_identity "/identity" sync_identity;
    by_result "/result" sync_result;
    by_pair "/pair" sync_pair;
    by_async_text "/async-text" async_text;
    by_async_option "/async-option" async_option;
    by_async_result "/async-result" async_result;
    by_module "/module" identify::path;
}

#[get("/address")]
#[rate_limit("2/minute", identifier = sync_address)]
async fn by_address() -> &'static str {
    "ok"
}

fn named(path: &str, user: &str) -> TestRequest {
    get(path).insert_header(("X-User", user))
}

#[actix_web::test]
async fn functions_of_every_kind_count_users_apart() {
    let service = TestApp::new().await.service(routes).await;
    for path in PATHS {
        for (user, status) in [
            ("ann", 200),
            ("ann", 200),
            ("ann", 429),
            ("bob", 200),
            ("192.0.2.1", 200),
        ] {
            let answer = service.send(named(path, user)).await;
            assert_eq!(answer.status, status, "{path} {user}");
        }
    }
}

#[actix_web::test]
async fn function_may_name_an_address() {
    let service = TestApp::new()
        .await
        .service(|config| {
            config.service(by_address);
        })
        .await;
    let from = |address| get_from(address, "/address").insert_header(("X-User", "x"));
    assert_eq!(service.send(from("192.0.2.1")).await.remaining(), Some(1));
    assert_eq!(service.send(from("192.0.2.1")).await.remaining(), Some(0));
    assert_eq!(service.send(from("192.0.2.2")).await.remaining(), Some(1));
    // IPv6 addresses count by network prefix, as with `ip`.
    assert_eq!(service.send(from("2001:db8::1")).await.remaining(), Some(1));
    assert_eq!(service.send(from("2001:db8::2")).await.remaining(), Some(0));
}

/// Routes whose function returns `None` or `Err`.
const UNSURE: [&str; 5] = [
    "/option",
    "/result",
    "/pair",
    "/async-option",
    "/async-result",
];

#[actix_web::test]
async fn unidentified_request_is_counted_by_ip() {
    let service = TestApp::new().await.service(routes).await;
    for path in UNSURE {
        assert_eq!(service.statuses(path, 3).await, [200, 200, 429], "{path}");
        let other = service.send(get_from("192.0.2.2", path)).await;
        assert_eq!(other.remaining(), Some(1), "{path}");
        for user in ["192.0.2.1", "!192.0.2.1", "ip=192.0.2.1"] {
            let named = service.send(named(path, user)).await;
            assert_eq!(named.remaining(), Some(1), "{path} {user}");
        }
    }
}

#[actix_web::test]
async fn on_unidentified_may_answer() {
    let test_app = TestApp::with(|builder| {
        builder.on_unidentified(|request| {
            HttpResponse::Unauthorized()
                .insert_header(("WWW-Authenticate", "Key"))
                .body(request.path().to_owned())
        })
    })
    .await;
    let service = test_app.service(routes).await;
    for path in UNSURE {
        for _ in 0..5 {
            let answer = service.get(path).await;
            assert_eq!((answer.status, answer.text()), (401, path));
            assert_eq!(answer.header("WWW-Authenticate"), Some("Key"));
            assert!(answer.is_unlimited(), "{answer:?}");
        }
        let known = service.send(named(path, "ann")).await;
        assert_eq!((known.status, known.remaining()), (200, Some(1)));
    }
}

#[actix_web::test]
async fn on_unidentified_may_skip_the_limit() {
    let test_app = TestApp::with(|builder| builder.on_unidentified(|_| Unidentified::Skip)).await;
    let service = test_app.service(routes).await;
    for path in UNSURE {
        for _ in 0..5 {
            let answer = service.get(path).await;
            assert_eq!(answer.status, 200);
            assert!(answer.is_unlimited(), "{answer:?}");
        }
        let known = service.send(named(path, "ann")).await;
        assert_eq!(known.remaining(), Some(1));
    }
}

#[actix_web::test]
async fn on_unidentified_may_choose_by_request() {
    let test_app = TestApp::with(|builder| {
        builder.on_unidentified(|request| match request.path() {
            "/option" => Unidentified::Skip,
            "/result" => Unidentified::CountByIp,
            _ => HttpResponse::Forbidden().finish().into(),
        })
    })
    .await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/option", 3).await, [200, 200, 200]);
    assert_eq!(service.statuses("/result", 3).await, [200, 200, 429]);
    assert_eq!(service.statuses("/pair", 3).await, [403, 403, 403]);
}

#[actix_web::test]
async fn limiter_takes_async_functions_and_closures() {
    #[get("/")]
    #[rate_limit("2/minute")]
    async fn handler() -> &'static str {
        "ok"
    }
    let by_function = TestApp::with(|builder| builder.identifier(async_option)).await;
    let by_closure = TestApp::with(|builder| {
        builder.identifier(|request: &HttpRequest| request.method().to_string())
    })
    .await;
    for (test_app, second) in [(by_function, Some(1)), (by_closure, Some(0))] {
        let service = test_app
            .service(|config| {
                config.service(handler);
            })
            .await;
        assert_eq!(service.send(named("/", "ann")).await.remaining(), Some(1));
        assert_eq!(service.send(named("/", "bob")).await.remaining(), second);
    }
}

#[actix_web::test]
async fn stacked_limits_ask_one_function_once() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    async fn counted(_: &HttpRequest) -> Identity {
        ASKED.fetch_add(1, Ordering::SeqCst);
        Identity::new("ann").group("pro")
    }
    #[get("/")]
    #[rate_limit("2/minute", identifier = counted)]
    #[rate_limit("5/minute", identifier = counted, group = "pro")]
    #[rate_limit(unlimited, identifier = counted, group = "admin")]
    async fn handler() -> &'static str {
        "ok"
    }
    let test_app = TestApp::new().await;
    let service = test_app
        .service(|config| {
            config.service(handler);
        })
        .await;
    assert_eq!(service.get("/").await.remaining(), Some(4));
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}
