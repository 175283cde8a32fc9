//! Pauses of outbound calls that a response asks for. They are in the store, so every process keeps
//! to them. `http::outgoing` tests the rest of them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{
    Change, Event, Limit, Observer, Outgoing, RateLimitError, RateLimiter,
    outgoing::{Request, Response},
};

use super::{SECOND, for_every_store};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, block_on},
};

for_every_store!(
    listed_status_pauses_until_its_retry_after,
    used_up_quota_pauses_until_its_reset,
    pause_is_for_the_identity_or_for_the_host,
    pause_is_no_longer_than_the_most,
    later_response_with_a_shorter_wait_shortens_no_pause,
    pause_shortens_no_block_by_hand,
    block_by_hand_replaces_a_pause,
);

const AMPLE: Limit = Limit::per_hour(100).zone("ample");

fn outgoing(limiter: &RateLimiter) -> Outgoing {
    Outgoing::new(limiter)
        .limit(AMPLE)
        .max_wait(Duration::ZERO)
        .pause_on("403, 429, 503")
}

/// Returns how long a call to this host would have to wait, in microseconds.
async fn pause(outgoing: &Outgoing, host: &str) -> u64 {
    match outgoing.acquire(&Request::new("GET", host, "/")).await {
        Ok(_) => 0,
        Err(RateLimitError::TimedOut { retry_after }) => {
            u64::try_from(retry_after.unwrap().as_micros()).unwrap()
        }
        Err(error) => panic!("{error}"),
    }
}

/// Reports this response to a call to the host.
async fn answer(outgoing: &Outgoing, host: &str, answer: Response<'_>) {
    let call = Request::new("GET", host, "/");
    let permit = outgoing.acquire(&call).await.unwrap();
    permit.completed(answer).await;
}

async fn listed_status_pauses_until_its_retry_after(store: &StoreFixture) {
    let outgoing = outgoing(&store.limiter);
    for (status, pauses) in [
        (403, true),
        (429, true),
        (503, true),
        (500, false),
        (200, false),
    ] {
        let host = &*format!("host{status}");
        answer(&outgoing, host, Response::new(status)).await;
        assert_eq!(pause(&outgoing, host).await, 0, "{status} without a wait");
        let later = Response::new(status).retry_after(Some("60"));
        answer(&outgoing, host, later).await;
        let expected = if pauses { 60 * SECOND } else { 0 };
        assert_eq!(pause(&outgoing, host).await, expected, "{status}");
        store.advance(20 * SECOND);
        let expected = if pauses { 40 * SECOND } else { 0 };
        assert_eq!(pause(&outgoing, host).await, expected, "{status}");
        store.advance(40 * SECOND - 1);
        assert_eq!(pause(&outgoing, host).await, u64::from(pauses), "{status}");
        store.advance(1);
        assert_eq!(pause(&outgoing, host).await, 0, "{status}");
    }
}

async fn used_up_quota_pauses_until_its_reset(store: &StoreFixture) {
    let outgoing = outgoing(&store.limiter);
    let of = |status, remaining| {
        Response::new(status)
            .rate_limit_remaining(Some(remaining))
            .rate_limit_reset(Some("30"))
    };
    answer(&outgoing, "some", of(403, "1")).await;
    assert_eq!(
        pause(&outgoing, "some").await,
        0,
        "a refusal like any other"
    );
    answer(&outgoing, "none", of(403, "0")).await;
    assert_eq!(pause(&outgoing, "none").await, 30 * SECOND);
    assert_eq!(pause(&outgoing, "some").await, 0, "another host");
}

async fn pause_is_for_the_identity_or_for_the_host(store: &StoreFixture) {
    for per_host in [false, true] {
        let all = if per_host { "everything" } else { "everyone" };
        let outgoing = Outgoing::new(&store.limiter)
            .limit_by(AMPLE, move |_| all)
            .max_wait(Duration::ZERO);
        let outgoing = if per_host {
            outgoing.pause_per_host()
        } else {
            outgoing
        };
        let later = Response::new(503).retry_after(Some("30"));
        answer(&outgoing, "busy", later).await;
        assert_eq!(pause(&outgoing, "busy").await, 30 * SECOND, "{per_host}");
        let expected = if per_host { 0 } else { 30 * SECOND };
        assert_eq!(pause(&outgoing, "calm").await, expected, "{per_host}");
        store.advance(30 * SECOND);
        assert_eq!(pause(&outgoing, "busy").await, 0, "{per_host}");
    }
}

async fn pause_is_no_longer_than_the_most(store: &StoreFixture) {
    let outgoing = outgoing(&store.limiter).max_retry_after(Duration::from_secs(5));
    let later = Response::new(429).retry_after(Some("3600"));
    answer(&outgoing, "busy", later).await;
    assert_eq!(pause(&outgoing, "busy").await, 5 * SECOND);
    store.advance(5 * SECOND);
    assert_eq!(pause(&outgoing, "busy").await, 0);
}

/// Two calls are in flight, and the one with the longer wait is answered first.
async fn later_response_with_a_shorter_wait_shortens_no_pause(store: &StoreFixture) {
    for per_host in [false, true] {
        let host = &*format!("busy{per_host}");
        let outgoing = outgoing(&store.limiter);
        let outgoing = if per_host {
            outgoing.pause_per_host()
        } else {
            outgoing
        };
        let call = Request::new("GET", host, "/");
        let mut in_flight = Vec::new();
        for _ in 0..6 {
            in_flight.push(outgoing.acquire(&call).await.unwrap());
        }
        let mut answer = async |wait: &str| {
            let permit = in_flight.pop().unwrap();
            let later = Response::new(429).retry_after(Some(wait));
            permit.completed(later).await;
        };
        answer("30").await;
        answer("1").await;
        assert_eq!(pause(&outgoing, host).await, 30 * SECOND, "{per_host}");
        store.advance(10 * SECOND);
        answer("19").await;
        assert_eq!(pause(&outgoing, host).await, 20 * SECOND, "a second less");
        answer("20").await;
        assert_eq!(pause(&outgoing, host).await, 20 * SECOND, "the same end");
        answer("21").await;
        assert_eq!(pause(&outgoing, host).await, 21 * SECOND, "a second more");
        store.advance(21 * SECOND);
        assert_eq!(pause(&outgoing, host).await, 0, "{per_host}");
        answer("1").await;
        assert_eq!(pause(&outgoing, host).await, SECOND, "the old one is over");
    }
}

async fn pause_shortens_no_block_by_hand(store: &StoreFixture) {
    let outgoing = outgoing(&store.limiter);
    let call = Request::new("GET", "busy", "/");
    let permit = outgoing.acquire(&call).await.unwrap();
    let hour = Duration::from_secs(3600);
    store.limiter.block(&AMPLE, "busy", hour).await.unwrap();
    let later = Response::new(503).retry_after(Some("30"));
    permit.completed(later).await;
    assert_eq!(pause(&outgoing, "busy").await, 3600 * SECOND);
}

async fn block_by_hand_replaces_a_pause(store: &StoreFixture) {
    let outgoing = outgoing(&store.limiter);
    let later = Response::new(503).retry_after(Some("30"));
    answer(&outgoing, "busy", later).await;
    for seconds in [5, 50, 1] {
        let length = Duration::from_secs(seconds);
        store.limiter.block(&AMPLE, "busy", length).await.unwrap();
        assert_eq!(pause(&outgoing, "busy").await, seconds * SECOND);
    }
    store.limiter.unblock(&AMPLE, "busy").await.unwrap();
    assert_eq!(pause(&outgoing, "busy").await, 0);
}

/// The lengths of all blocks that were told.
#[derive(Default)]
struct Blocks(Mutex<Vec<u64>>);

impl Observer for Blocks {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Changed {
            change: Change::Block(length),
            ..
        } = event
        {
            self.0.lock().unwrap().push(length.as_secs());
        }
    }
}

#[test]
fn observers_hear_of_a_pause_that_starts_or_gets_longer() {
    for target in [
        StoreKind::Memory,
        StoreKind::Server(ServerVersion::Redis62),
        StoreKind::Server(ServerVersion::Redis7),
        StoreKind::Server(ServerVersion::Valkey9),
        StoreKind::Cluster,
        StoreKind::OpenSlots(ServerVersion::Redis7),
    ] {
        block_on(async {
            let heard = Arc::new(Blocks::default());
            let observer = Arc::clone(&heard);
            let store = StoreFixture::with(target, |builder| builder.observer(observer)).await;
            let outgoing = outgoing(&store.limiter);
            let call = Request::new("GET", "busy", "/");
            let mut in_flight = Vec::new();
            for wait in ["30", "1", "30", "40"] {
                in_flight.push((outgoing.acquire(&call).await.unwrap(), wait));
            }
            for (permit, wait) in in_flight {
                let later = Response::new(429).retry_after(Some(wait));
                permit.completed(later).await;
            }
            let shorter = Duration::from_secs(2);
            store.limiter.block(&AMPLE, "busy", shorter).await.unwrap();
            let told = std::mem::take(&mut *heard.0.lock().unwrap());
            assert_eq!(told, [30, 40, 2], "{target:?}");
        });
    }
}
