#include "scenario.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 16, RING = 20 };

const char *connect_string;
char root[128];
static const char *program;
static jmp_buf scenario_end;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static client *clients[MAX_CLIENTS];
static int client_count;

/* --- the transcript ---------------------------------------------------------------------------------- */

void say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
}

void fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("!! ", stdout);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
  longjmp(scenario_end, 1);
}

void harness(const char *request) {
  char reply[16];
  printf("@%s\n", request);
  fflush(stdout);
  if (fgets(reply, sizeof reply, stdin) == NULL || strncmp(reply, "ok", 2) != 0)
    fail("the harness did not do: %s", request);
}

/* --- text -------------------------------------------------------------------------------------------- */

static char *next_text(void) {
  static char ring[RING][TEXT_SIZE];
  static int turn;
  turn = (turn + 1) % RING;
  return ring[turn];
}

const char *text(const char *format, ...) {
  char *to = next_text();
  va_list args;
  va_start(args, format);
  vsnprintf(to, TEXT_SIZE, format, args);
  va_end(args);
  return to;
}

const char *at(const char *name) { return text("%s/%s", root, name); }

/* The order of zxids among each other, and never their values. */
static void describe_stat(char *to, size_t size, const struct Stat *stat, const char *owner) {
  int64_t first = stat->czxid;
  snprintf(to, size, "stat(version %d, cversion %d, aversion %d, owner %s, length %d, children %d, mzxid%sczxid, pzxid%sczxid)",
           stat->version, stat->cversion, stat->aversion, owner, stat->dataLength, stat->numChildren,
           stat->mzxid == first ? "=" : stat->mzxid > first ? ">" : "<",
           stat->pzxid == first ? "=" : stat->pzxid > first ? ">" : "<");
}

const char *stat_text(const struct Stat *stat) {
  char *to = next_text();
  describe_stat(to, TEXT_SIZE, stat, stat->ephemeralOwner == 0 ? "none" : "a session");
  return to;
}

const char *stat_of(client *of, const struct Stat *stat) {
  char *to = next_text();
  int64_t id = zoo_client_id(of->handle)->client_id;
  const char *owner = stat->ephemeralOwner == 0 ? "none" : stat->ephemeralOwner == id ? "mine" : "another";
  describe_stat(to, TEXT_SIZE, stat, owner);
  return to;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void describe_names(char *to, size_t size, const struct String_vector *names) {
  char *sorted[names->count + 1];
  size_t used = snprintf(to, size, "[");
  memcpy(sorted, names->data, names->count * sizeof *sorted);
  qsort(sorted, names->count, sizeof *sorted, by_text);
  for (int i = 0; i < names->count && used < size; i++)
    used += snprintf(to + used, size - used, "%s%s", i == 0 ? "" : ", ", sorted[i]);
  if (used < size) snprintf(to + used, size - used, "]");
}

const char *names_text(const struct String_vector *names) {
  char *to = next_text();
  describe_names(to, TEXT_SIZE, names);
  return to;
}

static void describe_acl(char *to, size_t size, const struct ACL_vector *acl) {
  size_t used = snprintf(to, size, "[");
  for (int i = 0; i < acl->count && used < size; i++)
    used += snprintf(to + used, size - used, "%s%d %s:%s", i == 0 ? "" : ", ", acl->data[i].perms,
                     acl->data[i].id.scheme, acl->data[i].id.id);
  if (used < size) snprintf(to + used, size - used, "]");
}

const char *acl_text(const struct ACL_vector *acl) {
  char *to = next_text();
  describe_acl(to, TEXT_SIZE, acl);
  return to;
}

/* --- waiting ----------------------------------------------------------------------------------------- */

static const char *awaited;
static struct timespec deadline;

void begin_wait(const char *what) {
  awaited = what;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += PATIENCE_S;
  pthread_mutex_lock(&lock);
}

void go_on_waiting(void) {
  if (pthread_cond_timedwait(&changed, &lock, &deadline) != ETIMEDOUT) return;
  pthread_mutex_unlock(&lock);
  fail("waited in vain until %s", awaited);
}

void end_wait(void) { pthread_mutex_unlock(&lock); }

void begin_change(void) { pthread_mutex_lock(&lock); }

void end_change(void) {
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

/* --- events ------------------------------------------------------------------------------------------ */

static void add_event(event_log *log, const char *format, const char *word, const char *path) {
  begin_change();
  if (log->count < MAX_EVENTS) snprintf(log->events[log->count++], sizeof log->events[0], format, word, path);
  end_change();
}

static const char *type_name(int type) {
  if (type == ZOO_CREATED_EVENT) return "created";
  if (type == ZOO_DELETED_EVENT) return "deleted";
  if (type == ZOO_CHANGED_EVENT) return "changed";
  if (type == ZOO_CHILD_EVENT) return "child";
  if (type == ZOO_NOTWATCHING_EVENT) return "not watching";
  return "unknown";
}

static const char *state_name(int state) {
  if (state == ZOO_CONNECTED_STATE) return "connected";
  if (state == ZOO_CONNECTING_STATE) return "connecting";
  if (state == ZOO_ASSOCIATING_STATE) return "associating";
  if (state == ZOO_NOTCONNECTED_STATE) return "not connected";
  if (state == ZOO_READONLY_STATE) return "read-only";
  if (state == ZOO_EXPIRED_SESSION_STATE) return "expired";
  if (state == ZOO_AUTH_FAILED_STATE) return "auth failed";
  return "unknown";
}

void log_event(zhandle_t *handle, int type, int state, const char *path, void *log) {
  (void)handle;
  (void)state;
  /* Every watcher is told of the session too: that is logged once, by the default watcher. */
  if (type != ZOO_SESSION_EVENT) add_event(log, "%s %s", type_name(type), path);
}

static void watch_by_default(zhandle_t *handle, int type, int state, const char *path, void *context) {
  client *each = context;
  if (type != ZOO_SESSION_EVENT) {
    log_event(handle, type, state, path, &each->watched);
    return;
  }
  add_event(&each->states, "%s", state_name(state), NULL);
}

static void say_new_events(const char *what, event_log *log, int count, int sorted) {
  WAIT_UNTIL(what, log->count - log->said >= count);
  begin_change();
  char *events[MAX_EVENTS];
  struct String_vector as_names = {log->count - log->said, events};
  for (int i = log->said; i < log->count; i++) events[i - log->said] = log->events[i];
  char *to = next_text();
  size_t used = 0;
  if (sorted) describe_names(to, TEXT_SIZE, &as_names);
  for (int i = 0; !sorted && i < as_names.count; i++)
    used += snprintf(to + used, TEXT_SIZE - used, "%s%s", i == 0 ? "" : ", ", events[i]);
  log->said = log->count;
  end_change();
  say("%s: %s", what, to);
}

void say_events(const char *what, event_log *log, int count) { say_new_events(what, log, count, 0); }
void say_events_sorted(const char *what, event_log *log, int count) { say_new_events(what, log, count, 1); }

/* --- completions ------------------------------------------------------------------------------------- */

static void complete(const void *data, const char *format, ...) {
  answer *to = (answer *)data;
  va_list args;
  begin_change();
  va_start(args, format);
  vsnprintf(to->text, sizeof to->text, format, args);
  va_end(args);
  to->done = 1;
  end_change();
}

void on_void(int rc, const void *data) { complete(data, "%s", zerror(rc)); }

void on_stat(int rc, const struct Stat *stat, const void *data) {
  char more[512] = "";
  if (rc == ZOK) describe_stat(more, sizeof more, stat, stat->ephemeralOwner == 0 ? "none" : "a session");
  complete(data, "%s %s", zerror(rc), more);
}

void on_data(int rc, const char *value, int length, const struct Stat *stat, const void *data) {
  char more[512] = "";
  if (rc == ZOK) describe_stat(more, sizeof more, stat, stat->ephemeralOwner == 0 ? "none" : "a session");
  complete(data, "%s '%.*s' (%d) %s", zerror(rc), length > 0 ? length : 0, length > 0 ? value : "", length, more);
}

void on_string(int rc, const char *value, const void *data) {
  complete(data, "%s %s", zerror(rc), value == NULL ? "-" : value);
}

void on_string_stat(int rc, const char *value, const struct Stat *stat, const void *data) {
  char more[512] = "";
  if (rc == ZOK) describe_stat(more, sizeof more, stat, stat->ephemeralOwner == 0 ? "none" : "a session");
  complete(data, "%s %s %s", zerror(rc), value == NULL ? "-" : value, more);
}

void on_strings(int rc, const struct String_vector *strings, const void *data) {
  char names[1024] = "";
  if (rc == ZOK) describe_names(names, sizeof names, strings);
  complete(data, "%s %s", zerror(rc), names);
}

void on_strings_stat(int rc, const struct String_vector *strings, const struct Stat *stat, const void *data) {
  char names[1024] = "", more[512] = "";
  if (rc == ZOK) {
    describe_names(names, sizeof names, strings);
    describe_stat(more, sizeof more, stat, stat->ephemeralOwner == 0 ? "none" : "a session");
  }
  complete(data, "%s %s %s", zerror(rc), names, more);
}

void on_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data) {
  char list[1024] = "", more[512] = "";
  if (rc == ZOK) {
    describe_acl(list, sizeof list, acl);
    describe_stat(more, sizeof more, stat, stat->ephemeralOwner == 0 ? "none" : "a session");
  }
  complete(data, "%s %s %s", zerror(rc), list, more);
}

void say_answer(const char *what, answer *each) {
  WAIT_UNTIL(what, each->done);
  say("%s: %s", what, each->text);
}

/* --- clients ----------------------------------------------------------------------------------------- */

client *open_client_at(const char *hosts, int session_ms, const clientid_t *id) {
  if (client_count == MAX_CLIENTS) fail("too many clients");
  client *each = calloc(1, sizeof *each);
  clients[client_count++] = each;
  each->handle = zookeeper_init(hosts, watch_by_default, session_ms, id, each, ZOO_NO_LOG_CLIENTENV);
  if (each->handle == NULL) fail("no handle: %s", strerror(errno));
  return each;
}

/* The servers in turn: each client begins with another one. */
static const char *turned(int turns) {
  const char *begin = connect_string;
  for (; turns > 0; turns--) {
    const char *comma = strchr(begin, ',');
    begin = comma == NULL ? connect_string : comma + 1;
  }
  if (begin == connect_string) return connect_string;
  return text("%s,%.*s", begin, (int)(begin - connect_string - 1), connect_string);
}

client *open_client(void) {
  client *each = open_client_at(turned(client_count), SESSION_MS, NULL);
  wait_for_state(each, ZOO_CONNECTED_STATE);
  return each;
}

void wait_for_state(client *each, int state) {
  const char *name = state_name(state);
  WAIT_UNTIL(name, each->states.count > 0 && strcmp(each->states.events[each->states.count - 1], name) == 0);
}

void close_client(client *each) {
  if (each->handle != NULL) zookeeper_close(each->handle);
  each->handle = NULL;
}

void close_clients(void) {
  for (int i = 0; i < client_count; i++) {
    close_client(clients[i]);
    free(clients[i]);
  }
  client_count = 0;
}

/* --- shorthands -------------------------------------------------------------------------------------- */

static void must(const char *what, const char *path, int rc) {
  if (rc != ZOK) fail("%s of %s: %s", what, path, zerror(rc));
}

void make(client *by, const char *path, const char *value) {
  must("create", path, zoo_create(by->handle, path, value, strlen(value), &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
}

void make_ephemeral(client *by, const char *path) {
  must("create", path, zoo_create(by->handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
}

void put(client *by, const char *path, const char *value) {
  must("set", path, zoo_set(by->handle, path, value, strlen(value), -1));
}

void drop(client *by, const char *path) { must("delete", path, zoo_delete(by->handle, path, -1)); }

void catch_up(client *each) {
  answer synced = {0};
  must("sync", root, zoo_async(each->handle, root, on_string, &synced));
  WAIT_UNTIL("it has synced", synced.done);
}

const char *value_of(client *by, const char *path) {
  char buffer[1024];
  int length = sizeof buffer;
  int rc = zoo_get(by->handle, path, 0, buffer, &length, NULL);
  if (rc != ZOK) return zerror(rc);
  return length < 0 ? "(null)" : text("'%.*s'", length, buffer);
}

const char *children_of(client *by, const char *path) {
  struct String_vector names = {0};
  int rc = zoo_get_children(by->handle, path, 0, &names);
  if (rc != ZOK) return zerror(rc);
  const char *list = names_text(&names);
  deallocate_String_vector(&names);
  return list;
}

/* --- sessions that nobody closes --------------------------------------------------------------------- */

clientid_t abandon_session(const char *path, int session_ms) {
  int ends[2];
  clientid_t id;
  if (pipe(ends) != 0) fail("no pipe: %s", strerror(errno));
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 3);
    execl(program, program, "--hold", connect_string, path, text("%d", session_ms), (char *)NULL);
    _exit(1);
  }
  close(ends[1]);
  ssize_t got = read(ends[0], &id, sizeof id);
  close(ends[0]);
  waitpid(child, NULL, 0);
  if (got != sizeof id) fail("no session was held");
  return id;
}

int holder_main(int argc, char **argv) {
  if (argc != 5 || setjmp(scenario_end) != 0) return 1;
  client *each = open_client_at(argv[2], atoi(argv[4]), NULL);
  wait_for_state(each, ZOO_CONNECTED_STATE);
  make_ephemeral(each, argv[3]);
  if (write(3, zoo_client_id(each->handle), sizeof(clientid_t)) != sizeof(clientid_t)) return 1;
  _exit(0);
}

/* --- running ----------------------------------------------------------------------------------------- */

static void remove_tree(client *by, const char *path) {
  struct String_vector names = {0};
  if (zoo_get_children(by->handle, path, 0, &names) != ZOK) return;
  for (int i = 0; i < names.count; i++) {
    char below[TEXT_SIZE];
    snprintf(below, sizeof below, "%s/%s", path, names.data[i]);
    remove_tree(by, below);
  }
  deallocate_String_vector(&names);
  zoo_delete(by->handle, path, -1);
}

static void run_scenario(const scenario *each) {
  printf("## %s\n", each->name);
  fflush(stdout);
  snprintf(root, sizeof root, "/%s", each->name);
  if (setjmp(scenario_end) == 0) {
    client *cleaner = open_client();
    remove_tree(cleaner, root);
    make(cleaner, root, "");
    each->run();
    close_clients();
  } else {
    client_count = 0; /* what a failed scenario left is not worth waiting for */
  }
}

int main(int argc, char **argv) {
  const scenario *parts[] = {tree_scenarios, watch_scenarios, multi_scenarios, session_scenarios};
  program = argv[0];
  /* It reports every attempt to connect, sixty times a second while it is cut off. */
  zoo_set_log_stream(fopen("/dev/null", "w"));
  zoo_deterministic_conn_order(1);
  if (argc > 1 && strcmp(argv[1], "--hold") == 0) return holder_main(argc, argv);
  if (argc < 2) return 2;
  connect_string = argv[1];
  for (int wanted = 2; wanted < argc; wanted++)
    for (unsigned part = 0; part < sizeof parts / sizeof *parts; part++)
      for (const scenario *each = parts[part]; each->name != NULL; each++)
        if (strcmp(each->name, argv[wanted]) == 0) run_scenario(each);
  fflush(stdout);
  _exit(0);
}
