//! Tests of which keys are accepted, and which key verifies which token.

use base64::engine::general_purpose::STANDARD;

use super::{
    foreign::{ED25519, P256, P384, RSA, RSA_OF_1024_BITS, RSA_PKCS1, SECP256K1, TOKENS},
    *,
};

/// Returns the key that signed the token of this algorithm.
fn key_for(algorithm: &str) -> JwtKey {
    match &algorithm[..2] {
        "HS" => JwtKey::secret(SECRET),
        "RS" | "PS" => JwtKey::public(RSA),
        "Ed" => JwtKey::public(ED25519),
        _ if algorithm == "ES256" => JwtKey::public(P256),
        _ => JwtKey::public(P384),
    }
}

/// Returns the DER bytes of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn diagnostic(key: JwtKey) -> String {
    let error = Jwt::builder().key(key).build().unwrap_err();
    assert!(error.is_settings());
    error.to_string()
}

#[test]
fn tokens_of_another_implementation_are_read() {
    for (algorithm, token) in TOKENS {
        let named = Jwt::builder().key(key_for(algorithm).algorithms([algorithm]));
        assert_eq!(
            examined(&built(named), token).unwrap(),
            "42/pro",
            "{algorithm}"
        );
    }
}

/// Checks each token against each key with its default algorithm.
#[test]
fn algorithm_follows_from_the_key() {
    for (of_key, follows) in [
        ("HS256", "HS256"),
        ("RS256", "RS256"),
        ("ES256", "ES256"),
        ("ES384", "ES384"),
        ("EdDSA", "EdDSA"),
    ] {
        let jwt = built(Jwt::builder().key(key_for(of_key)));
        for (algorithm, token) in TOKENS {
            let result = examined(&jwt, token);
            if algorithm == follows {
                assert_eq!(result.unwrap(), "42/pro", "{algorithm}")
            } else {
                assert!(untrusted(&result), "{of_key} {algorithm} {result:?}")
            }
        }
    }
}

#[test]
fn keys_are_read_as_pem_and_der() {
    for key in [
        JwtKey::public(RSA),
        JwtKey::public(RSA_PKCS1),
        JwtKey::public(der(RSA)),
        JwtKey::public(der(RSA_PKCS1)),
        JwtKey::public(format!("# of the issuer\n\n{RSA}\n\n")),
        JwtKey::public(RSA.replace('\n', "\r\n")),
    ] {
        let jwt = built(Jwt::builder().key(key));
        assert_eq!(examined(&jwt, TOKENS[3].1).unwrap(), "42/pro");
    }
    for (pem, token) in [(P256, 9), (P384, 10), (ED25519, 11)] {
        let jwt = built(Jwt::builder().key(JwtKey::public(der(pem))));
        assert_eq!(examined(&jwt, TOKENS[token].1).unwrap(), "42/pro");
    }
}

#[test]
fn bad_keys_are_named_when_built() {
    let relabelled = |label| JwtKey::public(ED25519.replace("PUBLIC KEY", label));
    let off_the_curve = |pem| {
        let mut der = der(pem);
        *der.last_mut().unwrap() ^= 1;
        JwtKey::public(der)
    };
    let short = {
        let mut der = der(ED25519);
        // One byte less in the bit string, in the sequence and at the end.
        (der[1], der[10]) = (der[1] - 1, der[10] - 1);
        der.pop();
        JwtKey::public(der)
    };
    for (key, part) in [
        (JwtKey::secret(""), "the secret is empty"),
        (JwtKey::secret(RSA), "a PEM file is no secret"),
        (
            JwtKey::secret(format!("\n{ED25519}")),
            "a PEM file is no secret",
        ),
        (JwtKey::public(""), "no public key in DER or PEM"),
        (JwtKey::public("hello"), "no public key in DER or PEM"),
        (
            JwtKey::public(vec![0x30, 0x82, 0xff, 0xff]),
            "no public key in DER or PEM",
        ),
        (JwtKey::public(&RSA[..200]), "the PEM cannot be read"),
        (relabelled("PRIVATE KEY"), "it is a private key"),
        (relabelled("EC PRIVATE KEY"), "it is a private key"),
        (relabelled("CERTIFICATE"), "it is a certificate"),
        (relabelled("RSA PUBLIC KEY"), "the RSA key cannot be read"),
        (relabelled("X509 CRL"), "it is a `X509 CRL`"),
        (
            JwtKey::public(RSA_OF_1024_BITS),
            "the RSA key has 1024 bits",
        ),
        (
            JwtKey::public(SECP256K1),
            "its curve is neither P-256 nor P-384",
        ),
        (off_the_curve(P256), "its point is not on its curve"),
        (off_the_curve(P384), "its point is not on its curve"),
        (short, "an Ed25519 key has 32 bytes, not 31"),
        (
            JwtKey::public(RSA_OF_1024_BITS).id("old"),
            "the key `old`: the RSA key has",
        ),
    ] {
        let diagnostic = diagnostic(key);
        assert!(diagnostic.contains(part), "{diagnostic}");
    }
    assert!(
        Jwt::builder()
            .build()
            .unwrap_err()
            .to_string()
            .contains("no key")
    );
    for (builder, part) in [
        (jwt().issuer(""), "`issuer` is empty"),
        (jwt().audience("a").audience(""), "`audience` is empty"),
        (jwt().user_claim(""), "`user_claim` is empty"),
        (jwt().group_claim(""), "`group_claim` is empty"),
        (jwt().cookie(""), "`cookie` is empty"),
        (jwt().cookie("a=b"), "\"a=b\" is no name of a cookie"),
    ] {
        let diagnostic = builder.build().unwrap_err().to_string();
        assert!(diagnostic.contains(part), "{diagnostic}");
    }
}

#[test]
fn algorithms_must_fit_the_key() {
    let diagnostic = |key: JwtKey, algorithm: &str| diagnostic(key.algorithms([algorithm]));
    for algorithm in [
        "none", "None", "", "HS1", "RS256", "ES256", "EdDSA", "hs256",
    ] {
        let said = diagnostic(JwtKey::secret(SECRET), algorithm);
        let expected = format!(
            "`Jwt`: `{algorithm}` is no algorithm for a secret: name `HS256`, `HS384`, `HS512`"
        );
        assert_eq!(said, expected);
    }
    for pem in [RSA, P256, P384, ED25519] {
        for algorithm in ["none", "HS256", "HS384", "HS512"] {
            let said = diagnostic(JwtKey::public(pem), algorithm);
            assert!(said.contains("is no algorithm for"), "{said}");
        }
    }
    assert!(diagnostic(JwtKey::public(P256), "ES384").contains("name `ES256`"));
}

/// Guards against algorithm confusion (RFC 8725, section 2.1): a library that takes the algorithm
/// from the token would use the public key as an HMAC secret.
#[test]
fn public_key_never_verifies_as_a_secret() {
    let claims = json!({ "sub": "42", "exp": NOW + 60 });
    for pem in [RSA, P256, P384, ED25519] {
        let jwt = built(Jwt::builder().key(JwtKey::public(pem)));
        for secret in [pem, pem.trim()] {
            let token = signed_with(&json!({ "alg": "HS256" }), &claims, secret);
            assert!(untrusted(&examined(&jwt, token)));
        }
    }
}

#[test]
fn key_with_an_id_is_for_tokens_that_name_it() {
    let secrets = [
        "the first of the secrets",
        "the second one",
        "the one for all",
    ];
    let jwt = built(
        Jwt::builder()
            .key(JwtKey::secret(secrets[0]).id("a"))
            .key(JwtKey::secret(secrets[1]).id("b"))
            .key(JwtKey::secret(secrets[2])),
    );
    for (id, genuine) in [
        (Some("a"), [true, false, true]),
        (Some("b"), [false, true, true]),
        (Some("c"), [false, false, true]),
        (Some(""), [false, false, true]),
        (None, [false, false, true]),
    ] {
        let header = match id {
            Some(id) => json!({ "alg": "HS256", "kid": id }),
            None => json!({ "alg": "HS256" }),
        };
        let claims = json!({ "sub": "42", "exp": NOW + 60 });
        let results = secrets.map(|secret| {
            let token = signed_with(&header, &claims, secret);
            examined(&jwt, token).is_ok()
        });
        assert_eq!(results, genuine, "{id:?}");
    }
}
