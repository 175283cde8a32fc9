//! Rules and named limits from a configuration file: its diagnostics, its effect on requests, and
//! the replacement of one configuration by another.

mod attribute;
mod clients;
mod concurrency;
mod diagnostics;
mod load;
mod lost;
mod named;
mod reload;
mod rules;
mod watch;
