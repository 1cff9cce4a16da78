//! What is no broker, or a strange one: a peer that answers with bytes from a script.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A yes to CONNECT, without properties.
pub const WELCOME: &[u8] = &[0x20, 3, 0, 0, 0];

/// Listens, and plays `script` on each connection: each answer is sent when something was read.
pub async fn play(script: &'static [&'static [u8]]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(perform(stream, script));
        }
    });
    format!("tcp://{address}")
}

async fn perform(mut stream: TcpStream, script: &[&[u8]]) {
    let mut heard = [0; 4096];
    for answer in script {
        match stream.read(&mut heard).await {
            Ok(1..) => stream.write_all(answer).await.unwrap(),
            _ => return,
        }
    }
}
