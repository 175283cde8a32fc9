//! Renders an error as the compiler prints it.

use super::expansion::Emitted;

pub(super) fn render(error: &Emitted, path: &str, source: &str) -> String {
    // Arguments may be marked in another order than they are written in.
    let start = error.marked.iter().map(|span| span.start()).min();
    let end = error.marked.iter().map(|span| span.end()).max();
    let (start, end) = start.zip(end).expect("two tokens");
    let width = end.line.to_string().len();
    let mut text = format!("error: {}\n", error.message);
    text += &format!(
        "{:width$}--> {path}:{}:{}\n",
        "",
        start.line,
        start.column + 1
    );
    text += &format!("{:width$} |\n", "");
    let lines = source.lines().enumerate().take(end.line);
    for (index, line) in lines.skip(start.line - 1) {
        let number = index + 1;
        let from = if number == start.line {
            start.column
        } else {
            line.len() - line.trim_start().len()
        };
        let to = if number == end.line {
            end.column
        } else {
            line.chars().count()
        };
        let carets = "^".repeat(to - from);
        text += &format!("{number} | {line}\n{:width$} | {:from$}{carets}\n", "", "");
    }
    if let Some(name) = error.whole {
        text += &format!("{:width$} |\n", "");
        text += &format!(
            "{:width$} = note: this error originates in the attribute macro `{name}` \
             (in Nightly builds, run with -Z macro-backtrace for more info)\n",
            ""
        );
    }
    text
}
