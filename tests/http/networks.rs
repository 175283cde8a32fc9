//! Networks of clients: allowed, denied, and entries of the middleware for some of them alone.

use actix_throttle::{
    Builder, Identifier, InitError, Limit, Paths, RateLimiter, RequestError, Rule, Throttle,
    Unidentified, WebSocketLimiter, rate_limit,
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError, get, post,
    test::TestRequest,
    web::{self, ServiceConfig},
};

use harness::http::app::{CLIENT, TestApp, TestResponse, get as request, get_from};

const LIMIT: Limit = Limit::per_minute(2);

#[get("/")]
#[rate_limit("2/minute")]
async fn index() -> &'static str {
    "ok"
}

#[post("/json")]
#[rate_limit("2/minute")]
async fn json(numbers: web::Json<Vec<u32>>) -> String {
    numbers.len().to_string()
}

#[get("/free")]
async fn free() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((index, json, free));
}

/// The lists that overlap in either direction.
fn listed(builder: Builder) -> Builder {
    let allow = ["10.0.0.0/8", "192.0.2.66", "2001:db8:1::/48"];
    let deny = ["10.66.0.0/16", "192.0.2.64/28", "2001:db8::/32"];
    let builder = builder.allow(allow).and_then(|builder| builder.deny(deny));
    builder.expect("valid lists")
}

fn assert_forbidden(answer: &TestResponse) {
    assert_eq!(answer.status, 403);
    assert!(answer.is_unlimited(), "{answer:?}");
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/problem+json")
    );
    let document = answer.json();
    assert_eq!(document["status"], 403);
    assert_eq!(document["title"], "Forbidden");
    assert_eq!(document["type"], "about:blank");
    assert_eq!(
        document["detail"],
        "Requests from this network are not accepted."
    );
}

#[actix_web::test]
async fn allowed_clients_are_neither_counted_nor_limited() {
    let test_app = TestApp::with(listed).await;
    let service = test_app.service(routes).await;
    for address in [
        "10.1.2.3",
        "192.0.2.66",
        "2001:db8:1::7",
        "64:ff9b::10.1.2.3",
    ] {
        for _ in 0..5 {
            let answer = service.send(get_from(address, "/")).await;
            assert_eq!(answer.status, 200, "{address}");
            assert!(answer.is_unlimited(), "{address}");
        }
    }
    assert_eq!(service.statuses("/", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn denied_clients_get_403_and_charge_nothing() {
    let test_app = TestApp::with(listed).await;
    let service = test_app.service(routes).await;
    for address in [
        "10.66.0.1",
        "192.0.2.65",
        "2001:db8:2::1",
        "::ffff:10.66.0.1",
    ] {
        for _ in 0..3 {
            assert_forbidden(&service.send(get_from(address, "/")).await);
        }
    }
    // No extractor has looked at the body.
    let body = get_from("10.66.0.1", "/json").method(actix_web::http::Method::POST);
    assert_forbidden(&service.send(body.set_payload("no JSON")).await);
    // A handler without limits knows no limiter.
    assert_eq!(
        service.send(get_from("10.66.0.1", "/free")).await.status,
        200
    );
}

#[actix_web::test]
async fn middleware_denies_before_everything_else() {
    let test_app = TestApp::with(|builder| {
        let builder = listed(builder).identifier(Identifier::header("X-Api-Key"));
        builder.on_unidentified(|_: &HttpRequest| HttpResponse::Unauthorized().finish())
    })
    .await;
    let exempting = Throttle::new()
        .exempt("/free")
        .skip_if(|_: &HttpRequest| true)
        .paths("^/", [Rule::new(LIMIT)])
        .expect("valid");
    for throttle in [Throttle::new(), exempting] {
        let service = test_app.behind(throttle, routes).await;
        for path in ["/", "/free", "/nothing"] {
            assert_forbidden(&service.send(get_from("10.66.0.1", path)).await);
        }
        let answer = service.send(get_from("10.1.0.1", "/")).await;
        assert_eq!(answer.status, 200, "allowed, though unidentified");
        assert_eq!(service.send(request("/")).await.status, 401);
    }
}

#[actix_web::test]
async fn middleware_leaves_allowed_clients_alone() {
    let test_app = TestApp::with(listed).await;
    let throttle = Throttle::per_client(LIMIT).expect("valid");
    let service = test_app.behind(throttle, routes).await;
    for _ in 0..5 {
        let answer = service.send(get_from("10.0.0.1", "/free")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.is_unlimited());
    }
    assert_eq!(service.statuses("/free", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn limiter_of_the_middleware_has_networks_of_its_own() {
    let nearest = TestApp::with(listed).await;
    let own = TestApp::with(|builder| builder.deny(["198.51.100.0/24"]).expect("valid")).await;
    let throttle = Throttle::new().limiter(own.limiter.clone());
    let service = nearest.behind(throttle, routes).await;
    assert_forbidden(&service.send(get_from("198.51.100.1", "/free")).await);
    assert_eq!(
        service.send(get_from("10.66.0.1", "/free")).await.status,
        200
    );
    assert_forbidden(&service.send(get_from("10.66.0.1", "/")).await);
}

#[actix_web::test]
async fn networks_go_by_the_address_that_trusted_proxies_report() {
    let test_app = TestApp::with(|builder| {
        let builder = builder.trusted_proxies(["10.0.0.9"]).expect("valid");
        builder.deny(["203.0.113.0/24"]).expect("valid")
    })
    .await;
    let service = test_app.service(routes).await;
    let from = |peer: &str, client: &str| {
        get_from(peer, "/").insert_header(("X-Forwarded-For", client.to_owned()))
    };
    assert_forbidden(&service.send(from("10.0.0.9", "203.0.113.7")).await);
    // A stranger can neither be denied in another's name nor clear its own.
    assert_eq!(
        service.send(from("192.0.2.1", "203.0.113.7")).await.status,
        200
    );
    assert_forbidden(&service.send(from("203.0.113.7", "192.0.2.1")).await);
}

#[actix_web::test]
async fn client_without_an_address_is_in_no_network() {
    let everyone = ["0.0.0.0/0", "::/0"];
    let test_app = TestApp::with(|builder| builder.deny(everyone).expect("valid")).await;
    let service = test_app.service(routes).await;
    assert_forbidden(&service.send(request("/")).await);
    let on_a_socket = || TestRequest::get().uri("/");
    assert_eq!(service.send(on_a_socket()).await.remaining(), Some(1));
}

#[actix_web::test]
async fn entry_with_networks_is_for_their_clients_alone() {
    let test_app =
        TestApp::with(|builder| builder.trusted_proxies(["10.9.9.9"]).expect("one")).await;
    let office = Paths::all().networks(["10.0.0.0/8", "2001:db8::/32"]);
    let office = office.and_then(|paths| paths.networks(["192.0.2.77"]));
    let throttle = Throttle::new()
        .paths(
            office.expect("valid").name("office"),
            [Rule::new(Limit::per_minute(50))],
        )
        .and_then(|throttle| throttle.paths("^/", [Rule::new(Limit::per_minute(5))]))
        .expect("valid");
    let service = test_app.behind(throttle, routes).await;
    for (address, quota) in [
        ("10.1.2.3", 50),
        ("2001:db8::1", 50),
        ("192.0.2.77", 50),
        ("64:ff9b::192.0.2.77", 50),
        ("192.0.2.78", 5),
        ("2001:db9::1", 5),
    ] {
        let answer = service.send(get_from(address, "/free")).await;
        assert_eq!(answer.number("X-RateLimit-Limit"), Some(quota), "{address}");
    }
    for (client, quota) in [("10.2.2.2", 50), ("198.51.100.1", 5)] {
        let reported = get_from("10.9.9.9", "/free").insert_header(("X-Forwarded-For", client));
        let answer = service.send(reported).await;
        assert_eq!(answer.number("X-RateLimit-Limit"), Some(quota), "{client}");
    }
    let on_a_socket = TestRequest::get().uri("/free");
    let answer = service.send(on_a_socket).await;
    assert_eq!(answer.number("X-RateLimit-Limit"), Some(5));
}

#[actix_web::test]
async fn exempt_entry_with_networks_frees_their_clients_alone() {
    let test_app = TestApp::new().await;
    let monitors = Paths::all().networks(["10.0.0.0/8"]).expect("valid");
    let throttle = Throttle::new().exempt_paths(monitors);
    let throttle = throttle.and_then(|throttle| throttle.paths("^/", [Rule::new(LIMIT)]));
    let service = test_app.behind(throttle.expect("valid"), routes).await;
    for _ in 0..5 {
        assert_eq!(
            service.send(get_from("10.0.0.1", "/free")).await.status,
            200
        );
    }
    assert_eq!(service.statuses("/free", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn entry_with_networks_without_limiter_is_500() {
    let office = Paths::all().networks(["10.0.0.0/8"]).expect("valid");
    let throttle = Throttle::new().paths(office, [Rule::new(LIMIT)]);
    let app = actix_web::App::new()
        .service(free)
        .wrap(throttle.expect("valid"));
    let service = harness::http::app::TestService::of(app).await;
    assert_eq!(service.get("/free").await.status, 500);
}

#[actix_web::test]
async fn checks_by_hand_respect_the_networks() {
    let limiter = TestApp::with(listed).await.limiter;
    let rules = [Rule::new(LIMIT.name("by-hand"))];
    let messages = WebSocketLimiter::new(LIMIT.name("messages")).limiter(limiter.clone());
    let allowed = get_from("10.1.1.1", "/").to_http_request();
    let denied = get_from("10.66.0.1", "/").to_http_request();
    for _ in 0..5 {
        let decision = limiter.check_request(&allowed, &rules).await;
        assert!(decision.expect("allowed").is_none());
        let decision = messages.check(&allowed, "").await.expect("allowed");
        assert!(decision.is_allowed() && decision.limits().is_empty());
    }
    let per_email = LIMIT.name("e-mail");
    for _ in 0..5 {
        let decision = limiter.enforce(&allowed, &per_email, "ann").await;
        assert!(decision.expect("allowed").limits().is_empty());
    }
    let by_handler = limiter.enforce(&denied, &per_email, "ann").await;
    assert!(matches!(by_handler, Err(RequestError::Forbidden)));
    let by_rules = limiter.check_request(&denied, &rules).await;
    let by_message = messages.check(&denied, "").await;
    for error in [
        by_rules.expect_err("denied"),
        by_message.expect_err("denied"),
    ] {
        assert!(matches!(error, RequestError::Forbidden));
        assert_eq!(error.status_code(), 403);
        assert_eq!(error.to_string(), "the client's network is denied");
        let response = error.error_response();
        let kind = response.headers().get("Content-Type").expect("a type");
        assert_eq!(kind, "application/problem+json");
    }
}

#[actix_web::test]
async fn denied_client_is_no_unidentified_one() {
    let test_app = TestApp::with(|builder| {
        listed(builder).on_unidentified(|_: &HttpRequest| Unidentified::Skip)
    })
    .await;
    let service = test_app.service(routes).await;
    assert_forbidden(&service.send(get_from("10.66.0.1", "/")).await);
}

fn rejected<T>(result: Result<T, InitError>) -> String {
    let error = result.err().expect("a mistake");
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

#[actix_web::test]
async fn thousands_of_denied_networks_leave_others_alone() {
    let networks = (0..20_000_u32).map(|n| format!("100.{}.{}.0/24", n / 200, n % 200));
    let networks = networks.chain((0..20_000_u32).map(|n| format!("2a00:{n:x}::/32")));
    let test_app = TestApp::with(|builder| builder.deny(networks).expect("valid")).await;
    let service = test_app.service(routes).await;
    for address in ["100.0.0.1", "100.99.199.255", "2a00:4e1f::1"] {
        assert_forbidden(&service.send(get_from(address, "/")).await);
    }
    for address in ["100.0.200.1", "100.100.0.1", "2a00:4e20::1", CLIENT] {
        assert_eq!(
            service.send(get_from(address, "/")).await.status,
            200,
            "{address}"
        );
    }
}
