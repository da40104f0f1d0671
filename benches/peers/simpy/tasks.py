"""SimPy as its documentation writes it: a generator per customer and per unit, and a Resource with four places."""

import random
import sys
from pathlib import Path

import simpy

sys.path.insert(0, str(Path(__file__).parents[1]))
import answers as a  # noqa: E402


def mm4(customers):
    env, draw = simpy.Environment(), random.Random(1).expovariate
    servers = simpy.Resource(env, a.SERVERS)
    waits = []

    def customer():
        came = env.now
        with servers.request() as place:
            yield place
            waits.append(env.now - came)
            yield env.timeout(draw(1.0))

    def arrivals():
        for _ in range(customers):
            yield env.timeout(draw(a.ARRIVALS))
            env.process(customer())

    env.process(arrivals())
    env.run()
    assert len(waits) == customers
    a.waiting(sum(wait > 0 for wait in waits) / customers, customers)


def units(events):
    env, draw = simpy.Environment(), random.Random(1).expovariate
    over = env.event()
    down, since, area, left = 0, 0.0, 0.0, events

    def flip(change):
        nonlocal down, since, area, left
        area += down * (env.now - since)
        since = env.now
        down += change
        left -= 1
        if left == 0:
            over.succeed()

    def unit():
        while True:
            yield env.timeout(draw(1 / a.UP))
            flip(1)
            yield env.timeout(draw(1 / a.DOWN))
            flip(-1)

    for _ in range(a.UNITS):
        env.process(unit())
    env.run(until=over)
    a.down(area / since, since)


a.main(mm4=mm4, units=units)
