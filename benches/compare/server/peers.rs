//! The other limiters, set up as their documentation advises. Where headers are a setting they are
//! on, as for this crate, so that all do the same work; actix-limitation has none.

use std::time::Duration;

use actix_extensible_rate_limit::{
    RateLimiter,
    backend::{
        Backend, SimpleInput, SimpleInputFunctionBuilder, SimpleOutput, memory::InMemoryBackend,
        redis::RedisBackend,
    },
};
use actix_governor::{
    Governor, GovernorConfig, GovernorConfigBuilder, KeyExtractor, PeerIpKeyExtractor,
    SimpleKeyExtractionError, governor::middleware::StateInformationMiddleware,
};
use actix_web::{
    dev::{HttpServiceFactory, ServiceRequest},
    web,
};
use redis_of_peer::aio::ConnectionManager;

use super::PLENTY;
use crate::Result;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone)]
pub(super) struct Peers {
    governor_one: GovernorConfig<PeerIpKeyExtractor, StateInformationMiddleware>,
    governor_many: GovernorConfig<Client, StateInformationMiddleware>,
    extensible_memory: InMemoryBackend,
    extensible: RedisBackend,
    limitation: web::Data<actix_limitation::Limiter>,
}

impl Peers {
    pub(super) async fn new(url: &str) -> Result<Self> {
        let governor_one = GovernorConfigBuilder::default()
            .milliseconds_per_request(1)
            .burst_size(PLENTY)
            .use_headers()
            .finish();
        let governor_many = GovernorConfigBuilder::default()
            .milliseconds_per_request(1)
            .burst_size(PLENTY)
            .key_extractor(Client)
            .use_headers()
            .finish();
        let client = redis_of_peer::Client::open(url)?;
        let limitation = actix_limitation::Limiter::builder(url)
            .key_by(|request| Some(request.peer_addr()?.ip().to_string()))
            .limit(usize::try_from(PLENTY)?)
            .period(DAY)
            .build()?;
        Ok(Self {
            governor_one: governor_one.ok_or("actix-governor refuses its settings")?,
            governor_many: governor_many.ok_or("actix-governor refuses its settings")?,
            extensible_memory: InMemoryBackend::builder().build(),
            extensible: RedisBackend::builder(ConnectionManager::new(client).await?)
                .key_prefix(Some("extensible:"))
                .build(),
            limitation: web::Data::new(limitation),
        })
    }

    /// Adds the resource at `path`, if it belongs to another limiter.
    pub(super) fn configure(&self, config: &mut web::ServiceConfig, path: &'static str) {
        let resource = web::resource(path);
        match path {
            "/governor/one" => {
                config.service(resource.wrap(Governor::new(&self.governor_one)).get(ok));
            }
            "/governor/many" => {
                config.service(resource.wrap(Governor::new(&self.governor_many)).get(ok));
            }
            "/extensible-memory/one" => {
                let backend = self.extensible_memory.clone();
                config.service(extensible(path, backend, input().peer_ip_key()));
            }
            "/extensible/one" => {
                let backend = self.extensible.clone();
                config.service(extensible(path, backend, input().peer_ip_key()));
            }
            "/extensible/many" => {
                let client = input().custom_fn(|request| Ok(Client.extract(request)?));
                config.service(extensible(path, self.extensible.clone(), client));
            }
            "/limitation/one" => {
                let resource = resource.app_data(self.limitation.clone());
                let limiter = actix_limitation::RateLimiter::default();
                config.service(resource.wrap(limiter).get(ok));
            }
            _ => {}
        }
    }
}

async fn ok() -> &'static str {
    "ok"
}

fn input() -> SimpleInputFunctionBuilder {
    SimpleInputFunctionBuilder::new(DAY, PLENTY.into())
}

fn extensible<B>(
    path: &str,
    backend: B,
    input: SimpleInputFunctionBuilder,
) -> impl HttpServiceFactory + 'static
where
    B: Backend<
            SimpleInput,
            Output = SimpleOutput,
            Error: Into<actix_web::Error> + std::fmt::Display,
        > + 'static,
{
    web::resource(path)
        .wrap(
            RateLimiter::builder(backend, input.build())
                .add_headers()
                .build(),
        )
        .get(ok)
}

/// Identifies the client by its header.
#[derive(Clone)]
struct Client;

impl KeyExtractor for Client {
    type Key = String;
    type KeyExtractionError = SimpleKeyExtractionError<&'static str>;

    fn extract(&self, request: &ServiceRequest) -> Result<String, Self::KeyExtractionError> {
        let header = request.headers().get("X-Client");
        header
            .and_then(|client| client.to_str().ok())
            .map(str::to_owned)
            .ok_or_else(|| SimpleKeyExtractionError::new("no client"))
    }
}
