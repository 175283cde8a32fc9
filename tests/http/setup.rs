//! The places where a handler finds its limiter.

use std::{
    sync::{Barrier, mpsc},
    thread,
};

use actix_throttle::{InitError, RateLimiter, rate_limit};
use actix_web::{
    HttpResponse, get,
    web::{self, ServiceConfig},
};

use harness::http::app::{TestApp, TestService, in_own_process};

#[get("/hello")]
#[rate_limit("2/minute")]
async fn hello() -> &'static str {
    "hello"
}

/// A resource, so that a limiter can be given at every level.
fn resource() -> actix_web::Resource {
    web::resource("/resource").route(web::get().to(on_resource))
}

#[rate_limit("2/minute")]
async fn on_resource() -> &'static str {
    "resource"
}

#[actix_web::test]
async fn limiter_of_the_app_is_shared_by_its_handlers() {
    let test_app = TestApp::new().await;
    let routes = |config: &mut ServiceConfig| {
        config
            .service(hello)
            .service(web::scope("/scope").service(hello).service(resource()));
    };
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/hello").await.remaining(), Some(1));
    assert_eq!(service.get("/scope/hello").await.remaining(), Some(0));
    assert_eq!(service.get("/hello").await.status, 429);
    // Another app with the same limiter shares the counter.
    let another = test_app.service(routes).await;
    assert_eq!(another.get("/hello").await.status, 429);
}

#[actix_web::test]
async fn nearest_limiter_counts() {
    let (app, scope, inner) = (
        TestApp::new().await,
        TestApp::new().await,
        TestApp::new().await,
    );
    let (of_scope, of_resource) = (scope.limiter.clone(), inner.limiter.clone());
    let service = app.service(move |config| {
        let scoped = web::scope("/scope")
            .app_data(of_scope)
            .service(hello)
            .service(resource().app_data(of_resource));
        config.service(hello).service(scoped).service(resource());
    });
    let service = service.await;
    for path in ["/hello", "/scope/hello", "/scope/resource", "/resource"] {
        assert_eq!(service.statuses(path, 3).await, [200, 200, 429], "{path}");
    }
}

#[actix_web::test]
async fn limiter_in_web_data_counts_at_every_level() {
    let (app, scope, inner) = (
        TestApp::new().await,
        TestApp::new().await,
        TestApp::new().await,
    );
    let data = |test_app: &TestApp| web::Data::new(test_app.limiter.clone());
    let (of_app, of_scope, of_resource) = (data(&app), data(&scope), data(&inner));
    let service = TestService::new(move |config| {
        let scoped = web::scope("/scope")
            .app_data(of_scope)
            .service(hello)
            .service(resource().app_data(of_resource));
        config.app_data(of_app).service(hello).service(scoped);
    });
    let service = service.await;
    for path in ["/hello", "/scope/hello", "/scope/resource"] {
        assert_eq!(service.statuses(path, 3).await, [200, 200, 429], "{path}");
    }
}

#[actix_web::test]
async fn settings_are_those_of_the_limiter_that_counts() {
    let teapot =
        TestApp::with(|builder| builder.on_limited(|_, _| HttpResponse::ImATeapot().finish()));
    let (app, scope) = (TestApp::new().await, teapot.await);
    let of_scope = scope.limiter.clone();
    let service = app.service(move |config| {
        let scoped = web::scope("/scope").app_data(of_scope).service(hello);
        config.service(hello).service(scoped);
    });
    let service = service.await;
    assert_eq!(service.statuses("/hello", 3).await, [200, 200, 429]);
    assert_eq!(service.statuses("/scope/hello", 3).await, [200, 200, 418]);
}

#[actix_web::test]
async fn handles_are_one_limiter() {
    let test_app = TestApp::new().await;
    let clone = test_app.limiter.clone();
    let service = test_app.service(move |config| {
        config
            .service(hello)
            .service(web::scope("/scope").app_data(clone).service(hello));
    });
    let service = service.await;
    assert_eq!(service.statuses("/hello", 2).await, [200, 200]);
    assert_eq!(service.get("/scope/hello").await.status, 429);
}

/// Calls `init` on `count` threads at the same moment.
fn init_at_once(count: usize) -> Vec<Result<(), InitError>> {
    let start = Barrier::new(count);
    let init = || {
        let runtime = actix_web::rt::System::new();
        start.wait();
        runtime.block_on(RateLimiter::builder().memory().init())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(init)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panic");
        threads.into_iter().map(join).collect()
    })
}

/// A worker on a thread of its own. The returned function sends it a request and returns the
/// status.
fn worker(routes: fn(&mut ServiceConfig)) -> impl Fn() -> u16 {
    let (ask, asked) = mpsc::channel::<mpsc::Sender<u16>>();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let service = TestService::new(routes).await;
            for teller in asked {
                let status = service.get("/hello").await.status;
                teller.send(status).expect("somebody waits");
            }
        });
    });
    move || {
        let (teller, told) = mpsc::channel();
        ask.send(teller).expect("it runs");
        told.recv().expect("a status")
    }
}

/// The only test that uses the process-wide limiter, and so runs in a process of its own.
#[actix_web::test]
async fn process_wide_limiter_is_installed_once_and_can_be_closed() {
    let this = "setup::process_wide_limiter_is_installed_once_and_can_be_closed";
    if in_own_process(this).is_some() {
        return;
    }
    let routes = |config: &mut ServiceConfig| {
        config.service(hello);
    };
    let service = TestService::new(routes).await;
    let elsewhere = worker(routes);
    assert_eq!(elsewhere(), 500);
    assert!(RateLimiter::global().is_none());
    for _ in 0..3 {
        let answer = service.get("/hello").await;
        assert_eq!((answer.status, answer.text()), (500, ""));
        assert!(answer.is_unlimited());
    }

    RateLimiter::close().await; // No limiter is installed: nothing happens.

    RateLimiter::builder().memory().init().await.expect("first");
    assert!(RateLimiter::global().is_some());
    assert_eq!(service.statuses("/hello", 3).await, [200, 200, 429]);
    assert_eq!(elsewhere(), 429);

    let second = RateLimiter::builder().memory().init().await;
    let second = second.expect_err("never a silent swap");
    assert!(second.is_already_initialized());
    assert!(!second.is_settings());
    assert!(second.to_string().contains("close"), "{second}");
    assert_eq!(
        service.get("/hello").await.status,
        429,
        "the first one still"
    );

    // An app's own limiter takes precedence.
    let test_app = TestApp::new().await;
    let own = test_app.service(routes).await;
    assert_eq!(own.statuses("/hello", 3).await, [200, 200, 429]);

    RateLimiter::close().await;
    assert!(RateLimiter::global().is_none());
    assert_eq!(service.get("/hello").await.status, 500);
    assert_eq!(elsewhere(), 500);
    RateLimiter::close().await;

    let installed = init_at_once(8).into_iter().filter(|init| init.is_ok());
    assert_eq!(installed.count(), 1, "of several at once");
    assert_eq!(elsewhere(), 200, "anew");
    assert_eq!(service.statuses("/hello", 2).await, [200, 429]);
    RateLimiter::close().await;
    assert_eq!(service.get("/hello").await.status, 500);
}

#[actix_web::test]
async fn settings_that_cannot_be_right_are_errors_that_say_so() {
    let builder = RateLimiter::builder;
    for (built, named) in [
        (builder().build().await, "memory"),
        (builder().memory().prefix("").build().await, "prefix"),
        (builder().memory().prefix("a{b}").build().await, "prefix"),
        (builder().memory().max_keys(0).build().await, "max_keys"),
        (builder().memory().ipv6_prefix(0).build().await, "ipv6"),
        (builder().memory().ipv6_prefix(129).build().await, "ipv6"),
        (
            builder()
                .memory()
                .deadline(std::time::Duration::ZERO)
                .build()
                .await,
            "deadline",
        ),
        (
            builder()
                .memory()
                .identifier(actix_throttle::Identifier::header("no header"))
                .build()
                .await,
            "no header",
        ),
    ] {
        let error = built.expect_err(named);
        assert!(error.is_settings(), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}
