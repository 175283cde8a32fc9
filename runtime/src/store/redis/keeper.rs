//! The task that makes a link's connections, one at a time, until one is of use.

use std::{io, sync::Weak, time::Duration};

use redis::RedisError;
#[cfg(feature = "cluster")]
use tokio::time::{Instant, sleep_until};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

#[cfg(feature = "cluster")]
use super::loan::Replacement;
use super::{
    connection::Connection,
    link::{Link, State},
    loan::Held,
    topology::RedisPool,
};

/// Before the first attempt after a loss. All workers of all processes lose a server together, and
/// should not all knock in the same moment.
const AT_ONCE: Duration = Duration::from_millis(20);
/// Before the next where that failed; doubled for each one after.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// For a successor's answer about the key that its predecessor had none about.
#[cfg(feature = "cluster")]
const TRIAL: Duration = Duration::from_millis(500);

/// What the keeper is to make.
enum Task {
    /// That requests wait for.
    Connection,
    /// That nobody waits for, yet.
    Retry,
    #[cfg(feature = "cluster")]
    Replacement(Replacement),
}

impl State {
    fn task(&self) -> Option<Task> {
        match self {
            Self::Connecting => Some(Task::Connection),
            Self::Failed { .. } => Some(Task::Retry),
            #[cfg(feature = "cluster")]
            Self::Ready(held) => held.replacement.clone().map(Task::Replacement),
            #[cfg(not(feature = "cluster"))]
            Self::Ready(_) => None,
            Self::Closed => None,
        }
    }
}

/// Keeps a link connected until it is dropped. The link ends this task when it goes; that this only
/// holds weak references makes sure of it.
pub(super) async fn keep(link: Weak<Link>, mut states: watch::Receiver<State>, pool: RedisPool) {
    let mut is_first = true;
    #[cfg(feature = "cluster")]
    let mut not_before = Instant::now();
    loop {
        let Ok(task) = states
            .wait_for(|state| state.task().is_some())
            .await
            .map(|state| state.task())
        else {
            return;
        };
        match task {
            Some(Task::Connection) => {
                // Nothing was lost yet.
                if !is_first {
                    sleep(up_to(AT_ONCE)).await;
                }
                is_first = false;
                attempt(&link, &pool).await;
            }
            Some(Task::Retry) => {
                let Some(attempts) = link.upgrade().map(|link| link.attempts()) else {
                    return;
                };
                let hurried = states.wait_for(|state| !matches!(state, State::Failed { .. }));
                if timeout(pause(attempts), hurried).await.is_err() {
                    attempt(&link, &pool).await;
                }
            }
            #[cfg(feature = "cluster")]
            Some(Task::Replacement(wish)) => {
                sleep_until(not_before.max(Instant::now() + up_to(AT_ONCE))).await;
                let successor = succeed(&pool, wish).await;
                // While a shard is dead this is all that it costs: requests to the others say
                // nothing about it, so there is no success to count from.
                not_before = Instant::now() + half_to_whole(LONGEST);
                let Some(link) = link.upgrade() else { return };
                link.replace(|state| match (state, successor) {
                    (State::Ready(_), Some(successor)) => Some(State::Ready(Held::new(successor))),
                    // Whoever gets no answer again will say so.
                    (State::Ready(held), None) => Some(State::Ready(held.with(None))),
                    _ => None,
                });
            }
            None => {}
        }
    }
}

/// Tries once, for the link to have what comes of it.
async fn attempt(link: &Weak<Link>, pool: &RedisPool) {
    let outcome = connect(pool).await;
    let Some(link) = link.upgrade() else { return };
    link.count_attempt();
    link.replace(|state| match (state, outcome) {
        (State::Closed, _) => None,
        (_, Ok(connection)) => Some(State::Ready(Held::new(connection))),
        (_, Err(error)) => Some(State::failed(error)),
    });
}

/// A connection, within the time that one may take.
async fn connect(pool: &RedisPool) -> Result<Connection, RedisError> {
    match timeout(pool.patience(), pool.connect()).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

/// A connection that is better than the present one, if there is one now.
///
/// A new connection to a cluster with a dead node leaves that node out. Requests about its keys then
/// wander through the cluster, and each makes the client look at all nodes again, with everyone else
/// waiting. The present one merely gets no answers from there. So a successor must show that it
/// reaches the node in question, which it does once a replica has taken over.
#[cfg(feature = "cluster")]
async fn succeed(pool: &RedisPool, wish: Replacement) -> Option<Connection> {
    let successor = connect(pool).await.ok()?;
    let Some(key) = wish.key else {
        return Some(successor);
    };
    // On a handle of its own, which is what remembers the key.
    let mut handle = successor.clone();
    let reaches = timeout(TRIAL, handle.reaches(&key)).await;
    reaches.unwrap_or(false).then_some(successor)
}

/// What to wait before an attempt that nobody waits for, after so many since the last answer.
fn pause(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1);
    let whole = FIRST.saturating_mul(2_u32.saturating_pow(doublings));
    half_to_whole(whole.min(LONGEST))
}

fn half_to_whole(whole: Duration) -> Duration {
    whole / 2 + up_to(whole / 2)
}

fn up_to(longest: Duration) -> Duration {
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_tenth_of_a_second_to_two_seconds() {
        for (attempts, whole) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (5, 1600),
            (6, 2000),
            (u32::MAX, 2000),
        ] {
            for _ in 0..100 {
                let pause = pause(attempts);
                let whole = Duration::from_millis(whole);
                assert!(
                    (whole / 2..=whole).contains(&pause),
                    "{attempts}: {pause:?}"
                );
            }
        }
    }
}
