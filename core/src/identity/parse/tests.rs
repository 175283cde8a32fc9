//! Tests of the identities that texts of keys and of people lead to.

use super::*;
use crate::identity::DEFAULT_IPV6_PREFIX;

fn parse(text: &str) -> Parsed {
    Identity::parse(text, DEFAULT_IPV6_PREFIX)
}

#[test]
fn identity_is_read_as_it_is_written() {
    let ip = |text: &str| Identity::ip(text.parse().unwrap());
    let source = Source::RequestPart(RequestPart::Header, "x-api-key".into());
    for identity in [
        Identity::global(),
        Identity::global().context("room/7"),
        ip("192.0.2.1"),
        ip("192.0.2.1").context("a;b&c"),
        ip("2001:db8:1:2:3::1"),
        Identity::client(None),
        Identity::new("42"),
        Identity::new("user:42 &;()#!=ä"),
        Identity::new("42").context("room 7"),
        Identity::path("id", "a:b"),
        Identity::token("42"),
        Identity::token_claim("https://a.example/sub", "42"),
        Identity::session_key("user", "42"),
        Identity::unidentified(source, Some(network("192.0.2.1".parse().unwrap(), 64))),
        Identity::all([ip("192.0.2.1"), Identity::new("a&b)")]),
        Identity::all([ip("192.0.2.1"), Identity::token("7")]).context("room;7"),
    ] {
        assert_eq!(parse(&identity.to_string()), Ok(identity));
    }
}

#[test]
fn identity_is_read_as_a_person_writes_it() {
    for (text, identity) in [
        (" 192.0.2.1 ", Identity::ip("192.0.2.1".parse().unwrap())),
        (
            "ip=2001:db8::1",
            Identity::ip("2001:db8::1".parse().unwrap()),
        ),
        (
            "header.X-Api-Key=k;8&a%20",
            Identity::header("x-api-key", "k;8&a%20"),
        ),
        ("cookie.sid=a b", Identity::cookie("sid", "a b")),
        ("42", Identity::new("42")),
        ("a=b", Identity::new("a=b")),
        ("(a)", Identity::new("(a)")),
        ("(ip=192.0.2.1)", Identity::new("(ip=192.0.2.1)")),
        ("user=100%", Identity::new("100%")),
        ("ip=nowhere", Identity::new("ip=nowhere")),
    ] {
        assert_eq!(parse(text), Ok(identity), "{text}");
    }
}

#[test]
fn hash_leads_to_no_identity() {
    let long = Identity::new("x".repeat(100));
    for identity in [
        Identity::header("x-api-key", "k"),
        long.clone(),
        long.context("room"),
        Identity::new("42").context(&"y".repeat(100)),
        Identity::all([Identity::new("42"), Identity::cookie("sid", "1")]),
    ] {
        assert_eq!(
            parse(&identity.to_string()),
            Err(HashedIdentity),
            "{identity}"
        );
    }
}
