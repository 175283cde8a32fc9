//! Access to the page, and what every response says to the browser.

use harness::http::app::{get, post};

use super::{LOGIN, Page, looking, sending};

const RESET: [(&str, &str); 3] = [
    ("identity", "user=ann"),
    ("change", "reset"),
    ("confirmed", "yes"),
];

#[actix_web::test]
async fn forbidden_sees_nothing() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    for query in [
        "",
        "?policy=login",
        "?identity=user%3Dann",
        "?view=find",
        "?format=json",
        "?x",
    ] {
        for admin in [None, Some("nonsense")] {
            let mut request = get(&format!("/limits/{query}"));
            if let Some(admin) = admin {
                request = request.insert_header(("X-Admin", admin));
            }
            let answer = page.service.send(request).await;
            assert_eq!(
                (answer.status, answer.text()),
                (403, "Forbidden\n"),
                "{query}"
            );
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        }
    }
    let answer = page.service.send(sending("?view=change", &RESET)).await;
    assert_eq!((answer.status, answer.text()), (403, "Forbidden\n"));
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
}

#[actix_web::test]
async fn reader_sees_no_identity_and_changes_nothing() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    page.limiter()
        .block(&LOGIN, "ann", std::time::Duration::from_secs(60))
        .await
        .expect("in memory");
    for query in [
        "",
        "?policy=login",
        "?format=json",
        "?policy=login&format=json",
        "?identity=user%3Dann",
        "?identity=user%3Dann&format=json",
    ] {
        let answer = page.look_as("read", query).await;
        assert_eq!(answer.status, 200, "{query}");
        assert!(
            answer.text().contains("user #1"),
            "{query}: {}",
            answer.text()
        );
        for written in ["=ann", "%3Dann"] {
            assert!(
                !answer.text().contains(written),
                "{query}: {}",
                answer.text()
            );
        }
    }
    let request = sending("?view=change", &RESET)
        .insert_header(("X-Admin", "read"))
        .insert_header(("Sec-Fetch-Site", "same-origin"));
    assert_eq!(page.service.send(request).await.status, 403);
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
}

#[actix_web::test]
async fn form_of_another_site_is_refused() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", "https://evil.example"),
        ("Origin", "https://limits.example.evil.example"),
        ("Origin", "https://limits.example:8443"),
        ("Origin", "null"),
    ] {
        for form in [&RESET[..2], &RESET[..]] {
            let request = sending("?view=change", form).insert_header(("X-Admin", "full"));
            let answer = page.service.send(request.insert_header(header)).await;
            assert_eq!(answer.status, 403, "{header:?}");
            assert!(
                answer.text().contains("not sent by the page itself"),
                "{}",
                answer.text()
            );
        }
    }
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
    for header in [
        ("Origin", "https://limits.example"),
        ("Sec-Fetch-Site", "same-origin"),
        ("X", ""),
    ] {
        page.tries(&LOGIN, "ann", 9).await;
        let request = sending("?view=change", &RESET).insert_header(("X-Admin", "full"));
        let answer = page.service.send(request.insert_header(header)).await;
        assert_eq!(answer.status, 303, "{header:?}");
        assert_eq!(page.remaining(&LOGIN, "ann").await, 5);
    }
}

#[actix_web::test]
async fn every_response_keeps_the_browser_from_doing_more() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    let same = ("Sec-Fetch-Site", "same-origin");
    let full = ("X-Admin", "full");
    let requests = [
        looking("", "full"),
        looking("?format=json", "full"),
        looking("?policy=nobody", "full"),
        looking("", "nobody"),
        sending("?view=change", &RESET[..2])
            .insert_header(full)
            .insert_header(same),
        sending("?view=change", &RESET)
            .insert_header(full)
            .insert_header(same),
        sending("?view=change", &RESET)
            .insert_header(full)
            .insert_header(("Origin", "null")),
        post("/limits/")
            .insert_header(full)
            .method(actix_web::http::Method::DELETE),
    ];
    for request in requests {
        let answer = page.service.send(request).await;
        let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("Cache-Control"), "no-store");
        assert_eq!(header("X-Frame-Options"), "DENY");
        assert_eq!(header("X-Content-Type-Options"), "nosniff");
        assert_eq!(header("Referrer-Policy"), "same-origin");
        let policy = header("Content-Security-Policy");
        let parts: Vec<_> = policy.split("; ").collect();
        for part in [
            "default-src 'none'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(parts.contains(&part), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("script"),
            "{policy}"
        );
    }
}

#[actix_web::test]
async fn views_have_no_script_and_load_nothing() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    for query in [
        "",
        "?policy=login",
        "?identity=user%3Dann",
        "?view=find",
        "?view=configuration",
    ] {
        let answer = page.look(query).await;
        let text = answer.text();
        assert_eq!(answer.status, 200, "{query}");
        for word in [
            "<script",
            " style=",
            "src=",
            " onclick",
            "http://",
            "https://",
            "javascript:",
        ] {
            assert!(!text.contains(word), "{query}: {word}");
        }
        // All addresses are query strings, but for the empty icon.
        for address in text
            .split("href=\"")
            .skip(1)
            .chain(text.split("action=\"").skip(1))
        {
            assert!(
                address.starts_with('?') || address.starts_with("data:,\""),
                "{address:.40}"
            );
        }
    }
}
