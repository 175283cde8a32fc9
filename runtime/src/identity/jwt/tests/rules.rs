//! The claims that a genuine token must have.

use std::time::Duration;

use super::*;

/// Examines a genuine token with these claims; adds a user and an expiry if they are missing.
fn claims(jwt: &Jwt, mut claims: Json) -> Result<String, TokenError> {
    let all = claims.as_object_mut().unwrap();
    all.entry("sub").or_insert(json!("42"));
    all.entry("exp").or_insert(json!(NOW + 600));
    examined(jwt, signed(&claims))
}

fn unusable(result: Result<String, TokenError>) -> String {
    match result {
        Err(TokenError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn token_expires_and_begins_at_its_second() {
    for leeway in [0, 1, 60, u64::MAX] {
        let jwt = built(jwt().leeway(Duration::from_secs(leeway)));
        let at = |claim: &str, time: u64| claims(&jwt, json!({ claim: time }));
        let expired = NOW.saturating_sub(leeway);
        assert_eq!(untrusted(&at("exp", expired)), leeway < u64::MAX);
        assert!(at("exp", expired + 1).is_ok());
        assert!(at("exp", u64::MAX).is_ok());
        assert!(at("nbf", NOW.saturating_add(leeway)).is_ok());
        assert!(at("nbf", 0).is_ok());
        if leeway < u64::MAX {
            assert!(untrusted(&at("nbf", NOW + leeway + 1)));
            assert!(untrusted(&at("nbf", u64::MAX)));
        }
    }
    let by_default = built(jwt());
    assert!(claims(&by_default, json!({ "exp": NOW - 59 })).is_ok());
    assert!(untrusted(&claims(&by_default, json!({ "exp": NOW - 60 }))));
}

#[test]
fn times_may_have_a_fraction_and_nothing_else() {
    let jwt = built(jwt().leeway(Duration::ZERO));
    let soon = NOW as f64 + 1.5;
    assert!(claims(&jwt, json!({ "exp": soon })).is_ok());
    assert!(claims(&jwt, json!({ "exp": 1e300 })).is_ok());
    for past in [json!(NOW as f64 + 0.5), json!(-1), json!(-1e300), json!(0)] {
        assert!(untrusted(&claims(&jwt, json!({ "exp": past }))));
    }
    for wrong in [
        json!("1700000600"),
        json!(null),
        json!([]),
        json!({}),
        json!(true),
    ] {
        let why = unusable(claims(&jwt, json!({ "exp": wrong })));
        assert_eq!(why, "its `exp` is no time");
        let why = unusable(claims(&jwt, json!({ "nbf": wrong })));
        assert_eq!(why, "its `nbf` is no time");
    }
    let forever = examined(&jwt, signed(&json!({ "sub": "42" })));
    assert_eq!(unusable(forever), "it never expires: it has no `exp`");
}

#[test]
fn user_and_group_are_texts_or_whole_numbers() {
    let jwt = built(jwt());
    for (stated, expected) in [
        (json!({}), "42/default"),
        (json!({ "sub": 42 }), "42/default"),
        (json!({ "sub": 42, "group": 7 }), "42/7"),
        (json!({ "sub": "ann", "group": "pro" }), "ann/pro"),
        (json!({ "sub": "ann", "group": "" }), "ann/default"),
        (json!({ "sub": "ann", "group": null }), "ann/default"),
    ] {
        assert_eq!(claims(&jwt, stated).unwrap(), expected);
    }
    for (stated, part) in [
        (json!({ "sub": "" }), "`sub` is missing or empty"),
        (json!({ "sub": null }), "`sub` is missing or empty"),
        (json!({ "sub": 1.5 }), "`sub` is no text or whole number"),
        (json!({ "sub": ["42"] }), "`sub` is no text or whole number"),
        (
            json!({ "sub": { "id": 42 } }),
            "`sub` is no text or whole number",
        ),
        (
            json!({ "group": ["pro"] }),
            "`group` is no text or whole number",
        ),
        (
            json!({ "group": true }),
            "`group` is no text or whole number",
        ),
    ] {
        let why = unusable(claims(&jwt, stated));
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn claims_may_have_other_names() {
    let jwt = built(jwt().user_claim("user").group_claim("plan"));
    let stated = json!({ "user": "ann", "plan": "pro", "group": "gold" });
    assert_eq!(claims(&jwt, stated).unwrap(), "ann/pro");
    let why = unusable(claims(&jwt, json!({ "sub": "ann" })));
    assert!(why.contains("`.user_claim(..)`"), "{why}");
}

#[test]
fn audience_must_be_ours() {
    let (ours, nobodys) = (
        built(jwt().audience("shop").audience("store")),
        built(jwt()),
    );
    for (audience, is_ours) in [
        (json!("shop"), true),
        (json!("store"), true),
        (json!(["blog", "store"]), true),
        (json!("blog"), false),
        (json!(["blog"]), false),
        (json!([]), false),
        (json!(""), false),
        (json!(null), false),
        (json!(["blog", 1, ["shop"]]), false),
        (json!({ "shop": true }), false),
    ] {
        let result = claims(&ours, json!({ "aud": audience }));
        assert_eq!(result.is_ok(), is_ours, "{audience}");
        assert_eq!(untrusted(&result), !is_ours, "{audience}");
        let why = unusable(claims(&nobodys, json!({ "aud": audience })));
        assert!(why.contains("`.audience(..)`"), "{why}");
    }
    assert!(untrusted(&claims(&ours, json!({}))));
    assert!(claims(&nobodys, json!({})).is_ok());
}

#[test]
fn issuer_must_be_known() {
    let jwt = built(jwt().issuer("https://a.example"));
    assert_eq!(
        claims(&jwt, json!({ "iss": "https://a.example" })).unwrap(),
        "42/default"
    );
    for issuer in [
        json!("https://a.example/"),
        json!(["https://a.example"]),
        json!(null),
        json!(1),
    ] {
        assert!(
            untrusted(&claims(&jwt, json!({ "iss": issuer }))),
            "{issuer}"
        );
    }
    assert!(untrusted(&claims(&jwt, json!({}))));
}

#[test]
fn users_of_several_issuers_are_apart() {
    let jwt = built(jwt().issuer("a").issuer("a:1"));
    let of =
        |issuer: &str, user: &str| claims(&jwt, json!({ "iss": issuer, "sub": user })).unwrap();
    assert_eq!(of("a", "42"), of("a", "42"));
    assert_ne!(of("a", "42"), of("a:1", "42"));
    assert_ne!(of("a", "1:42"), of("a:1", "42"));
}
