//! The migrations for SQLite and PostgreSQL are twins: the same numbers and names, and the same
//! statements but for what the two databases spell differently, and for how rows lie in SQLite, which is
//! said from a line `-- SQLite only` on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use repoplane::store::Store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgPool, SqliteConnection, SqlitePool};

use crate::support::database::Database;

/// SQLite's spelling, and PostgreSQL's of the same. A key of an identity column is never null, so
/// that only one of them needs to say it.
const SPELLINGS: [(&str, &str); 4] = [
    (
        "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    ),
    ("BLOB", "BYTEA"),
    // By bytes, whatever language the database is set to.
    ("COLLATE BINARY", "COLLATE \"C\""),
    // Values may be longer than a B-tree of PostgreSQL takes.
    ("source_repo_metadata (value)", "source_repo_metadata USING hash (value)"),
];

#[test]
fn the_texts_say_the_same() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    let names = |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sqlite), names(&postgres));
    assert!(!sqlite.is_empty());
    for (name, text) in &sqlite {
        let differences = differences(text, &postgres[name]);
        assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
    }
}

#[test]
fn a_difference_is_seen() {
    let ours = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, x BLOB);";
    let same = "-- Comment.\nCREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        x BYTEA);";
    assert_eq!(differences(ours, same), Vec::<String>::new());
    for (what, to) in [
        ("x BYTEA", "x BYTEA NOT NULL"),
        ("x BYTEA", "x TEXT"),
        ("x BYTEA", "y BYTEA"),
        ("x BYTEA", "x BYTEA REFERENCES u (id)"),
        ("BYTEA);", "BYTEA); CREATE INDEX t_x ON t (x);"),
    ] {
        assert!(!differences(ours, &same.replace(what, to)).is_empty(), "{to}");
    }
}

/// Tables that are made anew keep what was in them.
#[tokio::test]
async fn rows_lie_elsewhere_and_are_the_same() {
    const ROWS: &str = "INSERT INTO objects VALUES ('s', 'b', 'v1', 0, 7, 'e', '{}', 5, '[1]'),
            ('s', 'a', 'v2', 1, 0, '', '{}', 6, '');
        INSERT INTO intents VALUES ('s', 'b', 'v3', 'n', 8, NULL, 0), ('s', 'a', 'v4', 'n', 9, '{}', 1);";
    const MADE_ANEW: &str = "0011_fewer_pages.sql";
    const OBJECTS: &str = "SELECT space_id || key || version || deleted || size || etag || about
        || modified_at || parts FROM objects ORDER BY key";
    const INTENTS: &str = "SELECT space_id || key || version || node || lease_until
        || COALESCE(object, 'nothing') || told FROM intents ORDER BY key";
    let mut sqlite = SqliteConnection::connect("sqlite::memory:").await.expect("a database");
    let mut texts = migrations("sqlite");
    let later = texts.split_off(MADE_ANEW).remove(MADE_ANEW).expect("it is there");
    for text in texts.into_values().chain([ROWS.to_owned()]) {
        sqlite.execute(AssertSqlSafe(text)).await.expect("migrated, and filled");
    }
    let rows = async |sqlite: &mut SqliteConnection| {
        let objects = sqlx::query_scalar::<_, String>(OBJECTS).fetch_all(&mut *sqlite).await;
        let intents = sqlx::query_scalar::<_, String>(INTENTS).fetch_all(&mut *sqlite).await;
        [objects, intents].map(|rows| rows.expect("rows"))
    };
    let before = rows(&mut sqlite).await;
    assert_eq!(before.concat().len(), 4);
    sqlite.execute(AssertSqlSafe(later)).await.expect("migrated");
    assert_eq!(rows(&mut sqlite).await, before);
}

/// What the databases themselves say, where there is a PostgreSQL to ask.
#[tokio::test]
async fn the_databases_say_the_same() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let database = Database::create().await;
    if matches!(database, Database::Sqlite) {
        eprintln!("Only the texts are compared: TEST_POSTGRES_URL names no server.");
        return;
    }
    let url = Database::Sqlite.url(folder.path());
    let store = Store::open(&url).await.expect("new database");
    store.migrate().await.expect("migrated");
    store.close().await;

    let sqlite = SqlitePool::connect(&url).await.expect("SQLite");
    let postgres = PgPool::connect(&database.url(folder.path())).await.expect("PostgreSQL");
    let pairs = [
        (SQLITE_COLUMNS, POSTGRES_COLUMNS),
        (SQLITE_KEYS, POSTGRES_KEYS),
        (SQLITE_INDEXES, POSTGRES_INDEXES),
        (SQLITE_REFERENCES, POSTGRES_REFERENCES),
    ];
    for (ours, theirs) in pairs {
        let ours: Vec<String> =
            sqlx::query_scalar(ours).fetch_all(&sqlite).await.expect("rows of SQLite");
        let theirs: Vec<String> =
            sqlx::query_scalar(theirs).fetch_all(&postgres).await.expect("rows of PostgreSQL");
        assert!(!ours.is_empty());
        assert_eq!(BTreeSet::from_iter(ours), BTreeSet::from_iter(theirs));
    }
    sqlite.close().await;
    postgres.close().await;
    database.drop().await;
}

const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || ' '
       || CASE c.type WHEN 'BIGINT' THEN 'integer' WHEN 'BLOB' THEN 'bytes' ELSE lower(c.type) END
       || CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END
     FROM sqlite_master m, pragma_table_info(m.name) c
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'";

const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' '
       || CASE data_type WHEN 'bigint' THEN 'integer' WHEN 'bytea' THEN 'bytes' ELSE data_type END
       || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
     FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";

const SQLITE_KEYS: &str = "SELECT m.name || ' (' || (SELECT group_concat(name) FROM
         (SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk)) || ')'
     FROM sqlite_master m
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'";

const POSTGRES_KEYS: &str = "SELECT t.relname::text || ' ('
       || string_agg(a.attname::text, ',' ORDER BY k.n) || ')'
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
       CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attribute, n)
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attribute
     WHERE i.indisprimary AND t.relnamespace = 'public'::regnamespace
       AND t.relname <> '_sqlx_migrations'
     GROUP BY t.relname";

const SQLITE_INDEXES: &str = "SELECT m.name || ' ' || l.name
       || CASE l.\"unique\" WHEN 1 THEN ' unique' ELSE '' END || ' (' || (SELECT group_concat(name)
         FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) || ')'
       || CASE l.partial WHEN 1 THEN ' where' ELSE '' END
     FROM sqlite_master m, pragma_index_list(m.name) l
     WHERE m.type = 'table' AND l.origin = 'c'";

const POSTGRES_INDEXES: &str = "SELECT t.relname::text || ' ' || x.relname::text
       || CASE WHEN i.indisunique THEN ' unique' ELSE '' END || ' ('
       || string_agg(a.attname::text, ',' ORDER BY k.n) || ')'
       || CASE WHEN i.indpred IS NOT NULL THEN ' where' ELSE '' END
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
       CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attribute, n)
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attribute
     WHERE NOT i.indisprimary AND t.relnamespace = 'public'::regnamespace
     GROUP BY t.relname, x.relname, i.indisunique, i.indpred IS NOT NULL";

const SQLITE_REFERENCES: &str =
    "SELECT m.name || '.' || f.\"from\" || ' ' || f.\"table\" || '.' || f.\"to\"
       || ' ' || f.on_delete
     FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";

const POSTGRES_REFERENCES: &str = "SELECT t.relname::text || '.' || a.attname::text || ' '
       || u.relname::text || '.' || b.attname::text || ' ' || CASE c.confdeltype
         WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'
         ELSE c.confdeltype::text END
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class u ON u.oid = c.confrelid
       CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (ours, theirs)
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.ours
       JOIN pg_attribute b ON b.attrelid = u.oid AND b.attnum = k.theirs
     WHERE c.contype = 'f'";

fn migrations(database: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/migrations").join(database);
    let entries = std::fs::read_dir(folder).expect("migrations");
    let read = |path: &Path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("UTF-8"))
    };
    entries.map(|entry| read(&entry.expect("an entry").path())).collect()
}

fn differences(sqlite: &str, postgres: &str) -> Vec<String> {
    let sqlite = sqlite.split("-- SQLite only").next().unwrap_or_default();
    let (ours, theirs) = (statements(sqlite), statements(postgres));
    let count = ours.len().max(theirs.len());
    let pair = |index| {
        let text = |list: &[String]| list.get(index).map_or("nothing", String::as_str).to_owned();
        (text(&ours), text(&theirs))
    };
    let unequal = (0..count).map(pair).filter(|(ours, theirs)| ours != theirs);
    unequal.map(|(ours, theirs)| format!("SQLite     {ours}\nPostgreSQL {theirs}")).collect()
}

/// The statements in order, one line each, in one spelling.
fn statements(text: &str) -> Vec<String> {
    let bare: String = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found: Vec<String> =
        bare.split(';').map(words).filter(|line| !line.is_empty()).collect();
    for line in &mut found {
        for (sqlite, postgres) in SPELLINGS {
            *line = line.replace(postgres, sqlite);
        }
    }
    found
}
