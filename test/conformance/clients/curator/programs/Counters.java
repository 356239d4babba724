import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.CachedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicInteger;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicValue;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.framework.recipes.shared.SharedValueListener;
import org.apache.curator.framework.recipes.shared.SharedValueReader;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/** SharedCount, SharedValue, and the distributed atomics. */
final class Counters {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("shared-count", Counters::sharedCount);
    scenarios.put("shared-value", Counters::sharedValue);
    scenarios.put("atomic-long", Counters::atomicLong);
    scenarios.put("atomic-contended", Counters::contended);
    scenarios.put("atomic-integer", Counters::atomicInteger);
    scenarios.put("atomic-value", Counters::atomicValue);
  }

  private static void sharedCount(Stage stage) throws Exception {
    var path = stage.root + "/count";
    var events = new Events();
    var mine = stage.open(new SharedCount(stage.client(), path, 7));
    var other = stage.open(new SharedCount(stage.client(), path, 9));
    mine.start();
    other.start();
    stage.say("seeds: %d, %d", mine.getCount(), other.getCount());
    other.addListener(
        new SharedCountListener() {
          @Override
          public void countHasChanged(SharedCountReader count, int value) {
            events.add("count is %d", value);
          }

          @Override
          public void stateChanged(CuratorFramework client, ConnectionState state) {
            events.add("%s", state);
          }
        });
    mine.setCount(10);
    stage.say("%s", events.next());
    var version = other.getVersionedValue();
    stage.say("version %d of %d", version.getVersion(), version.getValue());
    stage.say("tried: %s", mine.trySetCount(mine.getVersionedValue(), 11));
    stage.say("%s", events.next());
    stage.say("tried with an old version: %s", other.trySetCount(version, 12));
    stage.say("now: %d, %d", mine.getCount(), other.getCount());
  }

  private static void sharedValue(Stage stage) throws Exception {
    var path = stage.root + "/value";
    var events = new Events();
    var mine = stage.open(new SharedValue(stage.client(), path, Stage.bytes("seed")));
    var other = stage.open(new SharedValue(stage.client(), path, Stage.bytes("other seed")));
    mine.start();
    other.start();
    stage.say("seeds: %s, %s", Stage.shown(mine.getValue()), Stage.shown(other.getValue()));
    other
        .getListenable()
        .addListener(
            new SharedValueListener() {
              @Override
              public void valueHasChanged(SharedValueReader value, byte[] data) {
                events.add("value is %s", Stage.shown(data));
              }

              @Override
              public void stateChanged(CuratorFramework client, ConnectionState state) {
                events.add("%s", state);
              }
            });
    mine.setValue(Stage.bytes("one"));
    stage.say("%s", events.next());
    var version = other.getVersionedValue();
    mine.setValue(Stage.bytes(""));
    stage.say("%s", events.next());
    stage.say("tried with an old version: %s", other.trySetValue(version, Stage.bytes("two")));
    stage.say("tried: %s", other.trySetValue(other.getVersionedValue(), Stage.bytes("three")));
    stage.say("%s", events.next());
    Stage.until("the first sees it", () -> mine.getValue().length == 5);
    stage.say("version %d", mine.getVersionedValue().getVersion());
  }

  private static void atomicLong(Stage stage) throws Exception {
    var client = stage.client();
    var count = new DistributedAtomicLong(client, stage.root + "/long", new RetryNTimes(5, 10));
    stage.say("nothing yet: %s", show(count.get()));
    stage.say("initialized: %s, again: %s", count.initialize(5L), count.initialize(6L));
    stage.say("incremented: %s", show(count.increment()));
    stage.say("decremented: %s", show(count.decrement()));
    stage.say("added: %s", show(count.add(40L)));
    stage.say("subtracted: %s", show(count.subtract(3L)));
    stage.say("compared in vain: %s", show(count.compareAndSet(1L, 2L)));
    stage.say("compared: %s", show(count.compareAndSet(42L, Long.MAX_VALUE)));
    count.forceSet(-1L);
    stage.say("forced: %s", show(count.get()));
    stage.say("tried: %s", show(count.trySet(Long.MIN_VALUE)));
    stage.say("stat", () -> client.checkExists().forPath(stage.root + "/long"));
    var cached = new CachedAtomicLong(new DistributedAtomicLong(client, stage.root + "/cached", new RetryNTimes(5, 10)), 10);
    stage.say("cached: %s, %s", show(cached.next()), show(cached.next()));
    stage.say("kept", () -> client.getData().forPath(stage.root + "/cached").length);
  }

  /** Four clients add up; the lock decides where optimism fails. */
  private static void contended(Stage stage) throws Exception {
    var tasks = new ArrayList<Future<Object>>();
    for (var adder = 0; adder < 4; adder++) {
      var client = stage.client();
      var count =
          new DistributedAtomicLong(
              client,
              stage.root + "/long",
              new RetryNTimes(1, 1),
              PromotedToLock.builder()
                  .lockPath(stage.root + "/lock")
                  .retryPolicy(new RetryNTimes(100, 10))
                  .timeout(Stage.PATIENCE_MS, java.util.concurrent.TimeUnit.MILLISECONDS)
                  .build());
      tasks.add(
          stage.beside(
              () -> {
                for (var done = 0; done < 10; ) if (count.increment().succeeded()) done++;
                return null;
              }));
    }
    for (var task : tasks) Stage.result(task);
    var count = new DistributedAtomicLong(stage.client(), stage.root + "/long", new RetryNTimes(5, 10));
    stage.say("sum: %d", count.get().postValue());
  }

  private static void atomicInteger(Stage stage) throws Exception {
    var count = new DistributedAtomicInteger(stage.client(), stage.root + "/integer", new RetryNTimes(5, 10));
    stage.say("incremented: %s", show(count.increment()));
    stage.say("added: %s", show(count.add(Integer.MAX_VALUE)));
    stage.say("compared: %s", show(count.compareAndSet(Integer.MIN_VALUE, 3)));
    stage.say("now: %s", show(count.get()));
  }

  private static void atomicValue(Stage stage) throws Exception {
    var value = new DistributedAtomicValue(stage.client(), stage.root + "/value", new RetryNTimes(5, 10));
    stage.say("set: %s", shown(value.trySet(Stage.bytes("one"))));
    stage.say("compared: %s", shown(value.compareAndSet(Stage.bytes("one"), Stage.bytes("two"))));
    stage.say("compared in vain: %s", value.compareAndSet(Stage.bytes("one"), Stage.bytes("three")).succeeded());
    stage.say("now: %s", Stage.shown(value.get().postValue()));
  }

  private static String show(AtomicValue<? extends Number> value) {
    return (value.succeeded() ? "" : "refused, ") + value.preValue() + " to " + value.postValue();
  }

  private static String shown(AtomicValue<byte[]> value) {
    return value.succeeded() + ", " + Stage.shown(value.preValue()) + " to " + Stage.shown(value.postValue());
  }
}
