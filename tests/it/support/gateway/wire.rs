//! Requests exactly as they go over the wire, and their answers.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request that is ready to be sent, or to be changed first.
#[derive(Clone, Debug)]
pub struct Wire {
    pub address: SocketAddr,
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Wire {
    /// Sends the request, and takes the answer to its end.
    pub async fn send(&self) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let mut request = self.head();
        request.extend_from_slice(&self.body);
        // A server that refuses need not take the body.
        let _ = stream.write_all(&request).await;
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer).await;
        Answer::parse(&answer)
    }

    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("connection: close\r\n\r\n");
        head.into_bytes()
    }

    /// Sets a header, in place of what it was.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    pub fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub fn get(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Replaces a text in a header that has it.
    pub fn swap(&mut self, name: &str, from: &str, to: &str) {
        let before = self.get(name);
        assert!(before.contains(from), "{name}: {before} has no {from}");
        self.set(name, &before.replacen(from, to, 1));
    }

    /// Replaces a text in the target, which has it.
    pub fn swap_target(&mut self, from: &str, to: &str) {
        assert!(self.target.contains(from), "{} has no {from}", self.target);
        self.target = self.target.replacen(from, to, 1);
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in UTF-8");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Self { status: status.parse().expect("a number"), headers, body: vec![] };
        let body = &bytes[end + 4..];
        let chunked = answer.header("transfer-encoding") == "chunked";
        answer.body = if chunked { joined(body) } else { body.to_vec() };
        answer
    }

    /// Empty, if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The text of the first element of this name; empty, if there is none.
    pub fn element(&self, name: &str) -> &str {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    /// The texts of all elements of this name, in their order.
    pub fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.text().split(&open).skip(1);
        parts.filter_map(|part| part.split(&close).next()).collect()
    }

    /// Status and code of what was refused.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status, self.element("Code"))
    }
}

/// A body that came in chunks.
fn joined(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = vec![];
    loop {
        let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") else { return whole };
        let size = std::str::from_utf8(&bytes[..line]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        let data = &bytes[line + 2..];
        if size == 0 || data.len() < size {
            return whole;
        }
        whole.extend_from_slice(&data[..size]);
        bytes = &data[size + 2..];
    }
}
