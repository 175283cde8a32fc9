//! Refunds and settlements in the log of a sliding window that is longer than the arguments of one
//! call.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit};
use futures_util::future::join_all;

use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, block_on},
};

/// The number of charges: those that come after the first take three calls to write.
const CHARGES: usize = 9_000;

#[test]
fn settlement_in_a_long_log_is_exact() {
    block_on(async {
        let limit = Limit::new(20_000, Duration::from_secs(60)).algorithm(Algorithm::SlidingWindow);
        let stores = [
            StoreKind::Server(ServerVersion::Redis62),
            StoreKind::Server(ServerVersion::Redis7),
            StoreKind::Server(ServerVersion::Valkey9),
            StoreKind::Memory,
        ];
        let mut standings = Vec::new();
        for store in join_all(stores.map(StoreFixture::new)).await {
            let mut charged = Vec::new();
            let checks = [(&limit, "ann")];
            for _ in 0..CHARGES {
                let (_, charge) = store.limiter.check_with_receipts(&checks).await.unwrap();
                charged.push(charge);
                store.advance(1_000);
            }
            let mut seen = Vec::new();
            for (index, cost) in [(0, 0), (8_990, 5), (4_500, 0), (1, 300), (8_999, 0)] {
                let charge = charged[index].clone();
                store.limiter.settle_charged(charge, cost).await.unwrap();
                let peeked = store.limiter.peek(&limit, "ann").await.unwrap();
                seen.push(peeked.limits()[0].remaining());
            }
            // The first charge leaves the window at 60 s, and all have left it at 69 s.
            store.advance(60_000_000 - CHARGES as u64 * 1_000);
            for _ in 0..20 {
                let peeked = store.limiter.peek(&limit, "ann").await.unwrap();
                seen.push(peeked.limits()[0].remaining());
                store.advance(487_654);
            }
            standings.push(seen);
        }
        let expected = standings.pop().unwrap();
        assert_eq!(expected[..5], [11_001, 10_997, 10_998, 10_699, 10_700]);
        assert_eq!(expected.last(), Some(&20_000));
        assert_eq!(standings, [&expected[..]; 3]);
    });
}
