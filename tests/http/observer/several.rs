//! Several observers of one limiter, and several limiters with one configuration.

use std::sync::Arc;

use actix_throttle::{
    Config, DecisionResult, Event, Identity, Observer, RateLimiter, config::Format,
};

use super::{Heard, routes};
use harness::http::app::{CLIENT, TestApp};

#[actix_web::test]
async fn each_observer_hears_each_event_in_the_order_of_their_adding() {
    struct Named(&'static str, Arc<Heard>);
    impl Observer for Named {
        fn observe(&self, event: &Event<'_>) {
            if let Event::Decided(decided) = event {
                let client = Identity::ip(CLIENT.parse().expect("an address"));
                assert_eq!(decided.identity(), Some(&client));
                assert_eq!(
                    (decided.cost(), decided.quota(), decided.is_shadow()),
                    (1, Some(1), false)
                );
                assert!(decided.limit().is_some() && decided.concurrency().is_none());
                assert_eq!(decided.result(), DecisionResult::Allowed);
                let mut heard = self.1.0.lock().expect("no panic");
                heard.push(self.0.to_owned());
            }
        }
    }
    let heard = Arc::new(Heard::default());
    let named = |name| Named(name, Arc::clone(&heard));
    let test_app = TestApp::with(|builder| builder.observer(named("a")).observer(named("b")));
    test_app.await.service(routes).await.get("/one").await;
    assert_eq!(heard.take(), ["a", "b"]);
}

#[actix_web::test]
async fn reloads_are_told_to_each_limiter_that_uses_the_configuration() {
    let text = |times: u32| format!("limits = {{ login = '{times}/minute' }}\nrules = []\n");
    let config = Config::parse(&text(1), Format::Toml).expect("valid");
    let heard = Arc::new(Heard::default());
    let built = || {
        let builder = RateLimiter::builder().memory().config(&config);
        builder.observer(Arc::clone(&heard)).build()
    };
    let first = built().await.expect("valid settings");
    let _second = built().await.expect("valid settings");
    assert_eq!(heard.take(), ["reload loaded false"; 2]);
    config.replace(&text(2)).expect("valid");
    assert_eq!(heard.take(), ["reload changed false"; 2]);
    drop(first);
    config.replace(&text(2)).expect("valid");
    assert_eq!(heard.take(), ["reload unchanged false"]);
    config.replace("limits = 1").expect_err("invalid");
    assert_eq!(heard.take(), ["reload refused true"]);
}
