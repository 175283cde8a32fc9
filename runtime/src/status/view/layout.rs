//! The parts that all views have in common: head, navigation, style.

use actix_throttle_core::enforcement::Enforcement;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::{
    access::Access,
    query::{PageView, Query},
};

/// The style of all views. The policy of the response admits it by its hash.
pub(in super::super) const STYLE: &str = include_str!("style.css");

/// The seconds after which a view loads itself again.
const REFRESH: u32 = 10;

/// The properties of the request that a view is for.
pub(in super::super) struct Page<'a> {
    pub(in super::super) query: &'a Query,
    /// The query string as it came.
    pub(in super::super) own_query: &'a str,
    pub(in super::super) access: Access,
    pub(in super::super) enforcement: Enforcement,
}

impl Page<'_> {
    /// Whether the view may load itself again, which must not lose what a person is writing.
    fn refreshes(&self) -> bool {
        let is_readable = matches!(
            self.query.view,
            PageView::Overview | PageView::Policy(_) | PageView::Configuration
        );
        // The message on a change is there once.
        is_readable && self.query.refreshes && self.query.done.is_none()
    }

    /// Whether the view's data has an address, which names no identity to people who may see none.
    fn has_json(&self) -> bool {
        match self.query.view {
            PageView::Overview | PageView::Policy(_) | PageView::Configuration => true,
            PageView::Identity(_) => self.access == Access::Full,
            PageView::Find | PageView::Change | PageView::Reset(_) | PageView::Unknown => false,
        }
    }

    /// The address of this view with one more parameter, or without `refresh=off`.
    fn address(&self, more: Option<&str>) -> String {
        let parts = self.own_query.split('&').filter(|part| !part.is_empty());
        let parts =
            parts.filter(|part| !part.starts_with("refresh=") && !part.starts_with("done="));
        let parts: Vec<_> = parts.chain(more).collect();
        format!("?{}", parts.join("&"))
    }
}

/// Wraps a view: `title` is that of the window, `body` all that stands below the navigation.
pub(super) fn layout(page: &Page<'_>, title: &str, body: &Markup) -> Markup {
    let is_readable = matches!(
        page.query.view,
        PageView::Overview | PageView::Policy(_) | PageView::Configuration
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if page.refreshes() {
                    meta http-equiv="refresh" content=(REFRESH);
                }
                link rel="icon" href="data:,";
                title { (title) " · Rate limits" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    a.home href="?" { "Rate limits" }
                    nav {
                        (link(page, &PageView::Overview, "?", "Overview"))
                        (link(page, &PageView::Find, "?view=find", "Find an identity"))
                        (link(page, &PageView::Configuration, "?view=configuration", "Configuration"))
                    }
                }
                main {
                    (unenforced(page.enforcement))
                    (body)
                }
                footer {
                    @if is_readable {
                        span {
                            @if page.refreshes() {
                                "Loads itself every " (REFRESH) " s · "
                                a href=(page.address(Some("refresh=off"))) { "Pause" }
                            } @else {
                                "Paused · "
                                a href=(page.address(None)) { "Go on" }
                            }
                        }
                    }
                    @if page.has_json() {
                        a href=(page.address(Some("format=json"))) { "JSON" }
                    }
                    span {
                        @if page.access == Access::Full { "Full access" }
                        @else { "Read only: identities are masked" }
                    }
                }
            }
        }
    }
}

/// A view that has nothing but a message.
pub(in super::super) fn message(page: &Page<'_>, message: &str) -> Markup {
    let body = html! {
        h1 { "That did not work" }
        p.note.bad role="alert" { bdi { (message) } }
        p { a href="?" { "Back to the overview" } }
    };
    layout(page, "Error", &body)
}

/// A warning if limits are not enforced: what all views show is then not what clients see.
fn unenforced(enforcement: Enforcement) -> Markup {
    let effect = match enforcement {
        Enforcement::On => return html! {},
        Enforcement::Shadow => "all limits count, and deny nothing.",
        _ => "limits neither count nor apply, and the store is not asked.",
    };
    html! {
        p.note.warn role="status" {
            b { "Enforcement is " (enforcement.as_str()) ": " } (effect)
        }
    }
}

fn link(page: &Page<'_>, view: &PageView, address: &str, text: &str) -> Markup {
    let is_current = page.query.view == *view;
    html! {
        a href=(address) aria-current=[is_current.then_some("page")] { (text) }
    }
}
