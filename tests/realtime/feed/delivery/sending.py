"""Sends numbered lines as a feed of a file does: `python -m ...sending OUT COUNT LINES_PER_S`."""

from __future__ import annotations

import sys
import time

from realtime.feed.delivery import DeliveryOptions, open_delivery
from tests.realtime.feed.delivery.making_receivers import line

TRACKS = 3


def main(out: str, count: int, lines_per_s: float) -> None:
    options = DeliveryOptions(first_delay_s=0.05, most_delay_s=1.0)
    delivery = open_delivery(
        out,
        source_key="numbers",
        waits=True,
        notify=lambda message: print(message, file=sys.stderr, flush=True),
        options=options,
    )
    began_s = time.monotonic()
    for number in range(count):
        if lines_per_s:
            time.sleep(max(began_s + number / lines_per_s - time.monotonic(), 0))
        delivery.put(line(number, track=number % TRACKS, padding=900))
    print(f"missing {delivery.finish()}", flush=True)
    delivery.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
