//! Limits on messages inside a WebSocket.

use std::{fmt, iter, sync::Arc};

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
    decision::Decision,
    identity::IntoIdentifier,
    limit::Limit,
    limiter::{LimiterRef, RateLimiter},
};

/// Limits messages inside a WebSocket: one [`check`](Self::check) a message, for whoever sent the
/// request that opened the socket.
///
/// Its limits count as those of handlers do, in the same counters where zone, algorithm and window
/// are the same. A limit without a [zone](Limit::zone) is counted under its name, else as
/// `default`, together with all such limits: give it one of the two.
///
/// A cheap handle: clones share its rules. One may stand in a `static`, in a
/// [`LazyLock`](std::sync::LazyLock), or be made anew for each socket: it holds no counters itself.
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
#[must_use = "it limits nothing until it is asked"]
pub struct WebSocketLimiter(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    rules: Vec<Rule>,
    context: Overrides,
    limiter: Option<RateLimiter>,
}

impl WebSocketLimiter {
    /// One limit for everyone's messages.
    pub fn new(limit: Limit) -> Self {
        Self::rules([Rule::new(limit)])
    }

    /// Several rules, one decision a message, which is charged to all of their limits or to none.
    ///
    /// They apply as those of an attribute do, by groups, `skip_if` and all else that they ask of
    /// the request that opened the socket. Only what they say of responses has no meaning here:
    /// `refund_on` gives nothing back and `on_limited` answers nobody.
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

    /// Who is counted, for rules that do not say themselves. Default: as the limiter says.
    ///
    /// It is asked at each message, about the request that opened the socket: for an identifier
    /// that takes its time, one that expires or one that reads a session it is as if that request
    /// came again.
    pub fn identifier<M>(self, identifier: impl IntoIdentifier<M>) -> Self {
        let identifier = identifier.into_identifier();
        if let Some(diagnostic) = identifier.validate() {
            log::error!("a `WebSocketLimiter` counts everyone by their address: {diagnostic}");
        }
        self.with(|inner| inner.context.identifier = Some(identifier))
    }

    /// Who decides. Default: whoever does for handlers, that is the request's nearest `app_data`,
    /// else the process-wide limiter.
    pub fn limiter(self, limiter: RateLimiter) -> Self {
        self.with(|inner| inner.limiter = Some(limiter))
    }

    /// Decides a message and charges it if there is room, for whoever sent `request`, the one that
    /// opened the socket.
    ///
    /// With an empty context key that is the counter which handlers share by zone, algorithm and
    /// window. Each other key, of any length and content, has a counter of its own for each
    /// identity, and a [block](Limit::block) of its own: see
    /// [`Identity::context`](crate::Identity::context). A client that chooses the key has as many
    /// quotas as it finds keys; ask without one too if that may not be.
    ///
    /// If no rule applies the decision allows it and names no limits. Nothing is left with the
    /// request, however many messages there are.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter, WebSocketLimiter};
    /// use actix_web::test::TestRequest;
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let messages = WebSocketLimiter::new(Limit::per_minute(1).name("messages")).limiter(limiter);
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
    /// [`RequestError::NotInstalled`] without a limiter; [`RequestError::Unidentified`] with the
    /// answer that `on_unidentified` made; [`RequestError::Undecided`] if a rule's limit is invalid
    /// or nobody has its name, or the store could not decide and the
    /// [`FailureMode`](crate::FailureMode) of a rule is `Closed`.
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

    /// Why a socket is closed after a denial: code 1008 (policy), and a text that says in how many
    /// seconds to come back, rounded up, as `Retry-After` does.
    ///
    /// The text has at most the 123 bytes that a close frame has room for.
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
