//! The loops of the guide and the API documentation, word for word, because users copy them.

use super::*;

mod of_guide {
    include!("guide.in");

    pub(super) fn route(app: &mut web::ServiceConfig) {
        app.service(chat);
    }
}

mod of_rustdoc {
    include!("rustdoc.in");

    pub(super) fn route(app: &mut web::ServiceConfig) {
        app.service(chat);
    }
}

const GUIDE: &str = include_str!("../../../docs/guide/websockets.md");
const RUSTDOC: &str = include_str!("../../../runtime/src/http/websocket.rs");

#[test]
fn loops_are_those_of_the_documents() {
    assert!(GUIDE.contains(include_str!("guide.in")));
    let rustdoc = RUSTDOC.lines().map(|line| {
        let text = line.strip_prefix("///").unwrap_or_default();
        text.strip_prefix(' ').unwrap_or(text).to_owned() + "\n"
    });
    let rustdoc: String = rustdoc.collect();
    assert!(rustdoc.contains(include_str!("rustdoc.in")));
}

#[actix_web::test]
async fn documented_loop_answers_pings_and_stays_open() {
    for route in [of_guide::route, of_rustdoc::route] {
        let test_app = TestApp::new().await;
        let live = Live::start(&test_app.limiter, 1, route);
        let mut ann = open(&live, "/chat", "ann").await;
        assert_eq!(ann.ping("are you there?").await, "are you there?");
        // Pings are not counted.
        for text in ["1", "2", "3", "4", "5"] {
            assert_eq!(ann.say(text).await, WsMessage::Text(text.to_owned()));
            assert_eq!(ann.ping(text).await, text);
        }
        let WsMessage::Closed(Some(reason)) = ann.say("6").await else {
            panic!("not closed");
        };
        assert_eq!(u16::from(reason.code), 1008);
    }
}
