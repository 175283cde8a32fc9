//! Entries that a request fits → the rules that apply to it.

use actix_web::HttpResponse;

use super::route_rules::RouteRules;
use crate::http::matching::{Few, MatchedRule, RuleMatcher};

/// The rules of the first entry that has something for the sender, and those of the shadows on the
/// way there. `Err` is the answer of `on_unidentified`, if an entry that could decide wants to know
/// who is nobody.
pub(super) async fn select<'a>(
    entries: impl Iterator<Item = &'a RouteRules>,
    matcher: &mut RuleMatcher<'a>,
) -> Result<Few<MatchedRule<'a>>, HttpResponse> {
    let mut chosen = Few::new();
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
