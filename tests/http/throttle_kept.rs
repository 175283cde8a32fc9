//! Functions that keep a clone of the request that they receive.

use std::{cell::RefCell, time::Duration};

use actix_throttle::{Limit, Rule, Throttle};
use actix_web::{App, HttpRequest, dev::Service, rt, web};

use super::throttle::anything;
use harness::http::{
    app::{TestApp, TestService, get, in_own_process},
    live::{Live, status},
};

/// An identifier that reads a clone of the request after the response.
async fn with_a_task(request: &HttpRequest) -> &'static str {
    if request.path() == "/kept" {
        let kept = request.clone();
        rt::spawn(async move {
            rt::time::sleep(Duration::from_millis(10)).await;
            log::info!("{}", kept.path());
        });
    }
    "somebody"
}

thread_local! {
    static KEPT: RefCell<Option<HttpRequest>> = const { RefCell::new(None) };
}

fn kept_for_good(request: &HttpRequest) -> bool {
    if request.path() == "/kept" {
        KEPT.set(Some(request.clone()));
    }
    false
}

fn limit() -> Limit {
    Limit::per_minute(100)
}

fn throttles() -> [Throttle; 3] {
    let skipping = Rule::new(limit()).skip_if(kept_for_good);
    [
        Throttle::per_client(limit())
            .unwrap()
            .identifier(with_a_task),
        Throttle::new().paths("^/", [skipping]).unwrap(),
        // This request, which no entry then applies to, is an error too.
        Throttle::per_client(limit()).unwrap().skip_if(|request| {
            kept_for_good(request);
            true
        }),
    ]
}

#[actix_web::test]
async fn request_kept_by_a_function_is_500_and_logged() {
    let this = "throttle_kept::request_kept_by_a_function_is_500_and_logged";
    let Some(log) = in_own_process(this) else {
        env_logger::init();
        for throttle in throttles() {
            let test_app = TestApp::new().await;
            let service = test_app.behind(throttle.clone(), anything).await;
            for (path, expected) in [("/", 200), ("/kept", 500), ("/", 200)] {
                assert_eq!(service.get(path).await.status, expected, "{path}");
            }
            drop(service);
            KEPT.take();

            let live = Live::behind(&test_app.limiter, throttle, anything);
            for (path, expected) in [("/kept", 500), ("/", 200), ("/kept", 500)] {
                assert_eq!(status(&live.get(path).await), expected, "{path}");
            }
        }
        return;
    };
    let told = log
        .lines()
        .filter(|line| line.contains("keeps a clone of the `HttpRequest`"));
    let told: Vec<_> = told.collect();
    assert!(!told.is_empty(), "{log}");
    assert!(told.iter().all(|line| line.contains("ERROR")), "{told:?}");
}

/// A clone that was made outside of the middleware is no error on a resource: no router follows
/// that has to modify the request.
#[actix_web::test]
async fn request_that_comes_shared_goes_on() {
    let test_app = TestApp::new().await;
    let resource = web::resource("/")
        .wrap(Throttle::global(limit()).unwrap())
        .wrap_fn(|request, inside| {
            let kept = request.request().clone();
            let answer = inside.call(request);
            async move {
                let answer = answer.await;
                assert_eq!(kept.path(), "/");
                answer
            }
        })
        .to(async || "ok");
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .service(resource);
    let service = TestService::of(app).await;
    for remaining in [99, 98] {
        let answer = service.send(get("/")).await;
        assert_eq!((answer.status, answer.remaining()), (200, Some(remaining)));
    }
}
