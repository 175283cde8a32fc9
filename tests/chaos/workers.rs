//! The workers of an application, reached one by one.

use std::{collections::BTreeMap, thread};

use actix_throttle::rate_limit;
use actix_web::{get, rt::net::TcpStream};
use tokio::runtime::Handle;

use harness::http::live::{Live, Wire};

/// Returns which worker responds, and how many tasks it has: those of the limiter. Client
/// connections are not among them, because actix runs them elsewhere.
#[get("/worker")]
#[rate_limit(times = 1_000_000, hours = 1, identifier = global, failure_mode = "open")]
pub(super) async fn worker() -> String {
    let tasks = Handle::current().metrics().num_alive_tasks();
    format!("{:?} {tasks}", thread::current().id())
}

/// Returns a connection to each worker, and the number of its tasks.
pub(super) async fn reach(live: &Live, count: usize) -> Vec<(Wire<TcpStream>, usize)> {
    let mut workers = BTreeMap::new();
    while workers.len() < count {
        // Connections are accepted in turn.
        let mut wire = live.connect().await;
        wire.send("GET /worker HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = wire.answer().await;
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let (name, tasks) = body.rsplit_once(' ').expect("two words");
        let tasks: usize = tasks.parse().expect("a number");
        workers.insert(name.to_owned(), (wire, tasks));
    }
    workers.into_values().collect()
}
