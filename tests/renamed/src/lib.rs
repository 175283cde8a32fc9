//! An empty library: this crate exists for its tests, and knows actix-throttle by another name.
