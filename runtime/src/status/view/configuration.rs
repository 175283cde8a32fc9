//! The configuration file in force: its reloads, their errors and differences.

use maud::{Markup, html};

use super::{
    layout::{Page, layout},
    words::ago,
};
use crate::engine::{ConfigurationSnapshot, ReloadSnapshot};

/// The configuration in force, with its text for people who may see it.
pub(in super::super) fn configuration(
    page: &Page<'_>,
    configuration: Option<&ConfigurationSnapshot>,
    text: Option<&str>,
    now: u64,
) -> Markup {
    let body = html! {
        h1 { "Configuration" }
        @match configuration {
            None => p.empty { "This limiter has no configuration file: its limits are in the code." },
            Some(configuration) => {
                dl.facts {
                    dt { "File" } dd { bdi { (configuration.source) } }
                    dt { "In force since" } dd { (ago(configuration.since, now)) }
                    dt { "Hash" } dd { code { (configuration.hash) } }
                }
                (latest_reload(configuration, now))
                section {
                    h2 { "Reloads" }
                    ul.log { @for one in &configuration.reloads { li { (reload(one, now)) } } }
                }
                @if let Some(text) = text {
                    section {
                        h2 { "Text in force" }
                        pre { (text) }
                    }
                }
            }
        }
    };
    layout(page, "Configuration", &body)
}

/// A warning if the file as it is now was refused.
pub(super) fn latest_reload(configuration: &ConfigurationSnapshot, now: u64) -> Markup {
    let refused = configuration
        .reloads
        .first()
        .filter(|latest| latest.is_refused);
    html! {
        @if let Some(latest) = refused {
            div.note.bad role="alert" {
                b { "The configuration file was refused " } (ago(latest.at, now))
                ": the one before is still in force."
                (errors(latest))
            }
        }
    }
}

fn reload(reload: &ReloadSnapshot, now: u64) -> Markup {
    let class = if reload.is_refused {
        "badge bad"
    } else {
        "badge"
    };
    html! {
        (ago(reload.at, now)) " " span class=(class) { (reload.result) }
        (errors(reload))
        @if !reload.changes.is_empty() {
            ul.lines {
                @for line in &reload.changes { li { bdi { (line) } } }
                @if reload.changes_left_out > 0 {
                    li { "and " (reload.changes_left_out) " more" }
                }
            }
        }
    }
}

fn errors(reload: &ReloadSnapshot) -> Markup {
    html! {
        @if let Some(error) = &reload.error {
            ul.lines { @for line in error.lines() { li { bdi { (line) } } } }
        }
    }
}
