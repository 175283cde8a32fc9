//! Forged and malformed tokens. Each must be rejected as untrusted.

use super::{foreign::TOKENS, *};

fn valid() -> Json {
    json!({ "sub": "42", "exp": NOW + 600 })
}

#[test]
fn tokens_that_prove_nothing_are_refused() {
    let jwt = built(jwt());
    let claims = encoded(valid().to_string());
    let unsigned = |alg: &str| format!("{}.{claims}.", encoded(format!(r#"{{"alg":"{alg}"}}"#)));
    let good = signed(&valid());
    let [header, _, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts: {good}");
    };
    let other_claims = encoded(json!({ "sub": "1", "exp": NOW + 600 }).to_string());
    assert_eq!(examined(&jwt, &good).unwrap(), "42/default");
    let mut flipped = good.clone().into_bytes();
    let last_but_one = flipped.len() - 2;
    flipped[last_but_one] = if flipped[last_but_one] == b'A' {
        b'B'
    } else {
        b'A'
    };
    let header_of = |json: Json| signed_with(&json, &valid(), SECRET);
    let claims_of = |text: &[u8]| signed_parts(r#"{"alg":"HS256"}"#, text, SECRET);
    let deep = format!("{}{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    for token in [
        unsigned("none"),
        unsigned("None"),
        unsigned("NONE"),
        unsigned(""),
        unsigned("HS256"),
        format!("{}{signature}", unsigned("none")),
        signed_with(&json!({ "alg": "HS256" }), &valid(), "another secret"),
        signed_with(&json!({ "alg": "HS256" }), &valid(), ""),
        format!("{header}.{other_claims}.{signature}"),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}.{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        "..".to_owned(),
        "...".to_owned(),
        String::new(),
        header_of(json!({ "alg": "HS384" })),
        header_of(json!({ "alg": "RS256" })),
        header_of(json!({ "alg": ["HS256"] })),
        header_of(json!({ "typ": "JWT" })),
        header_of(json!([])),
        header_of(json!({ "alg": "HS256", "kid": 1 })),
        header_of(json!({ "alg": "HS256", "crit": ["b64"], "b64": false })),
        header_of(json!({ "alg": "HS256", "crit": [] })),
        signed_parts("{", valid().to_string(), SECRET),
        signed_parts(b"\xff\xfe", valid().to_string(), SECRET),
        signed_parts(&deep, valid().to_string(), SECRET),
        claims_of(b""),
        claims_of(b"\xff\xfe"),
        claims_of(b"{\"sub\":\"\xff\",\"exp\":1}"),
        claims_of(b"42"),
        claims_of(b"[]"),
        claims_of(b"null"),
        claims_of(deep.as_bytes()),
        String::from_utf8(flipped).unwrap(),
        TOKENS[3].1.to_owned(),
    ] {
        let result = examined(&jwt, &token);
        assert!(untrusted(&result), "{token}: {result:?}");
    }
}

#[test]
fn length_is_bounded_before_anything_is_decoded() {
    let jwt = built(jwt());
    let padded = |padding: usize| {
        let mut claims = valid();
        claims["padding"] = json!("x".repeat(padding));
        signed(&claims)
    };
    assert!(examined(&jwt, padded(6_000)).is_ok());
    let result = examined(&jwt, padded(7_000));
    assert_eq!(result, Err(TokenError::Untrusted("it is too long")));
}

/// Tries every token that differs from a genuine token in one byte, or is cut off.
#[test]
fn no_token_next_to_a_genuine_one_is_genuine() {
    let jwt = built(jwt());
    let good = signed(&valid()).into_bytes();
    for at in 0..good.len() {
        assert!(untrusted(&examined(&jwt, &good[..at])), "{at}");
        for byte in [0, b'.', b'A', b'_', b'=', 0x80, 0xff] {
            let mut other = good.clone();
            other[at] = byte;
            assert!(
                other == good || untrusted(&examined(&jwt, &other)),
                "{at} {byte}"
            );
        }
    }
}
