//! Limits on messages inside a WebSocket: each message is checked through the guard, and the
//! application decides what a denial does to the socket.

use std::{fmt, iter, sync::Arc};

use actix_throttle_core::{decision::Decision, limit::Limit};
use actix_web::HttpRequest;
use actix_ws::{CloseCode, CloseReason};

use super::{
    context::{Overrides, RuleContext},
    error::RequestError,
    guard::decide,
    matching::RuleMatcher,
    rule::Rule,
};
use crate::{
    engine::log_throttle::TARGET,
    identity::IntoIdentifier,
    limiter::{LimiterRef, RateLimiter},
};

/// A limiter of the messages inside a WebSocket. Call [`check`](Self::check) once a message: it
/// counts the identity of the request that opened the socket.
///
/// The limits use the same counters as those of handlers where zone, algorithm and window are the
/// same. A limit without a [zone](Limit::zone) counts under its name, and one without either under
/// `default`, together with all such limits: give it one of the two.
///
/// The limiter is a cheap handle, whose clones share its rules. It holds no counters itself, so it
/// may stand in a `static`, in a [`LazyLock`](std::sync::LazyLock), or be created for each socket.
///
/// ```
/// use std::sync::LazyLock;
///
/// use actix_throttle::{Limit, WebSocketLimiter, actix_ws::{self, Message}};
/// use actix_web::{HttpRequest, Responder, get, rt, web};
///
/// const CHAT: Limit = Limit::per_second(5).name("chat").expect_valid();
/// static LIMITER: LazyLock<WebSocketLimiter> = LazyLock::new(|| WebSocketLimiter::new(CHAT));
///
/// #[get("/chat")]
/// async fn chat(request: HttpRequest, body: web::Payload) -> actix_web::Result<impl Responder> {
///     let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
///     rt::spawn(async move {
///         while let Some(Ok(message)) = messages.recv().await {
///             match message {
///                 Message::Text(text) => match LIMITER.check(&request, "").await {
///                     Ok(decision) if decision.is_allowed() => session.text(text).await?,
///                     Ok(denied) => {
///                         let reason = WebSocketLimiter::close_reason(&denied);
///                         return session.close(Some(reason)).await;
///                     }
///                     Err(_) => break,
///                 },
///                 Message::Ping(bytes) => session.pong(&bytes).await?,
///                 Message::Close(_) => break,
///                 _ => {}
///             }
///         }
///         session.close(None).await
///     });
///     Ok(response)
/// }
/// # let _ = chat;
/// ```
#[derive(Clone)]
#[must_use = "it limits nothing until `check` is called"]
pub struct WebSocketLimiter(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    rules: Vec<Rule>,
    context: Overrides,
    limiter: Option<RateLimiter>,
}

impl WebSocketLimiter {
    /// Creates a limiter with one limit for every identity's messages.
    pub fn new(limit: Limit) -> Self {
        Self::rules([Rule::new(limit)])
    }

    /// Creates a limiter with several rules. Each message is one decision, which is charged to all
    /// of their limits or to none.
    ///
    /// The rules apply as those of an attribute do; groups, `skip_if` and the like refer to the
    /// request that opened the socket. Options about responses and handlers have no effect:
    /// `refund_on` refunds nothing, `on_limited` is never called, and with `settle` the estimate
    /// stands, which the log says. A permit of a concurrency limit is released at once, because a
    /// message has no response that would hold it.
    ///
    /// ```
    /// use actix_throttle::{Limit, Rule, WebSocketLimiter};
    ///
    /// let limiter = WebSocketLimiter::rules([
    ///     Rule::new(Limit::per_second(5).name("chat")),
    ///     Rule::new(Limit::per_hour(1_000).name("chat-hourly")),
    ///     Rule::unlimited("admin"),
    /// ]);
    /// # let _ = limiter;
    /// ```
    pub fn rules(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(Arc::new(Inner {
            rules: rules.into_iter().collect(),
            context: Overrides::default(),
            limiter: None,
        }))
    }

    /// Sets the identifier, for rules without one of their own. Default: the limiter's.
    ///
    /// The identifier runs at each message, on the request that opened the socket. If it takes
    /// time, expires or reads a session, it behaves as if that request came again.
    pub fn identifier<M>(self, identifier: impl IntoIdentifier<M>) -> Self {
        let identifier = identifier.into_identifier();
        if let Some(diagnostic) = identifier.validate() {
            log::error!(
                target: TARGET,
                "a `WebSocketLimiter` counts every client by its address: {diagnostic}"
            );
        }
        self.with(|inner| inner.context.identifier = Some(identifier))
    }

    /// Sets the limiter. Default: the one that handlers use, which is the request's nearest
    /// `app_data`, else the process-wide limiter.
    pub fn limiter(self, limiter: RateLimiter) -> Self {
        self.with(|inner| inner.limiter = Some(limiter))
    }

    /// Decides a message and charges it if it is admitted, for the identity of `request`, which
    /// opened the socket.
    ///
    /// An empty context key stands for the counter that handlers share by zone, algorithm and
    /// window. Each other key, of any length and content, has a counter of its own for each
    /// identity, and a [block](Limit::block) of its own: see
    /// [`Identity::context`](crate::Identity::context). A client that chooses the key has as many
    /// quotas as it finds keys; if that must not be, check with an empty key as well.
    ///
    /// If no rule applies, the decision allows the message and has no limits. The request keeps
    /// nothing, however many messages there are.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter, WebSocketLimiter};
    /// use actix_web::test::TestRequest;
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let messages =
    ///     WebSocketLimiter::new(Limit::per_minute(1).name("messages")).limiter(limiter);
    ///
    /// let request = TestRequest::default().to_http_request();
    /// assert!(messages.check(&request, "room/7").await?.is_allowed());
    /// assert!(!messages.check(&request, "room/7").await?.is_allowed());
    /// assert!(messages.check(&request, "room/8").await?.is_allowed());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError::NotInstalled`] without a limiter; [`RequestError::Forbidden`] if the
    /// client's network is denied; [`RequestError::Unidentified`] with the response of
    /// `on_unidentified`; [`RequestError::Undecided`] if a rule's limit is invalid, no
    /// configuration has its name, or the store could not decide and the
    /// [`FailureMode`](crate::FailureMode) of a rule is `Closed`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while the store decides, the message may have been charged.
    pub async fn check(
        &self,
        request: &HttpRequest,
        context_key: &str,
    ) -> Result<Decision, RequestError> {
        let Inner {
            rules,
            context,
            limiter,
        } = &*self.0;
        let limiter = match limiter {
            Some(limiter) => LimiterRef::Borrowed(limiter),
            None => RateLimiter::nearest(request).ok_or(RequestError::NotInstalled)?,
        };
        let context = RuleContext::with(&limiter, context);
        let matcher = RuleMatcher::of_message(context, request, context_key);
        let decision = decide(matcher, rules).await?;
        Ok(decision.unwrap_or_else(|| Decision::new(true, iter::empty())))
    }

    /// Builds the reason for closing a socket after a denial: code 1008 (policy violation,
    /// [RFC 6455, section 7.4.1](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1)), and a text
    /// with the seconds to wait, rounded up, as in `Retry-After`.
    ///
    /// The text has at most the 123 bytes that fit into a close frame.
    #[must_use]
    pub fn close_reason(denied: &Decision) -> CloseReason {
        let description = match denied.retry_after_seconds() {
            Some(seconds) => format!("rate limit exceeded, retry after {seconds} s"),
            None => "rate limit exceeded".to_owned(),
        };
        CloseReason {
            code: CloseCode::Policy,
            description: Some(description),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Debug for WebSocketLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketLimiter")
            .field("rules", &self.0.rules)
            .finish_non_exhaustive()
    }
}
