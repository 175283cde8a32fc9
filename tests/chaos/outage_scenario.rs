//! An application under steady load while its Redis fails.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{
    get,
    rt::{self, task::JoinHandle},
    web::ServiceConfig,
};

use super::{
    status_counts::StatusCounts,
    watch::Watch,
    workers::{reach, worker},
};
use harness::{
    Server, eventually_async,
    http::live::{Live, status},
    stores::unique,
};

/// The number of clients per route.
pub(super) const CLIENTS: usize = 4;
const WORKERS: usize = 2;
/// The tasks of each connection: the one that maintains it, and its driver.
const TASKS: usize = 2;

#[get("/open")]
#[rate_limit(times = 5, seconds = 5, identifier = header("X-Id"), failure_mode = "open")]
async fn open() -> &'static str {
    "ok"
}

#[get("/closed")]
#[rate_limit(times = 5, seconds = 5, identifier = header("X-Id"), failure_mode = "closed")]
async fn closed() -> &'static str {
    "ok"
}

#[get("/local")]
#[rate_limit(times = 5, seconds = 5, identifier = header("X-Id"), failure_mode = "local")]
async fn local() -> &'static str {
    "ok"
}

#[get("/exact")]
#[rate_limit(times = 5, minutes = 1, identifier = header("X-Id"), failure_mode = "closed")]
async fn exact() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((open, closed, local, exact, worker));
}

pub(super) struct OutageScenario {
    live: Rc<Live>,
    stopped: Rc<Cell<bool>>,
    load: Vec<JoinHandle<StatusCounts>>,
    start: Instant,
}

impl OutageScenario {
    /// Starts an application with two workers, and the load.
    pub(super) fn start(limiter: &RateLimiter) -> Self {
        let live = Rc::new(Live::start(limiter, WORKERS, routes));
        let start = Instant::now();
        let stopped = Rc::new(Cell::new(false));
        let load = ["/open", "/closed", "/local"]
            .into_iter()
            .flat_map(|route| std::iter::repeat_n(route, CLIENTS))
            .map(|route| rt::spawn(client(Rc::clone(&live), route, Rc::clone(&stopped))))
            .collect();
        Self {
            live,
            stopped,
            load,
            start,
        }
    }

    /// Starts a [`Watch`]: each of its requests comes from a new client that `fresh` names.
    pub(super) fn watch(&self, fresh: impl Fn() -> String + 'static) -> Watch {
        Watch::start(Rc::clone(&self.live), fresh)
    }

    /// Lets the load continue for this time.
    pub(super) async fn run(&self, time: Duration) {
        rt::time::sleep(time).await;
    }

    /// Waits until limits are exact again. Returns how long it took.
    pub(super) async fn until_exact(&self, bound: Duration) -> Duration {
        self.until_exact_for(bound, || unique("client")).await
    }

    /// Waits until limits are exact again for new clients, which `fresh` names.
    pub(super) async fn until_exact_for(
        &self,
        bound: Duration,
        fresh: impl Fn() -> String,
    ) -> Duration {
        let start = Instant::now();
        loop {
            let (admitted, denied) = self.burst(&fresh()).await;
            if (admitted, denied) == (5, 10) {
                return start.elapsed();
            }
            assert!(
                start.elapsed() < bound,
                "{admitted} of 15 admitted, {denied} denied, {bound:?} after the server was back"
            );
            rt::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends fifteen requests of a client at once, five of which fit if it is a new one. Returns
    /// how many were admitted under a limit, and how many were denied.
    pub(super) async fn burst(&self, id: &str) -> (usize, usize) {
        let requests: Vec<_> = (0..15)
            .map(|_| {
                let (live, id) = (Rc::clone(&self.live), id.to_owned());
                rt::spawn(async move {
                    let mut wire = live.connect().await;
                    wire.send(format!(
                        "GET /exact HTTP/1.1\r\nHost: a\r\nX-Id: {id}\r\n\r\n"
                    ))
                    .await;
                    status(&wire.answer().await)
                })
            })
            .collect();
        let (mut admitted, mut denied) = (0, 0);
        for request in requests {
            match request.await.expect("a client") {
                200 => admitted += 1,
                429 => denied += 1,
                503 => {}
                other => panic!("{other}"),
            }
        }
        (admitted, denied)
    }

    /// Ends the load. Asserts the promises of each failure mode, and that the server and the
    /// workers have no more connections and tasks than before.
    pub(super) async fn finish(mut self, server: &Server) -> Vec<StatusCounts> {
        let all_counts = self.end_load().await;
        let within = Duration::from_secs(5);
        // The limiter was built on another runtime, whose connection may have survived unnoticed.
        let links = WORKERS..=WORKERS + 1;
        eventually_async("one connection a worker", within, async || {
            links.contains(&server.clients())
        })
        .await;
        eventually_async("as many tasks as a link has", within, async || {
            let workers = reach(&self.live, WORKERS).await;
            workers.iter().all(|(_, tasks)| *tasks == TASKS)
        })
        .await;
        all_counts
    }

    /// Ends the load and asserts the promises of each failure mode.
    pub(super) async fn end_load(&mut self) -> Vec<StatusCounts> {
        self.stopped.set(true);
        let mut all_counts: Vec<StatusCounts> = Vec::new();
        for client in self.load.drain(..) {
            let counts = client.await.expect("a client");
            match all_counts
                .iter_mut()
                .find(|other| other.route == counts.route)
            {
                Some(other) => other.add(counts),
                None => all_counts.push(counts),
            }
        }
        for counts in &mut all_counts {
            counts.lasted = self.start.elapsed();
            counts.hold();
        }
        all_counts
    }
}

/// One client, which sends one request after the other on one connection.
async fn client(live: Rc<Live>, route: &'static str, stopped: Rc<Cell<bool>>) -> StatusCounts {
    let mut counts = StatusCounts::new(route);
    let mut wire = live.connect().await;
    while !stopped.get() {
        for (is_regular, id) in [(true, "regular".to_owned()), (false, unique("fresh"))] {
            let start = Instant::now();
            wire.send(format!(
                "GET {route} HTTP/1.1\r\nHost: a\r\nX-Id: {id}\r\n\r\n"
            ))
            .await;
            let answer = wire.answer().await;
            counts.note(is_regular, &answer, start.elapsed());
        }
        // A steady load, not a flood: two cores run everything.
        rt::time::sleep(Duration::from_millis(4)).await;
    }
    counts
}
