//! Arrays written out: element by element from an expression, whatever the compiler thinks of unrolling.

/// `list!(i in [0 1 2] => x[i])` is `[x[0], x[1], x[2]]`.
macro_rules! list {
    ($i:ident in [$($n:literal)*] => $value:expr) => {
        [$({
            let $i: usize = $n;
            $value
        }),*]
    };
}

pub(super) use list;
