import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.queue.ErrorMode;
import org.apache.curator.framework.recipes.queue.MultiItem;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.state.ConnectionState;

/** The family of DistributedQueue. */
final class Queues {
  private static final QueueSerializer<String> TEXT =
      new QueueSerializer<>() {
        @Override
        public byte[] serialize(String item) {
          return Stage.bytes(item);
        }

        @Override
        public String deserialize(byte[] data) {
          return new String(data);
        }
      };

  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("queue", Queues::queue);
    scenarios.put("queue-safe", Queues::safe);
    scenarios.put("queue-priority", Queues::priority);
    scenarios.put("queue-delay", Queues::delay);
    scenarios.put("queue-id", Queues::id);
    scenarios.put("queue-simple", Queues::simple);
  }

  private static void queue(Stage stage) throws Exception {
    var path = stage.root + "/queue";
    var client = stage.client();
    var producer = stage.open(QueueBuilder.builder(client, null, TEXT, path).buildQueue());
    producer.start();
    for (var item : List.of("a", "b", "c")) producer.put(item);
    var several = List.of("d", "e").iterator();
    MultiItem<String> multi = () -> several.hasNext() ? several.next() : null;
    producer.putMulti(multi);
    stage.say("flushed: %s", producer.flushPuts(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    stage.say("znodes: %s", Stage.children(client, path));
    var events = new Events();
    var consumer = stage.open(QueueBuilder.builder(stage.client(), consumer(events), TEXT, path).buildQueue());
    consumer.start();
    stage.say("%s", events.next(5));
    producer.put("f");
    stage.say("%s", events.next());
    Stage.until("all is done", () -> Stage.children(client, path).isEmpty());

    var full = stage.open(QueueBuilder.builder(client, null, TEXT, stage.root + "/full").maxItems(2).buildQueue());
    full.start();
    full.put("a");
    full.put("b");
    // It counts what it has seen, a little late.
    Stage.until("it is full", () -> !full.put("c", 150, TimeUnit.MILLISECONDS));
    stage.say("full");
  }

  /** With locks: an item whose handling fails comes again. */
  private static void safe(Stage stage) throws Exception {
    var path = stage.root + "/queue";
    var events = new Events();
    var hasFailed = new AtomicBoolean();
    var client = stage.client();
    QueueConsumer<String> consumer =
        new QueueConsumer<>() {
          @Override
          public void consumeMessage(String item) throws Exception {
            events.add("%s", item);
            if (!hasFailed.getAndSet(true)) throw new IllegalArgumentException("the first one fails");
          }

          @Override
          public void stateChanged(CuratorFramework changed, ConnectionState state) {}
        };
    var queue = QueueBuilder.builder(client, consumer, TEXT, path).lockPath(stage.root + "/locks").buildQueue();
    stage.open(queue);
    queue.setErrorMode(ErrorMode.REQUEUE);
    queue.start();
    queue.put("a");
    stage.say("%s", events.next(2));
    queue.put("b");
    stage.say("%s", events.next());
    Stage.until("all is done", () -> Stage.children(client, path).isEmpty());
    Stage.until("no lock is left", () -> Stage.children(client, stage.root + "/locks").isEmpty());
  }

  private static void priority(Stage stage) throws Exception {
    var path = stage.root + "/queue";
    var client = stage.client();
    var producer = stage.open(QueueBuilder.builder(client, null, TEXT, path).buildPriorityQueue(0));
    producer.start();
    for (var priority : List.of(5, -1, 3, 0)) producer.put("of " + priority, priority);
    producer.flushPuts(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    stage.say("znodes: %s", Stage.children(client, path));
    var events = new Events();
    var consumer = stage.open(QueueBuilder.builder(stage.client(), consumer(events), TEXT, path).buildPriorityQueue(0));
    consumer.start();
    stage.say("%s", events.next(4));
  }

  private static void delay(Stage stage) throws Exception {
    var path = stage.root + "/queue";
    var events = new Events();
    var queue = stage.open(QueueBuilder.builder(stage.client(), consumer(events), TEXT, path).buildDelayQueue());
    var begin = System.currentTimeMillis();
    queue.start();
    queue.put("later", begin + 600);
    queue.put("soon", begin + 300);
    stage.say("%s, %s", events.next(2), System.currentTimeMillis() >= begin + 600 ? "not early" : "too early");
  }

  private static void id(Stage stage) throws Exception {
    var path = stage.root + "/queue";
    var client = stage.client();
    var producer = stage.open(QueueBuilder.builder(client, null, TEXT, path).buildIdQueue());
    producer.start();
    for (var item : List.of("a", "b", "c")) producer.put(item, "id-" + item);
    producer.flushPuts(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    stage.say("znodes: %s", Stage.children(client, path));
    stage.say("removed: %d, again: %d", producer.remove("id-b"), producer.remove("id-b"));
    var events = new Events();
    var consumer = stage.open(QueueBuilder.builder(stage.client(), consumer(events), TEXT, path).buildIdQueue());
    consumer.start();
    stage.say("%s", events.next(2));
  }

  private static void simple(Stage stage) throws Exception {
    var path = stage.root + "/queue";
    var queue = new SimpleDistributedQueue(stage.client(), path);
    var client = stage.client();
    var other = new SimpleDistributedQueue(client, path);
    stage.say("empty: %s, %s", queue.peek(), queue.poll());
    stage.say("element", () -> queue.element());
    for (var item : List.of("a", "b", "c")) queue.offer(Stage.bytes(item));
    Stage.catchUp(client);
    stage.say("peek", () -> other.peek());
    stage.say("poll", () -> other.poll());
    stage.say("remove", () -> queue.remove());
    stage.say("take", () -> queue.take());
    stage.say("in vain: %s", queue.poll(150, TimeUnit.MILLISECONDS));
    var waiting = stage.beside(() -> other.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    queue.offer(Stage.bytes("d"));
    stage.say("waited for: %s", Stage.shown(Stage.result(waiting)));
  }

  private static QueueConsumer<String> consumer(Events events) {
    return new QueueConsumer<>() {
      @Override
      public void consumeMessage(String item) {
        events.add("%s", item);
      }

      @Override
      public void stateChanged(CuratorFramework client, ConnectionState state) {}
    };
  }
}
