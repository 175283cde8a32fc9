//! Limits of outbound calls, made by reqwest and awc to a real actix server.

mod clients;
mod limits;
mod pause;
mod retry_after;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_throttle::{Limit, Outgoing, RateLimitError, RateLimiter};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};

use harness::{ServerVersion, http::live::Live, shared, stores::unique};

/// A quota that none of these tests uses up.
const AMPLE: Limit = Limit::per_hour(100).name("peer");

/// The upstream service. `/{status}` responds with that status and the headers that the query
/// names. It counts the calls.
struct Peer {
    live: Live,
    calls: Arc<AtomicUsize>,
}

impl Peer {
    async fn start() -> Self {
        let limiter = memory().await;
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let live = Live::start(&limiter, 1, move |routes| {
            let answer = {
                let calls = Arc::clone(&counted);
                move |request: HttpRequest, status: web::Path<u16>| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    async move { answer(&request, *status) }
                }
            };
            routes.route("/{status}", web::get().to(answer));
        });
        Self { live, calls }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.live.address)
    }

    /// The identity of the upstream service in the default limit of outbound calls.
    fn host(&self) -> String {
        self.live.address.to_string()
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

fn answer(request: &HttpRequest, status: u16) -> HttpResponse {
    let headers = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    for header in headers.unwrap().into_inner() {
        answer.append_header(header);
    }
    answer.finish()
}

/// An address where no server listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn memory() -> RateLimiter {
    RateLimiter::builder().memory().build().await.unwrap()
}

/// A limiter with an in-memory store, and one on Redis.
async fn limiters() -> [RateLimiter; 2] {
    [memory().await, process(&unique("outgoing")).await]
}

/// The limiter of one process. Processes with the same prefix share their counters.
async fn process(prefix: &str) -> RateLimiter {
    RateLimiter::builder()
        .redis_url(shared(ServerVersion::Redis7).url())
        .prefix(prefix)
        .deadline(Duration::from_secs(10))
        .build()
        .await
        .unwrap()
}

fn client(outgoing: Outgoing) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new())
        .with(outgoing)
        .build()
}

async fn status(client: &ClientWithMiddleware, url: String) -> u16 {
    client.get(url).send().await.unwrap().status().as_u16()
}

fn is_timed_out(error: &Error) -> bool {
    let Error::Middleware(error) = error else {
        return false;
    };
    matches!(error.downcast_ref(), Some(RateLimitError::TimedOut { .. }))
}
