import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionStateListener;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.data.Stat;

/**
 * Where a scenario is played: its clients, its root znode, and its transcript. The transcript has no times, zxids, session ids,
 * addresses and random names in it. Whatever is opened here is closed at the end of the scenario.
 */
final class Stage implements AutoCloseable {
  /** Longest wait for something that must happen, on a busy machine. */
  static final long PATIENCE_MS = 20_000;
  private static final int SESSION_MS = 15_000;
  private static final int CONNECTION_MS = 10_000;
  private static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in));

  /** {@code /<scenario>}; exists, and is empty. */
  final String root;
  private final String connect;
  private final Transcript transcript;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private ExecutorService threads;

  Stage(String connect, String scenario, Transcript transcript) throws Exception {
    this.connect = connect;
    this.transcript = transcript;
    this.root = "/" + scenario;
    try (var client = builder().build()) {
      connect(client);
      client.create().forPath(root);
    }
  }

  /** A connected client with a session of its own. */
  CuratorFramework client() throws Exception {
    return start(builder().build());
  }

  /** The same, of these options. */
  CuratorFramework start(CuratorFramework client) throws Exception {
    open(client);
    connect(client);
    return client;
  }

  CuratorFrameworkFactory.Builder builder() {
    return CuratorFrameworkFactory.builder()
        .connectString(connect)
        .sessionTimeoutMs(SESSION_MS)
        .connectionTimeoutMs(CONNECTION_MS)
        // Otherwise it is the address of this machine.
        .defaultData(bytes("default"))
        // Where servers stand is the harness's affair: clients stay behind its gates.
        .ensembleTracker(false)
        // Recipes make containers where they can: servers take those away as soon as nobody is in them, with their numbers.
        .dontUseContainerParents()
        .retryPolicy(new RetryOneTime(100));
  }

  String connect() {
    return connect;
  }

  /**
   * Starts it, and waits until all of its listeners have been told that it is connected: a recipe that is told so after its
   * start would do everything twice.
   */
  private static void connect(CuratorFramework client) throws Exception {
    var telling = new CompletableFuture<Thread>();
    ConnectionStateListener listener = (changed, state) -> telling.complete(Thread.currentThread());
    client.getConnectionStateListenable().addListener(listener);
    client.start();
    var thread = telling.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
    until(
        "the thread that tells listeners waits for the next event",
        () -> thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING);
    client.getConnectionStateListenable().removeListener(listener);
  }

  /** Is closed at the end, in reverse order. */
  <T extends AutoCloseable> T open(T thing) {
    opened.push(thing);
    return thing;
  }

  /** Runs beside the scenario, in a thread of its own. */
  <T> Future<T> beside(Callable<T> task) {
    if (threads == null) threads = Executors.newCachedThreadPool();
    return threads.submit(task);
  }

  static <T> T result(Future<T> task) throws Exception {
    return task.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
  }

  /** One line of the transcript. */
  void say(String format, Object... values) {
    transcript.line(normal(String.format(format, values)));
  }

  /** What a call gives: its result, or the name of its error. */
  void say(String what, Callable<?> call) {
    say("%s: %s", what, outcome(call));
  }

  static String outcome(Callable<?> call) {
    try {
      return shown(call.call());
    } catch (KeeperException error) {
      return "error " + error.code() + (error.getPath() == null ? "" : " " + error.getPath());
    } catch (Exception error) {
      return "error " + error.getClass().getSimpleName();
    }
  }

  static String shown(Object value) {
    if (value instanceof byte[] bytes) return "'" + new String(bytes, StandardCharsets.UTF_8) + "'";
    if (value instanceof Stat stat) return shown(stat);
    return String.valueOf(value);
  }

  /** Of a stat, what is the same on every run. */
  private static String shown(Stat stat) {
    return String.format(
        "version %d, cversion %d, aversion %d, %d bytes, %d children%s%s",
        stat.getVersion(),
        stat.getCversion(),
        stat.getAversion(),
        stat.getDataLength(),
        stat.getNumChildren(),
        stat.getEphemeralOwner() == 0 ? "" : ", owned",
        stat.getMzxid() == stat.getCzxid() ? "" : ", changed");
  }

  /** Random parts are taken out of names. */
  static String normal(String text) {
    return text.replaceAll("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>");
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Sorted, for servers may list children in any order; with everything that others have written. */
  static List<String> children(CuratorFramework client, String path) throws Exception {
    catchUp(client);
    return client.getChildren().forPath(path).stream().sorted().collect(Collectors.toList());
  }

  /** Null if there is none; with everything that others have written. */
  static Stat stat(CuratorFramework client, String path) throws Exception {
    catchUp(client);
    return client.checkExists().forPath(path);
  }

  /** Sorted by the number at the end of their names. */
  static List<String> bySequence(List<String> names) {
    return names.stream()
        .sorted((a, b) -> a.substring(a.length() - 10).compareTo(b.substring(b.length() - 10)))
        .collect(Collectors.toList());
  }

  /** From now on it sees what others have written, though it may be connected to a server that lags behind. */
  static void catchUp(CuratorFramework client) throws Exception {
    client.sync().forPath("/");
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void until(String what, Condition condition) throws Exception {
    var deadline = System.nanoTime() + PATIENCE_MS * 1_000_000;
    while (!condition.holds()) {
      require(System.nanoTime() < deadline, what);
      Thread.sleep(5);
    }
  }

  static void require(boolean holds, String what) {
    if (!holds) throw new IllegalStateException("this did not come true: " + what);
  }

  /** Has the harness do something to the servers or the connections, and waits until it is done. */
  static void ask(String request) throws Exception {
    System.out.println("@" + request);
    System.out.flush();
    var answer = ANSWERS.readLine();
    require("ok".equals(answer), "@" + request + " (answer: " + answer + ")");
  }

  /**
   * Ends the session of a client on the servers, as if it had expired: whoever knows its password may close it. Both packets go
   * at once, so that the client, which loses its connection, cannot take the session back in between.
   */
  void endSession(CuratorFramework client) throws Exception {
    var victim = client.getZookeeperClient().getZooKeeper();
    var server = connect.split(",")[0].split(":");
    var password = victim.getSessionPasswd();
    var takeOver = ByteBuffer.allocate(33 + password.length);
    takeOver.putInt(29 + password.length).putInt(0).putLong(0).putInt(victim.getSessionTimeout());
    takeOver.putLong(victim.getSessionId()).putInt(password.length).put(password).put((byte) 0);
    var closeSession = ByteBuffer.allocate(12).putInt(8).putInt(1).putInt(ZooDefs.OpCode.closeSession);
    try (var socket = new Socket(server[0], Integer.parseInt(server[1]))) {
      socket.setSoTimeout((int) PATIENCE_MS);
      var both = ByteBuffer.allocate(takeOver.capacity() + closeSession.capacity());
      socket.getOutputStream().write(both.put(takeOver.flip()).put(closeSession.flip()).array());
      var answer = ByteBuffer.wrap(socket.getInputStream().readAllBytes());
      require(answer.getInt(8) > 0, "the session is taken over");
    }
  }

  @Override
  public void close() throws Exception {
    if (threads != null) threads.shutdownNow();
    for (var thing : opened) {
      try {
        thing.close();
      } catch (IllegalStateException alreadyClosed) {
        // Curator's way of saying that the scenario has closed it.
      }
    }
  }
}
