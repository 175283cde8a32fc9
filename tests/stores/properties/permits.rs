//! Permits under random arrivals, cancellations, releases, killed processes and time: never more
//! than the limit allows, in order, and no waiter while there is room.

use std::{future::IntoFuture, pin::Pin, task::Poll, time::Duration};

use actix_throttle::{Acquire, Algorithm, Concurrency, Limit, Permit, SemaphoreGuard};
use futures_util::{FutureExt, future::poll_fn};
use proptest::prelude::*;

use super::cases;
use harness::{
    ServerVersion,
    stores::{Elsewhere, StoreFixture, StoreKind, block_on},
};

const EXPIRY: u64 = 9_000_000;
/// A time in microseconds that is longer than any polling pause of a wait queue.
const PAUSE: u64 = 2_000_000;

#[derive(Clone, Debug)]
enum Step {
    Arrive,
    /// Cancels the waiter with this number, modulo the number of waiters.
    Leave(usize),
    /// Ends the permit with this number: drops it, or refunds its charge if `true`.
    End(usize, bool),
    /// A process takes a permit and is killed.
    Die,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => Just(Step::Arrive),
        1 => (0_usize..9).prop_map(Step::Leave),
        4 => (0_usize..9, any::<bool>()).prop_map(|(which, refund)| Step::End(which, refund)),
        1 => Just(Step::Die),
        2 => (0_u64..12_000_000).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..40)
}

type Waiting<T> = (usize, Pin<Box<dyn Future<Output = T>>>);

/// The waiters in the order of arrival.
struct Line<T> {
    waiting: Vec<Waiting<T>>,
    arrived: usize,
}

impl<T> Line<T> {
    fn new() -> Self {
        Self {
            waiting: Vec::new(),
            arrived: 0,
        }
    }

    fn arrive(&mut self, wait: impl Future<Output = T> + 'static) {
        self.waiting.push((self.arrived, Box::pin(wait)));
        self.arrived += 1;
    }

    /// Polls all waiters for `rounds` rounds; returns the results of those that were served, in
    /// order.
    async fn settle(&mut self, rounds: usize) -> Vec<T> {
        let mut served = Vec::new();
        for _ in 0..rounds {
            let mut index = 0;
            while index < self.waiting.len() {
                let wait = &mut self.waiting[index].1;
                let polled = poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await;
                match polled {
                    Poll::Ready(done) => {
                        assert_eq!(index, 0, "served before those who came earlier");
                        drop(self.waiting.remove(index));
                        served.push(done);
                    }
                    Poll::Pending => index += 1,
                }
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        served
    }
}

async fn permits(target: StoreKind, max: u32, steps: &[Step]) {
    let store = StoreFixture::new(target).await;
    let limit = Concurrency::new(max).expiry(Duration::from_micros(EXPIRY));
    let semaphore = store.limiter.semaphore(&limit, "ann");
    let rounds = if matches!(target, StoreKind::Memory) {
        4
    } else {
        12
    };
    let mut line: Line<SemaphoreGuard> = Line::new();
    let mut running: Vec<SemaphoreGuard> = Vec::new();
    // The times at which the permits of killed processes expire.
    let mut dead: Vec<Duration> = Vec::new();
    for step in steps {
        match step {
            Step::Arrive => {
                let wait = semaphore.acquire().into_future();
                line.arrive(wait.map(Result::unwrap));
            }
            Step::Leave(which) if !line.waiting.is_empty() => {
                let which = which % line.waiting.len();
                drop(line.waiting.remove(which));
            }
            Step::End(which, _) if !running.is_empty() => {
                drop(running.swap_remove(which % running.len()));
            }
            Step::Die if running.len() + dead.len() < max as usize && line.waiting.is_empty() => {
                Elsewhere::start().die_holding(&semaphore);
                dead.push(store.clock.now() + Duration::from_micros(EXPIRY));
            }
            Step::Pass(length) => {
                // Time passes in parts, so that held permits are renewed in between.
                for _ in 0..length.div_ceil(1_000_000) {
                    store.advance((*length).min(1_000_000));
                    running.extend(line.settle(rounds).await);
                }
            }
            Step::Leave(_) | Step::End(..) | Step::Die => {}
        }
        running.extend(line.settle(rounds).await);
        // Any polling pause of the wait queue is over after this time.
        store.advance(PAUSE);
        running.extend(line.settle(rounds).await);
        dead.retain(|end| *end > store.clock.now());
        let valid = running.iter().filter(|guard| guard.is_valid()).count();
        assert!(valid + dead.len() <= max as usize, "more than {max} run");
        if running.len() + dead.len() < max as usize {
            assert!(
                line.waiting.is_empty(),
                "somebody waits while there is room"
            );
        }
    }
    drop((line, running));
    store.advance(EXPIRY);
    let mut free = Vec::new();
    for _ in 0..200 {
        free.extend(semaphore.try_acquire().await.unwrap());
        if free.len() == max as usize {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(free.len(), max as usize, "a permit was lost");
    assert!(semaphore.try_acquire().await.unwrap().is_none());
}

/// Follows the steps under a rate: no window has more charges that were not refunded than the
/// algorithm allows.
async fn rates(target: StoreKind, algorithm: Algorithm, steps: &[Step]) {
    let store = StoreFixture::new(target).await;
    let window = 3_000_000;
    let limit = Limit::new(3, Duration::from_micros(window)).algorithm(algorithm);
    let rounds = if matches!(target, StoreKind::Memory) {
        4
    } else {
        12
    };
    let mut line: Line<Permit> = Line::new();
    let mut held: Vec<(Duration, Permit)> = Vec::new();
    let mut charged: Vec<Duration> = Vec::new();
    for step in steps {
        match step {
            Step::Arrive => {
                let acquire: Acquire = store.limiter.acquire(&limit, "ann");
                line.arrive(acquire.into_future().map(Result::unwrap));
            }
            Step::Leave(which) if !line.waiting.is_empty() => {
                let which = which % line.waiting.len();
                drop(line.waiting.remove(which));
            }
            Step::End(which, refund) if !held.is_empty() => {
                let (at, permit) = held.swap_remove(which % held.len());
                if *refund {
                    assert!(permit.refund().await)
                } else {
                    charged.push(at)
                }
            }
            Step::Pass(length) => store.advance(*length),
            Step::Leave(_) | Step::End(..) | Step::Die => {}
        }
        for _ in 0..3 {
            let now = store.clock.now();
            let served = line.settle(rounds).await;
            held.extend(served.into_iter().map(|permit| (now, permit)));
            let within = |at: &&Duration| now < **at + Duration::from_micros(window);
            let all = held.iter().map(|(at, _)| at).chain(&charged);
            let most = match algorithm {
                Algorithm::FixedWindow | Algorithm::TokenBucket => 6,
                _ => 3,
            };
            assert!(all.filter(within).count() <= most, "too many in a window");
            store.advance(window / 3);
        }
    }
    // All remaining waiters are served in time.
    for _ in 0..3 * line.waiting.len() + 3 {
        drop(line.settle(rounds).await);
        store.advance(window / 3);
    }
    drop(line.settle(rounds).await);
    assert!(line.waiting.is_empty(), "somebody waits for ever");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), ..ProptestConfig::default() })]

    #[test]
    fn permits_in_memory(max in 1_u32..4, steps in steps()) {
        block_on(permits(StoreKind::Memory, max, &steps));
    }

    #[test]
    fn rates_in_memory(steps in steps(), which in 0_usize..4) {
        let algorithms = [
            Algorithm::SlidingWindow,
            Algorithm::FixedWindow,
            Algorithm::TokenBucket,
            Algorithm::LeakyBucket,
        ];
        block_on(rates(StoreKind::Memory, algorithms[which], &steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(8), ..ProptestConfig::default() })]

    #[test]
    fn permits_on_a_server(max in 1_u32..4, steps in steps()) {
        block_on(permits(StoreKind::Server(ServerVersion::Redis7), max, &steps));
    }

    #[test]
    fn rates_on_a_server(steps in steps()) {
        block_on(rates(StoreKind::Server(ServerVersion::Valkey9), Algorithm::TokenBucket, &steps));
    }
}
