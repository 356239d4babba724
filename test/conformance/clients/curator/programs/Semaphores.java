import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.shared.SharedCount;

/** InterProcessSemaphoreV2. */
final class Semaphores {
  private static final long SHORT_MS = 150;

  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("semaphore", Semaphores::leases);
    scenarios.put("semaphore-order", Semaphores::order);
    scenarios.put("semaphore-shared-count", Semaphores::sharedCount);
    scenarios.put("semaphore-lost", Semaphores::lost);
  }

  private static void leases(Stage stage) throws Exception {
    var path = stage.root + "/semaphore";
    var client = stage.client();
    var mine = new InterProcessSemaphoreV2(client, path, 3);
    var other = new InterProcessSemaphoreV2(stage.client(), path, 3);
    mine.setNodeData(Stage.bytes("mine"));
    var two = mine.acquire(2);
    stage.say("below: %s", Stage.children(client, path));
    stage.say("leases: %s", Stage.bySequence(client.getChildren().forPath(path + "/leases")));
    for (var lease : two) stage.say("data", () -> lease.getData());
    stage.say("two more: %s", other.acquire(2, SHORT_MS, TimeUnit.MILLISECONDS));
    Stage.until("what it got of them is returned", () -> other.getParticipantNodes().size() == 2);
    var third = other.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    stage.say("one more: %s", third != null);
    stage.say("a fourth: %s", mine.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    mine.returnAll(two);
    stage.say("participants: %s", mine.getParticipantNodes().size());
    var again = other.acquire(2, Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    stage.say("two after the return: %s", again.size());
    other.returnAll(again);
    other.returnLease(third);
    other.returnLease(third);
    Stage.catchUp(client);
    stage.say("participants: %s", mine.getParticipantNodes());
  }

  /** Who waits longest is next. */
  private static void order(Stage stage) throws Exception {
    var path = stage.root + "/semaphore";
    var events = new Events();
    var watcher = stage.client();
    var semaphore = new InterProcessSemaphoreV2(watcher, path, 1);
    var held = semaphore.acquire();
    for (var id = 1; id <= 4; id++) {
      var name = id;
      var client = stage.client();
      stage.beside(
          () -> {
            var lease = new InterProcessSemaphoreV2(client, path, 1).acquire();
            events.add("%d has the lease", name);
            lease.close();
            return null;
          });
      // The first in the line has a lease znode already, and waits for one to go; the rest waits at the lock.
      Stage.until("it waits", () -> waiting(watcher, path) == name);
    }
    held.close();
    stage.say("%s", events.next(4));
  }

  private static int waiting(CuratorFramework client, String path) throws Exception {
    return Stage.children(client, path + "/locks").size();
  }

  private static void sharedCount(Stage stage) throws Exception {
    var client = stage.client();
    var count = stage.open(new SharedCount(client, stage.root + "/count", 1));
    count.start();
    var semaphore = new InterProcessSemaphoreV2(client, stage.root + "/semaphore", count);
    var first = semaphore.acquire();
    stage.say("beyond one: %s", semaphore.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    var waiting = stage.beside(() -> semaphore.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    Stage.until("it waits", () -> waiting(client, stage.root + "/semaphore") == 1);
    count.setCount(2);
    stage.say("when there are two: %s", Stage.result(waiting) != null);
    semaphore.returnLease(first);
  }

  private static void lost(Stage stage) throws Exception {
    var path = stage.root + "/semaphore";
    var unlucky = stage.client();
    var first = new InterProcessSemaphoreV2(unlucky, path, 1);
    var lease = first.acquire();
    var second = new InterProcessSemaphoreV2(stage.client(), path, 1);
    stage.say("second: %s", second.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.endSession(unlucky);
    stage.say("second: %s", second.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS) != null);
    first.returnLease(lease);
    stage.say("participants: %s", second.getParticipantNodes().size());
  }
}
