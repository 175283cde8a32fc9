//! Concurrency limits and wait queues, over real connections.

mod http2;
mod leaving;
mod permits;
mod waiting;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_throttle::{Concurrency, Identifier, Paths, Rule, Throttle, concurrency_limit};
use actix_web::{
    HttpRequest, HttpResponse,
    error::ErrorImATeapot,
    get, post, route,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use tokio::sync::Notify;

use harness::{
    http::{
        app::TestApp,
        live::{Live, status},
    },
    stores::until,
};

/// One permit. It expires far later than a test ends, so expiry releases none.
const ONE: Concurrency = Concurrency::new(1)
    .name("one")
    .zone("run")
    .expiry(Duration::from_secs(3_600));

fn one_at_once() -> Throttle {
    at_once(Rule::concurrency(ONE))
}

fn at_once(rule: Rule) -> Throttle {
    let paths = Paths::regex("^/run").expect("a regex");
    Throttle::new()
        .paths(paths, [rule.identifier(Identifier::global())])
        .expect("a valid rule")
}

/// Holds handlers until a test lets them continue.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    entered: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
    pub(crate) go: Arc<Notify>,
}

impl Gate {
    pub(crate) async fn pass(&self) {
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

    pub(crate) async fn entered(&self, number: usize) {
        until("a request runs", async || {
            self.entered.load(Ordering::SeqCst) == number
        })
        .await;
    }

    pub(crate) async fn left(&self, number: usize) {
        until("a request has ended", async || {
            self.left.load(Ordering::SeqCst) == number
        })
        .await;
    }
}

async fn held(gate: web::Data<Gate>) -> &'static str {
    gate.pass().await;
    "done"
}

async fn upload(_whole: Bytes) -> &'static str {
    "taken"
}

/// An endless response body.
async fn streamed() -> HttpResponse {
    let parts = stream::repeat(()).then(async |()| {
        actix_web::rt::task::yield_now().await;
        Ok::<_, actix_web::Error>(Bytes::from_static(b"part"))
    });
    HttpResponse::Ok().streaming(Box::pin(parts))
}

async fn fails() -> Result<&'static str, actix_web::Error> {
    Err(ErrorImATeapot("short and stout"))
}

async fn panics(request: HttpRequest) -> &'static str {
    assert!(request.path().is_empty(), "this test's handler panics");
    "never"
}

/// The handlers under the attribute. Their limit shares its counter with the middleware's.
mod own {
    use super::*;

    macro_rules! own {
        ($(#[$route:meta] $name:ident($($argument:ident: $type:ty)?) -> $answer:ty;)+) => { $(
            #[$route]
            #[concurrency_limit(max = 1, expiry = "1h", zone = "run", identifier = global)]
            pub(super) async fn $name($($argument: $type)?) -> $answer {
                super::$name($($argument)?).await
            }
        )+ };
    }

    own! {
        #[get("/own/held")] held(gate: web::Data<Gate>) -> &'static str;
        #[post("/own/upload")] upload(whole: Bytes) -> &'static str;
        #[get("/own/stream")] streamed() -> HttpResponse;
        #[get("/own/fails")] fails() -> Result<&'static str, actix_web::Error>;
        #[get("/own/panics")] panics(request: HttpRequest) -> &'static str;
    }

    #[route("/own/quick", method = "GET", method = "HEAD")]
    #[concurrency_limit(max = 1, expiry = "1h", zone = "run", identifier = global)]
    pub(super) async fn quick() -> &'static str {
        "quick"
    }
}

pub(crate) fn routes(gate: &Gate) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let gate = gate.clone();
    move |config| {
        config
            .app_data(web::Data::new(gate.clone()))
            .route("/run/held", web::get().to(held))
            .route("/run/upload", web::post().to(upload))
            .route("/run/stream", web::get().to(streamed))
            .route("/run/quick", web::route().to(async || "quick"))
            .route("/run/fails", web::get().to(fails))
            .route("/run/panics", web::get().to(panics))
            .service((own::held, own::upload, own::streamed))
            .service((own::quick, own::fails, own::panics));
    }
}

pub(crate) async fn is_free(live: &Live) {
    let free = async || status(&live.get("/run/quick").await) == 200;
    until("the permit is free", free).await;
}

async fn is_taken(live: &Live) {
    let taken = async || status(&live.get("/run/quick").await) == 429;
    until("the permit is taken", taken).await;
}

/// Sends two requests when one fits in a second. One is held until then, and the other is denied at
/// once. Returns the denial.
pub(crate) async fn one_of_two_is_held(test_app: &TestApp, live: &Live) -> String {
    let (one, other) = (live.get("/run/quick"), live.get("/run/quick"));
    // The clock stands still, so the first response comes from a request that did not wait.
    let first = select(Box::pin(one), Box::pin(other)).await;
    let (denied, held) = match first {
        Either::Left(found) => found,
        Either::Right((denied, held)) => (denied, held),
    };
    assert_eq!(status(&denied), 429, "{denied}");
    test_app.after_millis(1000);
    assert_eq!(status(&held.await), 200);
    denied
}
