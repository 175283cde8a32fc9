//! An application with two workers, one of which is cut off from Redis.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use actix_throttle::{CircuitState, RateLimiter, rate_limit};
use actix_web::{
    get,
    rt::{self, net::TcpStream, task::JoinHandle},
    web::ServiceConfig,
};

use super::{
    builder,
    status_counts::SCHEDULING,
    workers::{reach, worker},
};
use harness::{
    Proxy, Server, ServerVersion,
    http::live::{Live, Wire, status},
    stores::unique,
};

const DEADLINE: Duration = Duration::from_millis(300);
const WHILE: Duration = Duration::from_secs(2);
/// Bound for a connection attempt without a response to be abandoned.
const ATTEMPT: Duration = Duration::from_secs(2);
const TIMES: usize = 30;

#[get("/")]
#[rate_limit(times = 30, hours = 1, identifier = header("X-Id"), failure_mode = "closed")]
async fn index() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((index, worker));
}

struct Halves {
    server: Server,
    proxy: Proxy,
    limiter: RateLimiter,
    live: Live,
}

type StatusSet = BTreeMap<u16, usize>;

impl Halves {
    async fn new() -> Self {
        let server = Server::start(ServerVersion::Redis7);
        let proxy = Proxy::start(server.port());
        // No denial cache: both workers share it, so each would know the other's denials.
        let builder = builder(proxy.url())
            .deadline(DEADLINE)
            .denial_cache(Duration::ZERO);
        let limiter = builder.build().await.unwrap();
        let live = Live::start(&limiter, 2, routes);
        Self {
            server,
            proxy,
            limiter,
            live,
        }
    }

    /// One client sends requests to each worker for a while. The statuses of the worker with more
    /// failures come last.
    async fn ask(&self, id: &str) -> [StatusSet; 2] {
        let clients: Vec<JoinHandle<StatusSet>> = reach(&self.live, 2)
            .await
            .into_iter()
            .map(|(wire, _)| rt::spawn(client(wire, id.to_owned())))
            .collect();
        let mut seen = Vec::new();
        for client in clients {
            seen.push(client.await.unwrap());
        }
        seen.sort_by_key(failures);
        seen.try_into().expect("two")
    }
}

async fn client(mut wire: Wire<TcpStream>, id: String) -> StatusSet {
    let mut seen = StatusSet::new();
    let end = Instant::now() + WHILE;
    while Instant::now() < end {
        let start = Instant::now();
        wire.send(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Id: {id}\r\n\r\n"))
            .await;
        let answer = wire.answer().await;
        assert!(start.elapsed() < DEADLINE + SCHEDULING);
        *seen.entry(status(&answer)).or_default() += 1;
        rt::time::sleep(Duration::from_millis(10)).await;
    }
    seen
}

fn failures(statuses: &StatusSet) -> usize {
    statuses.get(&503).copied().unwrap_or_default()
}

fn admitted(halves: &[StatusSet; 2]) -> usize {
    halves.iter().filter_map(|half| half.get(&200)).sum()
}

#[actix_web::test]
async fn dead_connection_is_replaced_after_one_late_answer() {
    let halves = Halves::new().await;
    drop(reach(&halves.live, 2).await);
    let accepted = halves.proxy.accepted();
    halves.proxy.deafen(1);
    let seen = halves.ask(&unique("client")).await;
    // One is the request that told the workers apart, which has another failure mode; and one waits
    // for the successor.
    assert_eq!(failures(&seen[0]), 0, "{seen:?}");
    let failed = failures(&seen[1]);
    assert!(failed <= 2, "{seen:?}");
    // A reply that comes after the deadline is no use to its request, which was charged all the
    // same.
    assert!(
        (TIMES - failed..=TIMES).contains(&admitted(&seen)),
        "{seen:?}"
    );
    assert_eq!(halves.proxy.accepted() - accepted, 1);
    assert_eq!(halves.server.clients(), 3);
    assert_eq!(halves.limiter.circuit(), CircuitState::Closed);
}

#[actix_web::test]
async fn a_worker_that_is_cut_off_is_alone_with_it() {
    let halves = Halves::new().await;
    drop(reach(&halves.live, 2).await);
    halves.proxy.deafen(usize::MAX);
    let seen = halves.ask(&unique("client")).await;
    assert_eq!(failures(&seen[0]), 0, "{seen:?}");
    assert_eq!(seen[1].keys().collect::<Vec<_>>(), [&503], "{seen:?}");
    assert_eq!(admitted(&seen), TIMES, "{seen:?}");

    halves.proxy.deafen(0);
    rt::time::sleep(ATTEMPT).await;
    let seen = halves.ask(&unique("client")).await;
    // An idle worker made no connection attempts, so its connection may fail once more.
    assert!(failures(&seen[1]) <= 1, "{seen:?}");
    assert_eq!(admitted(&seen), TIMES, "{seen:?}");
    assert_eq!(halves.limiter.circuit(), CircuitState::Closed);
}
