//! The output: tables and questions on a terminal, JSON and lines for programs.

mod confirm;
mod json;
mod progress;
mod table;
mod text;

pub(crate) use self::{
    confirm::{Confirmed, confirm},
    json::write_json,
    progress::Progress,
    table::{clear_screen, write_table},
    text::{duration, printable, write_line},
};
