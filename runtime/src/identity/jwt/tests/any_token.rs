//! Tokens that nobody meant: random bytes, and valid tokens with random edits. Each is an error or
//! what its signature proves, and none panics.

use proptest::{collection::vec, prelude::*, sample};

use super::*;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"one"}"#;
const CLAIMS: &str = r#"{"sub":"42","exp":1700000600,"nbf":1699999999,"iss":"id.example"}"#;

/// An edit at a position of the text: how many bytes go, and which come.
type Edit = (sample::Index, usize, Vec<u8>);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let byte = prop_oneof![
        any::<u8>(),
        sample::select(&b"{}[]\":,.-+eE0129=_ \\utrfn\0"[..])
    ];
    vec((any::<sample::Index>(), 0..4_usize, vec(byte, 0..4)), 0..4)
}

fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (at, removed, inserted) in edits {
        let at = at.index(bytes.len() + 1);
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, inserted.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn edited_token_is_untrusted(edits in edits()) {
        let valid = signed_parts(HEADER, CLAIMS, SECRET);
        let token = edited(&valid, &edits);
        let result = examined(&built(jwt()), &token);
        if token == valid.as_bytes() {
            prop_assert_eq!(result.unwrap(), "42/default");
        } else {
            prop_assert!(untrusted(&result), "{result:?}");
        }
    }

    #[test]
    fn random_bytes_are_no_token(bytes in vec(any::<u8>(), 0..200)) {
        let result = examined(&built(jwt()), &bytes);
        prop_assert!(untrusted(&result), "{result:?}");
    }

    #[test]
    fn signed_nonsense_is_a_user_or_an_error(edits in (edits(), edits())) {
        let (header, claims) = (edited(HEADER, &edits.0), edited(CLAIMS, &edits.1));
        let token = signed_parts(&header, &claims, SECRET);
        if built(jwt()).examine_at(token.as_bytes(), NOW).is_ok() {
            let claims: Json = serde_json::from_slice(&claims).expect("claims of a user are JSON");
            prop_assert!(claims["sub"].is_string() || claims["sub"].is_number(), "{claims}");
        }
    }
}
