"""kazoo's part in a mixed fleet: `player.py CONNECT SESSION_MS`; does what each line of its standard input says."""
import os
import sys
import threading
import traceback

from kazoo.client import KazooClient
from kazoo.recipe.election import Election
from kazoo.recipe.lock import Lock, WriteLock

NAME = "kazoo"


class NamedLikeCurator(Lock):
    _NODE_NAME = "-lock-"
    _EXCLUDE_NAMES = ["-lock-"]


class LatchLikeCurator(Lock):
    _NODE_NAME = "-latch-"
    _EXCLUDE_NAMES = ["-latch-"]


class WriteLikeCurator(WriteLock):
    _NODE_NAME = "-__WRIT__"
    _EXCLUDE_NAMES = ["__READ__", "__WRIT__"]


def lock_of(client, names, path):
    """Under the names of others, or under its own, knowing those of others."""
    if names == "own-names":
        return Lock(client, path, NAME, extra_lock_patterns=("-lock-",))
    return NamedLikeCurator(client, path, NAME)


class Player(object):
    def __init__(self, client):
        self.client = client
        self.ending = threading.Event()

    def contend(self, names, path, turns):
        lock = lock_of(self.client, names, path)
        for _ in range(int(turns)):
            with lock:
                held = self.ephemeral(path + "-witness/held")
                turn = "%s %s" % (NAME, lock.node[-10:])
                self.client.create(path + "-witness/turn-", turn.encode(), sequence=True)
                self.client.delete(held)
        tell("done")

    def hold(self, names, path):
        with lock_of(self.client, names, path):
            self.until_ended(path + "-witness/held", "holds")
        tell("ended")

    def read_and_write(self, path, turns):
        """Only writes: until its release 2.9 kazoo's readers wait for writers behind them too, which wait for them."""
        for _ in range(int(turns)):
            with WriteLikeCurator(self.client, path, NAME):
                name = path + "-witness/writer-"
                mine = self.client.create(name, b"", ephemeral=True, sequence=True)
                others = self.client.get_children(path + "-witness")
                if len(others) > 1:
                    raise AssertionError("together: %s" % others)
                self.client.delete(mine)
        tell("done")

    def lead(self, path):
        election = Election(self.client, path, NAME)
        election.lock = LatchLikeCurator(self.client, path, NAME)
        election.run(self.until_ended, path + "-witness/leader", "leads")
        tell("ended")

    def until_ended(self, witness, word):
        self.ephemeral(witness)
        tell(word)
        self.ending.wait()
        self.ending.clear()
        self.client.delete(witness)

    def end(self):
        self.ending.set()

    def ephemeral(self, path):
        return self.client.create(path, NAME.encode(), ephemeral=True)


LINE = threading.Lock()


def tell(line):
    with LINE:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def play(act, arguments):
    try:
        act(*arguments)
    except Exception as error:
        traceback.print_exc()
        tell("!! %r" % error)


def main(connect, session_ms):
    client = KazooClient(hosts=connect, timeout=int(session_ms) / 1000.0)
    client.start(timeout=20)
    player = Player(client)
    tell("ready")
    for line in sys.stdin:
        command, *arguments = line.split()
        act = getattr(player, command.replace("-", "_"))
        threading.Thread(target=play, args=(act, arguments), daemon=True).start()
    client.stop()
    os._exit(0)


main(*sys.argv[1:])
