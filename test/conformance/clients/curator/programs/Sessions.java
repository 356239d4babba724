import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.CreateMode;

/** Connections that break, sessions that expire, servers that die. */
final class Sessions {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("connection-cut", (Conformance.Alone) Sessions::cut);
    scenarios.put("session-ended", Sessions::ended);
    scenarios.put("session-expired", (Conformance.Alone) Sessions::expired);
    scenarios.put("server-killed", (Conformance.Alone) Sessions::serverKilled);
    scenarios.put("leader-killed", (Conformance.Alone) Sessions::leaderKilled);
    scenarios.put("quorum-killed", (Conformance.Alone) Sessions::quorumKilled);
  }

  private static void cut(Stage stage) throws Exception {
    var states = new Events();
    var client = listened(stage, stage.builder().build(), states);
    stage.say("%s", states.next());
    var session = sessionOf(client);
    client.create().withMode(CreateMode.EPHEMERAL).forPath(stage.root + "/mine");
    Stage.ask("cut");
    stage.say("%s", states.next(2));
    stage.say("the same session: %s", session == sessionOf(client));
    stage.say("ephemeral", () -> client.checkExists().forPath(stage.root + "/mine"));
    // What is asked while there is no connection waits for it.
    Stage.ask("block");
    stage.say("%s", states.next());
    var waiting = stage.beside(() -> client.create().forPath(stage.root + "/waited"));
    Stage.ask("unblock");
    stage.say("%s", states.next());
    stage.say("waited: %s", Stage.outcome(() -> Stage.result(waiting)));
  }

  private static void ended(Stage stage) throws Exception {
    var states = new Events();
    var client = listened(stage, stage.builder().build(), states);
    stage.say("%s", states.next());
    var session = sessionOf(client);
    client.create().withMode(CreateMode.EPHEMERAL).forPath(stage.root + "/mine");
    stage.endSession(client);
    stage.say("%s", states.next(3));
    stage.say("the same session: %s", session == sessionOf(client));
    stage.say("ephemeral", () -> client.checkExists().forPath(stage.root + "/mine"));
  }

  /** Nobody reaches a server for longer than the session lasts. */
  private static void expired(Stage stage) throws Exception {
    var states = new Events();
    var client = listened(stage, stage.builder().sessionTimeoutMs(1_000).build(), states);
    stage.say("%s", states.next());
    stage.say("granted: %d", client.getZookeeperClient().getZooKeeper().getSessionTimeout());
    var session = sessionOf(client);
    client.create().withMode(CreateMode.EPHEMERAL).forPath(stage.root + "/mine");
    var lasting = stage.client();
    Stage.ask("block");
    stage.say("%s", states.next(2));
    // Servers expire sessions by whole ticks: three more seconds are enough.
    Thread.sleep(3_000);
    Stage.ask("unblock");
    stage.say("%s", states.next());
    stage.say("the same session: %s", session == sessionOf(client));
    stage.say("ephemeral", () -> client.checkExists().forPath(stage.root + "/mine"));
    reconnected(lasting);
    stage.say("a longer one lasted: %s", lasting.checkExists().forPath(stage.root) != null);
  }

  /** The server that a client is connected to dies and comes back: the session and what it holds live on. */
  private static void serverKilled(Stage stage) throws Exception {
    var states = new Events();
    var first = stage.connect().split(",")[0];
    var client = listened(stage, stage.builder().connectString(first).sessionTimeoutMs(30_000).build(), states);
    stage.say("%s", states.next());
    var session = sessionOf(client);
    client.create().withMode(CreateMode.EPHEMERAL).forPath(stage.root + "/mine", Stage.bytes("1"));
    var mutex = new InterProcessMutex(client, stage.root + "/lock");
    mutex.acquire();
    Stage.ask("kill 1");
    stage.say("%s", states.next());
    Stage.ask("start 1");
    stage.say("%s", states.next());
    stage.say("the same session: %s", session == sessionOf(client));
    stage.say("ephemeral", () -> client.checkExists().forPath(stage.root + "/mine"));
    stage.say("data", () -> client.getData().forPath(stage.root + "/mine"));
    stage.say("lock: %s", mutex.getParticipantNodes().size());
    mutex.release();
    client.close();
    var other = stage.client();
    stage.say("after the close: %s", Stage.stat(other, stage.root + "/mine"));
  }

  /** Everybody goes on at the other servers. */
  private static void leaderKilled(Stage stage) throws Exception {
    var client = stage.start(stage.builder().sessionTimeoutMs(30_000).build());
    var other = stage.start(stage.builder().sessionTimeoutMs(30_000).build());
    var session = sessionOf(client);
    var mutex = new InterProcessMutex(client, stage.root + "/lock");
    mutex.acquire();
    var latch = stage.open(new LeaderLatch(client, stage.root + "/latch", "a"));
    latch.start();
    latch.await();
    var events = new Events();
    client.watchers().add().usingWatcher((org.apache.zookeeper.Watcher) (event) -> {
      if (event.getPath() != null) events.add("%s %s", event.getType(), event.getPath());
    }).forPath(stage.root + "/watched");
    Stage.ask("kill leader");
    reconnected(client);
    reconnected(other);
    stage.say("the same session: %s", session == sessionOf(client));
    stage.say("another gets the lock: %s", new InterProcessMutex(other, stage.root + "/lock").acquire(150, TimeUnit.MILLISECONDS));
    other.create().forPath(stage.root + "/watched");
    stage.say("told: %s", events.next());
    Stage.until("the latch leads again", latch::hasLeadership);
    Stage.ask("start all");
    reconnected(client);
    mutex.release();
    stage.say("another gets the lock: %s", new InterProcessMutex(other, stage.root + "/lock").acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
  }

  /** Two of three die: nobody is served until one is back. */
  private static void quorumKilled(Stage stage) throws Exception {
    var states = new Events();
    var client = listened(stage, stage.builder().sessionTimeoutMs(30_000).build(), states);
    stage.say("%s", states.next());
    var session = sessionOf(client);
    client.create().withMode(CreateMode.EPHEMERAL).forPath(stage.root + "/mine");
    Stage.ask("kill follower");
    Stage.ask("kill leader");
    stage.say("%s", states.next());
    Stage.ask("start all");
    reconnected(client);
    stage.say("the same session: %s", session == sessionOf(client));
    stage.say("ephemeral", () -> client.checkExists().forPath(stage.root + "/mine"));
  }

  /** Works again, after as many attempts as it takes. */
  static void reconnected(CuratorFramework client) throws Exception {
    Stage.until("the client is back", () -> works(client, "/"));
  }

  static boolean works(CuratorFramework client, String path) {
    try {
      client.sync().forPath(path);
      return client.checkExists().forPath(path) != null;
    } catch (Exception notYet) {
      return false;
    }
  }

  private static CuratorFramework listened(Stage stage, CuratorFramework client, Events states) throws Exception {
    client.getConnectionStateListenable().addListener((framework, state) -> {
      if (state != ConnectionState.READ_ONLY) states.add("%s", state);
    });
    return stage.start(client);
  }

  private static long sessionOf(CuratorFramework client) throws Exception {
    return client.getZookeeperClient().getZooKeeper().getSessionId();
  }
}
