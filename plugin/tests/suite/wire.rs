//! A wire between a program and its broker that counts bytes and can be cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// It conducts until it is cut.
pub(crate) struct Wire {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// To the broker at `tcp://HOST:PORT`.
    pub(crate) async fn start(url: &str) -> Self {
        let to: SocketAddr = url.trim_start_matches("tcp://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&bytes);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(conduct(client, to, Arc::clone(&counter)));
            }
        });
        Self {
            address,
            bytes,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Bytes that have crossed it, both ways: TCP's payload, MQTT's framing included.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Nobody gets through any more.
    pub(crate) async fn cut(&mut self) {
        self.accepting.abort();
        // It ended as it was told to.
        let _ = (&mut self.accepting).await;
    }
}

async fn conduct(client: TcpStream, to: SocketAddr, bytes: Arc<AtomicU64>) {
    let Ok(broker) = TcpStream::connect(to).await else {
        return;
    };
    // A socket that cannot do it is slower and still right.
    let _ = (client.set_nodelay(true), broker.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = broker.into_split();
    tokio::select! {
        () = copy(from_broker, to_client, &bytes) => {}
        () = copy(from_client, to_broker, &bytes) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    bytes: &AtomicU64,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        bytes.fetch_add(read as u64, Ordering::SeqCst);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
