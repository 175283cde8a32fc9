//! The status page in a real Chromium: by click, by keyboard and by screenshot.
//!
//! Every test starts a browser of its own with an empty profile, and a server with a limiter on a
//! clock that only the test moves.

mod browser;
mod clicks;
mod other_sites;
mod screenshots;
mod service;
