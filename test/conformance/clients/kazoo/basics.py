"""The tree through kazoo: znodes, create modes, ACLs, chroot, transactions, limits, and what a server tells of itself."""
import re

from kazoo.exceptions import EXCEPTIONS, ZookeeperError
from kazoo.protocol.serialization import Create, Create2, long_struct
from kazoo.retry import ForceRetryError, KazooRetry
from kazoo.security import (
    ACL,
    CREATOR_ALL_ACL,
    Id,
    OPEN_ACL_UNSAFE,
    READ_ACL_UNSAFE,
    make_acl,
    make_digest_acl,
    make_digest_acl_credential,
)

from scenario import stat

MAX_PACKET_BYTES = 0xFFFFF
CONTAINER, TTL, TTL_SEQUENTIAL = 4, 5, 6


class ReconfigDisabledError(ZookeeperError):
    """A code that this version of kazoo does not know; an unknown one would end its connection's thread."""

    code = -123


EXCEPTIONS[ReconfigDisabledError.code] = ReconfigDisabledError


class CreateContainer(Create2):
    type = 19


class CreateTtl(Create2):
    type = 21
    ttl_ms = -1

    def serialize(self):
        return super().serialize() + long_struct.pack(self.ttl_ms)


def raw(client, request):
    """Sends a request that this version of kazoo has no method for."""
    answer = client.handler.async_result()
    client._call(request, answer)
    return answer.get()


def znodes(s):
    zk, path = s.client(), s.root + "/a"
    s.attempt("create", zk.create, path, b"one")
    s.attempt("create again", zk.create, path, b"other")
    s.attempt("create without parent", zk.create, s.root + "/no/child", b"")
    s.attempt("create with parents", zk.create, s.root + "/made/up/path", b"x", makepath=True)
    s.attempt("create with stat", zk.create, s.root + "/b", b"12", include_data=True)
    s.attempt("exists", zk.exists, path)
    s.attempt("exists not", zk.exists, s.root + "/missing")
    s.attempt("get", zk.get, path)
    s.attempt("get missing", zk.get, s.root + "/missing")
    s.attempt("set", zk.set, path, b"two")
    s.attempt("set version 1", zk.set, path, b"three", version=1)
    s.attempt("set version 1 again", zk.set, path, b"four", version=1)
    s.attempt("set missing", zk.set, s.root + "/missing", b"")
    s.attempt("set None", zk.set, s.root + "/b", None)
    s.attempt("get None", zk.get, s.root + "/b")
    s.attempt("set empty", zk.set, s.root + "/b", b"")
    s.attempt("get empty", zk.get, s.root + "/b")
    s.attempt("binary", zk.create, s.root + "/bytes", bytes(range(256)))
    s.say("binary back:", zk.get(s.root + "/bytes")[0] == bytes(range(256)))
    s.say("children:", sorted(zk.get_children(s.root)))
    children, its = zk.get_children(s.root, include_data=True)
    s.say("children and stat:", sorted(children), stat(its))
    s.attempt("children of a leaf", zk.get_children, path)
    s.attempt("children of a missing node", zk.get_children, s.root + "/missing")
    s.attempt("delete with wrong version", zk.delete, path, version=0)
    s.attempt("delete with children", zk.delete, s.root + "/made")
    s.attempt("delete", zk.delete, path, version=2)
    s.attempt("delete again", zk.delete, path)
    s.attempt("delete with all children", zk.delete, s.root + "/made", recursive=True)
    s.attempt("ensure path", zk.ensure_path, s.root + "/x/y/z")
    s.attempt("ensure path again", zk.ensure_path, s.root + "/x/y/z")
    s.attempt("root after all this", zk.exists, s.root)


def paths(s):
    """Which names are refused, and how."""
    zk = s.client()
    for label, name in [
        ("letters of other scripts", "grüße-日本語"),
        ("space and punctuation", "a b,c;d=e%f"),
        ("control character", "bell\x07"),
        ("NUL", "nul\x00"),
        ("delete character", "del\x7f"),
        ("private use", "\ue000"),
        ("beyond the basic plane", "\U0001f600"),
        ("special", "\ufff0"),
        ("long", "n" * 1000),
        ("three dots", "..."),
    ]:
        s.attempt("create " + label, lambda: zk.create(s.root + "/" + name) == s.root + "/" + name)
    s.say("kept:", [name.encode("unicode_escape").decode()[:20] for name in sorted(zk.get_children(s.root))])
    for name in ["//x", "/./x", "/../x", "/x/"]:
        s.attempt("create " + name, lambda: raw(zk, Create(s.root + name, b"", OPEN_ACL_UNSAFE, 0)))
    s.attempt("create a relative path", lambda: raw(zk, Create("relative", b"", OPEN_ACL_UNSAFE, 0)))
    s.attempt("create an empty path", lambda: raw(zk, Create("", b"", OPEN_ACL_UNSAFE, 0)))
    s.attempt("delete /", zk.delete, "/")
    s.attempt("delete /zookeeper", zk.delete, "/zookeeper")
    s.attempt("delete /zookeeper/quota", zk.delete, "/zookeeper/quota")
    s.attempt("create /", zk.create, "/")
    for path in ("/", "/zookeeper", "/zookeeper/quota"):
        s.say(path, "holds", zk.get(path)[0])


def create_modes(s):
    zk, other = s.client(), s.client()
    at = s.root + "/"
    s.attempt("persistent sequential", zk.create, at + "s-", sequence=True)
    s.attempt("ephemeral", zk.create, at + "e", b"", ephemeral=True)
    s.attempt("ephemeral sequential", zk.create, at + "es-", ephemeral=True, sequence=True)
    s.attempt("number only", zk.create, at, sequence=True)
    zk.delete(at + "e")
    s.attempt("sequential after delete", zk.create, at + "s-", sequence=True)
    s.attempt("ephemeral with its stat", zk.create, at + "e", ephemeral=True, include_data=True)
    s.say("owner:", stat(zk.exists(at + "e"), zk.client_id[0]))
    other.sync(s.root)
    s.say("owner seen by another:", stat(other.exists(at + "e"), other.client_id[0]))
    s.attempt("child of an ephemeral", zk.create, at + "e/child")
    s.attempt("existing ephemeral by another", other.create, at + "e")
    s.attempt("flags that mean nothing", lambda: raw(zk, Create(at + "f", b"", OPEN_ACL_UNSAFE, 9)))
    for flags in (TTL, TTL_SEQUENTIAL):
        s.attempt("flags %d in a plain create" % flags, lambda: raw(zk, Create(at + "f", b"", OPEN_ACL_UNSAFE, flags)))
    s.say("children:", sorted(zk.get_children(s.root)))
    zk.stop()
    other.sync(s.root)
    s.say("after its session:", sorted(other.get_children(s.root)), stat(other.exists(s.root)))


def container_and_ttl(s):
    zk = s.client()

    def container(path):
        return raw(zk, CreateContainer(path, b"c", OPEN_ACL_UNSAFE, CONTAINER))

    def ttl(path, ttl_ms, flags=TTL):
        request = CreateTtl(path, b"t", OPEN_ACL_UNSAFE, flags)
        request.ttl_ms = ttl_ms
        return raw(zk, request)

    s.attempt("container", container, s.root + "/container")
    s.attempt("container again", container, s.root + "/container")
    s.attempt("never used", container, s.root + "/never-used")
    s.attempt("get of a container", zk.get, s.root + "/container")
    s.attempt("ttl of an hour", ttl, s.root + "/hour", 3600000)
    for bad in (0, -1, 1 << 40):
        s.attempt("ttl %d" % bad, ttl, s.root + "/bad", bad)
    # Together, so that nobody finds it old enough and without a child in between.
    parent = CreateTtl(s.root + "/parent", b"t", OPEN_ACL_UNSAFE, TTL)
    parent.ttl_ms = 100
    made = zk.handler.async_result()
    zk._call(parent, made)
    child = zk.create_async(s.root + "/parent/child")
    s.attempt("ttl with a child", made.get)
    s.attempt("its child", child.get)
    s.attempt("child of the container", zk.create, s.root + "/container/child")
    s.say("before:", sorted(zk.get_children(s.root)))
    s.attempt("ttl", ttl, s.root + "/ttl", 300)
    s.attempt("ttl sequential", ttl, s.root + "/ttl-", 300, TTL_SEQUENTIAL)
    zk.delete(s.root + "/container/child")
    s.until_equal("reaped", ["hour", "never-used", "parent"], lambda: sorted(zk.get_children(s.root)))


def acls(s):
    owner, stranger = s.client(), s.client()
    owner.add_auth("digest", "owner:secret")
    mine = [make_digest_acl("owner", "secret", all=True)]
    path = s.root + "/mine"
    s.say("credential:", make_digest_acl_credential("owner", "secret"))
    s.attempt("create", owner.create, path, b"v", acl=mine)
    stranger.sync(s.root)
    s.attempt("get by its owner", owner.get, path)
    for what, call in [
        ("get", lambda: stranger.get(path)),
        ("exists", lambda: stranger.exists(path)),
        ("children", lambda: stranger.get_children(path)),
        ("set", lambda: stranger.set(path, b"")),
        ("create a child", lambda: stranger.create(path + "/c")),
        ("read its ACL", lambda: stranger.get_acls(path)),
        ("set its ACL", lambda: stranger.set_acls(path, OPEN_ACL_UNSAFE)),
    ]:
        s.attempt(what + " by a stranger", call)
    s.attempt("ACL for its owner", owner.get_acls, path)
    s.attempt("set ACL", owner.set_acls, path, mine + READ_ACL_UNSAFE, version=0)
    s.attempt("set ACL of an old version", owner.set_acls, path, mine, version=0)
    stranger.sync(path)
    s.attempt("get by a stranger who may read", stranger.get, path)
    s.attempt("ACL for a stranger who may read", stranger.get_acls, path)
    s.attempt("add auth", stranger.add_auth, "digest", "owner:secret")
    s.attempt("ACL for the stranger with the password", stranger.get_acls, path)
    s.attempt("set by the stranger with the password", stranger.set, path, b"w")
    s.attempt("all of the creator", owner.create, s.root + "/auth", acl=CREATOR_ALL_ACL)
    s.attempt("expands to", owner.get_acls, s.root + "/auth")
    nobody = s.client()
    s.attempt("all of a creator without a name", nobody.create, s.root + "/none", acl=CREATOR_ALL_ACL)
    for label, acl in [
        ("unknown scheme", ACL(31, Id("magic", "x"))),
        ("digest without colon", ACL(31, Id("digest", "x"))),
        ("ip", make_acl("ip", "127.0.0.1", read=True, write=True)),
        ("ip network", make_acl("ip", "10.0.0.0/8", all=True)),
        ("no ip", ACL(31, Id("ip", "x.y"))),
        ("bits beyond an ip", ACL(31, Id("ip", "10.0.0.0/64"))),
        ("world nobody", ACL(31, Id("world", "nobody"))),
        ("no permission", make_acl("world", "anyone")),
    ]:
        s.attempt("create with " + label, nobody.create, s.root + "/" + label.replace(" ", "-"), acl=[acl])
    s.attempt("an empty ACL", lambda: raw(nobody, Create(s.root + "/empty", b"", [], 0)))
    s.attempt("read with ip", nobody.get, s.root + "/ip")
    s.attempt("ACL with ip", nobody.get_acls, s.root + "/ip")
    s.attempt("read with another network", nobody.get, s.root + "/ip-network")
    s.attempt("read without permission", nobody.get, s.root + "/no-permission")
    parent = s.root + "/parent"
    s.attempt("parent that only its owner changes", owner.create, parent, acl=mine + READ_ACL_UNSAFE)
    s.attempt("open child", owner.create, parent + "/child")
    nobody.sync(parent)
    s.attempt("child written by anybody", nobody.set, parent + "/child", b"x")
    s.attempt("child deleted by anybody", nobody.delete, parent + "/child")
    s.attempt("child deleted by the owner of its parent", owner.delete, parent + "/child")
    later = s.client(auth_data=[("digest", "owner:secret")], default_acl=mine)
    s.attempt("by default", later.create, s.root + "/default")
    s.attempt("its ACL", later.get_acls, s.root + "/default")
    failing = s.client()
    s.attempt("unknown authentication", failing.add_auth, "magic", "x:y")


def chroot(s):
    outside = s.client()
    outside.create(s.root + "/inside")
    zk = s.client(chroot=s.root + "/inside")
    s.say("chroot:", zk.chroot)
    s.attempt("create", zk.create, "/a", b"1")
    s.attempt("create with parents", zk.create, "/p/q", makepath=True)
    s.attempt("sequential", zk.create, "/s-", sequence=True)
    s.attempt("root itself", zk.exists, "/")
    s.say("children of the root:", sorted(zk.get_children("/")))
    events = []
    zk.get("/a", watch=events.append)
    outside.set(s.root + "/inside/a", b"2")
    s.until("the event came", lambda: events)
    s.say("event:", events[0].type, events[0].path)
    transaction = zk.transaction()
    transaction.create("/t", b"")
    transaction.delete("/a")
    s.attempt("transaction", transaction.commit)
    s.attempt("sync", zk.sync, "/")
    outside.sync(s.root)
    s.say("seen from outside:", sorted(outside.get_children(s.root + "/inside")))
    missing = s.client(chroot=s.root + "/missing")
    s.attempt("in a chroot that is not there", missing.create, "/a")
    s.attempt("make the chroot", missing.ensure_path, "/")
    s.attempt("in a chroot that is there", missing.create, "/a")


def transactions(s):
    zk = s.client()
    zk.create(s.root + "/v", b"0")

    def commit(label, *operations):
        transaction = zk.transaction()
        for name, *args in operations:
            getattr(transaction, name)(*args)
        s.attempt(label, transaction.commit)

    at = s.root
    commit("all kinds", ("check", at + "/v", 0), ("create", at + "/a", b"1"), ("set_data", at + "/v", b"x"),
           ("create", at + "/b", b""), ("delete", at + "/b"))
    commit("parent and child", ("create", at + "/p", b""), ("create", at + "/p/c", b""))
    commit("delete and create again", ("delete", at + "/a"), ("create", at + "/a", b"again"))
    commit("sees its own changes", ("set_data", at + "/v", b"y", 1), ("check", at + "/v", 2))
    commit("two numbers", ("create", at + "/s-", b"", None, False, True), ("create", at + "/s-", b"", None, True, True))
    commit("first fails", ("check", at + "/v", 7), ("create", at + "/never", b""))
    commit("middle fails", ("create", at + "/never", b""), ("delete", at + "/missing"), ("create", at + "/never2", b""))
    commit("last fails", ("set_data", at + "/v", b"never"), ("create", at + "/s-", b"", None, False, True),
           ("create", at + "/a", b""))
    commit("check of a missing node", ("check", at + "/missing", 0))
    commit("delete of a parent", ("delete", at + "/p"))
    commit("nothing")
    s.attempt("a number after a failure", zk.create, at + "/s-", sequence=True)
    s.say("children:", sorted(zk.get_children(at)))
    s.attempt("untouched", zk.get, at + "/v")
    s.attempt("of one moment", lambda: len({zk.exists(at + "/p").czxid, zk.exists(at + "/p/c").czxid}))
    with zk.transaction() as transaction:
        transaction.create(at + "/with", b"")
    s.attempt("as a context", zk.exists, at + "/with")
    s.attempt("committed twice", transaction.commit)


def retries(s):
    zk = s.client()
    zk.create(s.root + "/counter", b"0")
    tries = []

    def flaky():
        tries.append(zk.set(s.root + "/counter", b"%d" % (len(tries) + 1)).version)
        if len(tries) < 4:
            raise ForceRetryError()
        return len(tries)

    s.attempt("succeeds in time", KazooRetry(max_tries=5, delay=0.01), flaky)
    s.say("tries:", tries)
    del tries[:]
    s.attempt("too many tries", KazooRetry(max_tries=2, delay=0.01), flaky)
    s.say("tries:", tries)
    s.attempt("not retried", KazooRetry(max_tries=5), zk.get, s.root + "/missing")
    s.attempt("of the client", zk.retry, zk.get, s.root + "/counter")
    s.attempt("interrupted", KazooRetry(max_tries=5, delay=1, interrupt=lambda: True), lambda: _raise(ForceRetryError()))


def _raise(error):
    raise error


def large(s):
    """A packet may be 1048575 bytes long, and not one byte more; an answer may be longer."""
    zk = s.client()
    path = s.root + "/large"
    room = MAX_PACKET_BYTES - 8 - len(Create(path, b"", OPEN_ACL_UNSAFE, 0).serialize())
    s.attempt("the largest", zk.create, path, b"x" * room)
    s.say("read back:", zk.get(path)[0] == b"x" * room)
    zk.delete(path)
    s.attempt("one byte more", zk.create, path, b"x" * (room + 1))
    s.until("connected again", lambda: s.is_connected(zk))
    s.say("states:", zk.states)
    s.attempt("not there", zk.exists, path)
    count, name = 1500, "n" * 800
    made = [zk.create_async("%s/%s%04d" % (s.root, name, i)) for i in range(count)]
    s.say("made:", len({each.get() for each in made}))
    s.say("listed:", len(zk.get_children(s.root)), "in %d bytes" % sum(map(len, zk.get_children(s.root))))
    gone = [zk.delete_async("%s/%s%04d" % (s.root, name, i)) for i in range(count)]
    s.say("deleted:", sum(each.get() for each in gone))


def pipelined(s):
    """Many requests without waiting; answers and events come in order."""
    zk = s.client()
    order = []
    zk.create(s.root + "/v", b"0")
    results = []
    for i in range(1, 201):
        for call in (zk.set_async(s.root + "/v", b"%d" % i), zk.get_async(s.root + "/v"), zk.get_async(s.root + "/no")):
            call.rawlink(lambda _, i=i: order.append(i))
            results.append(call)
    values = [results[at].get()[0] for at in range(1, 600, 3)]
    versions = [results[at].get().version for at in range(0, 600, 3)]
    errors = {s.outcome(results[at].get) for at in range(2, 600, 3)}
    s.say("every read sees the write before it:", values == [b"%d" % i for i in range(1, 201)])
    s.say("versions in order:", versions == list(range(1, 201)))
    s.say("errors:", errors)
    s.until("all called back", lambda: len(order) == 600)
    s.say("called back in order:", order == sorted(order))


def server(s):
    """What a server says of itself."""
    zk = s.client()
    s.say("ruok:", zk.command(b"ruok"))
    s.say("isro:", zk.command(b"isro"))
    version = zk.server_version()
    s.say("server version:", "%d numbers, 3.x or later: %s" % (len(version), version[0] >= 3))
    for word, labels in [(b"srvr", ("Zookeeper version", "Latency min/avg/max", "Received", "Sent", "Connections",
                                    "Outstanding", "Zxid", "Mode", "Node count"))]:
        said = {line.split(":")[0] for line in zk.command(word).splitlines()}
        s.say(word.decode() + ":", [label for label in labels if label in said])
    s.say("mntr:", [key for key in ("zk_version", "zk_server_state", "zk_znode_count", "zk_watch_count", "zk_avg_latency",
                                    "zk_ephemerals_count", "zk_num_alive_connections", "zk_outstanding_requests")
                    if key + "\t" in zk.command(b"mntr")])
    s.attempt("sync", zk.sync, s.root)
    s.attempt("sync of a missing node", zk.sync, s.root + "/missing")
    s.say("config's ACL:", zk.get_acls("/zookeeper/config")[0], zk.exists("/zookeeper/config").aversion)
    s.attempt("set of the config", zk.set, "/zookeeper/config", b"")
    s.attempt("reconfig", zk.reconfig, joining="server.9=127.0.0.1:1:2:observer;3", leaving=None, new_members=None)
    s.say("children of /zookeeper:", sorted(zk.get_children("/zookeeper")))
    s.attempt("quota node", lambda: sorted(zk.get_children("/zookeeper/quota")))


def configuration(s):
    """What an ensemble publishes of its members."""
    zk = s.client()
    data, its = zk.get("/zookeeper/config")
    members = [line for line in data.decode().splitlines() if line.startswith("server.")]
    shape = all(re.fullmatch(r"server\.\d+=[^:;]+:\d+:\d+:participant(;.*)?", line) for line in members)
    s.say("members:", len(members), "well formed:", shape, "version:", its.version)
    events = []
    zk.get("/zookeeper/config", watch=lambda event: events.append(event.type))
    zk.add_auth("digest", "super:admin")
    s.attempt("set by super", lambda: zk.set("/zookeeper/config", data).version - its.version)
    s.until("the watch fires", lambda: events)
    s.say("event:", events)


SCENARIOS = {
    "znodes": znodes,
    "paths": paths,
    "create-modes": create_modes,
    "container-and-ttl": container_and_ttl,
    "acls": acls,
    "chroot": chroot,
    "transactions": transactions,
    "retries": retries,
    "large": large,
    "pipelined": pipelined,
    "server": server,
    "configuration": configuration,
}
