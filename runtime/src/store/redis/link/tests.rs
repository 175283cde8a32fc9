use super::*;
use crate::store::redis::url::pool_for;

fn on_a_runtime(test: impl AsyncFnOnce(&Handle)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(test(runtime.handle()));
}

/// Nobody listens at this port.
fn links() -> Links {
    Links::new(pool_for("redis://127.0.0.1:1").expect("a URL"))
}

#[test]
fn links_of_runtimes_that_have_ended_are_forgotten() {
    let links = links();
    for _ in 0..10 {
        on_a_runtime(async |runtime| {
            assert!(links.get(runtime).await.is_err());
            assert_eq!(links.all.lock().len(), 1);
        });
    }
}

#[test]
fn a_keeper_ends_with_its_links() {
    on_a_runtime(async |runtime| {
        for closes in [true, false] {
            let links = links();
            assert!(links.get(runtime).await.is_err());
            let link = links.link(runtime);
            let keeper = link.keeper.get().expect("started").clone();
            drop(link);
            assert!(!keeper.is_finished());
            if closes {
                links.close();
            }
            drop(links);
            tokio::task::yield_now().await;
            assert!(keeper.is_finished());
        }
    });
}
