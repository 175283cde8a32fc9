//! Other sites, and texts that other people have written: neither may do anything here.

use actix_throttle::{Limit, RateLimiter};
use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use harness::http::live::Live;

use crate::{
    browser::with_browser,
    service::{LOGIN, Service, remaining},
};

/// A page of another site, which sends a form to the status page and frames it.
async fn other_site(target: web::Query<Vec<(String, String)>>) -> HttpResponse {
    let page = &target[0].1;
    let html = format!(
        "<form method=post action='{page}?view=change'><input name=identity value='user=ann'>\
         <input name=change value=reset><input name=confirmed value=yes><button>Win</button></form>\
         <iframe src='{page}'></iframe>"
    );
    HttpResponse::Ok().content_type("text/html").body(html)
}

fn routes(config: &mut ServiceConfig) {
    config.route("/", web::get().to(other_site));
}

#[actix_web::test]
async fn other_site_can_neither_post_nor_frame() {
    let service = Service::start().await;
    service.tries(&LOGIN, "ann", 9).await;
    let limiter = RateLimiter::builder()
        .memory()
        .build()
        .await
        .expect("valid settings");
    let other = Live::start(&limiter, 1, routes);
    with_browser(async |browser| {
        // `localhost` is another site, and 127.0.0.1 the same site on another port.
        for host in ["localhost", "127.0.0.1"] {
            let address = format!(
                "http://{host}:{}/?page={}",
                other.address.port(),
                service.page()
            );
            browser.go(&address).await;
            let frame = browser.find("iframe").await;
            frame.enter_frame().await.expect("a frame");
            let text = browser.text().await;
            assert!(!text.contains("Rate limits"), "{host}: {text}");
            browser.0.enter_parent_frame().await.expect("a parent");
            browser.click("button").await;
            browser
                .shows("This form was not sent by the page itself.")
                .await;
            assert_eq!(
                remaining(&service.app.limiter, &LOGIN, "ann").await,
                0,
                "{host}"
            );
        }
    })
    .await;
}

#[actix_web::test]
async fn hostile_texts_are_shown_and_do_nothing() {
    const HOSTILE: &str = "</bdi></title><script>document.title='won'</script>\
                           <img src=x onerror=\"document.title='won'\">\u{202e}txet";
    let service = Service::start().await;
    let limit = Limit::per_minute(1)
        .name("<b>bold</b><script>")
        .zone(HOSTILE);
    let long = format!("{HOSTILE}{}", "x".repeat(4_000 - HOSTILE.len()));
    service.tries(&limit, HOSTILE, 5).await;
    service.tries(&limit, &long, 5).await;
    with_browser(async |browser| {
        let state = "return [document.title, document.scripts.length, document.images.length, \
                     document.documentElement.scrollWidth <= innerWidth]";
        browser.look(1000, 800, "light").await;
        browser.go(&service.page()).await;
        browser.shows("Denied most").await;
        assert_eq!(
            browser.ask(state).await,
            serde_json::json!(["Overview · Rate limits", 0, 0, true])
        );
        browser.click(".policies a").await;
        browser.shows("Denied most").await;
        browser.click("tbody th a").await;
        browser.shows("no room").await;
        assert_eq!(
            browser.ask(state).await,
            serde_json::json!(["Identity · Rate limits", 0, 0, true])
        );

        browser.click_link("Find an identity").await;
        let set = format!(
            "document.getElementById('identity').value = {}",
            serde_json::json!(long)
        );
        browser.ask(&set).await;
        browser.click("button").await;
        browser.shows("no room").await;
        assert_eq!(
            browser.ask(state).await,
            serde_json::json!(["Identity · Rate limits", 0, 0, true])
        );
        browser.click("button[value=reset]").await;
        browser.click("button.primary").await;
        browser.shows("1 of 1").await;
        assert_eq!(remaining(&service.app.limiter, &limit, &long).await, 1);
    })
    .await;
}
