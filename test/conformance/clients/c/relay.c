/* A relay in front of the first server, so that one client can be cut off while the others are not. */
#include "scenario.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_LINES = 32 };

struct relay {
  int listener;
  char address[32];
  struct sockaddr_in target;
  pthread_mutex_t lock;
  int whole;
  int lines[MAX_LINES][2]; /* -1: none */
};

typedef struct {
  relay *of;
  int at;
} line;

static int pass_on(int from, int to) {
  char buffer[65536];
  ssize_t got = read(from, buffer, sizeof buffer);
  for (ssize_t sent = 0; sent < got;) {
    ssize_t more = write(to, buffer + sent, got - sent);
    if (more <= 0) return 0;
    sent += more;
  }
  return got > 0;
}

static void *run_line(void *argument) {
  line *each = argument;
  int *ends = each->of->lines[each->at];
  struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
  for (int open = 1; open && poll(polled, 2, -1) > 0;)
    for (int i = 0; i < 2; i++)
      if (polled[i].revents != 0 && !pass_on(polled[i].fd, polled[1 - i].fd)) open = 0;
  pthread_mutex_lock(&each->of->lock);
  close(ends[0]);
  close(ends[1]);
  ends[0] = ends[1] = -1;
  pthread_mutex_unlock(&each->of->lock);
  free(each);
  return NULL;
}

static void start_line(relay *to, int near, int far) {
  for (int i = 0; i < MAX_LINES; i++) {
    if (to->lines[i][0] != -1) continue;
    line *each = malloc(sizeof *each);
    pthread_t thread;
    *each = (line){to, i};
    to->lines[i][0] = near;
    to->lines[i][1] = far;
    pthread_create(&thread, NULL, run_line, each);
    pthread_detach(thread);
    return;
  }
  close(near);
  close(far);
}

static void *run_relay(void *argument) {
  relay *each = argument;
  for (;;) {
    int near = accept(each->listener, NULL, NULL);
    if (near < 0) return NULL;
    int far = socket(AF_INET, SOCK_STREAM, 0);
    int connected = connect(far, (struct sockaddr *)&each->target, sizeof each->target) == 0;
    pthread_mutex_lock(&each->lock);
    if (connected && each->whole) {
      start_line(each, near, far);
    } else {
      close(near);
      close(far);
    }
    pthread_mutex_unlock(&each->lock);
  }
}

relay *open_relay(void) {
  relay *each = calloc(1, sizeof *each);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof here;
  pthread_t thread;
  const char *port = strchr(connect_string, ':');
  each->target = here;
  each->target.sin_port = htons(atoi(port + 1));
  each->whole = 1;
  memset(each->lines, -1, sizeof each->lines);
  pthread_mutex_init(&each->lock, NULL);
  each->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(each->listener, (struct sockaddr *)&here, size) != 0 || listen(each->listener, 16) != 0) fail("no relay");
  getsockname(each->listener, (struct sockaddr *)&here, &size);
  snprintf(each->address, sizeof each->address, "127.0.0.1:%d", ntohs(here.sin_port));
  pthread_create(&thread, NULL, run_relay, each);
  pthread_detach(thread);
  return each;
}

const char *relay_address(const relay *each) { return each->address; }

void cut_relay(relay *each) {
  pthread_mutex_lock(&each->lock);
  each->whole = 0;
  for (int i = 0; i < MAX_LINES; i++)
    for (int end = 0; end < 2; end++)
      if (each->lines[i][end] != -1) shutdown(each->lines[i][end], SHUT_RDWR);
  pthread_mutex_unlock(&each->lock);
}

void mend_relay(relay *each) {
  pthread_mutex_lock(&each->lock);
  each->whole = 1;
  pthread_mutex_unlock(&each->lock);
}
