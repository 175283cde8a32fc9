//! Tests of the identities that texts of keys and of people lead to.

use super::*;
use crate::identity::DEFAULT_IPV6_PREFIX;

fn parse(text: &str) -> Parsed {
    Identity::parse(text, DEFAULT_IPV6_PREFIX)
}

#[test]
fn identity_is_read_as_it_is_written() {
    let ip = |text: &str| Identity::ip(text.parse().unwrap());
    let source = IdentitySource::RequestPart(RequestPart::Header, "x-api-key".into());
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

/// Reads back the key text of every identity that an identifier finds, or does not find: each
/// source, each combination of two, one of all, and each of these in a context.
#[test]
fn every_key_text_leads_to_its_identity() {
    let network = |text: &str| Some(network(text.parse().unwrap(), DEFAULT_IPV6_PREFIX));
    let networks = [network("192.0.2.1"), network("2001:db8::1"), None];
    let found = [
        Identity::client(networks[1]),
        Identity::new("a&b);c!d=e"),
        Identity::path("id", "a:b"),
        Identity::token("7"),
        Identity::session_key("a;b&c)!=ä", "42"),
    ];
    let header = Identity::header("x-tenant", "");
    let sources = found.iter().chain([&header]).map(Identity::source);
    let combinations = found.iter().flat_map(|one| {
        let pairs = found
            .iter()
            .map(|other| Identity::all([one.clone(), other.clone()]));
        pairs.chain([
            Identity::all(found.clone()),
            Identity::all([one.clone(), Identity::global()]),
        ])
    });
    let mut identities: Vec<_> = combinations.chain(found.clone()).collect();
    let combined = identities.iter().map(Identity::source);
    let with_header = found.iter().map(|one| {
        let whole = Identity::all([one.clone(), header.clone()]);
        whole.source().clone()
    });
    let sources: Vec<_> = sources
        .chain(combined)
        .cloned()
        .chain(with_header)
        .collect();
    for source in sources {
        let missing = networks.map(|network| Identity::unidentified(source.clone(), network));
        identities.extend(missing);
    }
    for identity in identities {
        for identity in [
            identity.clone(),
            identity.clone().context("room;7&)!"),
            identity.context("a").context("b"),
        ] {
            assert_eq!(parse(&identity.to_string()), Ok(identity));
        }
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
        ("(ip&user)!nowhere", Identity::new("(ip&user)!nowhere")),
        ("(ip&nothing)!none", Identity::new("(ip&nothing)!none")),
        ("(ip)!none", Identity::new("(ip)!none")),
        ("(ip&user)", Identity::new("(ip&user)")),
        (
            "(ip=none&user=1)none",
            Identity::new("(ip=none&user=1)none"),
        ),
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
        Identity::path(&"x".repeat(100), "1"),
        Identity::unidentified(
            Identity::header(&"x".repeat(100), "").source().clone(),
            None,
        ),
    ] {
        assert_eq!(
            parse(&identity.to_string()),
            Err(HashedIdentity),
            "{identity}"
        );
    }
}
