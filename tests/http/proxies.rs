//! The address that is counted behind proxies, whatever the forwarding headers say.

use actix_throttle::{ForwardingHeader, rate_limit};
use actix_web::{get, http::header::HeaderValue, test::TestRequest, web::ServiceConfig};

use super::hostile::Hostile;
use harness::http::app::{TestApp, TestService, get, get_from};

/// A quota larger than any test uses, so that what remains tells which client was counted.
#[get("/")]
#[rate_limit("100000/day")]
async fn counted() -> &'static str {
    "ok"
}

#[get("/key")]
#[rate_limit("2/day", identifier = header("X-Api-Key"))]
async fn by_key() -> &'static str {
    "ok"
}

const LIMIT: u64 = 100_000;
const VALUES: u64 = 3_000;
const PROXY: &str = "10.0.0.9";
const TRUE_CLIENT: &str = "198.51.100.20";

fn routes(config: &mut ServiceConfig) {
    config.service((counted, by_key));
}

async fn trusting(header: ForwardingHeader) -> TestService {
    let test_app = TestApp::with(|builder| {
        let builder = builder.trusted_proxies(["10.0.0.0/8", "2001:db8:aaaa::1"]);
        builder.expect("valid").forwarding_header(header)
    });
    test_app.await.service(routes).await
}

fn header(bytes: impl AsRef<[u8]>) -> HeaderValue {
    HeaderValue::from_bytes(bytes.as_ref()).expect("what a server accepts")
}

/// The number of requests counted for an identity, this one included.
async fn used(service: &TestService, request: TestRequest) -> u64 {
    let answer = service.send(request).await;
    assert_eq!(answer.status, 200);
    LIMIT - answer.remaining().expect("counted")
}

#[actix_web::test]
async fn strangers_count_under_their_own_address_whatever_they_claim() {
    let nobody = TestApp::new().await.service(routes).await;
    for service in [nobody, trusting(ForwardingHeader::Any).await] {
        let mut hostile = Hostile::new(1);
        for count in 1..=VALUES {
            let mut value = hostile.value();
            if count % 2 == 0 {
                let claim = format!(
                    ",{}203.0.113.{}",
                    ["", "for="][hostile.below(2)],
                    count % 256
                );
                value.extend_from_slice(claim.as_bytes());
            }
            let mut request = get("/");
            for name in ["X-Forwarded-For", "Forwarded", "X-Real-Ip"] {
                if hostile.below(2) == 0 {
                    request = request.append_header((name, header(&value)));
                }
            }
            assert_eq!(used(&service, request).await, count);
        }
    }
}

/// The proxy appends the address of its client, in the same header line or one of its own.
fn through_proxy(forged: Vec<u8>, name: &'static str, own: &str, line: bool) -> TestRequest {
    let request = get_from(PROXY, "/");
    if line {
        let request = request.append_header((name, header(forged)));
        return request.append_header((name, own.to_owned()));
    }
    let mut value = forged;
    value.extend_from_slice(b", ");
    value.extend_from_slice(own.as_bytes());
    request.append_header((name, header(value)))
}

#[actix_web::test]
async fn client_behind_a_proxy_counts_as_one_whatever_stands_before() {
    for (name, own, which) in [
        ("X-Forwarded-For", TRUE_CLIENT, ForwardingHeader::Any),
        (
            "X-Forwarded-For",
            TRUE_CLIENT,
            ForwardingHeader::XForwardedFor,
        ),
        (
            "X-Forwarded-For",
            "198.51.100.20:4711",
            ForwardingHeader::Any,
        ),
        (
            "X-Forwarded-For",
            "::ffff:198.51.100.20",
            ForwardingHeader::Any,
        ),
        ("Forwarded", "for=198.51.100.20", ForwardingHeader::Any),
        (
            "Forwarded",
            "for=198.51.100.20;proto=http",
            ForwardingHeader::Forwarded,
        ),
        (
            "Forwarded",
            "by=10.0.0.9;For=\"198.51.100.20:80\"",
            ForwardingHeader::Any,
        ),
    ] {
        let service = trusting(which).await;
        let mut hostile = Hostile::new(2);
        for count in 1..=VALUES {
            let request = through_proxy(hostile.value(), name, own, count % 2 == 0);
            assert_eq!(used(&service, request).await, count, "{name}: {own}");
        }
        let direct = get_from(TRUE_CLIENT, "/");
        assert_eq!(
            used(&service, direct).await,
            VALUES + 1,
            "it is that client"
        );
    }
}

#[actix_web::test]
async fn chain_of_trusted_proxies_is_walked_to_the_client() {
    let service = trusting(ForwardingHeader::Any).await;
    let mut hostile = Hostile::new(3);
    let own = format!("{TRUE_CLIENT}, 10.9.9.9,[2001:db8:aaaa::1]:8080 ,::ffff:10.1.1.1");
    for count in 1..=VALUES {
        let request = through_proxy(hostile.value(), "X-Forwarded-For", &own, count % 2 == 0);
        assert_eq!(used(&service, request).await, count);
    }
    let direct = get_from(TRUE_CLIENT, "/");
    assert_eq!(
        used(&service, direct).await,
        VALUES + 1,
        "it is that client"
    );
}

/// `host` is the `Host` that the client chose, quoted by the proxy. Commas and semicolons are legal
/// in a quoted string and separate nothing.
#[actix_web::test]
async fn host_that_the_proxy_passes_on_is_no_hop() {
    for host in [
        "x,for=6.6.6.6",
        "x;for=6.6.6.6",
        "x,for=6.6.6.6;host=y",
        "for=6.6.6.6",
        "x, for=10.0.0.1, for=6.6.6.6",
        r#"x\",for=6.6.6.6;a=\""#,
        r"x\\,for=6.6.6.6",
        ",",
    ] {
        for rest in ["", ";proto=http", ";by=10.0.0.9, for=10.1.1.1;host=\"a;b\""] {
            let service = trusting(ForwardingHeader::Any).await;
            let value = format!("for=7.7.7.7, for={TRUE_CLIENT};host=\"{host}\"{rest}");
            let request = get_from(PROXY, "/").insert_header(("Forwarded", value.clone()));
            assert_eq!(used(&service, request).await, 1, "{value}");
            let direct = get_from(TRUE_CLIENT, "/");
            assert_eq!(
                used(&service, direct).await,
                2,
                "it was that client: {value}"
            );
        }
    }
}

/// A proxy that writes one of the headers passes the other one on, and its value comes from the
/// client.
#[actix_web::test]
async fn header_the_proxy_does_not_write_evades_no_limit() {
    for (which, named) in [
        (ForwardingHeader::XForwardedFor, true),
        (ForwardingHeader::Any, false),
    ] {
        let service = trusting(which).await;
        let mut hostile = Hostile::new(4);
        for _ in 0..VALUES {
            let request = get_from(PROXY, "/")
                .append_header(("Forwarded", header(hostile.value())))
                .append_header(("X-Forwarded-For", TRUE_CLIENT));
            let answer = service.send(request).await;
            assert_eq!(answer.status, 200);
        }
        let client = used(&service, get_from(TRUE_CLIENT, "/")).await - 1;
        let proxy = used(&service, get_from(PROXY, "/")).await - 1;
        assert_eq!(client + proxy, VALUES, "none counted as anyone else");
        if named {
            assert_eq!(client, VALUES);
        }
    }
}

#[actix_web::test]
async fn unreadable_hop_counts_under_the_proxy_that_passed_it_on() {
    let service = trusting(ForwardingHeader::Any).await;
    let x = "X-Forwarded-For";
    for (count, (name, value)) in (1..).zip([
        (x, "garbage"),
        (x, "unknown"),
        (x, "1.2.3.4, _x"),
        (x, ""),
        (x, ","),
        (x, "1.2.3.4,"),
        ("Forwarded", "for=unknown"),
        ("Forwarded", "for=1.2.3.4;for=5.6.7.8"),
        ("Forwarded", "for=1.2.3.4;For=1.2.3.4"),
        ("Forwarded", "proto=http"),
    ]) {
        let request = get_from(PROXY, "/").insert_header((name, value));
        assert_eq!(used(&service, request).await, count, "{value}");
    }
}

#[actix_web::test]
async fn without_a_header_the_proxy_itself_is_counted() {
    let service = trusting(ForwardingHeader::Any).await;
    assert_eq!(used(&service, get_from(PROXY, "/")).await, 1);
    assert_eq!(used(&service, get_from(PROXY, "/")).await, 2);
    assert_eq!(used(&service, get_from("10.0.0.8", "/")).await, 1);
}

#[actix_web::test]
async fn forwarded_ipv6_clients_count_by_network() {
    let service = trusting(ForwardingHeader::Any).await;
    for (value, count) in [
        ("for=\"[2001:db8:1:2::1]\"", 1),
        ("for=\"[2001:db8:1:2:3::4]:80\"", 2),
        ("for=\"[2001:db8:1:3::1]\"", 1),
    ] {
        let request = get_from(PROXY, "/").insert_header(("Forwarded", value));
        assert_eq!(used(&service, request).await, count, "{value}");
    }
}

#[actix_web::test]
async fn every_key_is_an_identity_of_its_own_and_forges_no_other() {
    let service = TestApp::new().await.service(routes).await;
    let mut hostile = Hostile::new(5);
    let mut seen = std::collections::HashMap::<Vec<u8>, u64>::new();
    // Half of the values are repeated, so that counters are used more than once.
    for index in 0..VALUES {
        let value = if index % 2 == 0 {
            hostile.value()
        } else {
            seen.keys()
                .nth(index as usize % seen.len())
                .cloned()
                .expect("one")
        };
        // An HTTP parser strips whitespace around a value; this test has no parser.
        let count = seen.entry(value.clone()).or_default();
        *count += 1;
        let request = get("/key").insert_header(("X-Api-Key", header(&value)));
        let answer = service.send(request).await;
        let expected = if *count <= 2 { 200 } else { 429 };
        assert_eq!(answer.status, expected, "{value:?} for the {count}th time");
        assert_eq!(answer.remaining(), Some(2_u64.saturating_sub(*count)));
    }
    assert!(seen.len() > 1_000, "{} different ones", seen.len());
}

#[actix_web::test]
async fn absurd_setting_of_a_proxy_is_an_error_that_names_it() {
    for wrong in ["10.0.0.0/33", "nonsense", "", "10.0.0.0/8 ", "::1/129"] {
        let builder = actix_throttle::RateLimiter::builder().memory();
        let error = builder.trusted_proxies([wrong]).expect_err(wrong);
        assert!(error.is_settings());
        assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
    }
}
