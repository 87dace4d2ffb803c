//! `DELETE`: a file goes, and what it held is kept as a version.

use std::sync::Arc;

use axum::{
    Json,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{FileRequest, conditions::deletes, link_of, source::etag_of};
use crate::{
    Server,
    error::{ErrorCode, ToolError},
    metrics::{TransferRecord, labels::FileMethod},
};

/// Deletes a file.
pub(super) async fn delete(
    server: Arc<Server>,
    asked: FileRequest,
    request: Request,
) -> Result<Response, ToolError> {
    let link = link_of(&request);
    let headers = request.headers().clone();
    let audited = json!({ "workbook": &asked.name });
    let recording = server.audit.call(&link.principal, FileMethod::Delete.action(), &audited);
    let record = TransferRecord::begin(&server.context, &link, FileMethod::Delete, &asked.name);
    let deleted = server.runner.transfer(link, move |call| {
        call.check_editor(FileMethod::Delete)?;
        let target = call.workspace().target(&asked.name, &[])?;
        let state = target.state()?;
        let Some(identity) = state.identity() else {
            return Err(ToolError::new(ErrorCode::NotFound, format!("there is no file {:?}", target.path()))
                .at("path")
                .hint("call list_workbooks for the paths there are"));
        };
        deletes(&headers, &etag_of(identity))?;
        call.check_overwrite()?;
        let previous = target.digest()?;
        let noted = call.keep_version(&target, previous, None, None, identity.size)?;
        let ((), version) = call.settle_version(&noted, target.delete(&state))?;
        Ok(json!({ "path": target.path(), "previous_version": version }))
    });
    let deleted = deleted.await;
    record.ended(deleted.as_ref().err());
    recording.ended(deleted.as_ref().err());
    deleted.map(|told| Json(told).into_response())
}
