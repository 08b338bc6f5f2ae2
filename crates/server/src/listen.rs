//! Connections: accepted up to a number, given a time to say what they want, and finished when the process is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

/// How many connections may be open at once; the next ones wait in the kernel's queue.
const CONNECTIONS_MOST: usize = 4096;
/// How long a connection may take to send the head of a request, the time between two requests included.
const HEAD_WITHIN: Duration = Duration::from_secs(60);

/// How long requests that run may take to end once the process is told to stop: an upload may, a client that says nothing may not for ever.
const FINISH_WITHIN: Duration = Duration::from_secs(120);

/// Serves until `stop` resolves, then finishes the requests that are running.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    let running = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        if let Some((stream, peer, place)) = accepted {
            open(stream, peer, place, router.clone(), &running);
        }
    }
    drop(listener);
    if tokio::time::timeout(FINISH_WITHIN, running.shutdown()).await.is_err() {
        tracing::warn!("requests that did not end were cut off");
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(e) => {
            // Out of file descriptors, or a client that is gone already: neither ends the server.
            tracing::warn!(error = %e, "a connection was not accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

fn open(stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit, router: Router, running: &GracefulShutdown) {
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "TCP_NODELAY");
    }
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = running.watch(connection);
    tokio::spawn(async move {
        if let Err(e) = connection.await {
            tracing::debug!(error = %e, "a connection ended early");
        }
        drop(place);
    });
}
