//! `/ws`: an echo whose messages are limited.

use std::time::Duration;

use actix_throttle::{Limit, WebSocketLimiter};
use actix_web::{HttpRequest, HttpResponse, get, rt, web};
use actix_ws::Message;

#[get("/ws")]
pub(crate) async fn ws(
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    let limiter = WebSocketLimiter::new(Limit::new(3, Duration::from_secs(5)).zone("ws"));
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.recv().await {
            match message {
                Message::Text(text) => match limiter.check(&request, "").await {
                    Ok(decision) if decision.is_allowed() => session.text(text).await?,
                    Ok(_) => session.text("limited").await?,
                    Err(error) => session.text(error.to_string()).await?,
                },
                Message::Ping(bytes) => session.pong(&bytes).await?,
                Message::Close(_) => break,
                _ => {}
            }
        }
        session.close(None).await
    });
    Ok(response)
}
