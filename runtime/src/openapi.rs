//! The responses of limits in OpenAPI documents of utoipa: [`RateLimited`], and what chooses its
//! headers.

use std::{collections::BTreeMap, marker::PhantomData};

use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, Object, ObjectBuilder, RefOr, Response,
        ResponseBuilder, Type,
        schema::{ArrayBuilder, KnownFormat, SchemaFormat},
    },
};

/// The denials of a limited handler, for `responses(...)` of `utoipa::path`: 429 with its headers
/// and its problem document, and 503 if a limit's
/// [failure mode](crate::FailureMode) is `Closed`.
///
/// A document is made before any limiter is, so it cannot know the settings of the builder. Name
/// the [header style](crate::HeaderStyle) of your limiter as the first parameter: [`XRateLimit`],
/// the default, [`Ietf`], [`Both`], [`GitHub`] or [`Off`]. Write [`Closed`] as the second one where
/// the handler answers 503 while the store cannot decide.
///
/// ```
/// use actix_throttle::{RateLimited, openapi::{Closed, Ietf}, rate_limit};
/// use actix_web::{Responder, get};
/// use utoipa::OpenApi;
///
/// #[utoipa::path(responses((status = 200, body = String), RateLimited<Ietf>))]
/// #[get("/towns")]
/// #[rate_limit("10/minute")]
/// async fn towns() -> impl Responder {
///     "Ulm"
/// }
///
/// #[utoipa::path(responses((status = 200, body = String), RateLimited<Ietf, Closed>))]
/// #[get("/login")]
/// #[rate_limit("5/minute", failure_mode = "closed")]
/// async fn login() -> impl Responder {
///     "welcome"
/// }
///
/// #[derive(OpenApi)]
/// #[openapi(paths(towns, login))]
/// struct Document;
///
/// let document = serde_json::to_value(Document::openapi())?;
/// let denied = &document["paths"]["/towns"]["get"]["responses"]["429"];
/// assert!(denied["headers"].get("RateLimit").is_some());
/// assert!(denied["content"].get("application/problem+json").is_some());
/// let undecided = &document["paths"]["/login"]["get"]["responses"]["503"];
/// assert!(undecided["headers"].get("Retry-After").is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// It describes the responses of the library. A handler with an `on_limited` of its own describes
/// that one's instead.
#[derive(Clone, Copy, Debug)]
pub struct RateLimited<S = XRateLimit, F = Open>(PhantomData<(S, F)>);

/// A header style, as a type.
pub trait Style: sealed::Style {}

/// A failure mode, as a type.
pub trait Failure: sealed::Failure {}

macro_rules! styles {
    ($($(#[$comment:meta])* $name:ident => $headers:expr;)+) => {
        $(
            $(#[$comment])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Style for $name {}

            impl sealed::Style for $name {
                const HEADERS: &'static [&'static [Described]] = $headers;
            }
        )+
    };
}

styles! {
    /// [`HeaderStyle::XRateLimit`](crate::HeaderStyle::XRateLimit).
    XRateLimit => &[X, X_RESET];
    /// [`HeaderStyle::Ietf`](crate::HeaderStyle::Ietf).
    Ietf => &[IETF];
    /// [`HeaderStyle::Both`](crate::HeaderStyle::Both).
    Both => &[X, X_RESET, IETF];
    /// [`HeaderStyle::GitHub`](crate::HeaderStyle::GitHub).
    GitHub => &[X, EPOCH_RESET];
    /// [`HeaderStyle::Off`](crate::HeaderStyle::Off).
    Off => &[];
}

/// The type for handlers that run while the store cannot decide, or for which this process decides:
/// the failure modes [`Open`](crate::FailureMode::Open) and [`Local`](crate::FailureMode::Local).
#[derive(Clone, Copy, Debug)]
pub enum Open {}

/// The type for handlers whose response is 503 while the store cannot decide: the failure mode
/// [`Closed`](crate::FailureMode::Closed).
#[derive(Clone, Copy, Debug)]
pub enum Closed {}

impl Failure for Open {}
impl Failure for Closed {}

impl sealed::Failure for Open {
    const ANSWERS: bool = false;
}

impl sealed::Failure for Closed {
    const ANSWERS: bool = true;
}

mod sealed {
    use super::Described;

    pub trait Style {
        const HEADERS: &'static [&'static [Described]];
    }

    pub trait Failure {
        /// Whether there is a response for requests that the store could not decide.
        const ANSWERS: bool;
    }
}

/// A header and its description.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Described {
    name: &'static str,
    is_number: bool,
    text: &'static str,
}

const fn number(name: &'static str, text: &'static str) -> Described {
    Described {
        name,
        is_number: true,
        text,
    }
}

const X: &[Described] = &[
    number(
        "X-RateLimit-Limit",
        "Requests that the limit admits in its window.",
    ),
    number("X-RateLimit-Remaining", "Requests that remain: none."),
];
const X_RESET: &[Described] = &[number(
    "X-RateLimit-Reset",
    "Seconds until the whole quota is available again.",
)];
const EPOCH_RESET: &[Described] = &[number(
    "X-RateLimit-Reset",
    "When the whole quota is available again, in seconds since the Unix epoch.",
)];
const IETF: &[Described] = &[
    Described {
        name: "RateLimit-Policy",
        is_number: false,
        text: "The limits, with quota `q` and window `w` in seconds: a list of RFC 9651.",
    },
    Described {
        name: "RateLimit",
        is_number: false,
        text: "How the limits stand, with what remains `r` and the seconds `t` until there is \
               more: a list of RFC 9651.",
    },
];
const RETRY_AFTER: &[Described] = &[number(
    "Retry-After",
    "Seconds until the same request can be admitted. Absent if waiting does not help.",
)];

impl<S: Style, F: Failure> IntoResponses for RateLimited<S, F> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let denied = response(
            "The request is over a limit.",
            [RETRY_AFTER].iter().chain(S::HEADERS),
            problem("#quota-exceeded", 429, "Too Many Requests").property(
                "violated-policies",
                ArrayBuilder::new()
                    .items(Object::with_type(Type::String))
                    .description(Some("The names of the limits that the request is over.")),
            ),
        );
        let mut responses = BTreeMap::from([("429".to_owned(), denied)]);
        if F::ANSWERS {
            let undecided = response(
                "The limits cannot be checked at the moment.",
                [RETRY_AFTER].iter(),
                problem("#temporary-reduced-capacity", 503, "Service Unavailable"),
            );
            responses.insert("503".to_owned(), undecided);
        }
        responses
    }
}

fn response<'d>(
    description: &str,
    headers: impl Iterator<Item = &'d &'static [Described]>,
    problem: ObjectBuilder,
) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content);
    for described in headers.copied().flatten() {
        response = response.header(described.name, header(described));
    }
    response.build().into()
}

fn header(described: &Described) -> Header {
    let schema = if described.is_number {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
    } else {
        ObjectBuilder::new().schema_type(Type::String)
    };
    HeaderBuilder::new()
        .schema(schema)
        .description(Some(described.text))
        .build()
}

/// The problem document of `response/problem.rs`.
fn problem(fragment: &str, status: u16, title: &str) -> ObjectBuilder {
    let text = |description: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(description.to_owned()))
    };
    let kind = format!("https://iana.org/assignments/http-problem-types{fragment}");
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .enum_values(Some([status]));
    let retry_after = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some(
            "Milliseconds until the same request can be admitted. Absent if waiting does not help.",
        ));
    ObjectBuilder::new()
        .description(Some("A problem document of RFC 9457."))
        .property(
            "type",
            text("The kind of problem.").enum_values(Some([kind])),
        )
        .property(
            "title",
            text("The kind of problem in words.").enum_values(Some([title])),
        )
        .property("status", status)
        .property("detail", text("The reason, for a person."))
        .property("retry_after_ms", retry_after)
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
}
