"""What both Python programs are held to, as rust/src/lib.rs says it; and how they are called: TASK COUNT."""

import math
import sys
import time

SERVERS, ARRIVALS = 4, 3.2
UNITS, UP, DOWN = 300, 10.0, 1.0
DEVIATIONS = 4.0


def waiting(share, customers):
    """Erlang C at 3.2 of 4 servers; the variance of a share of n customers in a row is 4.790 / n."""
    assert abs(share - 0.596432471787) < DEVIATIONS * math.sqrt(4.790 / customers), f"{share} wait"


def down(mean, hours):
    """The time average of independent on-off units."""
    q = DOWN / (UP + DOWN)
    sd = math.sqrt(2 * UNITS * q * (1 - q) / (1 / UP + 1 / DOWN) / hours)
    assert abs(mean - UNITS * q) < DEVIATIONS * sd, f"{mean} down on average"


def main(**tasks):
    """Runs the task that is named, and prints nanoseconds each."""
    task, count = sys.argv[1], int(sys.argv[2])
    begun = time.perf_counter()
    tasks[task](count)
    print(f"{(time.perf_counter() - begun) * 1e9 / count:.1f}")
