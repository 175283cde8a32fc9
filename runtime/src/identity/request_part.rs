//! Reads an identity from a named part of the request: a header, cookie, path segment or query
//! parameter. A missing or empty part gives no identity.

use std::{borrow::Cow, sync::Arc};

use actix_throttle_core::identity::{Identity, IdentitySource, IdentityValue, RequestPart};
use actix_web::{HttpRequest, web};
use percent_encoding::percent_decode_str;

pub(super) fn identify(
    request: &HttpRequest,
    part: RequestPart,
    name: &Arc<str>,
) -> Option<Identity> {
    let value = match part {
        RequestPart::Header => request.headers().get(&**name)?.as_bytes().into(),
        RequestPart::Cookie => request.cookie(name)?.value().as_bytes().into(),
        // The value is decoded, so that `%61` and `a` do not become two identities with one
        // meaning.
        RequestPart::Path => percent_decode_str(request.match_info().get(name)?).collect(),
        RequestPart::Query => query(request, name)?,
    };
    (!value.is_empty()).then(|| {
        let source = IdentitySource::RequestPart(part, Arc::clone(name));
        Identity::of(source, IdentityValue::Bytes(value))
    })
}

fn query(request: &HttpRequest, name: &str) -> Option<Box<[u8]>> {
    type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;
    let pairs = web::Query::<Pairs<'static>>::from_query(request.query_string()).ok()?;
    let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
    Some(value.as_bytes().into())
}
