//! Table `tokens`: bearer tokens by their hashes.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{decode, known, parsed, time, time_option};
use crate::model::access::{Caller, OrgRole};
use crate::model::id::{SourceRepoId, TokenId, UserId};
use crate::model::time::Timestamp;
use crate::model::token::{RepoAccess, Token, TokenKind};

/// What a presented token is found and checked by.
#[derive(Clone, Debug)]
pub struct TokenHash {
    /// Finds the row; tells nothing about the token that helps to guess it.
    pub lookup: String,
    /// Compared in constant time.
    pub hash: Vec<u8>,
}

/// The owner of a token that is not revoked; hash and expiry are still to be compared.
#[derive(Clone)]
pub struct Candidate {
    pub caller: Caller,
    pub hash: Vec<u8>,
    pub expires_at: Option<Timestamp>,
}

pub async fn insert(
    tx: &mut AnyConnection,
    token: &Token,
    hash: &TokenHash,
    access: RepoAccess,
    repos: &[SourceRepoId],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO tokens (id, user_id, name, shown, lookup, hash, created_at, expires_at, kind,
                             access)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(token.id.to_string())
    .bind(token.user.to_string())
    .bind(&token.name)
    .bind(&token.shown)
    .bind(&hash.lookup)
    .bind(hash.hash.as_slice())
    .bind(token.created_at.micros())
    .bind(token.expires_at.map(Timestamp::micros))
    .bind(token.kind.as_str())
    .bind(access.as_str())
    .execute(&mut *tx)
    .await?;
    for repo in repos {
        // A repo that is named twice is named.
        sqlx::query(
            "INSERT INTO token_repos (token_id, repo_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(token.id.to_string())
        .bind(repo.to_string())
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// The owner of a token that is not revoked.
pub async fn find(
    db: impl AnyExecutor<'_>,
    lookup: &str,
) -> Result<Option<Candidate>, sqlx::Error> {
    sqlx::query(
        "SELECT t.id AS token_id, t.kind, t.access, t.hash, t.expires_at, u.id AS user_id, u.org_id,
                u.org_role, u.name, u.last_name, u.email
         FROM tokens t JOIN users u ON u.id = t.user_id
         WHERE t.lookup = $1 AND t.revoked_at IS NULL AND u.deleted_at IS NULL",
    )
    .bind(lookup)
    .fetch_optional(db)
    .await?
    .map(|row| candidate(&row))
    .transpose()
}

pub async fn count(
    db: impl AnyExecutor<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query(
        "SELECT COUNT(*) AS live FROM tokens
         WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(user.to_string())
    .bind(now.micros())
    .fetch_one(db)
    .await?
    .try_get("live")
}

/// A user's live tokens, newest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<Token>, sqlx::Error> {
    sqlx::query(
        "SELECT id, user_id, kind, name, shown, created_at, expires_at FROM tokens
         WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
         ORDER BY created_at DESC, id DESC",
    )
    .bind(user.to_string())
    .bind(now.micros())
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Revokes one token of `user`; false when there is no such live token.
pub async fn revoke(
    db: impl AnyExecutor<'_>,
    user: UserId,
    id: TokenId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > $3)",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .bind(now.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Revokes whatever `user` holds.
pub async fn revoke_all(
    db: impl AnyExecutor<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL")
        .bind(user.to_string())
        .bind(now.micros())
        .execute(db)
        .await
        .map(drop)
}

fn candidate(row: &AnyRow) -> Result<Candidate, sqlx::Error> {
    let code: i64 = row.try_get("org_role")?;
    let (first, last): (&str, &str) = (row.try_get("name")?, row.try_get("last_name")?);
    Ok(Candidate {
        hash: row.try_get("hash")?,
        expires_at: time_option(row, "expires_at")?,
        caller: Caller {
            token: parsed(row, "token_id")?,
            kind: known(row, "kind", TokenKind::parse)?,
            access: known(row, "access", RepoAccess::parse)?,
            user: parsed(row, "user_id")?,
            org: parsed(row, "org_id")?,
            org_role: OrgRole::from_code(code)
                .ok_or_else(|| decode("org_role", format!("unknown role {code}")))?,
            name: format!("{first} {last}").trim().to_owned(),
            email: row.try_get("email")?,
        },
    })
}

pub(super) fn from_row(row: &AnyRow) -> Result<Token, sqlx::Error> {
    Ok(Token {
        id: parsed(row, "id")?,
        user: parsed(row, "user_id")?,
        kind: known(row, "kind", TokenKind::parse)?,
        name: row.try_get("name")?,
        shown: row.try_get("shown")?,
        created_at: time(row, "created_at")?,
        expires_at: time_option(row, "expires_at")?,
    })
}
