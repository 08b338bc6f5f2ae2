//! Merkle trees as RFC 9162 section 2.1 has them: a root commits to every leaf and to their order.
//!
//! Leaves and nodes are hashed with different first bytes, so that no node can pass for a leaf.

use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// The hash of one leaf.
pub fn leaf(data: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(data).finalize().into()
}

/// The root over the hashes of leaves, in their order. That of no leaves is the hash of nothing.
///
/// # Source
/// RFC 9162 section 2.1.1.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            // The largest power of two below the number of leaves.
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER_PERMISSIVE as HEX;
    use proptest::prelude::*;

    /// The leaves and roots with which Certificate Transparency tests its trees.
    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let hashes: Vec<Hash> = leaves.iter().map(|text| leaf(&HEX.decode(text.as_bytes()).unwrap())).collect();
        for (size, expected) in roots.iter().enumerate() {
            assert_eq!(HEX.encode(&root(&hashes[..size])), *expected, "{size} leaves");
        }
    }

    proptest! {
        /// A leaf that is changed, dropped or moved gives another root.
        #[test]
        fn no_other_leaves_have_the_root(count in 1..70usize, at in 0..70usize, to in 0..70usize) {
            let leaves: Vec<Hash> = (0..count).map(|n| leaf(&n.to_be_bytes())).collect();
            let (at, to) = (at % count, to % count);
            let mut changed = leaves.clone();
            changed[at][0] ^= 1;
            prop_assert_ne!(root(&changed), root(&leaves));
            let mut fewer = leaves.clone();
            fewer.remove(at);
            prop_assert_ne!(root(&fewer), root(&leaves));
            let mut moved = leaves.clone();
            moved.swap(at, to);
            prop_assert_eq!(root(&moved) == root(&leaves), at == to);
        }
    }
}
