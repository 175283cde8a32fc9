//! Combinations of identifiers: one counter for each combination of values.

use actix_throttle::{
    Identifier, Identity, IdentityKind, Limit, Rule, Throttle, concurrency_limit, rate_limit,
};
use actix_web::{HttpRequest, HttpResponse, get, test::TestRequest, web::ServiceConfig};

use harness::http::app::{TestApp, get as request, get_from};

#[get("/pair")]
#[rate_limit("2/minute", identifier = (ip, header("X-Tenant")))]
async fn pair() -> &'static str {
    "ok"
}

#[get("/both")]
#[rate_limit("2/minute", identifier = header("X-Tenant"))]
#[rate_limit("2/minute", identifier = (ip, header("X-Tenant")))]
async fn both() -> &'static str {
    "ok"
}

fn by_user(request: &HttpRequest) -> Option<Identity> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let group = header("X-Group").unwrap_or("none").to_owned();
    Some(Identity::new(header("X-User")?).group(group))
}

async fn by_device(request: &HttpRequest) -> Option<String> {
    Some(request.headers().get("X-Device")?.to_str().ok()?.to_owned())
}

#[get("/user")]
#[rate_limit("2/minute", identifier = (by_user, by_device, query("q")))]
#[rate_limit("5/minute", identifier = (by_user, by_device, query("q")), group = "pro")]
async fn user() -> &'static str {
    "ok"
}

#[get("/slow")]
#[concurrency_limit(max = 3, identifier = (ip, header("X-Tenant")))]
async fn slow() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((pair, both, user, slow));
}

fn of_tenant(address: &str, path: &str, tenant: &[u8]) -> TestRequest {
    let value = actix_web::http::header::HeaderValue::from_bytes(tenant).expect("a value");
    get_from(address, path).insert_header(("X-Tenant", value))
}

#[actix_web::test]
async fn each_combination_has_a_counter_of_its_own() {
    let service = TestApp::new().await.service(routes).await;
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        for tenant in ["a", "b"] {
            let request = || of_tenant(address, "/pair", tenant.as_bytes());
            for expected in [Some(1), Some(0)] {
                assert_eq!(
                    service.send(request()).await.remaining(),
                    expected,
                    "{tenant}"
                );
            }
            assert_eq!(service.send(request()).await.status, 429);
        }
    }
}

#[actix_web::test]
async fn hostile_values_share_no_counter() {
    let service = TestApp::new().await.service(routes).await;
    for tenant in [
        &b"a"[..],
        b"a&header.x-tenant=a",
        b"a)",
        b"(a",
        b"a;b",
        b"192.0.2.1",
        b"#00000000000000000000000000000000",
        b"%61",
        b"A",
        b"\xff\xfe",
        b"a}",
    ] {
        for address in ["192.0.2.1", "192.0.2.2"] {
            let answer = service.send(of_tenant(address, "/pair", tenant)).await;
            assert_eq!(answer.remaining(), Some(1), "{address} {tenant:?}");
        }
    }
    // A missing part is no value at all, and neither is an empty one.
    assert_eq!(service.send(request("/pair")).await.remaining(), Some(1));
    assert_eq!(
        service
            .send(of_tenant("192.0.2.1", "/pair", b""))
            .await
            .remaining(),
        Some(0)
    );
}

#[actix_web::test]
async fn one_missing_part_makes_the_whole_unidentified() {
    let test_app = TestApp::with(|builder| {
        builder.on_unidentified(|_: &HttpRequest| HttpResponse::Unauthorized().finish())
    });
    let service = test_app.await.service(routes).await;
    assert_eq!(service.get("/pair").await.status, 401);
    assert_eq!(
        service
            .send(of_tenant("192.0.2.1", "/pair", b"a"))
            .await
            .status,
        200
    );
    let whole = || {
        let request = request("/user?q=1").insert_header(("X-User", "ann"));
        request.insert_header(("X-Device", "phone"))
    };
    assert_eq!(service.send(whole()).await.remaining(), Some(1));
    for incomplete in [
        request("/user?q=1").insert_header(("X-User", "ann")),
        request("/user?q=1").insert_header(("X-Device", "phone")),
        request("/user"),
    ] {
        assert_eq!(service.send(incomplete).await.status, 401);
    }
    assert_eq!(service.send(whole()).await.remaining(), Some(0));
}

#[actix_web::test]
async fn unidentified_requests_count_apart_from_those_of_a_part() {
    let service = TestApp::new().await.service(routes).await;
    // Both limits count the address, as a substitute for what is missing, in counters of their own.
    for expected in [Some(1), Some(0)] {
        assert_eq!(service.get("/both").await.remaining(), expected);
    }
    assert_eq!(service.get("/both").await.status, 429);
    for address in ["192.0.2.1", "192.0.2.9"] {
        let answer = service.send(of_tenant(address, "/both", b"a")).await;
        assert_eq!(answer.status, 200, "{address}");
    }
    // The tenant has used up its own limit, from two addresses.
    assert_eq!(
        service
            .send(of_tenant("192.0.2.3", "/both", b"a"))
            .await
            .status,
        429
    );
}

#[actix_web::test]
async fn functions_of_the_application_are_parts_and_give_the_group() {
    let service = TestApp::new().await.service(routes).await;
    let of = |group: &'static str, device: &'static str| {
        let request = request("/user?q=1").insert_header(("X-User", "ann"));
        request
            .insert_header(("X-Group", group))
            .insert_header(("X-Device", device))
    };
    assert_eq!(service.send(of("none", "phone")).await.remaining(), Some(1));
    assert_eq!(
        service.send(of("none", "laptop")).await.remaining(),
        Some(1)
    );
    // The group changes the limit and not the identity.
    assert_eq!(service.send(of("pro", "phone")).await.remaining(), Some(3));
}

#[actix_web::test]
async fn combination_by_hand_is_that_of_the_attribute() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    let request = || of_tenant("192.0.2.1", "/pair", b"a");
    assert_eq!(service.send(request()).await.remaining(), Some(1));
    let rule = |identifier: Identifier| {
        Rule::new(Limit::per_minute(9).zone("hand")).identifier(identifier)
    };
    let nested = Identifier::all([
        Identifier::all([Identifier::ip(), Identifier::header("X-Tenant")]),
        Identifier::query("q"),
    ]);
    let of_query = of_tenant("192.0.2.1", "/?q=1", b"a").to_http_request();
    let decision = test_app
        .limiter
        .check_request(&of_query, &[rule(nested)])
        .await;
    assert_eq!(
        decision.expect("one").expect("one").limits()[0].remaining(),
        8
    );
    let parts = [
        Identity::ip("192.0.2.1".parse().expect("an address")),
        Identity::header("X-Tenant", "a"),
        Identity::query("q", "1"),
    ];
    let identity = Identity::all(parts);
    assert_eq!(identity.kind(), IdentityKind::Combination);
    let limit = Limit::per_minute(9).zone("hand");
    let left = test_app
        .limiter
        .peek(&limit, identity)
        .await
        .expect("a decision");
    assert_eq!(left.limits()[0].remaining(), 8);
}

#[actix_web::test]
async fn concurrency_limits_take_combinations() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.send(of_tenant("192.0.2.1", "/slow", b"a")).await;
    assert_eq!(
        (answer.status, answer.number("X-RateLimit-Limit")),
        (200, Some(3))
    );
}

#[test]
fn invalid_combination_is_an_error_of_the_entry() {
    let few = "a combination has at least two parts: add another identifier, or write the one \
               without a combination";
    let global = "`global` is the same for all requests and tells none apart: remove it from the \
                  combination";
    let twice = "`header(\"x-tenant\")` is in the combination already: remove it";
    let header = || Identifier::header("X-Tenant");
    for (parts, expected) in [
        (vec![], few),
        (vec![Identifier::ip()], few),
        (vec![Identifier::ip(), Identifier::global()], global),
        (
            vec![header(), Identifier::ip(), Identifier::header("x-tenant")],
            twice,
        ),
        (vec![Identifier::all([]), Identifier::ip()], few),
        (
            vec![Identifier::ip(), Identifier::header("X Tenant")],
            "`x tenant` is no name of an HTTP header",
        ),
    ] {
        let rule = Rule::new(Limit::per_minute(1)).identifier(Identifier::all(parts));
        let error = Throttle::new().paths("^/", [rule]).expect_err(expected);
        let expected = format!("the entry `^/` of a `Throttle`: {expected}");
        assert_eq!(error.to_string(), expected);
    }
}

#[actix_web::test]
async fn invalid_combination_of_the_builder_is_an_error_of_build() {
    let builder = actix_throttle::RateLimiter::builder().memory();
    let built = builder
        .identifier(Identifier::all([Identifier::ip()]))
        .build()
        .await;
    let error = built.expect_err("an error");
    assert!(error.is_settings());
    assert!(
        error
            .to_string()
            .starts_with("a combination has at least two parts")
    );
}
