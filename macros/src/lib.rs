//! The attributes of `actix-throttle`, which re-exports them: depend on that crate alone.
//!
//! An expansion has steps. `args` parses the arguments, and `check` reports every error. `reapply`
//! moves the attribute below those of other crates. `expand` emits the limited handler and cannot
//! fail; `fallback` emits the original handler next to the errors.
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![forbid(unsafe_code)]

mod args;
mod attribute;
mod check;
mod conditional;
mod errors;
mod expand;
mod fallback;
mod handler;
mod name;
mod own;
mod reapply;
mod rewrite;
mod spelling;

use proc_macro::TokenStream;

use crate::{attribute::AttrName, rewrite::rewrite};

/// Limits how often a handler runs.
///
/// ```
/// # use actix_throttle::rate_limit;
/// # use actix_web::{Responder, get};
/// #[get("/")]
/// #[rate_limit(times = 2, seconds = 5)]
/// async fn index() -> impl Responder {
///     "hello"
/// }
/// ```
///
/// The attribute goes on any `async fn` handler: above or below `#[get]` and similar attributes,
/// with `#[routes]`, in a `#[scope]`, or on a function of `web::get().to(index)`. The limit is
/// checked before any extractor runs, so the body of a denied request is not read.
///
/// # Arguments
///
/// | argument | value | meaning | default |
/// |---|---|---|---|
/// | `times` | integer ≥ 1 | admissions per window | required |
/// | `milliseconds` `seconds` `minutes` `hours` `days` | integer ≥ 1 | window parts | one |
/// | a string without a name | `"5 per 10 seconds"` | short form of the two above | — |
/// | `limit` | string | name of a limit in the configuration (feature `config`) | — |
/// | `every` | string, see below | `times` in each period of the calendar, no window | — |
/// | `time_zone` | string, see below | time zone of that calendar | `"UTC"` |
/// | `algorithm` | string, see below | how to count admissions | `"sliding_window"` |
/// | `capacity` | integer ≥ 1 | `token_bucket`: size of a burst | `times` |
/// | `refill` | `"greedy"` `"interval"` | `token_bucket`: steady, or at window ends | `"greedy"` |
/// | `cost` | integer ≥ 1, or function | how much of the limit one request uses | 1 |
/// | `identifier` | see below | the key that the limit counts by | the limiter's |
/// | `name` | printable ASCII | name in headers, problem documents, logs | the handler's name |
/// | `zone` | string | counter's name; handlers can share it | handler's code path |
/// | `group` | string | limits this group, in place of the limits without a group | — |
/// | `unlimited` | flag, with `group` | does not limit this group | off |
/// | `block` | durations, 1 ms to 366 days | once exceeded, denies everything for this long | off |
/// | `max_wait` | duration, 1 ms to 24 h | waits up to this long instead of denying | off |
/// | `slow_after` | integer ≥ 1 | once so much is used, delays each request by more | off |
/// | `slow_by` | duration, 1 ms to 1 h | with `slow_after`: what each adds to the delay | — |
/// | `slow_max` | duration, 1 ms to 1 h | with `slow_after`: the longest delay | — |
/// | `skip_if` | function | exempts requests: they are neither counted nor limited | — |
/// | `refund_on` | `"5xx, 404"`, `"500-504"` | does not count responses with these statuses | — |
/// | `settle` | flag, not with `lease` | `cost` is an estimate that the handler corrects | off |
/// | `dynamic` | function | the limit of this identity, such as by its plan | — |
/// | `on_limited` | function | response to a denied request | the limiter's |
/// | `failure_mode` | `"open"` `"closed"` `"local"` | if the store cannot decide | the limiter's |
/// | `lease` | integer ≥ 2 | admissions leased from Redis at once, for hot identities | off |
/// | `shadow` | flag | counts and reports, never denies | off |
/// | `crate` | path | this crate, if it is renamed or re-exported | `::actix_throttle` |
///
/// - **Integers** are literals or constant expressions of type `u32`: `seconds = 2 * MINUTE`.
///   `times`, `capacity`, `cost` and `lease` are at most 1,000,000,000.
/// - **Windows** are the sum of their parts, 1 ms to 366 days. The short form takes any unit:
///   `"100/minute"`, `"10/5s"`. A **duration** is a string such as `"500ms"` or `"1h 30m"`.
/// - **Periods** are `every = "hour"`, `"day"`, `"week"` (from Monday), `"month"` and `"year"`.
///   They begin at midnight of `time_zone`, a name of the IANA database: `"Europe/Berlin"`. Zones
///   other than UTC need the feature `time-zones`. A period takes no algorithm.
/// - **Blocks** may get longer: of `"1m, 10m, 1h"`, each further offence takes the next length.
/// - **Algorithms** are `"sliding_window"` (at most 1,000,000 admissions per window),
///   `"sliding_window_counter"`, `"fixed_window"`, `"token_bucket"` and `"leaky_bucket"` (the
///   buckets: at most one admission a microsecond).
/// - **Identifiers** are `ip`, `global`, `header("X-Api-Key")`, `cookie("sid")`, `path("id")` and
///   `query("tenant")`, the path of a function, or the path of a static `LazyLock<Identifier>`.
///   A tuple of these, `(ip, header("X-Tenant"))`, has one counter for each combination of values;
///   if a part is missing, the request is unidentified.
///   Write `self::path` for a function with the name of a built-in identifier.
/// - **Functions** are paths, sync or async: `cost` takes `fn(&HttpRequest) -> u32`, `skip_if`
///   takes `fn(&HttpRequest) -> bool`, `on_limited` the same as in the builder. `dynamic` takes
///   `fn(&HttpRequest, &Identity) -> Option<Limit>`, where `None` keeps the limit of the attribute;
///   a returned `DynamicLimit` can also be `Unlimited`.
/// - **Constants** are told from functions by spelling: `COST` is a constant for `cost` and a
///   static for `identifier`, `cost_of` is a function. `&` marks a static in lower case.
/// - **Generics**: arguments may use `Self` and the handler's generic parameters, `identifier =
///   Self::by_user`. They reach the parameters of a surrounding `impl` through `Self`.
/// - **Leases** are not for `leaky_bucket`; the in-memory store ignores them. What is unused after
///   a tenth of the window, at most one second, returns to Redis. `fixed_window` stays exact over
///   all processes; other algorithms may exceed the limit by what is leased, up to `lease` per
///   process.
///
/// Stacked limits append `-2`, `-3` to the default `name`. The default `zone` is the path of the
/// handler in the code: the module, the function or type around it, and its name. If two handlers
/// have equal paths, such as in two blocks of one function, their first requests log an error.
///
/// # Several limits
///
/// Attributes stack. All limits on one handler, including `concurrency_limit`, are one atomic
/// decision: a request is charged to all of them or to none. Two limits that would share a counter
/// are a compile error. Two limits that differ only in the identifier's function or static have
/// separate zones by default, `handler@function`, because both may return a `42`.
///
/// ```
/// # use actix_throttle::rate_limit;
/// # use actix_web::{Responder, post};
/// #[post("/login")]
/// #[rate_limit("3/second")]
/// #[rate_limit("100/hour", identifier = header("X-Api-Key"))]
/// async fn login(form: String) -> impl Responder {
///     form
/// }
/// ```
///
/// Groups give each plan its own limit. Next to `unlimited`, only `identifier` makes sense:
///
/// ```
/// # use actix_throttle::{Identity, rate_limit};
/// # use actix_web::{HttpRequest, Responder, get};
/// fn by_user(request: &HttpRequest) -> Option<Identity> {
///     let user = request.headers().get("X-User")?.to_str().ok()?;
///     Some(Identity::new(user).group(if user == "root" { "admin" } else { "pro" }))
/// }
///
/// #[get("/report")]
/// #[rate_limit("10/minute", identifier = by_user)]
/// #[rate_limit("100/minute", group = "pro", identifier = by_user)]
/// #[rate_limit(unlimited, group = "admin", identifier = by_user)]
/// async fn report() -> impl Responder {
///     "report"
/// }
/// ```
///
/// # Responses that do not count
///
/// `refund_on` refunds the charge of a request whose response has one of these statuses: a single
/// status, a class (`5xx`) or a range (`500-504`). The headers of that response already show the
/// refund. Until then the request counts; it stays counted if the client disconnects first.
///
/// ```
/// # use actix_throttle::rate_limit;
/// # use actix_web::{HttpResponse, post};
/// /// Five wrong passwords a minute, and as many right ones as you like.
/// #[post("/login")]
/// #[rate_limit("5/minute", refund_on = "2xx, 3xx")]
/// async fn login(form: String) -> HttpResponse {
///     match form.as_str() {
///         "password=secret" => HttpResponse::Ok().finish(),
///         _ => HttpResponse::Unauthorized().finish(),
///     }
/// }
/// ```
///
/// # Costs that are known later
///
/// With `settle`, `cost` is an estimate. The handler takes a
/// [`PendingCharge`](../actix_throttle/struct.PendingCharge.html) and settles it once it knows what
/// the request has taken, also at the end of a streamed body. More is charged though there may be
/// no room: the counter is then in debt.
///
/// ```
/// # use actix_throttle::{PendingCharge, rate_limit};
/// #[actix_web::post("/chat")]
/// #[rate_limit("10000/minute", cost = 500, settle)]
/// async fn chat(charge: PendingCharge, prompt: String) -> String {
///     let answer = prompt.to_uppercase();
///     charge.settle(u32::try_from(answer.len()).unwrap_or(u32::MAX)).await;
///     answer
/// }
/// ```
///
/// # Limits of a configuration file
///
/// `limit = "login"` uses the limit of this name in the limiter's configuration, as it is at the
/// time of the request. A rate in the attribute is the fallback if there is no such limit; without
/// a rate, arguments about numbers must be in the file. The attribute fills in what the file leaves
/// open. Handlers that name the same limit count separately unless a `zone` is set in either place.
///
/// The configured limit may be a concurrency limit. A rate in the attribute is its fallback as
/// well; `cost`, `refund_on` and `dynamic` then have no effect.
///
/// ```ignore
/// #[post("/login")]
/// #[rate_limit(limit = "login")]
/// async fn login(form: String) -> impl Responder {
///     form
/// }
///
/// #[post("/reset-password")]
/// #[rate_limit("3/hour", limit = "reset-password", block = "1h")]
/// async fn reset_password(mail: String) -> impl Responder {
///     mail
/// }
/// ```
///
/// # When the store cannot decide
///
/// `"open"` admits the request without this limit (fail open). `"closed"` responds with 503 and
/// `Retry-After`. `"local"` lets the in-memory store decide under the same limits, for this process
/// alone. One `"closed"` limit is enough to reject a request; a shadow limit rejects none.
///
/// ```
/// # use actix_throttle::rate_limit;
/// # use actix_web::{Responder, post};
/// #[post("/reset-password")]
/// #[rate_limit("3/hour", failure_mode = "closed")]
/// async fn reset_password(mail: String) -> impl Responder {
///     mail
/// }
/// ```
///
/// # The limited handler
///
/// The handler keeps its name, visibility, attributes and generic parameters. It takes one
/// argument, a `Limited<(A, B)>` of its original arguments. `Limited::bypass` lets tests call it
/// without limits. A trait can declare a limited function with that argument; the documentation of
/// `Limited` has examples.
///
/// Other attributes may stand above or below. Those that rewrite a handler or read its arguments,
/// such as `tracing`'s `#[instrument]` and `#[utoipa::path]`, see the original handler. Their
/// result must be an `async fn`. The attributes of apistos and paperclip emit another kind of
/// function; limit such routes with the middleware `Throttle`.
///
/// `#[cfg]` and `#[cfg_attr]` may stand on a handler's arguments, and `#[cfg_attr]` may contain
/// this attribute. A renamed import (`use actix_throttle::rate_limit as limited`) stacks too.
#[proc_macro_attribute]
pub fn rate_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(AttrName::RateLimit, arguments.into(), item.into()).into()
}

/// Limits how many requests of a handler run at once, across all processes that share a store.
///
/// ```
/// # use actix_throttle::concurrency_limit;
/// # use actix_web::{Responder, post};
/// #[post("/export")]
/// #[concurrency_limit(max = 5, expiry = "30s")]
/// async fn export() -> impl Responder {
///     "a long file"
/// }
/// ```
///
/// A request holds a permit until the body of its response is sent or dropped, and a task renews
/// it. The attribute goes wherever `rate_limit` does.
///
/// # Arguments
///
/// | argument | value | meaning | default |
/// |---|---|---|---|
/// | `max` | integer, 1 to 1,000,000 | how many requests run at once | required |
/// | `expiry` | duration, 100 ms to 24 h | lifetime of a permit whose process died | `"30s"` |
/// | `identifier` | as in `rate_limit` | the key that permits are counted by | the limiter's |
/// | `name` | printable ASCII | name in headers, problem documents, logs | the handler's name |
/// | `zone` | string | name of the permits; handlers can share them | handler's code path |
/// | `group` | string | limits this group, in place of the limits without a group | — |
/// | `unlimited` | flag, with `group` | does not limit this group, by rates either | off |
/// | `max_wait` | duration, 1 ms to 24 h | waits for a permit instead of denying | off |
/// | `skip_if` | as in `rate_limit` | exempts requests: they take no permit | — |
/// | `on_limited` | as in `rate_limit` | response to a denied request | the limiter's |
/// | `failure_mode` | `"open"` `"closed"` `"local"` | if the store cannot decide | the limiter's |
/// | `shadow` | flag | counts and reports, never denies | off |
/// | `crate` | path | as in `rate_limit` | `::actix_throttle` |
///
/// `max` may be a constant expression, and holds for each client unless `identifier = global`.
///
/// # Together with rates
///
/// Both attributes stack in any order, and all limits on one handler are one atomic decision. A
/// request without a permit is not charged to a rate, and a request that a rate denies takes no
/// permit. A `group` on one attribute applies in place of all ungrouped limits of the handler, of
/// either kind. Two concurrency limits that would share their permits are a compile error. If the
/// configuration sets the limit, name it with `#[rate_limit(limit = "exports")]`.
///
/// ```
/// # use actix_throttle::{concurrency_limit, rate_limit};
/// # use actix_web::{Responder, get};
/// #[get("/report")]
/// #[rate_limit("100/hour")]
/// #[concurrency_limit(max = 50, identifier = global)]
/// async fn report() -> impl Responder {
///     "report"
/// }
/// ```
#[proc_macro_attribute]
pub fn concurrency_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(AttrName::ConcurrencyLimit, arguments.into(), item.into()).into()
}
