//! What runs at once, and what waits: over real connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_throttle::{
    Concurrency, HeaderStyle, Identifier, Limit, Paths, Rule, Throttle, concurrency_limit,
    rate_limit,
};
use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    error::ErrorImATeapot,
    get, rt,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use tokio::sync::{Notify, Semaphore};

use super::{
    live::{Live, status},
    support::World,
};
use crate::stores::until;

const ONE: Concurrency = Concurrency::new(1).name("one");

fn one_at_once() -> Throttle {
    at_once(Rule::concurrency(ONE))
}

fn at_once(rule: Rule) -> Throttle {
    let paths = Paths::regex("^/run").expect("a regex");
    Throttle::new()
        .paths(paths, [rule.identifier(Identifier::global())])
        .expect("a valid rule")
}

/// Lets handlers go on when a test says so.
#[derive(Clone, Default)]
struct Gate {
    entered: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
    go: Arc<Notify>,
}

impl Gate {
    async fn pass(&self) {
        struct Leave<'a>(&'a Gate);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.left.fetch_add(1, Ordering::SeqCst);
            }
        }
        let _leave = Leave(self);
        self.entered.fetch_add(1, Ordering::SeqCst);
        self.go.notified().await;
    }

    async fn entered(&self, number: usize) {
        until("a request runs", async || {
            self.entered.load(Ordering::SeqCst) == number
        })
        .await;
    }

    async fn left(&self, number: usize) {
        until("a request has ended", async || {
            self.left.load(Ordering::SeqCst) == number
        })
        .await;
    }
}

fn routes(gate: &Gate) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let gate = gate.clone();
    move |config| {
        let gate = gate.clone();
        let held = move || {
            let gate = gate.clone();
            async move {
                gate.pass().await;
                "done"
            }
        };
        config
            .route("/run/held", web::get().to(held))
            .route("/run/quick", web::route().to(async || "quick"))
            .route("/run/fails", web::get().to(fails))
            .route("/run/panics", web::get().to(panics));
    }
}

async fn fails() -> Result<&'static str, actix_web::Error> {
    Err(ErrorImATeapot("short and stout"))
}

async fn panics(request: HttpRequest) -> &'static str {
    assert!(request.path().is_empty(), "this test's handler panics");
    "never"
}

async fn is_free(live: &Live) {
    let free = async || status(&live.get("/run/quick").await) == 200;
    until("the place is free", free).await;
}

#[actix_web::test]
async fn so_many_run_at_once_and_the_others_are_denied() {
    let world = World::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let gate = Gate::default();
    let live = Live::behind(&world.limiter, one_at_once(), routes(&gate));
    let first = live.get("/run/held");
    let others = async {
        gate.entered(1).await;
        let denied = live.get("/run/quick").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("\r\nretry-after: 1\r\n"), "{denied}");
        let policy = "ratelimit-policy: \"one\";q=1;qu=\"concurrent-requests\"";
        assert!(denied.contains(policy), "{denied}");
        assert!(denied.contains("ratelimit: \"one\";r=0"), "{denied}");
        gate.go.notify_one();
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
    is_free(&live).await;
}

#[actix_web::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let world = World::new().await;
    let gate = Gate::default();
    let live = Live::behind(&world.limiter, one_at_once(), routes(&gate));
    let mut wire = live.connect().await;
    wire.send("GET /run/held HTTP/1.1\r\nHost: a\r\n\r\n").await;
    gate.entered(1).await;
    assert_eq!(status(&live.get("/run/quick").await), 429);
    drop(wire);
    gate.left(1).await;
    is_free(&live).await;
}

#[actix_web::test]
async fn errors_heads_and_panics_give_their_places_back() {
    let world = World::new().await;
    let live = Live::behind(&world.limiter, one_at_once(), routes(&Gate::default()));
    assert_eq!(status(&live.get("/run/fails").await), 418);
    is_free(&live).await;
    let mut wire = live.connect().await;
    wire.send("HEAD /run/quick HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let mut head = [0; 15];
    tokio::io::AsyncReadExt::read_exact(&mut wire.0, &mut head)
        .await
        .expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    is_free(&live).await;
    // No route: the middleware answers for what is not there, too.
    assert_eq!(status(&live.get("/run/nowhere").await), 404);
    is_free(&live).await;
    let mut wire = live.connect().await;
    wire.send("GET /run/panics HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    is_free(&live).await;
}

#[actix_web::test]
async fn a_response_runs_until_its_body_has_been_sent() {
    let world = World::new().await;
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
    let live = Live::behind(&world.limiter, one_at_once(), stream_routes);
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
    // And no longer than its client listens.
    let mut wire = live.connect().await;
    wire.send("GET /run/stream HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let denied = async || status(&live.get("/run/quick").await) == 429;
    until("the stream runs", denied).await;
    drop(wire);
    is_free(&live).await;
}

#[actix_web::test]
async fn a_request_waits_for_its_turn_and_is_served() {
    let world = World::new().await;
    let gate = Gate::default();
    let waits = Rule::concurrency(ONE).max_wait(Duration::from_secs(60));
    let live = Live::behind(&world.limiter, at_once(waits), routes(&gate));
    let all = join_all((0..3).map(|_| live.get("/run/held")));
    let one_by_one = async {
        for number in 1..=3 {
            gate.entered(number).await;
            assert_eq!(gate.left.load(Ordering::SeqCst), number - 1);
            gate.go.notify_one();
            gate.left(number).await;
            // Where a call came too early, the line's own pause is what calls.
            world.after_millis(100);
        }
    };
    let (all, ()) = join(all, one_by_one).await;
    assert!(all.iter().all(|answer| status(answer) == 200));
}

#[actix_web::test]
async fn a_client_that_leaves_the_line_is_out_of_it() {
    let world = World::new().await;
    let gate = Gate::default();
    let waits = Rule::concurrency(ONE).max_wait(Duration::from_secs(60));
    let live = Live::behind(&world.limiter, at_once(waits), routes(&gate));
    let first = live.get("/run/held");
    let others = async {
        gate.entered(1).await;
        let mut leaves = live.connect().await;
        leaves
            .send("GET /run/held HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        rt::time::sleep(Duration::from_millis(50)).await;
        drop(leaves);
        rt::time::sleep(Duration::from_millis(50)).await;
        gate.go.notify_one();
        gate.left(1).await;
        is_free(&live).await;
        assert_eq!(
            gate.entered.load(Ordering::SeqCst),
            1,
            "nobody served who has left"
        );
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
}

#[actix_web::test]
async fn a_full_line_denies_at_once_with_the_headers_of_a_denial() {
    let world = World::with(|builder| builder.max_waiting(1)).await;
    let gate = Gate::default();
    let waits = Rule::concurrency(ONE).max_wait(Duration::from_secs(60));
    let live = Live::behind(&world.limiter, at_once(waits), routes(&gate));
    let held = join_all((0..2).map(|_| live.get("/run/held")));
    let third = async {
        gate.entered(1).await;
        rt::time::sleep(Duration::from_millis(50)).await;
        let denied = live.get("/run/held").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("\r\nretry-after: 1\r\n"), "{denied}");
        assert!(denied.contains("x-ratelimit-remaining: 0"), "{denied}");
        for number in 1..=2 {
            gate.entered(number).await;
            gate.go.notify_one();
            gate.left(number).await;
            world.after_millis(100);
        }
    };
    let (held, ()) = join(held, third).await;
    assert!(held.iter().all(|answer| status(answer) == 200));
}

#[actix_web::test]
async fn denied_by_either_nothing_is_taken_from_the_other() {
    let world = World::new().await;
    let gate = Gate::default();
    let rate = Limit::per_minute(2).name("rate");
    let rules = [
        Rule::concurrency(ONE).identifier(Identifier::global()),
        Rule::new(rate).identifier(Identifier::global()),
    ];
    let throttle = Throttle::new().paths(Paths::regex("^/run").expect("a regex"), rules);
    let live = Live::behind(&world.limiter, throttle.expect("valid"), routes(&gate));
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
    // One of two is left, though three were denied for want of a place.
    is_free(&live).await;
    for _ in 0..3 {
        assert_eq!(status(&live.get("/run/quick").await), 429);
    }
    world.after_millis(60_000);
    // No place is lost by those.
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

#[concurrency_limit(max = 1, max_wait = "1m")]
#[get("/patient/{ms}")]
async fn patient(length: web::Path<u64>) -> String {
    rt::time::sleep(Duration::from_millis(*length)).await;
    length.to_string()
}

fn attributes(config: &mut ServiceConfig) {
    config.service((slow, patient));
}

#[actix_web::test]
async fn attributes_of_both_kinds_are_one_decision() {
    let world = World::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let live = Live::start(&world.limiter, 1, attributes);
    let first = live.get("/slow/200");
    let others = async {
        rt::time::sleep(Duration::from_millis(80)).await;
        let denied = live.get("/slow/0").await;
        assert_eq!(status(&denied), 429, "{denied}");
        let policies =
            "ratelimit-policy: \"rate\";q=5;w=60, \"slow-2\";q=1;qu=\"concurrent-requests\"";
        assert!(denied.contains(policies), "{denied}");
        // Nothing was taken for it.
        assert!(denied.contains("\"rate\";r=4;"), "{denied}");
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);
    let served = async || status(&live.get("/slow/0").await) == 200;
    until("the place is free", served).await;
}

#[actix_web::test]
async fn attributes_wait_too() {
    let world = World::new().await;
    let live = Live::start(&world.limiter, 1, attributes);
    let all = join_all((0..4).map(|_| live.get("/patient/5")));
    let time = async {
        for _ in 0..20 {
            rt::time::sleep(Duration::from_millis(10)).await;
            world.after_millis(50);
        }
    };
    let (all, ()) = join(all, time).await;
    assert!(all.iter().all(|answer| status(answer) == 200));
}

#[actix_web::test]
async fn a_rate_with_a_wait_serves_one_after_the_other() {
    let world = World::new().await;
    let rate = Limit::per_second(1).algorithm(actix_throttle::Algorithm::LeakyBucket);
    let rule = Rule::new(rate).max_wait(Duration::from_millis(1500));
    let live = Live::behind(&world.limiter, at_once(rule), routes(&Gate::default()));
    assert_eq!(status(&live.get("/run/quick").await), 200);
    let waits = live.get("/run/quick");
    let late = async {
        rt::time::sleep(Duration::from_millis(100)).await;
        // The next turn is in a second, and the one after that too late.
        let denied = live.get("/run/quick").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("\r\nretry-after: 2\r\n"), "{denied}");
        world.after_millis(1000);
    };
    let (served, ()) = join(waits, late).await;
    assert_eq!(status(&served), 200);
}
