"""What every kazoo scenario gets: its clients, its root znode, its transcript, and ways to wait."""
import re
import select
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kazoo.client import KazooClient

PATIENCE_S = 30


class Failed(Exception):
    """A condition that a scenario waited for never came."""


class Relay:
    """A listener on loopback that passes everything on to one server, and can be cut and mended."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._lock = threading.Lock()
        self._sockets = set()
        self._whole = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Closes every connection, and each new one at once, until `mend`."""
        with self._lock:
            self._whole = False
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            _shut(each)

    def mend(self):
        with self._lock:
            self._whole = True

    def close(self):
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            with self._lock:
                whole = self._whole
                if whole:
                    self._sockets |= {near, far}
            if whole:
                threading.Thread(target=_pump, args=(near, far), daemon=True).start()
            else:
                near.close()
                far.close()


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _pump(near, far):
    other = {near: far, far: near}
    try:
        while True:
            for end in select.select([near, far], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                other[end].sendall(data)
    except OSError:
        pass
    finally:
        near.close()
        far.close()


class Scenario:
    def __init__(self, name, connect):
        self.name = name
        self.root = "/" + name
        self.servers = connect.split(",")
        self._clients = []
        self._relays = []
        self._threads = ThreadPoolExecutor(max_workers=8)

    # --- the transcript -----------------------------------------------------------------------------

    def say(self, *words):
        print(" ".join(str(word) for word in words), flush=True)

    def attempt(self, what, call, *args, **options):
        """Says what came of a call: its result, or the name of its error."""
        self.say(what + ":", self.outcome(call, *args, **options))

    def outcome(self, call, *args, **options):
        try:
            return show(call(*args, **options))
        except Failed:
            raise
        except Exception as error:  # every kind of error is an observation
            return type(error).__name__

    # --- clients ------------------------------------------------------------------------------------

    def client(self, start=True, hosts=None, chroot="", **options):
        """A client of its own session; the servers are tried in turn, each client beginning with another."""
        if hosts is None:
            turn = len(self._clients) % len(self.servers)
            hosts = ",".join(self.servers[turn:] + self.servers[:turn])
        options.setdefault("timeout", 20)
        options.setdefault("connection_retry", {"max_tries": -1, "delay": 0.05, "max_delay": 0.2})
        options.setdefault("command_retry", {"max_tries": 50, "delay": 0.01, "max_delay": 0.2})
        client = KazooClient(hosts=hosts + chroot, randomize_hosts=False, **options)
        client.states = []
        client.add_listener(lambda state: client.states.append(str(state)))
        self._clients.append(client)
        if start:
            client.start(timeout=PATIENCE_S)
        return client

    def is_connected(self, client):
        """Whether the client is connected, and its listeners know."""
        return client.connected and client.states[-1] == "CONNECTED"

    def relay(self, server=1):
        relay = Relay(self.servers[server - 1])
        self._relays.append(relay)
        return relay

    def server_of(self, client):
        """The number of the server that the client is connected to, from 1."""
        host, port = client._connection._socket.getpeername()[:2]
        return self.servers.index("%s:%d" % (host, port)) + 1

    def finish(self):
        for client in self._clients:
            client.stop()
            client.close()
        for relay in self._relays:
            relay.close()
        self._threads.shutdown()

    # --- waiting and driving ------------------------------------------------------------------------

    def spawn(self, call, *args, **options):
        """Runs a call that blocks; `finished` waits for its outcome."""
        return self._threads.submit(self.outcome, call, *args, **options)

    def finished(self, future):
        return future.result(timeout=PATIENCE_S)

    def until(self, what, condition):
        """Waits for a condition, and returns what made it true."""
        end = time.monotonic() + PATIENCE_S
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > end:
                raise Failed("waited in vain until " + what)
            time.sleep(0.01)

    def until_equal(self, what, expected, observe):
        """Waits until an observation is as expected, then says it."""
        last = []

        def same():
            last[:] = [observe()]
            return last[0] == expected

        try:
            self.until(what, same)
        except Failed as error:
            raise Failed("%s: saw %r, expected %r" % (error, last[0], expected))
        self.say(what + ":", show(expected))

    def harness(self, request):
        """Asks whoever started this program to do something with the servers."""
        print("@" + request, flush=True)
        if sys.stdin.readline().strip() != "ok":
            raise Failed("the harness did not do: " + request)


def show(value):
    if value.__class__.__name__ == "ZnodeStat":
        return stat(value)
    if isinstance(value, bytes):
        return repr(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return "[" + ", ".join(show(each) for each in value) + "]"
    return repr(value)


def stat(it, session=None):
    """What of a stat depends neither on time nor on ids: zxids are told by their order among each other."""
    zxids = sorted({it.czxid, it.mzxid, it.pzxid})
    order = "/".join(str(zxids.index(zxid)) for zxid in (it.czxid, it.mzxid, it.pzxid))
    owner = "none" if it.ephemeralOwner == 0 else "mine" if it.ephemeralOwner == session else "a session"
    touched = "=" if it.ctime == it.mtime else "<=" if it.ctime < it.mtime else ">"
    touched = touched if it.czxid == it.mzxid else "<=" if it.ctime <= it.mtime else ">"
    return "stat(version %d, cversion %d, aversion %d, owner %s, length %d, children %d, zxids %s, ctime%smtime)" % (
        it.version, it.cversion, it.aversion, owner, it.dataLength, it.numChildren, order, touched)


def without_ids(name):
    """A node's name without the unique id that a recipe puts into it."""
    return re.sub(r"[0-9a-f]{32}", "<id>", name)
