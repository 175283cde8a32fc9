//! The identities that the built-in identifiers find.

use std::net::IpAddr;

use actix_throttle::{Identifier, rate_limit};
use actix_web::{
    HttpRequest,
    cookie::Cookie,
    get,
    http::header::HeaderValue,
    web::{self, ServiceConfig},
};

use harness::http::app::{CLIENT, TestApp, get, get_from};

#[get("/ip")]
#[rate_limit("2/minute", identifier = ip)]
async fn by_ip() -> &'static str {
    "ok"
}

#[get("/global")]
#[rate_limit("2/minute", identifier = global)]
async fn by_global() -> &'static str {
    "ok"
}

#[get("/header")]
#[rate_limit("2/minute", identifier = header("X-Api-Key"))]
async fn by_header() -> &'static str {
    "ok"
}

#[get("/cookie")]
#[rate_limit("2/minute", identifier = cookie("sid"))]
async fn by_cookie() -> &'static str {
    "ok"
}

#[get("/path/{id}/{rest:.*}")]
#[rate_limit("1000/minute", identifier = path("id"))]
async fn by_path(path: web::Path<(String, String)>) -> String {
    path.into_inner().0
}

#[get("/query")]
#[rate_limit("1000/minute", identifier = query("tenant"))]
async fn by_query(query: web::Query<Vec<(String, String)>>) -> String {
    let tenant = query.iter().find(|(name, _)| name == "tenant");
    tenant.map_or(String::new(), |(_, value)| value.clone())
}

#[get("/default")]
#[rate_limit("2/minute")]
async fn by_default(_: HttpRequest) -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((by_ip, by_global, by_header, by_cookie))
        .service((by_path, by_query, by_default));
}

#[actix_web::test]
async fn ip_counts_addresses_apart() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.statuses("/ip", 3).await, [200, 200, 429]);
    let other = service.send(get_from("192.0.2.2", "/ip")).await;
    assert_eq!((other.status, other.remaining()), (200, Some(1)));
}

#[actix_web::test]
async fn ip_counts_ipv6_by_network_and_mapped_ipv4_as_ipv4() {
    let service = TestApp::new().await.service(routes).await;
    for (address, remaining) in [
        ("2001:db8:0:1::1", 1),
        ("2001:db8:0:1:ffff::2", 0),
        ("2001:db8:0:2::1", 1),
        ("192.0.2.9", 1),
        ("::ffff:192.0.2.9", 0),
    ] {
        let answer = service.send(get_from(address, "/ip")).await;
        assert_eq!(answer.remaining(), Some(remaining), "{address}");
    }
}

#[actix_web::test]
async fn length_of_the_ipv6_network_can_be_set() {
    let test_app = TestApp::with(|builder| builder.ipv6_prefix(128)).await;
    let service = test_app.service(routes).await;
    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        let answer = service.send(get_from(address, "/ip")).await;
        assert_eq!(answer.remaining(), Some(1), "{address}");
    }
}

fn peer(request: &HttpRequest) -> Option<IpAddr> {
    Some(request.peer_addr()?.ip())
}

async fn peer_of_a_session(request: &HttpRequest) -> Result<IpAddr, &'static str> {
    peer(request).ok_or("a Unix socket")
}

#[get("/peer")]
#[rate_limit("2/minute", identifier = peer)]
async fn by_peer() -> &'static str {
    "ok"
}

#[get("/peer/async")]
#[rate_limit("2/minute", identifier = peer_of_a_session)]
async fn by_peer_of_a_session() -> &'static str {
    "ok"
}

#[actix_web::test]
async fn address_from_function_uses_prefix_of_limiter() {
    // 2001:db8::1 and 2001:db8::2 are one client with /64, and two with /127 and /128.
    for (prefix, second) in [(64, 0), (127, 1), (128, 1)] {
        let test_app = TestApp::with(|builder| builder.ipv6_prefix(prefix)).await;
        let service = test_app
            .service(|config| {
                config.service((by_peer, by_peer_of_a_session));
            })
            .await;
        for path in ["/peer", "/peer/async"] {
            let first = service.send(get_from("2001:db8::1", path)).await;
            assert_eq!(first.remaining(), Some(1), "{path} by /{prefix}");
            let other = service.send(get_from("2001:db8::2", path)).await;
            assert_eq!(other.remaining(), Some(second), "{path} by /{prefix}");
            let mapped = service.send(get_from("::ffff:192.0.2.1", path)).await;
            assert_eq!(mapped.remaining(), Some(1), "{path} by /{prefix}");
        }
    }
}

#[actix_web::test]
async fn global_counts_everyone_as_one() {
    let service = TestApp::new().await.service(routes).await;
    for (address, status) in [("192.0.2.1", 200), ("2001:db8::1", 200), ("10.0.0.1", 429)] {
        let answer = service.send(get_from(address, "/global")).await;
        assert_eq!(answer.status, status, "{address}");
    }
}

#[actix_web::test]
async fn header_counts_values_apart_from_wherever_they_come() {
    let service = TestApp::new().await.service(routes).await;
    let with =
        |address, name, value: &str| get_from(address, "/header").insert_header((name, value));
    for (request, status) in [
        (with("192.0.2.1", "X-Api-Key", "abc"), 200),
        (with("192.0.2.2", "x-api-key", "abc"), 200),
        (with("192.0.2.3", "X-API-KEY", "abc"), 429),
        (with("192.0.2.3", "X-Api-Key", "ABC"), 200),
        (with("192.0.2.3", "X-Api-Key", "abcd"), 200),
        (with("192.0.2.3", "X-Other", "abc"), 200),
    ] {
        assert_eq!(service.send(request).await.status, status);
    }
}

#[actix_web::test]
async fn header_that_is_no_text_is_an_identity_too() {
    let service = TestApp::new().await.service(routes).await;
    for (bytes, remaining) in [
        (b"\xff\xfe", 1),
        (b"\xff\xfd", 1),
        (b"\xff\xfe", 0),
        (b"\xc3\xa4", 1),
    ] {
        let value = HeaderValue::from_bytes(bytes).expect("opaque bytes are allowed");
        let request = get("/header").insert_header(("X-Api-Key", value));
        assert_eq!(service.send(request).await.remaining(), Some(remaining));
    }
}

/// A request without a value counts under its address, but apart from requests that send that
/// address as the value.
#[actix_web::test]
async fn missing_or_empty_value_counts_under_the_client() {
    let service = TestApp::new().await.service(routes).await;
    let key = |value: &str| get("/header").insert_header(("X-Api-Key", value));
    assert_eq!(service.get("/header").await.remaining(), Some(1));
    for value in [CLIENT, "ip=192.0.2.1", "!192.0.2.1", "none"] {
        assert_eq!(
            service.send(key(value)).await.remaining(),
            Some(1),
            "{value}"
        );
    }
    assert_eq!(service.send(key("")).await.remaining(), Some(0));
    assert_eq!(service.get("/header").await.status, 429);
    let other = service.send(get_from("192.0.2.2", "/header")).await;
    assert_eq!(other.remaining(), Some(1));
    // This counter is separate from the client's under `ip`, and from that of another missing
    // value.
    assert_eq!(service.get("/ip").await.remaining(), Some(1));
    assert_eq!(service.get("/cookie").await.remaining(), Some(1));
}

#[actix_web::test]
async fn cookie_counts_values_apart() {
    let service = TestApp::new().await.service(routes).await;
    let with = |value: &'static str| get("/cookie").cookie(Cookie::new("sid", value));
    for (request, remaining) in [
        (with("one"), 1),
        (with("two"), 1),
        (with("one"), 0),
        (get("/cookie").insert_header(("Cookie", "a=b; sid=two")), 0),
        (get("/cookie").insert_header(("Cookie", "sid=%74hree")), 1),
        (get("/cookie").insert_header(("Cookie", "sid=three")), 0),
        (get("/cookie").insert_header(("Cookie", "sidd=one")), 1),
        (get("/cookie").insert_header(("Cookie", "sid=")), 0),
    ] {
        assert_eq!(service.send(request).await.remaining(), Some(remaining));
    }
}

/// Sends two requests. Returns whether they share a counter, and whether the handler saw the same.
async fn are_one(path: &str, other: &str) -> (bool, bool) {
    let service = TestApp::new().await.service(routes).await;
    let (first, second) = (service.get(path).await, service.get(other).await);
    assert_eq!((first.status, second.status), (200, 200));
    (
        second.remaining() == Some(998),
        first.text() == second.text(),
    )
}

const FORMS: [&str; 16] = [
    "a", "%61", "A", "%41", "a%2Fb", "a%2fb", "%61%2Fb", "a%252Fb", "%2561", "a+b", "a%2Bb",
    "a%20b", "%C3%A4", "%c3%a4", "%7Ba%7D", "a:b",
];

#[actix_web::test]
async fn path_values_are_one_exactly_if_the_handler_sees_one() {
    for one in FORMS {
        for other in FORMS {
            let (path, other) = (format!("/path/{one}/x"), format!("/path/{other}/y"));
            let (counted, seen) = are_one(&path, &other).await;
            assert_eq!(counted, seen, "{path} {other}");
        }
    }
    assert_eq!(are_one("/path/%61/x", "/path/a/y").await, (true, true));
}

#[actix_web::test]
async fn query_values_are_one_exactly_if_the_handler_sees_one() {
    for one in FORMS {
        for other in FORMS {
            let path = format!("/query?tenant={one}");
            let other = format!("/query?x=1&%74enant={other}&tenant=zzz");
            let (counted, seen) = are_one(&path, &other).await;
            assert_eq!(counted, seen, "{path} {other}");
        }
    }
    let forms = ("/query?tenant=a+b", "/query?tenant=a%20b");
    assert_eq!(are_one(forms.0, forms.1).await, (true, true));
}

#[actix_web::test]
async fn empty_query_value_counts_under_the_client() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/query?tenant=").await.remaining(), Some(999));
    assert_eq!(service.get("/query?other=1").await.remaining(), Some(998));
    assert_eq!(service.get("/query").await.remaining(), Some(997));
}

#[actix_web::test]
async fn identifier_of_the_limiter_is_the_default() {
    let by_key =
        |builder: actix_throttle::Builder| builder.identifier(Identifier::header("X-Api-Key"));
    let service = TestApp::with(by_key).await.service(routes).await;
    let key = |path, value| get(path).insert_header(("X-Api-Key", value));
    assert_eq!(
        service.send(key("/default", "a")).await.remaining(),
        Some(1)
    );
    assert_eq!(
        service.send(key("/default", "b")).await.remaining(),
        Some(1)
    );
    assert_eq!(
        service.send(key("/default", "a")).await.remaining(),
        Some(0)
    );
    // The identifier of a handler takes precedence.
    assert_eq!(service.send(key("/ip", "a")).await.remaining(), Some(1));
    assert_eq!(service.send(key("/ip", "b")).await.remaining(), Some(0));
}
