/* Transactions through the C client, with the result of every operation. */
#include "scenario.h"

#include <string.h>

enum { MAX_OPERATIONS = 8 };

static zoo_op_t operations[MAX_OPERATIONS];
static zoo_op_result_t results[MAX_OPERATIONS];
static char paths[MAX_OPERATIONS][256];
static struct Stat stats[MAX_OPERATIONS];
static int count;

static void create(const char *path, int mode) {
  strcpy(paths[count], "-");
  zoo_create_op_init(&operations[count], path, "v", 1, &ZOO_OPEN_ACL_UNSAFE, mode, paths[count], sizeof paths[0]);
  count++;
}

static void delete(const char *path, int version) { zoo_delete_op_init(&operations[count++], path, version); }

static void check(const char *path, int version) { zoo_check_op_init(&operations[count++], path, version); }

static void set(const char *path, const char *value, int version) {
  zoo_set_op_init(&operations[count], path, value, strlen(value), version, &stats[count]);
  count++;
}

static void commit(const char *what, client *by) {
  memset(results, 0, sizeof results);
  int rc = zoo_multi(by->handle, count, operations, results);
  say("%s: %s", what, zerror(rc));
  for (int i = 0; i < count; i++) {
    const char *more = "";
    if (results[i].err == ZOK && rc == ZOK && results[i].value != NULL) more = results[i].value;
    if (results[i].err == ZOK && rc == ZOK && results[i].stat != NULL) more = stat_text(results[i].stat);
    say("  %s %s", zerror(results[i].err), more);
  }
  count = 0;
}

static void multi(void) {
  client *zk = open_client();
  count = 0;
  make(zk, at("n"), "0");
  create(at("a"), 0), check(at("n"), 0), set(at("n"), "1", 0), create(at("b"), ZOO_EPHEMERAL), delete(at("b"), 0);
  commit("all kinds", zk);
  create(at("p"), 0), create(at("p/c"), 0), set(at("p/c"), "set", 0);
  commit("parent and child", zk);
  create(at("s-"), ZOO_SEQUENCE), create(at("s-"), ZOO_SEQUENCE | ZOO_EPHEMERAL);
  commit("sequential", zk);
  delete(at("a"), -1), create(at("a"), 0);
  commit("delete and create", zk);
  create(at("never"), 0), check(at("n"), 7), delete(at("n"), -1);
  commit("a version that is not there", zk);
  delete(at("missing"), -1), create(at("never"), 0);
  commit("a node that is not there", zk);
  create(at("s-"), ZOO_SEQUENCE), set(at("n"), "never", -1), create(at("a"), 0);
  commit("a node that is there", zk);
  delete(at("p"), -1);
  commit("a node with children", zk);
  create(at("a/x/y"), 0);
  commit("a parent that is not there", zk);
  check(at("missing"), -1);
  commit("check of a missing node", zk);
  commit("nothing", zk);
  say("left: %s %s", children_of(zk, root), value_of(zk, at("n")));
  make(zk, at("x"), "");
  zoo_create(zk->handle, at("s-"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, paths[0], sizeof paths[0]);
  say("next number: %s", paths[0]);
}

static void multi_asynchronous(void) {
  client *zk = open_client();
  static answer done[3];
  memset(done, 0, sizeof done);
  count = 0;
  create(at("a"), 0), create(at("a/b"), 0);
  zoo_amulti(zk->handle, count, operations, results, on_void, &done[0]);
  zoo_op_t failing[2];
  zoo_op_result_t failed[2];
  char unused[8];
  zoo_create_op_init(&failing[0], at("c"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, unused, sizeof unused);
  zoo_delete_op_init(&failing[1], at("a"), -1);
  zoo_amulti(zk->handle, 2, failing, failed, on_void, &done[1]);
  zoo_aget_children(zk->handle, root, 0, on_strings, &done[2]);
  say_answer("first", &done[0]);
  say("  %s %s", zerror(results[0].err), results[0].value);
  say("  %s %s", zerror(results[1].err), results[1].value);
  say_answer("second", &done[1]);
  say("  %s", zerror(failed[0].err));
  say("  %s", zerror(failed[1].err));
  say_answer("children after both", &done[2]);
}

static void multi_acl(void) {
  client *owner = open_client(), *stranger = open_client();
  answer added = {0};
  zoo_add_auth(owner->handle, "digest", "me:secret", 9, on_void, &added);
  say_answer("added", &added);
  zoo_create(owner->handle, at("mine"), "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0);
  catch_up(stranger);
  count = 0;
  create(at("open"), 0), create(at("mine/c"), 0);
  commit("create below", stranger);
  create(at("open"), 0), set(at("mine"), "", -1);
  commit("set", stranger);
  check(at("mine"), 0);
  commit("check", stranger);
  create(at("open"), 0), delete(at("mine"), -1);
  commit("delete, which its parent allows", stranger);
}

const scenario multi_scenarios[] = {
    {"multi", multi}, {"multi-asynchronous", multi_asynchronous}, {"multi-acl", multi_acl}, {NULL, NULL}};
