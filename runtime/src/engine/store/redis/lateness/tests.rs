//! Tests of deadlines on idle, stopped and busy workers.

use std::{
    future::pending,
    pin::pin,
    thread,
    time::{Duration, Instant as StdInstant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::yield_now,
};

use super::*;

const DEADLINE: Duration = Duration::from_millis(20);

fn on_a_worker<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built")
        .block_on(test)
}

/// Keeps the worker busy for `time`, as a handler that computes does.
fn compute(time: Duration) {
    let end = StdInstant::now() + time;
    while StdInstant::now() < end {
        std::hint::spin_loop();
    }
}

#[test]
fn idle_worker_without_reply_expires_by_silence() {
    on_a_worker(async {
        let start = Instant::now();
        let outcome = within(start + DEADLINE, pin!(pending::<()>())).await;
        assert!(start.elapsed() >= DEADLINE);
        // A busy machine may have stopped this process.
        if start.elapsed() < DEADLINE + PUNCTUAL {
            assert_eq!(outcome, Err(Expired::Silence));
        }
    });
}

#[test]
fn stopped_process_without_reply_expires_by_own_lateness() {
    on_a_worker(async {
        let stopped = tokio::spawn(async { thread::sleep(DEADLINE * 4) });
        let outcome = within(Instant::now() + DEADLINE, pin!(pending::<()>())).await;
        assert_eq!(outcome, Err(Expired::OwnLateness));
        stopped.await.expect("it ends");
    });
}

#[test]
fn worker_that_is_never_punctual_expires_by_silence_in_the_end() {
    on_a_worker(async {
        let busy = tokio::spawn(async {
            loop {
                compute(Duration::from_millis(15));
                yield_now().await;
            }
        });
        let outcome = within(Instant::now() + DEADLINE, pin!(pending::<()>())).await;
        busy.abort();
        assert_eq!(outcome, Err(Expired::Silence));
    });
}

/// The reply passes three tasks from the socket to the waiting task, and handlers compute in
/// between.
#[test]
fn busy_worker_takes_the_answer_that_is_there() {
    on_a_worker(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        // The other side runs on another thread, so that it is not late.
        thread::spawn(move || {
            on_a_worker(async move {
                let mut stream = TcpStream::connect(address).await.expect("it listens");
                stream.write_all(b"!").await.expect("it reads");
                pending::<()>().await;
            });
        });
        let (mut stream, _) = listener.accept().await.expect("it connects");
        let busy: Vec<_> = (0..6)
            .map(|_| {
                tokio::spawn(async {
                    loop {
                        compute(Duration::from_millis(10));
                        yield_now().await;
                    }
                })
            })
            .collect();
        let (read, handed_out) = (
            tokio::sync::oneshot::channel(),
            tokio::sync::oneshot::channel(),
        );
        tokio::spawn(async move { read.0.send(stream.read_u8().await) });
        tokio::spawn(async move { handed_out.0.send(read.1.await) });
        let outcome = within(Instant::now() + DEADLINE, pin!(handed_out.1)).await;
        for task in busy {
            task.abort();
        }
        assert!(outcome.is_ok(), "{outcome:?}");
    });
}
