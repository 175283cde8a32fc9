//! Checks the parts of a combination: each must tell requests apart, and be there once.

use actix_throttle_core::identity::{CombinationError, RequestPart};

use super::identifier_kind::Kind;

/// Makes a combination of these parts. A combination among them is replaced by its parts.
pub(super) fn combine(parts: impl IntoIterator<Item = Kind>) -> Kind {
    let mut flat: Vec<Kind> = Vec::new();
    for part in parts {
        let inner = match part {
            Kind::All(inner) => inner.to_vec(),
            invalid @ Kind::Invalid(_) => return invalid,
            part => vec![part],
        };
        for part in inner {
            if matches!(part, Kind::Global) {
                return Kind::Invalid(CombinationError::Global);
            }
            if flat.iter().any(|other| other.is_same(&part)) {
                return Kind::Invalid(CombinationError::Repeated(written(&part)));
            }
            flat.push(part);
        }
    }
    match flat.len() {
        0 | 1 => Kind::Invalid(CombinationError::Few),
        _ => Kind::All(flat.into()),
    }
}

/// Returns an identifier as the attribute writes it.
fn written(kind: &Kind) -> String {
    match kind {
        Kind::RequestPart(part, name) => {
            let part = match part {
                RequestPart::Header => "header",
                RequestPart::Cookie => "cookie",
                RequestPart::Path => "path",
                RequestPart::Query => "query",
            };
            format!("{part}({name:?})")
        }
        other => format!("{other:?}"),
    }
}
