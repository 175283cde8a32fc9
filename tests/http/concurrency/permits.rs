//! Concurrency limits.

use std::{sync::Arc, time::Duration};

use actix_throttle::{
    HeaderStyle, Identifier, Limit, Paths, Rule, Throttle, concurrency_limit, rate_limit,
};
use actix_web::{
    HttpResponse,
    body::SizedStream,
    get, rt,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{StreamExt, future::join, stream};
use tokio::{io::AsyncReadExt, sync::Semaphore};

use super::{Gate, ONE, is_free, one_at_once, routes};
use harness::{
    http::{
        app::TestApp,
        live::{Live, status},
    },
    stores::until,
};

#[actix_web::test]
async fn concurrency_limit_denies_requests_beyond_it() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let gate = Gate::default();
    let live = Live::behind(&test_app.limiter, one_at_once(), routes(&gate));
    let first = live.get("/run/held");
    let others = async {
        gate.entered(1).await;
        let denied = live.get("/run/quick").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("\r\nretry-after: 1\r\n"), "{denied}");
        let policy = "ratelimit-policy: \"one\";q=1;qu=\"concurrent-requests\"";
        assert!(denied.contains(policy), "{denied}");
        // `t` equals `Retry-After`: the time at which a permit becomes free is unknown.
        assert!(
            denied.contains("ratelimit: \"one\";r=0;t=1\r\n"),
            "{denied}"
        );
        gate.go.notify_one();
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
    is_free(&live).await;
}

#[actix_web::test]
async fn errors_heads_and_panics_release_their_permits() {
    let test_app = TestApp::new().await;
    let live = Live::behind(&test_app.limiter, one_at_once(), routes(&Gate::default()));
    for scope in ["/run", "/own"] {
        assert_eq!(status(&live.get(&format!("{scope}/fails")).await), 418);
        is_free(&live).await;
        let mut wire = live.connect().await;
        wire.send(format!("HEAD {scope}/quick HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        let mut head = [0; 15];
        wire.0.read_exact(&mut head).await.expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        is_free(&live).await;
        let mut wire = live.connect().await;
        wire.send(format!("GET {scope}/panics HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        let nothing = wire.0.read_u8().await;
        assert!(nothing.is_err(), "the connection ends without an answer");
        is_free(&live).await;
    }
    // The path has no route; the middleware covers its 404 too.
    assert_eq!(status(&live.get("/run/nowhere").await), 404);
    is_free(&live).await;
}

#[actix_web::test]
async fn a_response_runs_until_its_body_has_been_sent() {
    let test_app = TestApp::new().await;
    let parts = Arc::new(Semaphore::new(0));
    let stream_routes = {
        let parts = Arc::clone(&parts);
        move |config: &mut ServiceConfig| {
            let parts = Arc::clone(&parts);
            let streamed = move || {
                let parts = Arc::clone(&parts);
                async move {
                    let body = stream::repeat(()).take(3).then(move |()| {
                        let parts = Arc::clone(&parts);
                        async move {
                            parts.acquire().await.expect("open").forget();
                            Ok::<_, actix_web::Error>(Bytes::from_static(b"part"))
                        }
                    });
                    HttpResponse::Ok().body(SizedStream::new(12, Box::pin(body)))
                }
            };
            config
                .route("/run/stream", web::get().to(streamed))
                .route("/run/quick", web::get().to(async || "quick"));
        }
    };
    let live = Live::behind(&test_app.limiter, one_at_once(), stream_routes);
    let first = live.get("/run/stream");
    let others = async {
        for _ in 0..2 {
            rt::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(status(&live.get("/run/quick").await), 429);
            parts.add_permits(1);
        }
        parts.add_permits(1);
    };
    let (first, ()) = join(first, others).await;
    assert!(first.ends_with("partpartpart"), "{first}");
    is_free(&live).await;
    // The permit is released too when the client stops reading.
    let mut wire = live.connect().await;
    wire.send("GET /run/stream HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let denied = async || status(&live.get("/run/quick").await) == 429;
    until("the stream runs", denied).await;
    drop(wire);
    is_free(&live).await;
}

#[actix_web::test]
async fn denied_by_either_nothing_is_taken_from_the_other() {
    let test_app = TestApp::new().await;
    let gate = Gate::default();
    let rate = Limit::per_minute(2).name("rate");
    let rules = [
        Rule::concurrency(ONE).identifier(Identifier::global()),
        Rule::new(rate).identifier(Identifier::global()),
    ];
    let throttle = Throttle::new().paths(Paths::regex("^/run").expect("a regex"), rules);
    let live = Live::behind(&test_app.limiter, throttle.expect("valid"), routes(&gate));
    let first = live.get("/run/held");
    let others = async {
        gate.entered(1).await;
        for _ in 0..3 {
            assert_eq!(status(&live.get("/run/quick").await), 429);
        }
        gate.go.notify_one();
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
    // One of two is left of the rate limit, though three requests were denied by the concurrency
    // limit.
    is_free(&live).await;
    for _ in 0..3 {
        assert_eq!(status(&live.get("/run/quick").await), 429);
    }
    test_app.after_millis(60_000);
    // The denied requests have taken no permit.
    for _ in 0..2 {
        assert_eq!(status(&live.get("/run/quick").await), 200);
    }
}

#[get("/slow/{ms}")]
#[rate_limit("5/minute", name = "rate")]
#[concurrency_limit(max = 1, expiry = "2s", identifier = global)]
async fn slow(length: web::Path<u64>) -> String {
    rt::time::sleep(Duration::from_millis(*length)).await;
    length.to_string()
}

fn attributes(config: &mut ServiceConfig) {
    config.service(slow);
}

#[actix_web::test]
async fn attributes_of_both_kinds_are_one_decision() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let live = Live::start(&test_app.limiter, 1, attributes);
    let first = live.get("/slow/200");
    let others = async {
        rt::time::sleep(Duration::from_millis(80)).await;
        let denied = live.get("/slow/0").await;
        assert_eq!(status(&denied), 429, "{denied}");
        let policies =
            "ratelimit-policy: \"rate\";q=5;w=60, \"slow-2\";q=1;qu=\"concurrent-requests\"";
        assert!(denied.contains(policies), "{denied}");
        // The denied request was not charged to the rate limit.
        assert!(denied.contains("\"rate\";r=4,"), "{denied}");
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
    let served = async || status(&live.get("/slow/0").await) == 200;
    until("the permit is free", served).await;
}
