/* Watches through the C client: by default watcher and by watcher objects, their removal, and what is made up for after a gap. */
#include "scenario.h"

#include <string.h>

static char buffer[64];
static int length;
static struct Stat stat;

static int watch_data(client *by, const char *path, event_log *log) {
  length = sizeof buffer;
  return zoo_wget(by->handle, path, log_event, log, buffer, &length, &stat);
}

static int watch_exists(client *by, const char *path, event_log *log) {
  return zoo_wexists(by->handle, path, log_event, log, &stat);
}

static int watch_children(client *by, const char *path, event_log *log) {
  struct String_vector names = {0};
  int rc = zoo_wget_children(by->handle, path, log_event, log, &names);
  if (rc == ZOK) deallocate_String_vector(&names);
  return rc;
}

static void watches(void) {
  client *zk = open_client(), *other = open_client();
  static event_log log;
  memset(&log, 0, sizeof log);
  say("exists: %s", zerror(watch_exists(zk, at("n"), &log)));
  make(other, at("n"), "0");
  say_events("created", &log, 1);
  catch_up(zk);
  say("get: %s", zerror(watch_data(zk, at("n"), &log)));
  put(other, at("n"), "1");
  say_events("changed", &log, 1);
  put(other, at("n"), "of no interest");
  catch_up(zk);
  say("children: %s", zerror(watch_children(zk, at("n"), &log)));
  make(other, at("n/c"), "");
  say_events("child made", &log, 1);
  catch_up(zk);
  say("data: %s", zerror(watch_data(zk, at("n/c"), &log)));
  say("children: %s", zerror(watch_children(zk, at("n/c"), &log)));
  say("parent: %s", zerror(watch_children(zk, at("n"), &log)));
  drop(other, at("n/c"));
  say_events("deleted", &log, 2);
  say("get of a missing node: %s", zerror(watch_data(zk, at("missing"), &log)));
  say("children of a missing node: %s", zerror(watch_children(zk, at("missing"), &log)));
  catch_up(zk);
  struct Stat unused;
  struct String_vector names;
  length = sizeof buffer;
  zoo_get(zk->handle, at("n"), 1, buffer, &length, &unused);
  zoo_get_children2(zk->handle, at("n"), 1, &names, &unused);
  deallocate_String_vector(&names);
  zoo_exists(zk->handle, at("later"), 1, &unused);
  put(other, at("n"), "2");
  make(other, at("n/d"), "");
  make(other, at("later"), "");
  say_events("to the default watcher", &zk->watched, 3);
  static event_log again;
  memset(&again, 0, sizeof again);
  catch_up(zk);
  watch_data(zk, at("n"), &log);
  watch_data(zk, at("n"), &again);
  put(zk, at("n"), "by itself");
  say_events("one watcher", &log, 1);
  say_events("another watcher", &again, 1);
}

static void removing_watches(void) {
  client *zk = open_client(), *other = open_client();
  static event_log log, same, kept;
  memset(&log, 0, sizeof log), memset(&same, 0, sizeof same), memset(&kept, 0, sizeof kept);
  make(other, at("n"), "0");
  catch_up(zk);
  zhandle_t *handle = zk->handle;
  const char *path = at("n");
  say("none there: %s", zerror(zoo_remove_watches(handle, path, ZWATCHTYPE_DATA, log_event, &log, 0)));
  say("none of any kind: %s", zerror(zoo_remove_all_watches(handle, path, ZWATCHTYPE_ANY, 0)));
  watch_data(zk, path, &log);
  watch_children(zk, path, &log);
  say("of another kind: %s", zerror(zoo_remove_watches(handle, path, ZWATCHTYPE_CHILD, log_event, &same, 0)));
  say("data: %s", zerror(zoo_remove_watches(handle, path, ZWATCHTYPE_DATA, log_event, &log, 0)));
  say("data again: %s", zerror(zoo_remove_watches(handle, path, ZWATCHTYPE_DATA, log_event, &log, 0)));
  put(other, path, "1");
  make(other, at("n/c"), "");
  say_events("the other kind is still there", &log, 1);
  catch_up(zk);
  path = at("n");
  watch_data(zk, path, &log);
  watch_data(zk, path, &same);
  watch_exists(zk, path, &kept);
  say("one of three: %s", zerror(zoo_remove_watches(handle, path, ZWATCHTYPE_DATA, log_event, &log, 0)));
  put(other, path, "2");
  say_events("the second", &same, 1);
  say_events("the third", &kept, 1);
  catch_up(zk);
  path = at("n");
  watch_data(zk, path, &log);
  watch_children(zk, path, &same);
  say("all: %s", zerror(zoo_remove_all_watches(handle, path, ZWATCHTYPE_ANY, 0)));
  say("all again: %s", zerror(zoo_remove_all_watches(handle, path, ZWATCHTYPE_ANY, 0)));
  watch_children(zk, path, &same);
  say("locally: %s", zerror(zoo_remove_watches(handle, path, ZWATCHTYPE_CHILD, log_event, &same, 1)));
  watch_exists(zk, at("end"), &kept);
  put(other, path, "3");
  make(other, at("n/d"), "");
  make(other, at("end"), "");
  say_events("nothing but this", &kept, 1);
  say("in the others: %d %d", log.count - log.said, same.count - same.said);
  say("a path that is none: %s", zerror(zoo_remove_watches(handle, "x", ZWATCHTYPE_ANY, log_event, &log, 0)));
}

/* What happened while a client was cut off is told when it is back, and what did not is still watched. */
static void missed_events(void) {
  relay *between = open_relay();
  client *zk = open_client_at(relay_address(between), SESSION_MS, NULL), *other = open_client();
  static event_log log;
  memset(&log, 0, sizeof log);
  static const char *const made[] = {"data-changed", "data-deleted", "data-same", "data-replaced", "exists-deleted",
                                     "exists-changed", "children-more", "children-deleted", "children-same", "children-data"};
  for (unsigned i = 0; i < sizeof made / sizeof *made; i++) make(other, at(made[i]), "0");
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  catch_up(zk);
  for (unsigned i = 0; i < sizeof made / sizeof *made; i++) {
    if (strncmp(made[i], "data", 4) == 0) watch_data(zk, at(made[i]), &log);
    if (strncmp(made[i], "exists", 6) == 0) watch_exists(zk, at(made[i]), &log);
    if (strncmp(made[i], "children", 8) == 0) watch_children(zk, at(made[i]), &log);
  }
  watch_exists(zk, at("missing-created"), &log);
  watch_exists(zk, at("missing-same"), &log);
  watch_exists(zk, at("missing-came-and-went"), &log);
  int64_t before = zoo_client_id(zk->handle)->client_id;
  cut_relay(between);
  wait_for_state(zk, ZOO_CONNECTING_STATE);
  put(other, at("data-changed"), "1");
  drop(other, at("data-deleted"));
  drop(other, at("data-replaced"));
  make(other, at("data-replaced"), "0");
  drop(other, at("exists-deleted"));
  put(other, at("exists-changed"), "1");
  make(other, at("children-more/c"), "");
  drop(other, at("children-deleted"));
  put(other, at("children-data"), "1");
  make(other, at("missing-created"), "");
  make(other, at("missing-came-and-went"), "");
  drop(other, at("missing-came-and-went"));
  mend_relay(between);
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  say("the same session: %d", before == zoo_client_id(zk->handle)->client_id);
  say_events("states", &zk->states, 3);
  say_events_sorted("made up for", &log, 8);
  put(other, at("data-same"), "2");
  make(other, at("children-same/c"), "");
  make(other, at("children-data/c"), "");
  make(other, at("missing-same"), "");
  make(other, at("missing-came-and-went"), "");
  say_events_sorted("still watched", &log, 5);
  put(other, at("data-changed"), "3");
  make(other, at("children-more/d"), "");
  catch_up(zk);
  say("told once: %d", log.count - log.said);
}

const scenario watch_scenarios[] = {
    {"watches", watches}, {"removing-watches", removing_watches}, {"missed-events", missed_events}, {NULL, NULL}};
