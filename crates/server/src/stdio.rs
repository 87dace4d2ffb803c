//! MCP over standard input and output: one client, which started the server. Logs go to standard error only.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    RoleServer, ServiceExt,
    model::{ClientNotification, GetExtensions as _, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, async_rw::AsyncRwTransport},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    Server,
    handler::Handler,
    lifecycle::{Admission, Lifecycle},
};

/// Serves the client until it closes its end and has its answers, or until `stop` is cancelled.
///
/// # Errors
/// When the connection breaks.
pub async fn serve(server: Arc<Server>, stop: CancellationToken) -> io::Result<()> {
    let (input, output) = rmcp::transport::io::stdio_pipes();
    let transport = Answering {
        transport: AsyncRwTransport::new_server(input, output),
        unanswered: Arc::default(),
        lifecycle: Arc::clone(&server.lifecycle),
        has_ended: false,
    };
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

/// A connection on which every request is in flight until its answer is written, and whose end is told once all are: a client
/// that sends its requests and closes its end reads on.
struct Answering<T> {
    transport: T,
    unanswered: Arc<Unanswered>,
    lifecycle: Arc<Lifecycle>,
    has_ended: bool,
}

#[derive(Default)]
struct Unanswered {
    requests: Mutex<HashMap<RequestId, Option<Admission>>>,
    answered: Notify,
}

impl Unanswered {
    fn add(&self, id: RequestId, admission: Option<Admission>) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).insert(id, admission);
    }

    fn remove(&self, id: &RequestId) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.answered.notify_waiters();
    }

    async fn none_left(&self) {
        loop {
            // Listens before it looks.
            let answered = self.answered.notified();
            if self.requests.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            answered.await;
        }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Answering<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        let answered = match &message {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let (sending, unanswered) = (self.transport.send(message), Arc::clone(&self.unanswered));
        async move {
            let sent = sending.await;
            if let Some(id) = answered {
                unanswered.remove(&id);
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let mut received = match self.has_ended {
            true => None,
            false => self.transport.receive().await,
        };
        match &mut received {
            Some(JsonRpcMessage::Request(request)) => {
                // Who is refused is told so by the runner.
                let admission = self.lifecycle.enter().ok();
                if let Some(admission) = &admission {
                    request.request.extensions_mut().insert(admission.clone());
                }
                self.unanswered.add(request.id.clone(), admission);
            }
            Some(JsonRpcMessage::Notification(notification)) => {
                // What is withdrawn is not answered.
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.unanswered.remove(id);
                }
            }
            Some(_) => {}
            None => {
                self.has_ended = true;
                self.unanswered.none_left().await;
            }
        }
        received
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.transport.close().await
    }
}
