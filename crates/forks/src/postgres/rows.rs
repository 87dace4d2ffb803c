//! All rows as JSON, and back.

use deadpool_postgres::ClientWrapper;

use super::columns::value;
use super::failure::Failure;
use crate::StoreError;
use crate::rows::{self, Row, RowSink, RowSource, TABLES, Table};

/// How a transaction begins that sees the state of one moment.
pub(super) const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// How a transaction begins that changes something.
pub(super) const CHANGE: &str = "BEGIN";

/// Rows that are fetched or inserted at once.
const AT_ONCE: usize = 500;

pub(super) async fn export(client: &ClientWrapper, sink: &mut RowSink<'_>) -> Result<(), Failure> {
    for table in &TABLES {
        let Table { name, order, .. } = table;
        let pairs: Vec<String> = table.columns().map(|column| format!("'{column}', {column}")).collect();
        let pairs = pairs.join(", ");
        let cursor = format!(
            "DECLARE exported CURSOR FOR SELECT json_build_object({pairs})::text FROM {name} ORDER BY {order}"
        );
        client.batch_execute(&cursor).await?;
        loop {
            let fetched = client.query(&format!("FETCH {AT_ONCE} FROM exported"), &[]).await?;
            for row in &fetched {
                let columns: &str = value(row, 0)?;
                sink(Row { table: name, columns })?;
            }
            if fetched.len() < AT_ONCE {
                break;
            }
        }
        client.batch_execute("CLOSE exported").await?;
    }
    Ok(())
}

pub(super) async fn import(client: &ClientWrapper, source: &mut RowSource<'_>) -> Result<u64, Failure> {
    for Table { name, .. } in &TABLES {
        // Until the end nobody else may write.
        client.batch_execute(&format!("LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")).await?;
        if client.query_opt(&format!("SELECT 1 FROM {name} LIMIT 1"), &[]).await?.is_some() {
            return Err(StoreError::Exists { what: "state", name: format!("with {name}") }.into());
        }
    }
    let mut imported = 0;
    let mut waiting: Vec<String> = Vec::new();
    let mut of: Option<&Table> = None;
    while let Some((name, columns)) = source()? {
        let table = rows::table(&name)?;
        if let Some(before) = of.replace(table)
            && (before.name != table.name || waiting.len() == AT_ONCE)
        {
            insert(client, before, &std::mem::take(&mut waiting)).await?;
        }
        waiting.push(columns);
        imported += 1;
    }
    if let Some(table) = of {
        insert(client, table, &waiting).await?;
    }
    client
        .batch_execute(
            "UPDATE forks SET newest = coalesce((SELECT max(seq) FROM entries WHERE fork = forks.id), 0);
             SELECT setval(pg_get_serial_sequence('versions', 'number'), max(number)) FROM versions
                 HAVING max(number) IS NOT NULL;",
        )
        .await?;
    Ok(imported)
}

async fn insert(client: &ClientWrapper, table: &Table, lines: &[String]) -> Result<(), Failure> {
    let columns: Vec<&str> = table.columns().collect();
    let texts = table.texts.iter().map(|column| format!("line::json ->> '{column}'"));
    let numbers = table.numbers.iter().map(|column| format!("(line::json ->> '{column}')::bigint"));
    let values: Vec<String> = texts.chain(numbers).collect();
    // What names a call that is long over only has to be another one for each row.
    let (nonce, named) = match table.name {
        "forks" | "entries" | "checkpoints" => (", nonce", ", uuid_send(gen_random_uuid())"),
        _ => ("", ""),
    };
    let statement = format!(
        "INSERT INTO {name} ({columns}{nonce}) OVERRIDING SYSTEM VALUE
             SELECT {values}{named} FROM unnest($1::text[]) WITH ORDINALITY AS given (line, number) ORDER BY number",
        name = table.name,
        columns = columns.join(", "),
        values = values.join(", "),
    );
    client.execute(&client.prepare_cached(&statement).await?, &[&lines]).await?;
    Ok(())
}
