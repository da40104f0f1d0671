//! How a load balancer that sees load divides it: each cluster takes what it has room for, and the rest goes on to
//! the next cluster in its own order.

/// What one population asks for.
#[derive(Clone, Debug)]
pub struct Demand {
    /// Clusters in the order of preference.
    pub clusters: Vec<usize>,
    /// Calls per second, by service.
    pub calls: Vec<f64>,
}

/// Under this share nobody is sent on: less than rounding.
const NOTHING: f64 = 1e-9;

/// The share of each demand that each cluster takes, as (cluster, share). `room` has the calls per second that a
/// cluster may take of each service, infinite where it doesn't run it.
///
/// Every demand asks its first cluster, what is left asks its second, and so on; those who ask at once get the same
/// share. What nobody has room for stays with the first.
pub fn divide(demands: &[Demand], mut room: Vec<Vec<f64>>) -> Vec<Vec<(usize, f64)>> {
    let mut shares: Vec<Vec<(usize, f64)>> = vec![Vec::new(); demands.len()];
    let mut left = vec![1.0; demands.len()];
    let longest = demands.iter().map(|demand| demand.clusters.len()).max().unwrap_or(0);
    for rank in 0..longest {
        for (cluster, room) in room.iter_mut().enumerate() {
            let asks = |demand: &Demand| demand.clusters.get(rank) == Some(&cluster);
            let mut load = vec![0.0; room.len()];
            for (demand, left) in demands.iter().zip(&left).filter(|(demand, _)| asks(demand)) {
                load.iter_mut().zip(&demand.calls).for_each(|(sum, calls)| *sum += calls * left);
            }
            let fits = |(room, load): (&f64, &f64)| if *load > 0.0 { room.max(0.0) / load } else { 1.0 };
            let taken = room.iter().zip(&load).map(fits).fold(1.0, f64::min);
            room.iter_mut().zip(&load).for_each(|(room, load)| *room -= load * taken);
            for (position, _) in demands.iter().enumerate().filter(|(_, demand)| asks(demand)) {
                if left[position] * taken > NOTHING {
                    shares[position].push((cluster, left[position] * taken));
                }
                left[position] *= 1.0 - taken;
            }
        }
    }
    for ((demand, shares), left) in demands.iter().zip(&mut shares).zip(left) {
        let Some(&first) = demand.clusters.first() else { continue };
        match shares.iter_mut().find(|share| share.0 == first) {
            Some(share) => share.1 += left,
            None if left > NOTHING => shares.insert(0, (first, left)),
            None => {}
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(clusters: &[usize], rate: f64) -> Demand {
        Demand { clusters: clusters.to_vec(), calls: vec![rate] }
    }

    #[test]
    fn what_one_has_no_room_for_goes_to_the_next() {
        // 100 here, 60 there and 20 beyond; 150 asked here, 40 there.
        let shares =
            divide(&[demand(&[0, 1, 2], 150.0), demand(&[1, 0], 40.0)], vec![vec![100.0], vec![60.0], vec![20.0]]);
        // 50 go on: 20 of them fit there, 20 beyond, and 10 stay.
        let expected = [(0, 110.0 / 150.0), (1, 20.0 / 150.0), (2, 20.0 / 150.0)];
        assert_eq!(shares[0].len(), 3);
        for (got, want) in shares[0].iter().zip(expected) {
            assert!(got.0 == want.0 && (got.1 - want.1).abs() < 1e-12, "{got:?} {want:?}");
        }
        assert_eq!(shares[1], [(1, 1.0)]);
    }

    #[test]
    fn those_who_ask_at_once_get_the_same_share() {
        let shares = divide(&[demand(&[0, 1], 100.0), demand(&[0], 300.0)], vec![vec![200.0], vec![1000.0]]);
        assert_eq!(shares[0], [(0, 0.5), (1, 0.5)]);
        // It has nowhere else to go, and is shed where it is.
        assert_eq!(shares[1], [(0, 1.0)]);
    }

    #[test]
    fn the_scarcest_service_decides() {
        let asked = Demand { clusters: vec![0, 1], calls: vec![100.0, 10.0] };
        let shares = divide(&[asked], vec![vec![1000.0, 4.0], vec![1000.0, f64::INFINITY]]);
        assert_eq!(shares[0], [(0, 0.4), (1, 0.6)]);
    }

    #[test]
    fn with_room_everyone_gets_the_first() {
        assert_eq!(divide(&[demand(&[1, 0], 5.0)], vec![vec![9.0], vec![9.0]]), [vec![(1, 1.0)]]);
        assert!(divide(&[demand(&[], 5.0)], vec![vec![9.0]])[0].is_empty());
    }
}
