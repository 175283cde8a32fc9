//! [`Identifier`] derives the identity of a request. The HTTP side calls it before it checks
//! limits.

use std::{any::TypeId, fmt, sync::Arc};

use actix_throttle_core::identity::{Identity, IdentitySource, RequestPart};
use actix_web::{HttpRequest, http::header::HeaderName};

#[cfg(feature = "jwt")]
use super::jwt::Jwt;
#[cfg(feature = "session")]
use super::session::SessionKeys;
use super::{
    ClientIp, IntoIdentity,
    combination::combine,
    identifier_kind::{IdentifierKind, IdentityFuture},
    identify::Identified,
};

/// Derives the [`Identity`] of a request, the key that a limit counts it by.
///
/// The built-in identifiers have constructors. Functions, sync or async, convert through
/// [`IntoIdentifier`](crate::IntoIdentifier).
///
/// ```
/// use actix_throttle::{Identifier, Identity, RateLimiter};
/// use actix_web::HttpRequest;
///
/// fn by_user(req: &HttpRequest) -> Option<Identity> {
///     let user = req.headers().get("X-User")?.to_str().ok()?;
///     Some(Identity::new(user).group("members"))
/// }
///
/// async fn by_session(req: &HttpRequest) -> Option<String> {
///     req.cookie("sid").map(|cookie| cookie.value().to_owned())
/// }
///
/// let _ = RateLimiter::builder().identifier(by_user);
/// let _ = RateLimiter::builder().identifier(by_session);
/// let _ = RateLimiter::builder().identifier(Identifier::header("X-Api-Key"));
/// ```
#[derive(Clone)]
pub struct Identifier(IdentifierKind);

impl Identifier {
    /// Identifies by the client's address; behind trusted proxies, by the address that they report.
    #[must_use]
    pub fn ip() -> Self {
        Self(IdentifierKind::Client)
    }

    /// Counts all requests as one identity.
    #[must_use]
    pub fn global() -> Self {
        Self(IdentifierKind::Global)
    }

    /// Identifies by the value of a request header.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self(IdentifierKind::RequestPart(
            RequestPart::Header,
            name.to_ascii_lowercase().into(),
        ))
    }

    /// Identifies by the value of a cookie.
    #[must_use]
    pub fn cookie(name: &str) -> Self {
        Self(IdentifierKind::RequestPart(
            RequestPart::Cookie,
            name.into(),
        ))
    }

    /// Identifies by a dynamic segment of the route's path, such as `id` of `/items/{id}`.
    #[must_use]
    pub fn path(name: &str) -> Self {
        Self(IdentifierKind::RequestPart(RequestPart::Path, name.into()))
    }

    /// Identifies by a parameter of the query string.
    #[must_use]
    pub fn query(name: &str) -> Self {
        Self(IdentifierKind::RequestPart(RequestPart::Query, name.into()))
    }

    /// Identifies by several identifiers together: each combination of their identities has a
    /// counter of its own. In the attribute this is a tuple:
    /// `identifier = (ip, header("X-Tenant"))`.
    ///
    /// If one part finds nothing, the request is unidentified as a whole. The group is that of the
    /// first part that has one. A part that is a combination itself is replaced by its parts.
    ///
    /// Fewer than two parts, the same part twice, or [`global`](Self::global) among them is an
    /// error of what takes the identifier, such as [`Builder::build`](crate::Builder::build).
    ///
    /// ```
    /// use actix_throttle::{Identifier, Limit, Rule};
    ///
    /// let pair = Identifier::all([Identifier::ip(), Identifier::header("X-Tenant")]);
    /// let rule = Rule::new(Limit::per_minute(60)).identifier(pair);
    /// # let _ = rule;
    /// ```
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(combine(parts.into_iter().map(|part| part.0)))
    }

    /// Identifies by the user of an `actix-session` session, from its values `user` and `group`.
    ///
    /// Each value is a text or a whole number. A session without a user is unidentified. A user
    /// without a group is in the group `default`.
    ///
    /// The session must exist before the limits are checked. For the attribute it always does. A
    /// middleware sees only what wraps it, so
    /// [`SessionMiddleware`](actix_session::SessionMiddleware) goes into the app's last `wrap`.
    ///
    /// ```
    /// use actix_throttle::{
    ///     Identifier, RateLimiter,
    ///     actix_session::{Session, SessionMiddleware, storage::CookieSessionStore},
    ///     rate_limit,
    /// };
    /// use actix_web::{App, Responder, cookie::Key, get, post};
    ///
    /// #[post("/login")]
    /// async fn login(session: Session) -> actix_web::Result<&'static str> {
    ///     // After the password has been checked.
    ///     session.insert("user", 42)?;
    ///     session.insert("group", "pro")?;
    ///     Ok("welcome")
    /// }
    ///
    /// #[get("/report")]
    /// #[rate_limit("10/minute")]
    /// #[rate_limit("100/minute", group = "pro")]
    /// async fn report() -> impl Responder {
    ///     "ok"
    /// }
    ///
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let limiter = RateLimiter::builder()
    ///     .memory()
    ///     .identifier(Identifier::session())
    ///     .build()
    ///     .await?;
    /// let app = App::new()
    ///     .app_data(limiter)
    ///     .service((login, report))
    ///     .wrap(SessionMiddleware::new(CookieSessionStore::default(), Key::generate()));
    /// # let _ = app;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "session")]
    #[must_use]
    pub fn session() -> Self {
        Self::session_keys("user", "group")
    }

    /// Identifies by the user of a session, like [`session`](Self::session), but reads these keys.
    ///
    /// ```
    /// use actix_throttle::{Identifier, RateLimiter};
    ///
    /// let by_account = Identifier::session_keys("account_id", "plan");
    /// let _ = RateLimiter::builder().memory().identifier(by_account);
    /// ```
    #[cfg(feature = "session")]
    #[must_use]
    pub fn session_keys(user: &str, group: &str) -> Self {
        Self(IdentifierKind::Session(SessionKeys {
            user: user.into(),
            group: group.into(),
        }))
    }

    /// Identifies by the user that a signed token names; see [`Jwt`].
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn jwt(jwt: Jwt) -> Self {
        Self(IdentifierKind::Jwt(jwt))
    }

    /// Wraps a function of the application.
    pub(super) fn from_sync<F, R>(function: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: IntoIdentity,
    {
        let function = move |request: &HttpRequest, ipv6_prefix| {
            function(request).into_identity_by(ipv6_prefix)
        };
        Self(IdentifierKind::Function(id_of::<F>(), Arc::new(function)))
    }

    /// Wraps an async function of the application.
    pub(super) fn from_async<F, R>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
        R: IntoIdentity,
    {
        let shared = Arc::new(function);
        let function = boxed(move |request, ipv6_prefix| {
            let function = Arc::clone(&shared);
            Box::pin(async move { function(request).await.into_identity_by(ipv6_prefix) })
        });
        Self(IdentifierKind::AsyncFunction(
            id_of::<F>(),
            Arc::new(function),
        ))
    }

    /// Returns an error text for an identifier that can never identify a request.
    pub(crate) fn validate(&self) -> Option<String> {
        match &self.0 {
            IdentifierKind::All(parts) => {
                parts.iter().find_map(|part| Self(part.clone()).validate())
            }
            IdentifierKind::Invalid(error) => Some(error.to_string()),
            IdentifierKind::RequestPart(RequestPart::Header, name)
                if HeaderName::try_from(&**name).is_err() =>
            {
                Some(format!("`{name}` is no name of an HTTP header"))
            }
            IdentifierKind::RequestPart(_, name) if name.is_empty() => {
                Some("an identifier needs the name of what it reads".to_owned())
            }
            #[cfg(feature = "session")]
            IdentifierKind::Session(keys) if keys.user.is_empty() || keys.group.is_empty() => {
                Some("a session's user and group need the names of their keys".to_owned())
            }
            _ => None,
        }
    }

    /// Identifies the request.
    pub(crate) fn identify<'a>(
        &self,
        request: &'a HttpRequest,
        clients: &ClientIp,
    ) -> Identified<'a> {
        self.0.identify(request, clients)
    }

    /// Identifies the request without effects; see [`IdentifierKind::try_identify`].
    pub(crate) fn try_identify(
        &self,
        request: &HttpRequest,
        clients: &ClientIp,
    ) -> Option<Identity> {
        self.0.try_identify(request, clients)
    }

    /// Returns the source that an unidentified request lacks.
    pub(crate) fn source(&self) -> IdentitySource {
        self.0.source()
    }

    /// Returns whether both certainly give the same identity, so that one call is enough.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }
}

impl Default for Identifier {
    fn default() -> Self {
        Self::ip()
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the type of a function without captured state, which identifies the function.
fn id_of<F: 'static>() -> Option<TypeId> {
    (size_of::<F>() == 0).then(TypeId::of::<F>)
}

/// Helps type inference: states that the closure accepts a request of any lifetime.
fn boxed<F>(function: F) -> F
where
    F: for<'a> Fn(&'a HttpRequest, u8) -> IdentityFuture<'a>,
{
    function
}
