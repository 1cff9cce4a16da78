//! A wire between a client and its broker that counts bytes and can be cut.

use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The wire. It ends with its handle.
pub(crate) struct Proxy {
    address: SocketAddr,
    counted: Arc<Counted>,
    /// Whether it conducts; gone with the handle.
    whole: watch::Sender<bool>,
}

#[derive(Default)]
struct Counted {
    down: AtomicU64,
    up: AtomicU64,
}

impl Proxy {
    /// A wire to the broker on loopback at `port`. TCP_NODELAY both ways, as client and broker have it.
    pub(crate) async fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a proxy")?;
        let address = listener.local_addr()?;
        let counted = Arc::new(Counted::default());
        let (whole, state) = watch::channel(true);
        tokio::spawn(serve(listener, port, Arc::clone(&counted), state));
        Ok(Self {
            address,
            counted,
            whole,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Bytes that the client has received so far: TCP's payload, MQTT's framing included.
    pub(crate) fn down(&self) -> f64 {
        self.counted.down.load(Ordering::Relaxed) as f64
    }

    /// Bytes that it has sent.
    pub(crate) fn up(&self) -> f64 {
        self.counted.up.load(Ordering::Relaxed) as f64
    }

    /// Ends its connections and refuses new ones.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Conducts again.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn serve(
    listener: TcpListener,
    port: u16,
    counted: Arc<Counted>,
    mut state: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            changed = state.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok((client, _)) = accepted else { return };
        if *state.borrow_and_update() {
            tokio::spawn(conduct(client, port, Arc::clone(&counted), state.clone()));
        }
    }
}

async fn conduct(
    client: TcpStream,
    port: u16,
    counted: Arc<Counted>,
    mut state: watch::Receiver<bool>,
) {
    let Ok(broker) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    // A socket that cannot do it is slower and still right.
    let _ = (client.set_nodelay(true), broker.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = broker.into_split();
    tokio::select! {
        () = copy(from_broker, to_client, &counted.down) => {}
        () = copy(from_client, to_broker, &counted.up) => {}
        _ = state.wait_for(|whole| !whole) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: &AtomicU64,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        counter.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        port
    }

    #[tokio::test]
    async fn it_counts_and_can_be_cut_and_mended() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        let mut byte = [0];
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        client.write_all(b"x").await.unwrap();
        client.read_exact(&mut byte).await.unwrap();
        assert_eq!((proxy.up(), proxy.down()), (1.0, 1.0));
        proxy.cut();
        assert!(matches!(client.read(&mut byte).await, Ok(0) | Err(_)));
        let mut refused = TcpStream::connect(proxy.address).await.unwrap();
        assert!(matches!(refused.read(&mut byte).await, Ok(0) | Err(_)));
        proxy.mend();
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        client.write_all(b"x").await.unwrap();
        client.read_exact(&mut byte).await.unwrap();
    }
}
