"""Ciw: a network of one node with four servers, and a record of every customer."""

import sys
from pathlib import Path

import ciw

sys.path.insert(0, str(Path(__file__).parents[1]))
import answers as a  # noqa: E402


def mm4(customers):
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=a.ARRIVALS)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[a.SERVERS],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(customers, method="Finish")
    records = simulation.get_all_records(only=["service"])
    assert len(records) >= customers
    a.waiting(sum(record.waiting_time > 0 for record in records) / len(records), len(records))


a.main(mm4=mm4)
