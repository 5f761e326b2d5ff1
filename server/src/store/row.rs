//! Columns to model types. What does not parse was not written by this server.

use sqlx::any::AnyRow;
use sqlx::{ColumnIndex, Row};

use crate::model::time::Timestamp;

pub fn parsed<T>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error| decode(column, error))
}

pub fn parsed_option<T>(row: &AnyRow, column: &str) -> Result<Option<T>, sqlx::Error>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|error| decode(column, error))).transpose()
}

pub fn time(row: &AnyRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get(column).map(Timestamp::from_micros)
}

pub fn time_option(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
}

pub fn flag(row: &AnyRow, column: &str) -> Result<bool, sqlx::Error> {
    Ok(row.try_get::<i64, _>(column)? != 0)
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
