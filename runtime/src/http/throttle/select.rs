//! Entries that a request fits → the rules that apply to it.

use actix_web::HttpResponse;

use super::route_rules::RouteRules;
use crate::http::matching::{Few, MatchedRule, RuleMatcher};

/// The rules of the first entry that has something for the sender, and those of the shadows on the
/// way there. `Err` is the answer of `on_unidentified`, if an entry that could decide wants to know
/// who is nobody.
pub(super) async fn choose<'a>(
    entries: impl Iterator<Item = &'a RouteRules>,
    census: &mut RuleMatcher<'a>,
) -> Result<Few<MatchedRule<'a>>, HttpResponse> {
    let mut chosen = Few::new();
    for entry in entries {
        if entry.is_exempt() {
            break;
        }
        if entry.is_shadow() {
            chosen.extend(census.applied_shadows(entry.rules()).await);
            continue;
        }
        let applied = census.applied(entry.rules()).await?;
        if !applied.is_empty() {
            chosen.extend(applied);
            break;
        }
    }
    Ok(chosen)
}
