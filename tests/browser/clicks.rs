//! An operator at work: by click and by keyboard alone.

use std::time::Duration;

use actix_throttle::{Identity, Limit};

use crate::{
    browser::with_browser,
    service::{LOGIN, SEARCH, Service, remaining},
};

#[actix_web::test]
async fn operator_blocks_and_unblocks_an_identity() {
    let service = Service::start().await;
    service.tries(&LOGIN, "ann", 9).await;
    service.tries(&SEARCH, "ann", 1).await;
    let limiter = &service.app.limiter;
    with_browser(async |browser| {
        browser.go(&service.page()).await;
        browser.shows("In-memory store, circuit closed").await;
        browser.click_link("login").await;
        browser.shows("5 per 1m, sliding_window").await;
        browser.click_link("user=ann").await;
        browser.shows("no room").await;

        browser.write("#length", "1h").await;
        browser.click("button[value=block]").await;
        browser.shows("Block this identity for 1h?").await;
        assert_eq!(
            remaining(limiter, &SEARCH, "ann").await,
            599,
            "not confirmed yet"
        );
        browser.click_link("Cancel").await;
        browser.shows("Change it").await;
        assert_eq!(remaining(limiter, &SEARCH, "ann").await, 599, "canceled");

        browser.click("button[value=block]").await;
        browser.shows("Block this identity for 10m?").await;
        browser.click("button.primary").await;
        browser.shows("It is blocked.").await;
        assert_eq!(remaining(limiter, &SEARCH, "ann").await, 0);

        browser.click("button[value=unblock]").await;
        browser.click("button.primary").await;
        browser.shows("Its blocks were lifted.").await;
        assert_eq!(remaining(limiter, &SEARCH, "ann").await, 599);
        assert_eq!(remaining(limiter, &LOGIN, "ann").await, 0);

        let option = "option[value=login]";
        browser.click(option).await;
        browser.click("button[value=reset]").await;
        browser.shows("Reset this identity?").await;
        browser.click("button.primary").await;
        browser.shows("Its counters were reset.").await;
        assert_eq!(remaining(limiter, &LOGIN, "ann").await, 5);
        assert_eq!(
            remaining(limiter, &SEARCH, "ann").await,
            599,
            "of the other policy"
        );

        browser.click_link("Overview").await;
        browser.shows("Changed by hand").await;
    })
    .await;
}

#[actix_web::test]
async fn operator_finds_an_identity_by_keyboard() {
    let service = Service::start().await;
    let key = Identity::header("X-Api-Key", "k-8a2f");
    let by_key = Limit::per_minute(2).name("by-key");
    service
        .app
        .limiter
        .check(&by_key, key)
        .await
        .expect("the in-memory store");
    with_browser(async |browser| {
        browser.go(&format!("{}/", service.page())).await;
        browser.click_link("Find an identity").await;
        // The field has the focus.
        let field = browser.0.active_element().await.expect("a focus");
        field
            .send_keys("header.X-Api-Key=k-8a2f\u{e007}")
            .await
            .expect("a field");
        browser.shows("header.x-api-key=#").await;
        browser.shows("1 of 2").await;
        let (address, source) = (browser.address().await, browser.0.source().await);
        assert!(!address.contains("k-8a2f"), "{address}");
        assert!(
            source.expect("a page").contains("k-8a2f"),
            "in the form, to be sent again"
        );
        browser.click("button[value=reset]").await;
        browser.click("button.primary").await;
        browser.shows("2 of 2").await;
    })
    .await;
}

#[actix_web::test]
async fn overview_loads_itself_and_forms_do_not() {
    let service = Service::start().await;
    service.tries(&LOGIN, "ann", 1).await;
    with_browser(async |browser| {
        browser.go(&service.page()).await;
        browser.shows("login").await;
        let seconds = "return Number(document.querySelector('meta[http-equiv=refresh]').content)";
        let seconds = browser.ask(seconds).await.as_u64();
        let interval = Duration::from_secs(seconds.expect("the interval of the overview"));
        service.tries(&SEARCH, "ann", 1).await;
        browser.shows("search").await;

        browser.click_link("Pause").await;
        browser.shows("Paused").await;
        browser.click_link("Go on").await;
        browser.shows("Loads itself").await;

        browser.click_link("Find an identity").await;
        browser.write("#identity", "half a na").await;
        browser.pass(interval * 2).await;
        let field = browser.find("#identity").await;
        let written = field.prop("value").await.expect("a field");
        assert_eq!(written.as_deref(), Some("half a na"));
    })
    .await;
}

#[actix_web::test]
async fn reader_sees_no_identity_and_no_form() {
    let service = Service::start().await;
    service.tries(&LOGIN, "203.0.113.66", 9).await;
    with_browser(async |browser| {
        let page = format!("http://{}/read", service.live.address);
        browser.go(&page).await;
        browser.shows("ip #1").await;
        let source = browser.0.source().await.expect("a page");
        assert!(!source.contains("203.0.113"), "{source}");
        browser.go(&format!("{page}?identity=203.0.113.66")).await;
        browser.shows("no room").await;
        let forms = browser.ask("return document.forms.length").await;
        assert_eq!(forms, 0);
    })
    .await;
}
