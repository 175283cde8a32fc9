//! Tests of the texts and identities that a person's text may stand for.

use super::*;

#[test]
fn identity_is_found_by_what_a_person_writes() {
    let hashed = Identity::header("x-api-key", "k-8a2f").to_string();
    for (written, expected) in [
        ("42", "user=42"),
        ("user=42", "user=42"),
        ("user:42", "user=user%3A42"),
        ("user=user%3A42", "user=user%3A42"),
        ("user=a b", "user=a%20b"),
        ("user=100%", "user=100%25"),
        ("user=42;room/7", "user=42;room/7"),
        ("a=b", "user=a%3Db"),
        ("", "user="),
        ("global", "global"),
        ("192.0.2.1", "ip=192.0.2.1"),
        ("ip=192.0.2.1", "ip=192.0.2.1"),
        ("ip=none", "ip=none"),
        ("::ffff:192.0.2.1", "ip=192.0.2.1"),
        ("ip=2001:db8::1", "ip=2001-db8-0-0-0-0-0-0"),
        ("ip=2001-db8-0-0-0-0-0-0", "ip=2001-db8-0-0-0-0-0-0"),
        ("header.x-api-key!192.0.2.1", "header.x-api-key!192.0.2.1"),
        ("path.id=a:b", "path.id=a%3Ab"),
        ("jwt.sub=42", "jwt.sub=42"),
        ("session.user=42", "session.user=42"),
        ("header.X-Api-Key=k-8a2f", &hashed),
        (&hashed, &hashed),
    ] {
        assert_eq!(Identity::key_texts(written)[0], expected, "{written}");
    }
}

#[test]
fn text_of_a_key_leads_to_its_identity() {
    let client = Identity::ip("192.0.2.1".parse().unwrap());
    let tenant = Identity::header("x-tenant", "a");
    let pair = Identity::all([client.clone(), tenant.clone()]);
    let missing = |of: &Identity| {
        let network = network("2001:db8::1".parse().unwrap(), 48);
        Identity::unidentified(of.source().clone(), Some(network))
    };
    let user = Identity::new("42");
    for identity in [
        Identity::all([client.clone(), user.clone()]),
        Identity::all([client.clone(), user.clone()]).context("room;7"),
        missing(&tenant),
        missing(&tenant).context("room;7"),
        missing(&pair),
        missing(&pair).context("room;7"),
        client.context("room;7"),
        Identity::global().context("room;7"),
        user.context("room;7"),
    ] {
        let text = identity.to_string();
        assert!(Identity::key_texts(&text).contains(&text), "{text}");
        let candidates = Identity::candidates(&text);
        let is_same = |one: &Identity| one.to_string() == text;
        assert!(candidates.iter().any(is_same), "{text}: {candidates:?}");
    }
    let written = "(ip=192.0.2.1&header.X-Tenant=a)";
    let text = pair.to_string();
    assert_eq!(Identity::key_texts(written)[0], text);
    assert_eq!(Identity::key_texts(&text), [&*text]);
    assert!(Identity::candidates(&text).is_empty());
    assert_eq!(Identity::candidates(written), [pair]);
}

#[test]
fn settings_that_change_a_text_are_considered() {
    let texts = Identity::key_texts("cookie.sid=a b");
    assert!(texts[0].starts_with("cookie.sid=#"), "{texts:?}");
    assert_eq!(texts[1..], ["cookie.sid=a%20b"]);
    let texts = Identity::key_texts("cookie.sid=a%20b");
    assert_eq!(texts[1..], ["cookie.sid=a%2520b", "cookie.sid=a%20b"]);
    let texts = Identity::key_texts("2001:db8:1:2:3::1");
    for prefix in [48, 56, 64, 128] {
        let network = network("2001:db8:1:2:3::1".parse().unwrap(), prefix);
        let text = Identity::client(Some(network)).to_string();
        assert!(texts.contains(&text), "{prefix}: {texts:?}");
    }
    assert_eq!(Identity::key_texts("192.0.2.1").len(), 1);
}
