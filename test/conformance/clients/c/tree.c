/* Znodes through the C client: the synchronous and the asynchronous calls, create modes, ACLs, chroot, limits. */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

static void say_create(const char *what, client *by, const char *path, const char *value, int length, int mode) {
  char made[1024] = "-";
  int rc = zoo_create(by->handle, path, value, length, &ZOO_OPEN_ACL_UNSAFE, mode, made, sizeof made);
  say("%s: %s %s", what, zerror(rc), made);
}

static void say_get(const char *what, client *by, const char *path) {
  char buffer[64];
  int length = sizeof buffer;
  struct Stat stat;
  int rc = zoo_get(by->handle, path, 0, buffer, &length, &stat);
  if (rc != ZOK)
    say("%s: %s", what, zerror(rc));
  else
    say("%s: '%.*s' (%d) %s", what, length > 0 ? length : 0, buffer, length, stat_text(&stat));
}

static void say_set(const char *what, client *by, const char *path, const char *value, int length, int version) {
  struct Stat stat;
  int rc = zoo_set2(by->handle, path, value, length, version, &stat);
  say("%s: %s %s", what, zerror(rc), rc == ZOK ? stat_text(&stat) : "");
}

static void say_exists(const char *what, client *by, const char *path) {
  struct Stat stat;
  int rc = zoo_exists(by->handle, path, 0, &stat);
  say("%s: %s %s", what, zerror(rc), rc == ZOK ? stat_of(by, &stat) : "");
}

static void say_children(const char *what, client *by, const char *path) {
  struct String_vector names = {0};
  struct Stat stat;
  int rc = zoo_get_children2(by->handle, path, 0, &names, &stat);
  if (rc != ZOK)
    say("%s: %s", what, zerror(rc));
  else
    say("%s: %s %s", what, names_text(&names), stat_text(&stat));
  deallocate_String_vector(&names);
}

static void znodes(void) {
  client *zk = open_client();
  struct Stat stat;
  char made[256] = "-";
  say_create("create", zk, at("a"), "one", 3, 0);
  say_create("create again", zk, at("a"), "one", 3, 0);
  say_create("create without parent", zk, at("no/child"), "", 0, 0);
  say_create("create null data", zk, at("null"), NULL, -1, 0);
  say_create("create empty data", zk, at("empty"), "", 0, 0);
  int rc = zoo_create2(zk->handle, at("b"), "12", 2, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made, &stat);
  say("create2: %s %s %s", zerror(rc), made, stat_text(&stat));
  rc = zoo_create2(zk->handle, at("b"), "12", 2, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made, &stat);
  say("create2 again: %s", zerror(rc));
  say_get("get", zk, at("a"));
  say_get("get null", zk, at("null"));
  say_get("get empty", zk, at("empty"));
  say_get("get missing", zk, at("missing"));
  char four[4];
  int length = sizeof four;
  rc = zoo_get(zk->handle, at("b"), 0, four, &length, &stat);
  say("get into a buffer: %s %d", zerror(rc), length);
  make(zk, at("long"), "more than fits");
  length = sizeof four;
  rc = zoo_get(zk->handle, at("long"), 0, four, &length, &stat);
  say("get into a small buffer: %s %d of %d", zerror(rc), length, stat.dataLength);
  say_exists("exists", zk, at("a"));
  say_exists("exists not", zk, at("missing"));
  say_set("set", zk, at("a"), "two", 3, -1);
  say_set("set version 1", zk, at("a"), "three", 5, 1);
  say_set("set version 1 again", zk, at("a"), "four", 4, 1);
  say_set("set null", zk, at("a"), NULL, -1, -1);
  say_get("get what was set", zk, at("a"));
  say_set("set missing", zk, at("missing"), "", 0, -1);
  say_children("children", zk, root);
  say_children("children of a leaf", zk, at("a"));
  say_children("children of a missing node", zk, at("missing"));
  say("delete with wrong version: %s", zerror(zoo_delete(zk->handle, at("a"), 0)));
  say("delete with children: %s", zerror(zoo_delete(zk->handle, root, -1)));
  say("delete: %s", zerror(zoo_delete(zk->handle, at("a"), 3)));
  say("delete again: %s", zerror(zoo_delete(zk->handle, at("a"), -1)));
  say_exists("the parent", zk, root);
  say_exists("a node of the system", zk, "/zookeeper/quota");
  say("delete of /zookeeper: %s", zerror(zoo_delete(zk->handle, "/zookeeper", -1)));
}

static void wait_until_gone(client *by, const char *path) {
  static event_log log;
  memset(&log, 0, sizeof log);
  struct Stat stat;
  if (zoo_wexists(by->handle, path, log_event, &log, &stat) == ZOK) WAIT_UNTIL("it is reaped", log.count > 0);
}

static void create_modes(void) {
  client *zk = open_client(), *other = open_client();
  say_create("sequential", zk, at("s-"), "", 0, ZOO_PERSISTENT_SEQUENTIAL);
  say_create("ephemeral", zk, at("e"), "", 0, ZOO_EPHEMERAL);
  say_create("ephemeral sequential", zk, at("es-"), "", 0, ZOO_EPHEMERAL_SEQUENTIAL);
  say_create("number only", zk, at(""), "", 0, ZOO_SEQUENCE);
  drop(zk, at("s-0000000000"));
  say_create("sequential after delete", zk, at("s-"), "", 0, ZOO_PERSISTENT_SEQUENTIAL);
  say_create("container", zk, at("container"), "", 0, ZOO_CONTAINER);
  say_create("container again", zk, at("container"), "", 0, ZOO_CONTAINER);
  say_create("child of an ephemeral", zk, at("e/c"), "", 0, 0);
  say_create("child of a container", zk, at("container/c"), "", 0, ZOO_EPHEMERAL);
  say_exists("ephemeral", zk, at("e"));
  say_exists("container", zk, at("container"));
  catch_up(other);
  say_exists("ephemeral of another", other, at("e"));
  char made[256] = "-";
  struct Stat stat;
  const struct ACL_vector *open = &ZOO_OPEN_ACL_UNSAFE;
  int rc = zoo_create2_ttl(zk->handle, at("ttl-"), "t", 1, open, ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 3600000, made,
                           sizeof made, &stat);
  say("ttl sequential: %s %s %s", zerror(rc), made, stat_text(&stat));
  rc = zoo_create_ttl(zk->handle, at("bad"), "", 0, open, ZOO_PERSISTENT_WITH_TTL, 0, made, sizeof made);
  say("ttl 0: %s", zerror(rc));
  rc = zoo_create_ttl(zk->handle, at("bad"), "", 0, open, 0, 300, made, sizeof made);
  say("ttl without its mode: %s", zerror(rc));
  say_create("mode of ttl without ttl", zk, at("bad"), "", 0, ZOO_PERSISTENT_WITH_TTL);
  say_create("mode 7", zk, at("bad"), "", 0, 7);
  say_create("mode -1", zk, at("bad"), "", 0, -1);
  say("children: %s", children_of(zk, root));
  rc = zoo_create_ttl(zk->handle, at("ttl"), "t", 1, open, ZOO_PERSISTENT_WITH_TTL, 300, made, sizeof made);
  say("ttl: %s %s", zerror(rc), made);
  close_client(zk); /* with it goes the container's only child */
  catch_up(other);
  wait_until_gone(other, at("ttl"));
  wait_until_gone(other, at("container"));
  say("left: %s", children_of(other, root));
}

/* Of an answer whose value is not the same everywhere, only the code. */
static void on_void_of_data(int rc, const char *value, int length, const struct Stat *its, const void *data) {
  (void)value, (void)length, (void)its;
  on_void(rc, data);
}

static void asynchronous(void) {
  client *zk = open_client();
  zhandle_t *handle = zk->handle;
  static answer answers[24];
  memset(answers, 0, sizeof answers);
  answer *next = answers;
  const struct ACL_vector *open = &ZOO_OPEN_ACL_UNSAFE;
  static const char *const names[] = {
      "create",    "create2",  "create again", "exists",      "exists not",           "get",    "set",
      "set again", "get",      "children",     "children2",   "get ACL",              "sync",   "create2 ttl",
      "create ttl", "config",  "set ACL",      "delete",      "delete wrong version", "delete", "delete again"};
  /* All are sent before the first one is answered. */
  int rc = zoo_acreate(handle, at("a"), "one", 3, open, 0, on_string, next++);
  rc |= zoo_acreate2(handle, at("b"), "two", 3, open, ZOO_EPHEMERAL, on_string_stat, next++);
  rc |= zoo_acreate(handle, at("a"), "one", 3, open, 0, on_string, next++);
  rc |= zoo_aexists(handle, at("a"), 0, on_stat, next++);
  rc |= zoo_aexists(handle, at("missing"), 0, on_stat, next++);
  rc |= zoo_aget(handle, at("a"), 0, on_data, next++);
  rc |= zoo_aset(handle, at("a"), "uno", 3, 0, on_stat, next++);
  rc |= zoo_aset(handle, at("a"), "due", 3, 0, on_stat, next++);
  rc |= zoo_aget(handle, at("a"), 0, on_data, next++);
  rc |= zoo_aget_children(handle, root, 0, on_strings, next++);
  rc |= zoo_aget_children2(handle, root, 0, on_strings_stat, next++);
  rc |= zoo_aget_acl(handle, at("a"), on_acl, next++);
  rc |= zoo_async(handle, at("a"), on_string, next++);
  rc |= zoo_acreate2_ttl(handle, at("t"), "", 0, open, ZOO_PERSISTENT_WITH_TTL, 100000, on_string_stat, next++);
  rc |= zoo_acreate_ttl(handle, at("t-"), "", 0, open, ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 100000, on_string, next++);
  rc |= zoo_agetconfig(handle, 0, on_void_of_data, next++);
  rc |= zoo_aset_acl(handle, at("b"), 0, &ZOO_READ_ACL_UNSAFE, on_void, next++);
  rc |= zoo_adelete(handle, at("missing"), -1, on_void, next++);
  rc |= zoo_adelete(handle, at("a"), 9, on_void, next++);
  rc |= zoo_adelete(handle, at("a"), -1, on_void, next++);
  rc |= zoo_adelete(handle, at("a"), -1, on_void, next++);
  say("sent: %s", zerror(rc));
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) say_answer(names[i], &answers[i]);
  zoo_aset(handle, at("b"), "", 0, -1, on_stat, next);
  say_answer("set without permission", next++);
  say("a path that is none: %s", zerror(zoo_aget(handle, "relative", 0, on_data, next)));
}

static void pipelined(void) {
  enum { ROUNDS = 300 };
  static answer written[ROUNDS], read_back[ROUNDS];
  client *zk = open_client();
  memset(written, 0, sizeof written);
  memset(read_back, 0, sizeof read_back);
  make(zk, at("n"), "");
  for (int i = 0; i < ROUNDS; i++) {
    const char *value = text("%d", i);
    zoo_aset(zk->handle, at("n"), value, strlen(value), -1, on_stat, &written[i]);
    zoo_aget(zk->handle, at("n"), 0, on_data, &read_back[i]);
  }
  int in_order = 0;
  for (int i = 0; i < ROUNDS; i++) {
    const char *expected = text("ok '%d' ", i), *version = text("(version %d,", i + 1);
    WAIT_UNTIL("it is answered", written[i].done && read_back[i].done);
    in_order += strstr(read_back[i].text, expected) != NULL && strstr(read_back[i].text, version) != NULL &&
                strstr(written[i].text, version) != NULL;
  }
  say("every read sees the write before it: %d of %d", in_order, ROUNDS);
}

static void say_acl(const char *what, client *by, const char *path) {
  struct ACL_vector acl = {0};
  struct Stat stat;
  int rc = zoo_get_acl(by->handle, path, &acl, &stat);
  say("%s: %s %s %s", what, zerror(rc), rc == ZOK ? acl_text(&acl) : "", rc == ZOK ? stat_text(&stat) : "");
  if (rc == ZOK) deallocate_ACL_vector(&acl);
}

static void acls(void) {
  client *owner = open_client(), *stranger = open_client();
  static answer added[3];
  memset(added, 0, sizeof added);
  int rc = zoo_create(owner->handle, at("early"), "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0);
  say("creator without a name: %s", zerror(rc));
  say("add auth: %s", zerror(zoo_add_auth(owner->handle, "digest", "me:secret", 9, on_void, &added[0])));
  say_answer("added", &added[0]);
  rc = zoo_create(owner->handle, at("mine"), "v", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0);
  say("create: %s", zerror(rc));
  say_acl("expands to", owner, at("mine"));
  catch_up(stranger);
  say_get("get by a stranger", stranger, at("mine"));
  say_set("set by a stranger", stranger, at("mine"), "", 0, -1);
  say_children("children by a stranger", stranger, at("mine"));
  say_acl("ACL by a stranger", stranger, at("mine"));
  struct ACL both[2] = {{ZOO_PERM_ALL, {"auth", ""}}, {ZOO_PERM_READ, {"world", "anyone"}}};
  struct ACL_vector list = {2, both};
  say("set ACL: %s", zerror(zoo_set_acl(owner->handle, at("mine"), 0, &list)));
  say("set ACL of an old version: %s", zerror(zoo_set_acl(owner->handle, at("mine"), 0, &list)));
  catch_up(stranger);
  say_get("get by a stranger who may read", stranger, at("mine"));
  say_acl("ACL for a stranger who may read", stranger, at("mine"));
  say_answer("add two more", (zoo_add_auth(owner->handle, "digest", "also:me", 7, on_void, &added[1]), &added[1]));
  rc = zoo_create(owner->handle, at("both"), "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0);
  say("create: %s", zerror(rc));
  say_acl("of both names", owner, at("both"));
  struct ACL bad[1] = {{ZOO_PERM_ALL, {"digest", "nocolon"}}};
  list = (struct ACL_vector){1, bad};
  say("invalid ACL: %s", zerror(zoo_set_acl(owner->handle, at("mine"), -1, &list)));
  list.count = 0;
  say("empty ACL: %s", zerror(zoo_set_acl(owner->handle, at("mine"), -1, &list)));
  say("ACL of a missing node: %s", zerror(zoo_set_acl(owner->handle, at("missing"), -1, &ZOO_OPEN_ACL_UNSAFE)));
  client *failing = open_client();
  zoo_add_auth(failing->handle, "magic", "x", 1, on_void, &added[2]);
  say_answer("unknown scheme", &added[2]);
  wait_for_state(failing, ZOO_AUTH_FAILED_STATE);
  say("afterwards: %s, lost: %s", value_of(failing, root), zerror(is_unrecoverable(failing->handle)));
  answer super = {0};
  zoo_add_auth(stranger->handle, "digest", "super:admin", 11, on_void, &super);
  say_answer("super", &super);
  say_set("set by super", stranger, at("mine"), "s", 1, -1);
}

static void chroot_(void) {
  client *outside = open_client();
  make(outside, at("inside"), "");
  client *zk = open_client_at(text("%s%s", connect_string, at("inside")), SESSION_MS, NULL);
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  say_create("create", zk, "/a", "1", 1, 0);
  say_create("sequential", zk, "/s-", "", 0, ZOO_SEQUENCE);
  say_children("children of the root", zk, "/");
  event_log log = {0};
  struct Stat stat;
  char buffer[8];
  int length = sizeof buffer;
  zoo_wget(zk->handle, "/a", log_event, &log, buffer, &length, &stat);
  put(outside, at("inside/a"), "2");
  say_events("event", &log, 1);
  zoo_op_t operations[2];
  zoo_op_result_t results[2];
  char made[64];
  zoo_create_op_init(&operations[0], "/t", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made);
  zoo_delete_op_init(&operations[1], "/a", -1);
  say("multi: %s %s", zerror(zoo_multi(zk->handle, 2, operations, results)), made);
  length = sizeof buffer;
  say("config beyond the chroot: %s", zerror(zoo_getconfig(zk->handle, 0, buffer, &length, &stat)));
  catch_up(outside);
  say("from outside: %s", children_of(outside, at("inside")));
}

static void large(void) {
  enum { MAX_PACKET = 0xfffff, ACL_BYTES = 4 + 4 + 4 + 5 + 4 + 6 };
  client *zk = open_client();
  int room = MAX_PACKET - 8 - (4 + strlen(at("n"))) - 4 - ACL_BYTES - 4;
  char *data = malloc(room + 1), *back = malloc(room);
  memset(data, 'x', room + 1);
  say_create("the largest", zk, at("n"), data, room, 0);
  int length = room;
  struct Stat stat;
  int rc = zoo_get(zk->handle, at("n"), 0, back, &length, &stat);
  say("read back: %s %s", zerror(rc), length == room && memcmp(data, back, room) == 0 ? "the same" : "another");
  drop(zk, at("n"));
  int64_t before = zoo_client_id(zk->handle)->client_id;
  say_create("one byte more", zk, at("n"), data, room + 1, 0);
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  say_exists("not there", zk, at("n"));
  say("the same session: %d", before == zoo_client_id(zk->handle)->client_id);
  say_events("states", &zk->states, 3);
  free(data);
  free(back);
}

static void configuration(void) {
  client *zk = open_client();
  char buffer[4096];
  int length = sizeof buffer;
  struct Stat stat;
  event_log log = {0};
  int rc = zoo_getconfig(zk->handle, 0, buffer, &length, &stat);
  say("config: %s, aversion %d", zerror(rc), stat.aversion);
  length = sizeof buffer;
  rc = zoo_wgetconfig(zk->handle, log_event, &log, buffer, &length, &stat);
  say("config with a watch: %s", zerror(rc));
  length = sizeof buffer;
  rc = zoo_reconfig(zk->handle, "server.9=127.0.0.1:1:2;3", NULL, NULL, -1, buffer, &length, &stat);
  say("reconfig: %s", zerror(rc));
  answer super = {0};
  zoo_add_auth(zk->handle, "digest", "super:admin", 11, on_void, &super);
  say_answer("super", &super);
  put(zk, "/zookeeper/config", "");
  say_events("event", &log, 1);
}

const scenario tree_scenarios[] = {
    {"znodes", znodes},   {"create-modes", create_modes}, {"asynchronous", asynchronous}, {"pipelined", pipelined},
    {"acls", acls},       {"chroot", chroot_},            {"large", large},               {"configuration", configuration},
    {NULL, NULL},
};
