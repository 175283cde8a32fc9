//! WebSocket clients for a real server.

use std::time::Duration;

use actix_web::rt::time::timeout;
use awc::{
    Client,
    error::WsProtocolError,
    ws::{CloseReason, Frame, Message},
};
use futures_util::{Sink, SinkExt, Stream, StreamExt};

use harness::http::live::Live;

/// Bound for a response to arrive.
const BOUND: Duration = Duration::from_secs(20);

/// The sink and stream of a socket.
pub(super) trait Connection:
    Sink<Message, Error = WsProtocolError> + Stream<Item = Result<Frame, WsProtocolError>> + Unpin
{
}

impl<T> Connection for T where
    T: Sink<Message, Error = WsProtocolError>
        + Stream<Item = Result<Frame, WsProtocolError>>
        + Unpin
{
}

/// An open socket.
pub(super) struct WsClient<C>(C);

/// A message from the server.
#[derive(Debug, PartialEq)]
pub(super) enum WsMessage {
    Text(String),
    Closed(Option<CloseReason>),
}

/// Opens a socket as this user.
pub(super) async fn open(live: &Live, path: &str, user: &str) -> WsClient<impl Connection + use<>> {
    let url = format!("ws://{}{path}", live.address);
    let request = Client::new().ws(url).header("X-User", user);
    let (_, connection) = request.connect().await.expect("a socket");
    WsClient(connection)
}

impl<C: Connection> WsClient<C> {
    /// Sends a text and returns the response.
    pub(super) async fn say(&mut self, text: &str) -> WsMessage {
        self.0
            .send(Message::Text(text.to_owned().into()))
            .await
            .expect("a socket");
        let frame = timeout(BOUND, self.0.next())
            .await
            .expect("an answer in time");
        match frame.expect("an answer").expect("a frame") {
            Frame::Text(text) => WsMessage::Text(String::from_utf8(text.to_vec()).expect("UTF-8")),
            Frame::Close(reason) => WsMessage::Closed(reason),
            other => panic!("{other:?}"),
        }
    }

    /// Sends a ping and returns the text of the pong.
    pub(super) async fn ping(&mut self, text: &'static str) -> String {
        let ping = Message::Ping(text.as_bytes().into());
        self.0.send(ping).await.expect("a socket");
        let frame = timeout(BOUND, self.0.next()).await;
        match frame.expect("an answer in time").expect("an answer") {
            Ok(Frame::Pong(bytes)) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
            other => panic!("{other:?}"),
        }
    }

    /// Sends these texts and returns the responses.
    pub(super) async fn say_all<const N: usize>(&mut self, texts: [&str; N]) -> Vec<String> {
        let mut answers = Vec::with_capacity(N);
        for text in texts {
            match self.say(text).await {
                WsMessage::Text(answer) => answers.push(answer),
                WsMessage::Closed(reason) => panic!("closed: {reason:?}"),
            }
        }
        answers
    }
}
