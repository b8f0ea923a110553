//! Connections: how many there may be, in all and of one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::hub::Hub;

/// Connections of another machine, where no limit is set.
const PER_ADDRESS: usize = 500;

/// Counts connections.
#[derive(Debug)]
pub(crate) struct Gate {
    most: usize,
    per_address: Option<usize>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Guest {
    hub: Arc<Hub>,
    address: IpAddr,
}

impl Gate {
    /// A gate with these limits.
    pub(crate) fn new(most: usize, per_address: Option<usize>) -> Self {
        Self { most, per_address, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are open.
    pub(crate) fn len(&self) -> usize {
        self.open().all
    }

    fn admits(&self, address: IpAddr) -> bool {
        let limit = match self.per_address {
            Some(limit) => limit,
            // A proxy may stand there.
            None if address.to_canonical().is_loopback() => usize::MAX,
            None => PER_ADDRESS,
        };
        let mut open = self.open();
        let network = network(address);
        let count = open.by_address.get(&network).copied().unwrap_or_default();
        if open.all >= self.most || count >= limit {
            return false;
        }
        open.by_address.insert(network, count + 1);
        open.all += 1;
        true
    }

    fn leave(&self, address: IpAddr) {
        let mut open = self.open();
        open.all -= 1;
        let network = network(address);
        match open.by_address.get_mut(&network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.by_address.remove(&network);
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
    pub(crate) fn admit(hub: &Arc<Hub>, address: IpAddr) -> Option<Self> {
        hub.gate.admits(address).then(|| Self { hub: Arc::clone(hub), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.hub.gate.leave(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_for_all_and_for_each_address() {
        let gate = Gate::new(3, Some(2));
        let [a, b, c]: [IpAddr; 3] = ["192.0.2.1", "2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap());
        assert!(gate.admits(a) && gate.admits(a) && !gate.admits(a));
        assert!(gate.admits(b) && !gate.admits(c), "no more than 3");
        gate.leave(a);
        assert!(gate.admits(c) && !gate.admits(b), "one network of IPv6 is one address");
        [a, b, c].into_iter().for_each(|address| gate.leave(address));
        assert!(gate.len() == 0 && gate.open().by_address.is_empty());
    }

    #[test]
    fn this_machine_is_not_limited_by_itself() {
        let gate = Gate::new(usize::MAX, None);
        let admitted = |address: &str| (0..1000).filter(|_| gate.admits(address.parse().unwrap())).count();
        assert_eq!(
            ["127.0.0.1", "::ffff:127.0.0.1", "::1", "192.0.2.1"].map(admitted),
            [1000, 1000, 1000, PER_ADDRESS]
        );
    }
}
