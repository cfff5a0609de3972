//! A line that can be broken in every way: a TCP proxy in front of the broker, and another in front of Graph.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::condition::{Condition, Cut, Direction};

/// Bytes that are under way in one direction of one connection.
const BUFFER: usize = 4096;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 64;

/// Everything that a connection obeys.
#[derive(Debug, Clone, Copy)]
struct Orders {
    condition: Condition,
    /// Where the other end is at this moment; nothing while there is none, since its port may be somebody
    /// else's then.
    target: Option<u16>,
    /// Counts the cuts; each ends all connections that were there before.
    cuts: (u64, Cut),
}

/// The line. Dropping it cuts it.
pub(crate) struct Line {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    _task: JoinSet<()>,
}

impl Line {
    /// Leads to `target`, another port of this machine.
    pub(crate) fn to(target: Option<u16>) -> Self {
        // Bound but never listening, it keeps the port from everybody else while the line is closed.
        let keeper = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = keeper.local_addr().unwrap();
        let orders = Orders { condition: Condition::Open, target, cuts: (0, Cut::Fin) };
        let (orders, obeyed) = watch::channel(orders);
        let listener = bound(address).listen(BACKLOG).unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let _keeper = keeper;
            accept(address, listener, obeyed).await;
        });
        Self { address, orders, _task: task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn set(&self, condition: Condition) {
        self.orders.send_modify(|orders| orders.condition = condition);
    }

    /// Ends every connection.
    pub(crate) fn cut(&self, cut: Cut) {
        self.orders.send_modify(|orders| orders.cuts = (orders.cuts.0 + 1, cut));
    }

    /// New connections lead elsewhere.
    pub(crate) fn lead_to(&self, target: Option<u16>) {
        self.orders.send_modify(|orders| orders.target = target);
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn accept(address: SocketAddr, listener: TcpListener, mut orders: watch::Receiver<Orders>) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let condition = orders.borrow_and_update().condition;
        match (&listener, condition) {
            (Some(_), Condition::Closed) => listener = None,
            (None, Condition::Closed) | (Some(_), _) => {}
            (None, _) => listener = Some(bound(address).listen(BACKLOG).unwrap()),
        }
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { break },
            Some(_) = connections.join_next() => {}
            accepted = next(listener.as_ref()) => match condition {
                Condition::HangsUp(cut) => end(&accepted, cut),
                Condition::Closed => {}
                Condition::Open | Condition::Frozen(_) | Condition::Slow { .. } | Condition::Truncates { .. } => {
                    connections.spawn(carry(accepted, orders.clone()));
                }
            },
        }
    }
    connections.shutdown().await;
}

async fn next(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => listener.accept().await.unwrap().0,
        None => std::future::pending().await,
    }
}

/// What dropping this end of a connection will look like to the other.
fn end(stream: &TcpStream, cut: Cut) {
    if cut == Cut::Rst {
        stream.set_zero_linger().unwrap();
    }
}

/// One connection, from its beginning to its end.
async fn carry(mut near: TcpStream, orders: watch::Receiver<Orders>) {
    let Orders { target, cuts: (before, _), .. } = *orders.borrow();
    // Nobody there is an end like any other.
    let Some(target) = target else { return };
    let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let mut ordered = orders.clone();
    let cut = {
        let ((near_read, near_write), (far_read, far_write)) = (near.split(), far.split());
        let up = copy(near_read, far_write, Direction::Up, orders.clone());
        let down = copy(far_read, near_write, Direction::Down, orders);
        let both = async {
            tokio::select! {
                ended = up => ended,
                ended = down => ended,
            }
        };
        tokio::select! {
            ended = both => ended,
            cut = ordered.wait_for(|orders| orders.cuts.0 > before) => cut.map_or(Cut::Rst, |orders| orders.cuts.1),
        }
    };
    end(&near, cut);
    end(&far, cut);
}

/// Copies until either side ends or the line's condition ends it.
async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    direction: Direction,
    mut orders: watch::Receiver<Orders>,
) -> Cut {
    let mut buffer = [0; BUFFER];
    let mut truncation = None;
    loop {
        // An error is the end of the line itself.
        let Ok(now) = orders.wait_for(|orders| !orders.condition.holds_up(direction)).await.map(|now| *now)
        else {
            return Cut::Rst;
        };
        let mut most = BUFFER;
        match now.condition {
            Condition::Slow { bytes, .. } => most = bytes.min(BUFFER),
            Condition::Truncates { direction: which, after, cut } if which == direction => {
                let left = *truncation.get_or_insert(after);
                if left == 0 {
                    return cut;
                }
                most = left.min(BUFFER);
            }
            _ => truncation = None,
        }
        let read = tokio::select! {
            changed = orders.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return Cut::Rst,
            },
            read = from.read(&mut buffer[..most]) => read,
        };
        let Ok(length @ 1..) = read else { return Cut::Fin };
        if to.write_all(&buffer[..length]).await.is_err() {
            return Cut::Fin;
        }
        truncation = truncation.map(|left: usize| left.saturating_sub(length));
        if let Condition::Slow { pause, .. } = now.condition {
            tokio::time::sleep(pause).await;
        }
    }
}
