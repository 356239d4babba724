import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.StandardLockInternalsDriver;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.apache.curator.x.discovery.details.ServiceCacheListener;
import org.apache.zookeeper.CreateMode;

/** Curator's part in a mixed fleet: {@code Player CONNECT SESSION_MS}; does what each line of its standard input says. */
@SuppressWarnings("rawtypes")
public final class Player {
  private static final String NAME = "curator";

  private final CuratorFramework client;
  private final ServiceDiscovery<Map> discovery;
  private CountDownLatch ending = new CountDownLatch(1);

  private Player(CuratorFramework client) throws Exception {
    this.client = client;
    this.discovery =
        ServiceDiscoveryBuilder.builder(Map.class)
            .client(client)
            .basePath("/services")
            .serializer(new JsonInstanceSerializer<>(Map.class))
            .build();
  }

  public static void main(String[] arguments) throws Exception {
    var client =
        CuratorFrameworkFactory.builder()
            .connectString(arguments[0])
            .sessionTimeoutMs(Integer.parseInt(arguments[1]))
            .ensembleTracker(false)
            .retryPolicy(new ExponentialBackoffRetry(100, 5))
            .build();
    client.start();
    client.blockUntilConnected();
    var player = new Player(client);
    player.discovery.start();
    tell("ready");
    var commands = new BufferedReader(new InputStreamReader(System.in));
    for (var line = commands.readLine(); line != null; line = commands.readLine()) {
      var command = line.split(" ");
      new Thread(() -> player.play(command)).start();
    }
    client.close();
    Runtime.getRuntime().halt(0);
  }

  private void play(String[] command) {
    try {
      switch (command[0]) {
        case "contend" -> contend(command[1], command[2], Integer.parseInt(command[3]));
        case "hold" -> hold(command[1], command[2]);
        case "share" -> share(command[1], Integer.parseInt(command[2]), Integer.parseInt(command[3]));
        case "read-and-write" -> readAndWrite(command[1], Integer.parseInt(command[2]));
        case "lead" -> lead(command[1]);
        case "end" -> ending.countDown();
        case "register" -> register(command[1], command[2], Integer.parseInt(command[3]));
        case "find" -> tell("found " + show(discovery.queryForInstances(command[1])));
        case "follow" -> follow(command[1]);
        default -> throw new IllegalArgumentException(command[0]);
      }
    } catch (Exception error) {
      error.printStackTrace();
      tell("!! " + error);
    }
  }

  /** A mutex that says which znode it holds. */
  private static final class Mutex extends InterProcessMutex {
    Mutex(CuratorFramework client, String path, boolean seesAll) {
      super(client, path, seesAll ? new EverybodyDriver() : new StandardLockInternalsDriver());
    }

    String node() {
      return getLockPath();
    }
  }

  /** Knows the names that kazoo gives to its locks. */
  private static final class EverybodyDriver extends StandardLockInternalsDriver {
    @Override
    public String fixForSorting(String name, String lockName) {
      return super.fixForSorting(name.replace("__lock__", lockName), lockName);
    }
  }

  private void contend(String names, String path, int turns) throws Exception {
    var mutex = new Mutex(client, path, names.equals("own-names"));
    for (var turn = 0; turn < turns; turn++) {
      mutex.acquire();
      var held = ephemeral(path + "-witness/held");
      var node = mutex.node();
      client
          .create()
          .withMode(CreateMode.PERSISTENT_SEQUENTIAL)
          .forPath(path + "-witness/turn-", (NAME + " " + node.substring(node.length() - 10)).getBytes());
      client.delete().forPath(held);
      mutex.release();
    }
    tell("done");
  }

  private void hold(String names, String path) throws Exception {
    var mutex = new Mutex(client, path, names.equals("own-names"));
    mutex.acquire();
    var held = ephemeral(path + "-witness/held");
    tell("holds");
    ended();
    client.delete().forPath(held);
    mutex.release();
    tell("ended");
  }

  private void share(String path, int permits, int turns) throws Exception {
    var semaphore = new InterProcessSemaphoreV2(client, path, permits);
    for (var turn = 0; turn < turns; turn++) {
      var lease = semaphore.acquire();
      var mine = client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path + "-witness/held-");
      var count = client.getChildren().forPath(path + "-witness").size();
      if (count > permits) throw new IllegalStateException(count + " hold it");
      client.delete().forPath(mine);
      semaphore.returnLease(lease);
    }
    tell("done");
  }

  /** Every third turn is a writer's. */
  private void readAndWrite(String path, int turns) throws Exception {
    var lock = new InterProcessReadWriteLock(client, path);
    for (var turn = 0; turn < turns; turn++) {
      var isWriter = turn % 3 == 2;
      InterProcessMutex side = isWriter ? lock.writeLock() : lock.readLock();
      side.acquire();
      var mine =
          client
              .create()
              .withMode(CreateMode.EPHEMERAL_SEQUENTIAL)
              .forPath(path + "-witness/" + (isWriter ? "writer-" : "reader-"));
      var others = client.getChildren().forPath(path + "-witness");
      if (isWriter ? others.size() > 1 : others.stream().anyMatch((name) -> name.startsWith("writer-"))) {
        throw new IllegalStateException("together: " + others);
      }
      client.delete().forPath(mine);
      side.release();
    }
    tell("done");
  }

  private void lead(String path) throws Exception {
    var latch = new LeaderLatch(client, path, NAME);
    latch.start();
    latch.await();
    var leader = ephemeral(path + "-witness/leader");
    tell("leads");
    ended();
    client.delete().forPath(leader);
    latch.close();
    tell("ended");
  }

  private void ended() throws InterruptedException {
    ending.await();
    ending = new CountDownLatch(1);
  }

  private void register(String name, String id, int port) throws Exception {
    discovery.registerService(
        ServiceInstance.<Map>builder()
            .name(name)
            .id(id)
            .address(NAME + ".example")
            .port(port)
            .payload(Map.of("by", NAME))
            .build());
    tell("registered");
  }

  private void follow(String name) throws Exception {
    var cache = discovery.serviceCacheBuilder().name(name).build();
    cache.addListener(
        new ServiceCacheListener() {
          @Override
          public void cacheChanged() {
            tell("sees " + name + ": " + show(cache.getInstances()));
          }

          @Override
          public void stateChanged(CuratorFramework changed, ConnectionState state) {}
        });
    cache.start();
    tell("follows");
  }

  private static String show(java.util.Collection<ServiceInstance<Map>> instances) {
    return instances.stream()
        .map((each) -> each.getId() + "@" + each.getAddress() + ":" + each.getPort() + "/" + each.getPayload().get("by"))
        .sorted()
        .collect(Collectors.joining(" "));
  }

  private String ephemeral(String path) throws Exception {
    return client.create().withMode(CreateMode.EPHEMERAL).forPath(path, NAME.getBytes());
  }

  private static synchronized void tell(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
