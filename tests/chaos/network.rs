//! A healthy server behind a failing network, under load.

use std::{sync::Arc, thread::sleep, time::Duration};

use super::outage::{BACK, OUTAGE, silence};
use harness::{Mode, Proxy, Server, ServerVersion};

/// Bound for a connection attempt without a response to be abandoned.
const ATTEMPT: Duration = Duration::from_secs(2);

async fn unwell(mode: Mode, back: Duration) {
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Arc::new(Proxy::start(server.port()));
    let trouble = {
        let proxy = Arc::clone(&proxy);
        move || {
            proxy.set(mode);
            sleep(OUTAGE);
            proxy.set(Mode::Pass);
            server
        }
    };
    silence(proxy.url(), back, trouble).await;
    // At most as many as the server has: an abandoned connection is closed.
    assert!(proxy.connections() <= 3, "{}", proxy.connections());
}

#[actix_web::test]
async fn slow() {
    unwell(Mode::Delay(Duration::from_millis(300)), BACK).await;
}

#[actix_web::test]
async fn answers_that_come_when_all_is_over() {
    unwell(Mode::Stall, BACK).await;
}

/// Requests are lost, and so is a connection attempt that began meanwhile.
#[actix_web::test]
async fn swallowing() {
    unwell(Mode::Swallow, BACK + ATTEMPT).await;
}

#[actix_web::test]
async fn refusing() {
    unwell(Mode::Refuse, BACK).await;
}
