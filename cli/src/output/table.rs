//! Tables: with frames on a terminal, else a line a row with tabs between the columns.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use console::Term;

use super::text::{printable, write_line};
use crate::error::CliError;

/// A line below the header, and none between the rows, because there may be many rows.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Writes a table to standard output.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write_table<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
) -> Result<(), CliError> {
    let rows = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| printable(cell)));
    let terminal = Term::stdout();
    if !terminal.is_term() {
        write_line(&header.join("\t"))?;
        for row in rows {
            write_line(&row.join("\t"))?;
        }
        return Ok(());
    }
    let (_, width) = terminal.size();
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header)
        .add_rows(rows);
    write_line(&table.to_string())
}

/// Clears the terminal, if standard output is one.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn clear_screen() -> Result<(), CliError> {
    let terminal = Term::stdout();
    if !terminal.is_term() {
        return Ok(());
    }
    let cleared = terminal.clear_screen();
    cleared.map_err(|error| CliError::of_output(&error))
}
