//! Hosts that are killed at random moments of their work, again and again in the same folders.

use super::host::{Done, Host, Order};
use super::known::{Fault, Known};
use super::place::Place;
use serde_json::json;
use std::time::Duration;

/// Kills in one customer's folders; then others begin, so that first openings are among what is killed.
pub const CYCLES: u64 = 40;
/// From an answer to the kill, at most.
const MOMENT_MICROSECONDS: u64 = 9_000;
/// A host that has not come so far by then is killed where it is.
const LONGEST: Duration = Duration::from_secs(5);

/// Numbers that look random and are the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Below `bound`. Sebastiano Vigna's splitmix64.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What a host is to do before it dies, and when that is: so long after so many answers.
struct Life {
    orders: Vec<Order>,
    after: usize,
    moment: Duration,
}

impl Life {
    fn new(orders: Vec<Order>, random: &mut Random) -> Life {
        let after = random.below(orders.len() as u64 + 1) as usize;
        Life { orders, after, moment: Duration::from_micros(random.below(MOMENT_MICROSECONDS)) }
    }

    fn begin(&self, place: &Place) -> Host {
        let mut host = Host::start(place);
        self.orders.iter().for_each(|order| host.tell(place, order));
        host
    }

    fn end(&self, mut host: Host) -> Vec<Done> {
        let mut answers: Vec<Done> = Vec::new();
        while answers.len() < self.after {
            match host.answer(LONGEST) {
                Some(answer) => answers.push(answer),
                None => break,
            }
        }
        std::thread::sleep(self.moment);
        answers.extend(host.kill());
        answers
    }
}

/// Installs, settings and acknowledgements in any order. `newest` counts the licences.
fn busy(newest: &mut u64, random: &mut Random) -> Vec<Order> {
    let mut orders = vec![Order::Open, Order::Patience(1_000)];
    for _ in 0..2 + random.below(6) {
        match random.below(8) {
            0..=2 => {
                *newest += 1;
                orders.push(Order::Install(*newest));
                match random.below(4) {
                    0 => {}
                    1 => orders.push(Order::Until(*newest)),
                    _ => orders.extend([Order::Raised(*newest), Order::Acknowledge(*newest)]),
                }
            }
            3 => orders.push(Order::Set(json!({ "proxy": { "password": format!("secret {}", random.below(1_000)) } }))),
            4 => orders.push(Order::Set(json!({ "language": null, "unreachable_hours": 1 + random.below(8_760) }))),
            5 => orders.push(Order::Set(json!({
                "language": (["de", "en", "fr"][random.below(3) as usize]), "proxy": { "password": "a secret" },
            }))),
            6 => orders.push(Order::Set(json!({ "unreachable_hours": 1 + random.below(8_760) }))),
            _ => orders.push(Order::Wait(random.below(20))),
        }
    }
    if random.one_in(4) {
        // A host that ends as it should, and perhaps not before it is killed.
        orders.extend([Order::Close, Order::Open]);
    }
    orders
}

/// Settings of members that the other host leaves alone.
fn second(random: &mut Random) -> Vec<Order> {
    let mut orders = vec![Order::Open];
    for _ in 0..1 + random.below(5) {
        orders.push(match random.below(2) {
            0 => Order::Set(json!({ "proxy": { "port": 1 + random.below(65_535) } })),
            _ => Order::Set(json!({ "organisation_id": format!("organisation {}", random.below(1_000)) })),
        });
    }
    orders
}

/// One customer's folders, killed in so many times.
pub fn kill_again_and_again(place: &Place, seed: u64, cycles: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut known = Known::new();
    let mut newest = 1;
    for cycle in 1..=cycles {
        let first = Life::new(busy(&mut newest, &mut random), &mut random);
        let other = random.one_in(5).then(|| Life::new(second(&mut random), &mut random));
        let first_host = first.begin(place);
        if let Some(other) = &other {
            let host = other.begin(place);
            known.take(&other.orders, &other.end(host));
        }
        known.take(&first.orders, &first.end(first_host));
        if random.one_in(10) {
            newest += 1;
            let name = ["prismaprepare-1234567890.ors.json", "by-hand.ors.json"][random.below(2) as usize];
            place.copy_by_hand(newest, name);
            known.copied(newest);
        }
        // Sometimes it is killed several times before anybody looks.
        if !random.one_in(3) || cycle == cycles {
            known
                .check(place, Fault::Kills)
                .map_err(|harm| format!("after kill {cycle}: {harm}\n{:#?}", first.orders))?;
        }
    }
    Ok(())
}
