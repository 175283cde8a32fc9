//! Limits on the messages inside a WebSocket. Environment:
//!
//! | variable | value | default |
//! |---|---|---|
//! | `PORT` | port on 127.0.0.1 | 8080 |
//! | `REDIS_URL` | URL of a Redis server | none: the in-memory store |
//!
//! Try it with `websocat`, or with Python's `websockets`: `python3 -m websockets ws://…`.

use std::{env, sync::LazyLock, time::Duration};

use actix_throttle::{Limit, RateLimiter, WebSocketLimiter, rate_limit};
use actix_web::{App, HttpRequest, HttpServer, Responder, get, rt, web};
use actix_ws::{Closed, Message, MessageStream, Session};

/// A client that sends more than three messages in five seconds is blocked for ten seconds.
const STRICT: Limit = Limit::new(3, Duration::from_secs(5))
    .block(Duration::from_secs(10))
    .zone("strict")
    .expect_valid();

/// The limits of each room, and of all rooms together.
const ROOM: Limit = Limit::per_minute(3).zone("room").expect_valid();
const ROOMS: Limit = Limit::per_minute(10).zone("rooms").expect_valid();

// All sockets share these limiters. They hold no counters: the counters are in the limiter's store.
static STRICTLY: LazyLock<WebSocketLimiter> = LazyLock::new(|| WebSocketLimiter::new(STRICT));
static IN_ROOM: LazyLock<WebSocketLimiter> = LazyLock::new(|| WebSocketLimiter::new(ROOM));
static IN_ROOMS: LazyLock<WebSocketLimiter> = LazyLock::new(|| WebSocketLimiter::new(ROOMS));

/// Echoes messages. Closes the socket of a client over the limit, with code 1008 and the wait.
async fn hang_up(
    request: HttpRequest,
    mut session: Session,
    mut messages: MessageStream,
) -> Result<(), Closed> {
    while let Some(Ok(message)) = messages.recv().await {
        match message {
            Message::Text(text) => match STRICTLY.check(&request, "").await {
                Ok(decision) if decision.is_allowed() => session.text(text).await?,
                Ok(denied) => {
                    let reason = WebSocketLimiter::close_reason(&denied);
                    return session.close(Some(reason)).await;
                }
                Err(error) => session.text(error.to_string()).await?,
            },
            Message::Ping(bytes) => session.pong(&bytes).await?,
            Message::Close(_) => break,
            _ => {}
        }
    }
    session.close(None).await
}

#[get("/ws")]
async fn strict(request: HttpRequest, body: web::Payload) -> actix_web::Result<impl Responder> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(hang_up(request, session, messages));
    Ok(response)
}

/// Echoes messages of the form `room text`, limited in each room. Answers `limited` over the limit.
async fn say_so(
    request: HttpRequest,
    mut session: Session,
    mut messages: MessageStream,
) -> Result<(), Closed> {
    while let Some(Ok(message)) = messages.recv().await {
        match message {
            Message::Text(text) => {
                let room = text.split(' ').next().unwrap_or_default();
                // A client chooses its rooms, and could choose a new room for each message.
                let answer = if is_allowed(&IN_ROOMS, &request, "").await
                    && is_allowed(&IN_ROOM, &request, room).await
                {
                    text
                } else {
                    "limited".into()
                };
                session.text(answer).await?;
            }
            Message::Ping(bytes) => session.pong(&bytes).await?,
            Message::Close(_) => break,
            _ => {}
        }
    }
    session.close(None).await
}

async fn is_allowed(limiter: &WebSocketLimiter, request: &HttpRequest, key: &str) -> bool {
    let decision = limiter.check(request, key).await;
    decision.is_ok_and(|decision| decision.is_allowed())
}

#[get("/rooms")]
async fn rooms(request: HttpRequest, body: web::Payload) -> actix_web::Result<impl Responder> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(say_so(request, session, messages));
    Ok(response)
}

/// A handler that shares its counter with the messages of `/ws`, by its zone.
#[get("/")]
#[rate_limit(times = 3, seconds = 5, block = "10s", zone = "strict")]
async fn index() -> impl Responder {
    "hello\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    let limiter = match env::var("REDIS_URL") {
        Ok(url) => RateLimiter::builder().redis_url(url),
        Err(_) => RateLimiter::builder().memory(),
    };
    limiter.init().await?;

    let port = env::var("PORT").map_or(8080, |port| port.parse().unwrap_or(8080));
    println!("four lines within five seconds, and it hangs up with code 1008:");
    println!(
        "  websocat ws://127.0.0.1:{port}/ws    or    python3 -m websockets ws://127.0.0.1:{port}/ws"
    );
    println!("and this is then denied too:  curl -i http://127.0.0.1:{port}/");
    println!(
        "`red hello` four times is limited, `blue hello` is not:  websocat ws://127.0.0.1:{port}/rooms"
    );
    HttpServer::new(|| App::new().service((strict, rooms, index)))
        .bind(("127.0.0.1", port))?
        .run()
        .await?;

    RateLimiter::close().await;
    Ok(())
}
