//! The query string of a request to the page: which view it asks for.

use actix_web::web;
use serde::Deserialize;

use crate::engine::Change;

/// A view, and whether it is wanted as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) view: PageView,
    pub(super) is_json: bool,
    /// Whether the view loads itself again after a while.
    pub(super) refreshes: bool,
    /// The change that has just been made, for a message.
    pub(super) done: Option<Done>,
}

/// One view of the page, with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageView {
    Overview,
    Policy(String),
    Configuration,
    /// The form for an identity; sent, it leads to that identity.
    Find,
    /// An identity, as a person or the page has written it.
    Identity(String),
    /// A change: sent without a confirmation, it asks for one.
    Change,
    /// A reset of a policy for every identity: sent without a confirmation, it asks for one.
    Reset(String),
    Unknown,
}

/// A change by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Reset,
    /// A reset of a policy that came to its bounds.
    PartlyReset,
    Block,
    Unblock,
}

#[derive(Deserialize)]
struct Parameters {
    view: Option<String>,
    policy: Option<String>,
    identity: Option<String>,
    format: Option<String>,
    refresh: Option<String>,
    done: Option<String>,
}

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let Ok(parameters) = web::Query::<Parameters>::from_query(query) else {
            return Self::of(PageView::Unknown);
        };
        let Parameters {
            view,
            policy,
            identity,
            format,
            refresh,
            done,
        } = parameters.into_inner();
        let view = match (view.as_deref(), policy, identity) {
            (None, None, None) => PageView::Overview,
            (None, Some(policy), None) => PageView::Policy(policy),
            (None, None, Some(identity)) => PageView::Identity(identity),
            (Some("configuration"), None, None) => PageView::Configuration,
            (Some("find"), None, None) => PageView::Find,
            (Some("change"), None, None) => PageView::Change,
            (Some("reset"), Some(policy), None) => PageView::Reset(policy),
            _ => PageView::Unknown,
        };
        Self {
            is_json: format.as_deref() == Some("json"),
            refreshes: refresh.as_deref() != Some("off"),
            done: done.as_deref().and_then(Done::parse),
            ..Self::of(view)
        }
    }

    fn of(view: PageView) -> Self {
        Self {
            view,
            is_json: false,
            refreshes: true,
            done: None,
        }
    }
}

impl Done {
    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Reset, Self::PartlyReset, Self::Block, Self::Unblock]
            .into_iter()
            .find(|done| done.as_str() == text)
    }

    pub(super) fn of(change: Change) -> Self {
        match change {
            Change::Reset => Self::Reset,
            Change::Block(_) => Self::Block,
            Change::Unblock => Self::Unblock,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::PartlyReset => "partly_reset",
            Self::Block => "block",
            Self::Unblock => "unblock",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_is_what_the_query_names() {
        for (query, view) in [
            ("", PageView::Overview),
            ("format=json", PageView::Overview),
            ("unknown=1", PageView::Overview),
            ("policy=a%26b", PageView::Policy("a&b".to_owned())),
            (
                "identity=user%3D42",
                PageView::Identity("user=42".to_owned()),
            ),
            ("view=find", PageView::Find),
            ("view=change", PageView::Change),
            ("view=reset&policy=a%26b", PageView::Reset("a&b".to_owned())),
            ("view=reset", PageView::Unknown),
            ("view=configuration", PageView::Configuration),
            ("view=nonsense", PageView::Unknown),
            ("policy=a&identity=b", PageView::Unknown),
            ("policy=a&policy=b", PageView::Unknown),
        ] {
            assert_eq!(Query::parse(query).view, view, "{query}");
        }
        assert!(Query::parse("format=json").is_json);
        assert!(!Query::parse("refresh=off").refreshes);
        assert_eq!(Query::parse("done=block").done, Some(Done::Block));
        assert_eq!(Query::parse("done=%3Cb%3E").done, None);
    }
}
