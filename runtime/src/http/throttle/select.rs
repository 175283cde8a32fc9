//! Selection: which rules of the matching entries apply to a request. The middleware's admission
//! calls it before the rules are decided.

use actix_web::HttpResponse;
use smallvec::SmallVec;

use super::route_rules::RouteRules;
use crate::http::matching::{MatchedRule, RuleMatcher};

/// Selects the rules of the first entry that has any for the identity, and those of the shadows
/// before it.
///
/// # Errors
///
/// The response of `on_unidentified`, if it returned one for an entry that is no shadow.
pub(super) async fn select<'a>(
    entries: impl Iterator<Item = &'a RouteRules>,
    matcher: &mut RuleMatcher<'a>,
) -> Result<SmallVec<[MatchedRule<'a>; 1]>, HttpResponse> {
    let mut chosen = SmallVec::new();
    for entry in entries {
        if entry.is_exempt() {
            break;
        }
        if entry.is_shadow() {
            chosen.extend(matcher.matching_shadows(entry.rules()).await);
            continue;
        }
        let matched = matcher.matching(entry.rules()).await?;
        if !matched.is_empty() {
            chosen.extend(matched);
            break;
        }
    }
    Ok(chosen)
}
