//! Checks the parts of a combination: each must tell requests apart, and be there once.

use actix_throttle_core::identity::{CombinationError, RequestPart};

use super::identifier_kind::IdentifierKind;

/// Makes a combination of these parts. A combination among them is replaced by its parts.
pub(super) fn combine(parts: impl IntoIterator<Item = IdentifierKind>) -> IdentifierKind {
    let mut flat: Vec<IdentifierKind> = Vec::new();
    for part in parts {
        let inner = match part {
            IdentifierKind::All(inner) => inner.to_vec(),
            invalid @ IdentifierKind::Invalid(_) => return invalid,
            part => vec![part],
        };
        for part in inner {
            if matches!(part, IdentifierKind::Global) {
                return IdentifierKind::Invalid(CombinationError::Global);
            }
            if flat.iter().any(|other| other.is_same(&part)) {
                return IdentifierKind::Invalid(CombinationError::Repeated(written(&part)));
            }
            flat.push(part);
        }
    }
    match flat.len() {
        0 | 1 => IdentifierKind::Invalid(CombinationError::Few),
        _ => IdentifierKind::All(flat.into()),
    }
}

/// Returns an identifier as the attribute writes it.
fn written(kind: &IdentifierKind) -> String {
    match kind {
        IdentifierKind::RequestPart(part, name) => {
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
