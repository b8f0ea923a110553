//! Connections: how many there may be, in all and of one address, who they are, and how they are ended.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use crate::hub::Hub;

/// Connections of another machine, where no limit is set.
const PER_ADDRESS: usize = 500;

/// Counts connections.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<Open>);

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// In all.
    pub(crate) all: usize,
    /// Of one address; `None`: [`PER_ADDRESS`], and any number of this machine.
    pub(crate) per_address: Option<usize>,
}

#[derive(Debug, Default)]
struct Open {
    visits: BTreeMap<u64, Arc<Visit>>,
    by_address: HashMap<IpAddr, usize>,
    next: u64,
}

/// A connection, as others see it.
#[derive(Debug)]
pub(crate) struct Visit {
    /// Its number, which no other connection of this relay has had.
    pub(crate) number: u64,
    /// Its protocol.
    pub(crate) protocol: &'static str,
    /// When it began.
    pub(crate) since: Instant,
    /// A proxy is at the other end, whose word on addresses counts.
    pub(crate) proxied: bool,
    inner: Mutex<Known>,
    kicked: Notify,
}

/// Facts that become known in the course of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Its address; that of the peer behind a proxy once it is known.
    pub(crate) address: IpAddr,
    /// Whether its address is counted: that of a proxy is not.
    counted: bool,
    /// It publishes; otherwise it watches.
    pub(crate) publishes: bool,
    /// The stream that it publishes or watches.
    pub(crate) stream: Option<String>,
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Guest {
    hub: Arc<Hub>,
    /// The connection.
    pub(crate) visit: Arc<Visit>,
}

impl Visit {
    /// The facts that are known.
    pub(crate) fn known(&self) -> Known {
        self.inner().clone()
    }

    fn inner(&self) -> MutexGuard<'_, Known> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the peer.
    pub(crate) fn address(&self) -> IpAddr {
        self.inner().address
    }

    /// Notes the stream of this connection.
    pub(crate) fn is_for(&self, publishes: bool, stream: Option<String>) {
        let mut known = self.inner();
        (known.publishes, known.stream) = (publishes, stream);
    }

    /// Ends the connection.
    pub(crate) fn kick(&self) {
        self.kicked.notify_one();
    }

    /// Ready when the connection is to end.
    pub(crate) async fn kicked(&self) {
        self.kicked.notified().await;
    }
}

impl Gate {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are open.
    pub(crate) fn len(&self) -> usize {
        self.open().visits.len()
    }

    /// The connections, in the order in which they began.
    pub(crate) fn visits(&self) -> Vec<Arc<Visit>> {
        self.open().visits.values().cloned().collect()
    }

    fn admit(&self, address: IpAddr, protocol: &'static str, proxied: bool, most: Most) -> Option<Arc<Visit>> {
        let mut open = self.open();
        if open.visits.len() >= most.all || !(proxied || open.count(address, most)) {
            return None;
        }
        let number = open.next;
        open.next += 1;
        let known = Known { address, counted: !proxied, publishes: false, stream: None };
        let (inner, kicked, since) = (Mutex::new(known), Notify::new(), Instant::now());
        let visit = Arc::new(Visit { number, protocol, since, proxied, inner, kicked });
        open.visits.insert(number, Arc::clone(&visit));
        Some(visit)
    }

    /// Counts a connection for the address behind its proxy; false when there are too many of that address.
    pub(crate) fn rename(&self, visit: &Visit, address: IpAddr, most: Most) -> bool {
        let mut open = self.open();
        let mut known = visit.inner();
        if known.counted && known.address == address {
            return true;
        }
        if std::mem::take(&mut known.counted) {
            open.leave(known.address);
        }
        known.address = address;
        known.counted = open.count(address, most);
        known.counted
    }

    fn leave(&self, visit: &Visit) {
        let mut open = self.open();
        open.visits.remove(&visit.number);
        let known = visit.inner();
        if known.counted {
            open.leave(known.address);
        }
    }
}

impl Open {
    fn count(&mut self, address: IpAddr, most: Most) -> bool {
        let limit = match most.per_address {
            Some(limit) => limit,
            // A proxy may stand there.
            None if address.to_canonical().is_loopback() => usize::MAX,
            None => PER_ADDRESS,
        };
        let count = self.by_address.entry(network(address)).or_default();
        let fits = *count < limit;
        *count += usize::from(fits);
        if *count == 0 {
            self.by_address.remove(&network(address));
        }
        fits
    }

    fn leave(&mut self, address: IpAddr) {
        let network = network(address);
        match self.by_address.get_mut(&network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.by_address.remove(&network);
            }
        }
    }
}

/// The part of an address that one user has: of IPv6, the first 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

impl Guest {
    /// Counts a connection, if there may be one more.
    pub(crate) fn admit(hub: &Arc<Hub>, address: IpAddr, protocol: &'static str) -> Option<Self> {
        let settings = hub.settings();
        let proxied = settings.trusted_proxies.iter().any(|network| network.contains(address));
        let visit = hub.gate.admit(address, protocol, proxied, settings.most())?;
        Some(Self { hub: Arc::clone(hub), visit })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.hub.gate.leave(&self.visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_for_all_and_for_each_address() {
        let (gate, most) = (Gate::default(), Most { all: 3, per_address: Some(2) });
        let [a, b, c]: [IpAddr; 3] = ["192.0.2.1", "2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap());
        let admit = |address| gate.admit(address, "rtmp", false, most);
        let (first, second) = (admit(a).unwrap(), admit(a).unwrap());
        assert!(admit(a).is_none());
        let third = admit(b).unwrap();
        assert!(admit(c).is_none(), "no more than 3");
        gate.leave(&first);
        let fourth = admit(c).unwrap();
        assert!(admit(b).is_none(), "one network of IPv6 is one address");
        assert_eq!(gate.visits().iter().map(|visit| visit.number).collect::<Vec<_>>(), [1, 2, 3]);
        [second, third, fourth].iter().for_each(|visit| gate.leave(visit));
        assert!(gate.len() == 0 && gate.open().by_address.is_empty());
    }

    #[test]
    fn this_machine_is_not_limited_by_itself() {
        let (gate, most) = (Gate::default(), Most { all: usize::MAX, per_address: None });
        let admit = |address: &str| gate.admit(address.parse().unwrap(), "rtmp", false, most).is_some();
        let admitted = |address: &str| (0..1000).filter(|_| admit(address)).count();
        assert_eq!(
            ["127.0.0.1", "::ffff:127.0.0.1", "::1", "192.0.2.1"].map(admitted),
            [1000, 1000, 1000, PER_ADDRESS]
        );
    }

    #[test]
    fn connections_of_a_proxy_count_for_the_addresses_behind_it() {
        let (gate, most) = (Gate::default(), Most { all: usize::MAX, per_address: Some(1) });
        let [proxy, a, b]: [IpAddr; 3] = ["10.0.0.1", "192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let visits: Vec<_> = (0..3).map(|_| gate.admit(proxy, "http", true, most).unwrap()).collect();
        assert!(gate.rename(&visits[0], a, most) && gate.rename(&visits[0], a, most));
        assert!(!gate.rename(&visits[1], a, most), "a second connection of the same address");
        assert!(gate.rename(&visits[2], b, most) && !gate.rename(&visits[2], a, most));
        gate.leave(&visits[0]);
        assert!(gate.rename(&visits[1], a, most) && visits[1].address() == a);
        visits[1..].iter().for_each(|visit| gate.leave(visit));
        assert!(gate.open().by_address.is_empty());
    }
}
