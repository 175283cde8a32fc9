//! Requests in the queue and permits, while the switch is turned.

use actix_throttle::Enforcement;
use futures_util::FutureExt;

use super::routes;
use harness::http::app::{TestApp, is_waiting};

#[actix_web::test]
async fn requests_in_the_queue_go_on_once_limits_are_not_enforced() {
    for mode in [Enforcement::Shadow, Enforcement::Off] {
        let test_app = TestApp::new().await;
        let service = test_app.service(routes).await;
        assert_eq!(service.get("/wait").await.status, 200);
        let (mut second, mut third) = (
            Box::pin(service.get("/wait")),
            Box::pin(service.get("/wait")),
        );
        assert!(is_waiting(&mut second).await && is_waiting(&mut third).await);
        // The clock stands still, so only the switch can let them go on.
        test_app.limiter.set_enforcement(mode);
        assert_eq!(second.await.status, 200, "{mode:?}");
        assert_eq!(third.await.status, 200, "{mode:?}");
        assert_eq!(service.get("/wait").await.status, 200, "nothing waits");
    }
}

#[actix_web::test]
async fn permits_are_counted_in_shadow_and_none_is_taken_while_off() {
    let test_app = TestApp::with(|builder| builder.enforcement(Enforcement::Shadow)).await;
    let service = test_app.service(routes).await;
    let mut first = Box::pin(service.get("/held"));
    let mut second = Box::pin(service.get("/held"));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(test_app.limiter.shadow_denials()["held"], 1);
    // The permit of the first request is held, and counts once limits are enforced.
    test_app.limiter.set_enforcement(Enforcement::On);
    assert_eq!(service.get("/held").await.status, 429);
    drop((first, second));
    test_app.limiter.set_enforcement(Enforcement::Off);
    let mut while_off = Box::pin(service.get("/held"));
    assert!((&mut while_off).now_or_never().is_none());
    test_app.limiter.set_enforcement(Enforcement::On);
    assert!(
        service.get("/held").now_or_never().is_none(),
        "a free permit"
    );
}
