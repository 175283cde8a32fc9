//! Replies of Redis that are lost or late. A request is charged once regardless, and no other
//! request receives its reply.

use std::time::Duration;

use actix_throttle::{Decision, FailureMode, Limit, RateLimiter};
use tokio::time::sleep;

use super::builder;
use harness::{Mode, Proxy, Server, ServerVersion, eventually_async, stores::block_on};

const LIMIT: Limit = Limit::per_hour(1000).name("once");
/// A deadline that a busy test machine does not miss.
const PATIENT: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(400);

async fn limiter(url: String, deadline: Duration) -> RateLimiter {
    let builder = builder(url)
        .deadline(deadline)
        .failure_mode(FailureMode::Closed)
        .failure_threshold(u32::MAX);
    builder.build().await.unwrap()
}

async fn used(limiter: &RateLimiter) -> u32 {
    let decision = limiter.check(&LIMIT, "ann").await.unwrap();
    1000 - decision.limits()[0].remaining()
}

#[test]
fn a_request_whose_answer_is_cut_is_charged_once() {
    block_on(async {
        for version in ServerVersion::ALL {
            let server = Server::start(version);
            let proxy = Proxy::start(server.port());
            let limiter = limiter(proxy.url(), PATIENT).await;
            let mut sent = 1;
            assert_eq!(used(&limiter).await, sent);
            for bytes in [0, 1, 2, 5, 8, 0, 3] {
                proxy.set(Mode::CutReply(bytes));
                assert!(limiter.check(&LIMIT, "ann").await.is_err());
                // The next request finds a connection, and sees that the lost one was charged.
                sent += 2;
                assert_eq!(used(&limiter).await, sent, "{bytes} bytes");
            }
            // Redis answers `NOSCRIPT` here, and that response is cut: nothing was charged.
            let _: String = server.cli(&["SCRIPT", "FLUSH"]);
            proxy.set(Mode::CutReply(0));
            assert!(limiter.check(&LIMIT, "ann").await.is_err());
            assert_eq!(used(&limiter).await, sent + 1);
            assert_eq!(proxy.connections(), 1);
        }
    });
}

/// A proxy that is broken may lose a reply. What follows on the connection belongs to other calls.
#[test]
fn connection_that_has_lost_a_reply_is_replaced() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let proxy = Proxy::start(server.port());
        let limiter = limiter(proxy.url(), PATIENT).await;
        assert_eq!(used(&limiter).await, 1);
        proxy.set(Mode::LoseReply);
        // One call for two keys, and then one for a single key, whose reply looks like the first's.
        let both =
            async { tokio::join!(limiter.check(&LIMIT, "ben"), limiter.check(&LIMIT, "cid")) };
        let third = async {
            sleep(PATIENT / 4).await;
            limiter.check(&LIMIT, "dan").await
        };
        let ((ben, cid), dan) = tokio::join!(both, third);
        assert!(ben.is_err() && cid.is_err() && dan.is_err());
        for sent in 2..9 {
            assert_eq!(used(&limiter).await, sent);
        }
        assert_eq!(proxy.accepted(), 2);
    });
}

#[test]
fn a_request_whose_answer_is_late_is_charged_once() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let proxy = Proxy::start(server.port());
        let limiter = limiter(proxy.url(), SHORT).await;
        assert_eq!(used(&limiter).await, 1);
        proxy.set(Mode::Stall);
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        // The request that came before the call may give up before the call does. The connection
        // counts as stalled once the limiter makes a successor, which cannot be greeted now.
        eventually_async("a successor", Duration::from_secs(5), async || {
            proxy.accepted() > 1
        })
        .await;
        assert!(limiter.check(&LIMIT, "ann").await.is_err());
        proxy.set(Mode::Pass);
        // The second request was not sent after the stalled first one, so it is not charged.
        assert_eq!(used(&limiter).await, 3);
        // The limiter may have opened a successor meanwhile; one of the two connections stays.
        eventually_async("one connection", Duration::from_secs(5), async || {
            proxy.connections() == 1
        })
        .await;
    });
}

#[test]
fn late_reply_reaches_no_other_call() {
    const ROUNDS: u32 = 3;
    let limit = |which: u32| {
        let limit = Limit::per_hour(1000 + which).cost(which + 1);
        limit.name("own")
    };
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let limiter = limiter(server.url(), SHORT).await;
        let ask = |which: u32| {
            let limiter = limiter.clone();
            let identity = format!("client{which}");
            tokio::spawn(async move { limiter.check(&limit(which), identity.as_str()).await })
        };
        for round in 1..=ROUNDS {
            server.stop();
            for late in [ask(0), ask(1)] {
                assert!(late.await.unwrap().is_err());
            }
            let waiting: Vec<_> = (2..20).map(ask).collect();
            tokio::time::sleep(Duration::from_millis(20)).await;
            server.resume();
            let own = |decision: &Decision, which: u32| {
                let status = &decision.limits()[0];
                let spent = round * (which + 1);
                let expected = (1000 + which, 1000 + which - spent);
                assert_eq!((status.quota(), status.remaining()), expected);
            };
            for (which, answer) in (2..).zip(waiting) {
                own(&answer.await.unwrap().unwrap(), which);
            }
        }
        // Requests whose response came too late were charged too, once each.
        for which in [0, 1] {
            let decision = ask(which).await.unwrap().unwrap();
            let spent = (ROUNDS + 1) * (which + 1);
            assert_eq!(decision.limits()[0].remaining(), 1000 + which - spent);
        }
        assert_eq!(server.clients(), 1);
    });
}
