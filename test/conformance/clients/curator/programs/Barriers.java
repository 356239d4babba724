import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;

/** DistributedBarrier and DistributedDoubleBarrier. */
final class Barriers {
  private static final long SHORT_MS = 150;

  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("barrier", Barriers::barrier);
    scenarios.put("double-barrier", Barriers::doubleBarrier);
  }

  private static void barrier(Stage stage) throws Exception {
    var path = stage.root + "/barrier";
    var mine = new DistributedBarrier(stage.client(), path);
    var client = stage.client();
    var other = new DistributedBarrier(client, path);
    stage.say("none is set: %s", other.waitOnBarrier(SHORT_MS, TimeUnit.MILLISECONDS));
    mine.setBarrier();
    mine.setBarrier();
    Stage.catchUp(client);
    stage.say("set: %s", other.waitOnBarrier(SHORT_MS, TimeUnit.MILLISECONDS));
    var waiting = stage.beside(() -> other.waitOnBarrier(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    mine.removeBarrier();
    mine.removeBarrier();
    stage.say("removed: %s", Stage.result(waiting));
  }

  private static void doubleBarrier(Stage stage) throws Exception {
    var path = stage.root + "/barrier";
    var events = new Events();
    var alone = new DistributedDoubleBarrier(stage.client(), path, 2);
    stage.say("alone: %s", alone.enter(SHORT_MS, TimeUnit.MILLISECONDS));
    stage.say("leaves: %s", alone.leave(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));

    var observer = stage.client();
    var all = path + "-of-three";
    var leave = new java.util.ArrayList<CountDownLatch>();
    for (var name : List.of("a", "b", "c")) {
      stage.say("in before all are there: %s", events.rest());
      var asked = new CountDownLatch(1);
      leave.add(asked);
      var barrier = new DistributedDoubleBarrier(stage.client(), all, 3);
      stage.beside(
          () -> {
            barrier.enter();
            events.add("%s is in", name);
            asked.await();
            barrier.leave();
            events.add("%s is out", name);
            return null;
          });
      var count = leave.size();
      // The last one makes a znode "ready" too.
      Stage.until("it stands there", () -> count(observer, all) >= count);
    }
    stage.say("%s", events.nextInAnyOrder(3));
    stage.say("znodes: %s", count(observer, all));
    for (var asked : leave) {
      stage.say("out before all leave: %s", events.rest());
      asked.countDown();
    }
    stage.say("%s", events.nextInAnyOrder(3));
    stage.say("znodes: %s", Stage.children(observer, all));
  }

  private static int count(org.apache.curator.framework.CuratorFramework client, String path) throws Exception {
    return client.checkExists().forPath(path) == null ? 0 : Stage.children(client, path).size();
  }
}
