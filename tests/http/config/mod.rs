//! Rules and named limits from a configuration file: its diagnostics, its effect on requests, and
//! the replacement of one configuration by another.

mod attribute;
mod clients;
mod concurrency;
mod load;
mod lost;
mod mistakes;
mod named;
mod reload;
mod rules;
mod watch;
