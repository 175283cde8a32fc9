//! Tests of keys as text: readable, stable, and never forged by an identity or zone.

use std::collections::HashSet;

use super::*;
use crate::identity::{IdentitySource, IdentityValue, RequestPart};

fn naming(plain: bool) -> Naming {
    Naming {
        prefix: "p".into(),
        plain,
    }
}

fn text(identity: &Identity) -> String {
    Key::counter(identity, &Limit::per_second(1).zone("z")).text(&naming(false))
}

#[test]
fn keys_are_readable() {
    let limit = Limit::per_minute(5).zone("app::login");
    let address = "2001:db8::1".parse().unwrap();
    for (identity, expected) in [
        (Identity::new("42"), "p:{user=42}:app::login:l60"),
        (
            Identity::ip(address),
            "p:{ip=2001-db8-0-0-0-0-0-0}:app::login:l60",
        ),
        (Identity::global(), "p:{global}:app::login:l60"),
        (
            Identity::new("42").context("room/7"),
            "p:{user=42;room/7}:app::login:l60",
        ),
    ] {
        let key = Key::counter(&identity, &limit);
        assert_eq!(key.text(&naming(false)), expected);
        assert_eq!(
            key.block().text(&naming(false)),
            expected.replace("l60", "x")
        );
    }
    let shadow = limit.shadow().algorithm(Algorithm::TokenBucket);
    let user = Identity::new("42");
    assert_eq!(
        Key::counter(&user, &shadow).text(&naming(false)),
        "p:{user=42}:app::login:T60"
    );
}

#[test]
fn periods_have_one_key_whatever_their_zone() {
    let user = Identity::new("42");
    let limit = Limit::every(Period::Month, 5).zone("app::report");
    for limit in [
        limit,
        limit.time_zone("Europe/Berlin"),
        Limit::every(Period::Month, 9).zone("app::report"),
    ] {
        let key = Key::counter(&user, &limit);
        assert_eq!(key.text(&naming(false)), "p:{user=42}:app::report:qmonth");
    }
    let shadow = Key::counter(&user, &limit.shadow());
    assert_eq!(
        shadow.text(&naming(false)),
        "p:{user=42}:app::report:Qmonth"
    );
    assert_eq!(
        shadow.block().text(&naming(false)),
        "p:{user=42}:app::report:X"
    );
}

#[test]
fn permits_have_one_key_whatever_their_number() {
    let user = Identity::new("42");
    let limit = Concurrency::new(5).zone("app::export");
    let key = Key::permits(&user, &limit);
    assert_eq!(key.text(&naming(false)), "p:{user=42}:app::export:p");
    assert_eq!(
        key.block().text(&naming(false)),
        "p:{user=42}:app::export:x"
    );
    let shadow = Concurrency::new(6).zone("app::export").shadow();
    assert_eq!(
        Key::permits(&user, &shadow).text(&naming(false)),
        "p:{user=42}:app::export:P"
    );
}

#[test]
fn what_could_forge_is_escaped() {
    let hostile = Identity::new("a}:{ip=1.2.3.4\n\0");
    let text = text(&hostile);
    assert_eq!(text.matches('{').count(), 1);
    assert_eq!(text.matches('}').count(), 1);
    assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
}

#[test]
fn secret_identity_is_hashed_unless_plain_keys_are_set() {
    let token = "Basic YWRtaW46aHVudGVyMg==";
    for identity in [
        Identity::header("Authorization", token),
        Identity::cookie("sid", token),
        Identity::query("api_key", token),
        Identity::header("Authorization", token).context("room"),
    ] {
        let hidden = text(&identity);
        assert!(
            !hidden.contains("Basic") && !hidden.contains("YWRtaW4"),
            "{hidden}"
        );
        assert!(hidden.contains("=#"), "{hidden}");
        for shown in [identity.to_string(), format!("{identity:?}")] {
            assert!(
                !shown.contains("Basic") && !shown.contains("YWRtaW4"),
                "{shown}"
            );
        }
        let key = Key::counter(&identity, &Limit::per_second(1).zone("z"));
        let plain = key.text(&naming(true));
        assert!(
            plain.contains("=Basic%20YWRtaW46aHVudGVyMg%3D%3D"),
            "{plain}"
        );
    }
    let (one, other) = (Identity::header("a", "1"), Identity::header("a", "2"));
    assert_ne!(text(&one), text(&other));
    assert_eq!(text(&Identity::path("id", "42")), "p:{path.id=42}:z:l1");
}

#[test]
fn identities_never_collide() {
    let long = "x".repeat(100);
    let hash_of_long = text(&Identity::new(long.as_str()));
    let inside = &hash_of_long["p:{user=".len()..hash_of_long.find('}').unwrap()];
    let value = |text: &str| IdentityValue::Bytes(text.as_bytes().into());
    let header = |text| {
        Identity::of(
            IdentitySource::RequestPart(RequestPart::Header, "a".into()),
            value(text),
        )
    };
    let all = [
        Identity::new("1.2.3.4"),
        Identity::ip("1.2.3.4".parse().unwrap()),
        Identity::global(),
        Identity::new("global"),
        Identity::new(""),
        Identity::new(long.as_str()),
        Identity::new(inside),
        header("1.2.3.4"),
        header("!1.2.3.4"),
        Identity::unidentified(
            IdentitySource::RequestPart(RequestPart::Header, "a".into()),
            Some("1.2.3.4/32".parse().unwrap()),
        ),
        Identity::unidentified(
            IdentitySource::Application,
            Some("1.2.3.4/32".parse().unwrap()),
        ),
        Identity::client(None),
        Identity::new("1.2.3.4").context("a"),
        Identity::new("1.2.3.4;a"),
        Identity::new("1.2.3.4").context("a;b"),
        Identity::new("1.2.3.4").context("a").context("b"),
        Identity::new("").context("1.2.3.4"),
        Identity::ip("1.2.3.4".parse().unwrap()).context("a"),
        Identity::client(None).context("a"),
        Identity::global().context("a"),
        Identity::new("1.2.3.4").context(&long),
        Identity::of(IdentitySource::Claim("sub".into()), value("1.2.3.4")),
        Identity::of(IdentitySource::Claim("user".into()), value("1.2.3.4")),
        Identity::of(IdentitySource::Session("user".into()), value("1.2.3.4")),
    ];
    for plain in [false, true] {
        let text =
            |identity| Key::counter(identity, &Limit::per_second(1).zone("z")).text(&naming(plain));
        let texts: HashSet<_> = all.iter().map(text).collect();
        assert_eq!(texts.len(), all.len());
    }
}

#[test]
fn windows_are_in_seconds_or_have_a_unit() {
    use std::time::Duration;
    let user = Identity::new("42");
    for (window, expected) in [
        (Duration::from_secs(86_400), "l86400"),
        (Duration::from_millis(1_500), "l1500m"),
        (Duration::from_micros(1_500_001), "l1500001u"),
    ] {
        let limit = Limit::new(1, window).zone("z");
        let text = Key::counter(&user, &limit).text(&naming(false));
        assert_eq!(text, format!("p:{{user=42}}:z:{expected}"));
    }
}

/// The keys of versions that count together must not change by accident, and each way of counting
/// has a letter of its own.
#[test]
fn letters_are_those_of_the_guide() {
    let user = Identity::new("42");
    let limit = Limit::per_minute(5).zone("z");
    let bucket = limit.algorithm(Algorithm::TokenBucket);
    let all = [
        (limit, "l60"),
        (limit.algorithm(Algorithm::SlidingWindowCounter), "c60"),
        (limit.algorithm(Algorithm::FixedWindow), "f60"),
        (bucket, "t60"),
        (bucket.refill(Refill::Interval), "i60"),
        (limit.algorithm(Algorithm::LeakyBucket), "b60"),
    ];
    for (limit, expected) in all {
        for (limit, expected) in [
            (limit, expected.to_owned()),
            (limit.shadow(), expected.to_ascii_uppercase()),
        ] {
            let key = Key::counter(&user, &limit);
            assert_eq!(
                key.text(&naming(false)),
                format!("p:{{user=42}}:z:{expected}")
            );
        }
    }
}

/// Lua's table of strings no longer tells keys of more than 31 bytes apart by all of their bytes.
#[test]
fn short_identity_in_a_default_zone_has_31_bytes() {
    let naming = Naming {
        prefix: "throttle".into(),
        plain: false,
    };
    let limit = Limit::per_minute(5).zone("shop::handlers::login");
    for identity in [Identity::new("7"), Identity::global()] {
        let text = Key::counter(&identity, &limit).text(&naming);
        assert_eq!(text.len(), 31, "{text}");
    }
}
