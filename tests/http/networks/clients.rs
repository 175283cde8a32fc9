//! Clients of allowed and denied networks, at handlers and at checks by hand.

use actix_throttle::{RequestError, Rule, Unidentified, WebSocketLimiter};
use actix_web::{HttpRequest, ResponseError, test::TestRequest};

use super::{LIMIT, assert_forbidden, listed, routes};
use harness::http::app::{CLIENT, TestApp, get as request, get_from};

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
