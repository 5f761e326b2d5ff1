//! Text in aligned columns, the same on a terminal and in a pipe. Must never print.

use std::array;

use chrono::{DateTime, SecondsFormat, Utc};
use unicode_width::UnicodeWidthStr;

/// What stands between two columns.
const GAP: &str = "  ";
/// What stands for nothing, so that every line has as many cells.
const NOTHING: &str = "-";

/// A header, and a line for each row.
pub fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let header = header.map(str::to_owned);
    aligned([header].into_iter().chain(rows).collect())
}

/// A line for each name and its value.
pub fn fields<const N: usize>(fields: [(&str, String); N]) -> String {
    aligned(fields.map(|(name, value)| [name.to_owned(), value]).into())
}

pub fn shown_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn aligned<const N: usize>(lines: Vec<[String; N]>) -> String {
    let lines: Vec<[String; N]> = lines.into_iter().map(|line| line.map(shown)).collect();
    let widths: [usize; N] =
        array::from_fn(|column| lines.iter().map(|line| line[column].width()).max().unwrap_or(0));
    let mut text = String::new();
    for line in &lines {
        let mut missing = 0;
        for (cell, width) in line.iter().zip(widths) {
            text += &" ".repeat(missing);
            text += cell;
            missing = GAP.len() + width - cell.width();
        }
        text.push('\n');
    }
    text
}

/// Names may hold anything; a control character in one must neither break the line nor reach the
/// terminal.
fn shown(cell: String) -> String {
    if cell.is_empty() {
        return NOTHING.to_owned();
    }
    if !cell.contains(char::is_control) {
        return cell;
    }
    let mut safe = String::new();
    for c in cell.chars() {
        if c.is_control() { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1", "long name"], ["22222", "x"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(["ID", "NAME"], rows), "ID     NAME\n1      long name\n22222  x\n");
        assert_eq!(table(["ID", "NAME"], []), "ID  NAME\n");
    }

    #[test]
    fn width_is_what_a_terminal_shows() {
        let text = fields([("写真", "a".to_owned()), ("name", "é".to_owned())]);
        assert_eq!(text, "写真  a\nname  é\n");
    }

    #[test]
    fn a_cell_is_one_line_and_never_empty() {
        let row = ["a\nb\u{1b}[2J".to_owned(), String::new(), "c".to_owned()];
        assert_eq!(table(["A", "B", "C"], [row]), "A              B  C\na\\nb\\u{1b}[2J  -  c\n");
    }
}
