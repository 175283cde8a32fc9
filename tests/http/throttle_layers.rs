//! The middleware together with scopes, attributes, bodies and errors.

use std::{cell::Cell, rc::Rc};

use actix_throttle::{HeaderStyle, Limit, RateLimiter, Rule, Throttle, rate_limit};
use actix_web::{
    App, Error, HttpMessage, HttpResponse,
    body::BodyStream,
    dev::Service,
    get, post as post_to, rt,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{StreamExt, stream};

use super::throttle::{anything, decided};
use harness::http::{
    app::{TestApp, TestService, get, post},
    live::{Live, status},
};

fn rule(times: u32) -> Rule {
    Rule::new(Limit::per_minute(times))
}

fn global(times: u32) -> Throttle {
    Throttle::per_client(Limit::per_minute(times)).expect("a valid limit")
}

fn named(times: u32, name: &'static str) -> Throttle {
    Throttle::per_client(Limit::per_minute(times).name(name)).expect("a valid limit")
}

#[get("/handler")]
#[rate_limit("5/minute", name = "attribute")]
async fn handler() -> &'static str {
    "ok"
}

fn ok(config: &mut ServiceConfig) {
    config.service(handler);
    anything(config);
}

#[actix_web::test]
async fn middleware_and_attribute_both_show_and_the_stricter_wins() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Both)).await;
    for (times, strictest) in [(9, [5, 4, 60]), (2, [2, 1, 60])] {
        let service = test_app.behind(named(times, "middleware"), ok).await;
        let answer = service.get("/handler").await;
        assert_eq!(answer.quota(), Some(strictest));
        let policies = answer.header("RateLimit-Policy").expect("policies");
        for name in ["\"middleware\"", "\"attribute\";q=5"] {
            assert_eq!(policies.matches(name).count(), 1, "{policies}");
        }
        test_app.after_seconds(60);
    }
}

#[actix_web::test]
async fn attribute_denial_shows_its_limit_and_keeps_middleware_charge() {
    let test_app = TestApp::new().await;
    let service = test_app.behind(global(100), ok).await;
    assert_eq!(service.statuses("/handler", 5).await, [200; 5]);
    let denied = service.get("/handler").await;
    assert_eq!((denied.status, denied.quota()), (429, Some([5, 0, 60])));
    assert_eq!(service.get("/").await.remaining(), Some(93));
}

#[actix_web::test]
async fn middlewares_around_each_other_show_the_stricter() {
    let test_app = TestApp::new().await;
    let app = |inner, outer| {
        let app = App::new().app_data(test_app.limiter.clone()).configure(ok);
        TestService::of(app.wrap(inner).wrap(outer))
    };
    let service = app(named(3, "inner"), named(7, "outer")).await;
    assert_eq!(service.get("/").await.quota(), Some([3, 2, 60]));
    let service = app(named(7, "outer"), named(3, "inner")).await;
    assert_eq!(service.get("/").await.quota(), Some([3, 1, 60]));
    assert_eq!(service.statuses("/", 2).await, [200, 429]);
}

#[actix_web::test]
async fn works_on_scopes_and_resources() {
    let test_app = TestApp::new().await;
    let scope = web::scope("/api")
        .wrap(
            Throttle::new()
                .paths("^/api/towns$", [rule(2)])
                .expect("an entry"),
        )
        .route("/towns", web::to(HttpResponse::Ok))
        .route("/other", web::to(HttpResponse::Ok));
    let resource = web::resource("/user/{id}")
        .wrap(global(1))
        .to(async |id: web::Path<String>| id.into_inner());
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .service(scope)
        .service(resource);
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/api/towns", 3).await, [200, 200, 429]);
    assert!(service.get("/api/other").await.is_unlimited());
    assert!(service.get("/towns").await.is_unlimited());
    let user = service.get("/user/7").await;
    assert_eq!((user.text(), decided(&user)), ("7", Some(1)));
    assert_eq!(service.get("/user/8").await.status, 429);
}

#[actix_web::test]
async fn limiter_is_its_own_then_the_nearest() {
    let (app, scope, own) = (
        TestApp::new().await,
        TestApp::new().await,
        TestApp::new().await,
    );
    let service = |throttle: Throttle| {
        let scope = web::scope("/in")
            .app_data(scope.limiter.clone())
            .wrap(throttle);
        let scope = scope.default_service(web::to(HttpResponse::Ok));
        TestService::of(App::new().app_data(app.limiter.clone()).service(scope))
    };
    assert_eq!(
        service(global(9)).await.get("/in/x").await.remaining(),
        Some(8)
    );
    let other = service(global(9).limiter(own.limiter.clone())).await;
    assert_eq!(other.get("/in/x").await.remaining(), Some(8));
    assert_eq!(
        service(global(9)).await.get("/in/x").await.remaining(),
        Some(7)
    );
    let counted = |limiter: &RateLimiter| {
        let (limiter, client) = (
            limiter.clone(),
            limiter.client_identity([192, 0, 2, 1].into()),
        );
        async move {
            limiter
                .peek(&Limit::per_minute(9).zone("global"), client)
                .await
        }
    };
    for (test_app, remaining) in [(&app, 9), (&scope, 7), (&own, 8)] {
        let peek = counted(&test_app.limiter).await.expect("a decision");
        assert_eq!(peek.limits()[0].remaining(), remaining);
    }
}

#[actix_web::test]
async fn denied_request_reaches_nothing_inside() {
    let reached = Rc::new(Cell::new(0));
    let test_app = TestApp::new().await;
    let count = Rc::clone(&reached);
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(anything)
        .wrap_fn(move |request, inside| {
            count.set(count.get() + 1);
            inside.call(request)
        })
        .wrap(global(2));
    assert_eq!(
        TestService::of(app).await.statuses("/", 5).await,
        [200, 200, 429, 429, 429]
    );
    assert_eq!(reached.get(), 2);
}

#[post_to("/echo")]
async fn echo(body: Bytes) -> Bytes {
    body
}

fn echoes(config: &mut ServiceConfig) {
    config.service(echo);
}

#[actix_web::test]
async fn body_passes_if_admitted_and_stays_unread_if_denied() {
    let test_app = TestApp::new().await;
    let service = test_app.behind(global(1), echoes).await;
    let answer = service.send(post("/echo").set_payload("hello")).await;
    assert_eq!((answer.status, answer.text()), (200, "hello"));

    let test_app = TestApp::new().await;
    let server = Live::behind(&test_app.limiter, global(1), echoes);
    let mut wire = server.connect().await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    wire.send(&format!("{head}hello")).await;
    assert_eq!(status(&wire.answer().await), 200);
    // The response comes although the body never does.
    wire.send(head).await;
    assert_eq!(status(&wire.answer().await), 429);
}

#[actix_web::test]
async fn streamed_bodies_pass_untouched() {
    let stream = async || {
        let pieces = stream::iter(0..100_u8);
        let pieces = pieces.then(async |number| {
            rt::task::yield_now().await;
            Ok::<_, Error>(Bytes::from(vec![number; 100]))
        });
        HttpResponse::Ok().body(BodyStream::new(Box::pin(pieces)))
    };
    let routes = |config: &mut ServiceConfig| {
        config.route("/stream", web::to(stream));
    };
    let test_app = TestApp::new().await;
    let whole: Vec<u8> = (0..100).flat_map(|number| [number; 100]).collect();
    for throttle in [global(1), Throttle::new()] {
        let service = test_app.behind(throttle, routes).await;
        assert_eq!(service.get("/stream").await.body, whole);
    }
}

#[actix_web::test]
async fn routes_with_segments_work_behind_it() {
    // The router modifies the request, and panics if a clone of it exists.
    let test_app = TestApp::new().await;
    let routes = |config: &mut ServiceConfig| {
        let user = async |id: web::Path<(String, u32)>| format!("{} {}", id.0, id.1);
        let scope = web::scope("/{tenant}").route("/user/{id}", web::get().to(user));
        config.service(scope);
    };
    let waiting = async |request: &actix_web::HttpRequest| {
        rt::task::yield_now().await;
        request.extensions_mut().insert(1_u8);
        Some("someone")
    };
    let throttle = global(2).identifier(waiting);
    let service = test_app.behind(throttle, routes).await;
    assert_eq!(service.get("/acme/user/7").await.text(), "acme 7");
    assert_eq!(service.send(get("/acme/user/x")).await.remaining(), Some(0));
    assert_eq!(service.get("/acme/user/7").await.status, 429);
}
