//! No simulator at all: four free times kept sorted, so a customer costs two draws and an insertion (Kiefer and Wolfowitz
//! 1955). It does nothing but this one queue.

use peers::{SERVERS, Station};

fn mm4(mut station: Station) -> Station {
    let (mut now, mut free) = (0.0_f64, [0.0_f64; SERVERS as usize]);
    while let Some(gap) = station.gap() {
        now += gap;
        station.arrived += 1;
        let begins = now.max(free[0]);
        station.waited += u64::from(begins > now);
        station.seconds += begins - now;
        let ends = begins + station.exponential();
        let mut place = 0;
        while place + 1 < free.len() && free[place + 1] < ends {
            free[place] = free[place + 1];
            place += 1;
        }
        free[place] = ends;
    }
    station
}

fn main() {
    peers::main(mm4, None);
}
