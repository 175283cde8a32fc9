//! A gateway to a language model. Each API key has a number of tokens a minute, of requests a
//! minute and of requests at the same time. How many tokens an answer takes is known when it has
//! been streamed, so a request is charged at an estimate, which is settled then: also if the client
//! leaves in the middle of the answer.
//!
//! The gateway itself keeps to the limits of the model's service, by the same estimates. That
//! service is in this file, too: it streams a word every tenth of a second. The store has the
//! environment of `showcase`; `PORT` is where the gateway listens.

// The client's future is deeply nested.
#![recursion_limit = "256"]

mod environment;

use std::{error::Error, net::SocketAddr, time::Duration};

use actix_throttle::{
    CallPermit, Limit, Outgoing, PendingCharge, concurrency_limit,
    outgoing::{Request, Response},
    rate_limit,
};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, error, post, rt, web,
    web::{Bytes, Data},
};
use futures_util::{Stream, StreamExt, stream};

use self::environment::number;

/// The most tokens of an answer, unless the request says how many.
const MOST: u32 = 50;

/// The limits that the model's service sets for the gateway.
const MODEL_TOKENS: Limit = Limit::per_minute(5_000).cost(MOST).name("model-tokens");
const MODEL_CALLS: Limit = Limit::per_minute(100).name("model-calls");

/// The upstream service, and the limits of calls to it.
struct Model {
    address: SocketAddr,
    client: reqwest::Client,
    outgoing: Outgoing,
}

/// The estimate: what an answer may take at most.
fn at_most(request: &HttpRequest) -> u32 {
    let header = request.headers().get("X-Max-Tokens");
    let most = header.and_then(|value| value.to_str().ok()?.parse().ok());
    most.unwrap_or(MOST)
}

#[post("/chat")]
#[rate_limit("200/minute", identifier = header("X-Api-Key"), name = "tokens", cost = at_most, settle)]
#[rate_limit("20/minute", identifier = header("X-Api-Key"), name = "requests", zone = "requests")]
#[concurrency_limit(max = 2, identifier = header("X-Api-Key"), name = "running")]
async fn chat(
    charge: PendingCharge,
    model: Data<Model>,
    prompt: String,
) -> Result<HttpResponse, actix_web::Error> {
    let host = model.address.to_string();
    let call = Request::new("POST", host.as_str(), "/generate");
    let permit = model.outgoing.acquire(&call).await?;
    let url = format!("http://{host}/generate?most={}", charge.estimate());
    let answer = match model.client.post(url).body(prompt).send().await {
        Ok(answer) => answer,
        Err(error) => {
            permit.not_sent().await;
            charge.settle(0).await;
            return Err(error::ErrorBadGateway(error));
        }
    };
    if !answer.status().is_success() {
        permit
            .completed(Response::new(answer.status().as_u16()))
            .await;
        charge.settle(0).await;
        return Ok(HttpResponse::BadGateway().finish());
    }
    let answer = Answer {
        upstream: answer,
        taken: 0,
        open: Some((charge, permit)),
    };
    Ok(HttpResponse::Ok()
        .content_type("text/plain")
        .streaming(answer.into_stream()))
}

/// An answer that is being streamed, and what is charged for it.
struct Answer {
    upstream: reqwest::Response,
    /// The tokens so far: a word each.
    taken: u32,
    open: Option<(PendingCharge, CallPermit)>,
}

impl Answer {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, error::Error>> {
        stream::unfold(self, async |mut answer| {
            match answer.upstream.chunk().await {
                Ok(Some(chunk)) => {
                    let words = String::from_utf8_lossy(&chunk).split_whitespace().count();
                    answer.taken += u32::try_from(words).unwrap_or(u32::MAX);
                    Some((Ok(chunk), answer))
                }
                Ok(None) => {
                    // The charge is settled before the end of the body, so that a client that has
                    // received all of it sees the true cost.
                    if let Some(open) = answer.open.take() {
                        settle(open, answer.taken).await;
                    }
                    None
                }
                Err(error) => Some((Err(error::ErrorBadGateway(error)), answer)),
            }
        })
    }
}

/// The client has left, or the model has: what was streamed until then counts.
impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            rt::spawn(settle(open, self.taken));
        }
    }
}

async fn settle((charge, permit): (PendingCharge, CallPermit), taken: u32) {
    charge.settle(taken).await;
    permit.settle(taken).await;
    println!("took {taken} tokens");
}

/// The model's service: as many words as the prompt has, three times, and `most` words at most.
#[post("/generate")]
async fn generate(prompt: String, most: web::Query<Vec<(String, usize)>>) -> impl Responder {
    let most = most.first().map_or(0, |(_, most)| *most);
    let words: Vec<String> = prompt.split_whitespace().map(str::to_owned).collect();
    let words = (0..3).flat_map(move |_| words.clone()).take(most);
    let words = stream::iter(words).then(async |word| {
        rt::time::sleep(Duration::from_millis(100)).await;
        Ok::<_, actix_web::Error>(Bytes::from(format!("{word} ")))
    });
    HttpResponse::Ok().streaming(words)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let service = HttpServer::new(|| App::new().service(generate))
        .workers(1)
        .bind(("127.0.0.1", 0))?;
    let address = service.addrs()[0];
    rt::spawn(service.run());

    let limiter = environment::limiter()?.build().await?;
    let model = Data::new(Model {
        address,
        client: reqwest::Client::new(),
        outgoing: Outgoing::new(&limiter)
            .limit(MODEL_TOKENS)
            .limit(MODEL_CALLS)
            .max_wait(Duration::from_secs(5)),
    });
    let app = move || {
        App::new()
            .app_data(limiter.clone())
            .app_data(model.clone())
            .service(chat)
    };
    let port: u16 = number("PORT")?.unwrap_or(8080);
    println!("try: curl -iN -H 'X-Api-Key: ann' -d 'tell me a story' http://127.0.0.1:{port}/chat");
    HttpServer::new(app)
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
    Ok(())
}
