//! The attributes of `actix-throttle`, which re-exports them: depend on that crate alone.
//!
//! From tokens to tokens in steps, each with a type of its own: `args` reads what was written,
//! `check` says everything that is wrong with it, `reapply` puts the attribute below those of
//! others, `expand` writes the limited handler and cannot fail, `fallback` the handler as it was
//! beside the errors.
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![forbid(unsafe_code)]

mod args;
mod attribute;
mod check;
mod conditional;
mod duration;
mod errors;
mod expand;
mod expand_label;
mod expand_limit;
mod expand_policy;
mod expand_rule;
mod expand_running;
mod failure_mode;
mod fallback;
mod function;
mod generic;
mod handler;
mod identifier;
mod identifier_advice;
mod imports;
mod krate;
mod label;
mod limit;
mod name;
mod named;
mod nearest;
mod rate;
mod reapply;
mod returned;
mod rewrite;
mod rule;
mod running;
mod signature;
mod stack;
mod started;
mod statuses;
mod value;
mod window;

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
/// It goes on any `async fn` handler: above or below `#[get]` and its like, with `#[routes]`, in a
/// `#[scope]`, or on a function that is registered by `web::get().to(index)`. The check comes
/// before any extractor runs, so the body of a denied request is not even read.
///
/// # Arguments
///
/// | argument | value | meaning | default |
/// |---|---|---|---|
/// | `times` | integer ≥ 1 | admissions per window | required |
/// | `milliseconds` `seconds` `minutes` `hours` `days` | integer ≥ 1 | the window; those given are added up | at least one |
/// | positional string | `"100/minute"`, `"5 per 10 seconds"`, `"10/5s"` | shorthand for the two above | — |
/// | `limit` | string, feature `config` | the numbers are those of the configuration's limit of this name | — |
/// | `algorithm` | `"sliding_window"` `"sliding_window_counter"` `"fixed_window"` `"token_bucket"` `"leaky_bucket"` | how admissions are counted | `"sliding_window"` |
/// | `capacity` | integer ≥ 1 | `token_bucket`: burst size | `times` |
/// | `refill` | `"greedy"` `"interval"` | `token_bucket`: continuous, or `times` tokens at each window's end | `"greedy"` |
/// | `cost` | integer ≥ 1, or path to `fn(&HttpRequest) -> u32`, sync or async | what one request takes | 1 |
/// | `identifier` | `ip` `global` `header("X-Api-Key")` `cookie("sid")` `path("id")` `query("tenant")`, path to a function, sync or async, or to a static | who is counted | the limiter's |
/// | `name` | string of printable ASCII | policy name in headers, problem documents, logs | the handler's name; `-2`, `-3` behind it for stacked ones |
/// | `zone` | string | share one counter between handlers | the handler's full path |
/// | `group` | string | applies to identities of this group, in place of the ungrouped limits | — |
/// | `unlimited` | flag, with `group` | that group is not limited; beside it only `identifier` makes sense | off |
/// | `block` | duration string, `"60s"`, `"1h 30m"` | once exceeded, deny everything for that long | off |
/// | `max_wait` | duration string, `"500ms"`, 1 ms to 24 h | wait for a slot up to this long instead of denying | off |
/// | `skip_if` | path to `fn(&HttpRequest) -> bool`, sync or async | such requests are neither counted nor limited | — |
/// | `refund_on` | `"5xx, 404"`, `"500-504"` | responses with these statuses are not counted | — |
/// | `dynamic` | path to `fn(&HttpRequest, &Identity) -> Option<Limit>`, sync or async | limit by the caller's plan; `None` falls back to the written one; a `DynamicLimit` in place of the `Option` may also say `Unlimited` | — |
/// | `on_limited` | path to a function, sync or async, as in the builder | this handler's own answer | the limiter's |
/// | `failure_mode` | `"open"` `"closed"` `"local"` | what becomes of a request that the store cannot decide | the limiter's |
/// | `lease` | integer ≥ 2, not with `leaky_bucket` | take up to this many from Redis at once for a hot identity and serve them in this process | off |
/// | `shadow` | flag | count and report, never deny | off |
/// | `crate` | path | where this crate is found: renamed in `Cargo.toml`, or re-exported by another | `::actix_throttle` |
///
/// An integer is a literal or a constant expression of type `u32`: `times = MAX_LOGINS`, `seconds =
/// 2 * MINUTE`. Windows are 1 millisecond to 366 days long, `times`, `capacity` and `lease` at most
/// 1,000,000,000; `sliding_window` admits at most 1,000,000 per window, the two buckets at most one
/// a microsecond.
///
/// Of a `lease`, what is not used within a tenth of the window, at most one second, is given back.
/// With `fixed_window` all processes together never admit more than the limit; with the other
/// algorithms at most what is leased at one moment, `lease` a process, more. The embedded store
/// ignores it.
///
/// For `cost`, a path whose last segment is written like a constant (`COST`, `prices::UPLOAD`) is a
/// constant, any other path (`cost_of`, `prices::upload`) a function; an expression that is no path
/// (`2 * COST`, `price(3)`) is a constant.
///
/// In the same way, an `identifier` that is written like a constant is a static, a
/// `LazyLock<Identifier>`; any other path is a function. (A static in lower case is written with
/// `&`.) A function called `ip`, `path` … is written `self::path`, to tell it from the built-in
/// identifiers.
///
/// Arguments may speak of `Self` and of the handler's generic parameters, `identifier =
/// Self::by_user`; of those of the `impl` around it they speak through `Self`.
///
/// The default `zone` is the module's path and the handler's name. For a handler inside a function,
/// and for an associated one, the function or the type is part of it. Where even that does not tell
/// two handlers apart, in two blocks of one function say, the log has an error at their first
/// requests.
///
/// # Several limits
///
/// Attributes stack; all that stand on one handler, `concurrency_limit` among them, are one atomic
/// decision: a request is charged to all of them, or to none. Two that would share a counter are an
/// error. Two that differ in nothing but the function that identifies have zones of their own by
/// default, `handler@function`: both functions may name a `42`.
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
/// By plan:
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
/// With `refund_on`, what a request was charged is given back when it is answered with one of these
/// statuses: single ones, classes (`5xx`) and ranges (`500-504`). The headers of that response show
/// it already. Until then the request counts like any other, and it stays counted if the client
/// leaves before the answer.
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
/// # Limits of a configuration file
///
/// `limit = "login"` takes the limit of that name from the limiter's configuration, as it is at the
/// moment of the request. A rate beside it is the fallback, for when there is no such limit;
/// without one, arguments that belong to the numbers have to be in the file. What is written in the
/// attribute holds for what the file leaves open. So does the handler's own zone: two handlers that
/// name one limit count apart, unless a `zone` is written here or there.
///
/// It may be a limit on what runs at once, as of `concurrency_limit`. A rate that is written beside
/// the name stands in for it all the same; `cost`, `refund_on` and `dynamic` have no meaning then.
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
/// # Conditions
///
/// `#[cfg]` and `#[cfg_attr]` may stand on a handler's arguments, and an attribute may be under a
/// `#[cfg_attr]`. One that is imported under another name (`use actix_throttle::rate_limit as
/// limited`) stacks like the others.
///
/// # When the store cannot decide
///
/// `"open"` lets the request go on without its limit, `"closed"` answers 503 with `Retry-After`,
/// `"local"` has the embedded store decide under the same limits, for this process alone. Of
/// several limits, one of `"closed"` is enough to refuse a request; a shadow refuses none.
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
/// # What becomes of the handler
///
/// It keeps its name, visibility, attributes and generic parameters, and takes one argument, a
/// `Limited<(A, B)>` of the arguments that were written. With `Limited::bypass` tests call it
/// without its limits. A trait's function can be limited where the trait declares it with that
/// argument; the documentation of `Limited` has examples.
///
/// Other attributes may stand above or below: those that rewrite a handler or make something of its
/// arguments, as `tracing`'s `#[instrument]` and `#[utoipa::path]` do, see it as it was written.
/// What they make of it has to be an `async fn` still; apistos' and paperclip's attributes make
/// another kind of function, whose route the middleware `Throttle` can limit.
#[proc_macro_attribute]
pub fn rate_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(AttrName::RateLimit, arguments.into(), item.into()).into()
}

/// Limits how many of a handler's requests run at once, across all processes that share a store.
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
/// A request runs until its response's body has been sent, or is dropped. Until then it holds a
/// place, which is renewed in the background. It goes wherever `rate_limit` does.
///
/// # Arguments
///
/// | argument | value | meaning | default |
/// |---|---|---|---|
/// | `max` | integer, or constant expression of type `u32`, 1 to 1,000,000 | how many run at once | required |
/// | `expiry` | duration string, `"10s"`, 100 ms to 24 h | how long a place stays taken that nobody renews: when a process dies | `"30s"` |
/// | `identifier` | as in `rate_limit` | whose requests share the places | the limiter's |
/// | `name` | string of printable ASCII | policy name in headers, problem documents, logs | the handler's name; `-2`, `-3` behind it for stacked ones, rates included |
/// | `zone` | string | share the places between handlers | the handler's full path |
/// | `group` | string | applies to identities of this group, in place of the ungrouped limits | — |
/// | `unlimited` | flag, with `group` | that group is not limited, not by rates either; beside it only `identifier` makes sense | off |
/// | `max_wait` | duration string, `"500ms"`, 1 ms to 24 h | wait for a place up to this long instead of denying | off |
/// | `skip_if` | path to `fn(&HttpRequest) -> bool`, sync or async | such requests take no place | — |
/// | `on_limited` | path to a function, sync or async, as in the builder | this handler's own answer | the limiter's |
/// | `failure_mode` | `"open"` `"closed"` `"local"` | what becomes of a request that the store cannot decide | the limiter's |
/// | `shadow` | flag | count and report, never deny | off |
/// | `crate` | path | as in `rate_limit` | `::actix_throttle` |
///
/// With the limiter's own identifier these are `max` requests for each client. For all clients
/// together, write `identifier = global`.
///
/// # Beside rates
///
/// Both attributes stack in any order, and all that stand on one handler are one atomic decision: a
/// request that finds no place is not charged to a rate, and one that a rate denies takes no place.
/// A `group` on one of them stands in place of all ungrouped limits of the handler, of either kind.
/// Two concurrency limits that would share their places are an error.
///
/// Where a configuration is to say how many, name its limit by `#[rate_limit(limit = "exports")]`.
///
/// ```
/// # use actix_throttle::{concurrency_limit, rate_limit};
/// # use actix_web::{Responder, get};
/// #[get("/report")]
/// #[rate_limit("100/hour", identifier = header("X-Api-Key"))]
/// #[concurrency_limit(max = 2, identifier = header("X-Api-Key"), max_wait = "2s")]
/// #[concurrency_limit(max = 50, identifier = global)]
/// async fn report() -> impl Responder {
///     "report"
/// }
/// ```
#[proc_macro_attribute]
pub fn concurrency_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(AttrName::ConcurrencyLimit, arguments.into(), item.into()).into()
}
