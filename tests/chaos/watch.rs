//! A client that must notice little of a failure.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::rt::{self, task::JoinHandle};

use harness::http::live::{Live, status};

/// A client of `/closed` that sends request after request.
pub(super) struct Watch {
    stopped: Rc<Cell<bool>>,
    task: JoinHandle<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) decided: usize,
    pub(super) refused: usize,
    /// The longest time without a decision.
    pub(super) silence: Duration,
}

impl Watch {
    pub(super) fn start(live: Rc<Live>, fresh: impl Fn() -> String + 'static) -> Self {
        let stopped = Rc::new(Cell::new(false));
        let task = rt::spawn(watch(live, fresh, Rc::clone(&stopped)));
        Self { stopped, task }
    }

    pub(super) async fn finish(self) -> Seen {
        self.stopped.set(true);
        self.task.await.expect("a client")
    }
}

async fn watch(live: Rc<Live>, fresh: impl Fn() -> String, stopped: Rc<Cell<bool>>) -> Seen {
    let mut seen = Seen::default();
    let mut wire = live.connect().await;
    let mut latest = Instant::now();
    while !stopped.get() {
        let id = fresh();
        wire.send(format!(
            "GET /closed HTTP/1.1\r\nHost: a\r\nX-Id: {id}\r\n\r\n"
        ))
        .await;
        match status(&wire.answer().await) {
            200 => {
                seen.decided += 1;
                seen.silence = seen.silence.max(latest.elapsed());
                latest = Instant::now();
            }
            503 => seen.refused += 1,
            other => panic!("{other} for a new client"),
        }
        rt::time::sleep(Duration::from_millis(4)).await;
    }
    seen.silence = seen.silence.max(latest.elapsed());
    seen
}
