//! MCP over standard input and output: one client, which started the server. Logs go to standard error only.

use std::{io, sync::Arc};

use rmcp::ServiceExt;
use tokio_util::sync::CancellationToken;

use crate::{Server, handler::Handler};

/// Serves the client until it closes its end, or until `stop` is cancelled.
///
/// # Errors
/// When the connection breaks.
pub async fn serve(server: Arc<Server>, stop: CancellationToken) -> io::Result<()> {
    let transport = rmcp::transport::io::stdio_pipes();
    let service = match Handler::new(server).serve_with_ct(transport, stop).await {
        Ok(service) => service,
        Err(_) => {
            // A client that only looked whether the program starts is no failure. The error quotes what it sent.
            tracing::info!("the client left before it introduced itself");
            return Ok(());
        }
    };
    let reason = service.waiting().await.map_err(io::Error::other)?;
    tracing::debug!(?reason, "the connection ended");
    Ok(())
}
