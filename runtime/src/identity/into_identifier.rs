//! [`IntoIdentifier`]: the conversions into an [`Identifier`] that builders and rules accept.

use std::sync::LazyLock;

use actix_web::HttpRequest;

use super::{Identifier, IntoIdentity};

/// Converts a value into an [`Identifier`].
///
/// | implemented for | `M` |
/// |---|---|
/// | [`Identifier`], `&Identifier` | a marker |
/// | `&'static LazyLock<Identifier>`: a static, initialized on first use | a marker |
/// | `Fn(&HttpRequest) -> R` | a marker with `R` |
/// | `AsyncFn(&HttpRequest) -> R` | a marker with `R` |
///
/// A function must be `Send + Sync + 'static`, and `R` is [`IntoIdentity`]. `M` only keeps these
/// implementations apart and is inferred. A closure must state the type of its argument,
/// `|request: &HttpRequest|`.
///
/// A function must not keep a clone of the request: see [`Throttle`](crate::Throttle).
///
/// ```
/// use std::sync::LazyLock;
///
/// use actix_throttle::{Identifier, Limit, Rule};
/// use actix_web::HttpRequest;
///
/// static BY_KEY: LazyLock<Identifier> = LazyLock::new(|| Identifier::header("X-Api-Key"));
///
/// async fn by_user(request: &HttpRequest) -> Option<String> {
///     Some(request.cookie("user")?.value().to_owned())
/// }
///
/// let rule = || Rule::new(Limit::per_minute(60));
/// let _ = rule().identifier(Identifier::global());
/// let _ = rule().identifier(&BY_KEY);
/// let _ = rule().identifier(by_user);
/// let _ = rule().identifier(|_: &HttpRequest| "everyone");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` identifies nobody",
    label = "not an identifier",
    note = "give an `Identifier`, or a function, sync or async, from `&HttpRequest` to an \
            `Identity`, a `String`, a `(user, group)`, or an `Option` or `Result` of one"
)]
pub trait IntoIdentifier<M> {
    /// Returns the identifier.
    fn into_identifier(self) -> Identifier;
}

/// Marks the implementation of [`IntoIdentifier`] for an [`Identifier`].
#[derive(Debug)]
pub struct Ready;

/// Marks the implementations of [`IntoIdentifier`] for references to an [`Identifier`].
#[derive(Debug)]
pub struct Shared;

/// Marks implementations for sync functions, of [`IntoIdentifier`] and similar traits.
#[derive(Debug)]
pub struct Function<R>(std::marker::PhantomData<R>);

/// Marks implementations for async functions, of [`IntoIdentifier`] and similar traits.
#[derive(Debug)]
pub struct AsyncFunction<R>(std::marker::PhantomData<R>);

impl IntoIdentifier<Ready> for Identifier {
    fn into_identifier(self) -> Identifier {
        self
    }
}

impl IntoIdentifier<Shared> for &Identifier {
    fn into_identifier(self) -> Identifier {
        self.clone()
    }
}

impl IntoIdentifier<Shared> for &'static LazyLock<Identifier> {
    fn into_identifier(self) -> Identifier {
        Identifier::clone(self)
    }
}

impl<F, R> IntoIdentifier<Function<R>> for F
where
    F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
    R: IntoIdentity,
{
    fn into_identifier(self) -> Identifier {
        Identifier::from_sync(self)
    }
}

impl<F, R> IntoIdentifier<AsyncFunction<R>> for F
where
    F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
    R: IntoIdentity,
{
    fn into_identifier(self) -> Identifier {
        Identifier::from_async(self)
    }
}
