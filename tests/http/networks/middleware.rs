//! Networks at the middleware: those of its limiter, and entries for some networks alone.

use actix_throttle::{Identifier, Limit, Paths, Rule, Throttle};
use actix_web::{HttpRequest, HttpResponse, test::TestRequest};

use super::{LIMIT, assert_forbidden, free, listed, routes};
use harness::http::app::{TestApp, get as request, get_from};

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
