//! Texts that clients and files have written: shown as text, and nothing else.

use actix_throttle::{Identity, Limit};

use super::Page;

const HOSTILE: &str =
    "</bdi></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'\u{202e}txet";

/// A name of a limit goes into headers, so it is of ASCII characters.
const NAME: &str = "</bdi></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'";

#[actix_web::test]
async fn hostile_identities_are_shown_harmlessly() {
    let page = Page::new().await;
    let limit: Limit = Limit::per_minute(1).name(NAME).zone(HOSTILE);
    let long = format!("{HOSTILE}{}", "x".repeat(4_096 - HOSTILE.len()));
    let longer = "y".repeat(9_000);
    let identities = [
        Identity::new(HOSTILE),
        Identity::new(long.as_str()),
        Identity::new(longer),
        Identity::header("X-Api-Key", HOSTILE),
        Identity::header("X-Api-Key", b"\xff\xfe\x00".as_slice()),
        Identity::new("ann").context(HOSTILE),
        Identity::path(HOSTILE, HOSTILE),
        Identity::all([Identity::new(HOSTILE), Identity::new("b")]),
    ];
    for identity in &identities {
        page.tries(&limit, identity, 3).await;
    }
    let name =
        actix_web::http::Uri::builder().path_and_query(format!("/?policy={}", escaped(NAME)));
    let policy = name
        .build()
        .expect("escaped")
        .query()
        .expect("a query")
        .to_owned();
    let mut views = vec![
        page.look("").await,
        page.look(&format!("?{policy}")).await,
        page.look(&format!("?policy={}&x", escaped("<b>nobody</b>")))
            .await,
        page.look(&format!("?identity={}", escaped(HOSTILE))).await,
        page.look(&format!("?view={}", escaped(HOSTILE))).await,
        page.look(&format!("?identity=user%3Dann&done={}", escaped(HOSTILE)))
            .await,
        page.send(
            "?view=find",
            &[("identity", &format!("header.a=#{}", "0".repeat(32)))],
        )
        .await,
        page.send("?view=find", &[("identity", &long)]).await,
    ];
    for change in ["reset", "block", "unblock"] {
        let form = [
            ("identity", long.as_str()),
            ("change", change),
            ("length", "1m"),
            ("policy", NAME),
        ];
        views.push(page.send("?view=change", &form).await);
        let form = [
            ("identity", "ann"),
            ("change", HOSTILE),
            ("length", HOSTILE),
            ("policy", NAME),
        ];
        views.push(page.send("?view=change", &form).await);
    }
    for view in views {
        let text = view.text();
        assert!(view.status < 500, "{}", view.status);
        for word in [
            "<script",
            "<img",
            "alert(2)>\"'",
            "</bdi></title>",
            "<b>nobody",
        ] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(text.len() < 200_000, "{}", text.len());
    }
    for identity in &identities[..2] {
        let address = format!("?identity={}", escaped(&identity.to_string()));
        let view = page.look(&address).await;
        assert_eq!(view.status, 200, "{identity}");
        assert!(view.text().contains("no room"), "{identity}");
    }
}

#[actix_web::test]
async fn identity_too_long_to_keep_is_listed_without_a_link() {
    let page = Page::new().await;
    let limit = Limit::per_minute(1).name("by-key");
    let key = Identity::header("X-Api-Key", "k".repeat(5_000));
    page.tries(&limit, &key, 3).await;
    let view = page.look("?policy=by-key").await;
    assert!(view.text().contains(&key.to_string()), "{}", view.text());
    assert!(!view.text().contains("?identity="), "{}", view.text());
}

/// Escapes every byte that is no letter or digit.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(escape).collect()
}
