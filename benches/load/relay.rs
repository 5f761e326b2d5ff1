//! The least that can stand between a client and its buckets: a process that writes to all of them what it
//! reads, and passes an answer on once all have given theirs. It checks, counts and keeps nothing, and the
//! client hands it the requests as the buckets are to get them. What it takes longer than the direct client
//! is the price of the way itself.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use super::s3::Peer;
use super::{Running, content_length, free_address, wait_until_it_listens};

/// The first argument that makes a relay of a benchmark's own program.
const ARGUMENT: &str = "relay";
const BUFFER: usize = 64 * 1024;

pub struct Relay {
    child: Running,
    pub address: SocketAddr,
}

impl Relay {
    /// Needs [`become_one_if_asked`] to be what the program does first.
    pub fn start(peers: &[&Peer]) -> Self {
        let address = free_address();
        let own = std::env::current_exe().expect("own path");
        let addresses = peers.iter().map(|peer| peer.address.to_string());
        let child = Command::new(own)
            .arg(ARGUMENT)
            .arg(address.to_string())
            .args(addresses)
            .spawn()
            .expect("the relay starts");
        wait_until_it_listens(address);
        Self { child: Running(child), address }
    }

    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// What to send it before a body of so many bytes, which goes behind each of `heads`.
    pub fn head(heads: &[Vec<u8>], bytes: u64) -> Vec<u8> {
        let mut all = bytes.to_le_bytes().to_vec();
        for head in heads {
            all.extend((head.len() as u64).to_le_bytes());
            all.extend(head);
        }
        all
    }
}

pub fn become_one_if_asked() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ARGUMENT) {
        return;
    }
    let mut addresses = arguments.map(|address| address.parse().expect("an address"));
    let own: SocketAddr = addresses.next().expect("its own address");
    let peers: Vec<SocketAddr> = addresses.collect();
    for client in TcpListener::bind(own).expect("a listener").incoming() {
        let (mut client, peers) = (client.expect("a connection"), peers.clone());
        std::thread::spawn(move || {
            let mut peers: Vec<_> = peers.into_iter().map(open).collect();
            let mut buffer = vec![0; BUFFER];
            while relay(&mut client, &mut peers, &mut buffer).is_ok() {}
        });
    }
}

fn open(peer: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(peer).expect("connection");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream
}

/// One request.
fn relay(client: &mut TcpStream, peers: &mut [TcpStream], buffer: &mut [u8]) -> io::Result<()> {
    let mut left = number(client)?;
    for peer in &mut *peers {
        let mut head = vec![0; number(client)?];
        client.read_exact(&mut head)?;
        peer.write_all(&head)?;
    }
    while left > 0 {
        let most = left.min(buffer.len());
        let read = client.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for peer in &mut *peers {
            peer.write_all(&buffer[..read])?;
        }
        left -= read;
    }
    let mut answers = vec![];
    for peer in peers {
        answers.push(answer(peer, buffer)?);
    }
    // The worst of them, so that nobody takes half for the whole.
    answers.sort_by_key(|answer| answer[9..12].to_vec());
    client.write_all(answers.last().expect("an answer"))
}

fn number(client: &mut TcpStream) -> io::Result<usize> {
    let mut number = [0; 8];
    client.read_exact(&mut number)?;
    Ok(u64::from_le_bytes(number) as usize)
}

fn answer(peer: &mut TcpStream, buffer: &mut [u8]) -> io::Result<Vec<u8>> {
    let (mut filled, mut whole) = (0, usize::MAX);
    while filled < whole {
        let read = peer.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(head) = buffer[..filled].windows(4).position(|end| end == b"\r\n\r\n") {
            whole = head + 4 + content_length(&buffer[..head]).unwrap_or(0);
        }
    }
    Ok(buffer[..filled].to_vec())
}
