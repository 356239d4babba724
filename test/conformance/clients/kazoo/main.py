"""python3 main.py CONNECT [scenario...]: runs the kazoo scenarios one after the other, and prints what was observed."""
import logging
import os
import sys
import threading
import time
import traceback

import basics
import coordination
import security
import sessions
import watches
from scenario import Scenario

SCENARIOS = {name: run for part in (basics, coordination, watches, sessions, security) for name, run in part.SCENARIOS.items()}


def main():
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    connect, names = sys.argv[1], sys.argv[2:] or list(SCENARIOS)
    for name in names:
        print("## " + name, flush=True)
        began = time.monotonic()
        try:
            run(name, connect)
        except BaseException as error:
            traceback.print_exc()
            print("!! %s: %s" % (type(error).__name__, error), flush=True)
        print("%s: %.2f s" % (name, time.monotonic() - began), file=sys.stderr, flush=True)
    os._exit(0)  # threads that a failed scenario left waiting must not keep the program


def run(name, connect):
    scenario = Scenario(name, connect)
    cleaner = scenario.client()
    cleaner.delete(scenario.root, recursive=True)
    cleaner.create(scenario.root)
    cleaner.stop()
    SCENARIOS[name](scenario)
    scenario.finish()


if __name__ == "__main__":
    threading.excepthook = lambda failure: print("in a thread: %r" % (failure.exc_value,), file=sys.stderr)
    main()
