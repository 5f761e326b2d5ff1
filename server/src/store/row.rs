//! Columns to model types. What does not parse was not written by this server.

use sqlx::any::AnyRow;
use sqlx::{ColumnIndex, Row};

use crate::model::time::Timestamp;

/// A row, of whichever library has read it.
pub trait Columns {
    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error>;
    fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error> {
        self.try_get(column)
    }

    fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }
}

pub fn text<'r>(row: &'r impl Columns, column: &str) -> Result<&'r str, sqlx::Error> {
    row.text(column)?.ok_or_else(|| decode(column, sqlx::error::UnexpectedNullError))
}

pub fn number(row: &impl Columns, column: &str) -> Result<i64, sqlx::Error> {
    row.number(column)?.ok_or_else(|| decode(column, sqlx::error::UnexpectedNullError))
}

pub fn parsed<T>(row: &impl Columns, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    text(row, column)?.parse().map_err(|error| decode(column, error))
}

pub fn parsed_option<T>(row: &impl Columns, column: &str) -> Result<Option<T>, sqlx::Error>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.text(column)?.map(|text| text.parse().map_err(|error| decode(column, error))).transpose()
}

pub fn time(row: &impl Columns, column: &str) -> Result<Timestamp, sqlx::Error> {
    number(row, column).map(Timestamp::from_micros)
}

pub fn time_option(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
}

pub fn flag(row: &impl Columns, column: &str) -> Result<bool, sqlx::Error> {
    Ok(number(row, column)? != 0)
}

/// A value of a closed set that `parse` knows.
pub fn known<T, I>(
    row: &AnyRow,
    column: I,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, sqlx::Error>
where
    I: ColumnIndex<AnyRow> + std::fmt::Display + Copy,
{
    let text: &str = row.try_get(column)?;
    parse(text).ok_or_else(|| decode(&column.to_string(), format!("unknown value {text:?}")))
}

pub fn decode(
    column: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: source.into() }
}
