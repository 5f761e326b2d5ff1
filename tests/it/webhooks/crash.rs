//! The server is killed between a change and its telling: it tells after it has started again.

use tokio::net::TcpSocket;

use super::{secret, set};
use crate::durability::process::Process;
use crate::support::database::Database;
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_told_after_a_kill() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let database = Database::create().await;
    let url = database.url(folder.path());
    // Bound and not listening: the port is ours, and whoever dials it is turned away.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let hook = format!("http://{}/hook", socket.local_addr().expect("an address"));

    let mut server = Process::start(folder.path(), &url).await;
    let repo = Repo::create(&server.owner(), &[]).await;
    set(&server.owner(), None, &hook, Some("token")).await.expect("set");
    let key = secret(&server.owner(), None).await;
    let mut heads = Vec::new();
    for edit in 0..3 {
        heads.push(repo.put("a", edit.to_string()).await.expect("an edit").repo_head);
    }
    server.kill();

    let mut receiver = Receiver::on(socket.listen(16).expect("a listener"));
    let mut server = Process::start(folder.path(), &url).await;
    let again = repo.seen_by(&server.owner());
    let mut told = Vec::new();
    while told.len() < heads.len() {
        let received = receiver.next().await;
        assert!(received.is_signed_with(&key));
        assert_eq!(received.header("authorization"), "Bearer token");
        let after = received.event().data.after.expect("a head");
        // At least once; a kill in the middle of an attempt may make it twice.
        if !told.contains(&after) {
            told.push(after);
        }
    }
    told.sort();
    heads.sort();
    assert_eq!(told, heads);
    again.diff(vec![write("b", "1")]).await.expect("and goes on");
    server.stop();
    database.drop().await;
}
