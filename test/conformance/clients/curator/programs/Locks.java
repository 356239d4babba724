import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.Revoker;

/** Locks that exclude: InterProcessMutex, InterProcessSemaphoreMutex, InterProcessReadWriteLock, InterProcessMultiLock. */
final class Locks {
  private static final long SHORT_MS = 150;

  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("mutex", Locks::mutex);
    scenarios.put("mutex-order", Locks::mutexOrder);
    scenarios.put("mutex-revoked", Locks::mutexRevoked);
    scenarios.put("mutex-lost", Locks::mutexLost);
    scenarios.put("semaphore-mutex", Locks::semaphoreMutex);
    scenarios.put("read-write-lock", Locks::readWriteLock);
    scenarios.put("multi-lock", Locks::multiLock);
  }

  private static void mutex(Stage stage) throws Exception {
    var path = stage.root + "/mutex";
    var client = stage.client();
    var mine = new InterProcessMutex(client, path);
    var other = new InterProcessMutex(stage.client(), path);
    mine.acquire();
    stage.say("again: %s", mine.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("other: %s", other.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("owned: %s, by the other: %s", mine.isOwnedByCurrentThread(), other.isOwnedByCurrentThread());
    Stage.until("a given up place is gone", () -> Stage.children(client, path).size() == 1);
    stage.say("znodes: %s", Stage.children(client, path));
    stage.say("released by a thread that has it not", () -> Stage.result(stage.beside(() -> released(mine))));

    mine.release();
    stage.say("still held: %s", mine.isAcquiredInThisProcess());
    stage.say("other: %s", other.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    mine.release();
    stage.say("still held: %s", mine.isAcquiredInThisProcess());
    stage.say("other: %s", other.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    stage.say("participants: %s", other.getParticipantNodes());
    other.release();
    stage.say("released twice", () -> released(other));
    stage.say("participants: %s", other.getParticipantNodes());
  }

  /** Five wait; they get it in the order in which they asked. */
  private static void mutexOrder(Stage stage) throws Exception {
    var path = stage.root + "/mutex";
    var events = new Events();
    var watcher = stage.client();
    var first = new InterProcessMutex(watcher, path);
    first.acquire();
    var waiting = new ArrayList<java.util.concurrent.Future<Object>>();
    for (var id = 1; id <= 5; id++) {
      var name = id;
      var mutex = new InterProcessMutex(stage.client(), path);
      waiting.add(
          stage.beside(
              () -> {
                mutex.acquire();
                events.add("%d holds", name);
                mutex.release();
                return null;
              }));
      Stage.until("it stands in the line", () -> Stage.children(watcher, path).size() == name + 1);
    }
    stage.say("before the release: %s", events.rest());
    first.release();
    stage.say("%s", events.next(5));
    for (var task : waiting) Stage.result(task);
    stage.say("left: %s", Stage.children(watcher, path));
  }

  private static void mutexRevoked(Stage stage) throws Exception {
    var path = stage.root + "/mutex";
    var events = new Events();
    var client = stage.client();
    var mutex = new InterProcessMutex(client, path);
    mutex.makeRevocable((asked) -> events.add("asked to give it up"));
    mutex.acquire();
    var node = mutex.getParticipantNodes().iterator().next();
    Revoker.attemptRevoke(stage.client(), node);
    stage.say("%s", events.next());
    stage.say("data", () -> client.getData().forPath(node));
    mutex.release();
  }

  /** The holder's session ends: the next one holds, and the release of what was lost does no harm. */
  private static void mutexLost(Stage stage) throws Exception {
    var path = stage.root + "/mutex";
    var unlucky = stage.client();
    var first = new InterProcessMutex(unlucky, path);
    first.acquire();
    var second = new InterProcessMutex(stage.client(), path);
    var third = new InterProcessMutex(stage.client(), path);
    var waiting = stage.beside(() -> acquired(second));
    Stage.until("it waits", () -> second.getParticipantNodes().size() == 2);

    stage.endSession(unlucky);

    stage.say("second: %s", Stage.result(waiting));
    stage.say("third: %s", third.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("first gives up what it lost", () -> released(first));
    stage.say("third: %s", third.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
  }

  private static void semaphoreMutex(Stage stage) throws Exception {
    var path = stage.root + "/mutex";
    var client = stage.client();
    var mine = new InterProcessSemaphoreMutex(client, path);
    var other = new InterProcessSemaphoreMutex(stage.client(), path);
    mine.acquire();
    stage.say("again: %s", mine.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("other: %s", other.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("below: %s", Stage.children(client, path));
    stage.say("leases: %s", Stage.children(client, path + "/leases").size());
    stage.say("released by another thread", () -> Stage.result(stage.beside(() -> released(mine))));
    stage.say("other: %s", other.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    stage.say("held: %s, %s", mine.isAcquiredInThisProcess(), other.isAcquiredInThisProcess());
    other.release();
    stage.say("released twice", () -> released(other));
  }

  private static void readWriteLock(Stage stage) throws Exception {
    var path = stage.root + "/lock";
    var client = stage.client();
    var one = new InterProcessReadWriteLock(client, path, Stage.bytes("one"));
    var two = new InterProcessReadWriteLock(stage.client(), path);
    one.readLock().acquire();
    two.readLock().acquire();
    stage.say("znodes: %s", Stage.bySequence(Stage.children(client, path)));
    stage.say("a writer beside readers: %s", two.writeLock().acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    one.readLock().release();
    stage.say("from reader to writer: %s", two.writeLock().acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    two.readLock().release();

    two.writeLock().acquire();
    stage.say("from writer to reader: %s", two.readLock().acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("a reader beside a writer: %s", one.readLock().acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    two.writeLock().release();
    stage.say("a second reader: %s", one.readLock().acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("participants: %s readers", one.readLock().getParticipantNodes().size());
    var writer = stage.beside(() -> written(stage.client(), path));
    Stage.until("the writer waits", () -> Stage.children(client, path).size() == 3);
    var late = new InterProcessReadWriteLock(stage.client(), path);
    stage.say("a reader behind a writer: %s", late.readLock().acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    one.readLock().release();
    two.readLock().release();
    stage.say("the writer: %s", Stage.result(writer));
    stage.say("a reader after it: %s", late.readLock().acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    late.readLock().release();
    stage.say("left: %s", Stage.children(client, path));
  }

  private static String written(CuratorFramework client, String path) throws Exception {
    var lock = new InterProcessReadWriteLock(client, path).writeLock();
    var isAcquired = lock.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    lock.release();
    return "held " + isAcquired;
  }

  private static void multiLock(Stage stage) throws Exception {
    var client = stage.client();
    var paths = List.of(stage.root + "/a", stage.root + "/b");
    var both = new InterProcessMultiLock(client, paths);
    var b = new InterProcessMutex(stage.client(), stage.root + "/b");
    b.acquire();
    stage.say("both: %s", both.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    Stage.until("a is given back", () -> Stage.children(client, stage.root + "/a").isEmpty());
    b.release();
    stage.say("both: %s", both.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    stage.say("b: %s", b.acquire(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("held: %s", both.isAcquiredInThisProcess());
    both.release();
    stage.say("held: %s", both.isAcquiredInThisProcess());
    var mixed =
        new InterProcessMultiLock(
            List.<InterProcessLock>of(
                new InterProcessMutex(client, stage.root + "/c"),
                new InterProcessSemaphoreMutex(client, stage.root + "/d")));
    mixed.acquire();
    stage.say("below: %s", Stage.children(client, stage.root));
    mixed.release();
  }

  private static Object acquired(InterProcessLock lock) throws Exception {
    return lock.acquire(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
  }

  static Object released(InterProcessLock lock) throws Exception {
    Callable<Object> release =
        () -> {
          lock.release();
          return "done";
        };
    try {
      return release.call();
    } catch (IllegalMonitorStateException error) {
      return "refused, it is not held";
    }
  }
}
