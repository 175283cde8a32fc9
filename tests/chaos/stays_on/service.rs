//! An application with default settings, and clients that record the outcome of each request.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_throttle::{Builder, CircuitState, RateLimiter, rate_limit};
use actix_web::{
    get,
    rt::{self, net::TcpStream, task::JoinHandle},
    web::ServiceConfig,
};

use crate::status_counts::SCHEDULING;
use harness::{
    http::live::{Live, Wire, status},
    stores::unique,
};

/// The default deadline of a decision.
pub(super) const DEADLINE: Duration = Duration::from_millis(100);

/// A limit that no client reaches, so each request asks Redis.
#[get("/steady")]
#[rate_limit(times = 1_000_000, hours = 1, algorithm = "fixed_window", identifier = header("X-Id"))]
async fn steady() -> &'static str {
    "ok"
}

/// A limit that no client reaches, in mode closed: undecided requests are refused.
#[get("/closed")]
#[rate_limit(
    times = 1_000_000,
    hours = 1,
    algorithm = "fixed_window",
    identifier = header("X-Id"),
    failure_mode = "closed"
)]
async fn closed() -> &'static str {
    "ok"
}

/// A limit in mode local: the local fallback decides when Redis does not.
#[get("/local")]
#[rate_limit(times = 1, hours = 1, identifier = header("X-Id"), failure_mode = "local")]
async fn local() -> &'static str {
    "ok"
}

#[get("/one")]
#[rate_limit(times = 1, hours = 1, identifier = header("X-Id"))]
async fn one() -> &'static str {
    "ok"
}

/// A route without a limit whose work keeps the worker busy.
#[get("/busy")]
async fn busy() -> &'static str {
    let end = Instant::now() + Duration::from_millis(20);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((steady, closed, local, one, busy));
}

/// A response as a client sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) sent: Instant,
    pub(super) took: Duration,
    pub(super) status: u16,
    /// The response has rate-limit headers, so a store has decided.
    pub(super) is_decided: bool,
}

pub(super) struct Service {
    live: Rc<Live>,
    limiter: RateLimiter,
    workers: usize,
}

impl Service {
    pub(super) async fn start(builder: Builder, workers: usize) -> Self {
        let limiter = builder.build().await.unwrap();
        let live = Rc::new(Live::start(&limiter, workers, routes));
        let service = Self {
            live,
            limiter,
            workers,
        };
        // Connections are accepted in turn, so every worker has connected to Redis when all are
        // decided.
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let warm = service.load("/steady", 4 * workers, Duration::from_millis(20));
            rt::time::sleep(Duration::from_millis(400)).await;
            if undecided(&warm.finish_busy().await).count() == 0 {
                return service;
            }
            assert!(Instant::now() < until, "never well");
        }
    }

    /// A client that has used up its limit.
    pub(super) async fn attacker(&self) -> String {
        let name = unique("attacker");
        let answers = self.ask("/one", &name, 3).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 429, 429]);
        name
    }

    /// Starts clients of the routes that set a failure mode.
    pub(super) async fn modes(&self, pause: Duration) -> Modes {
        let mut attackers = Vec::new();
        for _ in 0..self.workers {
            let name = unique("attacker");
            assert_eq!(self.ask("/local", &name, 1).await[0].status, 200);
            attackers.push(name);
        }
        Modes {
            closed: self.load("/closed", self.workers, pause),
            local: self.load_by("/local", attackers, pause),
        }
    }

    /// Sends `count` requests of one client, one after the other.
    pub(super) async fn ask(&self, path: &str, id: &str, count: usize) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(count);
        for _ in 0..count {
            answers.push(exchange(&mut self.live.connect().await, path, id).await);
        }
        answers
    }

    /// Starts clients that each send a request, and the next one `pause` after each response.
    pub(super) fn load(&self, path: &'static str, clients: usize, pause: Duration) -> Load {
        let ids = (0..clients).map(|_| unique("client")).collect();
        self.load_by(path, ids, pause)
    }

    pub(super) fn load_by(&self, path: &'static str, ids: Vec<String>, pause: Duration) -> Load {
        let is_over = Rc::new(Cell::new(false));
        let clients = ids
            .into_iter()
            .map(|id| {
                let (live, is_over) = (Rc::clone(&self.live), Rc::clone(&is_over));
                rt::spawn(client(live, path, id, pause, is_over))
            })
            .collect();
        Load { is_over, clients }
    }

    pub(super) fn workers(&self) -> usize {
        self.workers
    }

    pub(super) fn circuit(&self) -> CircuitState {
        self.limiter.circuit()
    }
}

pub(super) struct Modes {
    closed: Load,
    local: Load,
}

impl Modes {
    /// Ends the load. Asserts that the mode closed refused no request since this moment, and that
    /// the mode local never admitted more than the limit.
    pub(super) async fn finish(self, on_since: Instant) {
        let answers = self.closed.finish().await;
        assert_on_since(&answers, on_since);
        assert!(undecided(&answers).all(|answer| answer.status == 503));
        let answers = self.local.finish().await;
        assert!(answers.len() > 20, "a load of {}", answers.len());
        assert!(answers.iter().all(|answer| answer.status == 429));
    }
}

pub(super) struct Load {
    is_over: Rc<Cell<bool>>,
    clients: Vec<JoinHandle<Vec<Answer>>>,
}

impl Load {
    /// Ends the load and returns every response. None may take longer than the deadline.
    pub(super) async fn finish(self) -> Vec<Answer> {
        self.is_over.set(true);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.expect("a client"));
        }
        let longest = all.iter().map(|answer| answer.took).max();
        assert!(longest.unwrap() < DEADLINE + SCHEDULING, "{longest:?}");
        all
    }

    /// Ends the load and returns every response. Workers are busy, so a response may take longer.
    pub(super) async fn finish_busy(self) -> Vec<Answer> {
        self.is_over.set(true);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.expect("a client"));
        }
        all
    }
}

async fn client(
    live: Rc<Live>,
    path: &'static str,
    id: String,
    pause: Duration,
    is_over: Rc<Cell<bool>>,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut wire = live.connect().await;
    while !is_over.get() {
        answers.push(exchange(&mut wire, path, &id).await);
        rt::time::sleep(pause).await;
    }
    answers
}

async fn exchange(wire: &mut Wire<TcpStream>, path: &str, id: &str) -> Answer {
    let sent = Instant::now();
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nX-Id: {id}\r\n\r\n"
    ))
    .await;
    let answer = wire.answer().await;
    Answer {
        sent,
        took: sent.elapsed(),
        status: status(&answer),
        is_decided: answer.contains("x-ratelimit-limit"),
    }
}

pub(super) fn undecided(answers: &[Answer]) -> impl Iterator<Item = &Answer> {
    answers.iter().filter(|answer| !answer.is_decided)
}

/// Asserts that limits are on from this moment on: a store decides at least 19 of 20 requests. On a
/// machine with two cores, a server may wait for a tenth of a second now and then.
pub(super) fn assert_on_since(answers: &[Answer], moment: Instant) {
    let since: Vec<_> = answers
        .iter()
        .filter(|answer| answer.sent >= moment)
        .copied()
        .collect();
    let (lost, all) = (undecided(&since).count(), since.len());
    assert!(all > 20, "a load of {all}");
    assert!(lost * 20 <= all, "{lost} of {all} undecided");
}
