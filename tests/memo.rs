//! What is kept of other seeds and designs changes speed, and no bit of what a seed observes.

use regionsim::base::Seed;
use regionsim::sim::{Convolved, Simulator};

#[path = "../benches/common/scenario.rs"]
#[allow(dead_code, reason = "the benches use more of it")]
mod scenario;

#[test]
fn what_is_kept_of_other_seeds_changes_no_bit() {
    for file in ["scenarios/ecommerce.toml", "scenarios/cross-cluster.toml"] {
        let plan = &scenario::plan(file);
        let (mut all, mut little, mut first) = (Simulator::new(plan), Simulator::new(plan), Simulator::new(plan));
        first.prepare();
        // Copies know what was prepared, and share what takes longest.
        let mut copies = vec![first.clone(); 4];
        // Backwards, so that the numbers in the memos differ from those of a seed by itself.
        for replication in (0..4).rev() {
            let seed = Seed { master: 1, replication };
            let alone = Simulator::new(plan).run(seed).expect("the seed ends");
            assert!(all.run(seed).expect("the seed ends") == alone, "{file}: seed {replication}, all kept");
            let copy = &mut copies[replication as usize];
            assert!(copy.run(seed).expect("the seed ends") == alone, "{file}: seed {replication}, of a copy");
            little.forget();
            assert!(little.run(seed).expect("the seed ends") == alone, "{file}: seed {replication}, others forgotten");
        }
        assert!(little.memo_size().0 < all.memo_size().0, "{file}: nothing was forgotten");
    }
}

/// Whichever design comes first has the curves that both have made.
#[test]
fn what_designs_have_in_common_changes_no_bit() {
    let files = ["scenarios/evolution/2-dr.toml", "scenarios/evolution/3-regions.toml", "scenarios/ecommerce.toml"];
    let plans = files.map(scenario::plan);
    let seed = Seed { master: 1, replication: 0 };
    let alone: Vec<_> = plans.iter().map(|plan| Simulator::new(plan).run(seed).expect("the seed ends")).collect();
    for order in [[0, 1, 2], [2, 1, 0]] {
        let common = Convolved::default();
        for design in order {
            let shared = Simulator::sharing(&plans[design], &common).run(seed).expect("the seed ends");
            assert!(shared == alone[design], "{}", files[design]);
        }
    }
}
