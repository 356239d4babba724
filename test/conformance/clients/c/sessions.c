/* Sessions through the C client: taken up again by their id, expired, moved between servers, and across a server's death. */
#include "scenario.h"

#include <string.h>

static int64_t id_of(client *each) { return zoo_client_id(each->handle)->client_id; }

static void resumption(void) {
  clientid_t id = abandon_session(at("held"), SESSION_MS);
  client *zk = open_client_at(connect_string, SESSION_MS, &id);
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  struct Stat stat;
  say("the same session: %d", id_of(zk) == id.client_id);
  int rc = zoo_exists(zk->handle, at("held"), 0, &stat);
  say("its ephemeral: %s %s", zerror(rc), stat_of(zk, &stat));
  make_ephemeral(zk, at("more"));
  client *other = open_client();
  static event_log log;
  memset(&log, 0, sizeof log);
  zoo_wexists(other->handle, at("held"), log_event, &log, &stat);
  close_client(zk);
  say_events("closed", &log, 1);
  say("left: %s", children_of(other, root));
  client *late = open_client_at(connect_string, SESSION_MS, &id);
  wait_for_state(late, ZOO_EXPIRED_SESSION_STATE);
  say_events("closed session", &late->states, 1);
  say("use of it: %s, lost: %s", value_of(late, root), zerror(is_unrecoverable(late->handle)));
  clientid_t wrong = *zoo_client_id(other->handle);
  memset(wrong.passwd, 'x', sizeof wrong.passwd);
  client *stranger = open_client_at(connect_string, SESSION_MS, &wrong);
  wait_for_state(stranger, ZOO_EXPIRED_SESSION_STATE);
  say_events("wrong password", &stranger->states, 1);
  clientid_t unknown = {0x1234567890, ""};
  client *nobody = open_client_at(connect_string, SESSION_MS, &unknown);
  wait_for_state(nobody, ZOO_EXPIRED_SESSION_STATE);
  say_events("unknown session", &nobody->states, 1);
}

static void expiry(void) {
  client *other = open_client();
  static event_log log;
  memset(&log, 0, sizeof log);
  struct Stat stat;
  zoo_wexists(other->handle, at("held"), log_event, &log, &stat);
  clientid_t id = abandon_session(at("held"), 1000);
  say_events("held", &log, 1);
  zoo_wexists(other->handle, at("held"), log_event, &log, &stat);
  say_events("expired", &log, 1);
  client *late = open_client_at(connect_string, 1000, &id);
  wait_for_state(late, ZOO_EXPIRED_SESSION_STATE);
  say_events("states", &late->states, 1);
  say("create: %s", zerror(zoo_create(late->handle, at("x"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0)));
  answer unanswered = {0};
  int rc = zoo_aget(late->handle, root, 0, on_data, &unanswered);
  say("asynchronous get: %s", zerror(rc));
}

/* Cut off for longer than its session lives. */
static void expiry_while_disconnected(void) {
  relay *between = open_relay();
  client *zk = open_client_at(relay_address(between), 1000, NULL), *other = open_client();
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  static event_log log;
  memset(&log, 0, sizeof log);
  struct Stat stat;
  make_ephemeral(zk, at("e"));
  catch_up(other);
  zoo_wexists(other->handle, at("e"), log_event, &log, &stat);
  say("timeout: %d", zoo_recv_timeout(zk->handle));
  cut_relay(between);
  say_events("expired", &log, 1);
  mend_relay(between);
  wait_for_state(zk, ZOO_EXPIRED_SESSION_STATE);
  say_events("states", &zk->states, 3);
}

static void moved_session(void) {
  relay *between = open_relay();
  client *first = open_client_at(relay_address(between), SESSION_MS, NULL);
  wait_for_state(first, ZOO_CONNECTED_STATE);
  make_ephemeral(first, at("e"));
  clientid_t id = *zoo_client_id(first->handle);
  cut_relay(between);
  wait_for_state(first, ZOO_CONNECTING_STATE);
  client *second = open_client_at(connect_string, SESSION_MS, &id);
  wait_for_state(second, ZOO_CONNECTED_STATE);
  put(second, at("e"), "second");
  struct Stat stat;
  zoo_exists(second->handle, at("e"), 0, &stat);
  say("taken over: %s", stat_of(second, &stat));
  close_client(second);
  mend_relay(between);
  wait_for_state(first, ZOO_EXPIRED_SESSION_STATE);
  say_events("first", &first->states, 3);
}

static void connection_loss(void) {
  client *zk = open_client();
  static event_log log;
  memset(&log, 0, sizeof log);
  static answer pending;
  memset(&pending, 0, sizeof pending);
  struct Stat stat;
  make_ephemeral(zk, at("e"));
  int64_t before = id_of(zk);
  zoo_wexists(zk->handle, at("later"), log_event, &log, &stat);
  harness("block");
  wait_for_state(zk, ZOO_CONNECTING_STATE);
  zoo_aget(zk->handle, at("e"), 0, on_data, &pending);
  harness("unblock");
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  say_events("states", &zk->states, 3);
  WAIT_UNTIL("what was asked meanwhile is answered", pending.done);
  say("the same session: %d", before == id_of(zk));
  zoo_exists(zk->handle, at("e"), 0, &stat);
  say("ephemeral: %s", stat_of(zk, &stat));
  make(zk, at("later"), "");
  say_events("watch", &log, 1);
}

static void server_restart(void) {
  const char *comma = strchr(connect_string, ',');
  int first = comma == NULL ? (int)strlen(connect_string) : (int)(comma - connect_string);
  client *zk = open_client_at(text("%.*s", first, connect_string), 10000, NULL);
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  static event_log log;
  memset(&log, 0, sizeof log);
  static answer added;
  memset(&added, 0, sizeof added);
  zoo_add_auth(zk->handle, "digest", "me:secret", 9, on_void, &added);
  say_answer("add auth", &added);
  struct Stat stat;
  char buffer[16];
  int length = sizeof buffer;
  make(zk, at("n"), "kept");
  make_ephemeral(zk, at("e"));
  zoo_create(zk->handle, at("mine"), "m", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0);
  zoo_wget(zk->handle, at("n"), log_event, &log, buffer, &length, &stat);
  int64_t before = id_of(zk);
  harness("restart 1");
  WAIT_UNTIL("it has noticed", zk->states.count > 1);
  wait_for_state(zk, ZOO_CONNECTED_STATE);
  say("the same session: %d", before == id_of(zk));
  catch_up(zk);
  say("data: %s, children: %s", value_of(zk, at("n")), children_of(zk, root));
  say("authenticated again: %s", value_of(zk, at("mine")));
  zoo_exists(zk->handle, at("e"), 0, &stat);
  say("ephemeral: %s", stat_of(zk, &stat));
  put(zk, at("n"), "changed");
  say_events("watch", &log, 1);
}

const scenario session_scenarios[] = {
    {"resumption", resumption},
    {"expiry", expiry},
    {"expiry-while-disconnected", expiry_while_disconnected},
    {"moved-session", moved_session},
    {"connection-loss", connection_loss},
    {"server-restart", server_restart},
    {NULL, NULL},
};
