"""Sessions through kazoo: their end, resumption, expiry and loss, servers that die, and servers without a quorum."""
from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss
from kazoo.protocol.states import KazooState

from scenario import show

SHORT_S = 1


def leave_without_closing(s, zk, relay):
    """The client goes, and its session stays."""
    relay.cut()
    s.until("the client is disconnected", lambda: not zk.connected)
    zk.stop()


def session_end(s):
    zk, other = s.client(), s.client()
    for name in ("a", "b"):
        zk.create(s.root + "/" + name, ephemeral=True)
    zk.create(s.root + "/parent")
    zk.create(s.root + "/parent/c", ephemeral=True)
    zk.create(s.root + "/stays")
    other.sync(s.root)
    s.say("before:", sorted(other.get_children(s.root)))
    events = []
    other.exists(s.root + "/a", watch=lambda event: events.append(event.type))
    zk.stop()
    s.until("told", lambda: events)
    s.say("event:", events)
    other.sync(s.root)
    s.say("after:", sorted(other.get_children(s.root)), other.get_children(s.root + "/parent"))
    both = {other.exists(path).pzxid for path in (s.root, s.root + "/parent")}
    s.say("all at one moment:", len(both) == 1)
    s.say("states:", zk.states)
    s.attempt("use after it", zk.get, s.root)
    zk.start()
    s.say("started again:", zk.states, sorted(zk.get_children(s.root)))
    zk.restart()
    s.say("restarted:", zk.states)
    zk.stop()
    s.attempt("start without any server", KazooClient(hosts="127.0.0.1:1").start, timeout=0.2)


def resumption(s):
    relay = s.relay()
    zk = s.client(hosts=relay.address)
    zk.add_auth("digest", "me:secret")
    zk.create(s.root + "/mine", ephemeral=True)
    client_id = zk.client_id
    leave_without_closing(s, zk, relay)
    later = s.client(client_id=client_id)
    s.say("the same session:", later.client_id == client_id, later.states)
    s.say("still there:", later.get_children(s.root), later.exists(s.root + "/mine").ephemeralOwner == client_id[0])
    s.say("without its authentication:", s.outcome(later.create, s.root + "/x", acl=_creator()))
    s.attempt("writes", later.create, s.root + "/too", ephemeral=True)
    later.stop()
    other = s.client()
    s.say("closed with all it had:", other.get_children(s.root))
    gone = s.client(client_id=client_id)
    s.say("a session that was closed:", gone.client_id[0] != client_id[0], gone.states)
    others_id = other.client_id[0]
    stranger = s.client(client_id=(others_id, b"x" * 16))
    s.say("with a wrong password:", stranger.client_id[0] != others_id, stranger.states)
    s.until("its owner is connected", lambda: s.is_connected(other))
    s.attempt("its owner is not disturbed", other.create, s.root + "/y", ephemeral=True)
    unknown = s.client(client_id=(0x1234567890, b"\0" * 16))
    s.say("a session that never was:", unknown.client_id[0] != 0x1234567890, unknown.states)


def _creator():
    from kazoo.security import CREATOR_ALL_ACL

    return CREATOR_ALL_ACL


def moved_session(s):
    """Two clients with one session: the one that connected last has it."""
    relay = s.relay()
    first = s.client(hosts=relay.address)
    first.create(s.root + "/e", ephemeral=True)
    second = s.client(client_id=first.client_id)
    s.until("the first is cut off", lambda: relay.cut() is None and not first.connected)
    s.attempt("second writes", second.set, s.root + "/e", b"second")
    s.say("owner:", second.exists(s.root + "/e").ephemeralOwner == second.client_id[0])
    second.stop()
    relay.mend()
    s.until("the first knows", lambda: KazooState.LOST in first.states)
    s.until("the first is back", lambda: s.is_connected(first))
    s.say("first:", first.states[-2:], first.client_id[0] != 0)
    s.attempt("the ephemeral", first.exists, s.root + "/e")


def expiry(s):
    """Nothing is heard of a client for a session timeout."""
    relay, other = s.relay(), s.client()
    zk = s.client(hosts=relay.address, timeout=SHORT_S)
    path, events, data = s.root + "/e", [], []
    zk.create(path, b"e", ephemeral=True)
    zk.create(s.root + "/watched", b"1")
    zk.DataWatch(s.root + "/watched", lambda value, stat: data.append(value))
    before = zk.client_id[0]
    lock = zk.Lock(s.root + "/lock", "expiring")
    lock.acquire()
    successor = other.Lock(s.root + "/lock", "successor")
    waits = s.spawn(successor.acquire)
    s.until("it waits", lambda: len(other.get_children(s.root + "/lock")) == 2)
    other.sync(path)
    other.exists(path, watch=lambda event: events.append(event.type))
    relay.cut()
    s.until("the client knows", lambda: KazooState.SUSPENDED in zk.states)
    s.say("suspended:", zk.states, zk.connected)
    s.until("the session has expired", lambda: events)
    s.say("event:", events, show(other.exists(path)))
    s.say("the lock went on:", s.finished(waits))
    other.set(s.root + "/watched", b"2")
    relay.mend()
    s.until("the client is told, and has another session", lambda: zk.states[-2:] == ["LOST", "CONNECTED"])
    s.say("states:", zk.states, "another session:", zk.client_id[0] != before)
    s.until("its watch goes on", lambda: data[-1] == b"2")
    s.attempt("lock of the lost session", lock.acquire, blocking=False)
    s.attempt("create again", zk.create, path, ephemeral=True)


def connection_loss(s):
    """Every connection breaks; sessions and ephemerals stay, and watchers are told what they missed."""
    zk = s.client()
    other = s.client()
    data, children, path = [], [], s.root + "/n"
    zk.create(path, b"0")
    zk.create(s.root + "/e", ephemeral=True)
    zk.DataWatch(path, lambda value, stat: data.append(value))
    zk.ChildrenWatch(path, lambda names: children.append(sorted(names)))
    raw = []
    other.sync(path)
    other.get(path, watch=lambda event: raw.append((event.type, event.path)))
    before = zk.client_id
    s.harness("block")
    try:
        s.until("both are suspended", lambda: all("SUSPENDED" in each.states for each in (zk, other)))
        s.until("a plain watch was told", lambda: raw)
        s.say("plain watch:", raw)
    finally:
        s.harness("unblock")
    s.until("both are back", lambda: s.is_connected(zk) and s.is_connected(other))
    s.say("states:", zk.states, "the same session:", zk.client_id == before)
    other.set(path, b"1")
    other.create(path + "/c")
    s.until("the watchers see it", lambda: data[-1] == b"1" and children[-1] == ["c"])
    s.say("data:", data[0], data[-1], "children:", children[0], children[-1])
    s.say("ephemeral is there:", zk.exists(s.root + "/e").ephemeralOwner == before[0])
    s.harness("cut")
    s.attempt("retried", zk.retry, zk.set, path, b"2")


def server_restart(s):
    """The only server that a client knows dies, and comes back with everything."""
    # Apache ZooKeeper forgets a connect request that comes while it starts; kazoo then waits for this long.
    zk = s.client(hosts=s.servers[0], timeout=8)
    zk.add_auth("digest", "me:secret")
    zk.create(s.root + "/persistent", b"p")
    zk.create(s.root + "/ephemeral", b"e", ephemeral=True)
    sequence = zk.create(s.root + "/s-", sequence=True)
    before = zk.client_id
    s.harness("restart 1")
    s.until("it has noticed", lambda: "SUSPENDED" in zk.states)
    s.until("it is back", lambda: s.is_connected(zk))
    s.say("states:", zk.states, "the same session:", zk.client_id == before)
    zk.sync(s.root)
    s.say("children:", sorted(zk.get_children(s.root)))
    s.attempt("persistent", zk.get, s.root + "/persistent")
    s.say("owner:", zk.exists(s.root + "/ephemeral").ephemeralOwner == before[0])
    s.say("numbers go on:", sequence[-1], zk.create(s.root + "/s-", sequence=True)[-1])
    s.attempt("authenticated again", zk.create, s.root + "/auth", acl=_creator())


def failover(s):
    """The leader dies while clients on every server write: nothing that was answered is lost, nobody loses a session."""
    zks = [s.client(timeout=30) for _ in range(3)]
    ids = [zk.client_id for zk in zks]
    for at, zk in enumerate(zks):
        zk.create("%s/%d" % (s.root, at), b"0", ephemeral=True)
    stop, answered = [], [[] for _ in zks]

    def write(at):
        zk, number = zks[at], 0
        while not stop:
            number += 1
            try:
                zk.set("%s/%d" % (s.root, at), b"%d" % number)
                answered[at].append(number)
            except ConnectionLoss:
                s.until("connected again", lambda: s.is_connected(zk))

    writers = [s.spawn(write, at) for at in range(3)]
    s.until("all write", lambda: all(len(each) > 10 for each in answered))
    for victim in ("leader", "follower"):
        s.harness("kill " + victim)
        marks = [len(each) for each in answered]
        s.until("all write again", lambda: all(len(each) > mark + 10 for each, mark in zip(answered, marks)))
        s.harness("start all")
    del stop[:]
    stop.append(True)
    s.say("writers:", [s.finished(each) for each in writers])
    for at, zk in enumerate(zks):
        zk.sync(s.root)
        kept = int(zk.get("%s/%d" % (s.root, at))[0])
        s.say("nothing lost:", kept >= answered[at][-1], "the same session:", zk.client_id == ids[at])
        s.say("states:", sorted(set(zk.states)))
    s.say("ephemerals:", sorted(zks[0].get_children(s.root)))


def read_only(s):
    """One server of three is left: clients that ask for it may read, and write when there is a quorum again."""
    zk = s.client(timeout=30)
    zk.create(s.root + "/n", b"kept")
    for victim in (2, 3):
        s.harness("kill %d" % victim)
    reader = s.client(hosts=s.servers[0], read_only=True)
    s.say("without a quorum:", reader.client_state)
    s.say("isro:", reader.command(b"isro"))
    s.attempt("read", reader.get, s.root + "/n")
    s.attempt("missing", reader.exists, s.root + "/m")
    s.attempt("children", reader.get_children, s.root)
    s.attempt("write", reader.set, s.root + "/n", b"")
    s.attempt("create", reader.create, s.root + "/m", ephemeral=True)
    transaction = reader.transaction()
    transaction.delete(s.root + "/n")
    s.attempt("transaction", transaction.commit)
    s.say("a client that did not ask for it:", zk.client_state)
    s.harness("start all")
    s.until("it may write", lambda: reader.client_state == "CONNECTED")
    s.attempt("write", reader.retry, reader.set, s.root + "/n", b"new")
    s.say("isro:", reader.command(b"isro"))


SCENARIOS = {
    "session-end": session_end,
    "resumption": resumption,
    "moved-session": moved_session,
    "expiry": expiry,
    "connection-loss": connection_loss,
    "server-restart": server_restart,
    "failover": failover,
    "read-only": read_only,
}
