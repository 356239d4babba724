"""Watches through kazoo: one-time watches and their order, and the recipes that keep a client's view up to date."""
import threading

from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch

from scenario import show


class Seen:
    """Collects what callbacks were told, for `said` to wait for and say."""

    def __init__(self, s):
        self._s = s
        self._lock = threading.Lock()
        self._seen = []

    def add(self, what):
        with self._lock:
            self._seen.append(what)

    def event(self, event):
        self.add("%s %s" % (event.type, event.path))

    def said(self, what, count):
        """Waits until `count` more things were seen, and says them."""
        self._s.until("%d seen of %s" % (count, what), lambda: len(self._seen) >= count)
        with self._lock:
            seen, self._seen = self._seen, []
        self._s.say(what + ":", show(seen))


def one_time_watches(s):
    zk, other = s.client(), s.client()
    seen, path = Seen(s), s.root + "/n"
    zk.exists(path, watch=seen.event)
    other.create(path, b"0")
    seen.said("created", 1)
    other.set(path, b"not watched any more")
    zk.sync(path)
    zk.get(path, watch=seen.event)
    zk.exists(path, watch=seen.event)
    other.set(path, b"1")
    seen.said("changed, one callback for both", 1)
    zk.sync(path)
    zk.get_children(path, watch=seen.event)
    other.create(path + "/c")
    seen.said("child created", 1)
    zk.sync(path)
    zk.get_children(path, watch=seen.event)
    other.set(path + "/c", b"of no interest to the parent")
    other.delete(path + "/c")
    seen.said("child deleted", 1)
    zk.sync(path)
    zk.get(path, watch=seen.event)
    zk.get_children(path, watch=lambda event: seen.add("child watch: " + event.type))
    zk.get_children(s.root, watch=lambda event: seen.add("parent's watch: %s %s" % (event.type, event.path)))
    other.delete(path)
    seen.said("deleted", 3)
    s.attempt("watch of a missing node", zk.get, path, watch=seen.event)
    s.attempt("and of its children", zk.get_children, path, watch=seen.event)
    other.create(path)
    zk.sync(path)
    zk.exists(path, watch=seen.event)
    zk.set_acls(path, zk.get_acls(path)[0])
    transaction = other.transaction()
    transaction.set_data(path, b"2")
    transaction.create(path + "/in")
    transaction.delete(path + "/in")
    transaction.set_data(path, b"3")
    s.say("transaction:", len(transaction.commit()))
    seen.said("once for a transaction", 1)
    failing = other.transaction()
    zk.sync(path)
    zk.exists(path, watch=seen.event)
    failing.set_data(path, b"4")
    failing.check(path, 77)
    s.attempt("a transaction that fails", failing.commit)
    other.delete(path)
    seen.said("nothing but the delete after it", 1)


def watch_before_answer(s):
    """An event is delivered before any answer that shows what it tells of, also to whoever made the change."""
    zk = s.client()
    order = []
    path = s.root + "/n"
    zk.create(path)
    for round in range(20):
        zk.get(path, watch=lambda event, round=round: order.append(("event", round)))
        done = zk.set_async(path, b"%d" % round)
        done.rawlink(lambda _, round=round: order.append(("answer", round)))
        done.get()
    s.until("all came", lambda: len(order) == 40)
    events = [round for kind, round in order if kind == "event"]
    s.say("events in order:", events == list(range(20)))
    received = []
    connection = zk._connection
    for reader, name in [("_read_watch_event", "event"), ("_read_response", "answer")]:
        inner = getattr(connection, reader)
        setattr(connection, reader, lambda *args, inner=inner, name=name: (received.append(name), inner(*args))[1])
    zk.exists(path, watch=lambda event: None)
    zk.get_children(s.root, watch=lambda event: None)
    zk.delete(path)
    s.say("off the wire:", received)


def data_watch(s):
    zk, other = s.client(), s.client()
    path, seen = s.root + "/n", Seen(s)

    @zk.DataWatch(path)
    def watcher(data, stat, event):
        seen.add("%s version %s after %s" % (show(data), stat and stat.version, event and event.type))
        if data == b"stop":
            return False

    seen.said("not there", 1)
    other.create(path, b"a")
    seen.said("created", 1)
    other.set(path, b"b")
    seen.said("changed", 1)
    other.create(path + "/child")
    other.delete(path + "/child")
    other.delete(path)
    seen.said("deleted", 1)
    other.create(path, b"again")
    seen.said("created again", 1)
    other.set(path, b"stop")
    seen.said("stops itself", 1)
    other.set(path, b"unseen")
    s.attempt("twice", lambda: zk.DataWatch(path, lambda *_: None)(lambda *_: None))
    zk.sync(path)
    seen.add("nothing more")
    seen.said("afterwards", 1)


def children_watch(s):
    zk, other = s.client(), s.client()
    path, seen = s.root + "/n", Seen(s)
    other.create(path)
    zk.sync(path)

    @zk.ChildrenWatch(path, send_event=True)
    def watcher(children, event):
        seen.add("%s after %s" % (sorted(children), event and event.type))
        if "stop" in children:
            return False

    seen.said("at first", 1)
    other.create(path + "/a")
    seen.said("a", 1)
    other.create(path + "/b", ephemeral=True)
    seen.said("b", 1)
    other.set(path + "/a", b"of no interest")
    other.delete(path + "/a")
    seen.said("a goes", 1)
    other.stop()
    seen.said("b goes with its session", 1)
    zk.create(path + "/stop")
    seen.said("stops itself", 1)
    zk.create(path + "/unseen")
    zk.sync(path)
    ended = []
    zk.ChildrenWatch(path, lambda children: ended.append(len(children)))
    zk.delete(path, recursive=True)
    zk.sync(path)
    s.say("a watch whose node goes:", ended[0])
    s.attempt("of a node that is not there", lambda: zk.ChildrenWatch(path, lambda _: seen.add("called"))._stopped)
    seen.add("nothing more")
    seen.said("afterwards", 1)


def patient_children_watch(s):
    zk, other = s.client(), s.client()
    path = s.root + "/n"
    other.create(path)
    zk.sync(path)
    settled = PatientChildrenWatch(zk, path, time_boundary=0.4).start()
    for name in "abc":
        other.create(path + "/" + name)
    children, changed = settled.get(timeout=20)
    s.say("settled:", sorted(children), changed.ready())
    other.delete(path + "/a")
    s.say("changed later:", changed.get(timeout=20) > 0)
    failing = PatientChildrenWatch(zk, s.root + "/missing", time_boundary=0.1).start()
    s.attempt("of a missing node", failing.get, timeout=20)


def tree_cache(s):
    zk, other = s.client(), s.client()
    path, seen = s.root + "/tree", Seen(s)
    names = {value: name for name, value in vars(TreeEvent).items() if name.isupper()}
    other.create(path + "/a/b", b"deep", makepath=True)
    zk.sync(path)
    cache = TreeCache(zk, path)
    initial = []

    def listener(event):
        word = names[event.event_type]
        if event.event_data is not None:
            word = "%s %s %s" % (word, event.event_data.path, show(event.event_data.data))
        (seen.add if "INITIALIZED" in "".join(initial) else initial.append)(word)

    cache.listen(listener)
    cache.listen_fault(lambda error: seen.add("fault %r" % (error,)))
    cache.start()
    s.until("it is initialized", lambda: "INITIALIZED" in initial)
    s.say("at first:", sorted(initial[:-1]), initial[-1])
    other.create(path + "/c", b"new")
    seen.said("created", 1)
    other.set(path + "/a/b", b"changed")
    seen.said("changed", 1)
    other.create(path + "/a/b/e", b"", ephemeral=True)
    seen.said("created below", 1)
    s.say("data:", show(cache.get_data(path + "/a/b").data), show(cache.get_data(path + "/missing")))
    s.say("children:", sorted(cache.get_children(path)), cache.get_children(path + "/missing"))
    other.delete(path + "/c")
    seen.said("deleted", 1)
    other.stop()
    seen.said("gone with its session", 1)
    zk.delete(path + "/a/b")
    zk.delete(path + "/a")
    seen.said("the rest", 2)
    cache.close()
    zk.set(path, b"unseen")
    zk.sync(path)
    seen.add("nothing more")
    seen.said("afterwards", 1)
    s.attempt("start again", cache.start)


def many_watches(s):
    """Six hundred watches of one connection: each is told once."""
    zk, other = s.client(), s.client()
    counts = {}
    for each in [zk.create_async("%s/%04d" % (s.root, at)) for at in range(300)]:
        each.get()
    for at in range(300):
        path = "%s/%04d" % (s.root, at)

        def told(event):
            counts[event.path, event.type] = counts.get((event.path, event.type), 0) + 1

        zk.get_async(path, watch=told)
        last = zk.get_children_async(path, watch=told)
    last.get()
    other.sync(s.root)
    for at in range(0, 300, 2):
        other.set_async("%s/%04d" % (s.root, at), b"x")
        done = other.create_async("%s/%04d/c" % (s.root, at + 1))
    done.get()
    s.until("all were told", lambda: len(counts) >= 300)
    kinds = sorted({kind for _, kind in counts})
    s.say("told:", len(counts), kinds, "each once:", set(counts.values()) == {1})
    other.delete(s.root, recursive=True)
    s.until("all were told", lambda: len(counts) >= 600)
    kinds = {kind: sum(1 for _, each in counts if each == kind) for _, kind in counts}
    s.say("told:", sorted(kinds.items()))


SCENARIOS = {
    "one-time-watches": one_time_watches,
    "watch-before-answer": watch_before_answer,
    "data-watch": data_watch,
    "children-watch": children_watch,
    "patient-children-watch": patient_children_watch,
    "tree-cache": tree_cache,
    "many-watches": many_watches,
}
