//! A byte stream to the broker: TCP, TLS, web socket, or both.

use super::plan::{ANSWER, Plan};
use bytes::Bytes;
use futures::{SinkExt, StreamExt, future};
use rustls::pki_types::ServerName;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};

/// What a broker may put into one message of a web socket: several packets.
const LARGEST_MESSAGE: usize = 4 << 20;

/// The two directions, which never wait for each other.
pub(super) struct Pipe {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Box<dyn AsyncWrite + Send + Unpin>,
}

/// How far an attempt came.
#[derive(Debug)]
pub(super) enum DialError {
    /// The host has no address.
    Lookup,
    /// None of its addresses let us in.
    Socket(io::Error),
    /// The host is no name that a certificate can be for.
    Name,
    /// TLS failed: see the error inside.
    Tls(io::Error),
    /// No web socket there.
    WebSocket(WebSocketError),
    /// A web socket, but none for MQTT.
    Protocol,
}

pub(super) async fn dial(plan: &Plan) -> Result<Pipe, DialError> {
    let tcp = connect(&plan.target.host, plan.target.port).await?;
    let Some(config) = &plan.tls else {
        return pipe(plan, tcp).await;
    };
    let name = ServerName::try_from(plan.target.host.clone()).map_err(|_| DialError::Name)?;
    let tls = TlsConnector::from(config.clone())
        .connect(name, tcp)
        .await
        .map_err(DialError::Tls)?;
    pipe(plan, tls).await
}

/// Tries the host's addresses one after the other; one that swallows packets leaves time for the next.
async fn connect(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let addresses: Vec<_> = lookup_host((host, port))
        .await
        .map_err(|_| DialError::Lookup)?
        .collect();
    let patience = ANSWER / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut last = DialError::Lookup;
    for address in addresses {
        let connected = timeout(patience, TcpStream::connect(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        // Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms.
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = DialError::Socket(error),
        }
    }
    Err(last)
}

async fn pipe<S>(plan: &Plan, stream: S) -> Result<Pipe, DialError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if plan.target.web_socket {
        return web_socket(plan, stream).await;
    }
    let (reader, writer) = tokio::io::split(stream);
    Ok(Pipe {
        reader: Box::new(reader),
        writer: Box::new(writer),
    })
}

async fn web_socket<S>(plan: &Plan, stream: S) -> Result<Pipe, DialError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut request = plan
        .target
        .to_string()
        .into_client_request()
        .map_err(DialError::WebSocket)?;
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("mqtt"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    let (socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|error| match error {
            WebSocketError::Protocol(_) => DialError::Protocol,
            error => DialError::WebSocket(error),
        })?;
    let (sink, stream) = socket.split();
    // Only binary messages carry packets, however they are cut; pings are answered by the library.
    let bytes = stream.filter_map(|message| {
        future::ready(match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            Ok(_) => None,
            Err(error) => Some(Err(as_io(error))),
        })
    });
    let sink = sink
        .with(|bytes: Bytes| future::ok::<_, WebSocketError>(Message::Binary(bytes)))
        .sink_map_err(as_io);
    Ok(Pipe {
        reader: Box::new(StreamReader::new(bytes)),
        writer: Box::new(SinkWriter::new(CopyToBytes::new(sink))),
    })
}

fn as_io(error: WebSocketError) -> io::Error {
    match error {
        WebSocketError::Io(error) => error,
        WebSocketError::ConnectionClosed | WebSocketError::AlreadyClosed => {
            io::ErrorKind::ConnectionAborted.into()
        }
        other => io::Error::other(other),
    }
}
