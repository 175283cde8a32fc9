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
use futures_util::{Stream, StreamExt, future::join, stream};

use self::environment::number;

/// The most tokens of an answer, unless the request says how many.
const MOST: u32 = 50;

/// The limits that the model's service sets for the gateway.
const MODEL_TOKENS: Limit = Limit::per_minute(5_000).name("model-tokens");
const MODEL_CALLS: Limit = Limit::per_minute(100).name("model-calls");

/// The upstream service, and the limits of calls to it: that of tokens comes with each call.
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
    let estimate = charge.estimate();
    let mut bill = Bill::new(charge);
    let host = model.address.to_string();
    let call = Request::new("POST", host.as_str(), "/generate");
    let outgoing = model.outgoing.clone();
    let outgoing = outgoing.limit(MODEL_TOKENS.cost(estimate));
    match outgoing.acquire(&call).await {
        Ok(permit) => bill.permit = Some(permit),
        Err(error) => {
            bill.settle().await;
            return Err(error.into());
        }
    }
    let url = format!("http://{host}/generate?most={estimate}");
    let answer = match model.client.post(url).body(prompt).send().await {
        Ok(answer) if answer.status().is_success() => answer,
        Ok(answer) => {
            if let Some(permit) = bill.permit.take() {
                let retry_after = answer.headers().get("Retry-After");
                let retry_after = retry_after.and_then(|value| value.to_str().ok());
                let told = Response::new(answer.status().as_u16()).retry_after(retry_after);
                permit.settle(0).await;
                permit.completed(told).await;
            }
            bill.settle().await;
            return Err(error::ErrorBadGateway(answer.status()));
        }
        Err(error) => {
            bill.settle().await;
            return Err(error::ErrorBadGateway(error));
        }
    };
    Ok(HttpResponse::Ok()
        .content_type("text/plain")
        .streaming(stream_answer(answer, bill)))
}

/// Streams an answer, and settles the bill at its end.
fn stream_answer(
    answer: reqwest::Response,
    bill: Bill,
) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::unfold((answer, bill), async |(mut answer, mut bill)| {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                let words = chunk.iter().filter(|byte| **byte == b' ').count();
                bill.taken += u32::try_from(words).unwrap_or(u32::MAX);
                Some((Ok(chunk), (answer, bill)))
            }
            Ok(None) => {
                // The bill is settled before the end of the body, so that a client that has
                // received all of it sees the true cost.
                bill.settle().await;
                None
            }
            Err(error) => Some((Err(error::ErrorBadGateway(error)), (answer, bill))),
        }
    })
}

/// The charges of a request at the gateway and at the model's service, and what its answer takes.
struct Bill {
    /// The charge of the gateway's limits, until it is settled.
    charge: Option<PendingCharge>,
    /// The charge of the model's limits, once there is one.
    permit: Option<CallPermit>,
    /// The tokens that have been streamed so far: a word each.
    taken: u32,
}

impl Bill {
    fn new(charge: PendingCharge) -> Self {
        Self {
            charge: Some(charge),
            permit: None,
            taken: 0,
        }
    }

    /// Settles both charges, once. They are settled at the same time: a settlement is carried out
    /// once it was polled, so both are if the client leaves meanwhile.
    fn settle(&mut self) -> impl Future<Output = ()> + use<> {
        let (charge, permit) = (self.charge.take(), self.permit.take());
        let taken = self.taken;
        async move {
            let Some(charge) = charge else { return };
            let of_the_model = async {
                if let Some(permit) = &permit {
                    permit.settle(taken).await;
                }
            };
            join(charge.settle(taken), of_the_model).await;
            println!("took {taken} tokens");
        }
    }
}

/// The client has left, or the model has: what was streamed until then counts.
impl Drop for Bill {
    fn drop(&mut self) {
        if self.charge.is_some() {
            rt::spawn(self.settle());
        }
    }
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
        // The gateway notices at once that a client has left.
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
    Ok(())
}
