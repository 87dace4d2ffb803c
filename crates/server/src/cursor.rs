//! Cursors: where the next page starts, and of what. Opaque to clients, stateless for the server: any replica reads
//! what another wrote.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{ErrorCode, ToolError};

/// A short digest of what a cursor belongs to: the arguments of the call and the state of what it lists. A cursor
/// for something else is refused instead of continuing in the wrong place.
pub fn scope_of(parts: &Value) -> String {
    hex(&Sha256::digest(parts.to_string().as_bytes())[..6])
}

/// The cursor that continues at `position`.
pub fn encode(scope: &str, position: u64) -> String {
    format!("{scope}.{position:x}")
}

/// Where a cursor continues; without one, at the start.
///
/// # Errors
/// When the cursor was made by another call, or the listed thing has changed since.
pub fn decode(scope: &str, cursor: Option<&str>) -> Result<u64, ToolError> {
    let Some(cursor) = cursor else { return Ok(0) };
    let position = cursor
        .split_once('.')
        .filter(|(made_for, _)| *made_for == scope)
        .and_then(|(_, position)| u64::from_str_radix(position, 16).ok());
    position.ok_or_else(|| {
        ToolError::new(ErrorCode::InvalidCursor, "the cursor does not belong to this call")
            .at("cursor")
            .hint("pass the cursor with the same other arguments as before; if the workbook changed since, start again without a cursor")
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cursor_continues_its_own_call_only() {
        let scope = scope_of(&json!(["list_workbooks", null]));
        let cursor = encode(&scope, 4096);
        assert_eq!(decode(&scope, Some(&cursor)).expect("its own"), 4096);
        assert_eq!(decode(&scope, None).expect("the start"), 0);
        let other = scope_of(&json!(["list_workbooks", "a"]));
        for wrong in [cursor.as_str(), "", "1000", "x.y"] {
            assert_eq!(decode(&other, Some(wrong)).expect_err("refused").code, ErrorCode::InvalidCursor);
        }
    }
}
