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
    SimpleKeyExtractionError,
    governor::middleware::{NoOpMiddleware, StateInformationMiddleware},
};
use actix_trypema::{
    HeaderMode, Hybrid, Local, Redis, TrypemaLimiter,
    extract::{Header, PeerIp},
};
use actix_web::{
    dev::{HttpServiceFactory, ServiceRequest},
    web,
};
use redis_of_peer::aio::ConnectionManager;

use super::{PLENTY, ok};
use crate::{Result, case::PATH, redis_server::Urls};

/// Length of actix-trypema's windows, in seconds.
const HOUR: u64 = 3600;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone)]
pub(super) struct Peers {
    governor_one: GovernorConfig<PeerIpKeyExtractor, StateInformationMiddleware>,
    governor_many: GovernorConfig<Client, StateInformationMiddleware>,
    governor_plain: GovernorConfig<PeerIpKeyExtractor, NoOpMiddleware>,
    extensible_memory: InMemoryBackend,
    extensible: RedisBackend,
    limitation: web::Data<actix_limitation::Limiter>,
    trypema_local: TrypemaLimiter<Local>,
    trypema_plain: TrypemaLimiter<Local>,
    trypema_redis_one: TrypemaLimiter<Redis>,
    trypema_redis_many: TrypemaLimiter<Redis>,
    trypema_hybrid: TrypemaLimiter<Hybrid>,
}

impl Peers {
    pub(super) async fn new(urls: &Urls) -> Result<Self> {
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
        let governor_plain = GovernorConfigBuilder::default()
            .milliseconds_per_request(1)
            .burst_size(PLENTY)
            .finish();
        let refused = "actix-governor refuses its settings";
        let client = redis_of_peer::Client::open(&*urls.main)?;
        let limitation = actix_limitation::Limiter::builder(&*urls.main)
            .key_by(|request| Some(request.peer_addr()?.ip().to_string()))
            .limit(usize::try_from(PLENTY)?)
            .period(DAY)
            .build()?;
        let valkey = redis::Client::open(&*urls.valkey)?;
        let valkey = valkey.get_connection_manager().await?;
        let by_address = || PeerIp::default();
        let window = trypema::WindowSize::seconds_or_panic(HOUR);
        let local = || Local::new(window);
        Ok(Self {
            governor_one: governor_one.ok_or(refused)?,
            governor_many: governor_many.ok_or(refused)?,
            governor_plain: governor_plain.ok_or(refused)?,
            extensible_memory: InMemoryBackend::builder().build(),
            extensible: RedisBackend::builder(ConnectionManager::new(client).await?)
                .key_prefix(Some("extensible:"))
                .build(),
            limitation: web::Data::new(limitation),
            trypema_local: trypema(local()?, "local", by_address(), HeaderMode::Legacy)?,
            trypema_plain: trypema(local()?, "plain", by_address(), HeaderMode::Off)?,
            trypema_redis_one: trypema(
                Redis::new(valkey.clone(), window)?,
                "one",
                by_address(),
                HeaderMode::Legacy,
            )?,
            trypema_redis_many: trypema(
                Redis::new(valkey.clone(), window)?,
                "many",
                Header::new("x-client")?,
                HeaderMode::Legacy,
            )?,
            trypema_hybrid: trypema(
                Hybrid::new(valkey, window)?,
                "hybrid",
                by_address(),
                HeaderMode::Legacy,
            )?,
        })
    }

    /// Adds the resource of a service, if it belongs to another limiter.
    pub(super) fn configure(&self, config: &mut web::ServiceConfig, service: &str) {
        let resource = web::resource(PATH);
        match service {
            "governor/one" => {
                config.service(resource.wrap(Governor::new(&self.governor_one)).get(ok));
            }
            "governor/many" => {
                config.service(resource.wrap(Governor::new(&self.governor_many)).get(ok));
            }
            "governor-plain/one" => {
                config.service(resource.wrap(Governor::new(&self.governor_plain)).get(ok));
            }
            "extensible-memory/one" => {
                let backend = self.extensible_memory.clone();
                config.service(extensible(backend, input().peer_ip_key()));
            }
            "extensible/one" => {
                let backend = self.extensible.clone();
                config.service(extensible(backend, input().peer_ip_key()));
            }
            "extensible/many" => {
                let client = input().custom_fn(|request| Ok(Client.extract(request)?));
                config.service(extensible(self.extensible.clone(), client));
            }
            "limitation/one" => {
                let resource = resource.app_data(self.limitation.clone());
                let limiter = actix_limitation::RateLimiter::default();
                config.service(resource.wrap(limiter).get(ok));
            }
            "trypema-local/one" => {
                config.service(resource.wrap(self.trypema_local.clone()).get(ok));
            }
            "trypema-plain/one" => {
                config.service(resource.wrap(self.trypema_plain.clone()).get(ok));
            }
            "trypema-redis/one" => {
                config.service(resource.wrap(self.trypema_redis_one.clone()).get(ok));
            }
            "trypema-redis/many" => {
                config.service(resource.wrap(self.trypema_redis_many.clone()).get(ok));
            }
            "trypema-hybrid/one" => {
                config.service(resource.wrap(self.trypema_hybrid.clone()).get(ok));
            }
            _ => {}
        }
    }
}

/// Builds a limiter as actix-trypema's own benchmark does: a rate that is never reached.
fn trypema<B: actix_trypema::Backend>(
    backend: B,
    namespace: &str,
    extractor: impl actix_trypema::extract::KeyExtractor,
    headers: HeaderMode,
) -> Result<TrypemaLimiter<B>> {
    let limiter = TrypemaLimiter::builder(backend)
        .namespace(namespace)
        .extractor(extractor)
        .rate(trypema::RateLimit::per_second_or_panic(1e9))
        .headers(headers)
        .remaining_header(true)
        .build()?;
    Ok(limiter)
}

fn input() -> SimpleInputFunctionBuilder {
    SimpleInputFunctionBuilder::new(DAY, PLENTY.into())
}

fn extensible<B>(backend: B, input: SimpleInputFunctionBuilder) -> impl HttpServiceFactory + 'static
where
    B: Backend<
            SimpleInput,
            Output = SimpleOutput,
            Error: Into<actix_web::Error> + std::fmt::Display,
        > + 'static,
{
    web::resource(PATH)
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
