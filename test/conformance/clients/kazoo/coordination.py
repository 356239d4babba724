"""kazoo's recipes that let processes take turns, meet, share work and agree: each with contenders on sessions of their own."""
import datetime
import struct

from scenario import show, without_ids


def lock(s):
    first, second, third = s.client(), s.client(), s.client()
    path = s.root + "/lock"
    a, b, c = first.Lock(path, "a"), second.Lock(path, "b"), third.Lock(path, "c")

    def contenders():
        first.sync(path)
        return a.contenders()

    s.attempt("a acquires", a.acquire)
    s.attempt("b does not wait", b.acquire, blocking=False)
    s.attempt("c waits for a moment", c.acquire, timeout=0.1)
    s.attempt("a again, without waiting", a.acquire, blocking=False)
    b = second.Lock(path, "b")
    b_waits = s.spawn(b.acquire)
    s.until_equal("contenders", ["a", "b"], contenders)
    c = third.Lock(path, "c")
    c_waits = s.spawn(c.acquire)
    s.until_equal("contenders", ["a", "b", "c"], contenders)
    s.say("nodes:", sorted((without_ids(name) for name in first.get_children(path)), key=lambda name: name[-10:]))
    s.say("b waits:", not b_waits.done())
    s.attempt("a releases", a.release)
    s.say("b has it:", s.finished(b_waits), "c waits:", not c_waits.done())
    s.attempt("a releases again", a.release)
    second.stop()  # the session of the holder ends
    s.say("c has it:", s.finished(c_waits))
    d = first.Lock(path, "d")
    d_waits = s.spawn(d.acquire)
    s.until_equal("contenders", ["c", "d"], contenders)
    d.cancel()
    s.say("d was cancelled:", s.finished(d_waits))
    s.until_equal("contenders", ["c"], contenders)
    s.attempt("c releases", c.release)
    with a:
        s.say("as a context:", contenders(), a.is_acquired)
    s.say("after it:", contenders(), a.is_acquired)
    lasting = third.Lock(path, "lasting")
    s.attempt("without a session", lasting.acquire, ephemeral=False)
    third.stop()
    s.say("outlives its session:", contenders())
    s.attempt("is held", a.acquire, blocking=False)


def lock_across_languages(s):
    """A node of another library's lock counts when its pattern is given."""
    zk = s.client()
    path = s.root + "/lock"
    zk.create(path + "/_c_00000000-0000-0000-0000-000000000000-lock-", b"", ephemeral=True, sequence=True, makepath=True)
    s.attempt("blind to it", zk.Lock(path, "blind").acquire, blocking=False)
    s.attempt("sees it", zk.Lock(path, "seeing", extra_lock_patterns=["-lock-"]).acquire, blocking=False)


def read_write_lock(s):
    zks = [s.client() for _ in range(4)]
    path = s.root + "/rw"
    r1, r2 = zks[0].ReadLock(path, "r1"), zks[1].ReadLock(path, "r2")
    w = zks[2].WriteLock(path, "w")
    r3 = zks[3].ReadLock(path, "r3")
    s.attempt("first reader", r1.acquire)
    s.attempt("second reader", r2.acquire)
    s.attempt("a writer does not wait", w.acquire, blocking=False)
    w = zks[2].WriteLock(path, "w")
    w_waits = s.spawn(w.acquire)

    def nodes():
        zks[0].sync(path)
        return [without_ids(name)[4:-10] for name in sorted(zks[0].get_children(path), key=lambda name: name[-10:])]

    s.until_equal("nodes", ["__rlock__", "__rlock__", "__lock__"], nodes)
    r3_waits = s.spawn(r3.acquire)
    s.until_equal("nodes", ["__rlock__", "__rlock__", "__lock__", "__rlock__"], nodes)
    s.attempt("reader behind a writer does not wait", zks[0].ReadLock(path).acquire, blocking=False)
    s.attempt("first reader releases", r1.release)
    s.say("writer waits:", not w_waits.done())
    s.attempt("second reader releases", r2.release)
    s.say("writer has it:", s.finished(w_waits), "reader waits:", not r3_waits.done())
    s.attempt("writer releases", w.release)
    s.say("reader has it:", s.finished(r3_waits))
    s.attempt("another reader", r1.acquire)
    s.say("nodes:", nodes())


def semaphore(s):
    zks = [s.client() for _ in range(4)]
    path = s.root + "/leases"
    a, b, c = (zk.Semaphore(path, name, max_leases=2) for zk, name in zip(zks, "abc"))
    s.attempt("a", a.acquire)
    s.attempt("b", b.acquire)
    s.attempt("c does not wait", c.acquire, blocking=False)
    s.attempt("c waits for a moment", c.acquire, timeout=0.1)
    zks[3].sync(path)
    s.say("holders:", sorted(zks[3].Semaphore(path).lease_holders()), zks[3].get(path)[0])
    s.attempt("of another size", zks[3].Semaphore(path, "d", max_leases=3).acquire)
    c_waits = s.spawn(c.acquire)
    s.until("c waits", lambda: zks[3].sync(path) and zks[3].exists(path + "-__lock__").numChildren == 1)
    d = zks[3].Semaphore(path, "d", max_leases=2)
    d_waits = s.spawn(d.acquire)
    s.until("d waits", lambda: zks[0].sync(path) and zks[0].exists(path + "-__lock__").numChildren == 2)
    s.attempt("a releases", a.release)
    s.say("c has it:", s.finished(c_waits), "d waits:", not d_waits.done())
    zks[1].stop()
    s.say("d has it when b's session ends:", s.finished(d_waits))
    s.attempt("a releases again", a.release)
    a_waits = s.spawn(a.acquire)
    s.until("a waits", lambda: zks[3].sync(path) and zks[3].exists(path + "-__lock__").numChildren == 1)
    a.cancel()
    s.say("a was cancelled:", s.finished(a_waits))
    s.attempt("c releases", c.release)
    with a:
        zks[0].sync(path)
        s.say("as a context:", sorted(a.lease_holders()))
    s.say("after it:", sorted(a.lease_holders()))


def election(s):
    zks = [s.client() for _ in range(3)]
    path = s.root + "/election"
    elections = [zk.Election(path, name) for zk, name in zip(zks, "abc")]
    led, gates = [], [zk.handler.event_object() for zk in zks]

    def lead(at, gate):
        led.append("abc"[at])
        gate.wait()
        if at == 1:
            raise ValueError("a leader that fails")

    def contenders():
        zks[0].sync(path)
        return elections[0].contenders()

    runs = []
    for at in range(3):
        runs.append(s.spawn(elections[at].run, lead, at, gates[at]))
        s.until_equal("contenders", list("abc"[:at + 1]), contenders)
    s.until_equal("led", ["a"], lambda: led)
    gates[0].set()
    s.say("a is done:", s.finished(runs[0]))
    s.until_equal("led", ["a", "b"], lambda: led)
    again = zks[0].Election(path, "again")
    again_runs = s.spawn(again.run, lead, 0, gates[0])
    s.until_equal("contenders", ["b", "c", "again"], contenders)
    again.cancel()
    s.say("cancelled:", s.finished(again_runs))
    gates[1].set()
    s.say("b failed:", s.finished(runs[1]))
    s.until_equal("led", ["a", "b", "c"], lambda: led)
    gates[2].set()
    s.say("c is done:", s.finished(runs[2]))
    s.until_equal("contenders", [], contenders)
    s.attempt("not a function", elections[0].run, "lead")


def party(s):
    zks = [s.client() for _ in range(3)]
    for kind in ("Party", "ShallowParty"):
        path = s.root + "/" + kind
        a, b, c = (getattr(zk, kind)(path, name) for zk, name in zip(zks, ("a", "b", "c")))

        def members():
            zks[0].sync(path)
            return sorted(a), len(a)

        s.say(kind, "empty:", members())
        s.attempt("a joins", a.join)
        s.attempt("b joins", b.join)
        s.attempt("b joins again", b.join)
        s.attempt("c joins", c.join)
        s.say("members:", members(), c.participating)
        s.say("names:", sorted(without_ids(name) for name in zks[0].get_children(path)))
        s.attempt("b leaves", b.leave)
        s.attempt("b leaves again", b.leave)
        s.say("members:", members())
    zks[2].stop()
    s.say("after a session:", members())


def queue(s):
    zk, other = s.client(), s.client()
    path = s.root + "/queue"
    q, p = zk.Queue(path), other.Queue(path)
    s.attempt("get from nothing", q.get)
    for value, priority in [(b"second", 100), (b"last", 500), (b"first", 10), (b"third", 100)]:
        s.attempt("put", q.put, value, priority)
    s.say("nodes:", sorted(zk.get_children(path)), len(q))
    other.sync(path)
    s.say("in order:", [show(each.get()) for each in (q, p, q, q)])
    s.say("left:", len(q))
    s.attempt("get from nothing", p.get)
    s.attempt("priority too large", q.put, b"", 1000)
    s.attempt("not bytes", q.put, "text")


def locking_queue(s):
    zk, other = s.client(), s.client()
    path = s.root + "/queue"
    q, p = zk.LockingQueue(path), other.LockingQueue(path)
    s.attempt("get waits for a moment", q.get, timeout=0.1)
    s.attempt("put", q.put, b"two", 200)
    s.attempt("put all", q.put_all, [b"one", b"one more"], 100)
    s.say("entries:", sorted(zk.get_children(path + "/entries")), len(q))
    s.attempt("get", q.get, timeout=5)
    s.attempt("get again", q.get, timeout=5)
    s.attempt("holds the lock", q.holds_lock)
    other.sync(path)
    s.attempt("get by another", p.get, timeout=5)
    zk.sync(path)
    s.say("taken:", sorted(zk.get_children(path + "/taken")))
    s.attempt("consume", q.consume)
    s.attempt("consume again", q.consume)
    s.attempt("release by another", p.release)
    zk.sync(path)
    s.attempt("get what was released", q.get, timeout=5)
    p_waits = s.spawn(p.get, timeout=20)
    s.say("the other takes the next:", s.finished(p_waits))
    third = s.client()
    r = third.LockingQueue(path)
    r_waits = s.spawn(r.get, timeout=20)
    s.until("it watches", lambda: path + "/entries" in third._child_watchers and path + "/taken" in third._child_watchers)
    other.stop()  # the session that holds an entry ends: it is free again
    s.say("taken when its session ends:", s.finished(r_waits))
    s.attempt("consume", r.consume)
    s.attempt("consume", q.consume)
    third.sync(path)
    s.say("left:", len(r), len(third.get_children(path + "/taken")))
    q_waits = s.spawn(q.get, timeout=20)
    s.until("it watches", lambda: path + "/entries" in zk._child_watchers and path + "/taken" in zk._child_watchers)
    r.put(b"late")
    s.say("woken by an entry:", s.finished(q_waits))


def barrier(s):
    zk, other = s.client(), s.client()
    b, c = zk.Barrier(s.root + "/barrier"), other.Barrier(s.root + "/barrier")
    s.attempt("no barrier", c.wait)
    s.attempt("create", b.create)
    s.attempt("create again", b.create)
    other.sync(s.root)
    s.attempt("wait for a moment", c.wait, 0.1)
    waits = s.spawn(c.wait)
    s.until("it watches", lambda: s.root + "/barrier" in other._data_watchers)
    s.attempt("remove", b.remove)
    s.say("waited:", s.finished(waits))
    s.attempt("remove again", b.remove)


def double_barrier(s):
    zks = [s.client() for _ in range(3)]
    path = s.root + "/double"
    barriers = [zk.DoubleBarrier(path, 3, "member %d" % at) for at, zk in enumerate(zks)]
    entered = []

    def enter(at):
        barriers[at].enter()
        entered.append(at)

    def children():
        zks[2].sync(s.root)
        return sorted(without_ids(name) for name in zks[2].get_children(path))

    zks[0].create(path)
    first = s.spawn(enter, 0)
    s.until_equal("inside", ["<id>"], children)
    second = s.spawn(enter, 1)
    s.until_equal("inside", ["<id>", "<id>"], children)
    s.say("entered:", entered)
    third = s.spawn(enter, 2)
    s.say("all entered:", [s.finished(each) for each in (first, second, third)], sorted(entered))
    s.say("inside:", children())
    leaving = [s.spawn(each.leave) for each in barriers[:2]]
    s.until("some of them are on their way", lambda: "ready" not in children())
    s.say("they wait:", not any(each.done() for each in leaving))
    leaving.append(s.spawn(barriers[2].leave))
    s.say("all left:", [s.finished(each) for each in leaving])
    s.say("inside:", children(), [each.participating for each in barriers])


def counter(s):
    zk, other = s.client(), s.client()
    whole, same = zk.Counter(s.root + "/int"), other.Counter(s.root + "/int")
    s.say("new:", whole.value)
    whole += 2
    whole -= 5
    s.say("int:", whole.value, whole.pre_value, whole.post_value, show(zk.get(s.root + "/int")[0]))
    other.sync(s.root)
    same += 1
    zk.sync(s.root)
    s.say("seen by both:", whole.value, same.value)
    real = zk.Counter(s.root + "/float", default=1.5)
    real += 2.25
    s.say("float:", real.value, show(zk.get(s.root + "/float")[0]))
    shared = zk.Counter(s.root + "/curator", support_curator=True)
    shared += 300
    s.say("for Curator:", shared.value, struct.unpack(">i", zk.get(s.root + "/curator")[0]))
    s.attempt("of another type", whole.__add__, 1.0)

    def add(client):
        mine = client.Counter(s.root + "/contended")
        for _ in range(25):
            mine += 1

    both = [s.spawn(add, client) for client in (zk, other)]
    s.say("contended:", [s.finished(each) for each in both])
    zk.sync(s.root)
    s.say("nothing lost:", zk.Counter(s.root + "/contended").value)


def partitioner(s):
    zks = [s.client(), s.client()]
    path, work = s.root + "/work", tuple("abcdef")

    def join(zk, name):
        return zk.SetPartitioner(path, work, identifier=name, time_boundary=0.1, max_reaction_time=0.5)

    def settle(*members):
        """Plays the part of the programs that use the partitioners, until all of them are settled."""

        def settled():
            for each in members:
                if each.release:
                    each.release_set()
            return all(each.acquired for each in members) and sum(len(list(each)) for each in members) == len(work)

        s.until("all have their part", settled)
        s.say("parts:", [sorted(each) for each in members])

    one = join(zks[0], "one")
    s.say("state:", one.state)
    settle(one)
    two = join(zks[1], "two")
    s.until("the first is told", lambda: one.release)
    s.say("state:", one.state)
    settle(one, two)
    s.attempt("second finishes", two.finish)
    s.say("state:", two.state, two.failed)
    s.until("the first is told", lambda: one.release)
    settle(one)
    three = join(zks[1], "three")
    s.until("the first is told", lambda: one.release)
    settle(one, three)
    zks[1].stop()
    s.until("the first is told", lambda: one.release)
    settle(one)
    s.until("the other has lost its part", lambda: three.failed)
    s.say("states:", one.state, three.state)


def lease(s):
    zk, other = s.client(), s.client()
    path = s.root + "/lease"
    start = datetime.datetime(2020, 1, 2, 3, 4, 5)

    def take(client, name, after_s=0):
        now = start + datetime.timedelta(seconds=after_s)
        client.sync(path)
        return bool(client.NonBlockingLease(path, datetime.timedelta(minutes=1), identifier=name, utcnow=lambda: now))

    s.attempt("a takes it", take, zk, "a")
    s.attempt("b does not", take, other, "b")
    s.attempt("a renews it", take, zk, "a", 30)
    s.say("record:", show(zk.get(path + "/lease_holder")[0]))
    s.attempt("b does not when the first time is over", take, other, "b", 61)
    s.attempt("b takes it when it is over", take, other, "b", 91)
    s.attempt("a does not", take, zk, "a", 92)
    s.say("nodes:", sorted(zk.get_children(path)))

    def take_one(client, name):
        client.sync(s.root)
        leases = client.MultiNonBlockingLease(2, s.root + "/multi", datetime.timedelta(minutes=1), identifier=name,
                                              utcnow=lambda: start)
        return bool(leases)

    s.say("two of three:", [take_one(client, name) for client, name in [(zk, "a"), (other, "b"), (zk, "c"), (other, "b")]])
    s.say("nodes:", sorted(zk.get_children(s.root + "/multi")))


SCENARIOS = {
    "lock": lock,
    "lock-across-languages": lock_across_languages,
    "read-write-lock": read_write_lock,
    "semaphore": semaphore,
    "election": election,
    "party": party,
    "queue": queue,
    "locking-queue": locking_queue,
    "barrier": barrier,
    "double-barrier": double_barrier,
    "counter": counter,
    "partitioner": partitioner,
    "lease": lease,
}
