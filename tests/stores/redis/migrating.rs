//! Decisions about identities whose hash slot is being moved to another node of a cluster.

use std::{cell::Cell, time::Duration};

use actix_throttle::{Algorithm, Concurrency, Decision, FailureMode, Limit, RateLimiter};

use harness::{
    Cluster, ServerVersion, slot_of,
    stores::{block_on, cluster_pool, every_algorithm, unique},
};

/// A deadline that a busy machine meets, and that is shorter than the cluster client's first wait
/// for a slot that is being moved, which takes at least 1.28 s.
const DEADLINE: Duration = Duration::from_secs(1);

async fn limiter(cluster: &Cluster) -> RateLimiter {
    let builder = RateLimiter::builder()
        .redis(cluster_pool(cluster.urls()))
        .deadline(DEADLINE)
        .denial_cache(Duration::ZERO)
        .failure_mode(FailureMode::Closed);
    builder.build().await.unwrap()
}

/// A new user whose keys are in this hash slot.
fn user_in(slot: u16) -> String {
    let mut users = std::iter::repeat_with(|| unique("user"));
    let user = users.find(|user| slot_of(&format!("{{user={user}}}")) == slot);
    user.expect("there is no end of them")
}

fn hour(times: u32) -> Limit {
    Limit::per_hour(times).zone("z")
}

/// Decisions that are made at each step of a migration.
struct MigrationScenario<'a> {
    limiter: &'a RateLimiter,
    slot: u16,
    /// A user from before the migration, with one charge of each limit a step.
    old: String,
    steps: Cell<u32>,
}

impl MigrationScenario<'_> {
    async fn step(&self, name: &str) {
        self.old_counters_go_on(name).await;
        self.new_identities_have_a_whole_quota(name).await;
        self.stacked_limits_are_charged_together_or_not_at_all(name)
            .await;
        self.blocks_hold_for_the_zone(name).await;
        self.permits_are_counted(name).await;
    }

    async fn check(&self, limit: &Limit, user: &str) -> Decision {
        self.limiter.check(limit, user).await.unwrap()
    }

    async fn remaining(&self, limit: &Limit, user: &str) -> u32 {
        let peeked = self.limiter.peek(limit, user).await.unwrap();
        peeked.limits()[0].remaining()
    }

    async fn old_counters_go_on(&self, name: &str) {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        // The windows are so long that nothing is regained in the meantime.
        for limit in every_algorithm(100, 366 * 24 * 3_600) {
            if limit.algorithm_value() == Algorithm::LeakyBucket {
                continue;
            }
            let decision = self.check(&limit, &self.old).await;
            let remaining = decision.limits()[0].remaining();
            assert_eq!(remaining, 100 - steps, "{name}: {limit:?}");
        }
        let both = [
            (&hour(50), &self.old),
            (&hour(70).algorithm(Algorithm::FixedWindow), &self.old),
        ];
        let decision = self.limiter.check_all(&both).await.unwrap();
        let remaining: Vec<_> = decision
            .limits()
            .iter()
            .map(|limit| limit.remaining())
            .collect();
        assert_eq!(remaining, [50 - steps, 70 - steps], "{name}");
    }

    async fn new_identities_have_a_whole_quota(&self, name: &str) {
        for limit in every_algorithm(3, 3_600) {
            let user = user_in(self.slot);
            let quota = if limit.algorithm_value() == Algorithm::LeakyBucket {
                1
            } else {
                3
            };
            let mut admitted = 0;
            for _ in 0..6 {
                admitted += u32::from(self.check(&limit, &user).await.is_allowed());
            }
            assert_eq!(admitted, quota, "{name}: {limit:?}");
            let (_, taken) = {
                self.limiter.reset(&limit, &*user).await.unwrap();
                self.limiter
                    .check_with_receipts(&[(&limit, &user)])
                    .await
                    .unwrap()
            };
            self.limiter.refund_charged(taken).await.unwrap();
            assert_eq!(
                self.remaining(&limit, &user).await,
                quota,
                "{name}: {limit:?}"
            );
        }
    }

    async fn stacked_limits_are_charged_together_or_not_at_all(&self, name: &str) {
        let user = user_in(self.slot);
        let (wide, tight) = (hour(9), hour(2).algorithm(Algorithm::FixedWindow));
        let mut admitted = 0;
        for _ in 0..5 {
            let both = [(&wide, &user), (&tight, &user)];
            let decision = self.limiter.check_all(&both).await.unwrap();
            admitted += u32::from(decision.is_allowed());
        }
        assert_eq!(admitted, 2, "{name}");
        assert_eq!(self.remaining(&wide, &user).await, 7, "{name}");
    }

    async fn blocks_hold_for_the_zone(&self, name: &str) {
        let user = user_in(self.slot);
        let strict = hour(1).block(Duration::from_secs(600));
        let lenient = hour(100).algorithm(Algorithm::FixedWindow);
        assert!(self.check(&strict, &user).await.is_allowed(), "{name}");
        for limit in [&strict, &strict, &lenient] {
            let denied = self.check(limit, &user).await;
            assert!(!denied.is_allowed(), "{name}");
            assert!(denied.limits()[0].is_blocked(), "{name}");
        }
        self.limiter.unblock(&strict, &*user).await.unwrap();
        assert!(self.check(&lenient, &user).await.is_allowed(), "{name}");
        let length = Duration::from_secs(60);
        self.limiter.block(&lenient, &*user, length).await.unwrap();
        let denied = self.check(&lenient, &user).await;
        let wait = denied.retry_after().expect("a denial");
        assert!((length / 2..=length).contains(&wait), "{name}: {wait:?}");
        assert_eq!(denied.limits()[0].remaining(), 0, "{name}");
    }

    async fn permits_are_counted(&self, name: &str) {
        let user = user_in(self.slot);
        let semaphore = self.limiter.semaphore(&Concurrency::new(1), &*user);
        for _ in 0..2 {
            let guard = semaphore.try_acquire().await.unwrap();
            let guard = guard.unwrap_or_else(|| panic!("{name}: a permit"));
            assert!(semaphore.try_acquire().await.unwrap().is_none(), "{name}");
            guard.release().await;
        }
    }
}

/// Decisions are exact at every step of a migration, whatever a node replies to calls of several
/// keys: Redis 6.2 redirects calls that other versions refuse.
#[test]
fn a_slot_that_is_being_moved_is_decided_exactly_at_every_step() {
    for version in ServerVersion::ALL {
        let cluster = Cluster::start(version, 3, 0);
        block_on(async {
            let limiter = limiter(&cluster).await;
            let old = unique("old");
            let slot = slot_of(&format!("{{user={old}}}"));
            let scenario = MigrationScenario {
                limiter: &limiter,
                slot,
                old,
                steps: Cell::new(0),
            };
            scenario.step("before").await;
            let to = (cluster.master_of_slot(slot) + 1) % 3;
            let migration = cluster.begin_migration(slot, to);
            scenario.step("open").await;
            let left = migration.keys_left();
            // Every second counter is moved: one of the two stacked counters, and half of the
            // others.
            let counters: Vec<_> = left.iter().filter(|key| !key.contains(":once:")).collect();
            assert!(counters.len() > 6, "{counters:?}");
            for key in counters.iter().step_by(2) {
                migration.move_key(key);
            }
            scenario.step("half").await;
            migration.move_keys();
            scenario.step("moved").await;
            migration.finish();
            scenario.step("after").await;
        });
    }
}

/// Concurrent requests in an open slot, as many as one batch carries and more.
#[test]
fn a_flood_in_an_open_slot_admits_what_fits() {
    const QUOTA: u32 = 20;
    let cluster = Cluster::start(ServerVersion::Redis7, 3, 0);
    block_on(async {
        let limiter = limiter(&cluster).await;
        let user = unique("user");
        let slot = slot_of(&format!("{{user={user}}}"));
        let others: Vec<_> = (0..3).map(|_| user_in(slot)).collect();
        let to = (cluster.master_of_slot(slot) + 1) % 3;
        let _migration = cluster.begin_migration(slot, to);
        let mut requests = tokio::task::JoinSet::new();
        for index in 0..120 {
            let limiter = limiter.clone();
            let user = if index % 2 == 0 {
                &user
            } else {
                &others[index % 3]
            };
            let user = user.clone();
            requests.spawn(async move {
                let decision = limiter.check(&hour(QUOTA), &*user).await.unwrap();
                (user, decision.is_allowed())
            });
        }
        let mut admitted = std::collections::HashMap::new();
        while let Some(done) = requests.join_next().await {
            let (user, is_allowed) = done.unwrap();
            *admitted.entry(user).or_insert(0) += u32::from(is_allowed);
        }
        assert_eq!(admitted.len(), 4);
        assert!(
            admitted.values().all(|count| *count == QUOTA),
            "{admitted:?}"
        );
    });
}
