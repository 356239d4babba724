/* What every scenario of the C client gets: clients, a transcript, and ways to wait. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <pthread.h>
#include <zookeeper/zookeeper.h>

enum { PATIENCE_S = 30, SESSION_MS = 20000, MAX_EVENTS = 64, TEXT_SIZE = 4096 };

/* Events in the order in which they came. */
typedef struct {
  char events[MAX_EVENTS][256];
  int count;
  int said;
} event_log;

typedef struct {
  zhandle_t *handle;
  event_log states;  /* of the session */
  event_log watched; /* by the default watcher */
} client;

/* What an asynchronous call came to. */
typedef struct {
  int done;
  char text[TEXT_SIZE];
} answer;

extern const char *connect_string;
extern char root[128];

/* A line of the transcript. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the scenario, which has failed. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Asks whoever started this program to do something with the servers. */
void harness(const char *request);

/* The path of a node below the scenario's root; valid until the twentieth call after it. */
const char *at(const char *name);
/* The same for any text. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *stat_text(const struct Stat *stat);
/* With its owner told apart: this client's session, or another one. */
const char *stat_of(client *of, const struct Stat *stat);
/* Names in order. */
const char *names_text(const struct String_vector *names);
const char *acl_text(const struct ACL_vector *acl);

/* A connected client of a new session. */
client *open_client(void);
/* One with everything chosen; it may not be connected yet. */
client *open_client_at(const char *hosts, int session_ms, const clientid_t *id);
void close_client(client *each);
/* Closes all that are open. */
void close_clients(void);
void wait_for_state(client *each, int state);

/* Waits until it is true, of what callbacks change. */
#define WAIT_UNTIL(what, condition) \
  do {                              \
    begin_wait(what);               \
    while (!(condition)) go_on_waiting(); \
    end_wait();                     \
  } while (0)
void begin_wait(const char *what);
void go_on_waiting(void);
void end_wait(void);
/* For callbacks: what they change must be between these. */
void begin_change(void);
void end_change(void);

/* A watcher whose context is an event_log. */
void log_event(zhandle_t *handle, int type, int state, const char *path, void *log);
/* Waits until there are so many new events, and says them. */
void say_events(const char *what, event_log *log, int count);
/* The same, in the order of their text. */
void say_events_sorted(const char *what, event_log *log, int count);

/* Completions whose data is an answer. */
void on_void(int rc, const void *data);
void on_stat(int rc, const struct Stat *stat, const void *data);
void on_data(int rc, const char *value, int length, const struct Stat *stat, const void *data);
void on_string(int rc, const char *value, const void *data);
void on_string_stat(int rc, const char *value, const struct Stat *stat, const void *data);
void on_strings(int rc, const struct String_vector *strings, const void *data);
void on_strings_stat(int rc, const struct String_vector *strings, const struct Stat *stat, const void *data);
void on_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data);
void say_answer(const char *what, answer *each);

/* Shorthands for calls that must succeed, and for what is read back. */
void make(client *by, const char *path, const char *value);
void make_ephemeral(client *by, const char *path);
void put(client *by, const char *path, const char *value);
void drop(client *by, const char *path);
/* Waits until this client's server has everything that was written before. */
void catch_up(client *each);
const char *value_of(client *by, const char *path);
const char *children_of(client *by, const char *path);

/* Passes everything on to the first server, until it is cut; then breaks each connection until it is mended. */
typedef struct relay relay;
relay *open_relay(void);
const char *relay_address(const relay *each);
void cut_relay(relay *each);
void mend_relay(relay *each);

typedef struct {
  const char *name;
  void (*run)(void);
} scenario;
extern const scenario tree_scenarios[], watch_scenarios[], multi_scenarios[], session_scenarios[];

/* Another process that opens a session, makes an ephemeral there, and dies without closing it. */
clientid_t abandon_session(const char *path, int session_ms);
int holder_main(int argc, char **argv);

#endif
